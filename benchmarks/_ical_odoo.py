"""Odoo's part of ``ical.py``: meetings to text, and files to meetings.

Stock's way is the method of Odoo's own module ``calendar``, called past what the addon
makes of it. It is slow: measured on a sample, and taken times the number of meetings.
"""

import gzip
import statistics
from collections import Counter
from datetime import datetime, timedelta, timezone

import icalendar
from werkzeug.test import Client

from odoo.http import root

from odoo.addons.calendar.models.calendar_event import CalendarEvent as Stock
from odoo.addons.crm_automation.ical.parse import parse
from odoo.addons.crm_automation.models.ical_incoming import Options

import session
from _bars import bar, stopwatch
from _ical_file import CIRCLE, GUESTS, address, realistic

UTC = timezone.utc
WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
ROUNDS = 2
SAMPLE = 300
SERIES = 720
#: Requests to a feed of which nothing has changed.
WARM = 50
BATCH = 500
#: Nobody is told, by nobody's way: stock is measured without its mails.
SILENT = {
    "no_mail_to_attendees": True,
    "dont_notify": True,
    "tracking_disable": True,
    "mail_create_nolog": True,
    "mail_create_nosubscribe": True,
}


class Meetings:
    """Values of meetings like those of the file, for contacts that are there."""

    def __init__(self, env):
        self.env = env
        partners = env["res.partner"].create(
            [
                {"name": f"Guest {number} {guest}", "email": address(number, guest)}
                for number in range(CIRCLE)
                for guest in range(GUESTS)
            ]
        )
        self.partners = [partners[at : at + GUESTS] for at in range(0, len(partners), GUESTS)]
        self.alarm = env["calendar.alarm"].create(
            {"name": "Visit", "alarm_type": "notification", "duration": 15, "interval": "minutes"}
        )
        self.tags = env["calendar.event.type"].create([{"name": "Customer"}, {"name": "Visit"}])

    def values(self, number, **more):
        start = datetime(2026, 1, 5, 8) + timedelta(hours=number % 9, days=number // 9 % 700)
        text = f"Visit {number}, about the offer of this quarter and what is still open. " * 11
        me = self.env.user.partner_id
        guests = self.partners[number % CIRCLE] + me
        return {
            "name": f"Visit to customer {number}, reunión con el responsable",
            "description": f"<p>{text}</p>",
            "location": f"Calle Mayor {number % 90}, Madrid",
            "start": start,
            "stop": start + timedelta(hours=1),
            "partner_ids": [(6, 0, guests.ids)],
            "alarm_ids": [(6, 0, self.alarm.ids)],
            "categ_ids": [(6, 0, self.tags.ids)],
            **more,
        }

    def make(self, number):
        """So many meetings; how long that takes is not what is measured."""
        Event = self.env["calendar.event"].with_context(**SILENT)
        events = Event.browse()
        for first in range(0, number, BATCH):
            batch = range(first, min(first + BATCH, number))
            events |= Event.create([self.values(each) for each in batch])
            self.env.cr.commit()
        return events

    def make_series(self, number):
        Event = self.env["calendar.event"].with_context(**SILENT)
        repeated = {
            "recurrency": True, "rrule_type": "daily", "interval": 1, "end_type": "count",
            "count": number, "event_tz": "Europe/Madrid",
        }  # fmt: skip
        event = Event.create(self.values(0, **repeated))
        self.env.cr.commit()
        return event.recurrence_id.calendar_event_ids


def seconds_of(env, work):
    """(seconds, result) of something that begins with nothing in memory."""
    env.flush_all()
    env.invalidate_all()
    seconds = []
    with stopwatch(seconds):
        result = work()
        env.flush_all()
    return seconds[0], result


def best_of(env, work):
    """The best of a few rounds: (seconds, result)."""
    rounds = [seconds_of(env, work) for _round in range(ROUNDS)]
    return min(seconds for seconds, _result in rounds), rounds[0][1]


def measure_export(env, events):
    """All meetings, one file each; and all in one, against icalendar with the same objects."""
    Event = env["calendar.event"]
    for way in (Stock, type(Event)):
        way._get_ics_file(Event.browse(events.ids[:5]))
    # Other records: a sample out of these would be read with all of them.
    sample = Event.browse(events.ids[:SAMPLE])
    stock, files = best_of(env, lambda: Stock._get_ics_file(sample))
    assert len(files) == len(sample)
    stock *= len(events) / len(sample)
    ours, files = best_of(env, lambda: Event.browse(events.ids)._get_ics_file())
    assert len(files) == len(events)
    print(
        f"{len(events)} meetings, a file each: ours {ours:.2f} s, stock's {stock:.2f} s"
        f" ({len(sample)} measured, times {len(events) / len(sample):.1f})"
    )
    bar("ical_export", stock / ours, "times_faster_than_stock", ">=", 10)

    ours, text = best_of(env, lambda: Event.browse(events.ids)._ical_text())
    calendar = icalendar.Calendar.from_ical(text)
    theirs, octets = best_of(env, calendar.to_ical)
    assert octets.count(b"BEGIN:VEVENT") == len(events)
    print(
        f"{len(events)} meetings in one file, {len(text) / 1e6:.1f} MB: ours, from the database,"
        f" {ours:.2f} s, icalendar's to_ical of the same objects {theirs:.2f} s"
    )
    bar("ical_export_one_file", ours / theirs, "x_icalendar_to_ical", "<=", 1)


def measure_export_series(env, events):
    """One series, the file of each of its meetings."""
    ids = events.ids
    Event = env["calendar.event"]
    stock, files = seconds_of(env, lambda: Stock._get_ics_file(Event.browse(ids)))
    assert len(files) == len(ids)
    ours, files = seconds_of(env, lambda: Event.browse(ids)._get_ics_file())
    assert len(files) == len(ids)
    print(f"a series of {len(ids)}, all measured: ours {ours:.2f} s, stock's {stock:.2f} s")
    bar("ical_export_series", stock / ours, "times_faster_than_stock", ">=", 10)


def stock_values(item, meetings, partners):
    """What stock's ``create`` wants of an event of the file."""
    start, end = (
        at.astimezone(UTC).replace(tzinfo=None) for at in (item.start, item.end)
    )  # fmt: skip
    values = {
        "name": item.summary,
        "description": item.description,
        "location": item.location,
        "start": start,
        "stop": end,
        "partner_ids": [(6, 0, [partners[guest.email] for guest in item.attendees])],
        "alarm_ids": [(6, 0, meetings.alarm.ids)],
        "categ_ids": [(6, 0, meetings.tags.ids)],
    }
    if item.rules:
        values.update(
            recurrency=True, rrule_type="weekly", interval=1, end_type="count", count=20,
            event_tz="Europe/Madrid", **{WEEKDAYS[item.start.weekday()]: True},
        )  # fmt: skip
    return values


def stock_import(env, meetings, number):
    """Seconds of stock for each event of the file, one by one, of a sample; taken back."""
    partners = {
        partner.email: partner.id for guests in meetings.partners for partner in guests
    }  # fmt: skip
    # A moved meeting of a series, and the one left out, are given to stock for nothing.
    items = [item for item in parse(realistic(number)).items if item.recurrence_id is None]
    Event = env["calendar.event"].with_context(**SILENT)

    def create():
        for item in items:
            Stock.create(Event, [stock_values(item, meetings, partners)])
            env.flush_all()

    seconds, _nothing = seconds_of(env, create)
    env.cr.rollback()
    env.invalidate_all()
    return seconds / len(items)


def take_in(env, data):
    """Compare a file with the user's calendar, and write what is new.

    :return: how many objects of each kind there were
    """
    Event = env["calendar.event"]
    outcomes = Event._ical_compare(data, env.user, Options(source="benchmark"))
    results = Event._ical_upsert(outcomes, env.user, Options(source="benchmark"))
    return Counter(result.kind for result in results)


def rows_written(env):
    """Rows that this transaction has inserted, updated or deleted."""
    env.cr.execute(
        "SELECT sum(n_tup_ins + n_tup_upd + n_tup_del) FROM pg_stat_xact_user_tables"
    )  # fmt: skip
    return int(env.cr.fetchone()[0])


def measure_import_new(env, meetings, number, data, parse_seconds):
    sample = min(SAMPLE, number)
    stock = stock_import(env, meetings, sample) * number
    ours, kinds = seconds_of(env, lambda: take_in(env, data))
    env.cr.commit()
    assert kinds == {"new": number}, kinds
    print(
        f"import of {number} new events: ours {ours:.2f} s, {ours / parse_seconds:.2f} times the"
        f" bare parse; stock's create one by one {stock:.2f} s ({sample} measured, times"
        f" {number / sample:.1f})"
    )
    bar("ical_import_new", stock / ours, "times_faster_than_stock", ">=", 8)


def measure_import_unchanged(env, number, data, parse_seconds):
    """The same file again; then a tenth of it, to tell queries that grow."""
    rounds, queries = [], {}
    for size, text in ((number, data), (number, data), (number // 10, realistic(number // 10))):
        written, asked = rows_written(env), env.cr.sql_log_count
        seconds, kinds = seconds_of(env, lambda text=text: take_in(env, text))
        assert kinds == {"unchanged": size}, kinds
        queries[size] = env.cr.sql_log_count - asked
        if size == number:
            rounds.append((seconds, rows_written(env) - written))
        env.cr.commit()
    seconds = min(rounds)[0]
    growth = (queries[number] - queries[number // 10]) / (number * 0.9 / 1000)
    print(
        f"import of {number} unchanged events: {seconds:.2f} s (icalendar's parse"
        f" {parse_seconds:.2f} s), {queries[number]} queries; of a tenth {queries[number // 10]}"
    )
    bar("ical_import_unchanged", seconds / parse_seconds, "x_icalendar_parse", "<=", 0.15)
    bar("ical_import_unchanged_writes", max(rows for _seconds, rows in rounds), "rows", "<=", 0)
    bar("ical_import_unchanged_queries", growth, "more_for_1000_events", "<=", 5)


def measure_feed(env, number):
    """The owner's feed with all his meetings, as a program asks for it over and over."""
    feed = env["calendar.feed"].create({"period": "all"})
    url = feed.action_new_address()["context"]["default_url"]
    env.cr.commit()
    client = Client(root)
    ask = {"path": url[len(feed.get_base_url()) :], "headers": {"Accept-Encoding": "gzip"}}

    def asked(times):
        seconds = []
        for _time in range(times):
            with stopwatch(seconds):
                answer = client.get(**ask)
                octets = answer.data
        assert answer.status_code == 200, answer.status
        return seconds, gzip.decompress(octets)

    [first], _octets = asked(1)
    seconds, text = asked(WARM)
    events = text.count(b"BEGIN:VEVENT")
    assert events >= number, events
    warm = 1000 * statistics.median(seconds)
    print(f"feed of {events} meetings: the first time {first:.2f} s, then {warm:.1f} ms")
    bar("ical_feed_warm", warm, "ms", "<=", 30)


def main(number, data, parse_seconds):
    """
    :param int number: of meetings
    :param bytes data: a file with so many
    :param float parse_seconds: of icalendar for that file
    """
    with session.environment() as env:
        env["crm.automation.rule"].search([]).enabled = False
        owner = env["res.users"].search([("login", "=", "ana")])
        # The organizer of the file.
        owner.email = "ana@example.com"
        env = env(user=owner)
        meetings = Meetings(env(su=True))
        env.cr.commit()
        measure_import_new(env, meetings, number, data, parse_seconds)
        measure_import_unchanged(env, number, data, parse_seconds)
        measure_feed(env, number)
        measure_export(env, meetings.make(number).with_env(env))
        measure_export_series(env, meetings.make_series(min(SERIES, number)).with_env(env))
