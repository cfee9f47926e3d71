"""Who has to be told what of a meeting, or a series, that has changed.

Plain Python over facts (see ``calendar_invitation_facts``). What counts is what each of
the invited had before and has now, however many steps there were between.
"""

from collections import defaultdict
from dataclasses import dataclass

#: Changed or new occurrences that are told one by one; of more the whole series is told.
FEW = 3


@dataclass(frozen=True, slots=True)
class Parcel:
    """One message, and to whom it goes.

    :param str method: REQUEST or CANCEL
    :param str kind: for the words: ``new``, ``changed``, ``cancelled`` (for all), or
        ``uninvited``
    :param tuple ids: ids of the occurrences that it is about; None is the whole
    """

    method: str
    kind: str
    ids: tuple | None = None


class Plan:
    """What one UID needs.

    :param before, after: dicts from the id of a meeting to its facts, or to None when it
        was not, or is no more, of this UID; of those that were touched
    :param others: the same of those that nobody has touched
    :param now: what was over by then is of no interest
    :param asked: addresses to which the invitation is to be sent in any case
    """

    def __init__(self, before, after, others, now, asked=()):
        self.before = _active(before)
        self.after = {**_active(after), **_active(others)}
        self.others = _active(others)
        self.now = now
        self.asked = set(asked)

    def parcels(self):
        """dict from Parcel to the set of addresses that it goes to"""
        found = defaultdict(set)
        for email in self._people():
            for parcel in self._for(email):
                found[parcel].add(email)
        return dict(found)

    def _people(self):
        people = set(self.asked)
        for facts in (*self.before.values(), *self.after.values()):
            people.update(facts["people"])
        return sorted(people)

    def _for(self, email):
        was = {key for key, facts in self.before.items() if email in facts["people"]}
        has = {key for key, facts in self.after.items() if email in facts["people"]}
        was |= has & self.others.keys()
        coming_was = {key for key in was if self._is_coming(self.before.get(key), key)}
        coming = {key for key in has if self._is_coming(self.after[key], key)}
        if not has:
            if coming_was:
                kind = "uninvited" if any(self._coming_now()) else "cancelled"
                yield Parcel("CANCEL", kind)
            return
        new = coming - was
        changed = {
            key for key in coming & was
            if key in self.before and self.before[key]["told"] != self.after[key]["told"]
        }  # fmt: skip
        gone = coming_was - has
        whole = has == self.after.keys()
        if email in self.asked or not was:
            if coming:
                kind = "new" if email in self.asked or not was else "changed"
                yield Parcel("REQUEST", kind, None if whole else tuple(sorted(has)))
            return
        if whole and self._is_better_whole(new, changed, gone):
            yield Parcel("REQUEST", "changed")
            return
        if gone:
            everybody = all(key not in self.after for key in gone)
            kind = "cancelled" if everybody else "uninvited"
            yield Parcel("CANCEL", kind, tuple(sorted(gone)))
        if new | changed:
            single = whole and len(self.after) == 1 and not self._repeats(new | changed)
            yield Parcel("REQUEST", "changed", None if single else tuple(sorted(new | changed)))

    def _is_better_whole(self, new, changed, gone):
        if len(new) + len(changed) > FEW:
            return True
        return bool(new and gone) or len(gone) > FEW

    def _repeats(self, keys):
        return any(self.after[key]["place"] for key in keys)

    def _coming_now(self):
        return (key for key, facts in self.after.items() if self._is_coming(facts, key))

    def _is_coming(self, facts, key):
        facts = facts or self.after.get(key)
        later = self.after.get(key)
        stops = [one["stop"] for one in (facts, later) if one]
        return max(stops) > self.now


def _active(facts):
    return {key: one for key, one in facts.items() if one and one["active"]}
