"""What somebody outside may make of a calendar: no more than what people need."""

from datetime import datetime, timedelta
from unittest.mock import patch

from odoo.addons.crm_automation.ical.parse import parse

from ..models import calendar_reminder_find
from ..models.ical_incoming import Options
from ..models.ical_rows import MAX_ROWS, MAX_SHORT
from ..models.ical_taken import MAX_ALARMS, MAX_DESCRIPTION, MAX_DESCRIPTIONS, MAX_TAGS
from .common import DAY, NOW
from .reminder import START, ReminderCase
from .test_invitation_mail import GatewayCase
from .test_invitation_news import news

LONG = " ".join(["grape"] * 30_000)


def alarms(number):
    """VALARMs that have nothing in common but what they are."""
    return [
        line
        for minutes in range(1000, 1000 + number)
        for line in (
            "BEGIN:VALARM", "ACTION:DISPLAY", "DESCRIPTION:x", f"TRIGGER:-PT{minutes}M",
            "REPEAT:100", "DURATION:PT7M", "END:VALARM",
        )
    ]  # fmt: skip


def tags(number):
    return ["CATEGORIES:" + ",".join(f"tag {count} from outside" for count in range(number))]


class TestSharedThings(GatewayCase):
    """Tags and reminders, which are everybody's."""

    def setUp(self):
        super().setUp()
        self.Tag = self.env["calendar.event.type"]
        self.Alarm = self.env["calendar.alarm"]
        self.before = self.Tag.search_count([]), self.Alarm.search_count([])

    def copies(self):
        return self.env["calendar.event"].search([("ical_uid", "=", "harvest")], order="start")

    def counts(self):
        return tuple(
            now - then for now, then in
            zip((self.Tag.search_count([]), self.Alarm.search_count([])), self.before, strict=True)
        )  # fmt: skip

    def test_a_mail_makes_none(self):
        tag = self.Tag.create({"name": "Wine"})
        self.receive(news(lines=[*tags(30), "CATEGORIES:wine", *alarms(30)]))
        self.receive(news(lines=["CATEGORIES:wine,Oil", *alarms(3)], seconds=1))
        self.assert_believed()
        event = self.copies()
        self.assertEqual(event.categ_ids, tag)
        self.assertFalse(event.alarm_ids)
        self.assertEqual(self.counts(), (1, 0))
        self.assertNotIn("VALARM", event._ical_text())

    def test_a_reminder_of_his_own_stays(self):
        rule = ["RRULE:FREQ=DAILY;COUNT=2"]
        self.receive(news(lines=[*rule, *alarms(1)]))
        alarm = self.Alarm.search([], limit=1)
        self.copies().write({"alarm_ids": [(4, alarm.id)]})
        self.receive(news(lines=["RRULE:FREQ=DAILY;COUNT=3"], name="Late", sequence=1, seconds=1))
        self.assert_believed()
        self.assertEqual(self.copies().mapped("name"), ["Late"] * 3)
        for event in self.copies():
            self.assertEqual(event.alarm_ids, alarm)

    def take(self, *lines):
        text = "\r\n".join(
            [
                "BEGIN:VCALENDAR", "VERSION:2.0", "PRODID:x", "BEGIN:VEVENT", "UID:harvest",
                "DTSTAMP:20261120T100000Z", "SUMMARY:Harvest", "DTSTART:20300107T090000Z", *lines,
                "END:VEVENT", "END:VCALENDAR", "",
            ]
        )  # fmt: skip
        Event, options = self.env["calendar.event"], Options(force=True)
        outcomes = Event._ical_compare(text.encode(), self.ana, options)
        [result] = Event._ical_upsert(outcomes, self.ana, options)
        self.env.flush_all()
        return result

    def test_a_file_makes_some_and_loses_none(self):
        lines = [*tags(50), *alarms(50)]
        self.assertEqual(self.take(*lines).kind, "new")
        event = self.copies()
        self.assertEqual(self.counts(), (MAX_TAGS, MAX_ALARMS))
        self.assertEqual((len(event.categ_ids), len(event.alarm_ids)), (MAX_TAGS, MAX_ALARMS))
        [item] = parse(event._ical_text().encode()).items
        self.assertEqual((len(item.categories), len(item.alarms)), (50, 50))
        self.assertEqual(item.component.lines().count("DTSTAMP:20261120T100000Z"), 1)
        # What is beyond the fields is compared as well.
        self.assertEqual(self.take(*lines).kind, "unchanged")
        self.assertEqual(self.take(*tags(49), *alarms(50)).kind, "changed")
        self.assertEqual(self.counts(), (MAX_TAGS, MAX_ALARMS))
        # Whoever takes one of them away in Odoo does no more.
        event.categ_ids = [(3, event.categ_ids[0].id)]
        event.alarm_ids = [(3, event.alarm_ids[0].id)]
        [item] = parse(event._ical_text().encode()).items
        self.assertEqual((len(item.categories), len(item.alarms)), (48, 49))

    def test_a_long_description(self):
        lines = [f"DESCRIPTION:{LONG}"]
        self.take(*lines)
        event = self.copies()
        self.assertLess(len(event.description), MAX_DESCRIPTION * 1.1)
        [item] = parse(event._ical_text().encode()).items
        self.assertEqual(item.description, LONG)
        self.assertEqual(self.take(*lines).kind, "unchanged")
        self.assertEqual(self.take(f"DESCRIPTION:{LONG} juice").kind, "changed")
        [item] = parse(event._ical_text().encode()).items
        self.assertEqual(item.description[-5:], "juice")
        event.description = "<p>Short</p>"
        [item] = parse(event._ical_text().encode()).items
        self.assertEqual(item.description, "Short")

    def test_a_long_description_of_many_meetings(self):
        self.receive(news(lines=["RRULE:FREQ=DAILY", f"LOCATION:{LONG}", f"DESCRIPTION:{LONG}"]))
        self.assert_believed()
        events = self.copies()
        self.assertEqual(len(events), MAX_ROWS)
        self.assertLess(sum(len(one.description) for one in events), MAX_DESCRIPTIONS * 1.1)
        self.assertGreater(len(events[0].description), MAX_SHORT * 0.9)
        self.assertLess(sum(len(one.location) for one in events), 2_000_000)
        items = parse(events._ical_text().encode()).items
        self.assertEqual([one.description for one in items], [LONG])
        self.assertEqual([one.location for one in items], [LONG])


class TestManyReminders(ReminderCase):
    def test_in_parts_nothing_is_missed(self):
        found = [self.alarm(minutes, repeat=3, repeat_minutes=1) for minutes in range(5, 15)]
        self.meet(*found, self.alarm(0, trigger_at=datetime(2027, 6, 15, 10, 30)))
        at_once = [due.key for due in self.Reminder._find(NOW, NOW + DAY)]
        self.assertEqual(len(at_once), 41)
        with patch.object(calendar_reminder_find, "MAX_TIMINGS", 7):
            self.assertEqual([due.key for due in self.Reminder._find(NOW, NOW + DAY)], at_once)
        # What one query is told of does not grow with what there is.
        self.env["calendar.alarm"].create(
            [
                {"name": "x", "alarm_type": "notification", "duration": minutes, "repeat": 100,
                 "interval": "minutes", "repeat_minutes": 1}
                for minutes in range(1000, 1030)
            ]
        )  # fmt: skip
        numbers, stock = [], type(self.Reminder)._timings_as_values

        def counted(reminders, timings):
            numbers.append(len(timings))
            return stock(reminders, timings)

        with patch.object(type(self.Reminder), "_timings_as_values", counted):
            self.Reminder._find(START, START + timedelta(hours=1))
        self.assertGreater(sum(numbers), 3000)
        self.assertLessEqual(max(numbers), calendar_reminder_find.MAX_TIMINGS)
