"""What a meeting's original text says beyond Odoo, put back into its item.

Of an item that came from elsewhere only what was changed in Odoo is written anew;
a difference that is only Odoo's way of keeping it (HTML for text, minutes for a
trigger, a fixed end for a duration) is none.
"""

from dataclasses import replace

from ..ical.alarms import to_fields
from ..ical.parse import parse
from ..ical.values import same

#: Fields that Odoo has, one value each, and what they mean when they are not written.
SINGLE = {
    "recurrence_id": None, "summary": None, "description": None, "location": None,
    "access": "PUBLIC", "status": "CONFIRMED", "transparency": "OPAQUE",
}  # fmt: skip
LISTS = ("rules", "exdates", "rdates", "categories")


def with_original(text, item):
    """The item, with all that the original has and Odoo does not know.

    :param str text: a calendar with the one object, as it came; or False
    :rtype: Event
    """
    original = original_item(text)
    if original is None or original.NAME != item.NAME:
        return item
    changes = {"uid": item.uid, "sequence": max(item.sequence, original.sequence)}
    for name, meaning in SINGLE.items():
        old, new = getattr(original, name), getattr(item, name)
        if _words(old or meaning) != _words(new or meaning):
            changes[name] = new
    if not (_at(original.start, item.start) and _at(original.stop, item.stop)):
        changes.update(start=item.start, end=item.end, duration=None)
    for name in LISTS:
        old, new = getattr(original, name), getattr(item, name)
        if set(map(_plain, old)) != set(map(_plain, new)):
            changes[name] = new
    changes.update(_people(original, item))
    changes["alarms"] = _alarms(original.alarms, item.alarms)
    if item.conferences and item.conferences[0].uri not in _links(original):
        changes.update(conferences=item.conferences, url=item.url)
    if any(not same(getattr(original, name), value) for name, value in changes.items()):
        changes.update(stamp=item.stamp, modified=item.modified)
    return replace(original, **changes)


def original_item(text):
    """The one item of an original text, or None without one."""
    found = parse(text.encode()).items if text else ()
    return found[0] if found else None


def _words(value):
    return " ".join(value.split()) if isinstance(value, str) else _plain(value)


def _plain(value):
    """A moment as such, in whatever zone it is said."""
    if getattr(value, "tzinfo", None) is not None:
        return value.timestamp()
    return value


def _at(one, other):
    return type(one) is type(other) and _plain(one) == _plain(other)


def _links(item):
    return {item.url, *(conference.uri for conference in item.conferences)}


def _people(original, item):
    """Attendees with the parameters they had; those without address in Odoo stay."""
    known = {one.email: one for one in original.attendees if one.email}
    people = [one for one in original.attendees if not one.email]
    for attendee in item.attendees:
        old = known.get(attendee.email)
        if old is None:
            people.append(attendee)
        elif old.status == attendee.status:
            people.append(old)
        else:
            people.append(old.put(PARTSTAT=attendee.status))
    changes = {}
    if set(people) != set(original.attendees):
        changes["attendees"] = tuple(people)
    old = original.organizer and original.organizer.email
    if item.organizer and item.organizer.email != old:
        changes["organizer"] = item.organizer
    return changes


def _alarms(old, new):
    """Those that Odoo cannot hold stay; of the others, those that Odoo still has."""
    left = [(to_fields(alarm), alarm) for alarm in new]
    kept = []
    for alarm in old:
        meaning = to_fields(alarm)
        found = next((pair for pair in left if pair[0] == meaning), None)
        if meaning is None:
            kept.append(alarm)
        elif found:
            left.remove(found)
            kept.append(alarm)
    return tuple(kept + [alarm for _meaning, alarm in left])
