"""iTIP: the messages by which people agree on a meeting (RFC 5546, 3.2).

Makes them of items and reads them. What one means for what is there already is in
``itip_state``, whether it is right to the letter in ``itip_check``; how it travels
(RFC 6047) is none of this package's business. Paragraphs are of RFC 5546.
"""

from dataclasses import dataclass, replace

from .errors import CannotAnswer, MixedMessage, NoMethod, NotACalendar, UnknownMethod
from .items import Attendee, Event
from .limits import Limits
from .parse import parse
from .scheduling import bare
from .text import to_text
from .values import add, is_date

#: 1.4: what the organizer says, and what the attendees say.
FROM_ORGANIZER = frozenset({"REQUEST", "CANCEL", "ADD", "DECLINECOUNTER"})
FROM_ATTENDEE = frozenset({"REPLY", "COUNTER", "REFRESH"})
METHODS = FROM_ORGANIZER | FROM_ATTENDEE
#: 3.2.3: answers that a REPLY gives.
ANSWERS = ("ACCEPTED", "DECLINED", "TENTATIVE", "DELEGATED")
#: A message is one meeting, not a calendar: what comes by mail is read no further.
MAIL = Limits(
    file_bytes=5_000_000, components=2_000, component_bytes=5_000_000, component_lines=20_000,
    onsets=500,
)  # fmt: skip
_SUCCESS = "2.0;Success"


@dataclass(frozen=True, slots=True)
class Message:
    """A message: its METHOD, and its items, which share a UID."""

    method: str
    items: tuple

    @property
    def uid(self):
        """UID of the meeting."""
        return self.items[0].uid

    @property
    def organizer(self):
        """The organizer's address, or None."""
        found = next((item.organizer for item in self.items if item.organizer), None)
        return found.email if found else None

    def text(self, now):
        """The message as octets want it. DTSTAMP says when it was made (2.1.5).

        Files that a calendar server keeps are not for those who are not its users.
        """
        items = [
            replace(
                item, stamp=now, modified=None, created=None, organizer=bare(item.organizer),
                attendees=tuple(map(bare, item.attendees)),
                attachments=tuple(
                    one for one in item.attachments if not one.params.get("MANAGED-ID")
                ),
            )
            for item in self.items
        ]  # fmt: skip
        return to_text(items, method=self.method)


def read(data, limits=MAIL):
    """Read a message.

    :param bytes data: the calendar part of a mail
    :rtype: Message
    :raises ItipError: when it is no message, or one of several meetings
    :raises IcalError: when it cannot be read
    """
    file = parse(data, limits)
    methods = {calendar.method for calendar in file.calendars}
    if len(methods) > 1:
        raise MixedMessage("several methods in one message")
    method = methods.pop() if methods else None
    if not method or method == "PUBLISH":
        # 3.2.1: what is published asks nothing of anybody.
        raise NoMethod("the calendar has no METHOD")
    if method not in METHODS:
        raise UnknownMethod(f"METHOD {method[:40]}")
    if file.failures:
        raise file.failures[0].error
    items = [item for item in file.items if isinstance(item, Event)]
    if len(items) != len(file.items):
        raise UnknownMethod("only messages about events are understood")
    if not items:
        raise NotACalendar("there is no event in the message")
    # 3.2: several components are the parts of one meeting.
    if len({item.uid for item in items}) > 1:
        raise MixedMessage("several meetings in one message")
    return Message(method, tuple(items))


def request(items):
    """An invitation, or what has become of one (3.2.2).

    :param items: the meeting, or the series first and then its changed occurrences, or
        only some occurrences
    :raises CannotAnswer: when nobody organises it or nobody is invited
    """
    made = []
    for item in items:
        _check_people(item)
        # 3.2.2 knows no REQUEST-STATUS; reminders are each reader's own.
        made.append(
            replace(item, alarms=(), request_status=(), summary=item.summary or "", method=None)
        )
    return Message("REQUEST", tuple(made))


def cancel(items, uninvited=None):
    """The meeting does not take place, or not for some of the invited (3.2.5).

    Of a series that is cancelled as a whole only the series is given. SEQUENCE has to
    be raised before (2.1.4), by whoever keeps it.

    :param items: what is cancelled
    :param uninvited: addresses of those for whom it is; None for all
    :raises CannotAnswer: when nobody organises it
    """
    made = []
    for item in items:
        if item.organizer is None:
            raise CannotAnswer("a meeting without organizer")
        people = item.attendees
        if uninvited is not None:
            people = tuple(one for one in people if one.email in uninvited)
            known = {one.email for one in people}
            people += tuple(Attendee.of(email) for email in uninvited if email not in known)
        made.append(
            Event(
                uid=item.uid,
                recurrence_id=item.recurrence_id,
                this_and_future=item.this_and_future,
                sequence=item.sequence,
                start=item.start,
                end=item.end,
                duration=item.duration,
                summary=item.summary or "",
                location=item.location,
                organizer=item.organizer,
                # "MUST include some or all Attendees"
                attendees=people,
                # "to cancel the entire event … if uninviting specific Attendees, then
                # MUST NOT be included"
                status="CANCELLED" if uninvited is None else None,
                zones=item.zones,
                calendar_zone=item.calendar_zone,
            )
        )
    return Message("CANCEL", tuple(made))


def reply(items, email, status, comment="", delegate=None):
    """An attendee's answer (3.2.3).

    :param items: the meeting as it was received, or the occurrences that are answered
    :param str email: of the attendee, by which he was invited
    :param str status: of :data:`ANSWERS`
    :param str delegate: address of who comes instead (2.2.2)
    :raises CannotAnswer: when nobody organises it
    """
    if status not in ANSWERS:
        raise CannotAnswer(f"no answer: {status}")
    made = []
    for item in items:
        answer = _answer(item, _myself(item, email), status, comment)
        if delegate and status == "DELEGATED":
            mine = answer.attendees[0].put(DELEGATED_TO=f"mailto:{delegate}")
            answer = replace(answer, attendees=(mine,))
        made.append(answer)
    return Message("REPLY", tuple(made))


def counter(item, email, start, end, comment=""):
    """An attendee proposes another time (3.2.7).

    :param item: the meeting as it was received
    :param start, end: the times that he would like
    :raises CannotAnswer: when nobody organises it
    """
    _check_people(item)
    made = replace(
        item,
        start=start,
        end=end,
        duration=None,
        alarms=(),
        request_status=(),
        comments=(comment,) if comment else (),
        summary=item.summary or "",
        # "SEQUENCE … echo the original"
        attendees=tuple(
            one.put(PARTSTAT="TENTATIVE") if one.email == email else one for one in item.attendees
        ),
        method=None,
    )
    return Message("COUNTER", (made,))


def decline_counter(item, email, comment=""):
    """The organizer does not take up a proposal (3.2.8).

    :param item: the meeting as it is
    :param str email: of the attendee who proposed
    """
    if item.organizer is None:
        raise CannotAnswer("a meeting without organizer")
    made = Event(
        uid=item.uid,
        recurrence_id=item.recurrence_id,
        sequence=item.sequence,
        organizer=item.organizer,
        attendees=(_myself(item, email),),
        comments=(comment,) if comment else (),
        zones=item.zones,
    )
    return Message("DECLINECOUNTER", (made,))


def refresh(item, email):
    """An attendee asks for the meeting as it is now (3.2.6)."""
    if item.organizer is None:
        raise CannotAnswer("a meeting without organizer")
    made = Event(
        uid=item.uid,
        recurrence_id=item.recurrence_id,
        organizer=item.organizer,
        attendees=(Attendee.of(email),),
        zones=item.zones,
    )
    return Message("REFRESH", (made,))


def address_of(uri):
    """The address in a mailto, in lower case, or None."""
    return Attendee(uri).email if uri else None


def occurrence(item, recurrence_id):
    """The occurrence of a series that its rule gives, as an item of its own (3.2.2).

    :param item: the series
    :param recurrence_id: the start that the rule gives it
    """
    start, end = recurrence_id, None
    if item.stop is not None and item.start is not None:
        end = add(start, item.stop - item.start)
    return replace(
        item,
        recurrence_id=recurrence_id,
        start=start,
        end=end,
        duration=None,
        rules=(),
        exrules=(),
        rdates=(),
        exdates=(),
    )


def proposed(message):
    """(start, stop, comment) that a COUNTER proposes (3.2.7).

    :raises CannotAnswer: when it says no time
    """
    item = message.items[0]
    start = item.start
    if start is None or item.stop is None:
        raise CannotAnswer("a proposal without a time")
    if is_date(start) != is_date(item.stop):
        raise CannotAnswer("a proposal whose start and end do not fit together")
    return start, item.stop, " ".join(item.comments).strip()


def _check_people(item):
    if item.organizer is None:
        raise CannotAnswer("a meeting without organizer")
    if not item.attendees:
        raise CannotAnswer("a meeting to which nobody is invited")


def _myself(item, email):
    """The attendee's own line as he was invited; a bare one when he was not by name."""
    found = next((one for one in item.attendees if one.email == email), None)
    return found or Attendee.of(email)


def _answer(item, attendee, status, comment):
    if item.organizer is None:
        raise CannotAnswer("a meeting without organizer")
    return Event(
        uid=item.uid,
        recurrence_id=item.recurrence_id,
        # "MUST be the same as in the REQUEST" (2.1.5)
        sequence=item.sequence,
        start=item.start,
        end=item.end,
        duration=item.duration,
        summary=item.summary,
        organizer=item.organizer,
        # "MUST be the address of the replying Attendee", and no other
        attendees=(attendee.put(PARTSTAT=status, RSVP=None),),
        comments=(comment,) if comment else (),
        request_status=(_SUCCESS,),
        zones=item.zones,
        calendar_zone=item.calendar_zone,
    )
