"""Many programs at once on one calendar: no lost update, no missed change, no torn object."""

import os
import random
import re
import threading
import time

import pytest

from caldav_account import EVENT, Account, forget_meetings, running

LONG = bool(os.environ.get("CRM_AUTOMATION_LONG"))
SECONDS = 300 if LONG else 15
WRITERS, READERS, OBJECTS = 6, 2, 3
SYNC = (
    '<D:sync-collection xmlns:D="DAV:" xmlns:C="urn:ietf:params:xml:ns:caldav"><D:sync-token>{}'
    "</D:sync-token><D:sync-level>1</D:sync-level><D:prop><D:getetag/><C:calendar-data/></D:prop>"
    "</D:sync-collection>"
)


@pytest.fixture(scope="module")
def account(tmp_path_factory, registry):
    forget_meetings()
    with running(tmp_path_factory.mktemp("log") / "odoo.log", workers=4) as found:
        yield found


def text(name, count):
    """An object whose count stands in it twice."""
    return EVENT.format(uid=name, summary=f"Count {count}").replace("X-A;B=1:kept", f"X-A:{count}")


def counts(told):
    """The counts that stand in an object."""
    return set(re.findall(r"(?:SUMMARY:Count |X-A:)(\d+)", told))


class Writer(threading.Thread):
    """Counts on, if nobody else has: reads, adds one, and writes on condition."""

    def __init__(self, account, seed, end):
        super().__init__()
        self.account = Account(account.url, account.key)
        self.rng, self.end = random.Random(seed), end
        self.done = dict.fromkeys(range(OBJECTS), 0)
        self.wrong = []

    def run(self):
        while time.monotonic() < self.end:
            number = self.rng.randrange(OBJECTS)
            path = f"{self.account.agenda}o{number}.ics"
            status, told, headers = self.account.ask_all("GET", path)
            found = counts(told)
            if status != 200 or len(found) != 1:
                self.wrong.append((status, told))
                continue
            count = int(found.pop()) + 1
            status, told, _headers = self.account.ask_all(
                "PUT", path, text(f"o{number}", count), If_Match=headers["ETag"],
                Content_Type="text/calendar",
            )  # fmt: skip
            if status == 204:
                self.done[number] += 1
            elif status != 412:
                self.wrong.append((status, told))


class Reader(threading.Thread):
    """Follows the changes by tokens, and keeps what it was told last."""

    def __init__(self, account, end):
        super().__init__()
        self.account, self.end = Account(account.url, account.key), end
        self.token, self.seen, self.wrong = "", {}, []

    def run(self):
        while time.monotonic() < self.end:
            self.look()

    def look(self):
        status, told = self.account.ask(
            "REPORT", self.account.agenda, SYNC.format(self.token), Depth="0"
        )
        if status != 207:
            self.wrong.append((status, told))
            return
        for one in told.split("<D:response>")[1:]:
            name = re.search(r"/([^/<]+)</D:href>", one)[1]
            found = counts(one)
            if len(found) != 1 or int(min(found)) < self.seen.get(name, 0):
                self.wrong.append((name, found, self.seen.get(name)))
            self.seen[name] = int(min(found, default="0"))
        self.token = re.search(r"<D:sync-token>([^<]*)</D:sync-token>\s*</D:multistatus>", told)[1]


def test_counting_together(account):
    for number in range(OBJECTS):
        status, told = account.ask(
            "PUT", f"{account.agenda}o{number}.ics", text(f"o{number}", 0),
            Content_Type="text/calendar",
        )  # fmt: skip
        assert status == 201, told
    end = time.monotonic() + SECONDS
    writers = [Writer(account, seed, end) for seed in range(WRITERS)]
    readers = [Reader(account, end) for _ in range(READERS)]
    for thread in [*writers, *readers]:
        thread.start()
    for thread in [*writers, *readers]:
        thread.join(SECONDS + 120)
    assert not [wrong for thread in [*writers, *readers] for wrong in thread.wrong][:3]
    last = {}
    for number in range(OBJECTS):
        [count] = counts(account.text(f"o{number}"))
        last[f"o{number}.ics"] = int(count)
        # Each that was told "done" counts once.
        assert int(count) == sum(writer.done[number] for writer in writers)
    assert sum(last.values()) > OBJECTS
    for reader in readers:
        reader.look()
        assert not reader.wrong
        assert reader.seen == last


class Stubborn(threading.Thread):
    """Writes one object again and again, whatever others do."""

    def __init__(self, account, number):
        super().__init__()
        self.account, self.number = Account(account.url, account.key), number
        self.answers = []

    def run(self):
        for turn in range(4):
            status, told, headers = self.account.ask_all(
                "PUT", f"{self.account.agenda}same.ics", text("same", self.number * 100 + turn),
                Content_Type="text/calendar",
            )  # fmt: skip
            self.answers.append((status, headers.get("Retry-After"), told))


def test_eight_at_one_object(account):
    """Each of them is done, in its turn; nothing of one is in another's."""
    threads = [Stubborn(account, number) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(300)
    answers = [answer for thread in threads for answer in thread.answers]
    assert len(answers) == 32
    for status, retry, told in answers:
        assert status in (201, 204), (status, retry, told)
    assert sum(status == 201 for status, _retry, _told in answers) == 1
    assert len(counts(account.text("same"))) == 1
    assert account.ask("DELETE", f"{account.agenda}same.ics")[0] == 204


class Filler(threading.Thread):
    """Puts many objects there, as a program does that fills a calendar by a few connections."""

    def __init__(self, account, number):
        super().__init__()
        self.account, self.number = Account(account.url, account.key), number
        self.statuses = []

    def run(self):
        for turn in range(40):
            name = f"fill-{self.number}-{turn}"
            status, _told = self.account.ask(
                "PUT", f"{self.account.agenda}{name}.ics", text(name, turn),
                Content_Type="text/calendar",
            )  # fmt: skip
            self.statuses.append(status)


def test_a_calendar_is_filled_by_several_connections(account):
    threads = [Filler(account, number) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(300)
    assert [status for thread in threads for status in thread.statuses] == [201] * 160
