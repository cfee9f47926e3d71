"""Calendar programs: each has a calendar of its own, and all write into a shared one.

Each write is on condition. Into its own calendar a program writes alone, so it knows what
must be there. In the shared one an object holds the words of all who have written it: each
reads it, adds a word, and writes it back if nobody was faster. So a word whose writing was
acknowledged must be in it for ever, whatever happened to the server meanwhile.
"""

import threading
import time

from .chaos_run import NO_ANSWER
from .dav_client import Answer, values
from .soak_lane import Lane, Stopped

HOME = "/caldav/calendars/luis/"
#: Objects of an own calendar, of the shared one, and words of an object of the latter.
OWN, SHARED, WORDS = 25, 3, 40
#: Answers that say: come again.
LATER = (429, 502, 503)
EVENT = "\r\n".join(
    (
        "BEGIN:VCALENDAR", "VERSION:2.0", "PRODID:-//soak//EN", "BEGIN:VEVENT", "UID:{uid}",
        "DTSTAMP:20270101T000000Z", "SEQUENCE:{count}", "DTSTART:20270301T100000Z",
        "DTEND:20270301T110000Z", "SUMMARY:{uid} v{count}", "LOCATION:{words}",
        "X-SOAK;A=1:v{count}", "END:VEVENT", "END:VCALENDAR", "",
    )
)  # fmt: skip


class Shared:
    """What is known of the words of the shared calendar."""

    def __init__(self):
        self.lock = threading.Lock()
        #: words whose writing was acknowledged, and those of which nobody knows
        self.told, self.unsure = set(), set()
        #: words of objects that were deleted
        self.retired = set()

    def note(self, words, name):
        with self.lock:
            getattr(self, name).update(words)


class Program(Lane):
    """:param int number: which of them
    :param Shared shared: what all of them know
    :param client: a DavClient of Luis
    """

    PACE = (0.5, 2)

    def __init__(self, soak, number, shared):
        super().__init__(soak, f"program {number}")
        self.shared, self.tag = shared, f"p{number}"
        self.paths = {"own": f"{HOME}soak-{number}/", "shared": f"{HOME}soak-shared/"}
        self.tokens = dict.fromkeys(self.paths, "")
        #: what it has been told: calendar to name to (ETag, text)
        self.mirror = {calendar: {} for calendar in self.paths}
        #: what must be in the own calendar: name to (count, ETag)
        self.model = {}
        self.number = 0

    def prepare(self):
        self.client = self.soak.client("luis")
        paths = ["own"] + (["shared"] if self.tag == "p0" else [])
        for calendar in paths:
            answer = self.client.ask("MKCALENDAR", self.paths[calendar])
            assert answer.status == 201, answer

    def act(self):
        self.random.choice(
            (self.make, self.change, self.change, self.delete, self.share, self.share, self.look)
        )()

    def ask(self, call, *args):
        """An answer, asked for until there is one.

        :return: (answer, whether there may have been one before that got lost)
        """
        is_again = False
        while not self.soak.over.is_set():
            try:
                answer = call(*args)
            except NO_ANSWER:
                self.counts["no answer"] += 1
                is_again = True
            else:
                if not isinstance(answer, Answer):
                    return answer, is_again
                self.counts[f"answered {answer.status}"] += 1
                if answer.status not in LATER:
                    return answer, is_again
            time.sleep(0.5)
        raise Stopped

    # --- Its own calendar

    def text(self, uid, count, words=""):
        return EVENT.format(uid=uid, count=count, words=words)

    def get(self, path):
        return self.ask(self.client.ask, "GET", path)[0]

    def make(self):
        if len(self.model) >= OWN:
            self.delete()
            return
        self.number += 1
        self.put(f"{self.tag}-{self.number}.ics", 0, None)
        self.counts["made"] += 1

    def change(self):
        if not self.model:
            return
        name = self.random.choice(sorted(self.model))
        count, etag = self.model[name]
        self.put(name, count + 1, etag)
        self.counts["changed"] += 1

    def put(self, name, count, etag):
        path = self.paths["own"] + name
        answer, is_again = self.ask(
            self.client.put, path, self.text(name.removesuffix(".ics"), count), etag
        )
        if answer.status not in (201, 204):
            found = self.get(path)
            if not (is_again and answer.status == 412 and self.count_of(name, found) == count):
                self.wrong.append(f"PUT {name} v{count}: {answer}, there is {found}")
        etag = answer.etag or self.get(path).etag
        self.model[name] = count, etag

    def count_of(self, name, answer):
        """Which version an answer holds; None: none, or a torn one."""
        found = {*values(answer.text, "X-SOAK"), *(
            title.rpartition(" ")[2] for title in values(answer.text, "SUMMARY")
        )}  # fmt: skip
        if answer.status != 200 or len(found) != 1:
            return None
        return int(found.pop()[1:])

    def delete(self):
        if not self.model:
            return
        name = self.random.choice(sorted(self.model))
        path = self.paths["own"] + name
        answer, is_again = self.ask(self.client.delete, path, self.model[name][1])
        if answer.status != 204 and not (is_again and answer.status == 404):
            self.wrong.append(f"DELETE {name}: {answer}, there is {self.get(path)}")
        del self.model[name]
        self.counts["deleted"] += 1

    # --- The shared one

    def share(self):
        names = sorted(self.mirror["shared"])
        if len(names) < SHARED:
            self.number += 1
            self.add_word(f"{self.tag}-shared-{self.number}.ics", [], None)
            return
        name = self.random.choice(names)
        found = self.get(self.paths["shared"] + name)
        if found.status == 404:
            self.look()
            return
        words = " ".join(values(found.text, "LOCATION")).split()
        if found.status != 200 or len(words) != len(set(words)):
            self.wrong.append(f"GET {name}: {found}")
        elif len(words) >= WORDS:
            self.retire(name, words, found.etag)
        else:
            self.add_word(name, words, found.etag)

    def add_word(self, name, words, etag):
        self.number += 1
        word = f"{self.tag}.{self.number}"
        path = self.paths["shared"] + name
        self.shared.note({word}, "unsure")
        text = self.text(name.removesuffix(".ics"), len(words), " ".join([*words, word]))
        answer, is_again = self.ask(self.client.put, path, text, etag)
        if answer.status in (201, 204):
            self.shared.note({word}, "told")
            self.counts["words"] += 1
            self.counts["shared made"] += not etag
        elif answer.status == 412:
            self.counts["others were faster"] += not is_again
        elif answer.status != 404:
            self.wrong.append(f"PUT {name} with {word}: {answer}")

    def retire(self, name, words, etag):
        answer, is_again = self.ask(self.client.delete, self.paths["shared"] + name, etag)
        if answer.status == 204 or (answer.status == 404 and is_again):
            self.shared.note(words, "retired")
            self.counts["retired"] += 1
        elif answer.status not in (404, 412):
            self.wrong.append(f"DELETE {name}: {answer}")

    # --- Following the changes

    def look(self):
        for calendar, path in self.paths.items():
            found, _is_again = self.ask(self.client.sync, path, self.tokens[calendar])
            if isinstance(found, Answer):
                self.wrong.append(f"sync of {path} since {self.tokens[calendar]}: {found}")
                self.tokens[calendar], self.mirror[calendar] = "", {}
                continue
            mirror = self.mirror[calendar]
            for name, (_etag, text) in found.changed.items():
                words = " ".join(values(text, "LOCATION")).split()
                before = " ".join(values(mirror.get(name, ("", ""))[1], "LOCATION")).split()
                if words[: len(before)] != before:
                    self.wrong.append(f"{name} had {before}, and has {words}")
            mirror.update(found.changed)
            for name in found.gone:
                mirror.pop(name, None)
            self.tokens[calendar] = found.token
            self.counts["syncs"] += 1
        self.compare()

    def compare(self):
        """What it was told of its own calendar, with what must be there."""
        told = {
            name: self.count_of(name, Answer(200, text, etag))
            for name, (etag, text) in self.mirror["own"].items()
        }
        wanted = {name: count for name, (count, _etag) in self.model.items()}
        if told != wanted:
            self.wrong.append(f"{self.tag} was told {differences(told, wanted)}")

    def settle(self):
        self.look()
        for calendar, path in self.paths.items():
            listed, _is_again = self.ask(self.client.listed, path)
            told = {name: etag for name, (etag, _text) in self.mirror[calendar].items()}
            if listed != told:
                self.wrong.append(f"{path} lists {differences(listed, told)}")
        names = {
            event["name"]
            for event in self.until_answered(
                self.session("luis").call, "calendar.event", "search_read",
                [("name", "=like", f"{self.tag}-%"), ("name", "not like", "-shared-")], ["name"],
            )
        }  # fmt: skip
        wanted = {
            f"{name.removesuffix('.ics')} v{count}" for name, (count, _etag) in self.model.items()
        }
        if names != wanted:
            self.wrong.append(f"Odoo has {names - wanted}, and has not {wanted - names}")

    def judge(self, letters):
        if self.tag != "p0":
            return
        there = {
            word
            for _etag, text in self.mirror["shared"].values()
            for word in " ".join(values(text, "LOCATION")).split()
        }
        shared = self.shared
        if lost := shared.told - there - shared.retired:
            self.wrong.append(f"words that were lost: {sorted(lost)}")
        if foreign := there - shared.unsure:
            self.wrong.append(f"words that nobody wrote: {sorted(foreign)}")


def differences(one, other):
    """Where two dicts differ: name to both values."""
    return {
        name: (one.get(name), other.get(name))
        for name in one.keys() | other.keys()
        if one.get(name) != other.get(name)
    }
