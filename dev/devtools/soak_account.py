"""A user whose agenda is kept in step with Radicale, edited on both sides.

Some meetings are edited in Odoo only, some there only: of these it is known what both
sides must have at the end. The others are edited on both sides, also at once: both must
have the same, and something that was written.
"""

import time
import xmlrpc.client

from .chaos_run import NO_ANSWER
from .dav_client import DavClient, values
from .soak_lane import Lane

PATH = "/marta/soak/"
#: Meetings of each of the three kinds.
MANY = 12
#: Seconds between two times that Odoo is told to ask the server.
ASK = (10, 40)
#: Seconds that both sides have to become equal at the end.
SETTLE = 600
EVENT = "\r\n".join(
    (
        "BEGIN:VCALENDAR", "VERSION:2.0", "PRODID:-//elsewhere//EN", "BEGIN:VEVENT", "UID:{uid}",
        "DTSTAMP:20270101T000000Z", "SEQUENCE:{sequence}", "LAST-MODIFIED:{stamp}",
        "DTSTART:20270302T090000Z", "DTEND:20270302T100000Z", "SUMMARY:{name}",
        "LOCATION:{word}", "END:VEVENT", "END:VCALENDAR", "",
    )
)  # fmt: skip


class Account(Lane):
    """Marta works in Odoo, and in a program on Radicale.

    :param str url: of Radicale
    """

    PACE = (1, 4)

    def __init__(self, soak, url):
        super().__init__(soak, "account")
        self.url = url
        self.there = DavClient(url.rstrip("/"), "marta", "marta")
        #: name to the word that it must have; None: it must be gone
        self.expected = {}
        #: of those that are edited on both sides: name to all words that were written
        self.either = {}
        #: name to the id in Odoo, as far as it is known
        self.ids = {}
        #: names of what may be in Odoo or not, and of what Radicale has by which address
        self.unknown, self.paths = set(), {}
        self.number = 0
        self.ask_at = 0

    def prepare(self):
        self.marta = self.session("marta")
        answer = self.there.ask("MKCALENDAR", PATH)
        assert answer.status == 201, answer
        [self.account] = self.marta.call(
            "caldav.account", "create",
            [{"name": "Soak", "url": self.url, "login": "marta", "password": "marta",
              "minutes": "5", "brake_count": 10_000}],
        )  # fmt: skip
        self.marta.call("caldav.account", "action_connect", [self.account])
        [calendar] = self.marta.call(
            "caldav.account.calendar", "search",
            [("account_id", "=", self.account), ("url", "like", "/soak/")],
        )  # fmt: skip
        self.marta.call(
            "caldav.account.calendar", "write", [calendar], {"enabled": True, "place": "agenda"}
        )

    def act(self):
        if time.time() > self.ask_at:
            self.ask_at = time.time() + self.random.uniform(*ASK)
            self.until_answered(self.marta.call, "caldav.account", "action_sync", [self.account])
            self.counts["told to ask"] += 1
        self.random.choice((self.act_here, self.act_there, self.act_on_both))()

    def word(self):
        self.number += 1
        return f"w{self.number}"

    def alive(self, kind):
        """Names of the meetings of a kind that must be there."""
        return sorted(
            name for name, word in self.expected.items() if word and name.startswith(kind)
        )

    # --- In Odoo only

    def act_here(self):
        names = self.alive("here")
        if len(names) < 4 or (len(names) < MANY and self.random.random() < 0.4):
            self.make_here(f"here-{self.word()}")
            return
        name = self.random.choice(names)
        if self.random.random() < 0.25:
            self.unlink_here(name)
            self.expected[name] = None
        else:
            word = self.word()
            self.write_here(self.ids[name], word)
            self.expected[name] = word

    def make_here(self, name):
        word = self.word()
        event = {"name": name, "location": word, "start": "2027-03-02 09:00:00",
                 "stop": "2027-03-02 10:00:00"}  # fmt: skip
        self.counts["made in Odoo"] += 1
        try:
            [self.ids[name]] = self.marta.call("calendar.event", "create", [event])
        except NO_ANSWER:
            self.counts["no answer"] += 1
            self.unknown.add((name, word))
            return
        self.expected[name] = word

    def write_here(self, meeting, word):
        values = {"location": word}
        self.until_answered(self.marta.call, "calendar.event", "write", [meeting], values)
        self.counts["edited in Odoo"] += 1

    def unlink_here(self, name):
        self.until_answered(self.unlink, self.ids[name])
        self.counts["deleted in Odoo"] += 1

    def unlink(self, meeting):
        try:
            self.marta.call("calendar.event", "unlink", [meeting])
        except xmlrpc.client.Fault:
            # An earlier try may have done it.
            if self.marta.call("calendar.event", "search_count", [("id", "=", meeting)]):
                raise

    # --- On the other server only

    def act_there(self):
        names = self.alive("there")
        if len(names) < 4 or (len(names) < MANY and self.random.random() < 0.4):
            name = f"there-{self.word()}"
            self.expected[name] = self.make_there(name)
            return
        name = self.random.choice(names)
        if self.random.random() < 0.25:
            self.delete_there(name)
            self.expected[name] = None
        else:
            self.expected[name] = self.edit_there(name)

    def make_there(self, name):
        word = self.word()
        self.paths[name] = f"{PATH}{name}.ics"
        text = EVENT.format(uid=name, sequence=0, stamp=stamp(), name=name, word=word)
        answer = self.there.put(self.paths[name], text)
        assert answer.status == 201, answer
        self.counts["made there"] += 1
        return word

    def edit_there(self, name):
        """Another word for a meeting. :return: it; None if the meeting is gone there"""
        while True:
            found = self.there.ask("GET", self.paths[name])
            if found.status == 404:
                return None
            [old] = values(found.text, "LOCATION")
            word = self.word()
            text = found.text.replace(f"LOCATION:{old}", f"LOCATION:{word}")
            assert text != found.text, found
            answer = self.there.put(self.paths[name], text, found.etag)
            if answer.status in (201, 204):
                self.counts["edited there"] += 1
                return word
            assert answer.status in (404, 412), answer

    def delete_there(self, name):
        while True:
            found = self.there.ask("GET", self.paths[name])
            if found.status == 404:
                return
            answer = self.there.delete(self.paths[name], found.etag)
            if answer.status in (200, 204):
                self.counts["deleted there"] += 1
                return
            assert answer.status in (404, 412), answer

    # --- On both sides

    def act_on_both(self):
        if len(self.either) < MANY:
            name = f"both-{self.word()}"
            self.either[name] = {self.make_there(name)}
            return
        name = self.random.choice(sorted(self.either))
        if self.random.random() < 0.5:
            if word := self.edit_there(name):
                self.either[name].add(word)
            return
        if name not in self.ids:
            found = self.until_answered(
                self.marta.call, "calendar.event", "search", [("name", "=", name)]
            )
            if not found:
                # It has not come yet.
                return
            [self.ids[name]] = found
        word = self.word()
        self.either[name].add(word)
        self.write_here(self.ids[name], word)

    # --- The end

    def settle(self):
        for name, word in self.unknown:
            found = self.until_answered(
                self.marta.call, "calendar.event", "search_count", [("name", "=", name)]
            )
            self.counts["settled by a look"] += 1
            self.expected[name] = word if found else None
        end = time.monotonic() + SETTLE
        while time.monotonic() < end:
            self.until_answered(self.marta.call, "caldav.account", "action_sync", [self.account])
            time.sleep(5)
            self.here_has, self.there_has = self.look_here(), self.look_there()
            if self.here_has == self.there_has and not self.differences():
                return

    def look_here(self):
        """Words by names, of Marta's meetings that are to come or were."""
        events = self.until_answered(
            self.marta.call, "calendar.event", "search_read",
            [("user_id", "=", self.marta.uid)], ["name", "location"],
        )  # fmt: skip
        return sorted(
            (event["name"], event["location"] or "") for event in events
            if event["name"].partition("-")[0] in ("here", "there", "both")
        )  # fmt: skip

    def look_there(self):
        found = []
        for name in self.there.listed(PATH):
            text = self.there.ask("GET", PATH + name).text
            [title], words = values(text, "SUMMARY"), values(text, "LOCATION")
            if title.partition("-")[0] in ("here", "there", "both"):
                found.append((title, "".join(words)))
        return sorted(found)

    def differences(self):
        """Sentences about what is in Odoo, and was not to be, or the other way round."""
        found = dict(self.here_has)
        wrong = [
            f"{name} has {found.get(name)}, expected {word}"
            for name, word in self.expected.items() if found.get(name) != word
        ]  # fmt: skip
        wrong += [
            f"{name} has {found.get(name)}, written were {sorted(words)}"
            for name, words in self.either.items() if found.get(name) not in words
        ]  # fmt: skip
        known = self.expected.keys() | self.either.keys()
        return wrong + [f"{name} is there" for name in found.keys() - known]

    def judge(self, letters):
        held = self.soak.watch.query(
            "SELECT hold, count(*) FROM caldav_account_object WHERE hold IS NOT NULL GROUP BY 1"
        )
        if held:
            self.wrong.append(f"objects that wait for somebody: {held}")
        if self.here_has != self.there_has:
            only = [set(self.here_has) - set(self.there_has),
                    set(self.there_has) - set(self.here_has)]  # fmt: skip
            self.wrong.append(f"only in Odoo {only[0]}, only there {only[1]}")
        self.wrong += self.differences()


def stamp():
    return time.strftime("%Y%m%dT%H%M%SZ", time.gmtime())
