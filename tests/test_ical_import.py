"""iCalendar that comes in: compared, written, known again."""

from datetime import datetime

from odoo.tests import freeze_time, tagged

from ..models.ical_incoming import Options
from .test_ical_event import IcalCase

NOW = datetime(2027, 2, 1, 9, 0)


def calendar(*events, head=()):
    """A calendar of components, each a list of lines between BEGIN and END:VEVENT."""
    lines = ["BEGIN:VCALENDAR", "VERSION:2.0", "PRODID:-//test//EN", *head]
    for event in events:
        kind = "VEVENT"
        if event[0].startswith("BEGIN:"):
            kind, event = event[0][6:], event[1:]
        lines += [f"BEGIN:{kind}", *event, f"END:{kind}"]
    return "\r\n".join([*lines, "END:VCALENDAR", ""]).encode()


def event(uid="one@x", **changes):
    """The lines of an event; None takes one out."""
    values = {
        "UID": uid,
        "DTSTAMP": "20270101T000000Z",
        "DTSTART;TZID=Europe/Madrid": "20270301T100000",
        "DTEND;TZID=Europe/Madrid": "20270301T110000",
        "SUMMARY": "Tasting",
    }
    for name, value in changes.items():
        values[name.replace("_", "-")] = value
    return [f"{name}:{value}" for name, value in values.items() if value is not None]


class ImportCase(IcalCase):
    def compare(self, data, owner=None, **options):
        self.env.flush_all()
        owner = owner or self.seller
        events = self.env["calendar.event"].with_user(owner)
        return events._ical_compare(data, owner, Options(**options))

    def take(self, data, owner=None, **options):
        """Compare and write. :return: the results"""
        owner = owner or self.seller
        outcomes = self.compare(data, owner, **options)
        events = self.env["calendar.event"].with_user(owner)
        results = events._ical_upsert(outcomes, owner, Options(**options))
        self.env.flush_all()
        self.env.invalidate_all()
        return results

    def kinds(self, data, owner=None, **options):
        return [outcome.kind for outcome in self.compare(data, owner, **options)]


@tagged("post_install", "-at_install")
@freeze_time(NOW)
class TestImport(ImportCase):
    def test_new_unchanged_deleted(self):
        data = calendar(event(LOCATION="Cellar", DESCRIPTION="Two\\nlines <b>", X_FOO="bar"))
        [result] = self.take(data)
        self.assertEqual(result.kind, "new")
        meeting = result.record
        self.assertEqual(meeting.user_id, self.seller)
        self.assertEqual(meeting.start, datetime(2027, 3, 1, 9))
        self.assertEqual(meeting.stop, datetime(2027, 3, 1, 10))
        self.assertEqual(meeting.location, "Cellar")
        self.assertEqual(meeting.description, "<p>Two<br>lines &lt;b&gt;</p>")
        self.assertEqual(meeting.partner_ids, self.seller.partner_id)
        self.assertEqual(meeting.ical_uid, "one@x")
        self.assertIn("X-FOO:bar", self.unfolded(meeting))
        self.assertEqual(self.kinds(data), ["unchanged"])
        meeting.unlink()
        self.assertEqual(self.kinds(data), ["new"])
