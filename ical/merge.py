"""What two sides have changed of one object, unit by unit; see ``versions``.

Two sides are in *conflict* over the units that both have changed, each in its own way.
Each side has a base of its own, the text that it had when both agreed: a server that
writes everything its own way has changed nothing by that.
"""

from dataclasses import dataclass, field

from .params import split_line
from .versions import RULE, TIME, Part, Version, line_of

#: Units that say when the occurrences of a series are: overridden ones hang on them.
_SCHEDULE = frozenset({TIME, RULE})


@dataclass
class Difference:
    """What makes a version of another one.

    :param dict units: by (key of the part, key of the unit), the new Unit or None
    :param dict parts: by key, a new Part or None
    :param Version version: the new one
    """

    units: dict = field(default_factory=dict)
    parts: dict = field(default_factory=dict)
    version: Version = None

    def __bool__(self):
        return bool(self.units or self.parts)


def difference(old, new):
    """What of a version is not as it was in another one; without an old one, all.

    :rtype: Difference
    """
    found = Difference(version=new)
    for key in old.parts.keys() | new.parts.keys():
        was, now = old.parts.get(key), new.parts.get(key)
        if was is None or now is None:
            found.parts[key] = now
            continue
        for name in was.units.keys() | now.units.keys():
            one, other = was.units.get(name), now.units.get(name)
            if one != other:
                found.units[key, name] = other
    return found


def in_common(one, other):
    """The version of what both say: where two meet that have no base."""
    found = Version()
    for key in one.parts.keys() & other.parts.keys():
        mine, yours = one.parts[key], other.parts[key]
        same = {
            name: unit for name, unit in mine.units.items() if yours.units.get(name) == unit
        }  # fmt: skip
        found.parts[key] = Part(mine.name, same, mine.lines)
    return found


def conflicts(ours, theirs):
    """What both have changed, each in its own way.

    :param Difference ours, theirs: each from its own base
    :return: set of keys of units and of parts
    """
    found = {
        key for key in ours.units.keys() & theirs.units.keys()
        if ours.units[key] != theirs.units[key]
    }  # fmt: skip
    for key in ours.parts.keys() & theirs.parts.keys():
        one, other = ours.parts[key], theirs.parts[key]
        if (one is None) != (other is None) or one and one.said != other.said:
            found.add(key)
    for one, other in ((ours, theirs), (theirs, ours)):
        # Taken away here, changed there.
        both = one.parts.keys() & {key for key, _name in other.units}
        found.update(both, (unit for unit in other.units if unit[0] in both))
        if _moves(one) and _of_occurrences(other):
            found.update(_moves(one), _of_occurrences(other))
    return found


def _moves(change):
    """Units of the whole series that say when its occurrences are."""
    return {key for key in change.units if not key[0][1] and key[1] in _SCHEDULE}


def _of_occurrences(change):
    """What is said of single occurrences, by the times that they had."""
    found = {key for key in change.parts if key[1]}
    found |= {key for key in change.units if key[0][1]}
    found |= {key for key in change.units if key[1][:7] == "EXDATE:" or key[1][:6] == "RDATE:"}
    return found


def apply(version, change, only=None, without=()):
    """A version with the changes of another.

    :param Difference change: what is changed
    :param only: keys, for these alone
    :param without: keys that stay as they are
    :rtype: Version
    """
    parts = {
        key: Part(part.name, dict(part.units), list(part.lines))
        for key, part in version.parts.items()
    }
    zones = {**change.version.zones, **version.zones}

    def wanted(key):
        return key not in without and (only is None or key in only)

    for key, part in change.parts.items():
        if wanted(key):
            if part is None:
                parts.pop(key, None)
            else:
                parts[key] = Part(part.name, dict(part.units), list(part.lines))
    changed = [key for key in change.units if wanted(key) and key[0] in parts]
    for key in changed:
        _put(parts[key[0]], key[1], change.units[key])
    # Once for each part, which may have as many units as lines.
    for key in {key for key, _name in changed}:
        _raise_to(parts[key], change.version.parts.get(key))
    return Version(parts, zones)


def take(version, other, keys):
    """A version in which these units and parts are as in another one."""
    change = Difference(version=other)
    for key in keys:
        if isinstance(key[0], tuple):
            part = other.parts.get(key[0])
            change.units[key] = part and part.units.get(key[1])
            if key[0] not in version.parts and part:
                change.parts[key[0]] = part
        else:
            change.parts[key] = other.parts.get(key)
    return apply(version, change)


def _put(part, name, unit):
    if unit is None:
        part.units.pop(name, None)
    else:
        part.units[name] = unit


def _raise_to(part, other):
    """What says how new it is, is of the newer one."""
    if other is None:
        return
    for name in ("SEQUENCE", "DTSTAMP", "LAST-MODIFIED"):
        mine, yours = (line_of(one.lines, name) for one in (part, other))
        if yours and (not mine or _rank(name, yours) > _rank(name, mine)):
            part.lines = [line for line in part.lines if line != mine] + [yours]


def _rank(name, line):
    value = split_line(line)[2].strip()
    if name == "SEQUENCE":
        return int(value[:9]) if value[:9].isdigit() else 0
    return value
