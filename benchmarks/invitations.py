"""Invitations, against Odoo's own for the same meeting, in the same run.

One meeting with 200 guests: the mails rendered and in the queue, as Odoo does it in the
user's transaction and as the job does it. And 1,000 answers that come by mail, through
Odoo's gateway.
"""

import os
import time
from datetime import datetime, timedelta
from email.message import EmailMessage

import session
from _bars import bar, peak, stopwatch

GUESTS = int(os.environ.get("BENCH_GUESTS", "200"))
REPLIES = int(os.environ.get("BENCH_REPLIES", "1000"))
ROUNDS = 2
BATCH = 100
START = datetime(2030, 1, 7, 9)


def make_guests(env, number, tag):
    return env["res.partner"].create(
        [
            {"name": f"{tag} {n}", "email": f"{tag}{n}@bench.example", "lang": "es_ES"}
            for n in range(number)
        ]
    )


def make_meeting(env, guests, name):
    event = (
        env["calendar.event"]
        .with_context(no_mail_to_attendees=True)
        .create(
            {
                "name": name,
                "start": START,
                "stop": START + timedelta(hours=1),
                "user_id": env.user.id,
                "partner_ids": [(6, 0, [env.user.partner_id.id, *guests.ids])],
            }
        )
    )
    return event.with_env(env)


def stock(env, guests, seconds):
    """What Odoo does: past the addon's own way."""
    event = make_meeting(env, guests, "By Odoo")
    attendees = event.attendee_ids.filtered(lambda one: one.partner_id in guests)
    template = env.ref("calendar.calendar_template_meeting_invitation")
    # A copy is no invitation for the addon, and all the same for Odoo.
    copy = template.copy()
    before = env["mail.mail"].search_count([])
    env.flush_all()
    env.invalidate_all()
    with stopwatch(seconds):
        attendees._notify_attendees(copy)
        env.flush_all()
    made = env["mail.mail"].search_count([]) - before
    assert made == len(guests), made
    env.cr.rollback()


def ours(env, guests, seconds):
    event = make_meeting(env, guests, "By us")
    attendees = event.attendee_ids.filtered(lambda one: one.partner_id in guests)
    Outgoing = env["calendar.invitation.outgoing"].sudo()
    Outgoing.search([]).unlink()
    before = env["mail.mail"].search_count([])
    env.flush_all()
    env.invalidate_all()
    with stopwatch(seconds):
        attendees._invite()
        env.cr.flush()
        Outgoing._work(Outgoing.search([]))
        env.flush_all()
    made = env["mail.mail"].search_count([]) - before
    assert made == len(guests), made
    env.cr.rollback()


def reply(uid, number):
    mail = EmailMessage()
    address = f"reply{number}@bench.example"
    mail["From"], mail["To"], mail["Subject"] = address, "answers@bench.example", "Accepted"
    mail["Message-ID"] = f"<{number}@bench.example>"
    mail.set_content("I come.")
    stamp = datetime.now() - timedelta(hours=1)
    lines = [
        "BEGIN:VCALENDAR", "VERSION:2.0", "PRODID:-//Bench//", "METHOD:REPLY", "BEGIN:VEVENT",
        f"UID:{uid}", f"DTSTAMP:{stamp:%Y%m%dT%H%M%SZ}", "ORGANIZER:mailto:admin@bench.example",
        f"ATTENDEE;PARTSTAT=ACCEPTED:mailto:{address}", "SEQUENCE:0", "END:VEVENT",
        "END:VCALENDAR", "",
    ]  # fmt: skip
    mail.add_alternative("\r\n".join(lines), subtype="calendar", params={"method": "REPLY"})
    return mail.as_bytes()


def answers(env):
    """(answers a second, MiB that the second half has taken)"""
    guests = make_guests(env, REPLIES, "reply")
    # As many meetings as guests are in one of them: neither is the same one each time.
    size = 20
    events = [
        make_meeting(env, guests[at : at + size], f"Meeting {at}")
        for at in range(0, REPLIES, size)
    ]  # fmt: skip
    env.cr.commit()
    mails = [reply(events[number // size].ical_uid, number) for number in range(REPLIES)]
    Thread = env["mail.thread"]
    begin, middle = time.perf_counter(), 0
    for number, mail in enumerate(mails):
        Thread.message_process(False, mail)
        # As a mail server is read: a commit for each.
        env.cr.commit()
        if number % BATCH == BATCH - 1:
            env.invalidate_all()
        if number == REPLIES // 2:
            middle = peak()
    seconds = time.perf_counter() - begin
    env.invalidate_all()
    accepted = env["calendar.attendee"].search_count(
        [("partner_id", "in", guests.ids), ("state", "=", "accepted")]
    )
    assert accepted == REPLIES, accepted
    return REPLIES / seconds, peak() - middle


def main():
    session.start()
    with session.environment() as env:
        env = env(user=env.ref("base.user_admin"))
        guests = make_guests(env, GUESTS, "guest")
        env.cr.commit()
        by_odoo, by_us = [], []
        for _ in range(ROUNDS):
            stock(env, guests, by_odoo)
            ours(env, guests, by_us)
        print(f"{GUESTS} invitations: {min(by_us):.2f} s; by Odoo {min(by_odoo):.2f} s")
        rate, memory = answers(env(user=session.SUPERUSER_ID))
    bar("invitations_queued", min(by_odoo) / min(by_us), "times Odoo", ">=", 3)
    bar("invitation_answers", rate, "a second", ">=", 50)
    bar("invitation_answers_memory", memory, "MiB", "<=", 20)


if __name__ == "__main__":
    main()
