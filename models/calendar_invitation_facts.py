"""What the invited know of a meeting, as plain data: noted before it is changed.

In the user's transaction the facts of what he touches are noted once, before the first
change, and put into ``calendar.invitation.outgoing`` before the commit. What has
become of it, and who has to be told, is worked out afterwards by a job, so that no save
waits for mails and however many steps Odoo takes, the invited hear of the result.
"""

from odoo import api, fields, models
from odoo.tools import email_normalize

from ..ical import scheduling

#: Key of the transaction's memory of what is noted. It hangs on ``precommit.data``:
#: rolling back to a savepoint undoes the changes, and forgets them too.
NOTED = "crm_automation.invitations"
#: Key of how deep the transaction is inside of a change that is told. It hangs on
#: ``postcommit.data``, which no savepoint empties.
DEPTH = "crm_automation.invitations_depth"
#: Key of the context, as Odoo has it: the invited are not told.
UNTOLD = "no_mail_to_attendees"
#: Fields whose change the invited are told of.
TOLD = ("name", "start", "stop", "allday", "location", "videocall_location")
#: Fields that may change what the invited know, or who they are.
TOUCHING = frozenset(
    {
        *TOLD, "start_date", "stop_date", "duration", "active", "partner_ids", "attendee_ids",
        "recurrence_id", "recurrency", "follow_recurrence", "user_id", "recurrence_update",
        "rrule", "rrule_type", "interval", "count", "until", "end_type", "event_tz",
    }
)  # fmt: skip


class CalendarEvent(models.Model):
    _inherit = "calendar.event"

    # -- the facts -----------------------------------------------------------------

    def _invitation_facts(self):
        """What the invited know of each meeting.

        :return: dict from id to a dict that JSON can hold, with ``people``, a dict from
            address to [name, id of the partner]; to None of a meeting that is not
            ours to tell of
        """
        events = self.sudo().with_context(active_test=False)
        found = {}
        for event in events:
            if not event._invitation_is_ours():
                found[event.id] = None
                continue
            series = event.recurrence_id
            place = (event.ical_recurrence_start or event.start) if series else None
            people = event._invitation_people()
            found[event.id] = {
                "uid": event.ical_uid,
                "sequence": max(event.ical_sequence, series.ical_sequence if series else 0),
                "series": series.id or None,
                "place": place and fields.Datetime.to_string(place),
                "start": fields.Datetime.to_string(event.start),
                "stop": fields.Datetime.to_string(event.stop),
                "allday": event.allday,
                "active": event.active,
                "name": event.name,
                "location": event.location or "",
                "zone": series.event_tz or event.user_id.tz or "",
                "user_id": event.user_id.id,
                "people": people,
                "told": event._invitation_told(),
            }
        return found

    def _invitation_told(self):
        """What the invited are told the change of, as one text."""
        values = [self[name] for name in TOLD if name != "videocall_location"]
        link = self.videocall_location or ""
        # Odoo's own rooms have an address for each meeting of a series.
        values.append(self.DISCUSS_ROUTE if self.DISCUSS_ROUTE in link else link)
        return "\n".join(str(value or "") for value in values)

    def _invitation_people(self):
        """The invited who have an address: dict from it to [name, id of the partner].

        The organizer invites, and is not invited.
        """
        own = self._invitation_own_addresses(self.user_id) | self._invitation_left_to_others()
        people = {}
        for attendee in self.attendee_ids:
            email = attendee._invitation_address()
            if email and email not in own:
                name = attendee.common_name or attendee.partner_id.name or email
                people.setdefault(email, [name, attendee.partner_id.id])
        return people

    def _invitation_left_to_others(self):
        """The addresses of the invited whom the organizer's program tells itself (RFC 6638,
        7.1)."""
        text = self.ical_text or self.recurrence_id.sudo().ical_text
        if not text or scheduling.AGENT not in text:
            return set()
        item = self._invitation_original()
        people = item.attendees if item else ()
        return {one.email for one in people if scheduling.agent(one) != "SERVER"}

    def _invitation_own_addresses(self, user):
        """The addresses by which a user is meant."""
        user = user.sudo()
        found = (user.email_normalized, user.partner_id.email_normalized, user.login)
        return {address.lower() for address in found if address and "@" in address}

    def _invitation_is_ours(self):
        """Whether its organizer is a user of this database, and tells the invited.

        Not one that another program does, with which Odoo keeps it in step; nor one
        that came from outside, whose organizer is somebody else.
        """
        self.ensure_one()
        if not self.user_id or self._skip_send_mail_status_update():
            return False
        organizer = self._invitation_original_organizer()
        return not organizer or organizer in self._invitation_own_addresses(self.user_id)

    def _invitation_original_organizer(self):
        """The organizer of a meeting that came from elsewhere, or None."""
        item = self._invitation_original()
        return item.organizer.email if item and item.organizer else None

    # -- noting them -----------------------------------------------------------------

    def _invitation_is_told(self):
        """Whether what happens now is told to the invited, as far as Odoo's switches say."""
        if not self.pool.ready or self._ical_is_incoming():
            return False
        if self.env.cr.postcommit.data.get(DEPTH):
            # A step that Odoo takes on the way to what the user wants.
            return True
        return not self.env.context.get(UNTOLD)

    def _invitation_note(self):
        """The meetings are about to change: note what the invited know of them."""
        noted = self._invitation_noted()
        new = self.browse(
            [res_id for res_id in self._ids if isinstance(res_id, int)]
        ).filtered(lambda event: event.id not in noted["events"])  # fmt: skip
        if new:
            noted["events"].update(new._invitation_facts())

    def _invitation_note_new(self):
        """The meetings are new: nobody knows of them."""
        noted = self._invitation_noted()
        for res_id in self._ids:
            noted["events"].setdefault(res_id, None)

    @api.model
    def _invitation_noted(self):
        """The transaction's memory: what is noted since it was last put away."""
        data = self.env.cr.precommit.data
        if NOTED not in data:
            data[NOTED] = {"events": {}, "asked": {}}
            self.env.cr.precommit.add(
                self.env["calendar.invitation.outgoing"].sudo()._put_away_noted
            )
        return data[NOTED]

    def _invitation_inside(self):
        """A context manager: what is done inside of it belongs to one change."""
        return Inside(self.env.cr.postcommit.data)


class Inside:
    """Counts how deep the transaction is inside of a change that is told."""

    def __init__(self, data):
        self.data = data

    def __enter__(self):
        self.data[DEPTH] = self.data.get(DEPTH, 0) + 1

    def __exit__(self, *_error):
        if self.data.get(DEPTH):
            self.data[DEPTH] -= 1


class CalendarAttendee(models.Model):
    _inherit = "calendar.attendee"

    def _invitation_address(self):
        """The one address to which mail can be sent, or None."""
        self.ensure_one()
        partner = self.partner_id.sudo()
        if partner:
            return partner.email_normalized or None
        return email_normalize(self.email or "", strict=False) or None
