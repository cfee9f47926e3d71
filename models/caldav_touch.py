"""What touches a meeting as other calendars know it.

Columns are watched where they reach the database (``_write_multi``), so that stored
computed fields count, and a rollback to a savepoint takes change and note back
together. What lies in tables of relations is written at once, without that.
"""

from odoo import api, models
from odoo.tools import SQL

#: Columns of a meeting that are in its text, or decide who has it.
EVENT = frozenset(
    {
        "name", "description", "location", "start", "stop", "allday", "active", "privacy",
        "show_as", "is_tentative", "videocall_location", "user_id", "recurrence_id",
        "follow_recurrence", "ical_uid", "ical_sequence", "ical_text", "ical_recurrence_start",
        "is_overlay", "team_id",
    }
)  # fmt: skip
EVENT_RELATIONS = frozenset({"partner_ids", "alarm_ids", "categ_ids"})
RECURRENCE = frozenset(
    {
        "rrule_type", "interval", "end_type", "count", "until", "month_by", "day", "weekday",
        "byday", "mon", "tue", "wed", "thu", "fri", "sat", "sun", "event_tz", "week_start",
        "year_month", "short_month", "workdays_only", "rule_text", "ical_uid", "ical_sequence",
        "ical_text", "ical_exdates", "ical_rdates",
    }
)  # fmt: skip
ATTENDEE = frozenset(
    {
        "state", "partner_id", "event_id", "address", "address_name", "role", "cutype", "rsvp",
        "language", "member", "sent_by", "directory",
    }
)  # fmt: skip
ATTENDEE_RELATIONS = frozenset({"delegated_to_ids", "delegated_from_ids"})
PARTNER = frozenset({"name", "email", "tz", "is_company"})
USER = frozenset({"group_ids", "partner_id", "active"})
ALARM = frozenset(
    {
        "name", "alarm_type", "duration", "interval", "active", "trigger_occurs",
        "trigger_related", "trigger_at", "allday_hour", "repeat", "repeat_minutes",
    }
)  # fmt: skip
TYPE = frozenset({"name"})


def writes(vals_list, names):
    """Whether one of the fields is written."""
    return any(not names.isdisjoint(vals) for vals in vals_list)


class CalendarEvent(models.Model):
    _inherit = "calendar.event"

    @api.model_create_multi
    def create(self, vals_list):
        events = super().create(vals_list)
        self.env["caldav.change"]._note_events(events._ids)
        return events

    def _after_insert(self):
        self.env["caldav.change"]._note_events(self._ids)
        return super()._after_insert()

    def write(self, vals):
        names = EVENT_RELATIONS.intersection(vals)
        result = super().write(vals)
        if names:
            self.env["caldav.change"]._note_events(self._ids)
        return result

    def _write_multi(self, vals_list):
        watched = writes(vals_list, EVENT)
        if watched and writes(vals_list, {"ical_uid"}):
            # Under its old name it is gone.
            self.env["caldav.change"]._note_events(self._ids)
        result = super()._write_multi(vals_list)
        if watched:
            self.env["caldav.change"]._note_events(self._ids)
        return result

    def unlink(self):
        self.env["caldav.change"]._note_events(self._ids)
        return super().unlink()

    def _ical_renew(self):
        # By SQL, under another name.
        self.env["caldav.change"]._note_events(self._ids)
        result = super()._ical_renew()
        self.env["caldav.change"]._note_events(self._ids)
        return result


class CaldavTouching(models.AbstractModel):
    """Records that are in the texts of meetings: of which, each model says itself."""

    _name = "caldav.touching"
    _description = "In the Texts for Other Calendars"

    #: columns whose change is heard of, and those that decide which meetings they are in
    _caldav_watched = frozenset()
    _caldav_deciding = frozenset()

    def _caldav_uids(self, ids):
        """The UIDs of the meetings that the records with these ids are in.

        :return: SQL query
        """
        raise NotImplementedError

    def _caldav_note(self):
        """Note a change of all meetings that they are in."""
        ids = [res_id for res_id in self._ids if isinstance(res_id, int)]
        if ids:
            self.env["caldav.change"]._note(self._caldav_uids(ids))

    def _write_multi(self, vals_list):
        watched = writes(vals_list, self._caldav_watched)
        if watched and writes(vals_list, self._caldav_deciding):
            # Those that they leave.
            self._caldav_note()
        result = super()._write_multi(vals_list)
        if watched:
            self._caldav_note()
        return result

    def unlink(self):
        self._caldav_note()
        return super().unlink()


class CalendarRecurrence(models.Model):
    _name = "calendar.recurrence"
    _inherit = ["calendar.recurrence", "caldav.touching"]
    _caldav_watched = RECURRENCE
    _caldav_deciding = frozenset({"ical_uid"})

    def _caldav_uids(self, ids):
        return SQL("SELECT ical_uid FROM calendar_recurrence WHERE id = ANY(%s)", ids)


class CalendarAttendee(models.Model):
    _name = "calendar.attendee"
    _inherit = ["calendar.attendee", "caldav.touching"]
    _caldav_watched = ATTENDEE
    _caldav_deciding = frozenset({"event_id"})

    def _caldav_uids(self, ids):
        return SQL(
            """
            SELECT event.ical_uid FROM calendar_event event
              JOIN calendar_attendee attendee ON attendee.event_id = event.id
             WHERE attendee.id = ANY(%s)
            """,
            ids,
        )

    @api.model_create_multi
    def create(self, vals_list):
        attendees = super().create(vals_list)
        attendees._caldav_note()
        return attendees

    def write(self, vals):
        result = super().write(vals)
        if not ATTENDEE_RELATIONS.isdisjoint(vals):
            self._caldav_note()
        return result


class ResPartner(models.Model):
    _name = "res.partner"
    _inherit = ["res.partner", "caldav.touching"]
    _caldav_watched = PARTNER

    def _caldav_uids(self, ids):
        """Those that they organize or attend."""
        return SQL(
            """
            SELECT ical_uid FROM calendar_event WHERE id IN (
                SELECT calendar_event_id FROM calendar_event_res_partner_rel
                 WHERE res_partner_id = ANY(%(ids)s)
                 UNION ALL
                SELECT event_id FROM calendar_attendee WHERE partner_id = ANY(%(ids)s)
                 UNION ALL
                SELECT event.id FROM calendar_event event
                  JOIN res_users ON res_users.id = event.user_id
                 WHERE res_users.partner_id = ANY(%(ids)s))
            """,
            ids=ids,
        )

    # "meeting_ids" is the other side of the attendees of meetings.

    @api.model_create_multi
    def create(self, vals_list):
        partners = super().create(vals_list)
        if writes(vals_list, {"meeting_ids"}):
            partners._caldav_note()
        return partners

    def write(self, vals):
        if "meeting_ids" not in vals:
            return super().write(vals)
        self._caldav_note()
        result = super().write(vals)
        self._caldav_note()
        return result


class ResUsers(models.Model):
    _inherit = "res.users"

    def _caldav_note_rights(self):
        """They may see other meetings than before."""
        for user in self:
            self.env["caldav.change"]._note(SQL("SELECT ''"), user)

    def write(self, vals):
        result = super().write(vals)
        if not USER.isdisjoint(vals):
            self._caldav_note_rights()
        return result

    def unlink(self):
        self.partner_id._caldav_note()
        return super().unlink()


class ResUsersSettings(models.Model):
    _inherit = "res.users.settings"

    def _write_multi(self, vals_list):
        result = super()._write_multi(vals_list)
        if writes(vals_list, {"calendar_default_privacy"}):
            # The privacy of the meetings that have none of their own.
            self.user_id.partner_id._caldav_note()
        return result


class CalendarAlarm(models.Model):
    _name = "calendar.alarm"
    _inherit = ["calendar.alarm", "caldav.touching"]
    _caldav_watched = ALARM

    def _caldav_uids(self, ids):
        return SQL(
            """
            SELECT event.ical_uid FROM calendar_event event
              JOIN calendar_alarm_calendar_event_rel rel ON rel.calendar_event_id = event.id
             WHERE rel.calendar_alarm_id = ANY(%s)
            """,
            ids,
        )


class CalendarEventType(models.Model):
    _name = "calendar.event.type"
    _inherit = ["calendar.event.type", "caldav.touching"]
    _caldav_watched = TYPE

    def _caldav_uids(self, ids):
        return SQL(
            """
            SELECT event.ical_uid FROM calendar_event event
              JOIN meeting_category_rel rel ON rel.event_id = event.id
             WHERE rel.type_id = ANY(%s)
            """,
            ids,
        )
