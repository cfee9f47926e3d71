"""What a meeting says as iCalendar, and to whom."""

from datetime import datetime, timedelta
from random import Random
from unittest.mock import patch

import icalendar
import vobject
from markupsafe import Markup

from odoo.exceptions import AccessError
from odoo.tests import TransactionCase, freeze_time, tagged
from odoo.tools import html2plaintext, is_html_empty

from ..ical.parse import parse
from ..models import ical_html
from ..models.ical_html import as_saved, html_of, plain_text
from .test_ical_event import NOW, IcalCase
from .test_meeting import SECRET


@tagged("post_install", "-at_install")
@freeze_time(NOW)
class TestContent(IcalCase):
    """What a meeting says."""

    def test_all_of_a_meeting(self):
        self.customer.is_company = True
        alarms = self.env["calendar.alarm"].create(
            [
                {"name": "Soon", "alarm_type": "notification", "duration": 15,
                 "interval": "minutes"},
                {"name": "Mail", "alarm_type": "email", "duration": 1, "interval": "days"},
            ]
        )  # fmt: skip
        tag = self.env["calendar.event.type"].create({"name": "Wine, red"})
        meeting = self.make_meeting(
            start=datetime(2027, 7, 1, 8), location="Cellar; left", show_as="free",
            privacy="confidential", videocall_location="https://meet.example.com/x",
            alarm_ids=[(6, 0, alarms.ids)], categ_ids=[(6, 0, tag.ids)],
            description="<p>One<br/>Two &amp; three</p>",
        )  # fmt: skip
        self.answer_of(meeting, self.customer).state = "tentative"
        text = self.text(meeting)
        event = icalendar.Calendar.from_ical(text).walk("VEVENT")[0]
        self.assertEqual(event["SUMMARY"], "Tasting")
        self.assertEqual(event["LOCATION"], "Cellar; left")
        self.assertTrue(event["DESCRIPTION"].startswith("One\nTwo & three"))
        self.assertEqual(event["CLASS"], "CONFIDENTIAL")
        self.assertEqual(event["TRANSP"], "TRANSPARENT")
        self.assertEqual(event["URL"], "https://meet.example.com/x")
        self.assertEqual(event["CATEGORIES"].cats, ["Wine, red"])
        self.assertIn("CONFERENCE;", text)
        self.assertEqual(event["ORGANIZER"], "mailto:seller@example.com")
        self.assertEqual(event["DTSTART"].dt.replace(tzinfo=None), datetime(2027, 7, 1, 10))
        self.assertIn("BEGIN:VTIMEZONE\r\nTZID:Europe/Madrid", text)
        for name in ("DTSTAMP", "CREATED", "LAST-MODIFIED"):
            self.assertEqual(event[name].dt.utcoffset(), timedelta(0))
        guests = {str(one): one.params for one in event["ATTENDEE"]}
        azure = guests["mailto:azure@example.com"]
        self.assertEqual(
            (azure["ROLE"], azure["PARTSTAT"], azure["RSVP"], azure["CUTYPE"]),
            ("REQ-PARTICIPANT", "TENTATIVE", "TRUE", "GROUP"),
        )
        self.assertEqual(guests["mailto:seller@example.com"]["ROLE"], "CHAIR")
        triggers = {str(one["ACTION"]): one["TRIGGER"].dt for one in event.walk("VALARM")}
        self.assertEqual(triggers, {"DISPLAY": timedelta(minutes=-15), "EMAIL": timedelta(days=-1)})
        self.assertEqual(vobject.readOne(text).vevent.summary.value, "Tasting")

    def test_the_text_is_the_same_each_time(self):
        meeting = self.make_meeting()
        self.assertEqual(self.text(meeting), self.text(meeting))

    def test_guests_without_address(self):
        self.customer.email = False
        text = self.text(self.make_meeting())
        self.assertNotIn("mailto:\r\n", text)
        self.assertEqual(text.count("ATTENDEE;"), 2)

    def test_a_meeting_with_nobody_has_no_organizer(self):
        text = self.text(self.make_meeting(partner_ids=[(6, 0, self.seller.partner_id.ids)]))
        self.assertNotIn("ORGANIZER", text)
        self.assertNotIn("ATTENDEE", text)

    def test_what_odoo_cannot_hold_comes_back(self):
        meeting = self.make_meeting(start=datetime(2027, 7, 1, 8), location="Cellar")
        original = (
            self.unfolded(meeting)
            .replace("\r\nEND:VEVENT", "\r\nX-VINTAGE;X-A=b:1982\r\nGEO:42.5;-2.5\r\nEND:VEVENT")
            .replace("ROLE=REQ-PARTICIPANT;", "ROLE=REQ-PARTICIPANT;X-SEAT=4;")
        )
        self.assertEqual(original.count("X-SEAT=4"), 2)
        meeting.sudo().ical_text = original
        self.assertEqual(self.unfolded(meeting), original)
        meeting.location = "Vineyard"
        old, new = original.splitlines(), self.unfolded(meeting).splitlines()
        self.assertEqual(len(old), len(new))
        changed = [line for line in new if line not in old]
        self.assertEqual(
            [line for line in changed if not line.startswith(("DTSTAMP", "LAST-MODIFIED"))],
            ["LOCATION:Vineyard"],
        )

    def test_mail_attachment_of_odoo(self):
        alarm = self.env["calendar.alarm"].create(
            {"name": "Soon", "alarm_type": "notification", "duration": 15, "interval": "minutes"}
        )
        recurrence = self.series(
            datetime(2027, 3, 16, 9), rrule_type="weekly", tue=True, count=6,
            alarm_ids=[(6, 0, alarm.ids)],
        )  # fmt: skip
        events = self.meetings(recurrence)
        events[2].write({"start": datetime(2027, 4, 1, 15), "stop": datetime(2027, 4, 1, 16)})
        files = events._get_ics_file()
        self.assertEqual(files.keys(), set(events.ids))
        self.assertEqual(files, events._get_ics_file())
        text = files[events[0].id].decode()
        self.assertEqual(text.count("\r\nRRULE:FREQ=WEEKLY"), 1)
        self.assertEqual(self.read_by_others(text), self.mark(events))
        self.assertIn("SEQUENCE:", files[events[2].id].decode())
        self.assertIn("TRIGGER:-PT15M", text)
        self.assertIn("PARTSTAT=", text)
        moved = parse(files[events[2].id]).items
        self.assertEqual([item.recurrence_id is not None for item in moved], [True])

    def test_queries_do_not_grow_with_the_meetings(self):
        alarm = self.env["calendar.alarm"].search([], limit=2)
        events = self.env["calendar.event"]
        for number in range(60):
            events += self.make_meeting(
                start=NOW + timedelta(days=number + 1), alarm_ids=[(6, 0, alarm.ids)],
                description=f"<p>{number}</p>",
            )  # fmt: skip

        def queries(some):
            self.env.flush_all()
            self.env.invalidate_all()
            before = self.env.cr.sql_log_count
            some.with_user(self.seller)._ical_text()
            return self.env.cr.sql_log_count - before

        queries(events[:1])
        few, many = queries(events[:3]), queries(events)
        self.assertLessEqual(many, few + 2)
        self.assertLess(many, 40)

    def test_queries_do_not_grow_with_the_series(self):
        recurrence = self.series(datetime(2027, 2, 2, 9), rrule_type="daily", count=200)
        first = self.meetings(recurrence)[:1]
        self.text(first)
        self.env.flush_all()
        self.env.invalidate_all()
        before = self.env.cr.sql_log_count
        first.with_user(self.seller)._ical_text()
        self.assertLess(self.env.cr.sql_log_count - before, 45)


@tagged("post_install", "-at_install")
@freeze_time(NOW)
class TestPrivacy(IcalCase):
    """Private meetings, as each one may see them."""

    def private(self, **values):
        return self.make_meeting(
            name=SECRET, location="The notary", privacy="private",
            partner_ids=[(6, 0, self.seller.partner_id.ids)], **values,
        )  # fmt: skip

    def assert_busy(self, text):
        for word in (SECRET, "notary", "seller@example.com", "DESCRIPTION", "ATTENDEE"):
            self.assertNotIn(word, text)
        self.assertIn("SUMMARY:Busy", text)

    def test_of_others(self):
        meeting = self.private()
        uid = meeting.ical_uid
        for user in (self.other_seller, self.manager):
            text = self.text(meeting, user)
            self.assert_busy(text)
            self.assertNotIn(uid, text)
            self.env.invalidate_all()
            self.assertEqual(self.read_by_others(text), self.mark(meeting))
            # The same name each time, so that it is one thing in the other calendar.
            self.assertEqual(
                parse(text.encode()).items[0].uid,
                parse(self.text(meeting, user).encode()).items[0].uid,
            )
        self.assertIn(SECRET, self.text(meeting))

    def test_series_of_others(self):
        recurrence = self.series(
            datetime(2027, 3, 16, 9), rrule_type="weekly", tue=True, count=6, name=SECRET,
            location="The notary", privacy="private",
            partner_ids=[(6, 0, self.seller.partner_id.ids)],
        )  # fmt: skip
        third = self.meetings(recurrence)[2]
        third.write({"start": datetime(2027, 4, 1, 15), "stop": datetime(2027, 4, 1, 17)})
        self.meetings(recurrence)[1].unlink()
        text = self.text(third, self.other_seller)
        self.assert_busy(text)
        self.assertNotIn(recurrence.ical_uid, text)
        self.assertEqual(self.read_by_others(text), self.mark(self.meetings(recurrence)))

    def test_private_by_default(self):
        self.seller.with_user(self.seller).calendar_default_privacy = "private"
        meeting = self.private()
        meeting.privacy = False
        self.assert_busy(self.text(meeting, self.other_seller))
        self.assertIn("CLASS:PRIVATE", self.text(meeting))

    def test_ones_own_without_details(self):
        self.assert_busy(self.text(self.private(), private_details=False))

    def test_portal(self):
        meeting = self.make_meeting(partner_ids=[(6, 0, self.portal.partner_id.ids)])
        other = self.make_meeting()
        recurrence = self.series(
            datetime(2027, 3, 16, 9), rrule_type="weekly", tue=True, count=4,
            partner_ids=[(6, 0, self.portal.partner_id.ids)],
        )  # fmt: skip
        self.assertIn("SUMMARY:Tasting", self.text(meeting, self.portal))
        with self.assertRaises(AccessError):
            self.text(other, self.portal)
        series = self.meetings(recurrence)
        text = self.text(series[:1], self.portal)
        self.assertEqual(self.read_by_others(text), self.mark(series))


@tagged("post_install", "-at_install")
class TestPlainText(TransactionCase):
    """Mere paragraphs are read without a reader of HTML, to the same text."""

    PIECES = ("<p>", "</p>", "<br>", "<br/>", "<b>", "</b>", "<div>", "</div>", " ", "  ", "\n",
              "a", "b c", "ñ", "\xa0", "\t", "\r", "&amp;", "<p", "\u2028", "&lt;", "&amp;lt;",
              "<strong>x</strong>", '<a href="mailto:a@x">x</a>')  # fmt: skip

    def assert_same(self, html):
        expected = "" if is_html_empty(html) else html2plaintext(html).strip()
        self.assertEqual(plain_text(html), expected, repr(html))

    def test_paragraphs(self):
        random = Random(20270201)
        texts = ["a", "b  c", " ", "\n", "<br>", "<br/>", "ñ", "\xa0", ""]
        for _ in range(3000):
            html = "".join(
                f"<p>{''.join(random.choices(texts, k=random.randint(0, 5)))}</p>"
                f"{random.choice(['', ' ', 'x'])}"
                for _ in range(random.randint(0, 4))
            )
            self.assert_same(html)
            self.assert_same(f"<div>{html}</div>")

    def test_anything(self):
        random = Random(20270201)
        for _ in range(3000):
            self.assert_same("".join(random.choices(self.PIECES, k=random.randint(0, 10))))

    def test_text_of_a_file_is_saved_as_the_field_would(self):
        random = Random(20270201)
        field = self.env["calendar.event"]._fields["description"]
        event = self.env["calendar.event"]
        pieces = [
            *"abñ <>&'\"\n\t;#=/{}%$:@.-—€中😀", "\n\n", "http://x/?a=b", "<!--", "-->", "&amp;",
            "<script>", "\xa0", "\xad", "\r\n", "\r", "\x0b", "\u200b", "\u2028", "javascript:",
            "> q", "\n-- \nAna", "______", "On 3 May Ana wrote:",
        ]  # fmt: skip

        def clean(html):
            cleaned.append(html)
            return field.convert_to_column_insert(html, event)

        cleaned = []
        for _ in range(5000):
            html = html_of("".join(random.choices(pieces, k=random.randint(0, 14))))
            expected = field.convert_to_column_insert(html, event)
            self.assertEqual(as_saved(html, clean), expected, repr(html))
        self.assertLess(len(cleaned), 4500)

    def test_what_odoo_adds_to_a_meeting(self):
        random = Random(20270201)
        texts = [
            "a", " b  c", "<br>", "&amp;", "&lt;b&gt;", "&amp;gt;", "<strong>With</strong>",
            "<strong> </strong>", "*", "<strong>a<br>b</strong>", "<strong></strong>",
            '<a href="mailto:a@x" target="_blank">a@x</a>', '<a href="tel:+34 1">+34 1</a>',
            '<a href="https://x/?a=1&amp;b=2">x</a>', '<a href="https://x"> x </a>',
            '<a href="https://x"></a>', '<a href=" https://x">1<br>2</a>', "<a>y</a>", "[1]",
        ]  # fmt: skip
        for _ in range(5000):
            start, end = (
                "".join(random.choices(texts, k=random.randint(0, 4))) for _side in range(2)
            )
            self.assert_same(f"<div><p>{start}</p><br>{end}</div>")
            self.assert_same(f"<p>{start}</p>{end}<p>{end}</p>")

    def test_details_of_odoo_need_no_reader(self):
        guest = self.env["res.partner"].create(
            {"name": "Azure & Sons", "email": "azure@example.com", "phone": "+34 600 000 000"}
        )
        event = self.env["calendar.event"].create(
            {
                "name": "Tasting",
                "description": "<p>Bring glasses &amp; <strong>wine</strong></p>",
                "start": "2027-03-01 10:00:00",
                "stop": "2027-03-01 11:00:00",
                "partner_ids": [(6, 0, guest.ids)],
            }
        )
        self.assertIn("<a ", event.description)
        with patch.object(ical_html, "html2plaintext") as reader:
            text = plain_text(event.description)
        reader.assert_not_called()
        self.assertEqual(text, html2plaintext(event.description).strip())

    def test_nothing(self):
        self.assertEqual(plain_text(False), "")
        self.assertEqual(plain_text(Markup("<p>a</p><p>b</p>")), "a\nb")
