"""What the people of the soak have in common: they act until it ends, and keep count.

An act that got no answer may have been done or not. A lane does it again with the same
words, which counts once, or asks at the end what has become of it.
"""

import collections
import re
import threading
import time
import traceback
import xmlrpc.client
from random import Random

from .chaos_run import NO_ANSWER
from .rpc import Session

#: Names what a mail is about: a letter for its kind, a number, a letter for each move.
KEY = re.compile(r"\bSoak-[a-z]-\d+[a-z]*\b")
#: Seconds before a moment in which nobody can know whether a change came in time.
MARGIN = 5
#: Seconds that an answer is waited for.
PATIENCE = 180
#: Errors in a row after which an act is given up.
MAX_FAULTS = 30


class Stopped(Exception):
    """The soak was ended while there was no answer."""


class Lane(threading.Thread):
    """:param soak: the whole, with the server and the ends
    :param str name: of the lane, for the report
    """

    #: seconds between two acts, at random
    PACE = (1, 3)

    def __init__(self, soak, name):
        super().__init__(name=name, daemon=True)
        self.soak = soak
        self.random = Random(f"{soak.options.seed} {name}")
        self.counts = collections.Counter()
        #: errors that Odoo has answered with, by their last lines
        self.faults = collections.Counter()
        #: what was not as it had to be
        self.wrong = []

    def session(self, login):
        return Session(self.soak.server.url, self.soak.database, login, login, PATIENCE)

    def prepare(self):
        """What there has to be before anybody acts. Nothing is killed meanwhile."""

    def act(self):
        """One thing that is done."""
        raise NotImplementedError

    def settle(self):
        """After the last act, while Odoo works off what is left."""

    def judge(self, letters):
        """Note in ``wrong`` what is not as it has to be.

        :param list letters: all mails that were sent
        """

    def run(self):
        while not self.soak.ended.wait(self.random.uniform(*self.PACE)):
            self.guarded(self.act)

    def guarded(self, work, *args):
        try:
            work(*args)
        except Stopped:
            self.counts["stopped"] += 1
        except Exception:  # noqa: BLE001 - the report says it
            self.wrong.append(traceback.format_exc())

    def until_answered(self, call, *args):
        """Do again what got no answer, or an error that another try may mend.

        :raises Stopped: when the soak is over before
        """
        faults = 0
        while not self.soak.over.is_set():
            try:
                return call(*args)
            except xmlrpc.client.Fault as error:
                faults += 1
                self.note_fault(error)
                if faults > MAX_FAULTS:
                    raise
            except NO_ANSWER:
                self.counts["no answer"] += 1
            time.sleep(0.5)
        raise Stopped

    def note_fault(self, error):
        self.faults[str(error.faultString).strip().splitlines()[-1][:200]] += 1


class MailLane(Lane):
    """One whose acts let Odoo write mails.

    ``expected`` has for each key how many different mails there may be, at least and
    at most; ``moments`` when the first may come, in seconds since 1970.
    """

    #: what the subjects of its mails look like, before the key
    SUBJECT = re.compile("")

    def __init__(self, soak, name):
        super().__init__(soak, name)
        self.expected, self.moments = {}, {}
        #: keys to what is to be there if the record is, which nobody has said
        self.unknown = {}
        self.number = 0

    def key(self, kind):
        self.number += 1
        return f"Soak-{kind}-{self.number}"

    def key_of(self, letter):
        """Which of the expected mails a letter is; None: none of this lane's."""
        found = KEY.search(letter.subject)
        if not found or not self.SUBJECT.match(letter.subject):
            return None
        return found[0]

    def own(self, letters):
        """The letters of this lane, by their keys."""
        found = collections.defaultdict(list)
        for letter in letters:
            if (key := self.key_of(letter)) and self.is_mine(key):
                found[key].append(letter)
        return found

    def is_mine(self, key):
        raise NotImplementedError

    def judge(self, letters):
        found = self.own(letters)
        for key in self.expected.keys() | found.keys():
            least, most = self.expected.get(key, (0, 0))
            different = {letter.message_id for letter in found[key]}
            if not least <= len(different) <= most:
                self.wrong.append(f"{key}: {len(different)} mails, expected {least} to {most}")
            moment = self.moments.get(key, 0)
            if any(letter.at < moment - 1 for letter in found[key]):
                self.wrong.append(f"{key}: came before its moment")

    def lateness(self, letters):
        """Seconds after its moment of each letter that had one, in order."""
        found = self.own(letters)
        return sorted(
            min(letter.at for letter in some) - self.moments[key]
            for key, some in found.items() if key in self.moments
        )  # fmt: skip


def told_in_time(moment):
    """Whether what was just answered was done before a moment for certain."""
    return time.time() < moment - MARGIN


def utc(seconds):
    """A moment as Odoo's external interface has it."""
    return time.strftime("%Y-%m-%d %H:%M:%S", time.gmtime(seconds))
