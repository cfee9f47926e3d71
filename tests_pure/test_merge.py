"""The three-way merge, judged by a model of named values; and the planner's table."""

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ical import merge, versions
from ical.errors import IcalError
from sync import plan
from sync.plan import Action, Side, decide

values = st.fixed_dictionaries(
    {name: st.sampled_from(["1", "2", "3"]) for name in ("SUMMARY", "DTSTART")},
    optional={name: st.sampled_from(["1", "2", "3"]) for name in ("LOCATION", "X-ONE")},
)
days = st.frozensets(st.sampled_from(["05", "12", "19"]))
people = st.dictionaries(
    st.sampled_from(["a@b.example", "c@d.example"]), st.sampled_from(["ACCEPTED", "DECLINED"])
)
objects = st.tuples(values, days, people)


def text(one, order=1):
    """An object as text; ``order`` turns its lines around."""
    fields, excluded, attendees = one
    lines = [f"{name}:{value}" for name, value in fields.items()]
    lines += [f"EXDATE:202701{day}T090000Z" for day in sorted(excluded)]
    lines += [f"ATTENDEE;PARTSTAT={state}:mailto:{who}" for who, state in attendees.items()]
    head = ["BEGIN:VCALENDAR", "VERSION:2.0", "BEGIN:VEVENT", "UID:a", "DTSTAMP:20270101T000000Z"]
    return "\r\n".join([*head, *lines[::order], "END:VEVENT", "END:VCALENDAR", ""])


def units(one):
    """What the model knows of an object: each value by its name."""
    fields, excluded, attendees = one
    found = dict(fields)
    found.update({("EXDATE", day): True for day in excluded})
    found.update({("ATTENDEE", who): state for who, state in attendees.items()})
    return found


def read_back(version):
    """The same out of a merged one."""
    [part] = version.parts.values()
    found = {}
    for line in (piece for unit in part.units.values() for piece in unit.pieces):
        name, _, rest = line.partition(":")
        if name.startswith("ATTENDEE"):
            found["ATTENDEE", rest.removeprefix("mailto:")] = name.partition("PARTSTAT=")[2]
        elif name == "EXDATE":
            found["EXDATE", rest[6:8]] = True
        else:
            found[name] = rest
    return found


def schedule(key):
    return key == "DTSTART"


@given(objects, objects, objects)
def test_both_survive(base, ours, theirs):
    bases = versions.read_version(text(base)), versions.read_version(text(base, -1))
    here, there = versions.read_version(text(ours)), versions.read_version(text(theirs, -1))
    our_change = merge.difference(bases[0], here)
    their_change = merge.difference(bases[1], there)
    keys = merge.conflicts(our_change, their_change)
    new_here = merge.apply(here, their_change, without=keys)
    new_there = merge.take(merge.apply(there, our_change, without=keys), here, keys)
    assert new_here.fingerprint() == new_there.fingerprint()
    was, mine, yours, now = units(base), units(ours), units(theirs), read_back(new_here)
    moved = {side: was["DTSTART"] != one["DTSTART"] for side, one in (("o", mine), ("t", yours))}
    excluded = {
        side: any(
            was.get(("EXDATE", day)) != one.get(("EXDATE", day)) for day in ("05", "12", "19")
        )
        for side, one in (("o", mine), ("t", yours))
    }
    torn = moved["o"] and excluded["t"] or moved["t"] and excluded["o"]
    for key in was.keys() | mine.keys() | yours.keys():
        old, one, other = was.get(key), mine.get(key), yours.get(key)
        if torn and (schedule(key) or isinstance(key, tuple) and key[0] == "EXDATE"):
            # Of two that do not go together the one that counts.
            assert now.get(key) in (one, other)
        elif other == old or one != old:
            assert now.get(key) == one, key
        else:
            assert now.get(key) == other, key


@given(objects, objects)
def test_without_a_base(ours, theirs):
    here, there = versions.read_version(text(ours)), versions.read_version(text(theirs))
    base = merge.in_common(here, there)
    our_change, their_change = merge.difference(base, here), merge.difference(base, there)
    keys = merge.conflicts(our_change, their_change)
    new_here = merge.apply(here, their_change, without=keys)
    new_there = merge.take(merge.apply(there, our_change, without=keys), here, keys)
    assert new_here.fingerprint() == new_there.fingerprint()
    now, mine, yours = read_back(new_here), units(ours), units(theirs)
    assert now.items() >= mine.items()
    if mine["DTSTART"] != yours["DTSTART"]:
        # The excluded days are those of the times that count.
        yours = {key: value for key, value in yours.items() if key[0] != "EXDATE"}
    assert now.keys() == mine.keys() | yours.keys()


@given(objects)
def test_written_and_read(one):
    version = versions.read_version(text(one))
    again = versions.read_version(versions.write_version(version))
    assert again.fingerprint() == version.fingerprint()
    assert again.uid == "a"
    assert versions.read_version(text(one, -1)).fingerprint() == version.fingerprint()


def test_what_says_nothing():
    one = text(({"SUMMARY": "x", "DTSTART": "1"}, (), {"a@b.example": "NEEDS-ACTION"}))
    other = one.replace(";PARTSTAT=NEEDS-ACTION", ";ROLE=REQ-PARTICIPANT;SCHEDULE-STATUS=1.1")
    other = other.replace("DTSTAMP:2027", "DTSTAMP:2028")
    assert versions.read_version(one).fingerprint() == versions.read_version(other).fingerprint()
    assert versions.read_version(one).fingerprint() != versions.read_version(
        one.replace("NEEDS-ACTION", "DECLINED")).fingerprint()  # fmt: skip
    told = versions.not_to_be_sent(versions.read_version(one))
    sent = versions.write_version(told)
    assert told.fingerprint() == versions.read_version(sent).fingerprint()
    assert ";SCHEDULE-AGENT=CLIENT:mailto:a@b.example" in sent
    assert versions.without_delivery(sent).replace("\r\n ", "") == versions.write_version(
        versions.read_version(one)).replace("\r\n ", "")  # fmt: skip


def test_a_changed_occurrence_and_a_moved_series():
    master = text(({"SUMMARY": "x", "DTSTART": "20270105T090000Z"}, (), {})).replace(
        "END:VEVENT", "RRULE:FREQ=WEEKLY\r\nEND:VEVENT")  # fmt: skip
    own = master.replace("END:VCALENDAR", "\r\n".join([
        "BEGIN:VEVENT", "UID:a", "RECURRENCE-ID:20270112T090000Z", "DTSTART:20270112T110000Z",
        "SUMMARY:own", "END:VEVENT", "END:VCALENDAR"]))  # fmt: skip
    moved = master.replace("20270105T09", "20270105T08")
    base = versions.read_version(master)
    here = merge.difference(base, versions.read_version(own))
    there = merge.difference(base, versions.read_version(moved))
    keys = merge.conflicts(here, there)
    assert len(keys) == 2
    counts = merge.take(versions.read_version(moved), versions.read_version(own), keys)
    assert counts.fingerprint() == versions.read_version(own).fingerprint()
    # A title goes together with anything.
    renamed = merge.difference(
        base, versions.read_version(master.replace("SUMMARY:x", "SUMMARY:y"))
    )
    assert not merge.conflicts(here, renamed)


def test_the_plan_loses_nothing():
    """Whatever became of both sides: a change is carried on, or waits."""
    for way in (plan.BOTH, plan.IN, plan.OUT):
        for here in Side:
            for there in Side:
                action = decide(here, there, way)
                if Side.CHANGED in (here, there):
                    assert action not in (Action.FORGET, Action.DELETE_HERE, Action.DELETE_THERE)
                if way == plan.IN:
                    assert action not in (Action.PUSH, Action.DELETE_THERE)
                if way == plan.OUT:
                    assert action not in (Action.PULL, Action.DELETE_HERE)
                if action is Action.DELETE_HERE:
                    assert there is Side.GONE and here is Side.SAME
                if action is Action.DELETE_THERE:
                    assert here is Side.GONE and there is Side.SAME


@given(st.integers(0, 50), st.integers(0, 500))
def test_the_brake(gone, left):
    held = plan.brakes(gone, gone + left)
    if gone > 1 and not left:
        assert held
    if gone <= 10 and left:
        assert not held
    if gone > 10 and gone * 10 > gone + left:
        assert held


@pytest.mark.parametrize(
    "change",
    [
        lambda text: text.replace("UID:a", "UID:b", 1),
        lambda text: text.replace("RECURRENCE-ID:1\r\n", ""),
        lambda text: "BEGIN:VCALENDAR\r\nEND:VCALENDAR\r\n",
        lambda text: text[:60],
        lambda text: "",
    ],
)
def test_what_is_no_object(change):
    one = text(({"SUMMARY": "x", "DTSTART": "1"}, (), {}))
    event = one[one.index("BEGIN:VEVENT") : one.index("END:VCALENDAR")]
    two = one.replace("END:VCALENDAR", event.replace("UID", "RECURRENCE-ID:1\r\nUID")
                      + "END:VCALENDAR")  # fmt: skip
    assert len(versions.read_version(two).parts) == 2
    with pytest.raises(IcalError):
        versions.read_version(change(two))


def test_many_lines_of_one_name():
    lines = "X-A:1\r\n" * 20_000
    many = text(({"SUMMARY": "a"}, (), {})).replace("END:VEVENT", f"{lines}END:VEVENT")
    begin = time.perf_counter()
    version = versions.read_version(many)
    assert time.perf_counter() - begin < 5
    assert versions.write_version(version).count("X-A:1") == 20_000


@pytest.mark.parametrize("line", ["END:VALARM", "BEGIN:VALARM"])
def test_what_ends_without_a_beginning(line):
    broken = text(({"SUMMARY": "a"}, (), {})).replace("END:VEVENT", f"{line}\r\nEND:VEVENT")
    with pytest.raises(IcalError):
        versions.read_version(broken)
