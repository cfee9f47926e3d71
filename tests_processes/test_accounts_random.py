"""Both sides edited at random, round after round; a model of what must be there judges.

Each value that is written is one of its own. What both sides have afterwards is compared
with the model, not with each other alone: a value may only be missing if a later one of
the same field has taken its place, and of two at once the one that did not count has to
be kept.
"""

import os
import random
import re

from remote_servers import LONG, event
from test_accounts import account, luis, program, server, sync  # noqa: F401

import session

ROUNDS = int(os.environ.get("ACCOUNT_ROUNDS") or (500 if LONG else 12))
#: Fields of Odoo, and what they are there.
EDITED = {"name": "SUMMARY", "location": "LOCATION"}


class Model:
    """What has to be there, and what may not be forgotten."""

    def __init__(self, seed):
        self.random = random.Random(seed)
        self.count = 0
        #: by UID, the values of the fields
        self.objects = {}
        #: values that lost
        self.lost = set()

    def word(self):
        self.count += 1
        return f"w{self.count:05}"

    def settle(self, before, here, there):
        """What is to be after both sides were edited.

        :param dict before: objects when both agreed
        :param dict here, there: what each has become; None for deleted
        """
        after, either = {}, []
        for uid in before.keys() | here.keys() | there.keys():
            old = before.get(uid)
            one, other = here.get(uid, old), there.get(uid, old)
            if one is None and other is None:
                continue
            if one is None or other is None:
                left = one or other
                if left != old:
                    after[uid] = left
                continue
            merged = {}
            for field in EDITED:
                was = old and old[field]
                mine, yours = one[field], other[field]
                if mine == yours or yours == was:
                    merged[field] = mine
                elif mine == was:
                    merged[field] = yours
                else:
                    merged[field] = None
                    either.append((uid, field, mine, yours))
            after[uid] = merged
        return after, either


class Here:
    """Luis's meetings in Odoo."""

    def all(self):
        with session.environment() as env:
            return {
                one.ical_uid: {field: one[field] or "" for field in EDITED}
                for one in env["calendar.event"].search([("user_id", "=", luis(env).id)])
            }

    def create(self, values):
        with session.environment() as env:
            made = env["calendar.event"].with_user(luis(env)).create(
                {**values, "start": "2027-03-02 09:00:00", "stop": "2027-03-02 10:00:00"}
            )  # fmt: skip
            return made.ical_uid

    def edit(self, uid, values):
        with session.environment() as env:
            self._find(env, uid).write(values)

    def delete(self, uid):
        with session.environment() as env:
            self._find(env, uid).unlink()

    def _find(self, env, uid):
        found = env["calendar.event"].search(
            [("ical_uid", "=", uid), ("user_id", "=", luis(env).id)]
        )  # fmt: skip
        assert len(found) == 1
        return found.with_user(luis(env))


class There:
    """What the other server has."""

    def __init__(self, remote):
        self.program = remote
        self.stamp = 0

    def _read(self):
        found = {}
        for name, text in self.program.texts().items():
            text = text.replace("\r\n ", "").replace("\r", "")
            assert text.count("BEGIN:VEVENT") == 1, text
            values = {
                field: (re.findall(rf"^{line}(?:;[^:]*)?:(.*)$", text, re.M) or [""])[0].strip()
                for field, line in EDITED.items()
            }
            uid = re.search(r"^UID:(.*)$", text, re.M)[1].strip()
            assert uid not in found, "it is there twice"
            found[uid] = name, text, values
        return found

    def all(self):
        return {uid: values for uid, (_name, _text, values) in self._read().items()}

    def create(self, uid, values):
        more = f"LOCATION:{values['location']}\r\n"
        self.program.put(f"x-{uid}.ics", event(uid, values["name"], more=more))

    def edit(self, uid, values):
        name, text, _values = self._read()[uid]
        for field, value in values.items():
            line = EDITED[field]
            text = re.sub(rf"^{line}[;:].*\n", "", text, flags=re.M)
            text = text.replace("END:VEVENT", f"{line}:{value}\nEND:VEVENT")
        self.program.put(name, text.replace("\n", "\r\n"))

    def delete(self, uid):
        self.program.delete(self._read()[uid][0])


def edit(model, side, objects, is_here):
    """One edit at random of a side; what it has then is noted in objects."""
    there = [uid for uid, values in objects.items() if values is not None]
    what = model.random.choice(["create", "edit", "edit", "edit", "delete"])
    if what == "create" or not there:
        values = {field: model.word() for field in EDITED}
        if is_here:
            uid = side.create(values)
        else:
            uid = f"uid-{model.word()}"
            side.create(uid, values)
        objects[uid] = values
        return
    uid = model.random.choice(there)
    if what == "edit":
        change = {model.random.choice(list(EDITED)): model.word()}
        side.edit(uid, change)
        objects[uid] = {**objects[uid], **change}
    elif len(there) > 3:
        side.delete(uid)
        objects[uid] = None


def kept_texts(account_id):
    with session.environment() as env:
        changes = env["caldav.account.change"].search([("account_id", "=", account_id)])
        return "\n".join(change.lost_text for change in changes if change.lost_text)


def test_no_version_is_lost(account, program):  # noqa: F811
    play(account, Model(7), Here(), There(program))


def play(account_id, model, here, there):
    for turn in range(ROUNDS):
        before = dict(model.objects)
        mine, yours = dict(before), dict(before)
        for _edit in range(model.random.randint(0, 3)):
            edit(model, here, mine, True)
        for _edit in range(model.random.randint(0, 3)):
            edit(model, there, yours, False)
        expected, either = model.settle(before, mine, yours)
        sync(account_id)
        now_here, now_there = here.all(), there.all()
        assert now_here == now_there, turn
        for uid, field, one, other in either:
            counts = now_here[uid][field]
            assert counts in (one, other), turn
            loser = other if counts == one else one
            assert loser in kept_texts(account_id), (turn, loser)
            expected[uid][field] = counts
        assert now_here == expected, turn
        model.objects = expected
