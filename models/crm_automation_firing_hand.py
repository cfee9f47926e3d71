"""What people do by hand with executions: send now, skip, postpone.

Owns the buttons and what they leave in the row for the drainer. Whoever may change
a rule may do so with its executions. In the payload:

* ``by_hand``: a person wants it now, so it is neither too late nor about a moment
  that the date has left. Of what was planned ahead the conditions are still asked.
* ``anyway``: it had ended as skipped or expired, and a person who has seen the
  reason wants it nevertheless, so the conditions are not asked either.
* ``postponed_to``: lateness counts from this moment, and that the meeting has begun
  by then was the wish of whoever postponed it.
"""

from datetime import timedelta

from psycopg2.extras import Json

from odoo import api, fields, models
from odoo.exceptions import UserError

#: Ends that a person may override.
OVERRIDDEN = frozenset({"skipped", "expired"})


class CrmAutomationFiring(models.Model):
    _inherit = "crm.automation.firing"

    color = fields.Integer(compute="_compute_color", help="One for each rule.")

    @api.depends("rule_id")
    def _compute_color(self):
        for firing in self:
            # Odoo's palette has eleven colors beside "none".
            firing.color = firing.rule_id.id % 11 + 1

    # -- the buttons --------------------------------------------------------------

    def action_send_now(self):
        """Do pending executions at once."""
        self._of_my_rules({"pending"})._send_by_hand({"by_hand": True}, self.env.user)
        return True

    def action_send_anyway(self):
        """Do after all what was skipped or came too late."""
        ended = self._of_my_rules(OVERRIDDEN)
        off = ended.rule_id.filtered(lambda rule: not rule.enabled)
        if off:
            raise UserError(
                self.env._(
                    "These rules are switched off, so they send nothing: %(names)s. Switch them "
                    "on first.",
                    names=", ".join(off.mapped("name")),
                )
            )
        # Those who were left out are told, or left out, anew.
        ended.delivery_ids.unlink()
        ended._send_by_hand({"by_hand": True, "anyway": True}, self.env.user)
        return True

    def action_skip(self):
        """End pending executions: nothing is done."""
        pending = self._of_my_rules({"pending"})
        pending._finish("skipped")
        pending._give_reason(
            lambda env: env._("Skipped by hand by %(user)s.", user=self.env.user.name)
        )
        return True

    def action_postpone(self):
        """Ask until when."""
        pending = self._of_my_rules({"pending"})
        return {
            "type": "ir.actions.act_window",
            "name": self.env._("Postpone"),
            "res_model": "crm.automation.firing.postpone",
            "views": [(False, "form")],
            "target": "new",
            "context": {"default_firing_ids": pending.ids},
        }

    def _postpone(self, moments):
        """Not before these moments.

        :param dict moments: id of a pending execution to its moment
        """
        pending = self._of_my_rules({"pending"})
        for firing in pending:
            moment = moments[firing.id]
            firing._note_by_hand({"postponed_to": fields.Datetime.to_string(moment)})
            firing.run_at = moment
        pending._give_reason(
            lambda env: env._("Postponed by hand by %(user)s.", user=self.env.user.name)
        )
        self._arm()

    # -- beneath them ---------------------------------------------------------------

    def _send_by_hand(self, facts, user):
        """Due now; the drainer reads in the facts what it need not ask.

        :param user: who wants it, for the log
        """
        for firing in self:
            firing._note_by_hand(facts)
        now = self.env.cr.now().replace(microsecond=0)
        self.write({"state": "pending", "run_at": now, "tries": 0, "finished_at": False})
        self._give_reason(lambda env: env._("Sent by hand by %(user)s.", user=user.name))
        self._wake()

    def _of_my_rules(self, states):
        """Those of the executions that are in one of these states, to be written.

        :raises AccessError: when the current user may not read one of them or not
            change its rule
        :raises UserError: when none is in such a state
        """
        self.check_access("read")
        self.rule_id.check_access("write")
        # A failure of the rule as a whole is about no record.
        found = self.sudo().filtered(lambda firing: firing.state in states and firing.res_id)
        if not found:
            labels = dict(self._fields["state"]._description_selection(self.env))
            raise UserError(
                self.env._(
                    "This can be done with executions of these outcomes only: %(states)s.",
                    states=", ".join(label for state, label in labels.items() if state in states),
                )
            )
        return found

    def _note_by_hand(self, facts):
        self.ensure_one()
        self.payload = {**(self.payload or {}), **facts}

    def _give_reason(self, sentence):
        """Say in the log who has done it, in the language of whoever answers for the rule.

        :param sentence: function from the environment in that language to the text
        """
        for rule, mine in self.grouped("rule_id").items():
            mine.write({"reason": sentence(rule.with_context(lang=rule.owner_id.lang).env)})

    # -- for the drainer --------------------------------------------------------------

    def _is_by_hand(self, fact="by_hand"):
        self.ensure_one()
        return bool(self._told().get(fact))

    def _is_late(self, rule, value, now):
        """Whether an execution of a rule about dates comes too late.

        :param value: the record's date
        """
        if self._is_by_hand():
            return False
        if postponed := self._told().get("postponed_to"):
            limit = timedelta(hours=rule.lateness_hours)
            return now > fields.Datetime.to_datetime(postponed) + limit
        return rule._is_too_late(value, self.due_at, now)

    # -- what was over when a rule was switched on --------------------------------------

    @api.model
    def _insert_by_hand(self, rule, moments):
        """Put moments that are over into the ledger, due now.

        :param dict moments: record id to the moment that is over; it stays the key,
            so that the moment is done once, whoever finds it
        """
        now = self.env.cr.now().replace(microsecond=0)
        records = self.env[rule.model_name].browse(moments)
        rows = [
            {
                **self._moment_values(rule, record, moments[record.id]),
                "payload": Json({"by_hand": True}),
                "due_at": now,
                "run_at": now,
            }
            for record in records
        ]
        if not rows:
            return
        self._insert_or_renew(rule, rows, ("payload", "due_at", "run_at"))
        self._wake()
