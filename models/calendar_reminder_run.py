"""What is done with reminders that are due.

Owns the last look at each (moved, cancelled, declined, too late), the notification in the
browser, to-dos, procedures and text messages. All of a batch is one transaction: a row
ends as *done* if and only if its mail is queued or its notification on the bus.
"""

import logging
from collections import defaultdict
from datetime import timedelta

import psycopg2

from odoo import api, fields, models
from odoo.tools import format_datetime, plaintext2html

from .calendar_alarm import FOR_ALL
from .calendar_attendee_page import safe_link

_logger = logging.getLogger(__name__)

#: The type of the message on the bus: reminders to show, and those to show no more.
BUS, BUS_CLOSE = "crm_automation.reminder", "crm_automation.reminder/close"
#: What is later than this was missed, and not merely waiting for its turn.
MISSED = timedelta(minutes=2)


class CalendarReminder(models.Model):
    _inherit = "calendar.reminder"

    def _run(self):
        """Deliver claimed reminders: those of a kind together, else one by one."""
        due = self._preflight()
        for kind, rows in due.grouped("kind").items():
            if kind in FOR_ALL:
                # Code and services of others: each is on its own.
                for row in rows:
                    row._run_alone()
                continue
            try:
                with self.env.cr.savepoint():
                    rows._deliver()
            except psycopg2.extensions.TransactionRollbackError:
                raise
            except Exception as error:  # noqa: BLE001 - told one by one
                if len(rows) == 1:
                    rows._fail_alone(error)
                    continue
                for row in rows:
                    row._run_alone()

    def _run_alone(self):
        try:
            with self.env.cr.savepoint():
                self._deliver()
        except psycopg2.extensions.TransactionRollbackError:
            raise
        except Exception as error:  # noqa: BLE001 - the log says it
            self._fail_alone(error)

    def _fail_alone(self, error):
        _logger.warning("Reminder %s of %s,%s failed", self.id, self.res_model, self.res_id,
                        exc_info=error)  # fmt: skip
        self._put_off(
            self.env._("It could not be done: %(error)s", error=str(error) or type(error).__name__)
        )

    def _deliver(self):
        """Deliver reminders of one kind. Hook for extensions."""
        getattr(self, f"_deliver_{self[0].kind}")()

    # -- the last look ---------------------------------------------------------

    def _preflight(self):
        """End the rows that are not to be delivered, and return the others."""
        now = self.env.cr.now()
        due = self.browse()
        for row, moment in self._moments().items():
            if moment is None:
                row._finish("cancelled", self.env._("It is not to be reminded of any more."))
            elif moment > now and not row.snooze:
                row.write({"due_at": moment, "run_at": moment})
            else:
                due |= row
        due -= due._expire(now)
        return due - due._skip_double(now)

    def _expire(self, now):
        """End those that come too late to be of use; return them."""
        late = self.filtered(lambda row: row.due_at < now - self._lateness())
        spans = {
            model: self._spans(model, rows.mapped("res_id"))
            for model, rows in self.grouped("res_model").items()
        }
        for row in self:
            if spans[row.res_model][row.res_id].is_over(row.due_at, now):
                late |= row
        late._finish("expired", self.env._("It would have come too late."))
        return late

    def _skip_double(self, now):
        """Of several reminders of one thing that were missed, the last one is enough."""
        missed = self.filtered(lambda row: row.due_at < now - MISSED and row.kind not in FOR_ALL)
        double = self.browse()
        groups = missed.grouped(
            lambda row: (row.kind, row.res_model, row.res_id, row.partner_id, row.address)
        )
        for rows in groups.values():
            double |= rows.sorted("due_at")[:-1]
        double._finish("skipped", self.env._("A later reminder of the same was due as well."))
        return double

    # -- notifications ---------------------------------------------------------

    def _deliver_notification(self):
        payloads = defaultdict(list)
        subjects = self._subjects()
        for row, user in self._users():
            payloads[user].append(row._payload(user, subjects[row]))
        for user, payload in payloads.items():
            user._bus_send(BUS, payload)
        self._finish("done")

    def _users(self):
        """Pairs of a row and a user who works in Odoo, of its recipient."""
        for row in self:
            for user in row.partner_id.sudo().user_ids:
                if user.active and not user.share:
                    yield row, user

    def _payload(self, user, record):
        """What a browser shows of it.

        :param record: the meeting or task
        """
        self.ensure_one()
        speaker = self.with_context(lang=user.lang, tz=user.tz or "UTC")
        record = record.with_env(speaker.env(su=True))
        lines = [speaker._when(record, user.tz or "UTC")]
        link = False
        if self.res_model == "calendar.event":
            if record.location:
                lines.append(record.location)
            link = safe_link(record.videocall_location) or False
        elif self.res_model == "project.task" and record.project_id:
            lines.append(record.project_id.display_name)
        if self.alarm_id.body:
            lines.append(self.alarm_id.sudo().body)
        return {
            "id": self.id,
            "title": self._title(record),
            "lines": lines,
            "res_model": self.res_model,
            "res_id": self.res_id,
            "link": link,
        }

    @api.model
    def _when(self, record, tz):
        """When it is in words, in the language of the environment; the zone is named."""
        if record._name == "project.task":
            at = record.planned_date_start or record.date_deadline
            moment = format_datetime(self.env, at, tz=tz, dt_format="EEEE d MMMM y, HH:mm")
            words = f"{moment} ({tz})"
            if record.planned_date_start:
                return self.env._("Begins: %(moment)s", moment=words)
            return self.env._("Due: %(moment)s", moment=words)
        letter = self.env["calendar.invitation.letter"].with_context(tz=tz)
        facts = {"start": record.start, "stop": record.stop, "allday": record.allday}
        when = letter._when(facts, tz)
        return when if record.allday else f"{when} ({tz})"

    # -- to-dos, procedures, text messages -------------------------------------

    def _deliver_activity(self):
        """A to-do for each user: at what the meeting or task is about, else at his own
        contact; of a private meeting at nothing, where he alone reads its name."""
        subjects = self._subjects()
        for row, user in self._users():
            record = place = subjects[row]
            if record._name == "calendar.event":
                is_private = record.effective_privacy == "private"
                place = None if is_private else row._document(record, user) or user.partner_id
            row = row.with_context(lang=user.lang, tz=user.tz or "UTC")
            values = {
                "summary": row.env._("Reminder: %(name)s", name=self._title(record)),
                "note": plaintext2html(row._when(record, user.tz or "UTC")),
                "user_id": user.id,
            }
            row = row.sudo().with_context(mail_activity_quick_update=True)
            if place:
                kind = "mail.mail_activity_data_todo"
                place.with_env(row.env).activity_schedule(kind, **values)
            else:
                row._make_todo(values)
        self._finish("done")

    @api.model
    def _make_todo(self, values):
        """A to-do that is about no record."""
        kind = self.env.ref("mail.mail_activity_data_todo", raise_if_not_found=False)
        kind = kind or self.env["mail.activity"]._default_activity_type()
        self.env["mail.activity"].create(
            {
                **values,
                "activity_type_id": kind.id,
                "date_deadline": fields.Date.context_today(self),
                "automated": True,
            }
        )

    @api.model
    def _document(self, event, user):
        """The record that a meeting is about, if it takes to-dos.

        :param user: who is to have one. Whoever writes a meeting chooses its record freely,
            and whoever has a to-do follows that.
        """
        if not event.res_model or not event.res_id or event.res_model not in self.env:
            return None
        documents = self.env[event.res_model]
        if documents._abstract or not hasattr(documents, "activity_schedule"):
            return None
        document = documents.browse(event.res_id).exists()
        may_read = document and document.with_user(user).has_access("read")
        return document if may_read else None

    def _deliver_procedure(self):
        """Run the server action about the meeting or task, as whoever answers for it."""
        record = self._record()
        user = record.user_id if self.res_model == "calendar.event" else record.user_ids[:1]
        user = user or record.create_uid
        action = self.alarm_id.sudo().server_action_id
        context = {
            "active_model": self.res_model,
            "active_id": self.res_id,
            "active_ids": [self.res_id],
            "lang": user.lang,
            "tz": user.tz,
            "allowed_company_ids": user.company_ids.ids,
        }
        if action.model_name != self.res_model:
            self._finish("skipped", self.env._("The procedure is about another kind of record."))
            return
        # Whoever writes a meeting says freely who answers for it.
        creator = record.create_uid
        if not creator or (creator != user and not creator._is_system()):
            self._finish(
                "skipped",
                self.env._(
                    "It would have run with the rights of %(name)s, who did not create this.",
                    name=user.name or "",
                ),
            )
            return
        action.with_user(user).with_context(**context).run()
        self._finish("done")

    def _deliver_sms(self):
        """By Odoo's own text messages, where they are installed."""
        if not hasattr(self.env["calendar.event"], "_do_sms_reminder"):
            self._finish("skipped", self.env._("Odoo's text messages are not installed."))
            return
        if self.res_model != "calendar.event":
            self._finish("skipped", self.env._("Of tasks there are no text messages."))
            return
        self._record()._do_sms_reminder(self.alarm_id.sudo())
        self._finish("done")
