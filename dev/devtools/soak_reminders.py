"""Meetings some minutes ahead, with a reminder by mail for each who takes part.

Some are cancelled or moved before the reminder comes: then there is none, or one at the
new moment.
"""

import re
import time
import xmlrpc.client

from .chaos_run import NO_ANSWER
from .soak_lane import MailLane, told_in_time, utc

#: Minutes from the reminder to the meeting, which lasts some hours.
BEFORE, HOURS = 2, 4
#: Seconds from the booking to the reminder.
AHEAD = (60, 240)
#: Seconds before its reminder at which a meeting is cancelled or moved, at least.
EARLY = 25
GUESTS = 6


class Reminders(MailLane):
    """Ana books meetings with customers."""

    PACE = (2, 6)
    SUBJECT = re.compile("(Reminder|Recordatorio): ")

    def __init__(self, soak):
        super().__init__(soak, "reminders")
        #: (id, key, moment of the reminder, addresses) of what may be cancelled or moved
        self.meetings = []

    def is_mine(self, key):
        return key[0].startswith("Soak-m-")

    def key_of(self, letter):
        word = super().key_of(letter)
        return word and (word, letter.to)

    def prepare(self):
        self.ana, admin = self.session("ana"), self.session("admin")
        [self.alarm] = admin.call(
            "calendar.alarm", "create",
            [{"name": "Soak", "alarm_type": "email", "duration": BEFORE, "interval": "minutes"}],
        )  # fmt: skip
        [own] = self.ana.call("res.users", "read", [self.ana.uid], ["partner_id", "email"])
        self.me = own["partner_id"][0], own["email"]
        guests = [
            {"name": f"Guest {number}", "email": f"guest{number}@soak.example.com"}
            for number in range(GUESTS)
        ]
        ids = self.ana.call("res.partner", "create", guests)
        self.guests = [(key, guest["email"]) for key, guest in zip(ids, guests, strict=True)]

    def act(self):
        now = time.time()
        self.meetings = [one for one in self.meetings if one[2] > now + EARLY]
        if len(self.meetings) > 2 and self.random.random() < 0.4:
            meeting = self.random.choice(self.meetings)
            self.meetings.remove(meeting)
            self.random.choice((self.move, self.move, self.archive, self.delete))(*meeting)
        else:
            self.book()

    def expect(self, key, addresses, moment, least, most):
        for address in addresses:
            self.expected[key, address] = (least, most)
            self.moments[key, address] = moment

    def times(self):
        """(moment of the reminder, when the meeting is, in words of Odoo)"""
        moment = int(time.time() + self.random.uniform(*AHEAD))
        start = moment + BEFORE * 60
        return moment, {"start": utc(start), "stop": utc(start + HOURS * 3600)}

    def book(self):
        key = self.key("m")
        people = [self.me, *self.random.sample(self.guests, self.random.randrange(3))]
        addresses = [address for _partner, address in people]
        moment, times = self.times()
        values = {
            "name": key, **times, "alarm_ids": [(6, 0, [self.alarm])],
            "partner_ids": [(6, 0, [partner for partner, _address in people])],
        }  # fmt: skip
        self.expect(key, addresses, moment, 0, 1)
        try:
            [meeting] = self.ana.call("calendar.event", "create", [values])
        except NO_ANSWER:
            self.counts["no answer"] += 1
            self.unknown[key] = addresses
            return
        self.counts["meetings"] += 1
        self.expect(key, addresses, moment, 1, 1)
        self.meetings.append((meeting, key, moment, addresses))

    def move(self, meeting, key, moment, addresses):
        new, times = self.times()
        new_key = f"{key}b"
        self.expect(key, addresses, moment, 0, 1)
        self.expect(new_key, addresses, min(new, moment), 0, 2)
        values = {"name": new_key, **times}
        self.until_answered(self.ana.call, "calendar.event", "write", [meeting], values)
        self.counts["moved"] += 1
        if told_in_time(moment):
            self.expect(key, addresses, moment, 0, 0)
            self.expect(new_key, addresses, new, 1, 1)
        else:
            self.counts["changed, perhaps too late"] += 1
            self.expect(new_key, addresses, min(new, moment), 1, 2)

    def archive(self, meeting, key, moment, addresses):
        values = {"active": False}
        self.expect(key, addresses, moment, 0, 1)
        self.until_answered(self.ana.call, "calendar.event", "write", [meeting], values)
        self.is_cancelled(key, moment, addresses)

    def delete(self, meeting, key, moment, addresses):
        self.expect(key, addresses, moment, 0, 1)
        self.until_answered(self.unlink, meeting)
        self.is_cancelled(key, moment, addresses)

    def unlink(self, meeting):
        try:
            self.ana.call("calendar.event", "unlink", [meeting])
        except xmlrpc.client.Fault:
            # An earlier try may have done it.
            if self.ana.call("calendar.event", "search_count", [("id", "=", meeting)]):
                raise

    def is_cancelled(self, key, moment, addresses):
        self.counts["cancelled"] += 1
        if told_in_time(moment):
            self.expect(key, addresses, moment, 0, 0)
        else:
            self.counts["changed, perhaps too late"] += 1

    def settle(self):
        for key, addresses in self.unknown.items():
            found = self.until_answered(
                self.ana.call, "calendar.event", "search_count", [("name", "=", key)]
            )
            self.counts["settled by a look"] += 1
            for address in addresses:
                self.expected[key, address] = (found, found)
