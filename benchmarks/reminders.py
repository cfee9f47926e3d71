"""Reminders, against Odoo's own alarm manager on the same meetings, in the same run.

100,000 meetings to come with two reminders each: how long it takes to find what is due.
And 500 reminders by mail that are due at once, until they are in the mail queue; what the
queue then takes to send them is told apart.
"""

import datetime
import os
import smtplib
from datetime import timedelta
from unittest.mock import patch

import session
from _bars import bar, stopwatch

OCCURRENCES = int(os.environ.get("BENCH_OCCURRENCES", "100000"))
DUE = int(os.environ.get("BENCH_DUE", "500"))
ROUNDS = 5
#: The meetings lie this far apart, so that 100,000 of them are two years and a half.
APART = timedelta(minutes=13)
HOUR = timedelta(hours=1)


def stock(model, name):
    """Odoo's own version of a method, under whatever this addon has put above it."""
    for part in type(model).__mro__:
        if part.__module__.startswith("odoo.addons.calendar.") and name in vars(part):
            return vars(part)[name]
    raise LookupError(name)


def make_meetings(env, rows):
    """Meetings like the first one, with its guests and reminders.

    :param list rows: starts
    """
    from odoo.addons.crm_automation.models.bulk import insert_like

    luis = env["res.users"].search([("login", "=", "luis")])
    guest = env["res.partner"].create({"name": "Guest", "email": "guest@bench.example"})
    alarms = env["calendar.alarm"].create(
        [
            {"name": "Bench", "alarm_type": kind, "duration": 15, "interval": "minutes"}
            for kind in ("email", "notification")
        ]
    )
    Event = env["calendar.event"].with_user(luis).with_context(no_mail_to_attendees=True)
    first = Event.create(
        {
            "name": "Bench", "start": rows[0], "stop": rows[0] + HOUR, "user_id": luis.id,
            "partner_ids": [(6, 0, (luis.partner_id | guest).ids)],
            "alarm_ids": [(6, 0, alarms.ids)], "location": "Cellar",
        }
    )  # fmt: skip
    env.flush_all()
    for at in range(1, len(rows), 10_000):
        insert_like(
            first,
            [
                {"start": start, "stop": start + HOUR, "ical_uid": f"bench-{at}-{number}"}
                for number, start in enumerate(rows[at : at + 10_000])
            ],
        )
    others = "SELECT id FROM calendar_event WHERE ical_uid LIKE 'bench-%%'"
    env.cr.execute(
        f"""
        INSERT INTO calendar_alarm_calendar_event_rel (calendar_event_id, calendar_alarm_id)
        SELECT event.id, alarm FROM ({others}) event, unnest(%s) AS alarm
        ON CONFLICT DO NOTHING
        """,
        [alarms.ids],
    )
    env.cr.execute(
        f"""
        INSERT INTO calendar_event_res_partner_rel (calendar_event_id, res_partner_id)
        SELECT event.id, partner FROM ({others}) event, unnest(%s) AS partner
        ON CONFLICT DO NOTHING
        """,
        [(luis.partner_id | guest).ids],
    )
    env.cr.execute(
        f"""
        INSERT INTO calendar_attendee (event_id, partner_id, state, access_token, common_name,
                                       role, cutype, create_date)
        SELECT event.id, guest.partner_id, 'accepted', gen_random_uuid()::text,
               guest.common_name, guest.role, guest.cutype, guest.create_date
          FROM ({others}) event, calendar_attendee guest
         WHERE guest.event_id = %s
           AND NOT EXISTS (SELECT FROM calendar_attendee there WHERE there.event_id = event.id)
        """,
        first.ids,
    )
    env.invalidate_all()
    env.cr.commit()
    env.cr._cnx.autocommit = True
    env.cr.execute("ANALYZE")
    env.cr._cnx.autocommit = False
    return first, luis


def best(call):
    """(seconds of the fastest of some rounds, what the last one has returned)"""
    times = []
    for _round in range(ROUNDS):
        with stopwatch(times):
            found = call()
    return min(times), found


def measure_finding(env, luis):
    Reminder, manager = env["calendar.reminder"], env["calendar.alarm_manager"]
    now = datetime.datetime.now().replace(microsecond=0)
    looking = stock(manager, "_get_events_by_alarm_to_notify")
    popups = stock(manager, "_get_next_potential_limit_alarm")
    one = manager.with_context(lastcall=now - timedelta(minutes=10))
    cron, _found = best(lambda: looking(one, "email"))
    browser, _found = best(
        lambda: popups(manager.with_user(luis), "notification", partners=luis.partner_id)
    )
    ours, found = best(
        lambda: Reminder._find(now - Reminder._lateness(), now + timedelta(minutes=30))
    )
    print(
        f"{OCCURRENCES} meetings to come, two reminders each: Odoo's job looks for {cron:.3f} s and"
        f" tells one browser what is next in {browser:.3f} s; ours looks for {ours:.3f} s, for"
        f" everybody, and finds {len(found)} of the last day and the next half hour"
    )
    bar("finding_to_odoo", ours / (cron + browser), "times", "<=", 0.2)
    bar("finding_to_odoo_s_job_alone", ours / cron, "times", "<=", 1)


def make_due(env, number):
    """Meetings whose reminder by mail is due now, for one who works in Odoo."""
    luis = env["res.users"].search([("login", "=", "luis")])
    alarm = env["calendar.alarm"].create(
        {"name": "Due", "alarm_type": "email", "duration": 15, "interval": "minutes"}
    )
    start = datetime.datetime.now().replace(microsecond=0) + timedelta(minutes=14)
    Event = env["calendar.event"].with_user(luis).with_context(
        no_mail_to_attendees=True, dont_notify=True
    )  # fmt: skip
    events = Event.create(
        [
            {
                "name": f"Due {count}", "start": start, "stop": start + HOUR, "user_id": luis.id,
                "alarm_ids": [(6, 0, alarm.ids)], "location": "Cellar",
            }
            for count in range(number)
        ]
    )  # fmt: skip
    env.cr.commit()
    return events


def measure_due(env):
    events = make_due(env, DUE)
    manager = env["calendar.alarm_manager"]
    looking = stock(manager, "_get_events_by_alarm_to_notify")
    env["mail.mail"].search([]).unlink()
    env["calendar.reminder"].search([]).unlink()
    env.cr.commit()
    seconds = []
    env.invalidate_all()
    queries = env.cr.sql_log_count
    with (
        patch.object(type(manager), "_get_events_by_alarm_to_notify", looking),
        # Above a hundred attendees Odoo leaves its mails to the queue as well.
        patch.object(smtplib.SMTP, "sendmail", lambda *_a, **_k: {}),
        stopwatch(seconds),
    ):
        manager.with_context(lastcall=datetime.datetime.now() - timedelta(hours=1))._send_reminder()
        env.flush_all()
    stock_queries = env.cr.sql_log_count - queries
    stock_mails = env["mail.mail"].search_count([("res_id", "in", events.ids)])
    env.cr.rollback()

    env.invalidate_all()
    queries = env.cr.sql_log_count
    with stopwatch(seconds):
        env["calendar.reminder"]._enqueue_due(datetime.datetime.now())
        while batch := env["calendar.reminder"]._claim(100):
            batch._run()
            env.flush_all()
    our_queries = env.cr.sql_log_count - queries
    our_mails = env["mail.mail"].search_count([("res_id", "in", events.ids)])
    env.cr.commit()
    stock_each, our_each = seconds[0] / max(stock_mails, 1), seconds[1] / max(our_mails, 1)
    print(
        f"{DUE} reminders due at once: Odoo queues {stock_mails} mails in {seconds[0]:.1f} s"
        f" ({1000 * stock_each:.1f} ms and {stock_queries / max(stock_mails, 1):.1f} queries each),"
        f" ours {our_mails} in {seconds[1]:.1f} s"
        f" ({1000 * our_each:.1f} ms and {our_queries / max(our_mails, 1):.1f} queries each)"
    )
    bar("reminders_queued", our_mails, "mails", ">=", DUE)
    bar("queueing_faster_than_odoo", stock_each / our_each, "times", ">=", 5)


def measure_delivery(env):
    """What Odoo's mail queue takes for them, whoever has made them."""
    mails = env["mail.mail"].search([("state", "=", "outgoing")])
    number, seconds = len(mails), []
    with (
        patch.object(
            type(env["ir.mail_server"]), "_connect__", lambda *_a, **_k: smtplib.SMTP(), create=True
        ),
        patch.object(
            type(env["ir.mail_server"]), "send_email", lambda _s, mail, **_k: mail["Message-Id"]
        ),
        stopwatch(seconds),
    ):
        mails.send(auto_commit=False)
    env.cr.rollback()
    print(f"Odoo's queue: {1000 * seconds[0] / max(number, 1):.1f} ms a mail, the server left out")


session.start()
with session.environment() as env:
    env["calendar.event"].search([]).write({"alarm_ids": [(5, 0, 0)]})
    env["ir.config_parameter"].set_param("crm_automation.reminders_since", "2020-01-01 00:00:00")
    env["mail.mail"].search([]).unlink()
    env.cr.commit()
    measure_due(env)
    measure_delivery(env)
    begin = datetime.datetime.now().replace(microsecond=0) + HOUR
    _first, luis = make_meetings(env, [begin + number * APART for number in range(OCCURRENCES)])
    measure_finding(env, luis)
