"""Who may write what into configurable calendars, and what is refused whoever sends it."""

from datetime import date
from unittest.mock import patch

from odoo.tests import tagged
from odoo.tools import mute_logger

from .dav import D, event, xml
from .test_caldav_definition_write import WRITE, WritingCase


@tagged("post_install", "-at_install")
class TestWritingRights(WritingCase):
    def setUp(self):
        super().setUp()
        self.closings.domain = "[('type', '=', 'opportunity')]"

    def assert_untouched(self):
        self.assertRecordValues(
            self.lead,
            [{"name": "Cellar", "user_id": self.seller.id, "active": True}],
        )

    def test_the_record_of_somebody_else(self):
        name = self.name_of(self.lead)
        text = self.ask("GET", self.path(name)).text.replace("Cellar", "Stolen")
        other = self.other_seller
        for path in (self.path(name), self.path(name, other)):
            self.assertEqual(self.ask("GET", path, user=other).status_code, 404)
            self.assertEqual(self.ask("DELETE", path, user=other).status_code, 404)
        self.assertEqual(self.put(self.path(name), text, other).status_code, 404)
        # In his own calendar, with a UID that he has guessed.
        for target in (name, "mine.ics"):
            answer = self.put(self.path(target, other), text, other)
            self.assert_refused(answer, "no-uid-conflict")
        # Nor is it brought back, where it is archived.
        self.lead.active = False
        answer = self.put(self.path("mine.ics", other), text, other)
        self.assert_refused(answer, "no-uid-conflict")
        self.lead.active = True
        self.assert_untouched()
        self.assertFalse(self.closings_named("Stolen"))

    def test_a_uid_that_somebody_else_has_used(self):
        text = event("new@phone", "SUMMARY:Mine", "DTSTART;VALUE=DATE:20270401")
        self.assertEqual(self.put(self.path("n.ics"), text).status_code, 201)
        other = self.other_seller
        for title in ("Mine", "Stolen"):
            answer = self.put(self.path("n.ics", other), text.replace("Mine", title), other)
            self.assert_refused(answer, "no-uid-conflict")
        self.assertEqual(self.closings_named("Mine").user_id, self.seller)
        self.assertFalse(self.closings_named("Stolen"))

    def test_read_but_not_written(self):
        """By a rule of Odoo's."""
        path = self.path(self.name_of(self.lead))
        self.env["ir.rule"].create(
            {
                "name": "Cellars stay", "model_id": self.env["ir.model"]._get_id("crm.lead"),
                "domain_force": "[('name', '!=', 'Cellar')]", "perm_read": False,
            }
        )  # fmt: skip
        with mute_logger("odoo.addons.base.models.ir_rule"):
            for answer in (
                self.changed(path, ("SUMMARY:Cellar", "SUMMARY:Cave")),
                self.ask("DELETE", path),
            ):  # fmt: skip
                self.assert_refused(answer, "need-privileges")
                self.assertTrue(xml(answer).findtext(f"{D}responsedescription"))
        self.assert_untouched()

    def test_without_the_right_of_the_object(self):
        self.env.ref("crm.access_crm_lead").write({"perm_write": False, "perm_create": False})
        self.assertEqual(self.privileges(), set())
        self.assertEqual(self.privileges(self.manager), WRITE)
        path = self.path(self.name_of(self.lead))
        for answer in (
            self.changed(path, ("Cellar", "Cave")), self.ask("DELETE", path),
            self.put(self.path("n.ics"), event("n")),
        ):  # fmt: skip
            self.assert_refused(answer, "need-privileges")
        self.assert_untouched()

    def test_a_field_that_he_may_not_write(self):
        path = self.path(self.name_of(self.lead))
        lead_class = self.env.registry["crm.lead"]
        real = lead_class._has_field_access

        def has_field_access(model, field, operation):
            is_closed = operation == "write" and field.name == "name"
            return not is_closed and real(model, field, operation)

        with patch.object(lead_class, "_has_field_access", has_field_access):
            answer = self.changed(path, ("Cellar", "Cave"), ("20270305", "20270306"))
        self.assertEqual(answer.status_code, 204, answer.text)
        self.assertRecordValues(
            self.lead, [{"name": "Cellar", "date_deadline": date(2027, 3, 6)}]
        )  # fmt: skip

    def test_what_the_database_refuses(self):
        nameless = self.define(
            ("SUMMARY", "city"), ("DTSTART", "date_deadline"), may_create=True
        )  # fmt: skip
        with mute_logger("odoo.sql_db"):
            answer = self.put(
                self.path("n.ics", self.manager, nameless),
                event("n", "SUMMARY:Lugo", "DTSTART;VALUE=DATE:20270401"), self.manager,
            )  # fmt: skip
        self.assert_refused(answer, sentence="Missing required value")
        self.assertFalse(self.env["crm.lead"].search([("city", "=", "Lugo")]))

    def test_hostile_words(self):
        """A yes or a no, and never a failure; what looks like HTML is text."""
        path = self.path(self.name_of(self.lead))
        for line in (
            "SUMMARY:" + "x" * 100_000, "DTSTART;VALUE=DATE:00010101", "PRIORITY:99",
            "DTSTART:99991231T235959Z", "SUMMARY:", "DTSTART;TZID=Nowhere/At All:20270305T000000",
            "DESCRIPTION:<script>alert(1)</script>", "PRIORITY:-1",
        ):  # fmt: skip
            with self.subTest(line[:60]):
                text = event(self.uid_of(path), "DTSTART;VALUE=DATE:20270305", line)
                if line.startswith("DTSTART"):
                    text = text.replace("DTSTART;VALUE=DATE:20270305\r\n", "")
                self.assertIn(self.put(path, text).status_code, (204, 403))
        self.assertTrue(self.lead.name)
        self.assertNotIn("<script", str(self.lead.description))

    def uid_of(self, path):
        lines = self.ask("GET", path).text.replace("\r\n ", "").split("\r\n")
        return next(line[4:] for line in lines if line.startswith("UID:"))
