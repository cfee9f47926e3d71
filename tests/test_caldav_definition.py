"""Configurable calendars: records of any kind in programs, of those who may read them."""

from datetime import date, datetime, timedelta

from odoo import Command
from odoo.exceptions import AccessError, ValidationError
from odoo.tests import Form, TransactionCase, new_test_user, tagged
from odoo.tools import mute_logger

from .common import AutomationData
from .dav import DavCase, condition, event, found


class DefinitionData(AutomationData):
    """Expected closings: of the opportunities that the user may read."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.definitions = cls.env["caldav.calendar.definition"]
        cls.lead = cls.make_lead(
            name="Cellar", type="opportunity", date_deadline=date(2027, 3, 5),
            partner_id=cls.customer.id,
        )  # fmt: skip
        cls.others = cls.make_lead(
            name="Barrels", type="opportunity", date_deadline=date(2027, 3, 6),
            user_id=cls.other_seller.id,
        )  # fmt: skip
        ids = [cls.lead.id, cls.others.id]
        cls.definition = cls.define(
            ("SUMMARY", "name"), ("DTSTART", "date_deadline"), ("DESCRIPTION", "partner_id"),
            domain=f"[('type', '=', 'opportunity'), ('id', 'in', {ids})]",
        )  # fmt: skip

    @classmethod
    def define(cls, *lines, model="crm.lead", domain="[('type', '=', 'opportunity')]", **values):
        """:param lines: (property, name of a field), or (property, None, words)"""
        model_id = cls.env["ir.model"]._get_id(model)
        commands = []
        for name, field, *more in lines:
            line = {"property": name}
            if field:
                line["field_id"] = cls.env["ir.model.fields"]._get(model, field).id
                line["mapping"] = more[0] if more else False
            else:
                line |= {"source": "constant", "constant": more[0]}
            commands.append(Command.create(line))
        return cls.definitions.create(
            {
                "name": "Closings", "model_id": model_id, "domain": domain, "line_ids": commands,
                **values,
            }
        )  # fmt: skip


@tagged("post_install", "-at_install")
class TestConfigurableCalendar(DefinitionData, DavCase):
    def path(self, user=None, definition=None):
        return f"{self.home(user)}records-{(definition or self.definition).id}/"

    def texts(self, user=None, definition=None):
        """dict from the title of what is there to its lines."""
        path = self.path(user, definition)
        names, _gone, _token = self.sync(path=path, user=user)
        texts = [self.ask("GET", path + name, user=user).text.split("\r\n") for name in names]
        return {
            next(line[8:] for line in lines if line.startswith("SUMMARY:")): lines
            for lines in texts
        }

    def listed(self, user=None):
        return found(self.propfind(self.home(user), "<D:displayname/>", depth="1", user=user))

    def test_each_sees_what_he_may_read(self):
        self.assertEqual(set(self.texts()), {"Cellar"})
        self.assertEqual(set(self.texts(self.other_seller)), {"Barrels"})
        self.assertEqual(set(self.texts(self.manager)), {"Cellar", "Barrels"})

    def test_what_it_says(self):
        lines = self.texts()["Cellar"]
        for line in (
            "BEGIN:VEVENT", "DTSTART;VALUE=DATE:20270305", "DESCRIPTION:Azure & Sons",
            "TRANSP:TRANSPARENT",
        ):  # fmt: skip
            self.assertIn(line, lines)
        self.assertTrue(any(line.startswith("URL:http") for line in lines))
        name = f"records-{self.definition.id}"
        props = found(
            self.propfind(
                self.path(), "<D:displayname/><C:supported-calendar-component-set/>"
                "<D:current-user-privilege-set/>",
            )
        )[name]  # fmt: skip
        self.assertEqual(props["displayname"].text, "Closings")
        self.assertEqual(props["supported-calendar-component-set"][0].get("name"), "VEVENT")
        self.assertNotIn("write", [one[0].tag for one in props["current-user-privilege-set"]])

    def test_it_is_only_read(self):
        path = self.path()
        [name] = self.sync(path=path)[0]
        for answer in (
            self.put(path + name, event()), self.ask("DELETE", path + name),
            self.put(path + "new.ics", event("new")),
            self.ask("MOVE", path + name, Destination=self.agenda() + name),
        ):  # fmt: skip
            self.assertEqual(answer.status_code, 403, answer.text)
            self.assertEqual(condition(answer), "need-privileges")
        self.assertEqual(self.lead.name, "Cellar")

    def test_changes(self):
        path = self.path()
        [name], _gone, token = self.sync(path=path)
        etag = self.ask("GET", path + name).headers["ETag"]
        self.assertEqual(self.sync(token, path)[:2], (set(), set()))
        # Of what is not in the text nobody hears.
        self.lead.description = "x"
        self.assertEqual(self.sync(token, path), (set(), set(), token))
        self.assertEqual(self.ask("GET", path + name).headers["ETag"], etag)
        self.lead.date_deadline = date(2027, 3, 7)
        self.assertEqual(self.sync(token, path)[:2], ({name}, set()))
        got = self.ask("GET", path + name)
        self.assertNotEqual(got.headers["ETag"], etag)
        self.assertIn("DTSTART;VALUE=DATE:20270307", got.text)
        # A record that it points at.
        token = self.sync(path=path)[2]
        self.customer.name = "Azure & Daughters"
        self.assertEqual(self.sync(token, path)[:2], ({name}, set()))
        self.assertIn("Azure & Daughters", self.ask("GET", path + name).text)

    def test_what_leaves(self):
        path = self.path()
        [name], _gone, token = self.sync(path=path)
        for leave, come in (
            ({"type": "lead"}, {"type": "opportunity"}), ({"active": False}, {"active": True}),
            ({"user_id": self.other_seller.id}, {"user_id": self.seller.id}),
            ({"date_deadline": False}, {"date_deadline": date(2027, 3, 9)}),
        ):  # fmt: skip
            with self.subTest(leave):
                self.lead.write(leave)
                changed, gone, token = self.sync(token, path)
                self.assertEqual((changed, gone), (set(), {name}))
                self.assertEqual(self.ask("GET", path + name).status_code, 404)
                self.lead.write(come)
                changed, gone, token = self.sync(token, path)
                self.assertEqual((changed, gone), ({name}, set()))
        self.assertIn("20270309", self.ask("GET", path + name).text)
        self.lead.unlink()
        self.assertEqual(self.sync(token, path)[:2], (set(), {name}))

    def test_what_leaves_by_something_else(self):
        """A domain that asks for another record, and a rule of Odoo's."""
        self.definition.domain = "[('partner_id.city', '=', 'Lugo')]"
        self.customer.city = "Lugo"
        path = self.path()
        [name], _gone, token = self.sync(path=path)
        self.customer.city = "Vigo"
        self.assertEqual(self.sync(token, path)[:2], (set(), {name}))
        self.customer.city = "Lugo"
        token = self.sync(path=path)[2]
        self.seller.group_ids += self.env.ref("sales_team.group_sale_salesman_all_leads")
        self.others.partner_id = self.customer
        self.assertEqual(len(self.sync(token, path)[0]), 1)

    def test_a_definition_that_changes(self):
        path = self.path()
        [name], _gone, token = self.sync(path=path)
        self.ask("GET", path + name)
        self.definition.line_ids = [
            Command.create({"property": "LOCATION", "source": "constant", "constant": "Lugo"})
        ]
        self.assertEqual(self.sync(token, path)[:2], ({name}, set()))
        self.assertIn("LOCATION:Lugo", self.ask("GET", path + name).text)
        token = self.sync(path=path)[2]
        self.definition.domain = "[('name', '=', 'Nothing')]"
        self.assertEqual(self.sync(token, path)[:2], (set(), {name}))
        self.definition.active = False
        self.assertEqual(self.ask("GET", path).status_code, 404)
        self.assertNotIn(f"records-{self.definition.id}", self.listed())
        self.definition.unlink()
        self.assertEqual(self.listed().keys() & {"agenda"}, {"agenda"})

    def test_a_query_of_some_days(self):
        for first, last, names in (("01", "06", 1), ("06", "09", 0)):
            answer = self.query(
                f'<C:time-range start="202703{first}T000000Z" end="202703{last}T000000Z"/>',
                path=self.path(),
            )
            self.assertEqual(len(found(answer)), names)

    def test_for_whom(self):
        group = self.env["res.groups"].create({"name": "Vintners"})
        self.definition.group_ids = group
        name = f"records-{self.definition.id}"
        self.assertNotIn(name, self.listed())
        self.assertEqual(self.ask("GET", self.path()).status_code, 404)
        self.seller.group_ids += group
        self.assertIn(name, self.listed())
        # Who may not read the object at all has no calendar of it.
        clerk = new_test_user(self.env, "clerk", "base.group_user", email="clerk@example.com")
        self.keys[clerk] = self.make_key(clerk)
        self.definition.group_ids = False
        self.assertNotIn(name, self.listed(clerk))
        self.assertEqual(self.ask("GET", self.path(clerk), user=clerk).status_code, 404)

    def test_of_a_portal_user(self):
        self.keys[self.portal] = self.make_key(self.portal)
        self.assertEqual(self.ask("GET", self.path(self.portal), user=self.portal).status_code, 401)
        self.assertFalse(
            self.definitions._of_user(self.portal),
            "Even past the door: he may not read leads",
        )

    def test_a_broken_definition_is_nobodys(self):
        """A column that went with another module: the other calendars are there."""
        field = self.env["ir.model.fields"].create(
            {
                "name": "x_tasting", "field_description": "Tasting", "ttype": "date",
                "model_id": self.env["ir.model"]._get_id("crm.lead"),
            }
        )  # fmt: skip
        broken = self.define(("DTSTART", "x_tasting"))
        self.assertIn(f"records-{broken.id}", self.listed())
        self.env.cr.execute("DELETE FROM caldav_calendar_property WHERE field_id = %s", [field.id])
        self.env.invalidate_all()
        listed = self.listed()
        self.assertNotIn(f"records-{broken.id}", listed)
        self.assertIn(f"records-{self.definition.id}", listed)
        self.assertTrue(list(broken._problems()))
        self.env.cr.execute(
            "UPDATE caldav_calendar_definition SET domain = %s WHERE id = %s",
            ["[('nothing', '=', 1)]", self.definition.id],
        )
        self.env.invalidate_all()
        self.assertNotIn(f"records-{self.definition.id}", self.listed())

    def test_a_model_that_is_uninstalled(self):
        """With its model the definition goes, by the database alone; then its calendars do."""
        model = self.env["ir.model"].create({"name": "Cask", "model": "x_cask"})
        self.env["ir.model.access"].create(
            {"name": "cask", "model_id": model.id, "perm_read": True,
             "group_id": self.env.ref("base.group_user").id}
        )  # fmt: skip
        casks = self.define(("SUMMARY", "x_name"), model="x_cask", domain="[]", component="VTODO")
        self.env["x_cask"].create({"x_name": "Oak"})
        self.assertEqual(set(self.texts(definition=casks)), {"Oak"})
        collections = self.env["caldav.collection"].search([("key", "=", str(casks.id))])
        self.assertTrue(collections)
        with mute_logger("odoo.models.unlink"):
            model.unlink()
        self.assertFalse(casks.exists())
        self.assertIn("agenda", self.listed())
        self.env["caldav.collection"]._forget()
        self.assertFalse(collections.exists())

    def test_to_dos(self):
        todos = self.define(
            ("SUMMARY", None, "Call"), ("SUMMARY", "name"), ("DUE", "date_deadline"),
            ("PRIORITY", "priority"), ("CATEGORIES", "tag_ids"), ("LOCATION", "partner_id"),
            ("ATTENDEE", "user_id"), ("STATUS", "active", "true=IN-PROCESS"),
            ("DESCRIPTION", "phone"), ("DESCRIPTION", "expected_revenue"),
            component="VTODO", alarm_ids=[Command.create(
                {"name": "1 day", "alarm_type": "notification", "duration": 1, "interval": "days"}
            )],
        )  # fmt: skip
        self.customer.write({"street": "Rúa Nova 1", "city": "Lugo"})
        self.lead.write(
            {
                "priority": "3", "tag_ids": [Command.create({"name": "Red"})],
                "expected_revenue": 1234.5,
            }
        )  # fmt: skip
        lines = self.texts(definition=todos)["Call: Cellar"]
        for line in (
            "BEGIN:VTODO", "DUE;VALUE=DATE:20270305", "PRIORITY:1", "CATEGORIES:Red",
            "STATUS:IN-PROCESS", "BEGIN:VALARM",
        ):  # fmt: skip
            self.assertIn(line, lines)
        text = "\n".join(lines).replace("\n ", "")
        self.assertIn("Rúa Nova 1", text)
        self.assertIn("mailto:seller@example.com", text)
        self.assertIn("1.234\\,50", text.replace("\xa0", " "), "In the user's language")

    def test_times(self):
        order = self.env["sale.order"].create(
            {
                "partner_id": self.customer.id, "user_id": self.seller.id,
                "commitment_date": datetime(2027, 3, 5, 9, 30),
            }
        )  # fmt: skip
        orders = self.define(
            ("SUMMARY", "name"), ("DTSTART", "commitment_date"), ("DURATION", None, "1.5"),
            ("STATUS", "state", "draft=TENTATIVE, sale=CONFIRMED"), model="sale.order",
            domain="[('user_id', '=', uid)]", is_busy=True,
        )  # fmt: skip
        lines = self.texts(definition=orders)[order.name]
        for line in ("DTSTART:20270305T093000Z", "DURATION:PT1H30M", "STATUS:TENTATIVE"):
            self.assertIn(line, lines)
        self.assertNotIn("TRANSP:TRANSPARENT", lines)

    def test_a_user_s_own_name_and_color(self):
        body = (
            '<D:propertyupdate xmlns:D="DAV:"><D:set><D:prop><D:displayname>Mine</D:displayname>'
            "</D:prop></D:set></D:propertyupdate>"
        )
        self.assertEqual(self.ask("PROPPATCH", self.path(), body).status_code, 207)
        name = f"records-{self.definition.id}"
        self.assertEqual(self.listed()[name]["displayname"].text, "Mine")
        self.assertEqual(
            self.listed(self.other_seller)[name]["displayname"].text, "Closings"
        )  # fmt: skip
        answer = self.ask("MKCALENDAR", f"{self.home()}records-99999/")
        self.assertGreaterEqual(answer.status_code, 400)


@tagged("post_install", "-at_install")
class TestDefinition(DefinitionData, TransactionCase):
    def assert_refused(self, words, *lines, **values):
        with self.assertRaisesRegex(ValidationError, words):
            self.define(*lines, **values)

    def test_what_is_refused(self):
        start = ("DTSTART", "date_deadline")
        for words, lines in (
            ("begin", [("SUMMARY", "name")]),
            ("cannot come from the field “Tags”", [("DTSTART", "tag_ids")]),
            ("more than once", [start, start]),
            ("Events have no DUE", [start, ("DUE", "date_deadline")]),
            ("must both be dates", [start, ("DTEND", "date_open")]),
            ("whole day", [start, ("DURATION", None, "1")]),
            ("has to come from a field", [("DTSTART", None, "today")]),
            ("is no STATUS", [start, ("STATUS", None, "DONE")]),
            ("is no PRIORITY", [start, ("PRIORITY", None, "high")]),
            ("no value “9”", [start, ("PRIORITY", "priority", "9=1")]),
            ("are people", [start, ("ATTENDEE", "stage_id")]),
            ("whenever it is read", [start, ("LOCATION", "my_activity_date_deadline")]),
        ):  # fmt: skip
            with self.subTest(words):
                self.assert_refused(words, *lines)

    def test_conditions_that_are_refused(self):
        start = ("DTSTART", "date_deadline")
        for domain in (
            "[('nothing', '=', 1)]", "[('name', '=', open('/etc/passwd'))]", "nonsense",
            "[('user_id', '=', env.user.id)]", "[('name', 'like')]", "[" * 300,
            "__import__('os')", "uid", "[('id', '=', (lambda: 1)())]",
        ):  # fmt: skip
            with self.subTest(domain):
                self.assert_refused("conditions cannot be asked", start, domain=domain)
        self.assert_refused(
            "not everybody may read", start, domain="[('partner_id.signup_type', '!=', False)]"
        )
        self.assert_refused(
            "not everybody may read", start,
            domain="[('partner_id', 'any', [('signup_type', '!=', False)])]",
        )  # fmt: skip

    def test_fields_of_some_groups(self):
        self.assert_refused(
            "Not everybody may read", ("SUMMARY", "name"), ("DESCRIPTION", "signup_type"),
            model="res.partner", domain="[]", component="VTODO",
        )  # fmt: skip

    def test_who_may_set_it_up(self):
        for user in (self.manager, self.seller, self.portal):
            mine = self.definition.with_user(user)
            for act in (
                lambda one: one.read(["name"]), lambda one: one.write({"domain": "[]"}),
                lambda one: one.unlink(), lambda one: one.action_preview(),
                lambda one: one.copy(),
            ):  # fmt: skip
                with self.assertRaises(AccessError):
                    act(mine)
            with self.assertRaises(AccessError):
                self.env["caldav.calendar.property"].with_user(user).search([])

    def test_the_form(self):
        with Form(self.definitions) as form:
            form.name = "Orders"
            form.model_id = self.env["ir.model"]._get("sale.order")
        orders = form.record
        self.assertEqual(
            [(line.property, line.field_id.name) for line in orders.line_ids],
            [("SUMMARY", "name"), ("DTSTART", "commitment_date")],
        )
        names = orders.line_ids[1].suitable_ids.mapped("name")
        self.assertIn("validity_date", names)
        self.assertNotIn("amount_total", names)
        self.assertNotIn("expected_date", names, "It is worked out when it is read")

    def test_preview(self):
        today = date.today()
        leads = [
            self.make_lead(
                name=f"In {days} days", type="opportunity",
                date_deadline=today + timedelta(days=days), user_id=self.env.uid,
            )
            for days in (-3, 9, 4, 2, 3, 5, 7)
        ]  # fmt: skip
        self.definition.domain = str([("id", "in", [lead.id for lead in leads])])
        action = self.definition.action_preview()
        body = self.env[action["res_model"]].browse(action["res_id"]).body
        shown = [body.find(f"In {days} days") for days in (2, 3, 4, 5, 7)]
        self.assertEqual(shown, sorted(shown))
        self.assertGreater(shown[0], 0)
        self.assertNotIn("In -3 days", body)
        self.assertNotIn("In 9 days", body)
        self.assertIn("<b>7</b>", body)
        self.env.cr.execute(
            "UPDATE caldav_calendar_definition SET domain = '[(''nothing'', ''='', 1)]'"
            " WHERE id = %s",
            [self.definition.id],
        )
        self.env.invalidate_all()
        action = self.definition.action_preview()
        body = self.env[action["res_model"]].browse(action["res_id"]).body
        self.assertIn("alert-danger", body)
        self.assertIn("nothing", body)

    def test_those_that_are_shipped(self):
        for name in ("closings", "calls", "quotations", "deliveries"):
            definition = self.env.ref(f"crm_automation.caldav_calendar_{name}")
            self.assertFalse(definition.active)
            definition.active = True
            self.assertIn(definition, self.definitions._of_user(self.seller))
