"""Two databases that write to each other: invitations, answers, changes, by real mail.

Each has its own domain; an SMTP server between them takes what they send, and it is read
by the gateway of the database whose domain it goes to.
"""

import contextlib
import email
import email.policy
import os
import random
from datetime import datetime, timedelta

import pytest
from aiosmtpd.controller import Controller

import odoo.sql_db
from odoo import SUPERUSER_ID, api
from odoo.modules.registry import Registry

import session

OTHER = f"{session.DATABASE}_b"
START = datetime(2030, 1, 7, 9)
HOUR = timedelta(hours=1)


class Post:
    """Takes mails, and brings them to the database of their domain."""

    def __init__(self):
        self.waiting = []
        self.controller = Controller(
            self, hostname="127.0.0.1", port=int(os.environ["CRM_AUTOMATION_SMTP"])
        )

    async def handle_DATA(self, _server, _session, envelope):
        self.waiting += [(to, envelope.original_content) for to in envelope.rcpt_tos]
        return "250 OK"

    def deliver(self, shuffle=None):
        """Bring what waits; with ``shuffle`` twice, and in any order.

        :return: list of (address, mail)
        """
        # Found only once Odoo knows where addons are.
        from odoo.addons.crm_automation.ical.itip_check import check

        mails, self.waiting = self.waiting, []
        for _to, mail in mails:
            for text in calendars(mail):
                assert not check(text)
        order = mails * (2 if shuffle else 1)
        if shuffle:
            shuffle.shuffle(order)
        for to, mail in order:
            with environment(OTHER if to.endswith("@b.example") else session.DATABASE) as env:
                env["mail.thread"].message_process(False, mail)
        return mails


def calendars(mail):
    message = email.message_from_bytes(mail, policy=email.policy.default)
    return [
        part.get_payload(decode=True) for part in message.walk()
        if part.get_content_type() == "text/calendar"
    ]  # fmt: skip


@contextlib.contextmanager
def environment(database, uid=SUPERUSER_ID):
    with Registry(database).cursor() as cr:
        yield api.Environment(cr, uid, {})


def send(database):
    """What the jobs do: tell, and hand it to the server."""
    with environment(database) as env:
        env["calendar.invitation.outgoing"]._send_due()
        assert not env["calendar.invitation.outgoing"].search([])
    with environment(database) as env:
        env["mail.mail"].process_email_queue()
        failed = env["mail.mail"].search([("state", "=", "exception")])
        assert not failed, failed.mapped("failure_reason")


@pytest.fixture
def post():
    made = Post()
    made.controller.start()
    yield made
    made.controller.stop()


@pytest.fixture
def both(registry):
    """The users of both ends: (id of Ana in a.example, id of Eva in b.example)."""
    odoo.sql_db.close_all()
    create(f'DROP DATABASE IF EXISTS "{OTHER}" WITH (FORCE)')
    create(f'CREATE DATABASE "{OTHER}" TEMPLATE "{session.DATABASE}"')
    people = {session.DATABASE: ("ana", "a.example"), OTHER: ("eva", "b.example")}
    ids = []
    for database, (name, domain) in people.items():
        with environment(database) as env:
            user = env["res.users"].search([("login", "=", "ana")])
            user.partner_id.write({"name": name.title(), "email": f"{name}@{domain}"})
            user.tz = "Europe/Madrid"
            Domain = env["mail.alias.domain"]
            made = Domain.search([("name", "=", domain)]) or Domain.create(
                {"name": domain, "catchall_alias": "answers"}
            )
            env["res.company"].search([]).alias_domain_id = made
            env["calendar.invitation.outgoing"].search([]).unlink()
            ids.append(user.id)
    yield ids
    with session.environment() as env:
        env["calendar.event"].with_context(active_test=False, no_mail_to_attendees=True).search(
            [("name", "in", ("Tasting", "Harvest"))]
        ).unlink()
        env["res.company"].search([]).alias_domain_id = False
    Registry.delete(OTHER)
    odoo.sql_db.close_all()
    create(f'DROP DATABASE "{OTHER}" WITH (FORCE)')


def create(statement):
    with contextlib.closing(odoo.sql_db.db_connect("postgres").cursor()) as cr:
        cr._cnx.autocommit = True
        cr.execute(statement)


def invite(env, name, **values):
    eva = env["res.partner"].search([("email", "=", "eva@b.example")])
    eva = eva or env["res.partner"].create({"name": "Eva", "email": "eva@b.example"})
    return env["calendar.event"].create(
        {
            "name": name, "start": START, "stop": START + HOUR,
            "partner_ids": [(6, 0, [env.user.partner_id.id, eva.id])], **values,
        }
    )  # fmt: skip


def copies(env, uid):
    return env["calendar.event"].with_context(active_test=False).search(
        [("ical_uid", "=", uid)], order="start"
    )  # fmt: skip


def answer_of(event, email):
    return event.attendee_ids.filtered(lambda one: one.email == email).state


def test_there_and_back(post, both):
    ana, eva = both
    with environment(session.DATABASE, ana) as env:
        event = invite(env, "Tasting")
        uid, event_id = event.ical_uid, event.id
    send(session.DATABASE)
    [(to, _mail)] = post.deliver()
    assert to == "eva@b.example"
    with environment(OTHER, eva) as env:
        copy = copies(env, uid)
        assert (copy.name, copy.start, copy.user_id.id) == ("Tasting", START, eva)
        assert answer_of(copy, "eva@b.example") == "needsAction"
        copy.attendee_ids.filtered(lambda one: one.partner_id == env.user.partner_id).do_accept()
    send(OTHER)
    [(to, _mail)] = post.deliver()
    # Not into Ana's mailbox, which nobody reads for her.
    assert to == "answers@a.example"
    with environment(session.DATABASE, ana) as env:
        event = env["calendar.event"].browse(event_id)
        assert answer_of(event, "eva@b.example") == "accepted"
        event.write({"start": START + HOUR, "stop": START + 2 * HOUR})
    send(session.DATABASE)
    post.deliver()
    with environment(OTHER, eva) as env:
        copy = copies(env, uid)
        assert copy.start == START + HOUR
        assert answer_of(copy, "eva@b.example") == "needsAction"
        copy.attendee_ids.filtered(lambda one: one.partner_id == env.user.partner_id)._answer(
            "declined", "Too late for me"
        )
    send(OTHER)
    post.deliver()
    with environment(session.DATABASE, ana) as env:
        event = env["calendar.event"].browse(event_id)
        guest = event.attendee_ids.filtered(lambda one: one.email == "eva@b.example")
        assert (guest.state, guest.answer_comment) == ("declined", "Too late for me")
        event.unlink()
    send(session.DATABASE)
    post.deliver()
    with environment(OTHER, eva) as env:
        assert not copies(env, uid).active
    for database in (session.DATABASE, OTHER):
        with environment(database) as env:
            assert not env["calendar.invitation.review"].search([])


def test_a_series_whose_mails_come_in_any_order(post, both):
    ana, eva = both
    with environment(session.DATABASE, ana) as env:
        event = invite(
            env, "Harvest", recurrency=True, rrule_type="weekly", interval=1, mon=True, count=5,
            end_type="count", event_tz="Europe/Madrid",
        )  # fmt: skip
        uid = event.ical_uid
        ids = event.recurrence_id.calendar_event_ids.sorted("start").ids
    send(session.DATABASE)
    for number, change in (
        (1, {"start": START + timedelta(days=8), "stop": START + timedelta(days=8) + HOUR}),
        (2, {"active": False}),
        (1, {"start": START + timedelta(days=9), "stop": START + timedelta(days=9) + HOUR}),
        (3, {"location": "Cellar"}),
    ):
        with environment(session.DATABASE, ana) as env:
            env["calendar.event"].browse(ids[number]).write(change)
        send(session.DATABASE)
    post.deliver(shuffle=random.Random(7))
    with environment(session.DATABASE, ana) as env:
        expected = [(one.start, one.location or "") for one in copies(env, uid).filtered("active")]
    with environment(OTHER, eva) as env:
        found = [(one.start, one.location or "") for one in copies(env, uid).filtered("active")]
        reviews = env["calendar.invitation.review"].sudo().search([])
        assert not reviews, reviews.mapped(lambda one: (one.reason, one.detail))
    assert found == expected
