"""How much of an item becomes fields of Odoo; all of it stays in its text.

What a text may be as long as, no list and no form is made for, and a series has the same
in each of its meetings. Whoever writes the item again asks here what was left out, so that
it is not taken for a change.
"""

from ..ical.alarms import to_meaning

#: Tags of one item, and characters of one tag.
MAX_TAGS, MAX_TAG = 20, 200
#: Reminders of one item.
MAX_ALARMS = 10
#: Characters of a description and of a place.
MAX_DESCRIPTION, MAX_LOCATION = 64_000, 2_000
#: Characters of the descriptions of all meetings of one series.
MAX_DESCRIPTIONS = 4_000_000
#: What ends a text that goes on elsewhere.
MORE = "…"


def tags_of(names):
    """The tags that Odoo takes of the CATEGORIES.

    >>> tags_of(["wine  tasting", " ", "wine tasting"])
    ['wine tasting']
    """
    found = {}
    for name in names:
        if len(found) == MAX_TAGS:
            break
        if tag := _tag(name):
            found[tag] = None
    return list(found)


def other_tags(names):
    """Those of the CATEGORIES that are beyond what Odoo takes."""
    taken = set(tags_of(names))
    return tuple(name for name in names if _tag(name) and _tag(name) not in taken)


def _tag(name):
    return " ".join(name.split())[:MAX_TAG]


def alarms_of(alarms):
    """The alarms that Odoo takes: the first ones of those that it can hold."""
    return [alarm for alarm in alarms if to_meaning(alarm) is not None][:MAX_ALARMS]


def short(text, most):
    """A text of at most so many characters; a longer one says that it goes on.

    >>> short("a long story", 7), short("a story", 7)
    ('a long…', 'a story')
    """
    return text if len(text) <= most else text[: most - len(MORE)].rstrip() + MORE


def is_short_of(text, original):
    """Whether a text is what Odoo has taken of a longer one.

    >>> is_short_of("a  long…", "a long story"), is_short_of("along…", "a long story")
    (True, False)
    """
    if not text or not original or not text.endswith(MORE) or len(text) >= len(original):
        return False
    return " ".join(original.split()).startswith(" ".join(text[: -len(MORE)].split()))
