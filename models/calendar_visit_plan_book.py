"""From proposals to meetings, and back: in small parts, each with its commit.

Owns booking, stopping, cancelling and the job that does it. A worker that is killed
leaves lines that say what they are, and the job goes on with those that are left.
"""

import logging

import psycopg2

from odoo import api, fields, models
from odoo.exceptions import UserError
from odoo.fields import Command
from odoo.tools import SQL, html_escape

from ..engine.keywords import replace_keywords

_logger = logging.getLogger(__name__)

#: Meetings of one transaction.
BATCH = 1000
#: So many are booked or cancelled while the user waits; more is left to the job.
AT_ONCE = 300


class CalendarVisitPlan(models.Model):
    _inherit = "calendar.visit.plan"

    # -- buttons --------------------------------------------------------------

    def action_book(self):
        """Book what is proposed; the plan goes on by itself from then on."""
        self.ensure_one()
        self.check_access("write")
        if self.state in ("cancelling", "cancelled"):
            raise UserError(self.env._("The plan is cancelled: set it back to draft first."))
        proposed = self._waiting("proposed")
        if not proposed and self.state == "draft":
            raise UserError(self.env._("Nothing is proposed that could be booked: preview first."))
        values = {"state": "booking", "owner_id": self.env.uid, "failure": False}
        if not self.is_dynamic and not self.frozen_partner_ids:
            values["frozen_partner_ids"] = [Command.set(self._customers().ids)]
        self.sudo().write(values)
        if proposed <= AT_ONCE:
            while self._book_part():
                pass
            self._finish_booking()
            return True
        return self._leave_to_job(
            self.env._("%(number)s visits are being booked.", number=proposed)
        )

    def action_stop(self):
        """Book nothing more, until somebody goes on."""
        self.check_access("write")
        if any(plan.state not in ("booking", "running") for plan in self):
            raise UserError(self.env._("The plan is not at work."))
        self.sudo().write({"state": "stopped"})

    def action_cancel(self):
        """Undo it: future meetings that nobody has changed go, and all proposals."""
        self.ensure_one()
        self.check_access("write")
        self._drop_all_proposals()
        self.sudo().write({"state": "cancelling"})
        number = self.env["calendar.visit"].sudo().search_count(self._removable_domain())
        if number <= AT_ONCE:
            while self._remove_part():
                pass
            self._finish_cancelling()
            return True
        return self._leave_to_job(
            self.env._("%(number)s meetings are being removed.", number=number)
        )

    def action_draft(self):
        self.check_access("write")
        if any(plan.state not in ("cancelled", "stopped", "done") for plan in self):
            raise UserError(self.env._("Stop or cancel the plan first."))
        self.sudo().write({"state": "draft", "frozen_partner_ids": [Command.clear()]})

    def _leave_to_job(self, message):
        self.env["ir.cron"]._automation_wake("crm_automation.ir_cron_visit_plan_work")
        return {
            "type": "ir.actions.client",
            "tag": "display_notification",
            "params": {
                "message": message,
                "type": "info",
                "next": {"type": "ir.actions.client", "tag": "soft_reload"},
            },
        }

    # -- the job --------------------------------------------------------------

    @api.model
    def _work(self):
        """Book and remove what is left of all plans; entry point of the scheduled job."""
        for plan in self.search([("state", "in", ("booking", "cancelling"))]):
            try:
                plan._work_off()
            except psycopg2.extensions.TransactionRollbackError:
                # Somebody was faster: what is left is done by the next call.
                self.env.cr.rollback()
                self.env["ir.cron"]._automation_wake("crm_automation.ir_cron_visit_plan_work")
            except Exception as error:
                # The plans are independent, and this one tells what is wrong with it.
                self.env.cr.rollback()
                _logger.exception("Visit plan %s", plan.id)
                plan.write({"state": "stopped", "failure": str(error)})
                self._commit_batch()

    def _work_off(self):
        self.ensure_one()
        parts = {
            "booking": (type(self)._book_part, type(self)._finish_booking),
            "cancelling": (type(self)._remove_part, type(self)._finish_cancelling),
        }
        while True:
            # Each look sees what is there by now: somebody may have stopped it.
            self._commit_batch()
            self.invalidate_recordset()
            if self.state not in parts or not self.exists():
                return
            part, finish = parts[self.state]
            worked = part(self)
            if not worked:
                finish(self)
                self._commit_batch()
                return
            if not self._commit_batch(worked, remaining=1):
                # The job's time is over: it is called again.
                self.env["ir.cron"]._automation_wake("crm_automation.ir_cron_visit_plan_work")
                return

    @api.model
    def _commit_batch(self, processed=0, remaining=0):
        """Commit a part; return the seconds that the job still has."""
        return self.env["crm.automation.firing"]._commit_batch(processed, remaining=remaining)

    # -- booking --------------------------------------------------------------

    def _waiting(self, state):
        return self.env["calendar.visit"].sudo().search_count(
            [("plan_id", "=", self.id), ("state", "=", state)]
        )  # fmt: skip

    def _book_part(self, limit=BATCH):
        """Book some of what is proposed.

        :return: how many lines were looked at
        """
        visits = self._claim(SQL("state = 'proposed' ORDER BY user_id, start, id"), limit)
        if len(visits) == limit and len(visits.user_id) > 1:
            # Each person's first meeting takes as long as a hundred others: whoever does not
            # fit in as a whole is the first one next time.
            visits -= visits.filtered(lambda visit: visit.user_id == visits[-1].user_id)
        now = fields.Datetime.now()
        past = visits.filtered(lambda visit: visit.start <= now)
        past.write({"state": "unscheduled", "problem": "past"})
        clashing = (visits - past)._clashing(with_proposed=False)
        clashing.write({"state": "unscheduled", "problem": "clash"})
        bookable = visits - past - clashing
        for user, mine in bookable.grouped("user_id").items():
            self._make_meetings(user, mine)
        return len(visits)

    def _claim(self, condition, limit):
        """Lines that no other worker has in hand (sudo)."""
        Visit = self.env["calendar.visit"].sudo()
        Visit.flush_model()
        self.env.cr.execute(
            SQL(
                "SELECT id FROM calendar_visit WHERE plan_id = %s AND %s LIMIT %s "
                "FOR NO KEY UPDATE SKIP LOCKED",
                self.id,
                condition,
                limit,
            )
        )
        visits = Visit.browse([res_id for (res_id,) in self.env.cr.fetchall()])
        visits.invalidate_recordset(flush=False)
        return visits

    def _make_meetings(self, user, visits):
        # A customer has the same texts each time.
        texts = {partner: self._meeting_texts(partner, user) for partner in visits.partner_id}
        rows = [
            {
                **texts[visit.partner_id],
                "start": visit.start,
                "stop": visit.stop,
                "duration": (visit.stop - visit.start).total_seconds() / 3600,
            }
            for visit in visits
        ]
        Event = self.env["calendar.event"].with_user(self.owner_id).sudo()
        events = Event._create_visits(self._meeting_common(user), rows)
        self.env.cr.execute(
            SQL(
                "UPDATE calendar_visit SET state = 'booked', problem = NULL, event_id = new.event "
                "FROM unnest(%s, %s) AS new (visit, event) WHERE id = new.visit",
                visits.ids,
                events.ids,
            )
        )
        visits.invalidate_recordset(flush=False)

    def _meeting_common(self, user):
        """Values of all meetings of one person."""
        colleagues = self._colleagues(user)
        return {
            "user_id": user.id,
            "team_id": user.sale_team_id.id,
            "allday": False,
            "show_as": self.show_as,
            "privacy": self.privacy,
            "alarm_ids": [Command.set(self.alarm_ids.ids)],
            "categ_ids": [Command.set(self.categ_ids.ids)],
            "partner_ids": [Command.link(partner.id) for partner in colleagues],
            "attendee_ids": [
                Command.create(
                    {
                        "partner_id": partner.id,
                        "state": "accepted" if partner == user.partner_id else "needsAction",
                    }
                )
                for partner in colleagues
            ],
        }

    def _colleagues(self, user):
        """Who of the house takes part, the visitor first (sudo)."""
        team = user.sale_team_id.sudo()
        others = self.guest_ids.sudo()
        if self.invite_leader:
            others |= team.user_id
        if self.invite_technical:
            others |= team.technical_user_id
        return user.partner_id | others.filtered("active").partner_id

    def _meeting_texts(self, partner, user):
        """What the meetings with a customer say, and where and with whom they are."""
        values = {
            "partner": partner.name or "",
            "partner_email": partner.email or "",
            "partner_phone": partner.phone or "",
            "partner_city": partner.city or "",
            "object_user": user.name,
            "object_user_email": user.email or "",
            "object_user_phone": user.phone or "",
            "plan": self.name,
        }
        escaped = {key: html_escape(value) for key, value in values.items()}
        if self.place_by == "customer":
            lines = partner._display_address(without_company=True).split("\n")
            location = ", ".join(line.strip() for line in lines if line.strip())
        else:
            location = replace_keywords(self.place, values)
        return {
            "name": replace_keywords(self.title, values),
            "description": replace_keywords(self.description, escaped) or None,
            "location": location or None,
            "customer_id": partner.id,
            "invited": partner if self.invite_customer else partner.browse(),
        }

    def _finish_booking(self):
        self.ensure_one()
        self.invalidate_recordset()
        if self.state != "booking":
            return
        self.sudo().write({"state": "running"})
        self._tell_booked()

    # -- cancelling -----------------------------------------------------------

    def _removable_domain(self):
        return [
            ("plan_id", "=", self.id), ("state", "=", "booked"), ("by_hand", "=", False),
            ("start", ">", fields.Datetime.now()),
        ]  # fmt: skip

    def _drop_all_proposals(self):
        self.env["calendar.visit"].sudo().search(
            [("plan_id", "in", self.ids), ("state", "in", ("proposed", "unscheduled", "left"))]
        ).unlink()  # fmt: skip

    def _remove_part(self, limit=BATCH):
        """Remove some of the future meetings that nobody has changed.

        :return: how many
        """
        visits = self._claim(
            SQL(
                "state = 'booked' AND NOT COALESCE(by_hand, false) AND start > %s ORDER BY id",
                fields.Datetime.now(),
            ),
            limit,
        )
        self._tell_cancelled(visits)
        visits._remove_meetings()
        visits.unlink()
        return len(visits)

    def _finish_cancelling(self):
        self.sudo().write({"state": "cancelled"})
