"""Two people of whom one invites the other, with a real library against a real server."""

import os
import subprocess
from pathlib import Path

import pytest

import odoo.sql_db

import session
from caldav_account import EVENT, running

BIN = Path(os.environ.get("CRM_AUTOMATION_CLIENTS") or "/nowhere")


@pytest.fixture(scope="module")
def account(tmp_path_factory, registry):
    with running(tmp_path_factory.mktemp("log") / "odoo.log") as found:
        yield found


@pytest.fixture
def ana(account):
    """The name and the key of who invites."""
    with session.environment() as env:
        user = env["res.users"].search([("login", "=", "ana")])
        key = env["res.users.apikeys"].with_user(user).sudo()._generate("caldav", "Test", None)
    odoo.sql_db.close_all()
    yield "ana", key
    with session.environment() as env:
        env["calendar.event"].search([("user_id.login", "=", "ana")]).unlink()
    odoo.sql_db.close_all()


@pytest.mark.skipif(not BIN.is_dir(), reason="no programs of Python")
def test_an_invitation(account, ana):
    script = Path(__file__).with_name("caldav_invitations.py")
    done = subprocess.run(
        [BIN / "python", script, f"{account.url}/caldav/", *ana, account.login, account.key],
        capture_output=True, text=True, timeout=120, env={**os.environ, "PYTHONPATH": ""},
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr


POST = """\
BEGIN:VCALENDAR
VERSION:2.0
PRODID:x
METHOD:REQUEST
BEGIN:VFREEBUSY
UID:ask
DTSTAMP:20270101T000000Z
DTSTART:20270301T000000Z
DTEND:20270302T000000Z
ORGANIZER:mailto:luis.ortega@example.com
ATTENDEE:mailto:luis.ortega@example.com
END:VFREEBUSY
END:VCALENDAR
"""


def test_a_question_about_free_time(account):
    account.put("one", "One")
    status, text = account.ask(
        "POST", f"{account.home}outbox/", POST, Content_Type="text/calendar"
    )  # fmt: skip
    assert status == 200, text
    assert "FREEBUSY;FBTYPE=BUSY:20270301T100000Z/20270301T110000Z" in text
    account.ask("DELETE", f"{account.agenda}one.ics")


def test_an_invitation_waits_for_its_job(account):
    """What a request has noted is there when it is answered."""
    text = EVENT.format(uid="told", summary="Told").replace(
        "X-A;B=1:kept",
        "ORGANIZER:mailto:luis.ortega@example.com\nATTENDEE:mailto:eva@azure.example",
    )
    status, answer = account.ask(
        "PUT", f"{account.agenda}told.ics", text, Content_Type="text/calendar"
    )
    assert status == 201, answer
    with session.environment() as env:
        waiting = env["calendar.invitation.outgoing"].search([("uid", "=", "told")])
        # The server's own job may have been quick.
        sent = env["mail.mail"].search([("subject", "like", "Told")])
        assert waiting.user_id.login == "luis" if waiting else sent
    odoo.sql_db.close_all()
    assert account.ask("DELETE", f"{account.agenda}told.ics")[0] == 204
