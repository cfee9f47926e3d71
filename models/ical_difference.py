"""What Odoo has, held against what it is to have: meeting by meeting.

The meetings of a series are found by their places; what is the same said otherwise is
no difference.
"""

from dataclasses import dataclass, field

from ..ical.recurrence import MAX_COUNT
from ..ical.text import item_lines
from .calendar_recurrence_identity import RULE
from .ical_kept import original_item
from .ical_row import COMPARED, Row
from .ical_rows import MAX_SHORT, Plan
from .ical_taken import MAX_LOCATION, other_tags

#: Properties that Odoo has fields for, or that say when the text was made.
_TOLD = frozenset(
    {
        "BEGIN", "END", "UID", "DTSTAMP", "CREATED", "LAST-MODIFIED", "SEQUENCE", "RECURRENCE-ID",
        "SUMMARY", "DESCRIPTION", "LOCATION", "DTSTART", "DTEND", "DURATION", "RRULE", "EXDATE",
        "RDATE", "CLASS", "TRANSP", "CATEGORIES", "STATUS",
    }
)  # fmt: skip
#: Properties that Odoo writes without having been told.
_WRITTEN = frozenset({"URL", "CONFERENCE", "ORGANIZER", "ATTENDEE"})


@dataclass(slots=True)
class Difference:
    """What has to be done so that Odoo has what was read.

    :param writes: list of (event, names of the fields of Row that differ, Row)
    :param creates: list of Row
    :param archives: events that the series has no more
    :param bool rule: whether the rule of the series differs
    :param bool other: whether only what Odoo has no field for differs
    """

    plan: object
    writes: list = field(default_factory=list)
    creates: list = field(default_factory=list)
    archives: list = field(default_factory=list)
    rule: bool = False
    other: bool = False

    def __bool__(self):
        return bool(self.writes or self.creates or self.archives or self.rule or self.other)


class Differ:
    """Finds differences.

    :param events: empty recordset, which reads past the rights and finds cancelled ones
    :param RowReader reader: which knows the contacts of the file's attendees
    """

    def __init__(self, events, reader):
        self.events = events
        self.reader = reader

    def rows(self, record):
        if record._name == "calendar.event":
            return record
        return self.events.search([("recurrence_id", "=", record.id)], order="start, id")

    def difference(self, record, plan, items):
        events = self.rows(record)
        if plan.partial and record._name == "calendar.event":
            plan = Plan(plan.rows[:1])
        difference = Difference(plan)
        pairs = self._pairs(record, events, plan, difference)
        for event, row in pairs:
            names = self._differing(event, row)
            if names:
                difference.writes.append((event, names, row))
        if plan.series is not None and not plan.partial:
            difference.rule = self._rule_differs(record, plan, difference)
        if not difference:
            difference.other = self._other_differs(record, items)
        return difference

    def _pairs(self, record, events, plan, difference):
        """Pairs (event, Row) of what is there; what is not goes into the difference."""
        if plan.series is None:
            return [(self._only_one(record, events, difference), plan.rows[0])]
        free = {}
        for event in events.sorted(lambda one: (one.active, one.follow_recurrence)):
            free[event.ical_recurrence_start or event.start] = event
        if record._name == "calendar.event":
            # The meeting that begins to repeat is the one in its place, or the first.
            place = record.start if record.start in {row.place for row in plan.rows} else None
            free = {place or plan.rows[0].place: record}
        pairs = []
        for row in plan.rows:
            event = free.pop(row.place, None)
            if event is not None:
                pairs.append((event, row))
            elif row.active:
                if row.alarms is None:
                    row.alarms = _alarms_of(events[:1])
                difference.creates.append(row)
        if not plan.partial:
            difference.archives += _gone(free, plan.series)
        return pairs

    def _only_one(self, record, events, difference):
        """The event that is to be a single meeting; the others of its series go."""
        if record._name == "calendar.event":
            return record
        event = record.base_event_id or events.filtered("active")[:1] or events[:1]
        difference.archives += list((events - event).filtered("active"))
        # A series of one meeting is told as one.
        difference.rule = bool(difference.archives or record.rrule_type)
        return event

    def _differing(self, event, row):
        """Names of the fields of Row in which the event differs."""
        now = row_of(event)
        self._same_guests(event, row)
        found = []
        for name in COMPARED:
            old, new = getattr(now, name), getattr(row, name)
            if name == "description":
                old, new = " ".join(old.split()), " ".join(new.split())
            elif name == "privacy":
                old, new = (None if one == "public" else one for one in (old, new))
            elif name == "categories":
                old, new = ({one.lower() for one in names} for names in (old, new))
            elif name in ("videocall_location", "alarms") and new is None:
                continue
            if old != new:
                found.append(name)
        if "guests" not in found and self._parts_differ(event, row):
            found.append("guests")
        if now.place != row.place and row.place is not None and not found:
            found.append("place")
        return found

    def _same_guests(self, event, row):
        """Name the guests of a row as the event does, which may have other contacts of
        their addresses, or none."""
        known = {
            email: guest._key() for guest in event.attendee_ids
            if (email := self._email(guest))
        }  # fmt: skip
        emails = {guest: email for email, guest in self.reader.contacts.items()}
        names = {
            guest: known.get(guest if isinstance(guest, str) else emails.get(guest), guest)
            for guest in row.guests
        }
        row.guests = {names[guest]: state for guest, state in row.guests.items()}
        row.parts = {names[guest]: said for guest, said in (row.parts or {}).items()}
        for guest in event.attendee_ids:
            # Who has no address is in no file.
            if not self._email(guest):
                row.guests.setdefault(guest.partner_id.id, guest.state)

    def _email(self, guest):
        return guest.partner_id.email_normalized if guest.partner_id else guest.address

    def _parts_differ(self, event, row):
        """Whether more is said of a guest than his answer, and otherwise than in Odoo."""
        emails = {self._email(guest) for guest in event.attendee_ids}
        for guest in event.attendee_ids:
            said = dict((row.parts or {}).get(guest._key()) or {})
            wanted = {one for one in said.pop("delegates", ()) if one in emails}
            if wanted - {self._email(one) for one in guest.delegated_to_ids}:
                return True
            if any((guest[name] or "") != (value or "") for name, value in said.items()):
                return True
        return False

    def _rule_differs(self, record, plan, difference):
        if record._name == "calendar.event":
            return True
        series = plan.series
        is_cut = series["ical_last"] is not None
        if not (difference.creates or difference.archives or difference.writes or is_cut):
            # The same meetings: said otherwise perhaps, but the same.
            return False
        if not series["rrule_type"]:
            known = original_item(record.ical_text)
            new = original_item(series["ical_text"])
            return (known.rules if known else ()) != (new.rules if new else ())
        kept = {name: record[name] for name in RULE}
        if kept["end_type"] == "count" and kept["count"] >= MAX_COUNT:
            # What Odoo makes of "for ever" when it saves it.
            kept["end_type"] = "forever"
        return any(
            (kept[name] or False) != (value or False)
            for name, value in series.items()
            if name in RULE and name not in ("event_tz", "week_start", "rule_text")
        )

    def _other_differs(self, record, items):
        """Whether something differs that Odoo has no field for."""
        # The reminders of a series are compared meeting by meeting.
        whole = record._name == "calendar.event"
        new = _other_lines(items[0], whole)
        original = original_item(record.ical_text)
        if original is not None:
            return new != _other_lines(original, whole) or _is_longer(items[0], original)
        return any(_name_of(line) not in _WRITTEN for line in _other_lines(items[0], False))


def _gone(left, series):
    """Of the meetings that the plan does not have, by their places, those it speaks of."""
    first, last = series["ical_first"], series["ical_last"]
    return [
        event
        for place, event in left.items()
        if event.active and (first is None or place >= first) and (last is None or place < last)
    ]


def row_of(event):
    """A meeting as it is, as Row."""
    return Row(
        start=event.start,
        stop=event.stop,
        allday=event.allday,
        name=" ".join(event.name.split()),
        description=event._ical_description(),
        location=" ".join((event.location or "").split()),
        privacy=event.privacy or None,
        show_as=event.show_as,
        active=event.active,
        is_tentative=event.is_tentative,
        videocall_location=event.videocall_location or None,
        categories=frozenset(event.categ_ids.mapped("name")),
        alarms=_alarms_of(event),
        guests={guest._key(): guest.state for guest in event.attendee_ids},
        place=(event.ical_recurrence_start or event.start) if event.recurrence_id else None,
    )


def _is_longer(item, original):
    """Whether they differ in what is too long or too many for the fields of Odoo."""
    for name, most in (("description", MAX_SHORT), ("location", MAX_LOCATION)):
        one, other = getattr(item, name) or "", getattr(original, name) or ""
        if max(len(one), len(other)) > most and one.split() != other.split():
            return True
    return other_tags(item.categories) != other_tags(original.categories)


def _alarms_of(event):
    return frozenset(alarm._meaning(event.allday) for alarm in event.alarm_ids)


def _name_of(line):
    return line.split(":", 1)[0].split(";", 1)[0].upper()


def _other_lines(item, with_alarms):
    """The lines that say what Odoo has no field for; components as a whole."""
    lines, inside = [], []
    for line in item_lines(item):
        name = _name_of(line)
        if name == "BEGIN":
            inside.append(line[6:].strip().upper())
        if "VALARM" in inside:
            if with_alarms and name not in ("ACKNOWLEDGED", "X-WR-ALARMUID"):
                lines.append(line)
        elif len(inside) > 1 or name not in _TOLD:
            lines.append(line)
        if name == "END":
            inside.pop()
    return sorted(lines)
