"""What a reminder is: its rules, its words, to and from VALARM, and who may set up which."""

from datetime import datetime

from odoo.exceptions import AccessError, ValidationError
from odoo.fields import Command
from odoo.tests import Form, tagged

from ..ical.alarms import to_meaning
from ..ical.parse import parse
from ..ical.text import to_text
from ..models.caldav_todo import TodoWriter
from ..models.ical_incoming import Options
from ..models.ical_meeting import utc
from .common import HOUR, MINUTE, EveryObjectCase
from .reminder import START, ReminderCase


@tagged("post_install", "-at_install")
class TestReminderAlarm(ReminderCase):
    def read_back(self, event):
        """The reminders that the meeting's text gives, as meanings."""
        [item] = [one for one in parse(event._ical_text().encode()).items if one.NAME == "VEVENT"]
        return {to_meaning(alarm) for alarm in item.alarms}

    def test_there_and_back(self):
        alarms = (
            self.alarm(0), self.alarm(90), self.alarm(2, "weeks"),
            self.alarm(10, trigger_occurs="after"),
            self.alarm(10, trigger_related="end"),
            self.alarm(1, "hours", trigger_occurs="after", trigger_related="end"),
            self.alarm(5, repeat=3, repeat_minutes=7),
            self.alarm(0, trigger_at=datetime(2027, 6, 14, 7)),
        )  # fmt: skip
        for allday in (False, True):
            event = self.meet(*alarms, allday=allday)
            wanted = {alarm._meaning(allday) for alarm in alarms}
            self.assertEqual(self.read_back(event), wanted)
            for meaning in wanted:
                copy = self.Alarm.create(
                    {"name": "Copy", **self.Alarm._values_of(meaning, allday)}
                )  # fmt: skip
                self.assertEqual(copy._meaning(allday), meaning)

    def test_every_offset_of_whole_days(self):
        alarms = self.Alarm
        for minutes in (-2881, -2880, -1441, -1440, -900, -15, 0, 540, 1439, 1440, 2000):
            alarm = self.alarm(1)
            meaning = alarm._meaning().__class__("notification", minutes)
            made = alarms.create({"name": "Made", **alarms._values_of(meaning, True)})
            self.assertEqual(made._meaning(True), meaning)

    def test_a_program_that_sends_it_back_changes_nothing(self):
        """Types that others do not have are known again by their UID."""
        procedure = self.env["ir.actions.server"].create(
            {"name": "Note", "model_id": self.env["ir.model"]._get_id("calendar.event"),
             "state": "code", "code": "pass"}
        )  # fmt: skip
        alarms = (
            self.alarm(15), self.alarm(2, "hours", kind="email"), self.alarm(5, kind="activity"),
            self.alarm(3, kind="procedure", server_action_id=procedure.id),
        )  # fmt: skip
        for partners in (None, self.other_partner):
            meeting = self.meet(*alarms, partners=partners)
            text = meeting._ical_text()
            self.assertEqual(text.count("BEGIN:VALARM"), 4)
            events = self.env["calendar.event"].with_user(self.seller)
            options = Options(force=True)
            outcomes = events._ical_compare(text.encode(), self.seller, options)
            events._ical_upsert(outcomes, self.seller, options)
            self.assertEqual(set(meeting.alarm_ids), set(alarms))

    def test_others_name_only_what_reaches_themselves(self):
        """The UID of a reminder of Odoo's in a file from anywhere."""
        mail, todo = self.alarm(15, kind="email"), self.alarm(10, kind="activity")
        text = self.meet(mail, todo, partners=self.other_partner)._ical_text()
        self.assertIn(f"odoo-alarm-{mail.id}", text)
        uid = next(line for line in text.splitlines() if line.startswith("UID:")
                   and "odoo-alarm" not in line)  # fmt: skip
        text = text.replace(uid, "UID:elsewhere")
        options = Options(force=True)
        events = self.env["calendar.event"].with_user(self.seller)
        events._ical_upsert(
            events._ical_compare(text.encode(), self.seller, options), self.seller, options
        )
        made = events.search([("ical_uid", "=", "elsewhere")])
        self.assertEqual(set(made.alarm_ids.mapped("alarm_type")), {"notification", "activity"})

    def test_a_file_goes_with_the_mail_alarm(self):
        alarm = self.alarm(15, kind="email", attachment=b"aGk=", attachment_name="hi.txt")
        text = self.meet(alarm, partners=self.other_partner)._ical_text().replace("\r\n ", "")
        self.assertIn("ENCODING=BASE64", text)
        self.assertIn("FILENAME=hi.txt", text)
        self.assertIn("aGk=", text)

    def test_of_openerp_s_twelve_none_twice(self):
        shipped = self.Alarm.search([("alarm_type", "=", "notification")])
        minutes = shipped.filtered(lambda one: one.get_external_id()[one.id]).mapped(
            "duration_minutes"
        )
        self.assertEqual(len(minutes), len(set(minutes)))
        twelve = {1, 5, 10, 15, 30, 45, 60, 120, 180, 240, 300, 1080}
        self.assertLessEqual(twelve, set(minutes))

    def test_numbers_that_mean_nothing(self):
        for values in (
            {"duration": -1}, {"repeat": -1}, {"repeat": 1000}, {"repeat": 1, "repeat_minutes": 0},
            {"allday_hour": 24}, {"alarm_type": "procedure"},
            {"alarm_type": "email", "repeat": 6}, {"duration": 2_000_000_000},
            {"duration": 2_000_000, "interval": "hours"},
            {"repeat": 100, "repeat_minutes": 200_000}, {"trigger_at": datetime(9999, 12, 31)},
        ):  # fmt: skip
            with self.assertRaises(ValidationError):
                self.alarm(15).write(values)

    def test_its_name_says_what_it_is(self):
        with Form(self.Alarm) as form:
            form.alarm_type = "notification"
            form.duration = 10
            form.interval = "minutes"
            form.trigger_occurs = "after"
            self.assertEqual(form.name, "Notification - 10 Minutes after the start")
            form.trigger_related = "end"
        self.assertIn("after the end", form.record.name)

    def test_who_sets_up_procedures(self):
        code = self.env["ir.actions.server"].create(
            {"name": "Note", "model_id": self.env["ir.model"]._get_id("calendar.event"),
             "state": "code", "code": "record.message_post(body='by ' + env.user.name)"}
        )  # fmt: skip
        alarm = self.alarm(15, kind="procedure", server_action_id=code.id)
        for user in (self.seller, self.manager):
            mine = self.Alarm.with_user(user)
            for call in (
                lambda mine=mine: mine.create(
                    {"name": "X", "alarm_type": "procedure", "duration": 1, "interval": "hours"}
                ),
                lambda mine=mine: (
                    self.alarm(15).with_user(mine.env.user).write({"server_action_id": code.id})
                ),
                lambda mine=mine: alarm.with_env(mine.env).write({"duration": 1}),
                lambda mine=mine: alarm.with_env(mine.env).unlink(),
            ):
                with self.assertRaises(AccessError):
                    call()
            self.assertNotIn("server_action_id", alarm.with_user(user).fields_get())
        # Anybody may choose it for his meeting; it runs once, as whoever organizes that.
        meeting = self.meet(alarm, partners=self.other_partner)
        self.remind(START - 15 * MINUTE)
        said = meeting.message_ids.filtered(lambda one: "by " in (one.body or ""))
        self.assertEqual(said.mapped("body"), ["<p>by Sergio Seller</p>"])
        self.assertEqual(len(self.rows(meeting)), 1)

    def note(self, model="calendar.event"):
        return self.env["ir.actions.server"].create(
            {"name": "Note", "model_id": self.env["ir.model"]._get_id(model),
             "state": "code", "code": "record.message_post(body='by ' + env.user.name)"}
        )  # fmt: skip

    def test_no_procedure_by_default_values(self):
        for name, value in (("alarm_type", "procedure"), ("server_action_id", self.note().id)):
            self.env["ir.default"].set("calendar.alarm", name, value, user_id=self.seller.id)
        for values in ({}, {"alarm_type": "notification"}):
            with self.assertRaises(AccessError):
                self.Alarm.with_user(self.seller).create({"name": "X", "duration": 1, **values})

    def test_a_procedure_lends_nobody_s_rights(self):
        alarm = self.alarm(15, kind="procedure", server_action_id=self.note().id)
        theirs = self.meet(alarm, partners=self.other_partner)
        theirs.with_user(self.seller).user_id = self.other_seller
        admins = self.env["calendar.event"].create(
            {"name": "Set up", "start": START, "stop": START + HOUR, "alarm_ids": alarm.ids,
             "user_id": self.other_seller.id}
        )  # fmt: skip
        self.end_transaction()
        self.remind(START - 15 * MINUTE)
        self.assertEqual(self.rows(theirs).state, "skipped")
        self.assertIn("Olga", self.rows(theirs).reason)
        self.assertFalse(theirs.message_ids.filtered(lambda one: "by " in (one.body or "")))
        self.assertEqual(self.rows(admins).state, "done")

    def test_a_procedure_that_fails(self):
        code = self.env["ir.actions.server"].create(
            {"name": "Fail", "model_id": self.env["ir.model"]._get_id("calendar.event"),
             "state": "code", "code": "raise UserError('no way')"}
        )  # fmt: skip
        meeting = self.meet(self.alarm(15, kind="procedure", server_action_id=code.id))
        whole = self.meet(self.alarm(15))
        with self.assertLogs("odoo.addons.crm_automation.models.calendar_reminder_run"):
            self.assertEqual(len(self.remind(START - 15 * MINUTE)), 1)
        self.assertIn("no way", self.rows(meeting).reason)
        self.assertEqual(self.rows(whole).state, "done")

    def test_text_messages_where_they_are_not_installed(self):
        """Of Odoo's own text messages, see its calendar_sms."""
        if "sms" in dict(self.Alarm._fields["alarm_type"]._description_selection(self.env)):
            self.skipTest("calendar_sms is installed")
        meeting = self.meet(self.alarm(15))
        row = self.Reminder.create(
            {"kind": "notification", "res_model": meeting._name, "res_id": meeting.id,
             "base_at": START, "due_at": START, "run_at": START}
        )  # fmt: skip
        row._deliver_sms()
        self.assertEqual(row.state, "skipped")


@tagged("post_install", "-at_install")
class TestReminderTask(ReminderCase, EveryObjectCase):
    def task(self, *alarms, **values):
        task = self.env["project.task"].create(
            {"name": "Bottle", "project_id": self.project.id, "user_ids": self.seller.ids,
             "alarm_ids": [Command.set([one.id for one in alarms])], **values}
        )  # fmt: skip
        self.end_transaction()
        return task

    def test_before_the_deadline_and_at_the_planned_start(self):
        task = self.task(
            self.alarm(1, "hours"), self.alarm(30, trigger_related="end"),
            date_deadline=START + 5 * HOUR, planned_date_start=START + HOUR,
        )  # fmt: skip
        [(user, shown)] = self.remind(START)
        self.assertEqual((user, shown["title"], shown["res_id"]), (self.seller, "Bottle", task.id))
        self.assertIn("Vintage", shown["lines"])
        self.assertEqual(len(self.remind(START + 4.5 * HOUR)), 1)
        self.assertFalse(self.remind(START + 5 * HOUR))

    def test_with_only_a_deadline_and_by_mail(self):
        task = self.task(self.alarm(1, "hours", kind="email"), date_deadline=START + HOUR)
        self.remind(START)
        mail = self.mails(task)
        self.assertIn("martes 15 junio 2027, 14:00 (Europe/Madrid)", mail.body_html)
        self.assertIn("Bottle", mail.subject)
        self.assertNotIn("?do=late", mail.body_html)
        self.assertIn("?do=snooze-5", mail.body_html)

    def test_done_moved_or_given_to_somebody_else(self):
        alarm = self.alarm(1, "hours")
        done, moved, given = (self.task(alarm, date_deadline=START + HOUR) for _ in range(3))
        self.remind(START - 10 * MINUTE)
        done.state = "1_done"
        moved.date_deadline = START + 3 * HOUR
        given.user_ids = self.other_seller
        [(user, shown)] = self.remind(START)
        self.assertEqual((user, shown["res_id"]), (self.other_seller, given.id))
        self.assertEqual(self.rows(moved).mapped("state"), ["cancelled"])
        self.assertEqual(len(self.remind(START + 2 * HOUR)), 1)

    def test_what_was_missed_is_told_of_tasks_even_after_their_deadline(self):
        self.task(self.alarm(1, "hours"), date_deadline=START + HOUR)
        self.assertEqual(len(self.remind(START + 4 * HOUR)), 1)

    def test_in_the_to_dos_of_other_programs(self):
        due, begins = self.alarm(1, "hours"), self.alarm(10, trigger_related="end")
        only_due = self.task(due, begins, date_deadline=START)
        planned = self.task(due, begins, date_deadline=START + HOUR, planned_date_start=START)
        writer = TodoWriter(self.seller)
        for task, related in ((only_due, {"END"}), (planned, {"START", "END"})):
            item = writer.item("x", task)
            self.assertEqual({alarm.related for alarm in item.alarms}, related)
            [read] = parse(to_text([item]).encode()).items
            self.assertEqual({to_meaning(one) for one in read.alarms},
                             {to_meaning(one) for one in item.alarms})  # fmt: skip
        self.assertIsNone(writer.item("x", only_due).start)
        self.assertEqual(utc(START), writer.item("x", planned).start)

    def test_on_the_screen(self):
        task = self.task(date_deadline=START)
        with Form(task.with_user(self.manager)) as form:
            form.alarm_ids.add(self.alarm(15))
        self.assertEqual(len(task.alarm_ids), 1)
