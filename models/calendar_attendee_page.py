"""What the page of an invitation shows, and what is done with what is sent from it.

Whoever has the link is the one who is invited: everything is read and written past the
rights, and nothing but this one invitation.
"""

import datetime

import pytz

from odoo import fields, models
from odoo.exceptions import UserError
from odoo.tools import format_date, format_time, is_html_empty

from ..ical.text import to_text
from ..ical.values import UTC
from ..ical.zones import by_name
from .calendar_event_guest import Invited
from .calendar_invitation_proposal import MAX_COMMENT
from .short_address import short_address

ANSWERS = ("accepted", "tentative", "declined")
#: Names that the page shows; of the others, how many they are.
MAX_NAMES = 50


class CalendarAttendee(models.Model):
    _inherit = "calendar.attendee"

    def _page_zone(self, *wanted):
        """The name of the zone in which times are shown: the first that there is."""
        event = self.event_id
        names = (*wanted, self.partner_id.tz, event.user_id.tz, event.event_tz)
        return next((name for name in names if name in pytz.all_timezones_set), "UTC")

    def _page_values(self, zone, form=None, error=None):
        """What the template needs.

        :param str zone: name of a time zone
        :param dict form: what was sent and not taken
        :param str error: why not
        """
        self.ensure_one()
        event = self.event_id
        organizer = event.user_id
        guests = event.attendee_ids
        home = organizer.tz
        return {
            "attendee": self,
            "event": event,
            "organizer": organizer,
            "company": organizer.company_id or self.env.company,
            "when": self._page_when(zone),
            "when_there": self._page_when(home)
            if home and not event.allday and self._offset(home) != self._offset(zone)
            else "",
            "zone": zone,
            "zones": pytz.common_timezones,
            "series": event.recurrence_id.get_recurrence_name() if event.recurrence_id else "",
            "link": safe_link(event.videocall_location),
            "description": "" if is_html_empty(event.description) else event.description,
            "guests": guests[:MAX_NAMES],
            "more_guests": max(0, len(guests) - MAX_NAMES),
            "state_words": dict(self._fields["state"]._description_selection(self.env)),
            "is_open": event.active and event.stop >= fields.Datetime.now(),
            "may_delegate": not (organizer and self.partner_id == organizer.partner_id),
            "proposals": self.env["calendar.invitation.proposal"].search(
                [("attendee_id", "=", self.id), ("state", "=", "open")]
            ),
            "page": f"/calendar/invitation/{self._rsvp_token()}",
            "form": form or {},
            "lang": self.env.lang,
            "error": error,
            "show_moment": lambda moment: self._page_moment(moment, zone),
        }

    def _offset(self, zone):
        moment = self.event_id.start.replace(tzinfo=UTC)
        return moment.astimezone(pytz.timezone(zone)).utcoffset()

    def _page_when(self, zone):
        """When it is, in words, the zone named."""
        event = self.event_id
        if event.allday:
            first, last = event.start_date, event.stop_date
            words = format_date(self.env, first, date_format="full")
            if last and last != first:
                words += " – " + format_date(self.env, last, date_format="full")
            return words
        start = self._page_moment(event.start, zone)
        local = [
            moment.replace(tzinfo=UTC).astimezone(pytz.timezone(zone))
            for moment in (event.start, event.stop)
        ]
        if local[0].date() == local[1].date():
            stop = format_time(self.env, event.stop, tz=zone, time_format="short")
        else:
            stop = self._page_moment(event.stop, zone)
        return f"{start} – {stop} ({zone})"

    def _page_moment(self, moment, zone):
        local = moment.replace(tzinfo=UTC).astimezone(pytz.timezone(zone))
        day = format_date(self.env, local.date(), date_format="full")
        return f"{day}, {format_time(self.env, moment, tz=zone, time_format='short')}"

    def _page_file(self):
        """The meeting as a file for his calendar; of a series, those he is invited to."""
        event = self.event_id
        mine = self.search(
            [("event_id.recurrence_id", "=", event.recurrence_id.id),
             ("partner_id", "=", self.partner_id.id), ("address", "=", self.address)]
        ).event_id if event.recurrence_id else event  # fmt: skip
        objects = event._ical_objects(rows=mine)
        items = [item for found in objects.values() for item in found.items]
        return to_text(items, lines=["METHOD:PUBLISH"], now=event._ical_now())

    def _page_act(self, form):
        """Do what was sent.

        :param dict form: texts by the names of the page's fields
        :return: what was done: an answer, delegated, or proposed
        :raises UserError: with what is wrong, in words for the visitor
        """
        self.ensure_one()
        event = self.event_id
        if not event.active:
            raise UserError(self.env._("This meeting was cancelled."))
        if event.stop < fields.Datetime.now():
            raise UserError(self.env._("This meeting is over."))
        answer = form.get("answer")
        comment = (form.get("comment") or "").strip()[:MAX_COMMENT]
        if answer in ANSWERS:
            who = self._in_series() if form.get("scope") == "series" else self
            who._answer(answer, comment, source="page")
            return answer
        if answer == "delegated":
            self._page_delegate(form, comment)
            return answer
        if answer == "proposed":
            self._page_propose(form, comment)
            return answer
        raise UserError(self.env._("Choose an answer."))

    def _page_delegate(self, form, comment):
        address = short_address(form.get("delegate_email") or "")
        if not address:
            raise UserError(self.env._("Give the e-mail address of whoever goes in your place."))
        name = " ".join((form.get("delegate_name") or "").split())
        # Whether an address is that of a contact is no business of the visitor.
        self._delegate([Invited(address=address, name=name)], comment, source="page")

    def _page_propose(self, form, comment):
        if self.event_id.allday:
            raise UserError(self.env._("Say in a comment which day would suit you."))
        event = self.event_id
        zone = by_name(form.get("tz") or "") or by_name(self._page_zone())
        try:
            local = datetime.datetime.fromisoformat(f"{form.get('day')}T{form.get('time')}")
            start = local.replace(tzinfo=zone).astimezone(UTC).replace(tzinfo=None)
            stop = start + (event.stop - event.start)
        except (ValueError, OverflowError):
            raise UserError(self.env._("Give the day and the hour that you propose.")) from None
        self.env["calendar.invitation.proposal"]._propose(self, start, stop, comment)


def safe_link(text):
    """A link that can be followed, or None: no script and no other scheme."""
    text = (text or "").strip()
    return text if text[:8].lower().startswith(("http://", "https://")) else None
