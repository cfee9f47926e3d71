"""The mission's stories, played by users against a running server.

Each story is a generator function: it does what people do, yields what was
sent to whom, and raises AssertionError with the reason where the product does
not keep its word.
"""

import email
import email.policy
import time
from datetime import datetime, timedelta, timezone

from .rpc import Session


class Stage:
    """The server a story plays on: sessions of its users, and the mail caught."""

    def __init__(self, server):
        self.server = server
        self._seen = set()
        self.mail()

    def session(self, login):
        return Session(self.server.url, self.server.database, login, login)

    def mail(self):
        """Messages caught since the last call."""
        new = sorted(set(self.server.mail_dir.glob("*.eml")) - self._seen)
        self._seen.update(new)
        return [
            email.message_from_bytes(path.read_bytes(), policy=email.policy.default) for path in new
        ]

    def notices(self):
        """Messages of rules caught since the last call: not Odoo's own, no invitations."""
        return [
            message for message in self.mail()
            if message["Auto-Submitted"] and not _is_invitation(message)
        ]  # fmt: skip

    def wait_for_notices(self, number, seconds=30):
        """The notices, as soon as there are so many; and those of a little more.

        :return: list of messages, and the seconds until there were enough
        :raises AssertionError: when there are not enough in time
        """
        found = []
        start = time.monotonic()
        while time.monotonic() - start < seconds:
            found += self.notices()
            if len(found) >= number:
                waited = time.monotonic() - start
                time.sleep(2)
                return found + self.notices(), waited
            time.sleep(0.1)
        raise AssertionError(f"{len(found)} of {number} notices within {seconds} s")


def _is_invitation(message):
    return any(part.get_content_type() == "text/calendar" for part in message.walk())


def _line(message):
    return f"to {message['To']}: {message['Subject']}"


def _told(messages, addresses):
    """Each of these has got one notice, and nobody else; yields what was sent."""
    for message in messages:
        yield _line(message)
    _set([message["X-Envelope-To"] for message in messages], addresses, "recipients")
    assert len(messages) == len(addresses), f"{len(messages)} mails, not {len(addresses)}"


def _silence(stage, seconds, what):
    """No rule may send anything for some seconds."""
    time.sleep(seconds)
    found = [_line(message) for message in stage.notices()]
    assert not found, f"{what}: {found}"


def _set(values, expected, what):
    assert set(values) == set(expected), f"{what}: {sorted(values)}, not {sorted(expected)}"


def lead_becomes_opportunity(stage):
    """A lead is converted: its salesperson, and nobody else, gets one mail."""
    ana, luis = stage.session("ana"), stage.session("luis")
    rule_ids = ana.call(
        "crm.automation.rule",
        "search",
        [("trigger", "=", "lead_converted"), ("enabled", "=", True)],
    )
    assert len(rule_ids) == 1, f"{len(rule_ids)} rules are switched on for this, not one"
    lead_id = luis.call(
        "crm.lead", "create",
        {"name": "Historia: tapones de corcho", "type": "lead", "user_id": luis.uid},
    )  # fmt: skip
    _silence(stage, 3, "mail for a lead that is only created")
    luis.call("crm.lead", "convert_opportunity", [lead_id], False)
    messages, seconds = stage.wait_for_notices(1)
    for message in messages:
        yield _line(message)
    _set([m["X-Envelope-To"] for m in messages], ["luis.ortega@example.com"], "recipients")
    assert len(messages) == 1, f"{len(messages)} mails instead of one"
    message = messages[0]
    assert "Historia: tapones de corcho" in message["Subject"], "the subject does not name it"
    assert "oportunidad" in message["Subject"], "the subject is not in Spanish"
    assert message["Auto-Submitted"] == "auto-generated", "Auto-Submitted is missing"
    text = message.get_body(("html",)).get_content()
    assert f'"{stage.server.url}/' in text, "the link does not lead to this server"
    firing = luis.call(
        "crm.automation.firing", "search_read",
        [("res_model", "=", "crm.lead"), ("res_id", "=", lead_id)],
        fields=["state", "delivery_state"],
    )  # fmt: skip
    assert [f["state"] for f in firing] == ["done"], f"the log says {firing}"
    assert firing[0]["delivery_state"] == "delivered", f"the log says {firing}"
    yield f"on the wire {seconds:.1f} s after the conversion"
    luis.call("crm.lead", "write", [lead_id], {"expected_revenue": 100})
    _silence(stage, 3, "a later change of the opportunity sent another mail")


def opportunity_created_as_such(stage):
    """An opportunity that never was a lead sends nothing."""
    luis = stage.session("luis")
    luis.call(
        "crm.lead", "create",
        {"name": "Historia: directa", "type": "opportunity", "user_id": luis.uid},
    )  # fmt: skip
    _silence(stage, 3, "a mail was sent")
    yield "nothing was sent, as it should be"


def opportunities_merged(stage):
    """Two opportunities are merged: both salespeople get one mail."""
    ana, luis, marta = stage.session("ana"), stage.session("luis"), stage.session("marta")
    ids = [
        user.call("crm.lead", "create", {"name": name, "type": "opportunity", "user_id": user.uid})
        for user, name in ((luis, "Historia: barricas"), (marta, "Historia: barriles"))
    ]
    ana.call("crm.lead", "merge_opportunity", ids, False, False)
    messages, _seconds = stage.wait_for_notices(2)
    yield from _told(messages, ["luis.ortega@example.com", "marta.gil@example.com"])
    _silence(stage, 3, "more mail after the merge")


def task_for_a_customer(stage):
    """A task is created in a customer's project: the customer gets one mail."""
    ana = stage.session("ana")
    project_id = ana.call("project.project", "search", [("name", "=", "Etiquetas 2027")])[0]
    task_id = ana.call(
        "project.task", "create", {"name": "Historia: boceto", "project_id": project_id}
    )
    messages, _seconds = stage.wait_for_notices(1)
    yield from _told(messages, ["compras@bodegas-ribera.example.com"])
    ana.call("project.task", "write", [task_id], {"name": "Historia: boceto final"})
    _silence(stage, 3, "mail for a task that is only changed")


def meeting_in_five_minutes(stage):
    """A meeting is booked that begins in four minutes: all attendees are reminded at once."""
    luis, marta = stage.session("luis"), stage.session("marta")
    partners = [
        user.call("res.users", "read", [user.uid], ["partner_id"])[0]["partner_id"][0]
        for user in (luis, marta)
    ]
    start = datetime.now(timezone.utc) + timedelta(minutes=4)
    values = {
        "name": "Historia: cata",
        "start": f"{start:%Y-%m-%d %H:%M:%S}",
        "stop": f"{start + timedelta(hours=1):%Y-%m-%d %H:%M:%S}",
        "partner_ids": [(6, 0, partners)],
    }
    event_id = luis.call("calendar.event", "create", values)
    messages, _seconds = stage.wait_for_notices(2)
    yield from _told(messages, ["luis.ortega@example.com", "marta.gil@example.com"])
    zones = {
        m["X-Envelope-To"]: zone for m in messages for zone in ("Europe/Madrid", "Atlantic/Canary")
        if zone in m.get_body(("plain",)).get_content()
    }  # fmt: skip
    assert zones == {
        "luis.ortega@example.com": "Europe/Madrid",
        "marta.gil@example.com": "Atlantic/Canary",
    }, f"the time zones are {zones}"
    luis.call("calendar.event", "write", [event_id], {"location": "Bodega"})
    time.sleep(3)
    assert not stage.notices(), "reminded twice"


def leave_request(stage):
    """Somebody asks for leave: who approves it gets the mail. The rule comes from its recipe."""
    admin, luis, marta = stage.session("admin"), stage.session("luis"), stage.session("marta")
    if not admin.call("ir.model", "search", [("model", "=", "hr.leave")]):
        yield "the leave app is not installed: nothing to play"
        return
    recipe = admin.call("crm.automation.recipe", "search", [("model_name", "=", "hr.leave")])[0]
    wizard = admin.call("crm.automation.recipe.use", "create", {"recipe_id": recipe})
    admin.call("crm.automation.recipe.use", "action_create_and_enable", [wizard])
    officers = admin.call("ir.model.data", "check_object_reference", "hr_holidays",
                          "group_hr_holidays_user")[1]  # fmt: skip
    admin.call("res.users", "write", [marta.uid], {"group_ids": [(4, officers)]})
    employee = admin.call(
        "hr.employee",
        "create",
        {"name": "Luis Ortega", "user_id": luis.uid, "leave_manager_id": marta.uid},
    )
    kind = admin.call(
        "hr.leave.type",
        "create",
        {
            "name": "Historia: asuntos propios",
            "requires_allocation": False,
            "leave_validation_type": "manager",
        },
    )
    stage.mail()
    day = datetime.now(timezone.utc).date()
    day += timedelta(days=14 - day.weekday())
    luis.call(
        "hr.leave",
        "create",
        {
            "name": "Historia: vacaciones",
            "holiday_status_id": kind,
            "employee_id": employee,
            "request_date_from": str(day),
            "request_date_to": str(day),
        },
    )
    messages, _seconds = stage.wait_for_notices(1)
    yield from _told(messages, ["marta.gil@example.com"])


def broken_address(stage):
    """A salesperson without an address: the conversion works, the log says why no mail."""
    ana, admin = stage.session("ana"), stage.session("admin")
    marta_id = ana.call("res.users", "search", [("login", "=", "marta")])[0]
    admin.call("res.users", "write", [marta_id], {"email": False})
    lead_id = ana.call(
        "crm.lead", "create", {"name": "Historia: sin correo", "type": "lead", "user_id": marta_id}
    )
    ana.call("crm.lead", "convert_opportunity", [lead_id], False)
    deadline = time.monotonic() + 30
    firing = []
    while time.monotonic() < deadline and not (firing and firing[0]["state"] != "pending"):
        time.sleep(0.3)
        firing = ana.call(
            "crm.automation.firing", "search_read",
            [("res_model", "=", "crm.lead"), ("res_id", "=", lead_id)],
            fields=["state", "reason"],
        )  # fmt: skip
    admin.call("res.users", "write", [marta_id], {"email": "marta.gil@example.com"})
    assert firing and firing[0]["state"] == "skipped", f"the log says {firing}"
    assert "Marta Gil" in firing[0]["reason"], f"the reason names nobody: {firing[0]['reason']}"
    _silence(stage, 2, "a mail was sent")
    yield f"nothing was sent: {firing[0]['reason']}"


STORIES = (
    lead_becomes_opportunity,
    opportunity_created_as_such,
    opportunities_merged,
    task_for_a_customer,
    meeting_in_five_minutes,
    leave_request,
    broken_address,
)


def play(server):
    """Play all stories; print PASS or FAIL for each. :return: True when all pass"""
    stage = Stage(server)
    good = True
    for story in STORIES:
        try:
            for line in story(stage):
                print(f"  {line}", flush=True)
        except Exception as error:  # noqa: BLE001 - a story that breaks has failed, with its reason
            good = False
            reason = " ".join(str(error).split())[-300:]
            print(f"STORY {story.__name__} FAIL {type(error).__name__}: {reason}", flush=True)
        else:
            print(f"STORY {story.__name__} PASS", flush=True)
    return good
