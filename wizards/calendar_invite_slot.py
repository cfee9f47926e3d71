"""The next times that are free for all who are invited."""

import datetime

from odoo import fields, models
from odoo.exceptions import UserError

from ..engine.common_time import common_times, overlap

UTC = datetime.timezone.utc
DAY = datetime.timedelta(days=1)
#: Times that are proposed, and days that are looked through.
NUMBER, HORIZON = 5, 28
#: People whose calendars are looked into.
MAX_PEOPLE = 200


class CalendarInvite(models.TransientModel):
    _inherit = "calendar.invite"

    def _slot(self):
        """(start, stop) of the meeting as the wizard has it; Nones without one."""
        self.ensure_one()
        if self.attendee_id:
            event = self.attendee_id.event_id
            return event.start, event.stop
        if not self.start:
            return None, None
        if len(self.event_ids) == 1:
            return self.start, self.start + (self.event_ids.stop - self.event_ids.start)
        return self.start, self.start + datetime.timedelta(hours=self.duration)

    def action_find_times(self):
        """Look for the next times within working hours when nobody has anything else."""
        self.ensure_one()
        # When others are free is told to whoever arranges their meeting.
        (self.event_ids | self.attendee_id.event_id)._check_may_invite()
        start, stop = self._slot()
        if not start or len(self.event_ids) > 1:
            raise UserError(self.env._("Choose one meeting and its time first."))
        found = self._common_times(max(start, fields.Datetime.now()), stop - start)
        self.slot_ids.unlink()
        self.write(
            {
                "are_slots_known": True,
                "slot_ids": [
                    fields.Command.create({"start": at, "stop": at + (stop - start)})
                    for at in found
                ],
            }
        )  # fmt: skip
        return self._again()

    def _common_times(self, after, length):
        """list of begins, naive UTC"""
        event = self.event_ids
        coming = event.sudo().attendee_ids.filtered(lambda one: one.state != "declined")
        partners = self._invited_contacts() | coming.partner_id.with_env(self.env)
        partners |= self.env.user.partner_id
        if len(partners) > MAX_PEOPLE:
            raise UserError(
                self.env._(
                    "A time for %(number)s people cannot be found: there are at most "
                    "%(limit)s whose calendars are looked into.",
                    number=len(partners),
                    limit=MAX_PEOPLE,
                )
            )
        first = after.date() - DAY
        last = first + HORIZON * DAY
        work = self._common_hours(partners, first, last)
        busy = partners._busy_times(
            datetime.datetime.combine(first, datetime.time()),
            datetime.datetime.combine(last + 2 * DAY, datetime.time()),
            but=event,
        )
        taken = [span for spans in busy.values() for span in spans]
        return common_times(work, taken, length, after, NUMBER)

    def _common_hours(self, partners, first, last):
        """The working hours that the colleagues among them have in common, naive UTC."""
        users = partners.sudo().user_ids.filtered(lambda user: not user.share)
        plan = self.env["calendar.visit.plan"].sudo().new({"company_id": self.env.company.id})
        hours = plan._work_intervals(users, first, last)
        return overlap(
            [
                [
                    tuple(at.astimezone(UTC).replace(tzinfo=None) for at in span)
                    for span in spans
                ]
                for spans in hours.values()
            ]
        )  # fmt: skip


class CalendarInviteSlot(models.TransientModel):
    _name = "calendar.invite.slot"
    _description = "Time that is Free for All"
    _order = "start"

    invite_id = fields.Many2one("calendar.invite", required=True, ondelete="cascade")
    start = fields.Datetime(
        "From", required=True, readonly=True, help="When the meeting would begin."
    )
    stop = fields.Datetime("To", required=True, readonly=True, help="When the meeting would end.")

    def action_take(self):
        """Have the meeting at this time."""
        self.ensure_one()
        self.invite_id.start = self.start
        return self.invite_id._again()
