"""Trying a rule out: what it makes of a record, and what it would have done.

Owns the choice and the report. The report is found with the rights of the current
user and inside a savepoint that is undone; only its own lines are written.
"""

from odoo import api, fields, models
from odoo.exceptions import AccessError, UserError, ValidationError

#: Records that the list shows.
MAX_SHOWN = 200
#: Different mails that the report shows.
MAX_MAILS = 20
KINDS = {"condition": "conditions", "recipient": "recipients", "change": "changes"}


class CrmAutomationRuleTest(models.TransientModel):
    _name = "crm.automation.rule.test"
    _description = "Test of an Automated Action"

    rule_id = fields.Many2one(
        "crm.automation.rule", required=True, readonly=True, ondelete="cascade"
    )
    # Of a rule that its reader may see: of others not even what they are about.
    model_name = fields.Char(related="rule_id.model_name", related_sudo=False)
    summary = fields.Char(related="rule_id.summary", related_sudo=False)
    mode = fields.Selection(
        [
            ("record", "What it makes of one record"),
            ("past", "What it would have done in the past"),
            ("now", "Which records satisfy its conditions now"),
        ],
        required=True,
        default="record",
        string="Show",
        help="What is tried. Nothing is written and nothing is sent.",
    )
    res_id = fields.Many2oneReference(
        "Record", model_field="model_name", help="Which one the rule is tried out on."
    )
    days = fields.Integer(
        "In the Last Days",
        required=True,
        default=30,
        help="How far back what has happened is looked at.",
    )
    tested_name = fields.Char(
        "Tested", readonly=True, help="The record that the report below is about."
    )
    verdict = fields.Text(readonly=True, help="Whether the rule would act, and when.")
    notes = fields.Text(readonly=True, help="What to keep in mind with this report.")
    condition_ids = fields.One2many(
        "crm.automation.rule.test.line",
        "wizard_id",
        readonly=True,
        domain=[("kind", "=", "condition")],
        help="Each condition, what the record says to it, and whether that is enough.",
    )
    recipient_ids = fields.One2many(
        "crm.automation.rule.test.line",
        "wizard_id",
        "Who Would Be Told",
        readonly=True,
        domain=[("kind", "=", "recipient")],
        help="Each recipient by name, and why somebody is left out.",
    )
    change_ids = fields.One2many(
        "crm.automation.rule.test.line",
        "wizard_id",
        "What Would Change",
        readonly=True,
        domain=[("kind", "=", "change")],
        help="What the record has now, and what it would have then.",
    )
    mails = fields.Html(
        readonly=True,
        sanitize="email_outgoing",
        help="As each recipient would get them. Nothing is sent.",
    )
    record_ids = fields.One2many(
        "crm.automation.rule.test.record",
        "wizard_id",
        "Records",
        readonly=True,
        help="What was looked at; grey is what does not match.",
    )

    @api.constrains("days")
    def _check_days(self):
        for wizard in self:
            if not 1 <= wizard.days <= 366:
                raise ValidationError(self.env._("Look back between 1 and 366 days."))

    @api.onchange("mode", "res_id", "days")
    def _onchange_choice(self):
        """What stands there is about another choice."""
        self.update(self._nothing())

    @api.model
    def _nothing(self):
        empty = [fields.Command.clear()]
        return {
            "tested_name": False, "verdict": False, "notes": False, "mails": False,
            "condition_ids": empty, "recipient_ids": empty, "change_ids": empty,
            "record_ids": empty,
        }  # fmt: skip

    def action_test(self):
        self._test()
        return self._reopen()

    def _test(self):
        self.ensure_one()
        self.rule_id.check_access("read")
        if self.rule_id.model_name not in self.env:
            raise UserError(self.rule_id._why_idle())
        self.write(self._nothing())
        self.write(self._report_on_record() if self.mode == "record" else self._report_on_many())

    # -- one record ---------------------------------------------------------------

    def _report_on_record(self):
        record = self.env[self.model_name].browse(self.res_id or []).exists()
        if not record:
            return {"verdict": self.env._("Choose a record to test the rule with.")}
        try:
            found = self.rule_id._explain(record)
        except (AccessError, UserError) as error:
            return {"verdict": str(error)}
        lines = {
            f"{kind}_ids": [
                fields.Command.create({"kind": kind, "sequence": place, **line})
                for place, line in enumerate(found[name])
            ]
            for kind, name in KINDS.items()
        }
        shown = {"mails": found["mails"][:MAX_MAILS], "more": len(found["mails"]) - MAX_MAILS}
        return {
            **lines,
            "tested_name": record.display_name,
            "verdict": found["verdict"],
            "notes": self._note_rights(),
            "mails": self.env["ir.qweb"]._render("crm_automation.rule_test_mails", shown),
        }

    def _note_rights(self):
        owner = self.rule_id.owner_id
        if not owner or owner == self.env.user:
            return False
        return self.env._(
            "The test sees what you may see; the rule acts with the rights of its owner, "
            "%(owner)s.",
            owner=owner.name,
        )

    # -- many records ---------------------------------------------------------------

    def _report_on_many(self):
        rule = self.rule_id
        if self.mode == "past":
            found, notes = rule._would_have_fired(self.days)
        else:
            found, notes = rule._match_now()
        shown = found[:MAX_SHOWN]
        if len(found) > len(shown):
            notes.append(self.env._("Shown are the first %(number)s.", number=len(shown)))
        if note := self._note_rights():
            notes.append(note)
        matching = sum(row.matches for row in found)
        return {
            "verdict": self.env._(
                "%(matching)s records match, %(others)s others do not.",
                matching=matching,
                others=len(found) - matching,
            ),
            "notes": "\n".join(notes) or False,
            "record_ids": [fields.Command.create(values) for values in self._record_values(shown)],
        }

    def _record_values(self, rows):
        rule = self.rule_id
        records = rule._as_mine()._owner_model().browse([row.res_id for row in rows])
        firings = rule._log_of(rows)
        partner = self.env.user.partner_id
        return [
            {
                "sequence": place,
                "res_model": record._name,
                "res_id": record.id,
                "record_name": rule._name_for(record, partner),
                "moment": row.moment,
                "matches": row.matches,
                "firing_id": firing.id,
                "log": rule._log_in_words(firing, row),
            }
            for place, (row, record, firing) in enumerate(zip(rows, records, firings, strict=True))
        ]

    def _reopen(self):
        return {
            "type": "ir.actions.act_window",
            "name": self.env._("Test Rule"),
            "res_model": self._name,
            "res_id": self.id,
            "views": [(False, "form")],
            "target": "new",
            "context": {"dialog_size": "extra-large"},
        }
