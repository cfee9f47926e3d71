"""free-busy-query: when somebody is busy, and nothing else (RFC 4791, 7.10)."""

from ..ical.errors import LimitExceeded
from ..ical.text import PRODID, fold
from ..ical.values import write_moment
from . import times

#: What of an event counts, the strongest first.
KINDS = ("BUSY", "BUSY-UNAVAILABLE", "BUSY-TENTATIVE")
#: Attendees of one meeting, and of one question about free time (RFC 4791, 5.2.9).
MAX_ATTENDEES = 500
#: Answers of who does not come.
ABSENT = frozenset({"DECLINED", "DELEGATED"})


def free_busy(objects, span, zone, now, addresses=()):
    """The text of the answer.

    :param objects: iterable of CalendarObject
    :param TimeRange span: of which it is asked
    :param datetime now: DTSTAMP
    :param addresses: of whose time it is: what he has declined takes none of it
    """
    spans = (busy for one in objects for busy in _times(one, span, zone, addresses))
    return fold(freebusy_lines(spans, span, now))


def freebusy_lines(spans, span, now, lines=(), method=None):
    """Content lines of a calendar with one VFREEBUSY.

    :param spans: iterable of (kind of KINDS, start, stop), with zones
    :param TimeRange span: of which it is asked
    :param lines: further lines of the component
    """
    found = {kind: [] for kind in KINDS}
    for kind, start, stop in spans:
        start, stop = max(start, span.start), min(stop, span.end)
        if start < stop:
            found[kind].append((start, stop))
    written = ["BEGIN:VCALENDAR", "VERSION:2.0", f"PRODID:{PRODID}"]
    if method:
        written.append(f"METHOD:{method}")
    written += [
        "BEGIN:VFREEBUSY", *lines, f"DTSTAMP:{write_moment(now)}",
        f"DTSTART:{write_moment(span.start)}", f"DTEND:{write_moment(span.end)}",
    ]  # fmt: skip
    taken = []
    for kind in KINDS:
        free = _without(_merged(found[kind]), taken)
        taken = _merged(taken + free)
        written += [
            f"FREEBUSY;FBTYPE={kind}:{write_moment(start)}/{write_moment(stop)}"
            for start, stop in free
        ]
    return [*written, "END:VFREEBUSY", "END:VCALENDAR"]


def _times(found, span, zone, addresses):
    try:
        nearby = found.occurrences(span.start, span.end, zone)
    except LimitExceeded:
        yield "BUSY", span.start, span.end
        return
    for one in nearby:
        item = one.item
        if item.NAME == "VFREEBUSY":
            for busy in item.busy:
                if busy.kind in KINDS:
                    period = busy.period
                    yield busy.kind, times.utc(period.start, zone), times.utc(period.stop, zone)
        elif item.NAME == "VEVENT" and item.transparency != "TRANSPARENT":
            answers = {one.status for one in item.attendees if one.email in addresses}
            if item.status != "CANCELLED" and answers.isdisjoint(ABSENT):
                is_open = item.status == "TENTATIVE" or "TENTATIVE" in answers
                kind = "BUSY-TENTATIVE" if is_open else "BUSY"
                yield kind, times.utc(one.start, zone), times.utc(one.stop, zone)


def _merged(spans):
    merged = []
    for start, stop in sorted(spans):
        if merged and start <= merged[-1][1]:
            merged[-1] = (merged[-1][0], max(stop, merged[-1][1]))
        else:
            merged.append((start, stop))
    return merged


def _without(spans, taken):
    """The spans as far as they are not taken; both in order, neither overlapping."""
    left, at = [], 0
    for start, stop in spans:
        # What ends before it ends before all that follow.
        while at < len(taken) and taken[at][1] <= start:
            at += 1
        number = at
        while number < len(taken) and taken[number][0] < stop:
            first, last = taken[number]
            if first > start:
                left.append((start, first))
            start = max(start, last)
            number += 1
        if start < stop:
            left.append((start, stop))
    return left
