"""An item as rows of Odoo, in plain values; the way back of ``ical_meeting.py``."""

import re
from dataclasses import dataclass, fields, replace
from datetime import datetime, time, timedelta
from functools import lru_cache

from ..ical.alarms import MOST_REPEATED, to_meaning
from ..ical.text import item_lines, to_text
from ..ical.values import UTC, is_date
from ..ical.zones import by_name, like
from .ical_guest import STATES, delegates, values
from .ical_kept import GUESTS
from .ical_taken import MAX_DESCRIPTION, MAX_LOCATION, alarms_of, short, tags_of

#: Odoo's hours of a meeting of whole days.
DAY_START, DAY_STOP = time(8), time(18)
_DAY = timedelta(days=1)
#: UID of a reminder of Odoo whose kind others do not have.
ALARM_UID = re.compile(r"odoo-alarm-(\d{1,9})")
#: Years that Odoo and its clients can write.
YEARS = range(1000, 9000)
_TZID = re.compile(r";TZID=\"?([^:;\"]+)", re.I)


class CannotKeep(Exception):
    """An item that Odoo has no place for.

    :param str code: see ``_ical_reason``
    """

    def __init__(self, code, detail=""):
        super().__init__(code)
        self.code = code
        self.detail = detail


@dataclass(slots=True)
class Row:
    """One meeting, as Odoo is to have it.

    ``place`` is the start that the series gives it, ``guests`` a dict from the id of a
    partner, or from an address alone, to his answer, ``parts`` one from the same to what
    else is said of him; ``alarms`` what reminders mean (``ical.alarms.Meaning``), None where
    they are none of its business.
    """

    start: datetime
    stop: datetime
    allday: bool = False
    name: str = ""
    description: str = ""
    location: str = ""
    privacy: str | None = None
    show_as: str = "busy"
    active: bool = True
    is_tentative: bool = False
    videocall_location: str | None = None
    categories: frozenset = frozenset()
    alarms: frozenset | None = frozenset()
    guests: dict = None
    parts: dict = None
    sequence: int = 0
    text: str | None = None
    place: datetime | None = None


#: What two rows are compared by; the rest follows.
COMPARED = tuple(
    one.name for one in fields(Row) if one.name not in ("parts", "sequence", "text", "place")
)  # fmt: skip


class RowReader:
    """Makes rows of items.

    :param owner: res.users whose calendar it is; his zone is where floating times are
    :param tzinfo zone: that zone
    :param contacts: dict from address to the id of a partner, or to itself where it is
        invited without a contact
    :param Options options: see there
    :param str untitled: name of a meeting without one
    """

    def __init__(self, owner, zone, contacts, options, untitled):
        self.zone = zone
        self.partner_id = owner.sudo().partner_id.id
        self.addresses = owner_addresses(owner)
        self.contacts = contacts
        self.options = options
        self.untitled = untitled
        self._alarm_model = owner.env["calendar.alarm"].sudo()
        self._meetings = owner.env["calendar.event"].sudo().with_context(active_test=False)
        self._owner_id = owner.id
        installed = owner.env["res.lang"].get_installed()
        self._languages = {code.replace("_", "-").lower(): code for code, _name in installed}
        self._known = {}

    def single(self, item):
        """The row of an item that does not repeat."""
        start, stop, allday = self.times(item, item.start, item.stop or item.start)
        return self.row(item, start, stop, allday)

    def row(self, item, start, stop, allday, place=None):
        """A row of an item at a time; what the item says of it is read once."""
        known = self._known.get(id(item))
        if known is None:
            # The item is kept with it: an id is used again once its object is gone.
            known = self._known[id(item)] = (item, self._facts(item))
        return replace(known[1], start=start, stop=stop, allday=allday, place=place)

    def times(self, item, start, stop):
        """(start, stop, whether whole days) as Odoo has them.

        :raises CannotKeep: for years that Odoo cannot write
        """
        for moment in (start, stop):
            if moment.year not in YEARS:
                raise CannotKeep("year", str(moment.year))
        if is_date(start):
            last = max(start, stop - _DAY) if is_date(stop) else start
            return datetime.combine(start, DAY_START), datetime.combine(last, DAY_STOP), True
        start, stop = self.moment(item, start), self.moment(item, stop)
        return start, max(start, stop), False

    def moment(self, item, moment):
        """Naive UTC of a moment; of a day, Odoo's start of it."""
        if is_date(moment):
            return datetime.combine(moment, DAY_START)
        if moment.tzinfo is None:
            moment = moment.replace(tzinfo=item.calendar_zone or self.zone)
        return moment.astimezone(UTC).replace(tzinfo=None, microsecond=0)

    def _facts(self, item):
        guests, parts = self._guests(item)
        return Row(
            start=None,
            stop=None,
            name=self._name(item),
            description=short(item.description or "", MAX_DESCRIPTION),
            location=short(" ".join((item.location or "").split()), MAX_LOCATION),
            privacy=_privacy(item.access),
            show_as="free" if getattr(item, "transparency", None) == "TRANSPARENT" else "busy",
            active=not is_cancelled(item),
            is_tentative=item.status == "TENTATIVE",
            videocall_location=_link(item),
            categories=frozenset(tags_of(item.categories)),
            alarms=(
                frozenset(self._alarms(item, len(guests) > 1)) if self.options.reminders else None
            ),
            guests=guests,
            parts=parts,
            sequence=item.sequence,
            text=kept_text(item, self.contacts),
        )  # fmt: skip

    def _name(self, item):
        for text in (item.summary, item.location, item.description):
            words = " ".join((text or "").split())
            if words:
                return words[:1000]
        return self.untitled

    def _guests(self, item):
        """The owner, and those of the attendees who are contacts or become ones: their
        answers, and what else is said of them."""
        guests, parts = {self.partner_id: "accepted"}, {}
        for attendee in item.attendees:
            email = attendee.email
            state = STATES.get(attendee.status, "needsAction")
            said = values(attendee, self._languages)
            if delegates(attendee):
                said["delegates"] = delegates(attendee)
            if email in self.addresses:
                guests[self.partner_id] = state
                if said["role"] == "chair":
                    # Which his line has because it is his meeting.
                    del said["role"]
                parts[self.partner_id] = said
                continue
            guest = self.contacts.get(email)
            if guest is None and email and self.options.make_contacts and is_person(attendee):
                guest = email
            if guest is not None:
                guests.setdefault(guest, state)
                parts.setdefault(guest, said)
        return guests, parts

    def _alarms(self, item, has_guests):
        for alarm in alarms_of(item.alarms):
            meaning = to_meaning(alarm)
            known = self._known_alarm(alarm.uid, is_date(item.start))
            if (
                known is not None
                and replace(known, kind=meaning.kind) == meaning
                and self._may_be(known, alarm.uid, item.uid)
            ):
                # Of Odoo's own, which are written as what others have.
                yield known
                continue
            # Odoo's e-mail reminders go to all attendees; whose reminder this is
            # asked for one himself.
            if meaning.kind == "email" and has_guests:
                meaning = replace(meaning, kind="notification")
            most = MOST_REPEATED.get(meaning.kind)
            if most is not None and meaning.repeat > most:
                meaning = replace(meaning, repeat=most)
            yield meaning

    def _may_be(self, known, alarm_uid, uid):
        """Whether a text may name this reminder of Odoo's: any that reaches its owner alone.

        One that sends something to others, or runs code, only back to a meeting that has it.

        :param Meaning known: what the reminder means
        """
        if known.kind in ("notification", "activity"):
            return True
        alarm_id = int(ALARM_UID.fullmatch(alarm_uid)[1])
        return bool(uid) and bool(
            self._meetings.search_count(
                [
                    ("ical_uid", "=", uid), ("user_id", "=", self._owner_id),
                    ("alarm_ids", "in", [alarm_id]),
                ], limit=1,
            )
        )  # fmt: skip

    def _known_alarm(self, uid, allday):
        """What the reminder means that was written under this UID, or None."""
        number = ALARM_UID.fullmatch(uid or "")
        alarm = self._alarm_model.browse(int(number[1])).exists() if number else None
        return alarm._meaning(allday) if alarm else None


def owner_addresses(owner):
    """The addresses by which an attendee is the owner."""
    owner = owner.sudo()
    email, login = owner.partner_id.email_normalized, (owner.login or "").lower()
    found = {login} if "@" in login else set()
    # Anybody can write any address into his preferences; nobody another's login.
    if email and owner in owner._by_address([email]).get(email, owner):
        found.add(email)
    return found


def is_person(attendee):
    """Whether a contact can be made of it: no room, no group."""
    return attendee.kind in ("INDIVIDUAL", "UNKNOWN")


def is_cancelled(item):
    """Whether it says that it does not take place."""
    return item.status == "CANCELLED" or item.method == "CANCEL"


def _privacy(access):
    if access is None:
        return None
    # RFC 5545, 3.8.1.3: words that nobody knows are to be taken as PRIVATE.
    return {"PUBLIC": "public", "CONFIDENTIAL": "confidential"}.get(access, "private")


def _link(item):
    for conference in item.conferences:
        uri = conference.uri.strip()
        if uri[:8].lower().startswith(("http://", "https://")) and len(uri) < 2000:
            return uri
    return None


def kept_text(item, contacts=()):
    """The item as a calendar of its own, to be kept beside its record.

    :param contacts: addresses that Odoo has contacts for
    """
    lines = item_lines(item)
    names = {name for line in lines for name in _TZID.findall(line[:200])}
    head = []
    zone = getattr(item.calendar_zone, "key", None)
    if zone:
        head.append(f"X-WR-TIMEZONE:{zone}")
    guests = [one.email for one in item.attendees if one.email and one.email in contacts]
    if guests:
        head.append(GUESTS + ",".join(guests))
    if all(by_name(name) for name in names):
        return "\n".join(["BEGIN:VCALENDAR", "VERSION:2.0", *head, *lines, "END:VCALENDAR", ""])
    # A zone of its own is not known without its rules.
    return to_text([item], lines=head).replace("\r\n", "\n")


@lru_cache(maxsize=500)
def zone_name(zone, year):
    """The name under which Odoo knows a zone, or None."""
    return like(zone, year)
