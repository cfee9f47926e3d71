"""What a subscribed calendar says, brought into Odoo; and what is gone from it.

Writes through the engine of the import. What is gone is let go of as its owner has
chosen, and never much at once without asking him.
"""

from odoo import models
from odoo.tools import SQL

from ..ical.bare import bare
from .calendar_subscription import IMPORTING, READING, SHOWING
from .ical_incoming import Options

#: More than so many, and more than this part of all, are not removed without asking.
BRAKE_COUNT, BRAKE_PART = 10, 0.5
#: Reasons that a run lists.
MAX_REMARKS = 20
ACCESS = {"private": "PRIVATE", "confidential": "CONFIDENTIAL", "public": "PUBLIC"}
TRANSPARENCY = {"free": "TRANSPARENT", "busy": "OPAQUE", "as_said": ""}


class CalendarSubscription(models.Model):
    _inherit = "calendar.subscription"

    def _apply(self, content):
        """Bring the meetings up to what the calendar says.

        :return: values of the run: counts, and what was not taken
        """
        overlay = self.kind == "overlay"
        owner = self.user_id
        if overlay:
            content = bare(content, ACCESS[self.privacy], TRANSPARENCY[self.show_as])
        options = Options(todo_as="none", source=self._source())
        Event = (
            self.env["calendar.event"]
            .with_user(owner)
            .with_company(owner.company_id)
            .with_context(**{READING: SHOWING if overlay else IMPORTING})
        )
        outcomes = Event._ical_compare(content, owner, options)
        results = Event._ical_upsert(self._wanted(outcomes), owner, options)
        self._adopt(
            event_id
            for one in results
            if not one.outcome.record
            for event_id in one.created.get(Event._name, ())
        )
        remarks = self._remarks(Event, outcomes, results)
        counts = {
            f"{name}_count": sum(one.kind == kind for one in results)
            for name, kind in (("created", "new"), ("changed", "changed"),
                               ("cancelled", "cancelled"))
        }  # fmt: skip
        counts.update(
            failed_count=len(remarks),
            removed_count=self._follow_absence(outcomes),
            message="\n".join(remarks[:MAX_REMARKS]) or False,
        )
        return counts

    def _wanted(self, outcomes):
        """Those that are to be taken in."""
        mine = set(self._events().mapped("ical_uid"))
        dismissed = set(self.dismissed or ())
        return [
            one
            for one in outcomes
            if not (one.kind == "new" and one.key in dismissed) and not self._is_there(one, mine)
        ]

    def _is_there(self, outcome, mine):
        """Whether its owner has it otherwise: then it is not shown a second time.

        :param mine: set of the UIDs that came from here
        """
        return bool(self.kind == "overlay" and outcome.record and outcome.key not in mine)

    def _adopt(self, created):
        """What was made is of this subscription, and so are all meetings of its series.

        :param created: ids of meetings
        """
        self.env.flush_all()
        self.env.cr.execute(
            SQL(
                """
                UPDATE calendar_event SET subscription_id = %(id)s, is_overlay = %(overlay)s
                 WHERE subscription_id IS NULL
                   AND (id = ANY(%(created)s)
                        OR recurrence_id IN (SELECT recurrence_id FROM calendar_event
                                              WHERE subscription_id = %(id)s
                                                AND recurrence_id IS NOT NULL))
                """,
                id=self.id,
                overlay=self.kind == "overlay",
                created=list(created),
            )
        )
        self.env["calendar.event"].invalidate_model(["subscription_id", "is_overlay"])

    def _remarks(self, Event, outcomes, results):
        """What was not taken, and why, as texts."""
        mine = set(self._events().mapped("ical_uid"))
        bad = ("refused", "error")
        reasons = [
            (one, Event._ical_reason(one.reason, one.detail)) for one in outcomes if one.kind in bad
        ]
        reasons += [
            (one.outcome, Event._ical_reason(one.reason, one.detail))
            for one in results
            if one.kind in bad and one.outcome.kind not in bad
        ]
        there = self.env._("It is in your calendar already.")
        reasons += [(one, there) for one in outcomes if self._is_there(one, mine)]
        return [": ".join(filter(None, (one.summary or one.key, text))) for one, text in reasons]

    def _follow_absence(self, outcomes):
        """Bring back what is there again; let go of what is gone there.

        :return: number of what was let go
        """
        present = {one.key for one in outcomes}
        events = self._events()
        back = events.filtered(lambda one: one.subscription_gone and one.ical_uid in present)
        cancelled = {one.key for one in outcomes if one.kind == "cancelled"}
        back.filtered(lambda one: one.ical_uid not in cancelled).write({"active": True})
        back.write({"subscription_gone": False})
        events.filtered(lambda one: one.subscription_kept and one.ical_uid in present).write(
            {"subscription_kept": False}
        )
        self.held = False
        # What has no name could be what seems to be gone.
        if self.vanished == "keep" or None in present:
            return 0
        gone, total = self._gone(events, present)
        nothing_left = not any(one.component == "VEVENT" for one in outcomes)
        many = len(gone) > BRAKE_COUNT and len(gone) > BRAKE_PART * total
        if gone and (nothing_left or many):
            self.held = sorted(gone)
            return 0
        return self._remove(gone)

    def _gone(self, events, present):
        """(UIDs that the calendar has no more, number of all that are here)"""
        now = self.env.cr.now()
        there = events.filtered("active").grouped("ical_uid")
        gone = {
            uid
            for uid, rows in there.items()
            if uid not in present
            and not any(rows.mapped("subscription_kept"))
            and not (self.keep_past and max(rows.mapped("stop")) < now)
        }
        return gone, len(there)

    def _remove(self, uids):
        """Archive or delete, as the owner has chosen. :return: number of what is gone

        :param uids: of the meetings
        """
        events = self._events().filtered(lambda one: one.active and one.ical_uid in uids)
        if self.vanished == "delete":
            return self._delete(events)
        events.write({"active": False, "subscription_gone": True})
        return len(set(events.mapped("ical_uid")))

    def _delete(self, events):
        """Delete meetings, whole series, except what was changed here.

        :return: number of what was deleted
        """
        edited = set(events.filtered("subscription_edited").mapped("ical_uid"))
        events = events.filtered(lambda one: one.ical_uid not in edited)
        number = len(set(events.mapped("ical_uid")))
        series = events.recurrence_id
        events.unlink()
        series.filtered(lambda one: not one.calendar_event_ids).unlink()
        return number

    def _remove_held(self):
        for subscription in self:
            number = subscription._remove(set(subscription.held or ()))
            subscription._note("done", 0.0, {"removed_count": number})
            subscription._answered()
