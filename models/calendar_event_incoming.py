"""Meetings that come in as iCalendar: compared first, then written.

The one way in for files, subscriptions, CalDAV, accounts and mails. Who calls it
answers for the right of the user to that calendar, except that only sales managers
and the system write into somebody else's.
"""

from odoo import api, models
from odoo.exceptions import AccessError

from .ical_comparison import Comparison
from .ical_incoming import Incoming, Options
from .ical_meeting import named_zone
from .ical_todo import Todos
from .ical_writer import Writer

#: Reasons whose detail names the wrong value, or what Odoo has said of it.
DETAILED = frozenset({"bad_value", "bad_rule", "unsupported_rule", "year", "not_written", "limit"})


class CalendarEvent(models.Model):
    _inherit = "calendar.event"

    @api.model
    def _ical_compare(self, data, owner, options=None):
        """What is in a file, held against what the owner has. Writes nothing.

        An object of which nothing has changed since it was last taken in from the
        same source is told by its digest, without being read.

        :param bytes data: the file
        :param owner: res.users into whose calendar it is to come
        :param Options options: how; see there
        :return: list of Outcome, in the order of the file
        :raises IcalError: when nothing of it can be read (no calendar, a limit)
        :raises AccessError: when it is not this user's business
        """
        options = options or Options()
        self._ical_check_owner(owner)
        todos = self._ical_todos(owner, options)
        return Comparison(self.env, owner, options, todos).outcomes(Incoming(data))

    @api.model
    def _ical_upsert(self, outcomes, owner, options=None):
        """Write what a comparison has found, in this transaction.

        An object that cannot be written harms no other. Nobody is told of it, unless
        the options say so.

        :param outcomes: of :meth:`_ical_compare`, all or some
        :return: list of Result, one for each outcome
        """
        options = options or Options()
        self._ical_check_owner(owner)
        todos = self._ical_todos(owner, options)
        return Writer(self.env, owner, options, todos).results(outcomes)

    def _ical_todos(self, owner, options):
        zone = named_zone(owner.sudo().tz or self.env.context.get("tz"))
        return Todos(self.env, owner, options, zone)

    def _ical_check_owner(self, owner):
        """:raises AccessError: when the user may not import into that calendar"""
        owner = owner.sudo()
        if not (owner.active and owner._is_internal()):
            raise AccessError(self.env._("Only internal users have a calendar to import into."))
        if self.env.su or owner == self.env.user:
            return
        if not self.env.user.has_group("sales_team.group_sale_manager"):
            raise AccessError(
                self.env._("Only sales administrators import into the calendar of somebody else.")
            )

    @api.model
    def _ical_reason(self, code, detail=""):
        """Why an object is refused or cannot be read, in the user's language."""
        reasons = {
            "journal": self.env._("Journal entries have no place in Odoo."),
            "freebusy": self.env._("Free and busy times of others are no meetings."),
            "todo": self.env._("To-dos are not imported: choose what becomes of them."),
            "todo_part": self.env._("A single occurrence of a to-do that repeats is not imported."),
            "todo_rights": self.env._("The owner of the calendar may not create tasks."),
            "answer": self.env._("This is an answer to an invitation, and no meeting."),
            "unknown": self.env._("This cancels a meeting that is not in the calendar."),
            "not_organizer": self.env._(
                "The owner only takes part in this meeting: its organizer changes it."
            ),
            "private": self.env._("You may not see the meeting that this would change."),
            "too_many": self.env._("The series has too many occurrences."),
            "guests": self.env._("It has too many attendees in too many occurrences."),
            "no_occurrence": self.env._("The series has no occurrence."),
            "year": self.env._("A date lies in a year that Odoo cannot write."),
            "uid": self.env._("Its identifier (UID) is too long."),
            "not_written": self.env._("Odoo did not accept it."),
            "bad_rule": self.env._("Its recurrence rule cannot be read."),
            "unsupported_rule": self.env._("Its recurrence rule is of another calendar."),
            "missing_property": self.env._("It does not say when it begins."),
            "broken_component": self.env._("It is cut off or damaged."),
            "bad_value": self.env._("A value of it cannot be read."),
            "bad_zone": self.env._("Its time zone cannot be read."),
            "limit": self.env._("It is larger than what is read."),
            "not_a_calendar": self.env._("There is no calendar in this file."),
        }  # fmt: skip
        text = reasons.get(code) or self.env._("It cannot be read.")
        # What the parser says of the place is in English; only what quotes the file helps.
        if detail and code in DETAILED:
            return f"{text} ({detail})"
        return text
