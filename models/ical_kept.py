"""What a meeting's original text says beyond Odoo, put back into its item.

Of an item that came from elsewhere only what was changed in Odoo is written anew;
a difference that is only Odoo's way of keeping it (HTML for text, minutes for a
trigger, a fixed end for a duration) is none.
"""

from dataclasses import replace
from datetime import datetime
from functools import lru_cache

from ..ical.alarms import to_meaning
from ..ical.items import Period
from ..ical.parse import parse
from ..ical.values import is_date, same
from .ical_guest import changed_params
from .ical_taken import alarms_of, is_short_of, other_tags, tags_of

#: Fields that Odoo has, one value each, and what they mean when they are not written.
SINGLE = {
    "recurrence_id": None, "summary": None, "description": None, "location": None,
    "access": "PUBLIC", "status": "CONFIRMED", "transparency": "OPAQUE",
}  # fmt: skip
LISTS = ("rules", "exdates", "rdates", "categories")
#: A line of the kept calendar: the addresses of the attendees that Odoo had contacts for.
GUESTS = "X-CRM-AUTOMATION-GUESTS:"


def with_original(text, item, is_organized=True):
    """The item, with all that the original has and Odoo does not know.

    :param str text: a calendar with the one object, as it came; or False
    :param bool is_organized: whether who organises it in Odoo is its organizer, and
        not only the one who has it in his calendar
    :rtype: Event
    """
    original = original_item(text)
    if original is None or original.NAME != item.NAME:
        return item
    changes = {"uid": item.uid, "sequence": max(item.sequence, original.sequence)}
    changes.update(_singles(original, item))
    changes.update(_lists(original, item))
    if not (_at(original, original.start, item.start) and _at(original, original.stop, item.stop)):
        changes.update(start=item.start, end=item.end, duration=None)
    if original.this_and_future:
        # Those that follow are told one by one.
        changes["this_and_future"] = False
    changes.update(_people(original, item, _guests(text), is_organized))
    changes["alarms"] = kept_alarms(original.alarms, item.alarms)
    if item.conferences and item.conferences[0].uri not in _links(original):
        changes.update(conferences=item.conferences, url=item.url)
    if any(not same(getattr(original, name), value) for name, value in changes.items()):
        changes.update(stamp=item.stamp, modified=item.modified)
    return replace(original, **changes)


def _singles(original, item):
    changes = {}
    for name, meaning in SINGLE.items():
        old, new = getattr(original, name), getattr(item, name)
        if name in ("description", "location") and is_short_of(new, old):
            continue
        if _meaning(name, old or meaning) != _meaning(name, new or meaning):
            changes[name] = new
    return changes


def _lists(original, item):
    changes = {}
    for name in LISTS:
        old, new = getattr(original, name), getattr(item, name)
        beyond = ()
        if name == "categories":
            old, beyond = tags_of(old), other_tags(old)
        if {_plain(one, original, item) for one in old} != {_plain(one) for one in new}:
            changes[name] = (*new, *beyond)
    return changes


def original_item(text):
    """The one item of an original text, or None without one."""
    found = _read(text).items if text else ()
    return found[0] if found else None


# The texts of one object are asked for several things, one after the other.
@lru_cache(maxsize=16)
def _read(text):
    return parse(text.encode())


def _meaning(name, value):
    """What Odoo can say of a value."""
    if name == "status":
        return value if value in ("CANCELLED", "TENTATIVE") else "CONFIRMED"
    if name == "access":
        # 3.8.1.3: words that nobody knows are to be taken as PRIVATE.
        return value if value in ("PUBLIC", "CONFIDENTIAL") else "PRIVATE"
    return " ".join(value.split()) if isinstance(value, str) else _plain(value)


def _plain(value, original=None, item=None):
    """A moment as such, in whatever zone it is said.

    :param original, item: where it is from, and what says in which zone it floats
    """
    if isinstance(value, Period):
        value = value.start
    if original is not None and _is_floating(value):
        zone = original.calendar_zone or getattr(item.start, "tzinfo", None)
        value = value.replace(tzinfo=zone) if zone else value
    if getattr(value, "tzinfo", None) is not None:
        return value.timestamp()
    return value


def _is_floating(value):
    return isinstance(value, datetime) and value.tzinfo is None


def _at(original, one, other):
    if one is None or other is None:
        return one is other
    if is_date(one) or is_date(other):
        return is_date(one) and is_date(other) and one == other
    if one.tzinfo is None and other.tzinfo is not None:
        # A time that floats is the same time on the clock of whoever has it.
        one = one.replace(tzinfo=original.calendar_zone or other.tzinfo)
    return _plain(one) == _plain(other)


def _guests(text):
    """The attendees' addresses that Odoo had contacts for when it came."""
    for line in _read(text).calendars[0].lines:
        if line.startswith(GUESTS):
            return set(line[len(GUESTS) :].split(","))
    return set()


def _links(item):
    return {item.url, *(conference.uri for conference in item.conferences)}


def _people(original, item, guests, is_organized):
    """Attendees with the parameters they had; those whom Odoo does not know stay.

    :param guests: addresses of those who were attendees in Odoo as well
    """
    left = {one.email: one for one in item.attendees}
    organizer = item.organizer and item.organizer.email
    people = []
    for old in original.attendees:
        new = left.pop(old.email, None) if old.email else None
        if new is None:
            if old.email not in guests:
                people.append(old)
        else:
            changed = changed_params(old, new, old.email == organizer)
            people.append(old.put(**changed) if changed else old)
    # Whose calendar it is takes part in Odoo whether he is invited or not.
    people += [one for one in left.values() if one.email != organizer]
    changes = {}
    if people != list(original.attendees):
        changes["attendees"] = tuple(people)
    old = original.organizer and original.organizer.email
    if item.organizer and organizer != old and (is_organized or not original.organizer):
        changes["organizer"] = item.organizer
    return changes


def kept_alarms(old, new):
    """Those that Odoo cannot hold stay; of the others, those that Odoo still has."""
    meanings = [to_meaning(alarm) for alarm in new]
    taken = {id(alarm) for alarm in alarms_of(old)}
    used = set()
    kept = []
    for alarm in old:
        meaning = to_meaning(alarm)
        wanted = [meaning]
        if meaning and meaning.kind == "email":
            # An e-mail to oneself alone is written as a display.
            wanted.append(replace(meaning, kind="notification"))
        found = [index for want in wanted for index, one in enumerate(meanings) if one == want]
        if id(alarm) not in taken:
            kept.append(alarm)
        elif found:
            # Of several that are alike Odoo may have one.
            used.add(next((index for index in found if index not in used), found[0]))
            kept.append(alarm)
    return tuple(kept + [alarm for index, alarm in enumerate(new) if index not in used])
