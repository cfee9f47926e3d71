"""Files that programs put with meetings (RFC 8607): attachments of Odoo, of who takes part."""

import re

from odoo.exceptions import AccessError
from odoo.tests import tagged

from .dav import DavCase, condition, event


@tagged("post_install", "-at_install")
class TestAttachments(DavCase):
    def setUp(self):
        super().setUp()
        self.one = self.agenda() + "one.ics"
        self.put(self.one, event())
        self.meeting = self.meetings("one")

    def add(self, body="octets", more="action=attachment-add", user=None, path=None, **headers):
        headers.setdefault("Content_Type", "application/pdf")
        headers.setdefault("Content_Disposition", 'attachment; filename="Menu.pdf"')
        return self.ask("POST", f"{path or self.one}?{more}", body, user, **headers)

    def text(self, user=None):
        path = f"{self.agenda(user)}one.ics"
        return self.ask("GET", path, user=user).content.decode().replace("\r\n ", "")

    def files(self):
        return self.env["ir.attachment"].search(
            [("res_model", "=", "calendar.event"), ("res_id", "in", self.meetings("one").ids)]
        )

    def path(self):
        return re.search(r"/caldav/attachments/[^\r]*", self.text())[0]

    def test_a_file_is_an_attachment_of_the_meeting(self):
        answer = self.add()
        self.assertEqual(answer.status_code, 201, answer.text)
        [file] = self.files()
        self.assertEqual((file.name, file.raw), ("Menu.pdf", b"octets"))
        self.assertEqual(file.create_uid, self.seller)
        self.assertIn("FMTTYPE=application/pdf", self.text())
        got = self.ask("GET", self.path())
        self.assertEqual(got.content, b"octets")
        self.assertEqual(got.headers["X-Content-Type-Options"], "nosniff")
        self.assertIn("attachment", got.headers["Content-Disposition"])
        # It stays when the meeting is changed, in Odoo and by a program.
        self.meeting.name = "Dinner"
        self.assertIn("MANAGED-ID", self.text())
        text = self.ask("GET", self.one).text.replace("Dinner", "Supper")
        self.assertEqual(self.put(self.one, text).status_code, 204)
        self.assertEqual(self.files(), file)

    def test_update_remove_and_left_out(self):
        managed_id = self.add().headers["Cal-Managed-ID"]
        answer = self.add("others", f"action=attachment-update&managed-id={managed_id}")
        self.assertEqual(answer.status_code, 204, answer.text)
        self.assertEqual(self.files().raw, b"others")
        managed_id = answer.headers["Cal-Managed-ID"]
        answer = self.add("", f"action=attachment-remove&managed-id={managed_id}")
        self.assertEqual(answer.status_code, 204, answer.text)
        self.assertFalse(self.files())
        own = self.env["ir.attachment"].create(
            {"name": "In Odoo", "raw": b"x", "res_model": "calendar.event",
             "res_id": self.meeting.id}
        )  # fmt: skip
        self.add()
        path = self.path()
        self.assertEqual(self.put(self.one, event()).status_code, 204)
        self.assertEqual(self.files(), own, "What was added in Odoo no program takes away")
        self.assertEqual(self.ask("GET", path).status_code, 404)

    def test_who_reads_it(self):
        self.meeting.partner_ids += self.other_seller.partner_id
        self.assertEqual(self.add().status_code, 201)
        path = self.path()
        self.assertEqual(self.ask("GET", path, user=self.other_seller).content, b"octets")
        self.assertEqual(self.ask("GET", path, user=self.manager).status_code, 404)
        self.assertEqual(self.ask("GET", path, auth=False).status_code, 401)
        self.meeting.partner_ids -= self.other_seller.partner_id
        self.assertEqual(self.ask("GET", path, user=self.other_seller).status_code, 404)
        for odd in ("0", "99999999", "x", "-1", "1" * 30, "%C2%B2"):
            answer = self.ask("GET", f"/caldav/attachments/{odd}/x")
            self.assertEqual(answer.status_code, 404, odd)

    def test_whoever_knows_the_uid(self):
        """Of a meeting that he was invited to once, or that he has found out."""
        self.assertEqual(self.add().status_code, 201)
        path = self.path()
        other = self.agenda(self.other_seller) + "mine.ics"
        self.assertEqual(self.put(other, event(), self.other_seller).status_code, 201)
        self.assertEqual(len(self.meetings("one").user_id), 2)
        self.assertEqual(self.ask("GET", path, user=self.other_seller).status_code, 404)
        self.assertEqual(self.ask("GET", path).content, b"octets")

    def test_who_comes_to_one_of_a_series(self):
        path = self.agenda() + "weekly.ics"
        self.put(path, event(
            "weekly", "DTSTART:20270301T100000Z", "DTEND:20270301T110000Z", "SUMMARY:Weekly",
            "RRULE:FREQ=WEEKLY;COUNT=3",
        ))  # fmt: skip
        self.assertEqual(self.add(path=path).status_code, 201)
        self.meetings("weekly")[1].partner_ids += self.other_seller.partner_id
        text = self.ask("GET", path).text.replace("\r\n ", "")
        file = re.search(r"/caldav/attachments/[^\r]*", text)[0]
        self.assertEqual(self.ask("GET", file, user=self.other_seller).content, b"octets")
        self.assertEqual(self.ask("GET", file, user=self.manager).status_code, 404)

    def test_files_of_private_meetings_in_odoo(self):
        self.assertEqual(self.add().status_code, 201)
        file = self.files()
        search = [("res_model", "=", "calendar.event"), ("res_id", "in", self.meeting.ids)]
        self.meeting.partner_ids += self.manager.partner_id

        def seen_by(user):
            files = file.with_user(user)
            files.env.invalidate_all()
            found = {
                bool(files.search(search)), bool(files.search([("id", "=", file.id)])),
                bool(files.search_read(search, ["raw"])), files.has_access("read"),
            }  # fmt: skip
            self.assertEqual(len(found), 1, found)
            return found.pop()

        self.assertTrue(seen_by(self.other_seller), "Every colleague sees the meeting")
        for hide in (
            lambda: self.meeting.write({"privacy": "private"}),
            lambda: self.meeting.write({"privacy": False}),
        ):
            hide()
            self.seller.with_user(self.seller).calendar_default_privacy = "private"
            self.assertFalse(seen_by(self.other_seller))
            with self.assertRaises(AccessError):
                file.with_user(self.other_seller).read(["raw"])
            for user in (self.seller, self.manager):
                self.assertTrue(seen_by(user))
        self.meeting.privacy = "public"
        self.assertTrue(seen_by(self.other_seller))

    def test_who_takes_part_adds_none(self):
        self.meeting.partner_ids += self.other_seller.partner_id
        answer = self.add(user=self.other_seller, path=self.agenda(self.other_seller) + "one.ics")
        self.assertEqual(answer.status_code, 403, answer.text)
        self.assertEqual(condition(answer), "need-privileges")
        self.assertFalse(self.files())

    def test_a_page_is_no_page_of_ours(self):
        answer = self.add(
            "<html><script>alert(1)</script></html>", Content_Type="text/html",
            Content_Disposition='attachment; filename="x.html"',
        )  # fmt: skip
        self.assertEqual(answer.status_code, 201, answer.text)
        got = self.ask("GET", self.path())
        self.assertIn("attachment", got.headers["Content-Disposition"])
        self.assertIn("sandbox", got.headers["Content-Security-Policy"])
        self.assertNotIn("html", self.files().mimetype)

    def test_a_large_file(self):
        octets = b"x" * (5 * 2**20)
        answer = self.add(octets, Content_Type="application/x-www-form-urlencoded")
        self.assertEqual(answer.status_code, 201, answer.text)
        self.assertEqual(self.files().file_size, len(octets))
        answer = self.add(b"x" * (10 * 2**20 + 1))
        self.assertEqual(answer.status_code, 413)
        self.assertEqual(len(self.files()), 1)

    def test_a_series(self):
        path = self.agenda() + "weekly.ics"
        self.put(path, event(
            "weekly", "DTSTART:20270301T100000Z", "DTEND:20270301T110000Z", "SUMMARY:Weekly",
            "RRULE:FREQ=WEEKLY;COUNT=3",
        ))  # fmt: skip
        answer = self.add(path=path)
        self.assertEqual(answer.status_code, 201, answer.text)
        meetings = self.meetings("weekly")
        self.assertEqual(len(meetings), 3)
        file = self.env["ir.attachment"].search(
            [("res_model", "=", "calendar.event"), ("res_id", "in", meetings.ids)]
        )
        self.assertEqual(file.raw, b"octets")
        self.assertIn("MANAGED-ID", self.ask("GET", path).text)

    def test_a_meeting_of_odoo(self):
        made = self.env["calendar.event"].with_user(self.seller).create(
            {"name": "Odoo's", "start": "2027-03-02 10:00:00", "stop": "2027-03-02 11:00:00"}
        )  # fmt: skip
        names, _gone, _token = self.sync()
        [name] = names - {"one.ics"}
        answer = self.add(path=self.agenda() + name)
        self.assertEqual(answer.status_code, 201, answer.text)
        self.assertIn("MANAGED-ID", self.ask("GET", self.agenda() + name).text)
        self.assertEqual(made.name, "Odoo's")
