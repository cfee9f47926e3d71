"""From what was noted of a meeting to the messages that its invited get."""

from dataclasses import replace
from datetime import timedelta

from markupsafe import Markup

from odoo import fields, models

from ..ical import itip
from ..ical.items import Attendee, Event, Organizer
from ..ical.values import UTC
from .calendar_invitation_outgoing import unpack
from .ical_meeting import moment, named_zone
from .invitation_plan import Plan

#: Parameter of the system: whose address answers are sent to.
ANSWERS_TO = "crm_automation.invitation_answers_to"
#: Occurrences that are named in one sentence.
NAMED = 20


class CalendarInvitationOutgoing(models.Model):
    _inherit = "calendar.invitation.outgoing"

    def _tell_invited(self):
        """Tell the invited what has become of a meeting, or a series.

        The rows belong together: a meeting that has got another UID is told under both.
        """
        if self.env["ir.config_parameter"].sudo().get_param("calendar.block_mail"):
            return
        before, asked, comment = {}, {}, ""
        for row in self:
            if row.kind == "asked":
                asker = row.uid, row.data["user_id"]
                asked.setdefault(asker, set()).update(row.data["emails"])
                comment = row.data.get("comment") or comment
                continue
            for key, facts in unpack(row.data).items():
                before.setdefault(key, facts)
        Events = self.env["calendar.event"].sudo().with_context(active_test=False)
        touched = Events.browse(before).exists()
        uids = {*self.mapped("uid"), *touched.mapped("ical_uid")}
        actor = self[-1].user_id
        # Somebody else may have the same meeting from elsewhere, or another of that name:
        # each organizer's are told on their own.
        owners = {owner for _uid, owner in asked} | set(touched.user_id.ids)
        owners |= {facts["user_id"] for facts in before.values() if facts}
        for uid in sorted(filter(None, uids)):
            for owner in sorted(filter(None, owners)):
                self._tell_uid(uid, owner, before, asked.get((uid, owner), ()), actor, comment)

    def _tell_uid(self, uid, owner, noted, asked, actor, comment):
        Events = self.env["calendar.event"].sudo().with_context(active_test=False)
        events = Events.search([("ical_uid", "=", uid), ("user_id", "=", owner)], order="start, id")
        facts = {key: one for key, one in events._invitation_facts().items() if one}
        # What has got another organizer is told by him.
        elsewhere = Events.browse(noted).exists().filtered(lambda one: one.user_id.id != owner)
        before = {
            key: one if one and one["uid"] == uid else None
            for key, one in noted.items()
            if key in facts
            or (one and one["uid"] == uid and one["user_id"] == owner and key not in elsewhere.ids)
        }
        after = {key: facts.get(key) for key in before}
        others = {key: one for key, one in facts.items() if key not in before}
        now = fields.Datetime.to_string(fields.Datetime.now())
        parcels = Plan(before, after, others, now, asked).parcels()
        if not parcels:
            return
        meeting = Meeting(self.env, uid, events, before, {**after, **others})
        if any(parcel.method == "CANCEL" for parcel in parcels):
            meeting.raise_sequence()
        self._tell_whose_meeting(meeting, parcels, actor)
        own = Events._invitation_own_addresses(actor) if actor._is_internal() else set()
        for parcel, emails in parcels.items():
            # Whoever did it knows it.
            emails = emails if emails & set(asked) else emails - own
            if emails:
                self.env["calendar.invitation.letter"]._queue_parcel(
                    meeting, parcel, emails, comment
                )

    def _tell_whose_meeting(self, meeting, parcels, actor):
        """The organizer hears of what somebody else has done to his meeting."""
        user = meeting.user
        told = next((one for one in parcels if one.kind in ("changed", "cancelled")), None)
        if not told or actor == user or not actor._is_internal() or not user._is_internal():
            return
        speaker = self.with_context(lang=user.lang, tz=user.tz)
        Letter = speaker.env["calendar.invitation.letter"]
        facts = meeting.facts(told)
        subject = Letter._subject(told, facts[0]["name"] or "")
        times = [Letter._when(one, user.tz or "UTC") for one in facts[:NAMED]]
        if told.ids is None:
            times = times[:1]
        body = Markup("<p>%s</p><p>%s</p>") % (
            Letter._headline(told, actor.name),
            Markup("<br/>").join([facts[0]["name"] or "", *times]),
        )
        speaker._tell_user(user, meeting.active[:1], subject, body, actor.partner_id)


class Meeting:
    """A meeting, or a series, of which the invited are told.

    :param events: all meetings of that UID that there still are
    :param before: dict from id to the facts as they were
    :param after: dict from id to the facts as they are, or None
    """

    def __init__(self, env, uid, events, before, after):
        self.env = env
        self.uid = uid
        self.events = events
        self.before = before
        self.after = {key: one for key, one in after.items() if one}
        self.active = events.filtered(lambda event: event.active and event.id in self.after)
        any_facts = [*self.after.values(), *(one for one in before.values() if one)]
        self.user = env["res.users"].sudo().browse(any_facts[0]["user_id"])
        self._own = events._invitation_own_addresses(self.user)
        self._sequence = None

    @property
    def series(self):
        return self.active.recurrence_id[:1]

    def facts(self, parcel):
        """The facts of what a parcel is about, the first one first: as it is, or as it
        was before it was cancelled."""
        first, second = self.after, self.before
        if parcel.method == "CANCEL":
            first, second = second, first
        keys = parcel.ids if parcel.ids is not None else {**first, **second}
        found = [first.get(key) or second.get(key) for key in keys]
        active = [one for one in found if one and one["active"]]
        return sorted(active or filter(None, found), key=lambda one: one["start"])

    def raise_sequence(self):
        """A cancellation is newer than all that was sent (RFC 5546, 2.1.4)."""
        known = max((one["sequence"] for one in self.before.values() if one), default=0)
        holders = self.series or self.active[:1] or self.events[:1]
        if not holders:
            self._sequence = known + 1
            return
        if self._now(holders) <= known:
            holders._ical_raise()
        self._sequence = max(self._now(holders), known + 1)

    def _now(self, holders):
        return max([*holders.mapped("ical_sequence"), *self.events.mapped("ical_sequence")])

    def message(self, parcel, emails, is_outside):
        """The message of a parcel.

        :param emails: those who get it
        :param bool is_outside: whether they are no users of this database
        :rtype: ical.itip.Message
        """
        organizer = self.organizer(is_outside)
        if parcel.method == "REQUEST":
            items = [replace(item, organizer=organizer) for item in self._items(parcel.ids)]
            return itip.request(map(self._asking_anew, items))
        facts = self.facts(parcel)
        items = [
            self._item_of(one, organizer, parcel.ids is not None)
            for one in (facts if parcel.ids else facts[:1])
        ]
        uninvited = sorted(emails) if parcel.kind == "uninvited" else None
        return itip.cancel(items, uninvited)

    def _asking_anew(self, item):
        """An answer counts for the version that it was given to (3.2.2.1)."""
        known = [one["sequence"] for one in self.before.values() if one]
        if not known or item.sequence <= max(known):
            return item
        return replace(
            item,
            attendees=tuple(
                one
                if one.email in self._own or one.status == "NEEDS-ACTION"
                else one.put(PARTSTAT="NEEDS-ACTION", RSVP="TRUE")
                for one in item.attendees
            ),
        )

    def _items(self, ids):
        events = self.active.with_user(self.user).sudo()
        if ids is None:
            objects = events._ical_objects()
            return [item for found in objects.values() for item in found.items]
        chosen = events.browse(ids)
        objects = chosen._ical_objects(whole_series=False)
        return [item for found in objects.values() for item in found.items]

    def _item_of(self, facts, organizer, is_part):
        """What is cancelled, from what is known of it: it may be gone."""
        zone = named_zone(facts["zone"])
        start, stop = (fields.Datetime.to_datetime(facts[name]) for name in ("start", "stop"))
        place = facts["place"] and fields.Datetime.to_datetime(facts["place"])
        if facts["allday"]:
            start, stop = start.date(), stop.date() + timedelta(days=1)
            place = place and place.date()
        else:
            start, stop = moment(start, zone), moment(stop, zone)
            place = place and moment(place, zone)
        return Event(
            uid=self.uid,
            recurrence_id=place if is_part and place else None,
            sequence=self._sequence if self._sequence is not None else facts["sequence"],
            start=start,
            end=stop,
            summary=facts["name"] or "",
            location=facts["location"] or None,
            organizer=organizer,
            attendees=tuple(
                Attendee.of(email, CN=name)
                for email, (name, _partner_id) in facts["people"].items()
            ),
            stamp=self.env.cr.now().replace(tzinfo=UTC, microsecond=0),
        )

    def organizer(self, is_outside):
        """ORGANIZER: whom mail programs answer to.

        The answers of people outside have to come to Odoo, and not into the
        organizer's mailbox: they go to the address that Odoo reads, if there is one.
        """
        user = self.user
        company = user.company_id or self.env.company
        own = user.email_normalized or company.partner_id.email_normalized
        kind = self.env["ir.config_parameter"].sudo().get_param(ANSWERS_TO)
        address = company.catchall_email if is_outside and kind != "organizer" else ""
        email = address or own or company.catchall_email
        return Organizer.of(email, CN=user.name) if email else None
