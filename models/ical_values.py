"""What a row says, as values of the fields of Odoo. Plain Python over records.

Whatever is looked up or made on the way, reminders, tags, contacts, is remembered
until something fails: then it may have been made in what was rolled back.
"""

from functools import lru_cache

from odoo.fields import Command
from odoo.tools.misc import clean_context

from .base import QUIET, SILENCE
from .calendar_ical_identity import FROM_ELSEWHERE, INCOMING
from .ical_html import html_of

#: Nothing is said to anybody: no mail, no subscription, no log line for each meeting.
SILENT = {
    "tracking_disable": True,
    "mail_create_nosubscribe": True,
    "mail_create_nolog": True,
    "mail_notrack": True,
    "no_mail_to_attendees": True,
    "skip_attendee_notification": True,
    "dont_notify": True,
    "skip_contact_description": True,
    "no_calendar_sync": True,
    INCOMING: FROM_ELSEWHERE,
    QUIET: SILENCE,
}
#: Descriptions that are at hand as they are written: many meetings in a row have one.
KEPT = 8


class RowValues:
    """The values for one owner.

    :param env: of whoever imports
    """

    def __init__(self, env, owner, options):
        owner_ = owner.sudo()
        context = {
            **clean_context(env.context),
            **SILENT,
            "lang": owner_.lang,
            "tz": owner_.tz,
            "active_test": False,
        }
        self.env = env(user=owner.id, su=True, context=context)
        self.owner = owner_.with_env(self.env)
        self.options = options
        self.events = self.env["calendar.event"]
        # The meetings of a series have one text.
        self._html_of = lru_cache(maxsize=KEPT)(html_of)
        self._forget()

    def _forget(self):
        """What was looked up may have been made in what was rolled back."""
        self._alarms = None
        self._categories = {}
        self._made = {}
        self._customers = {}

    def _new_values(self, row, uid, recurrence, guests):
        return {
            **self._values(row),
            **self._place_values(row, recurrence),
            "user_id": self.owner.id,
            "team_id": self.owner.sale_team_id.id,
            "customer_id": self._customers[contacts_of(guests)],
            "duration": self.events._get_duration(row.start, row.stop),
            # Who takes part comes after, with one statement for all.
            "partner_ids": [Command.set([])],
            "ical_uid": uid,
            "ical_sequence": row.sequence,
            "ical_text": row.text or False,
        }

    def _place_values(self, row, recurrence):
        """The series of a meeting, and where it stands in it."""
        follows = bool(recurrence) and row.active and row.start == row.place
        return {
            "recurrence_id": recurrence.id if recurrence else False,
            "follow_recurrence": follows,
            "ical_recurrence_start": row.place if recurrence and not follows else False,
        }

    def _values(self, row, names=None):
        """Values of the fields of Odoo, of all or some of the fields of Row."""
        values = {
            "name": row.name,
            "description": self._html_of(row.description) or False,
            "location": row.location or False,
            "start": row.start,
            "stop": row.stop,
            "allday": row.allday,
            "privacy": row.privacy or False,
            "show_as": row.show_as,
            "active": row.active,
            "is_tentative": row.is_tentative,
            "videocall_location": row.videocall_location or False,
        }
        if names is None or "alarms" in names:
            alarms = sorted(row.alarms or (), key=repr)
            values["alarm_ids"] = [Command.set([self._alarm(one, row.allday) for one in alarms])]
        if names is None or "categories" in names:
            values["categ_ids"] = [
                Command.set([self._category(one) for one in sorted(row.categories)])
            ]
        if names is None:
            return values
        kept = {*names, "alarm_ids", "categ_ids"}
        if not kept.isdisjoint(("start", "stop", "allday")):
            kept |= {"start", "stop", "allday"}
        return {name: value for name, value in values.items() if name in kept}

    def _alarm(self, meaning, allday):
        """The reminder that means this; made if there is none."""
        if self._alarms is None:
            self._alarms = {}
            Alarm = self.env["calendar.alarm"].with_context(active_test=True)
            for alarm in Alarm.search([], order="id desc"):
                for whole_days in (False, True):
                    self._alarms[whole_days, alarm._meaning(whole_days)] = alarm.id
        key = allday, meaning
        if key not in self._alarms:
            Alarm = self.env["calendar.alarm"]
            values = Alarm._values_of(meaning, allday)
            self._alarms[key] = Alarm.create({**values, "name": Alarm._words_of(values)}).id
        return self._alarms[key]

    def _category(self, name):
        """The meeting type of that name, in any case; made if there is none."""
        key = name.lower()
        if key not in self._categories:
            Type = self.env["calendar.event.type"]
            self._categories[key] = (tag_named(Type, name) or Type.create({"name": name})).id
        return self._categories[key]


def tag_named(tags, name):
    """The tag of that name, in any case; empty if there is none."""
    return tags.search([("name", "=ilike", _literal(name))], limit=1)


def _literal(name):
    """A name as a pattern that means itself."""
    return name.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")


def contacts_of(guests):
    """The ids of the contacts among the attendees of a meeting."""
    return frozenset(guest for guest in guests if isinstance(guest, int))
