"""Leads that are made, converted and dated: each time one mail, and only one."""

import time

from .chaos_run import NO_ANSWER, quiet_leads
from .soak_lane import MailLane, told_in_time, utc

#: Seconds until a date comes.
AHEAD = (20, 150)
#: Of the dates, how many are moved before they come.
MOVED = 0.3
#: Seconds before its date at which a lead is moved, at least.
EARLY = 25


class Rules(MailLane):
    """Luis works with leads; Ana has made three rules about them."""

    PACE = (0.5, 2)

    def __init__(self, soak):
        super().__init__(soak, "rules")
        #: (when it is to be moved, id, key, date)
        self.moves = []

    def is_mine(self, key):
        return key.split("-")[1] in "ncd"

    def prepare(self):
        ana, self.luis = self.session("ana"), self.session("luis")
        model, field = quiet_leads(ana)
        common = {"notify_responsible": True, "enabled": True, "model_id": model}
        ana.call(
            "crm.automation.rule",
            "create",
            [
                {**common, "name": "Soak: new", "trigger": "created", "name_pattern": "^Soak-n-"},
                {**common, "name": "Soak: converted", "trigger": "lead_converted"},
                {**common, "name": "Soak: date", "trigger": "moment", "date_type": "field",
                 "date_field_id": field},
            ],
        )  # fmt: skip

    def act(self):
        for move in [one for one in self.moves if one[0] <= time.time()]:
            self.moves.remove(move)
            self.move(*move[1:])
        self.random.choice((self.make, self.convert, self.date))()

    def lead(self, key, kind):
        """Make a lead. :return: its id; None if nobody knows whether it is there"""
        values = {"name": key, "type": kind, "user_id": self.luis.uid}
        try:
            [lead] = self.luis.call("crm.lead", "create", [values])
        except NO_ANSWER:
            self.counts["no answer"] += 1
            return None
        self.counts["leads"] += 1
        return lead

    def write(self, lead, values):
        self.until_answered(self.luis.call, "crm.lead", "write", [lead], values)

    def make(self):
        key = self.key("n")
        self.expected[key] = (0, 1)
        if self.lead(key, "opportunity"):
            self.expected[key] = (1, 1)
        else:
            self.unknown[key] = True

    def convert(self):
        key = self.key("c")
        lead = self.lead(key, "lead")
        if lead is None:
            return
        self.expected[key] = (0, 1)
        self.write(lead, {"type": "opportunity"})
        self.expected[key] = (1, 1)

    def date(self):
        key = self.key("d")
        lead = self.lead(key, "opportunity")
        if lead is None:
            return
        due = int(time.time() + self.random.uniform(*AHEAD))
        self.expected[key], self.moments[key] = (0, 1), due
        self.write(lead, {"date_conversion": utc(due)})
        self.expected[key] = (1, 1)
        latest = due - EARLY - time.time()
        if latest > 0 and self.random.random() < MOVED:
            self.moves.append((time.time() + self.random.uniform(0, latest), lead, key, due))

    def move(self, lead, key, due):
        """Another date under another name, so that the mails say which date they mean."""
        new_key = f"{key}b"
        new = int(time.time() + self.random.uniform(*AHEAD))
        self.moments[new_key] = min(due, new)
        self.expected[key], self.expected[new_key] = (0, 1), (0, 2)
        self.write(lead, {"name": new_key, "date_conversion": utc(new)})
        self.counts["moved"] += 1
        if told_in_time(due):
            self.expected[key], self.expected[new_key] = (0, 0), (1, 1)
            self.moments[new_key] = new
        else:
            self.counts["moved, perhaps too late"] += 1
            self.expected[new_key] = (1, 2)

    def settle(self):
        for key in self.unknown:
            found = self.until_answered(
                self.luis.call, "crm.lead", "search_count", [("name", "=", key)]
            )
            self.counts["settled by a look"] += 1
            self.expected[key] = (found, found)
