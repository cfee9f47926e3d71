"""The mission's stories, played by users against a running server.

Each story is a generator function: it does what people do, yields what was
sent to whom, and raises AssertionError with the reason where the product does
not keep its word.
"""

import email
import email.policy
import time

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

    def wait_for_mail(self, seconds=30):
        """The messages of the next moment in which there are some; and a little more.

        :raises AssertionError: when none comes
        """
        start = time.monotonic()
        while time.monotonic() - start < seconds:
            if found := self.mail():
                time.sleep(2)
                return found + self.mail(), time.monotonic() - start - 2
            time.sleep(0.1)
        raise AssertionError(f"no mail within {seconds} s")


def _line(message):
    return f"to {message['To']}: {message['Subject']}"


def _silence(stage, seconds, what):
    """Nothing may be sent for some seconds."""
    time.sleep(seconds)
    found = [_line(message) for message in stage.mail()]
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
    messages, seconds = stage.wait_for_mail()
    for message in messages:
        yield _line(message)
    _set([m["X-Envelope-To"] for m in messages], ["luis.ortega@example.com"], "recipients")
    assert len(messages) == 1, f"{len(messages)} mails instead of one"
    message = messages[0]
    assert "Historia: tapones de corcho" in message["Subject"], "the subject does not name it"
    assert "oportunidad" in message["Subject"], "the subject is not in Spanish"
    assert message["Auto-Submitted"] == "auto-generated", "Auto-Submitted is missing"
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
    messages, _seconds = stage.wait_for_mail()
    for message in messages:
        yield _line(message)
    _set(
        [m["X-Envelope-To"] for m in messages],
        ["luis.ortega@example.com", "marta.gil@example.com"],
        "recipients",
    )
    assert len(messages) == 2, f"{len(messages)} mails instead of two"
    _silence(stage, 3, "more mail after the merge")


def task_for_a_customer(stage):
    """A task is created in a customer's project: the customer gets one mail."""
    ana = stage.session("ana")
    project_id = ana.call("project.project", "search", [("name", "=", "Etiquetas 2027")])[0]
    task_id = ana.call(
        "project.task", "create", {"name": "Historia: boceto", "project_id": project_id}
    )
    messages, _seconds = stage.wait_for_mail()
    for message in messages:
        yield _line(message)
    recipients = [m["X-Envelope-To"] for m in messages]
    _set(recipients, ["compras@bodegas-ribera.example.com"], "recipients")
    assert len(messages) == 1, f"{len(messages)} mails instead of one"
    ana.call("project.task", "write", [task_id], {"name": "Historia: boceto final"})
    _silence(stage, 3, "mail for a task that is only changed")


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
