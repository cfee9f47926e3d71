"""Configurable calendars that programs write into: with what is ticked, by the user's rights."""

from datetime import date, datetime

from odoo import Command
from odoo.tests import tagged

from .dav import D, DavCase, condition, event, found, xml
from .test_caldav_definition import DefinitionData

WRITE = {"write-content", "bind", "unbind"}
ALL = {"may_change": True, "may_create": True, "may_delete": True}


def unfolded(answer):
    return answer.text.replace("\r\n ", "")


class WritingCase(DefinitionData, DavCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.lead.description = "<p>Taste <b>first</b></p>"
        cls.closings = cls.define(
            ("SUMMARY", "name"), ("DTSTART", "date_deadline"), ("DESCRIPTION", "description"),
            ("LOCATION", "city"), ("PRIORITY", "priority"), ("ATTENDEE", "user_id"),
            domain="[('type', '=', 'opportunity'), ('user_id', '=', uid)]", **ALL,
        )  # fmt: skip

    def path(self, name="", user=None, definition=None):
        return f"{self.home(user)}records-{(definition or self.closings).id}/{name}"

    def name_of(self, record, user=None, definition=None):
        """The last part of the address of a record's object."""
        names, _gone, _token = self.sync(path=self.path("", user, definition), user=user)
        number = f"-{record.id}@"
        return next(name for name in names if number in name)

    def changed(self, path, *pairs, user=None, **headers):
        """PUT what is there, with some of its words replaced."""
        got = self.ask("GET", path, user=user)
        text = unfolded(got)
        for old, new in pairs:
            self.assertIn(old, text)
            text = text.replace(old, new)
        headers.setdefault("If_Match", got.headers["ETag"])
        return self.put(path, text, user, **headers)

    def privileges(self, user=None, definition=None):
        path = self.path("", user, definition)
        answer = self.propfind(path, "<D:current-user-privilege-set/>", user=user)
        [props] = found(answer).values()
        names = {one[0].tag.rpartition("}")[2] for one in props["current-user-privilege-set"]}
        return names & WRITE

    def closings_named(self, name):
        return self.env["crm.lead"].with_context(active_test=False).search([("name", "=", name)])

    def assert_refused(self, answer, word=None, sentence=None, status=403):
        self.assertEqual(answer.status_code, status, answer.text)
        if word:
            self.assertEqual(condition(answer), word)
        if sentence:
            self.assertIn(sentence, answer.text)


@tagged("post_install", "-at_install")
class TestWriting(WritingCase):
    def test_a_change(self):
        path = self.path(self.name_of(self.lead))
        etag = self.ask("GET", path).headers["ETag"]
        token = self.sync(path=self.path())[2]
        answer = self.changed(
            path, ("SUMMARY:Cellar", "SUMMARY:Cave"), ("20270305", "20270309"),
            ("END:VEVENT", "LOCATION:Lugo\r\nX-MINE:1\r\nPRIORITY:1\r\nEND:VEVENT"),
        )  # fmt: skip
        self.assertEqual(answer.status_code, 204, answer.text)
        self.assertNotIn("ETag", answer.headers, "It is not served as it was sent")
        self.assertRecordValues(
            self.lead,
            [{"name": "Cave", "date_deadline": date(2027, 3, 9), "city": "Lugo", "priority": "3"}],
        )
        self.assertEqual(str(self.lead.description), "<p>Taste <b>first</b></p>")
        self.assertEqual(self.lead.write_uid, self.seller)
        text = self.ask("GET", path).text
        self.assertIn("SUMMARY:Cave", text)
        self.assertNotIn("X-MINE", text)
        self.assertEqual(len(self.sync(token, self.path())[0]), 1)
        # Whoever has not heard of it does not write over it.
        again = self.changed(path, ("SUMMARY:Cave", "SUMMARY:Hole"), If_Match=etag)
        self.assertEqual(again.status_code, 412)

    def test_what_is_the_same_stays(self):
        """As a program sends it back: with another order, zone, stamps and end."""
        path = self.path(self.name_of(self.lead))
        before = self.lead.read(["name", "description", "date_deadline", "write_date"])
        answer = self.changed(
            path, ("DTSTART;VALUE=DATE:20270305\r\n", ""),
            ("END:VEVENT", "DTSTART;VALUE=DATE:20270305\r\nDTEND;VALUE=DATE:20270306\r\n"
             "SEQUENCE:4\r\nEND:VEVENT"),
        )  # fmt: skip
        self.assertEqual(answer.status_code, 204, answer.text)
        self.assertEqual(
            self.lead.read(["name", "description", "date_deadline", "write_date"]), before
        )

    def test_what_cannot_be_written_is_read_again(self):
        path = self.path(self.name_of(self.lead))
        got = self.ask("GET", path)
        token = self.sync(path=self.path())[2]
        answer = self.changed(
            path, ("mailto:seller@example.com", "mailto:other@example.com"),
            ("END:VEVENT", "STATUS:CANCELLED\r\nCATEGORIES:Red\r\nEND:VEVENT"),
        )  # fmt: skip
        self.assertEqual(answer.status_code, 204, answer.text)
        self.assertEqual(self.lead.user_id, self.seller)
        there = self.ask("GET", path)
        self.assertEqual(there.text, got.text)
        # The program hears that there is something else than it has sent.
        self.assertNotEqual(there.headers["ETag"], got.headers["ETag"])
        self.assertEqual(len(self.sync(token, self.path())[0]), 1)

    def test_it_leaves_the_calendar(self):
        """To another salesperson, which every salesperson may do in Odoo."""
        mine = self.define(
            ("SUMMARY", "name"), ("DTSTART", "date_deadline"), ("CATEGORIES", "user_id"),
            domain="[('user_id', '=', uid)]", may_change=True,
        )  # fmt: skip
        path = self.path(self.name_of(self.lead, definition=mine), definition=mine)
        answer = self.changed(path, ("CATEGORIES:Sergio Seller", "CATEGORIES:Olga Other"))
        self.assertEqual(answer.status_code, 204, answer.text)
        self.assertEqual(self.lead.user_id, self.other_seller)
        self.assertEqual(self.ask("GET", path).status_code, 404)

    def test_what_repeats_is_refused(self):
        path = self.path(self.name_of(self.lead))
        for line in ("RRULE:FREQ=DAILY;COUNT=3", "RDATE;VALUE=DATE:20270401",
                     "RECURRENCE-ID;VALUE=DATE:20270305"):  # fmt: skip
            with self.subTest(line):
                answer = self.changed(
                    path, ("SUMMARY:Cellar", f"SUMMARY:Cave\r\n{line}")
                )  # fmt: skip
                self.assert_refused(answer, "max-instances")
                self.assertTrue(xml(answer).findtext(f"{D}responsedescription"))
                self.assertEqual(self.lead.name, "Cellar")
        answer = self.put(
            self.path("new.ics"),
            event("new", "DTSTART:20270301T100000Z", "RRULE:FREQ=DAILY", "SUMMARY:Again"),
        )
        self.assert_refused(answer, "max-instances")
        props = found(
            self.propfind(self.path(), "<C:max-instances/>")
        )[f"records-{self.closings.id}"]  # fmt: skip
        self.assertEqual(props["max-instances"].text, "1")
        self.assertNotIn(
            "max-instances", found(self.propfind(self.agenda(), "<C:max-instances/>"))["agenda"]
        )

    def test_each_tick_is_one_right(self):
        name = self.name_of(self.lead)
        self.closings.write({tick: False for tick in ALL})
        for tick, right in (
            ("may_change", "write-content"), ("may_create", "bind"), ("may_delete", "unbind"),
        ):  # fmt: skip
            with self.subTest(tick):
                self.assertEqual(self.privileges(), set())
                self.closings[tick] = True
                self.assertEqual(self.privileges(), {right})
                allowed = {
                    "write-content": self.changed(self.path(name), ("Cellar", "Cave")),
                    "bind": self.put(self.path("n.ics"), self.new()),
                    "unbind": self.ask("DELETE", self.path(name)),
                }  # fmt: skip
                for one, answer in allowed.items():
                    if one == right:
                        self.assertIn(answer.status_code, (201, 204), answer.text)
                    else:
                        self.assert_refused(answer, "need-privileges")
                self.closings[tick] = False
                self.lead.write({"name": "Cellar", "active": True})
                self.closings_named("Barrel sale").unlink()

    def new(self, uid="new@phone", *lines):
        lines = lines or ("SUMMARY:Barrel sale", "DTSTART;VALUE=DATE:20270401")
        return event(uid, *lines)

    def test_a_new_record(self):
        answer = self.put(self.path("new.ics"), self.new(), If_None_Match="*")
        self.assertEqual(answer.status_code, 201, answer.text)
        self.assertNotIn("ETag", answer.headers)
        lead = self.closings_named("Barrel sale")
        self.assertRecordValues(
            lead,
            [{"type": "opportunity", "user_id": self.seller.id, "create_uid": self.seller.id,
              "date_deadline": date(2027, 4, 1)}],
        )  # fmt: skip
        # It has the name and the UID by which the program looks for it.
        got = self.ask("GET", self.path("new.ics"))
        self.assertIn("UID:new@phone", got.text)
        self.assertIn("new.ics", self.sync(path=self.path())[0])
        self.assertEqual(
            self.changed(self.path("new.ics"), ("Barrel sale", "Small casks")).status_code, 204
        )
        self.assertEqual(lead.name, "Small casks")
        self.assert_refused(self.put(self.path("other.ics"), self.new()), "no-uid-conflict")
        # In the calendar of whoever else sees it, it has that UID as well.
        self.closings.domain = "[('type', '=', 'opportunity'), ('name', '=', 'Small casks')]"
        names = self.sync(path=self.path("", self.manager), user=self.manager)[0]
        texts = [self.ask("GET", self.path(n, self.manager), user=self.manager) for n in names]
        self.assertEqual(["UID:new@phone" in one.text for one in texts], [True])

    def test_a_new_one_that_would_lie_elsewhere(self):
        """What the conditions ask for and no equality says, nobody can fill in."""
        for domain in ("[('user_id', '=', uid), ('city', 'ilike', 'lugo')]",
                       "['|', ('city', '=', 'Lugo'), ('city', '=', 'Vigo')]",
                       "[('stage_id.name', '=', 'Nowhere')]"):  # fmt: skip
            with self.subTest(domain):
                self.closings.domain = domain
                answer = self.put(self.path("new.ics"), self.new())
                self.assert_refused(answer, sentence="Closings")
                self.assertFalse(self.closings_named("Barrel sale"))
        answer = self.put(
            self.path("new.ics"),
            self.new("new", "SUMMARY:Barrel sale", "DTSTART;VALUE=DATE:20270401", "LOCATION:Lugo"),
        )
        self.assert_refused(answer)
        self.closings.domain = "[('city', '=', 'Lugo')]"
        self.assertEqual(self.put(self.path("new.ics"), self.new()).status_code, 201)
        self.assertEqual(self.closings_named("Barrel sale").city, "Lugo")

    def test_deleted_is_archived_and_undone(self):
        path = self.path(self.name_of(self.lead))
        text = self.ask("GET", path).text
        self.assertEqual(self.ask("DELETE", path).status_code, 204)
        self.assertFalse(self.lead.active)
        self.assertEqual(self.ask("GET", path).status_code, 404)
        self.assertEqual(self.ask("DELETE", path).status_code, 404)
        answer = self.put(path, text.replace("Cellar", "Cave"))
        self.assertEqual(answer.status_code, 201, answer.text)
        self.assertRecordValues(self.lead, [{"active": True, "name": "Cave"}])
        self.assertIn("SUMMARY:Cave", self.ask("GET", path).text)

    def test_undone_where_nothing_may_be_changed(self):
        path = self.path(self.name_of(self.lead))
        text = self.ask("GET", path).text
        self.closings.may_change = False
        self.assertEqual(self.ask("DELETE", path).status_code, 204)
        self.assert_refused(self.put(path, text.replace("Cellar", "Cave")), "no-uid-conflict")
        self.assertRecordValues(self.lead, [{"active": False, "name": "Cellar"}])

    def test_where_archived_records_are_shown(self):
        self.closings.domain = "[('active', 'in', [True, False]), ('user_id', '=', uid)]"
        path = self.path(self.name_of(self.lead))
        self.assert_refused(self.ask("DELETE", path))
        self.assertTrue(self.lead.active)

    def test_what_odoo_has_no_archive_of(self):
        order = self.env["sale.order"].create(
            {"partner_id": self.customer.id, "user_id": self.seller.id,
             "commitment_date": datetime(2027, 3, 5, 9, 30)}
        )  # fmt: skip
        orders = self.define(
            ("SUMMARY", "name"), ("DTSTART", "commitment_date"), model="sale.order",
            domain=f"[('id', '=', {order.id})]", **ALL,
        )  # fmt: skip
        # A salesperson may delete none in Odoo.
        self.assertEqual(self.privileges(definition=orders), WRITE - {"unbind"})
        self.assertEqual(self.privileges(self.manager, orders), WRITE)
        path = self.path(self.name_of(order, definition=orders), self.manager, orders)
        order.state = "sale"
        answer = self.ask("DELETE", path, user=self.manager)
        self.assert_refused(answer, sentence="You can not delete")
        self.assertTrue(order.exists())
        order.state = "draft"
        self.assertEqual(self.ask("DELETE", path, user=self.manager).status_code, 204)
        self.assertFalse(order.exists())

    def test_made_again(self):
        """What was deleted in Odoo has taken its UID with it; Odoo's own UIDs nobody takes."""
        for _time in (1, 2):
            self.assertEqual(self.put(self.path("n.ics"), self.new()).status_code, 201)
            self.closings_named("Barrel sale").unlink()
        name = self.name_of(self.lead)
        for old, new in ((f"-{self.lead.id}@", "-99999@"), ("records-", "records-9")):
            uid = name.removesuffix(".ics").replace(old, new)
            self.assert_refused(self.put(self.path("n.ics"), self.new(uid)), "no-uid-conflict")
        self.assertEqual(
            self.put(self.path("n.ics"), self.new("odoo-records-1-1@elsewhere")).status_code, 201
        )

    def test_moved(self):
        name = self.name_of(self.lead)
        self.assert_refused(
            self.ask("MOVE", self.path(name), Destination=self.agenda() + name),
            sentence="stay where they are",
        )
        self.put(self.agenda() + "one.ics", event())
        self.assert_refused(
            self.ask("MOVE", self.agenda() + "one.ics", Destination=self.path("one.ics")),
            sentence="stay where they are",
        )
        self.assertEqual(
            self.ask("MOVE", self.path(name), Destination=self.path("b.ics")).status_code, 201
        )
        self.assertEqual(self.changed(self.path("b.ics"), ("Cellar", "Cave")).status_code, 204)
        self.assertEqual(self.lead.name, "Cave")

    def test_a_meeting_of_the_same_uid(self):
        """As programs carry a meeting over: put there, then deleted here."""
        self.put(self.agenda() + "one.ics", event())
        self.assertEqual(self.put(self.path("one.ics"), event()).status_code, 201)
        self.assertEqual(self.ask("DELETE", self.agenda() + "one.ics").status_code, 204)
        self.assertTrue(self.closings_named("Tasting").active)
        self.assertIn("SUMMARY:Tasting", self.ask("GET", self.path("one.ics")).text)

    def test_who_is_only_invited_moves_it(self):
        """A record is no meeting of its organizer: whoever may write it may move it."""
        mine = self.define(
            ("SUMMARY", "name"), ("DTSTART", "date_deadline"), ("ORGANIZER", "create_uid"),
            ("ATTENDEE", "user_id"), domain="[('user_id', '=', uid)]", may_change=True,
        )  # fmt: skip
        self.env.cr.execute(
            "UPDATE crm_lead SET create_uid = %s WHERE id = %s", [self.manager.id, self.lead.id]
        )
        self.env.invalidate_all()
        path = self.path(self.name_of(self.lead, definition=mine), definition=mine)
        self.assertIn("ORGANIZER", self.ask("GET", path).text)
        answer = self.changed(path, ("DATE:20270305", "DATE:20270306"))
        self.assertEqual(answer.status_code, 204, answer.text)
        self.assertEqual(self.lead.date_deadline, date(2027, 3, 6))

    def test_a_definition_of_another_object(self):
        """UIDs belong to records: those of another object are none."""
        self.put(self.path("new.ics"), self.new())
        uids = self.env["caldav.record.uid"].search([("uid", "=", "new@phone")])
        self.assertTrue(uids)
        self.closings.model_id = self.closings.model_id
        self.assertTrue(uids.exists())
        self.closings.write(
            {
                "model_id": self.env["ir.model"]._get_id("sale.order"), "domain": "[]",
                "line_ids": [Command.clear(), Command.create({
                    "property": "DTSTART",
                    "field_id": self.env["ir.model.fields"]._get("sale.order", "date_order").id,
                })],
            }
        )  # fmt: skip
        self.assertFalse(uids.exists())

    def test_uids_of_what_is_gone_are_forgotten(self):
        self.put(self.path("new.ics"), self.new())
        uids = self.env["caldav.record.uid"].search([("uid", "=", "new@phone")])
        self.env["caldav.collection"]._forget()
        self.assertTrue(uids.exists())
        self.closings_named("Barrel sale").unlink()
        self.env["caldav.collection"]._forget()
        self.assertFalse(uids.exists())
