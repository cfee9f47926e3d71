"""A calendar program that measures: what each question costs, and whether its answer is right.

Standard library only, on a kept connection where the server keeps it. Times are from the
first octet written to the last one read, in ms.
"""

import base64
import http.client
import random
import re
import statistics
import time
import uuid
from datetime import date, timedelta
from multiprocessing.pool import ThreadPool
from urllib.parse import quote, urlsplit
from xml.sax.saxutils import escape

NAMES = (
    'xmlns:D="DAV:" xmlns:C="urn:ietf:params:xml:ns:caldav"'
    ' xmlns:CS="http://calendarserver.org/ns/"'
)
#: A Monday. Meetings lie within a year from it; each twentieth is a series of half a year.
FIRST, WEEKS, SERIES = date(2026, 1, 5), 52, 26
#: So many PUTs are timed, at the full size.
TIMED = 200
WORDS = "Agenda: figures of the quarter\\, open points\\, decisions to take. " * 5


class Meeting:
    """One of many, always the same for the same number."""

    def __init__(self, number, tag):
        rng = random.Random(number)
        self.uid = f"{tag}-{number}@bench.example"
        self.name = f"{tag}-{number}.ics"
        self.day = FIRST + timedelta(weeks=rng.randrange(WEEKS), days=rng.randrange(5))
        self.hour = rng.randrange(8, 17)
        self.repeats = number % 20 == 7
        self.sequence = 0

    @property
    def days(self):
        if not self.repeats:
            return [self.day]
        days = [self.day + timedelta(weeks=week) for week in range(SERIES)]
        return days[:3] + days[4:]

    def text(self):
        def at(day, hour):
            return f"{day:%Y%m%d}T{hour:02}0000Z"

        lines = [
            "BEGIN:VCALENDAR", "VERSION:2.0", "PRODID:-//bench//EN", "BEGIN:VEVENT",
            f"UID:{self.uid}", "DTSTAMP:20260101T000000Z", f"SEQUENCE:{self.sequence}",
            f"DTSTART:{at(self.day, self.hour)}", f"DTEND:{at(self.day, self.hour + 1)}",
            f"SUMMARY:Customer call {self.uid}", f"DESCRIPTION:{WORDS}",
            "ORGANIZER:mailto:olga@organizer.example",
            *(f"ATTENDEE;PARTSTAT=NEEDS-ACTION:mailto:p{n}@bench.example" for n in range(3)),
        ]  # fmt: skip
        if self.repeats:
            gone = at(self.day + timedelta(weeks=3), self.hour)
            lines += [f"RRULE:FREQ=WEEKLY;COUNT={SERIES}", f"EXDATE:{gone}"]
        lines += ["BEGIN:VALARM", "ACTION:DISPLAY", "DESCRIPTION:x", "TRIGGER:-PT15M",
                  "END:VALARM", "END:VEVENT", "END:VCALENDAR", ""]  # fmt: skip
        return "\r\n".join(re.sub("(.{70})(?=.)", r"\1\r\n ", line) for line in lines)


class Program:
    """:param str url: of the server; user and secret for it

    After :meth:`run`, ``times`` has the median of each question, ``checks`` what was right.
    """

    def __init__(self, url, user, secret):
        parts = urlsplit(url)
        self.host, self.root = parts.netloc, parts.path
        token = base64.b64encode(f"{user}:{secret}".encode()).decode()
        self.headers = {"Authorization": f"Basic {token}"}
        self.times, self.checks = {}, {}
        self.tag = uuid.uuid4().hex[:8]
        self.connection = None

    # --- Asking

    def ask(self, method, path, body="", **headers):
        """(status, text, ms)"""
        headers = {name.replace("_", "-"): value for name, value in headers.items()}
        start = time.perf_counter()
        for is_last in (False, True):
            connection = self.connection or http.client.HTTPConnection(self.host, timeout=300)
            try:
                connection.request(method, path, body.encode(), {**self.headers, **headers})
                answer = connection.getresponse()
                text = answer.read().decode()
                break
            except (http.client.HTTPException, OSError):
                connection.close()
                self.connection = None
                if is_last:
                    raise
        self.connection = None if answer.will_close else connection
        return answer.status, text, (time.perf_counter() - start) * 1000

    def timed(self, what, number, act):
        """Take the median of some answers; the last one is returned."""
        answers = [act(turn) for turn in range(number)]
        self.times[what] = statistics.median(answer[2] for answer in answers)
        return answers[-1]

    def check(self, what, is_right):
        self.checks[what] = self.checks.get(what, True) and bool(is_right)

    def propfind(self, path, props, depth):
        body = f"<D:propfind {NAMES}><D:prop>{props}</D:prop></D:propfind>"
        return self.ask("PROPFIND", path, body, Depth=depth, Content_Type="application/xml")

    def report(self, body, depth="1"):
        return self.ask("REPORT", self.path, body, Depth=depth, Content_Type="application/xml")

    def query(self, props, inner=""):
        return self.report(
            f"<C:calendar-query {NAMES}><D:prop>{props}</D:prop><C:filter>"
            f'<C:comp-filter name="VCALENDAR"><C:comp-filter name="VEVENT">{inner}'
            "</C:comp-filter></C:comp-filter></C:filter></C:calendar-query>"
        )

    def put(self, meeting):
        meeting.sequence += 1
        return self.ask("PUT", self.path + meeting.name, meeting.text(),
                        Content_Type="text/calendar; charset=utf-8")  # fmt: skip

    def sync(self, token):
        """(names that have changed, names that are gone, next token, ms); None where a
        server has no sync-collection"""
        status, text, took = self.report(
            f"<D:sync-collection {NAMES}><D:sync-token>{escape(token)}</D:sync-token>"
            "<D:sync-level>1</D:sync-level><D:prop><D:getetag/></D:prop></D:sync-collection>", "0",
        )  # fmt: skip
        if status != 207:
            return None
        changed, gone = set(), set()
        for one in re.split(r"<(?:\w+:)?response[ >]", text)[1:]:
            [name] = re.findall(r"([^/<>]*)/?</(?:\w+:)?href>", one)[:1]
            (gone if " 404 " in one and "getetag>" not in one else changed).add(name)
        [token] = re.findall(r"sync-token>([^<]*)</(?:\w+:)?sync-token", text)
        return changed, gone, token, took

    # --- The run

    def run(self, number, fill=None):
        """
        :param int number: of meetings
        :param fill: puts meetings into the calendar at a path; else this program does, two at
            a time
        """
        self.tag = uuid.uuid4().hex[:8]
        self._make_calendar()
        meetings = [Meeting(turn, self.tag) for turn in range(number)]
        # Only the last ones are timed.
        if fill:
            fill(meetings[:-TIMED], self.path)
        else:
            self._fill(meetings[:-TIMED])
        took = [self.put(meeting) for meeting in meetings[-TIMED:]]
        self.check("every PUT is taken", all(one[0] in (201, 204) for one in took))
        self.times["PUT new"] = statistics.median(one[2] for one in took)
        rng = random.Random(7)
        self.timed("PUT over", 30, lambda _turn: self.put(rng.choice(meetings)))
        self._reads(meetings, rng)
        self._queries(meetings, rng)
        self._syncs(meetings)
        self._mixed(meetings)
        victims = meetings[:60]
        gone = self.timed("DELETE", len(victims), lambda turn: self.ask(
            "DELETE", self.path + victims[turn].name))  # fmt: skip
        self.check("DELETE", gone[0] in (200, 204))
        self.check("gone is gone", self.ask("GET", self.path + victims[0].name)[0] == 404)
        self.ask("DELETE", self.path)

    def _fill(self, meetings, connections=2):
        def put(share):
            other = Program(f"http://{self.host}{self.root}", "", "")
            other.headers, other.path = self.headers, self.path
            return [other.put(meeting)[0] for meeting in share]

        with ThreadPool(connections) as pool:
            shares = [meetings[turn::connections] for turn in range(connections)]
            for statuses in pool.map(put, shares):
                self.check("every PUT is taken", {*statuses} <= {201, 204})

    def _make_calendar(self):
        _status, text, _took = self.propfind(self.root, "<D:current-user-principal/>", "0")
        [principal] = re.findall(r"principal>\s*<(?:\w+:)?href>([^<]*)<", text)[:1]
        _status, text, _took = self.propfind(principal, "<C:calendar-home-set/>", "0")
        [home] = re.findall(r"home-set>\s*<(?:\w+:)?href>([^<]*)<", text)[:1]
        self.path = f"{urlsplit(home).path.rstrip('/')}/{self.tag}/"
        assert self.ask("MKCALENDAR", self.path)[0] == 201, "no calendar could be made"

    def _reads(self, meetings, rng):
        got = self.timed("GET", 100, lambda _turn: self.ask(
            "GET", self.path + rng.choice(meetings).name))  # fmt: skip
        self.check("GET", got[0] == 200 and "BEGIN:VALARM" in got[1])
        self.timed("PROPFIND 0", 40, lambda _turn: self.propfind(
            self.path, "<CS:getctag/><D:sync-token/>", "0"))  # fmt: skip
        listed = self.timed("PROPFIND 1", 5, lambda _turn: self.propfind(
            self.path, "<D:getetag/>", "1"))  # fmt: skip
        self.check("PROPFIND 1 has all", listed[1].count(".ics<") == len(meetings))
        some = rng.sample(meetings, min(100, len(meetings)))
        hrefs = "".join(f"<D:href>{self.path}{quote(one.name)}</D:href>" for one in some)
        answer = self.timed("multiget of 100", 10, lambda _turn: self.report(
            f"<C:calendar-multiget {NAMES}><D:prop><D:getetag/><C:calendar-data/></D:prop>"
            f"{hrefs}</C:calendar-multiget>"))  # fmt: skip
        self.check("multiget has all", answer[1].count("END:VCALENDAR") == len(some))

    def _queries(self, meetings, rng):
        start = FIRST + timedelta(weeks=20)
        stop = start + timedelta(weeks=1)
        ends = f'start="{start:%Y%m%d}T000000Z" end="{stop:%Y%m%d}T000000Z"'
        span = f"<C:time-range {ends}/>"
        inside = [sum(start <= day < stop for day in one.days) for one in meetings]
        for what, props, word, number in (
            ("week, etags", "<D:getetag/>", ".ics<", sum(map(bool, inside))),
            ("week, data", "<C:calendar-data/>", "END:VCALENDAR", sum(map(bool, inside))),
            ("week, expanded", f"<C:calendar-data><C:expand {ends}/></C:calendar-data>",
             "END:VEVENT", sum(inside)),
        ):  # fmt: skip
            answer = self.timed(what, 10, lambda _turn, props=props: self.query(props, span))
            self.check(what, answer[1].count(word) == number)
        answer = self.timed("query, all", 5, lambda _turn: self.query("<D:getetag/>"))
        self.check("query, all", answer[1].count(".ics<") == len(meetings))
        one = rng.choice(meetings)
        match = f'<C:text-match collation="i;octet">{one.uid}</C:text-match>'
        match = f'<C:prop-filter name="UID">{match}</C:prop-filter>'
        answer = self.timed("query by UID", 10, lambda _turn: self.query(
            "<C:calendar-data/>", match))  # fmt: skip
        self.check("query by UID", f"UID:{one.uid}" in answer[1])

    def _syncs(self, meetings):
        found = [self.sync("") for _turn in range(5)]
        if None in found:
            return
        self.times["sync, initial"] = statistics.median(one[3] for one in found)
        names, _gone, token, _took = found[-1]
        self.check("sync has all", names >= {one.name for one in meetings})
        found = [self.sync(token) for _turn in range(10)]
        self.times["sync, idle"] = statistics.median(one[3] for one in found)
        self.check("sync, idle", not (found[-1][0] | found[-1][1]))
        took = []
        for turn in range(3):
            for meeting in meetings[turn * 10 : turn * 10 + 10]:
                self.put(meeting)
            names, _gone, token, ms = self.sync(token)
            took.append(ms)
            self.check("sync, 10 changes", {one for one in names if one.endswith(".ics")} == {
                one.name for one in meetings[turn * 10 : turn * 10 + 10]})  # fmt: skip
        self.times["sync, 10 changes"] = statistics.median(took)

    def _mixed(self, meetings, seconds=8, connections=4):
        """Requests a second of several programs at once: ``mixed``."""

        def read(seed):
            other = Program(f"http://{self.host}{self.root}", "", "")
            other.headers, other.path = self.headers, self.path
            rng, done = random.Random(seed), 0
            end = time.perf_counter() + seconds
            while time.perf_counter() < end:
                if rng.random() < 0.6:
                    answer = other.ask("GET", self.path + rng.choice(meetings).name)
                else:
                    answer = other.propfind(self.path, "<CS:getctag/><D:sync-token/>", "0")
                done += answer[0] in (200, 207)
            return done

        with ThreadPool(connections) as pool:
            self.mixed = sum(pool.map(read, range(connections))) / seconds
