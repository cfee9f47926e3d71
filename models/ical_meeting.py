"""One meeting as an item. Plain Python over records: what each field is called there."""

import base64
from dataclasses import replace
from datetime import timedelta

from odoo.tools.mimetypes import guess_mimetype

from ..ical.alarms import from_meaning
from ..ical.items import Attachment, Attendee, Conference, Event, Organizer
from ..ical.params import EMPTY
from ..ical.values import UTC
from ..ical.zones import by_name
from .calendar_alarm import MAX_INLINE
from .ical_guest import facts_of, line
from .ical_kept import with_original

_ACCESS = {"private": "PRIVATE", "confidential": "CONFIDENTIAL"}
_DAY = timedelta(days=1)
#: Fields of a meeting whose records not everybody may read.
LISTS = ("attendee_ids", "alarm_ids", "categ_ids")


class MeetingWriter:
    """Makes items of meetings that were read already.

    :param events: all meetings in question
    :param bool private_details, time_only: see ``_ical_objects``
    """

    def __init__(self, events, private_details=True, time_only=False):
        env = events.env
        self.env = env
        self.model = events.browse()
        self.hidden = set(events.ids) if time_only else self._hidden(events, private_details)
        self.readable = {name: events._ical_may_read(name) for name in LISTS}
        # What many meetings have in common is made once.
        self._zones = {}
        self._organizers = {}
        self._alarms = {}
        self._organizer_partners = {}
        self._attendees = {}
        self._categories = {}
        self._taken = self._taken_in(events)
        self._said = {}
        # The names of its guests are no secret to whoever sees a meeting.
        if self.readable["attendee_ids"]:
            shown = events.filtered(lambda event: event.id not in self.hidden)
            self._said = facts_of(shown.attendee_ids)
            self._partners = (
                env["res.partner"]
                .sudo()
                .browse({one.partner_id for one in self._said.values() if one.partner_id})
            )

    def _hidden(self, events, private_details):
        """Ids of the meetings of which only the time may be said."""
        hidden = set()
        if not self.env.su:
            hidden.update(
                event.id for event in events if event._check_private_event_conditions()
            )  # fmt: skip
        if not private_details:
            hidden.update(
                event.id for event in events if event.effective_privacy in _ACCESS
            )  # fmt: skip
        return hidden

    def _taken_in(self, events):
        """Ids of the meetings that whoever has them in his calendar took from elsewhere.

        He is responsible for them in Odoo; their organizer may be somebody else.
        """
        if not any(event.ical_text for event in events):
            return set()
        sources = self.env["calendar.ical.source"].sudo()
        found = sources.search_fetch(
            [
                "|",
                ("event_id", "in", events.ids),
                ("recurrence_id", "in", events.recurrence_id.ids),
            ],
            ["event_id", "recurrence_id", "user_id"],
        )
        owners = {(one.event_id or one.recurrence_id, one.user_id) for one in found}
        return {
            event.id
            for event in events.sudo()
            if (event, event.user_id) in owners or (event.recurrence_id, event.user_id) in owners
        }

    def item(self, event):
        """The item of a meeting that is no part of a series."""
        zone = self.zone(event.user_id)
        return self.build(event, self.uid(event), *self.span(event, zone))

    def uid(self, event):
        if event.id in self.hidden:
            return self.model._ical_busy_uid("meeting", event.id)
        return event.ical_uid

    def zone(self, user):
        """Where the organizer is."""
        if user not in self._zones:
            name = user.sudo().tz or self.env.context.get("tz") or self.env.user.tz
            self._zones[user] = named_zone(name)
        return self._zones[user]

    def span(self, event, zone):
        """(DTSTART, DTEND): days, DTEND exclusive; or times."""
        if event.allday:
            return event.start.date(), event.stop.date() + _DAY
        return moment(event.start, zone), moment(event.stop, zone)

    def build(self, event, uid, start, end, text=None, **more):
        """An item with the properties of a meeting.

        :param str text: the original text, if not that of the meeting
        :param more: further fields of the item
        """
        common = {
            "uid": uid,
            "start": start,
            "end": end,
            "transparency": "TRANSPARENT" if event.show_as == "free" else "OPAQUE",
            "status": self._status(event),
            **more,
        }
        if event.id in self.hidden:
            return Event(summary=self.env._("Busy"), access="PRIVATE", **common)
        link = event.videocall_location or None
        people = self.attendees(event)
        common.setdefault("sequence", event.ical_sequence)
        common.setdefault("modified", utc(event.write_date))
        common.setdefault("created", utc(event.create_date))
        item = Event(
            stamp=common["modified"],
            summary=event._get_customer_summary() or None,
            description=event._ical_description() or None,
            location=event.location or None,
            access=_ACCESS.get(event.effective_privacy),
            url=link,
            conferences=(Conference(link, EMPTY.put(FEATURE="VIDEO")),) if link else (),
            categories=self.categories(event),
            # Without guests a meeting is no business of others (RFC 5545, 3.8.4.3).
            organizer=self.organizer(event) if people else None,
            attendees=people,
            alarms=self.alarms(event, people),
            **common,
        )
        text = event.ical_text if text is None else text
        return with_original(text, item, event.id not in self._taken)

    @staticmethod
    def _status(event):
        if not event.active:
            return "CANCELLED"
        return "TENTATIVE" if event.is_tentative else "CONFIRMED"

    def facts(self, event):
        """What a meeting says beside its times: equal for those of a series that are alike."""
        if event.id in self.hidden:
            return (True, event.stop - event.start, event.allday, event.show_as)
        link = event.videocall_location or ""
        return (
            False, event.stop - event.start, event.allday, event.show_as, event.is_tentative,
            event.name,
            event.description, event.location, event.privacy, event.user_id.id,
            # Odoo's own rooms have an address for each meeting of a series.
            event.DISCUSS_ROUTE if event.DISCUSS_ROUTE in link else link,
            self.categories(event),
            tuple(event.alarm_ids.ids) if self.readable["alarm_ids"] else (),
            tuple(sorted(self._guests(event))),
            bool(event.ical_text),
        )  # fmt: skip

    def categories(self, event):
        if not self.readable["categ_ids"]:
            return ()
        tags = event.categ_ids
        if tags._ids not in self._categories:
            self._categories[tags._ids] = tuple(tags.mapped("name"))
        return self._categories[tags._ids]

    def _guests(self, event):
        """The facts of its guests."""
        if not self.readable["attendee_ids"]:
            return ()
        return [self._said[key] for key in event.attendee_ids._ids]

    def organizer(self, event):
        user = event.user_id
        if user not in self._organizers:
            partner = self._organizer_partner(user)
            email = self.model._ical_address(partner)
            self._organizers[user] = Organizer.of(email, CN=partner.name) if email else None
        return self._organizers[user]

    def attendees(self, event):
        """The guests who have an address, with their answers; none if one meets nobody."""
        organizer = self._organizer_partner(event.user_id).id
        found = []
        others = False
        for said in self._guests(event):
            is_organizer = bool(said.partner_id) and said.partner_id == organizer
            others = others or not is_organizer
            key = said, is_organizer
            if key not in self._attendees:
                self._attendees[key] = self._new_attendee(*key)
            if self._attendees[key]:
                found.append(self._attendees[key])
        return tuple(found) if others else ()

    def _organizer_partner(self, user):
        if user not in self._organizer_partners:
            self._organizer_partners[user] = user.sudo().partner_id
        return self._organizer_partners[user]

    def _new_attendee(self, said, is_organizer):
        if not said.partner_id:
            return line(said, said.address, said.address_name, is_organizer)
        partner = self._partners.browse(said.partner_id).with_prefetch(self._partners._ids)
        email = self.model._ical_address(partner)
        return line(said, email, partner.name, is_organizer) if email else None

    def alarms(self, event, people):
        if not self.readable["alarm_ids"]:
            return ()
        return tuple(self._alarm(alarm, people, event.allday) for alarm in event.alarm_ids)

    def _alarm(self, alarm, people, allday):
        # EMAIL has to say to whom (3.6.6).
        is_mail = alarm.alarm_type == "email" and bool(people)
        key = alarm.id, allday, people if is_mail else ()
        if key not in self._alarms:
            meaning = alarm._meaning(allday)
            kind = "email" if is_mail else "notification"
            # Known again by its UID, whatever others make of it.
            uid = None if meaning.kind == "notification" else f"odoo-alarm-{alarm.id}"
            made = from_meaning(replace(meaning, kind=kind), alarm.name, uid)
            if is_mail:
                made = replace(
                    made,
                    attendees=tuple(Attendee(one.uri) for one in people),
                    attachments=self._alarm_files(alarm),
                )
            self._alarms[key] = made
        return self._alarms[key]

    @staticmethod
    def _alarm_files(alarm):
        """Its file inside the text, if it is small."""
        file = alarm.sudo().with_context(bin_size=False).attachment
        octets = base64.b64decode(file) if file else b""
        if not octets or len(octets) > MAX_INLINE:
            return ()
        name = alarm.attachment_name or "attachment"
        media = guess_mimetype(octets)
        return (Attachment.inline(octets, FMTTYPE=media, FILENAME=name),)


def named_zone(name):
    """The zone of a name out of Odoo; UTC for an unknown one."""
    zone = by_name(name) if name else None
    return zone or UTC


def utc(at):
    return at.replace(tzinfo=UTC, microsecond=0) if at else None


def moment(at, zone):
    """Odoo's naive UTC as local time; as UTC where the clock shows a time twice.

    A local time that exists twice means its first occurrence (RFC 5545, 3.3.5).
    """
    local = utc(at).astimezone(zone)
    return utc(at) if local.fold else local
