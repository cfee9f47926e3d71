"""What is answered to a reminder: later, seen, or that one will be late.

From the notification in the browser, or from the page that the mail links to, whose secret
is all that its reader has. What was seen in Odoo is written for the user's other programs
as well, so that his phone falls silent (RFC 9074, 6), and what he has seen there is not
shown here any more.
"""

from datetime import datetime, timedelta

from odoo import api, fields, models
from odoo.exceptions import AccessError, UserError

from ..ical.overlay import acknowledged, seen_until
from ..ical.values import UTC
from .calendar_reminder_run import BUS_CLOSE
from .calendar_reminder_todo import OWN_COLUMNS
from .page_token import find_by_token

#: Minutes by which a reminder can be put off.
SNOOZES = (5, 60)
#: Notifications that a browser shows when it is opened.
MAX_SHOWN = 20


class CalendarReminder(models.Model):
    _inherit = "calendar.reminder"

    # -- in Odoo ------------------------------------------------------------------

    @api.model
    def get_due(self):
        """The notifications that the user has not dismissed, for a browser that is opened."""
        self.check_access("read")
        now = fields.Datetime.now()
        rows = self.sudo().search(
            [
                ("partner_id", "=", self.env.user.partner_id.id),
                ("kind", "=", "notification"),
                ("state", "=", "done"),
                ("dismissed_at", "=", False),
                ("due_at", ">", now - self._lateness()),
            ],
            limit=MAX_SHOWN,
        )
        moments = rows._moments()
        spans = {
            model: self._spans(model, some.mapped("res_id"))
            for model, some in rows.grouped("res_model").items()
        }
        subjects = rows._subjects()
        return [
            row._payload(self.env.user, subjects[row])
            for row in rows
            if moments[row] and not spans[row.res_model][row.res_id].is_over(row.due_at, now)
        ]

    def _check_own(self):
        self.browse().check_access("read")
        if any(row.partner_id != self.env.user.partner_id for row in self.sudo()):
            raise AccessError(self.env._("These are the reminders of somebody else."))

    def action_dismiss(self):
        """The user has seen them."""
        self._check_own()
        self.sudo()._dismiss()
        return True

    def action_snooze(self, minutes):
        """Remind the user again.

        :param int minutes: of SNOOZES
        """
        self._check_own()
        self.sudo()._put_off_by(minutes)
        return True

    def _dismiss(self):
        now = self.env.cr.now().replace(microsecond=0)
        self.filtered(lambda row: not row.dismissed_at).dismissed_at = now
        for row in self:
            users = row.partner_id.user_ids.filtered(lambda user: user.active and not user.share)
            for user in users:
                user._bus_send(BUS_CLOSE, [row.id])
                row._acknowledge_for(user, now)

    def _acknowledge_for(self, user, now):
        """Let his other programs fall silent."""
        record = self._record()
        if self.res_model == "calendar.event":
            uid = record.ical_uid
        elif self.res_model in OWN_COLUMNS and record:
            uid = self.env["caldav.collection"].sudo()._todo_uid_of(user, record)
        else:
            return
        overlays = self.env["caldav.overlay"].sudo()
        known = overlays.search([("user_id", "=", user.id), ("uid", "=", uid)])
        if uid:
            overlays._put(user, uid, acknowledged(known.text, now.replace(tzinfo=UTC)))

    def _put_off_by(self, minutes):
        if minutes not in SNOOZES:
            raise UserError(self.env._("A reminder is put off by 5 minutes or by an hour."))
        until = fields.Datetime.now() + timedelta(minutes=minutes)
        for row in self:
            last = self.search(
                [
                    ("res_model", "=", row.res_model), ("res_id", "=", row.res_id),
                    ("alarm_id", "=", row.alarm_id.id), ("own_key", "=", row.own_key),
                    ("partner_id", "=", row.partner_id.id), ("address", "=", row.address),
                    ("base_at", "=", row.base_at), ("number", "=", row.number),
                ], order="snooze desc", limit=1,
            )  # fmt: skip
            if last.state == "pending" and last.snooze:
                last.write({"due_at": until, "run_at": until})
            else:
                row.copy(
                    {
                        "snooze": last.snooze + 1, "due_at": until, "run_at": until,
                        "state": "pending", "reason": False, "tries": 0, "finished_at": False,
                        "dismissed_at": False, "mail_id": False, "late_at": False,
                    }
                )  # fmt: skip
        self._dismiss()
        self.env["crm.automation.firing"]._arm()

    @api.model
    def _seen_elsewhere(self, user, uid, own):
        """Dismiss what the user has seen in another program.

        :param str own: his part of the object, as he has sent it
        """
        stamp = seen_until(own)
        if not stamp:
            return
        try:
            moment = datetime.strptime(stamp, "%Y%m%dT%H%M%SZ")
        except ValueError:
            return
        records = self.env["calendar.event"].sudo().search([("ical_uid", "=", uid)])
        if not records:
            found = self.env["caldav.collection"].sudo()._todos_of(user, [uid])
            records = found[uid][0] if uid in found else records
        rows = self.sudo().search(
            [
                ("res_model", "=", records._name), ("res_id", "in", records.ids),
                ("partner_id", "=", user.partner_id.id), ("kind", "=", "notification"),
                ("dismissed_at", "=", False), ("due_at", "<=", moment),
                ("state", "in", ("pending", "done")),
            ]
        )  # fmt: skip
        if not rows:
            return
        now = self.env.cr.now().replace(microsecond=0)
        pending = rows.filtered(lambda row: row.state == "pending")
        pending._finish("skipped", self.env._("Seen in another program."))
        rows.dismissed_at = now
        user._bus_send(BUS_CLOSE, rows.ids)

    # -- the page -----------------------------------------------------------------

    @api.model
    def _find_by_token(self, token):
        """Whose secret it is (sudo), or nobody's."""
        row = find_by_token(self, token, "_token")
        # Who is not invited any more reads nothing either.
        return row._still_wanted() if row and row._record() else row.browse()

    def _page_values(self):
        """What the page shows."""
        reader = self._readers(self)[self]
        record = self._record().with_env(self.env)
        span = self._spans(self.res_model, [self.res_id]).get(self.res_id)
        return {
            "title": self._title(record),
            "facts": self._facts(record, reader),
            "link": self._link(record),
            "is_open": bool(span) and not span.is_over(self.due_at, fields.Datetime.now()),
            "may_be_late": self._may_be_late(record) and not self.late_at,
            "company": (self._author(record).company_id or self.env.company).sudo(),
            "page": f"/calendar/reminder/{self._token()}",
            "lang": self.env.lang,
        }

    def _page_act(self, do):
        """Do what was chosen on the page.

        :param str do: ``late``, ``dismiss``, ``snooze-5`` or ``snooze-60``
        :return: what was done
        """
        span = self._spans(self.res_model, [self.res_id]).get(self.res_id)
        if span is None or span.is_over(self.due_at, fields.Datetime.now()):
            raise UserError(self.env._("It is over, or does not take place."))
        if do == "late":
            self._say_late(span)
        elif do == "dismiss":
            self._dismiss()
        elif do in [f"snooze-{minutes}" for minutes in SNOOZES]:
            self._put_off_by(int(do.partition("-")[2]))
        else:
            raise UserError(self.env._("Choose what is to be done."))
        return do

    def _say_late(self, span):
        """Tell the organizer, once; if it is himself, everybody who comes."""
        record = self._record()
        if self.res_model != "calendar.event":
            raise UserError(self.env._("Nobody waits for this."))
        if span.is_over(datetime.min, fields.Datetime.now()):
            # Also where the reminder itself came after the end.
            raise UserError(self.env._("It is over, or does not take place."))
        if self.late_at:
            return
        self.late_at = self.env.cr.now().replace(microsecond=0)
        organizer = record.user_id.partner_id
        told = organizer
        if self.partner_id and organizer == self.partner_id:
            guests = record.attendee_ids.filtered(lambda guest: guest.state != "declined")
            told = guests.partner_id - organizer
        if not told:
            return
        partner = self.partner_id
        lang = organizer.lang or self.env.lang
        speaker = self.with_context(lang=lang)
        record.with_context(lang=lang).message_post(
            body=speaker.env._("%(name)s will be late.", name=partner.name or self.address or ""),
            subject=speaker.env._("Late: %(name)s", name=record["name"] or ""),
            author_id=partner.id or False,
            email_from=partner.email_formatted or self.address,
            partner_ids=told.ids,
            message_type="comment",
            subtype_xmlid="mail.mt_note",
        )


class CaldavOverlay(models.Model):
    _inherit = "caldav.overlay"

    @api.model
    def _put(self, user, uid, text):
        is_changed = super()._put(user, uid, text)
        if is_changed and text:
            self.env["calendar.reminder"]._seen_elsewhere(user, uid, text)
        return is_changed
