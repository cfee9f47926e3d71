"""Transactions that commit in any order: a client that syncs by tokens misses nothing.

Several real transactions change meetings at once, end in any order, some of them
rolled back as a whole or in part; in between two clients sync. In the end each has
what the database has, and has been told each change once.
"""

import os
import random
import re
from collections import Counter
from datetime import datetime, timedelta

import psycopg2
import pytest

import odoo.sql_db
from odoo import SUPERUSER_ID, api
from odoo.modules.registry import Registry

import session

LONG = bool(os.environ.get("CRM_AUTOMATION_LONG"))
START = datetime(2027, 5, 3, 9)
HOUR = timedelta(hours=1)
#: What Odoo repeats a request for; a lock that another transaction here holds; a
#: meeting that two begin to repeat at once.
LATER = (
    psycopg2.errors.SerializationFailure,
    psycopg2.errors.LockNotAvailable,
    psycopg2.errors.UniqueViolation,
)
CONTEXT = {
    "no_mail_to_attendees": True, "dont_notify": True, "tracking_disable": True,
    "mail_create_nosubscribe": True, "skip_contact_description": True,
}  # fmt: skip


def open_environment():
    """An environment on a cursor of its own, which the caller ends."""
    cr = Registry(session.DATABASE).cursor()
    return api.Environment(cr, SUPERUSER_ID, CONTEXT)


def luis(env):
    return env["res.users"].search([("login", "=", "luis")])


@pytest.fixture
def meetings():
    """Ids of twelve meetings that Luis has with nobody, committed."""
    with session.environment() as env:
        env["caldav.collection"].search([]).unlink()
        env["caldav.change"].search([]).unlink()
        env["caldav.object"].search([]).unlink()
        values = [values_of(env, number) for number in range(12)]
        ids = env["calendar.event"].with_context(CONTEXT).create(values).ids
    yield ids
    with session.environment() as env:
        env["calendar.event"].with_context(active_test=False).search(
            [("name", "=like", "Sync %")]
        ).unlink()
    # Tests that kill processes wait until they are alone.
    odoo.sql_db.close_all()


def values_of(env, number):
    user = luis(env)
    return {
        "name": f"Sync {number}", "start": START, "stop": START + HOUR, "user_id": user.id,
        "partner_ids": [(6, 0, user.partner_id.ids)],
    }  # fmt: skip


class Client:
    """Syncs by tokens; knows the name of each object, and its subjects."""

    def __init__(self, kind="agenda"):
        self.kind = kind
        self.token = ""
        self.objects = {}
        self.told = Counter()

    def sync(self, limit=None):
        with session.environment() as env:
            env.cr.execute("SET LOCAL lock_timeout = '20ms'")
            collection = env["caldav.collection"]._of(luis(env), self.kind)
            collection._catch_up()
            is_all = False
            while not is_all:
                changed, gone, self.token, is_all = collection._changes_since(self.token, limit)
                for member, text in collection._texts(changed).items():
                    self.objects[member.name] = subjects(text)
                    self.told[member.uid] += 1
                for member in gone:
                    self.objects.pop(member.name, None)
                    self.told[member.uid] += 1


def subjects(text):
    """Of the meetings of a series each may have its own; a reminder's are not among them."""
    meetings = re.sub(r"BEGIN:VALARM.*?END:VALARM", "", text, flags=re.DOTALL)
    return {line[8:] for line in meetings.split("\r\n") if line.startswith("SUMMARY:")}


def truth():
    """What Luis has, as a client would have it."""
    with session.environment() as env:
        user = luis(env)
        events = env["calendar.event"].search(
            ["|", ("user_id", "=", user.id), ("partner_ids", "in", user.partner_id.ids)]
        )
        found = {}
        for event in events:
            found.setdefault(f"{event.ical_uid}.ics", set()).add(event.name)
        return found


def test_commits_in_the_other_order(meetings):
    """The one that began first is the last to commit."""
    client = Client()
    client.sync()
    assert client.objects == truth()
    client.told.clear()
    first, second = open_environment(), open_environment()
    with first.cr, second.cr:
        first["calendar.event"].browse(meetings[0]).name = "Sync first"
        first.cr.flush()
        second["calendar.event"].browse(meetings[1]).name = "Sync second"
        second.cr.commit()
        client.sync()
        client.sync()
        assert sum(client.told.values()) == 1
        first.cr.commit()
    client.sync()
    client.sync()
    assert sorted(client.told.values()) == [1, 1]
    assert client.objects == truth()


def test_a_reader_is_never_in_the_way_of_a_save(meetings):
    """A reader holds all its locks; a save neither waits nor fails."""
    Client().sync()
    with session.environment() as env:
        env["calendar.event"].browse(meetings[0]).name = "Sync changed"
    reader = open_environment()
    with reader.cr:
        collection = reader["caldav.collection"]._of(luis(reader), "agenda")
        collection._catch_up()
        collection._texts(collection._members())
        with session.environment() as env:
            env.cr.execute("SET LOCAL lock_timeout = '200ms'")
            env["calendar.event"].browse(meetings[:3]).write({"name": "Sync saved"})
        reader.cr.commit()
    client = Client()
    client.sync()
    assert client.objects == truth()


def test_a_text_that_was_built_too_early(meetings):
    """A reader's snapshot is older than a commit that was heard of already."""
    client = Client()
    client.sync()
    early = open_environment()
    with early.cr:
        early.cr.execute("SELECT 1 FROM caldav_collection")
        with session.environment() as env:
            env["calendar.event"].browse(meetings[0]).name = "Sync later"
        client.sync()
        collection = early["caldav.collection"]._of(luis(early), "agenda")
        collection._catch_up()
        # What it has not seen it cannot spoil.
        early["caldav.object"]._build(
            early["calendar.event"].browse(meetings[1:]).mapped("ical_uid"), "full"
        )
        with pytest.raises(psycopg2.errors.SerializationFailure):
            early["caldav.object"]._build(
                early["calendar.event"].browse(meetings[:1]).mapped("ical_uid"), "full"
            )
        early.cr.rollback()
    again = Client()
    again.sync()
    assert again.objects == client.objects == truth()


def act(env, choose, ids):
    """One random change. May fail as any save may, because of another transaction."""
    Event = env["calendar.event"].with_context(active_test=False)
    event = Event.browse(choose.choice(ids)).exists()
    number = choose.randrange(10**9)
    kind = choose.choice(["name", "name", "create", "archive", "delete", "leave", "series"])
    if kind == "create":
        ids.append(Event.create(values_of(env, number)).id)
    elif not event:
        return
    elif kind == "name":
        event.name = f"Sync {number}"
    elif kind == "archive":
        event.active = not event.active
    elif kind == "delete":
        event.unlink()
    elif kind == "leave":
        user = env.ref("base.user_admin") if event.user_id == luis(env) else luis(env)
        event.write({"user_id": user.id, "partner_ids": [(6, 0, user.partner_id.ids)]})
    elif event.active and not event.recurrence_id:
        event.write(
            {
                "recurrency": True, "rrule_type": "daily", "interval": 1, "end_type": "count",
                "count": 2, "event_tz": "Europe/Madrid",
            }
        )  # fmt: skip


@pytest.mark.parametrize("seed", range(40 if LONG else 12))
def test_any_order(meetings, seed):
    """Three open transactions, two clients, in any order."""
    choose = random.Random(seed)
    ids = list(meetings)
    agenda, busy, pages = Client(), Client("busy"), Client()
    writers = [open_environment() for _number in range(3)]
    try:
        for _step in range(60 if LONG else 40):
            writer = choose.choice(writers)
            try:
                if choose.random() < 0.2:
                    choose.choice([agenda, busy]).sync()
                    pages.sync(limit=2)
                else:
                    go_on(writer, choose, ids)
            except LATER:
                # Of a reader's nothing has happened; a writer begins anew.
                writer.cr.rollback()
            writer.cr.execute("SET LOCAL lock_timeout = '20ms'")
        for writer in writers:
            choose.choice([writer.cr.commit, writer.cr.rollback])()
    finally:
        for writer in writers:
            writer.cr.close()
    fresh = Client()
    clients = (agenda, busy, pages, fresh)
    for client in clients:
        client.sync()
    expected = truth()
    assert agenda.objects == pages.objects == fresh.objects == expected
    assert busy.objects.keys() == expected.keys()
    before = [Counter(client.told) for client in clients]
    for client in clients:
        client.sync()
    assert [client.told for client in clients] == before


def go_on(env, choose, ids):
    """The next step of a transaction, or its end."""
    kind = choose.random()
    if kind < 0.6:
        act(env, choose, ids)
        env.cr.flush()
    elif kind < 0.73:
        partly(env, choose, ids)
    elif kind < 0.86:
        env.cr.commit()
    elif kind < 0.93:
        env.cr.rollback()
    else:
        see_oneself(env)


def partly(env, choose, ids):
    """A change that is taken back to a savepoint."""
    left = list(ids)
    savepoint = env.cr.savepoint()
    try:
        act(env, choose, left)
        env.cr.flush()
    finally:
        env.clear()
        savepoint.close(rollback=True)


def see_oneself(env):
    """A transaction that looks at what it has changed, and goes on (a PUT)."""
    collection = env["caldav.collection"]._of(luis(env), "agenda")
    collection._catch_up()
    collection._texts(collection._members())
