"""Pasted lists of addresses, and the times that several people have in common."""

import doctest
from datetime import datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine import common_time, recipients
from engine.common_time import common_times, overlap

HOUR = timedelta(hours=1)
DAY = datetime(2027, 6, 15)


@pytest.mark.parametrize("module", [common_time, recipients], ids=lambda m: m.__name__)
def test_doctests(module):
    found = doctest.testmod(module)
    assert found.attempted
    assert not found.failed


@given(st.text(max_size=300))
def test_whatever_is_pasted_is_read_or_a_fault(text):
    found, faults = recipients.read(text)
    assert all(recipients.fault_of(one.address) is None for one in found)
    assert len({one.address for one in found}) == len(found)
    assert all(fault.code in ("at", "local", "domain", "long") for fault in faults)


@pytest.mark.parametrize(
    "text",
    [
        "a@b.example\r\nBcc: c@d.example",
        "a@b.example\0",
        "<a@b.example>\r\n.\r\nDATA",
        "a\tb@c.example",
    ],
)
def test_no_header_is_smuggled(text):
    found, _faults = recipients.read(text)
    for one in found:
        assert one.address.isprintable()
        assert one.name.isprintable() and "\n" not in one.name


def test_a_list_that_is_too_long_is_not_read():
    found, [fault] = recipients.read("a@b.example\n" * 100_000)
    assert not found and fault.code == "long"


def test_ten_thousand_are_read_at_once():
    found, faults = recipients.read("\n".join(f"P {n} <p{n}@b.example>" for n in range(10_000)))
    assert (len(found), len(faults)) == (10_000, 0)


SPANS = st.lists(
    st.tuples(st.integers(0, 300), st.integers(1, 60)).map(
        lambda pair: (
            DAY + timedelta(minutes=10 * pair[0]),
            DAY + timedelta(minutes=10 * (pair[0] + pair[1])),
        )
    ),
    max_size=8,
)


@given(SPANS, st.integers(1, 12), st.integers(0, 300))
def test_common_times_are_free_and_in_order(busy, quarters, after):
    work = [(DAY + n * 24 * HOUR + 9 * HOUR, DAY + n * 24 * HOUR + 17 * HOUR) for n in range(3)]
    length, after = timedelta(minutes=15 * quarters), DAY + timedelta(minutes=10 * after)
    found = common_times(work, busy, length, after, 5)
    assert found == sorted(found)
    for at in found:
        assert at >= after
        assert any(begin <= at and at + length <= end for begin, end in work)
        assert not any(start < at + length and stop > at for start, stop in busy)
    for one, other in zip(found, found[1:], strict=False):
        assert one + length <= other


@given(st.lists(SPANS.map(lambda spans: merged(spans)), min_size=1, max_size=3))
def test_overlap_is_what_lies_in_all(lists):
    found = overlap(lists)
    for minute in range(0, 3600, 5):
        at = DAY + timedelta(minutes=minute)
        in_all = all(any(a <= at < b for a, b in one) for one in lists)
        assert any(a <= at < b for a, b in found) == in_all


def merged(spans):
    result = []
    for begin, end in sorted(spans):
        if result and begin <= result[-1][1]:
            result[-1] = (result[-1][0], max(end, result[-1][1]))
        else:
            result.append((begin, end))
    return result
