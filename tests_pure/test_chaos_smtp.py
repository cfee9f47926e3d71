"""The mail server of ./dev/chaos: what it claims to have received is what it has."""

import smtplib
import sys
from email.message import EmailMessage
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "dev"))

from devtools import chaos_smtp  # noqa: E402
from devtools.chaos_smtp import ChaosSmtp  # noqa: E402


@pytest.fixture
def server(monkeypatch):
    monkeypatch.setattr(chaos_smtp, "STALL", (0, 0.01))
    servers = []

    def make(scale):
        servers.append(ChaosSmtp(0, seed=7, scale=scale))
        servers[-1].start()
        return servers[-1]

    yield make
    for one in servers:
        one.stop()


def send(server, number):
    """Send one mail. :return: None when it was taken, else what went wrong"""
    message = EmailMessage()
    message["From"], message["To"] = "a@example.com", "b@example.com"
    message["Subject"], message["Message-ID"] = f"Notice {number}", f"<{number}@example.com>"
    message.set_content("Text\n.dot\n")
    try:
        with smtplib.SMTP("127.0.0.1", server.port, timeout=5) as smtp:
            smtp.send_message(message)
    except (smtplib.SMTPException, ConnectionError) as error:
        return error
    return None


def test_without_faults_everything_arrives_once(server):
    calm = server(0)
    assert [send(calm, number) for number in range(20)] == [None] * 20
    assert [letter[:3] for letter in calm.received] == [
        (f"<{number}@example.com>", f"Notice {number}", "b@example.com") for number in range(20)
    ]
    assert not calm.faults


def test_a_mail_is_known_when_taken_or_cut_after_it_was_received(server):
    rough = server(5)
    answers = {number: send(rough, number) for number in range(300)}
    taken = {f"<{number}@example.com>" for number, error in answers.items() if error is None}
    arrived = [letter.message_id for letter in rough.received]
    assert len(arrived) == len(set(arrived))
    assert len(set(arrived) - taken) == rough.cut_after_data > 0
    assert taken <= set(arrived)
    every = {f"{step} {kind}" for step, kinds in chaos_smtp.FAULTS.items() for kind in kinds}
    assert set(rough.faults) == every, "some faults never struck"
