"""What programs have changed of the records of a configurable calendar, as values of fields."""

from datetime import date, datetime

from odoo.tests import Form, TransactionCase, tagged

from ..ical.parse import parse
from ..ical.text import to_text
from ..models.caldav_record_reader import RecordReader
from ..models.caldav_record_writer import RecordWriter
from .test_caldav_definition import DefinitionData


@tagged("post_install", "-at_install")
class TestReader(DefinitionData, TransactionCase):
    """What a program has changed, as values."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.env["ir.model.fields"].create(
            [
                {
                    "name": f"x_{name}", "field_description": name.title(), "ttype": ttype,
                    "model_id": cls.env["ir.model"]._get_id("crm.lead"),
                }
                for name, ttype in (
                    ("from", "datetime"), ("to", "datetime"), ("first", "date"), ("last", "date"),
                    ("hours", "float"), ("count", "integer"), ("done", "boolean"),
                    ("done_at", "datetime"), ("done_on", "date"), ("note", "text"),
                    ("word", "char"),
                )
            ]
        )  # fmt: skip
        cls.lead = cls.lead.with_env(cls.env)
        cls.lead.write(
            {
                "x_from": datetime(2027, 3, 5, 9), "x_to": datetime(2027, 3, 5, 10),
                "x_first": date(2027, 3, 5), "x_last": date(2027, 3, 7), "x_hours": 1.5,
                "x_count": 40, "x_note": "a\nb", "x_word": "Casks",
            }
        )  # fmt: skip

    def values(self, definition, *pairs, new=False):
        """Values of what a program has made of the lead's item by replacing words."""
        model = definition._model_of(self.seller)
        record = model.browse(self.lead.id)
        served = RecordWriter(definition).item("one", record)
        text = to_text([served], now=self.env.cr.now()).replace("\r\n ", "")
        [served] = parse(text.encode()).items
        for old, replacement in pairs:
            self.assertIn(old, text)
            text = text.replace(old, replacement)
        [sent] = parse(text.encode()).items
        reader = RecordReader(definition, model)
        return reader.values(sent) if new else reader.values(sent, record, served)

    def assert_read(self, definition, *cases):
        """:param cases: pairs of what is replaced, with the values that come of it"""
        self.assertEqual(self.values(definition), {})
        for *pairs, values in cases:
            with self.subTest(pairs):
                self.assertEqual(self.values(definition, *pairs), values)

    def test_times(self):
        both = self.define(("DTSTART", "x_from"), ("DTEND", "x_to"))
        self.assert_read(
            both,
            # Another zone, the same moment.
            (("DTSTART:20270305T090000Z", "DTSTART;TZID=Europe/Madrid:20270305T100000"), {}),
            (("DTSTART:20270305T090000Z", "DTSTART:20270305T093000Z"),
             {"x_from": datetime(2027, 3, 5, 9, 30)}),
            (("DTEND:20270305T100000Z", "DURATION:PT2H"), {"x_to": datetime(2027, 3, 5, 11)}),
            # Floating: where the user is.
            (("DTSTART:20270305T090000Z", "DTSTART:20270305T080000"),
             ("DTEND:20270305T100000Z", "DTEND:20270305T110000"),
             {"x_from": datetime(2027, 3, 5, 7)}),
            # A whole day is one of the user's.
            (("DTSTART:20270305T090000Z", "DTSTART;VALUE=DATE:20270305"),
             ("DTEND:20270305T100000Z", "DTEND;VALUE=DATE:20270306"),
             {"x_from": datetime(2027, 3, 4, 23), "x_to": datetime(2027, 3, 5, 23)}),
        )  # fmt: skip
        self.lead.x_to = False
        self.assert_read(
            both,
            # The record does not say when it ends, and need not.
            (("DTSTART:20270305T090000Z", "DTSTART:20270305T093000Z"),
             {"x_from": datetime(2027, 3, 5, 9, 30)}),
            (("END:VEVENT", "DTEND:20270305T110000Z\r\nEND:VEVENT"),
             {"x_to": datetime(2027, 3, 5, 11)}),
        )  # fmt: skip

    def test_days(self):
        self.assert_read(
            self.define(("DTSTART", "x_first"), ("DTEND", "x_last")),
            (("DATE:20270308", "DATE:20270309"), {"x_last": date(2027, 3, 8)}),
            (("DATE:20270305", "DATE:20270304"), {"x_first": date(2027, 3, 4)}),
            # With times: the day is the user's, and midnight still belongs to the day before.
            (("DTSTART;VALUE=DATE:20270305", "DTSTART:20270305T233000Z"),
             ("DTEND;VALUE=DATE:20270308", "DTEND:20270308T230000Z"),
             {"x_first": date(2027, 3, 6), "x_last": date(2027, 3, 8)}),
        )  # fmt: skip

    def test_hours(self):
        self.assert_read(
            self.define(("DTSTART", "x_from"), ("DURATION", "x_hours")),
            (("DURATION:PT1H30M", "DTEND:20270305T103000Z"), {}),
            (("DURATION:PT1H30M", "DTEND:20270305T101500Z"), {"x_hours": 1.25}),
            (("DURATION:PT1H30M\r\n", ""), {"x_hours": 0.0}),
            (("DTSTART:20270305T090000Z", "DTSTART;VALUE=DATE:20270305"),
             ("DURATION:PT1H30M\r\n", ""),
             {"x_from": datetime(2027, 3, 4, 23), "x_hours": 24.0}),
        )  # fmt: skip
        fixed = self.define(("DTSTART", "x_from"), ("DURATION", None, "1"))
        self.assert_read(fixed, (("DURATION:PT1H", "DURATION:PT2H"), {}))

    def test_to_dos(self):
        todos = self.define(
            ("SUMMARY", "name"), ("DUE", "x_from"), ("STATUS", "x_done", "true=COMPLETED"),
            ("COMPLETED", "x_done_at"), ("PERCENT-COMPLETE", "x_count"), component="VTODO",
        )  # fmt: skip
        done = ("END:VTODO", "STATUS:COMPLETED\r\nCOMPLETED:20270306T080000Z\r\nEND:VTODO")
        self.assert_read(
            todos,
            (("END:VTODO", "STATUS:NEEDS-ACTION\r\nEND:VTODO"), {}),
            (done, {"x_done": True, "x_done_at": datetime(2027, 3, 6, 8)}),
            (("PERCENT-COMPLETE:40", "PERCENT-COMPLETE:60"), {"x_count": 60}),
            # Due on a day: until its end.
            (("DUE:20270305T090000Z", "DUE;VALUE=DATE:20270305"),
             {"x_from": datetime(2027, 3, 5, 22, 59)}),
            (("DUE:20270305T090000Z\r\n", ""), {"x_from": False}),
        )  # fmt: skip
        values = self.values(todos, ("END:VTODO", "STATUS:COMPLETED\r\nEND:VTODO"))
        self.assertEqual(values["x_done_at"], self.env.cr.now().replace(microsecond=0))
        self.lead.write({"x_done": True, "x_done_at": datetime(2027, 3, 6, 8)})
        todos.line_ids.filtered("mapping").mapping = "true=COMPLETED, false=NEEDS-ACTION"
        self.assert_read(
            todos,
            # Opened again, as Thunderbird does it.
            (("STATUS:COMPLETED\r\n", ""), ("COMPLETED:20270306T080000Z\r\n", ""),
             {"x_done": False, "x_done_at": False}),
            (("COMPLETED:20270306T080000Z\r\n", ""), {}),
        )  # fmt: skip
        on = self.define(("DUE", "x_from"), ("COMPLETED", "x_done_on"), component="VTODO")
        self.assertEqual(
            self.values(on, ("END:VTODO", "COMPLETED:20270306T233000Z\r\nEND:VTODO")),
            {"x_done_on": date(2027, 3, 7)},
        )

    def test_words(self):
        start = ("DTSTART", "x_from")
        self.assert_read(
            self.define(start, ("STATUS", "type", "lead=TENTATIVE, opportunity=CONFIRMED")),
            (("STATUS:CONFIRMED", "STATUS:TENTATIVE"), {"type": "lead"}),
            (("STATUS:CONFIRMED", "STATUS:CANCELLED"), {}),
            (("STATUS:CONFIRMED\r\n", ""), {}),
        )  # fmt: skip
        several = self.define(
            start, ("PRIORITY", "priority", "0=9, 1=5, 2=5, 3=1")
        )  # fmt: skip
        self.lead.priority = "2"
        self.assert_read(
            several,
            (("PRIORITY:5", "PRIORITY:9"), {"priority": "0"}),
            (("PRIORITY:5", "PRIORITY:7"), {}),
        )
        self.lead.priority = "0"
        self.assertEqual(
            self.values(several, ("PRIORITY:9", "PRIORITY:5")), {"priority": "1"}
        )  # fmt: skip
        self.lead.priority = "2"
        self.assert_read(
            self.define(start, ("PRIORITY", "priority")),
            (("PRIORITY:3", "PRIORITY:4"), {}),
            (("PRIORITY:3", "PRIORITY:1"), {"priority": "3"}),
            (("PRIORITY:3\r\n", ""), {"priority": "0"}),
        )

    def test_texts(self):
        start = ("DTSTART", "x_from")
        self.assert_read(
            self.define(start, ("SUMMARY", "x_word"), ("DESCRIPTION", "x_note")),
            (("SUMMARY:Casks", "SUMMARY:  Casks "), {}),
            (("SUMMARY:Casks", "SUMMARY:Oak"), {"x_word": "Oak"}),
            (("SUMMARY:Casks\r\n", ""), {"x_word": False}),
            (("DESCRIPTION:a\\nb", "DESCRIPTION:a\\nb\\n"), {}),
            (("DESCRIPTION:a\\nb", "DESCRIPTION:a\\nc"), {"x_note": "a\nc"}),
        )
        # Nothing is no name: that is required.
        self.assertEqual(
            self.values(self.define(start, ("SUMMARY", "name")), ("SUMMARY:Cellar\r\n", "")), {}
        )
        framed = self.define(start, ("SUMMARY", None, "Call"), ("SUMMARY", "name"))
        self.assert_read(
            framed,
            (("SUMMARY:Call: Cellar", "SUMMARY:Call: Cave"), {"name": "Cave"}),
            (("SUMMARY:Call: Cellar", "SUMMARY:Cave"), {"name": "Cave"}),
            (("SUMMARY:Call: Cellar", "SUMMARY:Call"), {}),
        )
        several = self.define(start, ("SUMMARY", "name"), ("SUMMARY", "x_word"))
        self.assert_read(several, (("SUMMARY:Cellar: Casks", "SUMMARY:Cave"), {}))
        html = self.define(start, ("DESCRIPTION", "description"))
        self.lead.description = "<p>Taste <b>first</b></p>"
        values = self.values(html, ("Taste", "<i>Sell"))
        self.assertIn("&lt;i&gt;Sell", values["description"])

    def test_numbers(self):
        start = ("DTSTART", "x_from")
        number = self.define(start, ("LOCATION", "x_hours"))
        self.lead.x_hours = 1234.5
        self.assert_read(
            number,
            (("LOCATION:1.234\\,50", "LOCATION:2.000\\,25"), {"x_hours": 2000.25}),
            (("LOCATION:1.234\\,50", "LOCATION:7"), {"x_hours": 7.0}),
        )
        for text in ("a lot", "1.5.6", "nan", "1" * 400, "12.3"):
            with self.subTest(text), self.assertRaisesRegex(Exception, "Hours"):
                self.values(number, ("LOCATION:1.234\\,50", f"LOCATION:{text}"))
        whole = self.define(start, ("LOCATION", "x_count"))
        self.assert_read(whole, (("LOCATION:40", "LOCATION:41"), {"x_count": 41}))

    def test_names(self):
        """Of what is there: nothing is made."""
        [oak, twice, _again] = self.env["res.partner"].create(
            [{"name": "Oak Brothers"}, {"name": "Twice"}, {"name": "Twice"}]
        )
        named = self.define(("DTSTART", "x_from"), ("LOCATION", "partner_id"))
        self.assertEqual(
            self.values(named, ("LOCATION:Azure & Sons", "LOCATION:Oak Brothers")),
            {"partner_id": oak.id},
        )
        self.assertEqual(
            self.values(named, ("LOCATION:Azure & Sons\r\n", "")), {"partner_id": False}
        )  # fmt: skip
        for text in ("Oak", "Oak Brothers Ltd", "Twice", "%"):
            with self.subTest(text), self.assertRaises(Exception) as caught:
                self.values(named, ("LOCATION:Azure & Sons", f"LOCATION:{text}"))
            self.assertIn(text, str(caught.exception))
        self.assertEqual(twice.search_count([("name", "=", "Twice")]), 2)

    def test_what_nobody_writes(self):
        """Fields that Odoo works out, or fills in itself."""
        self.assertEqual(self.lead.create_uid, self.env.user)
        lines = self.define(
            ("DTSTART", "create_date"), ("SUMMARY", "email_normalized"),
            ("DESCRIPTION", "tag_ids"), ("CATEGORIES", "create_uid"), ("LOCATION", "id"),
        ).line_ids  # fmt: skip
        self.assertEqual(lines.mapped("is_written"), [False] * 5)
        values = self.values(
            lines.definition_id, ("LOCATION:", "LOCATION:9"), ("CATEGORIES:", "CATEGORIES:x")
        )  # fmt: skip
        self.assertEqual(values, {})

    def test_the_form_says_what_is_written(self):
        closings = self.define(
            ("SUMMARY", "name"), ("DTSTART", "date_deadline"), ("DESCRIPTION", "tag_ids"),
            ("STATUS", "active"), ("LOCATION", "city"), ("LOCATION", None, "Galicia"),
        )  # fmt: skip
        self.assertEqual(
            closings.line_ids.mapped("is_written"), [True, True, False, False, True, False]
        )
        closings.line_ids.filtered(
            lambda line: line.property == "STATUS"
        ).mapping = "true=CONFIRMED"
        with Form(closings) as form:
            form.may_change = True
            form.may_delete = True
        self.assertEqual(
            closings.line_ids.mapped("is_written"), [True, True, False, True, True, False]
        )
