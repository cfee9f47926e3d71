"""Scheduling (RFC 6638): who may change what of a meeting, which version of it that is, and
when others have time.

Whom a change is told to is the backend's business.
"""

from ..ical.scheduling import is_of_several, tag_of
from ..ical.text import fold
from ..ical.values import UTC, is_date, write_moment, write_plain
from . import times
from .errors import BadRequest, Failed, Forbidden, TooLarge, WrongType
from .freebusy import MAX_ATTENDEES, freebusy_lines
from .names import caldav
from .objects import parsed, read_object
from .writing import document, element, escape, href

#: Days of one question about free time.
MAX_DAYS = 400
#: Attendees that the occurrences of a series may have between them.
MAX_DIFFERENT = 4 * MAX_ATTENDEES
_SUCCESS, _NOBODY = "2.0;Success", "3.7;Invalid calendar user"


class InvalidMessage(Forbidden):
    """It is iCalendar, and no question that is answered here (RFC 6638, 5)."""

    condition = caldav("valid-scheduling-message")


class NotOrganizer(Forbidden):
    """Who asks is not who the message says he is (RFC 6638, 5)."""

    condition = caldav("organizer-allowed")


class SeveralOrganizers(Forbidden):
    """RFC 6638, 3.2.4.2."""

    condition = caldav("same-organizer-in-all-components")


class OrganizerChange(Forbidden):
    """What an organizer cannot change (RFC 6638, 3.2.4.3)."""

    condition = caldav("allowed-organizer-scheduling-object-change")


class AttendeeChange(Forbidden):
    """What who takes part cannot change (RFC 6638, 3.2.4.4)."""

    condition = caldav("allowed-attendee-scheduling-object-change")


class ThereAlready(Forbidden):
    """The meeting is in another of the user's calendars (RFC 6638, 3.2.4.1)."""

    condition = caldav("unique-scheduling-object-resource")


class TooManyAttendees(Forbidden):
    """RFC 4791, 5.3.2.1."""

    condition = caldav("max-attendees-per-instance")


class Scheduling:
    """:param server: who has the tree, the backend and the request"""

    def __init__(self, server):
        self.server = server
        self.tree = server.tree
        self.backend = server.backend
        self.request = server.request
        self.addresses = frozenset(server.tree.person.emails)

    # --- The version that a user has answered

    def tag(self, text):
        """The Schedule-Tag of a text (3.2.10), or None."""
        return tag_of(text, self.addresses) if is_of_several(text) else None

    def headers(self, text):
        """Schedule-Tag, where there is one."""
        tag = self.tag(text)
        return {"Schedule-Tag": f'"{tag}"'} if tag else {}

    def check_tag(self, calendar, entry):
        """If-Schedule-Tag-Match (3.2.10): whether it is still what the program has seen.

        :raises Failed: when it is not
        """
        asked = self.request.condition("if-schedule-tag-match")
        if asked is None:
            return
        text = self._text(calendar, entry)
        tag = self.tag(text) if text is not None else None
        if tag is None or asked.strip().strip('"') != tag:
            raise Failed("If-Schedule-Tag-Match: it is another one now")

    def is_told(self):
        """Whether an organizer is to hear that the user has deleted his meeting (8.1).

        :raises BadRequest: when Schedule-Reply is neither T nor F
        """
        value = (self.request.header("schedule-reply") or "T").strip().upper()
        if value not in ("T", "F"):
            raise BadRequest("Schedule-Reply is T or F")
        return value == "T"

    def _text(self, calendar, entry):
        if entry is None:
            return None
        return dict(self.backend.texts(calendar, [entry])).get(entry)

    # --- What may be stored

    def check(self, calendar, entry, text, items):
        """Whether the user may put this text there (3.2.4).

        :param items: what the text says
        :raises Forbidden: when he may not
        """
        self._check_number(calendar, entry, items)
        if not calendar.schedules or not is_of_several(text):
            return
        if len({_who(item.organizer) for item in items if item.organizer}) > 1:
            raise SeveralOrganizers("its components have several organizers")
        if entry is not None:
            self._check_change(self._text(calendar, entry), items)
        elif not self.backend.unique_uids:
            self._check_unique(calendar, items[0].uid)

    def _check_number(self, calendar, entry, items):
        """:raises TooManyAttendees: of whom each is written to"""
        number, different = _attendees(items)
        if number <= MAX_ATTENDEES and different <= MAX_DIFFERENT:
            return
        # What is stored already stays writable.
        known = _attendees(_items(self._text(calendar, entry) or ""))
        if number > max(known[0], MAX_ATTENDEES) or different > max(known[1], MAX_DIFFERENT):
            raise TooManyAttendees(f"there are more than {MAX_ATTENDEES} attendees")

    def _check_change(self, text, items):
        before = _items(text) if text and is_of_several(text) else ()
        if not before:
            return
        old = _organizer(before)
        new = _organizer(items)
        if _is_one_of(old, self.addresses):
            if new is not None and not _is_one_of(new, self.addresses):
                raise OrganizerChange("the organizer of a meeting stays who he is")
            return
        if not any(one.email in self.addresses for item in before for one in item.attendees):
            return
        if new is not None and _who(new) != _who(old):
            raise AttendeeChange("the organizer of a meeting stays who he is")
        if _sequence(items) <= _sequence(before) and moved(before, items):
            # What is newer has come from the organizer, by another way.
            raise AttendeeChange("only the organizer moves a meeting")

    def _check_unique(self, calendar, uid):
        for other in self.tree.calendars:
            if other.name == calendar.name:
                continue
            for entry in self.backend.entries(other, uid=uid):
                raise ThereAlready(
                    "it is in another calendar", hrefs=[self.tree.entry_path(other, entry)]
                )

    # --- When others have time

    def post(self):
        """A question about free time (5)."""
        asked, item, method = self._read()
        if method != "REQUEST":
            raise InvalidMessage("only a REQUEST is answered")
        if not _is_one_of(item.organizer, self.addresses):
            raise NotOrganizer("the organizer is not who asks")
        if not item.attendees or len(item.attendees) > MAX_ATTENDEES:
            raise InvalidMessage(
                f"it asks for nobody, or for more than {MAX_ATTENDEES}",
                TooManyAttendees.condition if item.attendees else None,
            )
        span = self._span(item)
        people = {one.uri.strip(): one for one in item.attendees}
        emails = sorted({one.email for one in people.values() if one.email})
        busy = self.backend.busy(emails, span.start, span.end, _masked(asked))
        answers = []
        for uri, one in people.items():
            inner = element(caldav("recipient"), f"<D:href>{escape(uri)}</D:href>")
            spans = busy.get(one.email)
            status = _NOBODY if spans is None else _SUCCESS
            inner += element(caldav("request-status"), status)
            if spans is not None:
                text = self._reply(item, one, spans, span)
                self.server.room.take(len(text))
                inner += element(caldav("calendar-data"), escape(text))
            answers.append(element(caldav("response"), inner))
        body = document(caldav("schedule-response"), "".join(answers))
        return 200, {"Cache-Control": "no-cache"}, [body]

    def _read(self):
        """(the calendar, its VFREEBUSY, its METHOD) of the body."""
        kind = (self.request.header("content-type") or "").partition(";")[0].strip().lower()
        if kind and kind != "text/calendar":
            raise WrongType("only text/calendar is read here", caldav("supported-calendar-data"))
        data = self.request.body
        if len(data) > self.backend.max_size:
            raise TooLarge("more than is read", caldav("max-resource-size"))
        found = parsed(data)
        calendar = found.calendars[0]
        items = [item for one in found.calendars for item in one.items]
        if len(items) != 1 or items[0].NAME != "VFREEBUSY":
            # Meetings are sent by storing them (RFC 6638, 3.2).
            raise InvalidMessage("only one question about free time is answered")
        return calendar, items[0], (calendar.method or "").upper()

    def _span(self, item):
        start, end = (self._utc(one) for one in (item.start, item.stop))
        if start is None or end is None or not start < end:
            raise InvalidMessage("it does not say from when to when")
        if (end - start).days >= MAX_DAYS:
            raise InvalidMessage(f"it asks for more than {MAX_DAYS} days")
        if start < times.BEGIN or end > times.END:
            raise InvalidMessage("nobody knows what will be then")
        return times.TimeRange(start, end)

    def _utc(self, moment):
        if moment is None or is_date(moment):
            return None
        if moment.tzinfo is None:
            moment = moment.replace(tzinfo=self.tree.person.zone or UTC)
        try:
            return moment.astimezone(UTC)
        except OverflowError as error:
            raise InvalidMessage("nobody knows what was then") from error

    def _reply(self, asked, one, busy, span):
        """VFREEBUSY of one attendee (RFC 5546, 3.3.3)."""
        lines = [
            f"UID:{write_plain(asked.uid)}",
            f"ORGANIZER{asked.organizer.params}:{asked.organizer.uri}",
            f"ATTENDEE{one.params}:{one.uri}",
        ]
        return fold(
            freebusy_lines(busy, span, self.server.now, lines, method="REPLY")
        )  # fmt: skip

    # --- What the collections say of themselves

    def default_calendar(self):
        """The calendar that invitations come to (RFC 6638, 9.2)."""
        names = {one.name: one for one in self.tree.calendars}
        found = names.get(self.backend.default_calendar)
        return href(self.tree.calendar_path(found)) if found else None


def _items(text):
    found = read_object(text)
    return found.items if found is not None else ()


def _attendees(items):
    """(most attendees of one item, different ones of all)"""
    people = [item.attendees for item in items]
    return max(map(len, people), default=0), len({one.uri for some in people for one in some})


def moved(before, after):
    """Whether a meeting, or an occurrence that both know, is at another time.

    :param before, after: items of one object
    """
    known = {item.recurrence_id and _at(item.recurrence_id): item for item in before}
    for item in after:
        place = item.recurrence_id and _at(item.recurrence_id)
        old = known.get(place)
        if old is None:
            # An occurrence that was told with the series, where that has it.
            if place is not None and item.start is not None and _at(item.start) != place:
                return True
            continue
        for one, other in ((old.start, item.start), (old.stop, item.stop)):
            if one is not None and other is not None and _at(one) != _at(other):
                return True
    return False


def _at(moment):
    if is_date(moment):
        return moment.isoformat()
    return write_moment(moment if moment.tzinfo is None else moment.astimezone(UTC))


def _organizer(items):
    return next((item.organizer for item in items if item.organizer), None)


def _who(person):
    return person.email or person.uri.strip().lower()


def _is_one_of(person, addresses):
    return person is not None and person.email in addresses


def _sequence(items):
    return max((item.sequence for item in items), default=0)


def _masked(calendar):
    """The UID of a meeting that is not to count: the one for which time is looked for."""
    for item in calendar.items:
        for line in item.component.lines() if item.component is not None else ():
            name, _, value = line.partition(":")
            if name.upper() == "X-CALENDARSERVER-MASK-UID":
                return value.strip()
    return None
