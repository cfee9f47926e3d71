"""The screen of the import: files, preview, writing, undoing; and whose business it is."""

import io
import zipfile
from datetime import timedelta
from unittest.mock import patch

from odoo.exceptions import AccessError, UserError
from odoo.tests import freeze_time, tagged

from ..models import calendar_import_work
from .test_ical_import import NOW, ImportCase, calendar, event


class ScreenCase(ImportCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.env.ref("project.group_project_user").user_ids += cls.seller

    def attachment(self, data, name="mine.ics", user=None):
        return self.env["ir.attachment"].with_user(user or self.seller).create(
            {"name": name, "raw": data, "res_model": "calendar.import"}
        )  # fmt: skip

    def make_import(self, *files, user=None, **values):
        user = user or self.seller
        attachments = [self.attachment(data, user=user).id for data in files]
        return self.env["calendar.import"].with_user(user).create(
            {"file_ids": [(6, 0, attachments)], **values}
        )  # fmt: skip

    def meetings(self, user=None):
        return self.env["calendar.event"].search([("user_id", "=", (user or self.seller).id)])

    def run_job(self):
        with patch.object(
            type(self.env["ir.cron"]), "_commit_progress", lambda *_args, **_options: 99
        ):
            self.env["calendar.import"]._run_waiting()

    def counts(self, one):
        one.invalidate_recordset()
        return (
            one.new_count, one.changed_count, one.cancelled_count, one.unchanged_count,
            one.refused_count,
        )  # fmt: skip


@tagged("post_install", "-at_install")
@freeze_time(NOW)
class TestImportScreen(ScreenCase):
    def test_preview_import_undo(self):
        existing = self.take(calendar(event("old@x", LOCATION="Cellar")))[0].record
        self.end_transaction()
        one = self.make_import(
            calendar(
                event("new@x"),
                event("series@x", RRULE="FREQ=DAILY;COUNT=3"),
                event("old@x", SUMMARY="Lunch", LOCATION="Bar", SEQUENCE="1"),
                event("zero@x", DTSTAMP="yesterday"),
                ["UID:bad@x", "SUMMARY:Never"],
            )
        )
        one.action_preview()
        self.assertEqual(one.state, "preview")
        self.assertEqual(self.counts(one), (3, 1, 0, 0, 1))
        self.assertEqual(self.meetings(), existing)
        changed = one.line_ids.filtered(lambda line: line.kind == "changed")
        self.assertIn("Location: Cellar → Bar", changed.changes)
        bad = one.line_ids.filtered(lambda line: line.kind == "error")
        self.assertEqual((bad.summary, bad.line), ("Never", 35))
        self.assertIn("does not say when it begins", bad.reason)
        warned = one.line_ids.filtered(lambda line: line.uid == "zero@x")
        self.assertIn("Line 30", warned.repairs)

        one.action_import()
        self.assertEqual(one.state, "done")
        self.assertEqual(existing.name, "Lunch")
        self.assertEqual(len(self.meetings()), 6)
        action = one.action_meetings()
        self.assertEqual(self.env["calendar.event"].search(action["domain"]), self.meetings())
        opened = one.line_ids[0].action_open()
        self.assertEqual(opened["res_model"], "calendar.event")

        # The same once more changes nothing.
        again = self.make_import(calendar(event("new@x")))
        again.action_preview()
        self.assertEqual(self.counts(again), (0, 0, 0, 1, 0))
        self.assertEqual((again.line_ids.summary, bool(again.line_ids.when)), ("Tasting", True))

        one.action_undo()
        self.assertEqual(one.state, "undone")
        self.assertEqual(self.meetings(), existing)
        self.assertEqual((existing.name, existing.location), ("Tasting", "Cellar"))
        self.assertFalse(self.env["calendar.recurrence"].search([("ical_uid", "=", "series@x")]))
        self.assertEqual(
            self.kinds(calendar(event("old@x", SUMMARY="Lunch", LOCATION="Bar", SEQUENCE="1"))),
            ["changed"],
        )

    def test_what_was_changed_since_is_left_alone(self):
        one = self.make_import(calendar(event("one@x"), event("two@x")))
        one.action_preview()
        one.action_import()
        first, second = self.meetings().sorted("ical_uid")
        with self.at(NOW + timedelta(hours=1)):
            first.with_user(self.seller).name = "Prepared"
            self.env.flush_all()
        one.action_undo()
        self.assertEqual(self.meetings(), first)
        self.assertFalse(second.exists())
        self.assertEqual(one.left_count, 1)

    def test_series_changed_and_undone(self):
        series = self.take(calendar(event(RRULE="FREQ=DAILY;COUNT=3")))[0].record
        before = self.text(series.calendar_event_ids)
        one = self.make_import(
            calendar(event(RRULE="FREQ=WEEKLY;COUNT=5", SUMMARY="Weekly", SEQUENCE="1"))
        )
        one.action_preview()
        one.action_import()
        self.assertEqual(len(self.meetings()), 5)
        one.action_undo()
        self.assertEqual(len(self.meetings()), 3)
        self.assertEqual(self.text(series.calendar_event_ids), before)

    def test_large_ones_are_left_to_the_job(self):
        with (
            patch.object(calendar_import_work, "AT_ONCE", 5),
            patch.object(calendar_import_work, "BATCH", 4),
        ):
            one = self.make_import(calendar(*[event(f"{n}@x") for n in range(10)]))
            one.action_preview()
            job = self.env.ref("crm_automation.ir_cron_import")
            triggers = [("cron_id", "=", job.id)]
            before = self.env["ir.cron.trigger"].search_count(triggers)
            one.action_import()
            self.assertEqual(self.env["ir.cron.trigger"].search_count(triggers), before + 1)
            self.assertEqual((one.state, len(self.meetings())), ("running", 0))
            with self.assertRaises(UserError):
                one.unlink()
            # Stopped after the first batch, and gone on with.
            one.action_stop()
            self.run_job()
            one.invalidate_recordset()
            self.assertEqual((one.state, len(self.meetings())), ("stopped", 4))
            self.assertEqual((one.done_count, one.total_count), (4, 10))
            one.action_import()
            self.run_job()
            one.invalidate_recordset()
            self.assertEqual((one.state, len(self.meetings())), ("done", 10))
            self.assertEqual(set(one.line_ids.mapped("result")), {"written"})
            one.action_undo()
            self.assertEqual(one.state, "undoing")
            self.run_job()
            one.invalidate_recordset()
            self.assertEqual((one.state, len(self.meetings())), ("undone", 0))

    def test_a_failure_of_the_job_is_told(self):
        with patch.object(calendar_import_work, "AT_ONCE", 0):
            one = self.make_import(calendar(event()))
            one.action_preview()
            one.action_import()
        with (
            patch.object(
                type(self.env["calendar.event"]),
                "_ical_compare",
                side_effect=UserError("No more room."),
            ),
            patch.object(self.env.cr, "rollback", lambda: None),
        ):
            self.run_job()
        one.invalidate_recordset()
        self.assertEqual((one.state, one.problem), ("failed", "No more room."))

    def test_archives_and_what_is_none(self):
        stream = io.BytesIO()
        with zipfile.ZipFile(stream, "w") as archive:
            archive.writestr("a.ics", calendar(event("a@x")))
            archive.writestr("b.ics", calendar(event("b@x")))
        one = self.make_import(stream.getvalue(), calendar(event("c@x")), b"no calendar")
        one.action_preview()
        self.assertEqual(self.counts(one), (3, 0, 0, 0, 1))
        self.assertEqual(set(one.line_ids.mapped("file_name")), {"a.ics", "b.ics", "mine.ics"})
        stream = io.BytesIO()
        with zipfile.ZipFile(stream, "w") as archive:
            archive.writestr("more.zip", b"PK")
        with self.assertRaisesRegex(UserError, "Unpack it first"):
            self.make_import(stream.getvalue()).action_preview()
        with self.assertRaisesRegex(UserError, "at least one"):
            self.make_import().action_preview()

    def test_from_an_address(self):
        data = calendar(event())

        def fetch(model, url, **_options):
            self.assertEqual(url, "https://calendar.example.com/secret/my.ics")
            return type("Fetched", (), {"content": data})()

        one = self.make_import(origin="url", url="https://calendar.example.com/secret/my.ics")
        with patch.object(type(self.env["ical.fetch"]), "_fetch", fetch):
            one.action_preview()
        self.assertEqual(one.name, "calendar.example.com")
        # What was previewed is imported, whatever the address says now.
        with patch.object(type(self.env["ical.fetch"]), "_fetch", side_effect=AssertionError):
            one.action_import()
        self.assertEqual(len(self.meetings()), 1)

    def test_text_of_files_stays_text(self):
        evil = "<img src=x onerror=alert(1)>"
        self.take(calendar(event(SUMMARY="Before")))
        one = self.make_import(
            calendar(event(SUMMARY=evil, DESCRIPTION=evil, SEQUENCE="1",
                           **{"X-ALT-DESC;FMTTYPE=text/html": "<script>alert(1)</script>"}))
        )  # fmt: skip
        one.action_preview()
        self.assertIn(evil, one.line_ids.changes)
        one.action_import()
        meeting = self.meetings()
        self.assertEqual(meeting.name, evil)
        self.assertEqual(meeting.description, "<p>&lt;img src=x onerror=alert(1)&gt;</p>")

    def test_a_file_that_was_changed_after_its_preview(self):
        one = self.make_import(calendar(event("a@x")))
        one.action_preview()
        one.file_ids = self.attachment(calendar(event("b@x")))
        self.assertEqual(one.state, "draft")
        self.assertFalse(one.line_ids)
        with self.assertRaises(UserError):
            one.action_import()


@tagged("post_install", "-at_install")
@freeze_time(NOW)
class TestImportScreenRights(ScreenCase):
    def test_ones_own(self):
        one = self.make_import(calendar(event()))
        one.action_preview()
        for user in (self.other_seller, self.manager):
            found = self.env["calendar.import"].with_user(user).search([("id", "=", one.id)])
            self.assertFalse(found)
            lines = self.env["calendar.import.line"].with_user(user)
            self.assertFalse(lines.search([("import_id", "=", one.id)]))
            with self.assertRaises(AccessError):
                one.with_user(user).action_import()
        with self.assertRaises(AccessError):
            self.env["calendar.import"].with_user(self.portal).search([])
        with self.assertRaises(AccessError):
            one.line_ids.write({"res_id": 1})
        with self.assertRaises(AccessError):
            one.line_ids.read(["before"])

    def test_nobody_imports_as_somebody_else(self):
        one = self.make_import(calendar(event()))
        for values in ({"user_id": self.manager.id}, {"state": "running"}):
            with self.assertRaises(AccessError):
                one.write(values)
            with self.assertRaises(AccessError):
                self.make_import(calendar(event()), **values)
        forged = self.env["calendar.import"].with_user(self.seller).with_context(
            default_user_id=self.manager.id, default_state="running"
        ).create({})  # fmt: skip
        self.assertEqual((forged.user_id, forged.state), (self.seller, "draft"))

    def test_into_whose_calendar(self):
        one = self.make_import(calendar(event()), owner_id=self.other_seller.id)
        with self.assertRaises(AccessError):
            one.action_preview()
        other = self.make_import(
            calendar(event()), user=self.manager, owner_id=self.other_seller.id
        )
        other.action_preview()
        other.action_import()
        self.assertEqual(len(self.meetings(self.other_seller)), 1)

    def test_attachments_of_others(self):
        partner = self.env["res.partner"].create({"name": "Hidden"})
        secret = self.env["ir.attachment"].create(
            {"name": "hers.ics", "raw": calendar(event(SUMMARY="Hers")),
             "res_model": "res.partner", "res_id": partner.id}
        )  # fmt: skip
        own = self.attachment(calendar(event()), user=self.other_seller)
        for attachment in (own,):
            with self.assertRaises(AccessError):
                one = self.make_import(file_ids=[(6, 0, attachment.ids)])
                one.action_preview()
        self.assertTrue(secret)


@tagged("post_install", "-at_install")
@freeze_time(NOW)
class TestImportTodo(ScreenCase):
    TODO = (
        "BEGIN:VTODO", "UID:todo@x", "DTSTAMP:20270101T000000Z", "SUMMARY:Call Azure",
        "DESCRIPTION:About the <wine>", "DUE;TZID=Europe/Madrid:20270305T170000", "PRIORITY:1",
        "CATEGORIES:Calls", "X-FOO:bar",
    )  # fmt: skip

    def test_tasks(self):
        data = calendar(self.TODO)
        self.assertEqual(self.kinds(data, todo_as="none"), ["refused"])
        task = self.take(data)[0].record
        self.assertEqual(task._name, "project.task")
        self.assertEqual(
            (task.name, task.user_ids, task.priority), ("Call Azure", self.seller, "3")
        )
        self.assertEqual(str(task.date_deadline), "2027-03-05 16:00:00")
        self.assertEqual(task.description, "<p>About the &lt;wine&gt;</p>")
        self.assertEqual(task.tag_ids.name, "Calls")
        self.assertFalse(task.project_id)
        self.assertEqual(self.kinds(data), ["unchanged"])
        # Said again by another program: the same.
        other = calendar((*self.TODO, "X-NEW:1"))
        self.assertEqual(self.kinds(other), ["unchanged"])
        done = calendar((*self.TODO, "STATUS:COMPLETED", "SEQUENCE:1"))
        [outcome] = self.compare(done)
        self.assertEqual((outcome.kind, outcome.changes[0][0]), ("changed", "State"))
        self.take(done)
        self.assertEqual(task.state, "1_done")
        task.unlink()
        self.assertEqual(self.kinds(done), ["new"])

    def test_an_edited_task_is_not_overwritten(self):
        task = self.take(calendar(self.TODO))[0].record
        with self.at(NOW + timedelta(hours=1)):
            task.with_user(self.seller).name = "Call today"
            self.env.flush_all()
        other = calendar((*self.TODO[:3], "SUMMARY:Call", *self.TODO[4:]))
        self.assertEqual(self.kinds(other), ["older"])

    def test_activities(self):
        data = calendar(self.TODO)
        one = self.make_import(data, todo_as="activity")
        one.action_preview()
        one.action_import()
        activity = self.env["mail.activity"].search([("summary", "=", "Call Azure")])
        self.assertEqual(activity.user_id, self.seller)
        self.assertEqual(activity.res_id, self.seller.partner_id.id)
        self.assertEqual(str(activity.date_deadline), "2027-03-05")
        self.assertEqual(self.kinds(data, todo_as="activity"), ["unchanged"])
        one.action_undo()
        self.assertFalse(activity.exists())

    def test_a_project_that_is_closed_to_the_owner(self):
        project = self.env["project.project"].create(
            {"name": "Secret", "privacy_visibility": "followers"}
        )
        with self.assertRaises(AccessError):
            self.take(calendar(self.TODO), project=project)
        project.privacy_visibility = "employees"
        task = self.take(calendar(self.TODO), project=project)[0].record
        self.assertEqual(task.project_id, project)

    def test_who_may_not_have_tasks(self):
        self.env["ir.model.access"].search([("model_id.model", "=", "project.task")]).write(
            {"perm_create": False}
        )
        [outcome] = self.compare(calendar(self.TODO))
        self.assertEqual((outcome.kind, outcome.reason), ("refused", "todo_rights"))
