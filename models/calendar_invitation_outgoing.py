"""What is to be told about invitations, noted in users' transactions, told by a job.

Owns the rows and the job; who is told what is in ``invitation_plan``, the words and the
mails are in ``calendar_invitation_letter``.
"""

import json
import logging
from collections import defaultdict
from datetime import timedelta

import psycopg2

from odoo import api, fields, models

from .bulk import insert_rows
from .calendar_invitation_facts import NOTED

_logger = logging.getLogger(__name__)

#: Rows of one transaction of the job.
BATCH = 200
#: Minutes until what has failed is tried again.
PAUSES = (1, 5, 30, 120)


class CalendarInvitationOutgoing(models.Model):
    _name = "calendar.invitation.outgoing"
    _description = "Invitation to Send"
    _order = "id"

    kind = fields.Selection(
        [
            ("changed", "What the invited knew before a change"),
            ("asked", "Invitation to be sent"),
            ("answer", "Answer that the organizer is told of"),
            ("reply", "Answer to an organizer outside"),
            ("declined", "Refusal of a proposed time"),
        ],
        required=True,
    )
    uid = fields.Char("iCalendar UID", required=True)
    user_id = fields.Many2one("res.users", "Done By", ondelete="cascade")
    data = fields.Json()
    state = fields.Selection(
        [("pending", "Waiting"), ("failed", "Failed")], default="pending", required=True
    )
    tries = fields.Integer()
    next_try = fields.Datetime()
    reason = fields.Char()

    _due_index = models.Index("(id) WHERE state = 'pending'")

    # -- what is noted -----------------------------------------------------------------

    def _put_away_noted(self):
        """Before the commit: what this transaction has noted, as rows.

        The people of a series are said once for all its meetings.
        """
        noted = self.env.cr.precommit.data.pop(NOTED, None)
        if not noted:
            return
        there = self.env["calendar.event"].sudo().browse(
            [key for key, facts in noted["events"].items() if facts is None]
        ).exists()  # fmt: skip
        new = {event.id: event.ical_uid for event in there}
        groups = defaultdict(dict)
        for key, facts in noted["events"].items():
            uid = facts["uid"] if facts else new.get(key)
            if uid:
                groups[uid][key] = facts
        values = [
            {"kind": "changed", "uid": uid, "data": pack(events)} for uid, events in groups.items()
        ]
        values += [
            {"kind": "asked", "uid": uid, "data": data}
            for (uid, _user_id), data in noted["asked"].items()
        ]
        self._note(values)

    @api.model
    def _note(self, values, hurry=True):
        """Put rows into the queue; the job is called when this transaction commits.

        :param list values: dicts of kind, uid and data
        :param bool hurry: otherwise the workers are not told of the call, and find it
            within a minute: that costs more than the row
        """
        if not values:
            return
        rows = [
            # Who does it is told by his environment, whatever rights he has borrowed.
            {
                "user_id": self.env.uid, "kind": one["kind"], "uid": one["uid"],
                "data": json.dumps(one["data"]), "state": "pending", "tries": 0,
            }
            for one in values
        ]  # fmt: skip
        insert_rows(self.browse(), rows)
        if hurry:
            self.env["ir.cron"]._automation_wake("crm_automation.ir_cron_invitations")
        else:
            job = self.env["ir.model.data"]._xmlid_to_res_id("crm_automation.ir_cron_invitations")
            call = {"cron_id": job, "call_at": self.env.cr.now().replace(microsecond=0)}
            # Somebody may have deleted the job.
            insert_rows(self.env["ir.cron.trigger"].sudo().browse(), [call] if job else [])

    # -- the job -----------------------------------------------------------------------

    @api.model
    def _send_due(self):
        """Tell what is to be told; entry point of the scheduled job."""
        while True:
            domain = [("state", "=", "pending")]
            now = fields.Datetime.now()
            due = [*domain, "|", ("next_try", "=", False), ("next_try", "<=", now)]
            rows = self.search(due, limit=BATCH)
            if not rows:
                break
            self._work(rows)
            left = self.search_count(due, limit=1)
            if not self._commit_batch(len(rows), left):
                break
        waiting = self.search([*domain, ("next_try", ">", fields.Datetime.now())])
        if waiting:
            at = min(waiting.mapped("next_try"))
            self.env["ir.cron"]._automation_wake("crm_automation.ir_cron_invitations", at=at)

    @api.model
    def _commit_batch(self, done=0, remaining=None):
        """Commit. :return: whether the job has time left"""
        return self.env["ir.cron"]._commit_progress(done, remaining=remaining)

    def _work(self, rows):
        """Do the rows, each meeting on its own: one that fails holds up no other."""
        kinds = rows.grouped("kind")
        nothing = self.browse()
        meetings = kinds.get("changed", nothing) | kinds.get("asked", nothing)
        for group in meetings._together():
            self._try(group, group._tell_invited, group[0].uid)
        for uid, group in kinds.get("answer", nothing).grouped("uid").items():
            self._try(group, group._tell_organizer, uid)
        for kind, method in (("reply", "_send_reply"), ("declined", "_send_refusal")):
            for row in kinds.get(kind, nothing):
                self._try(row, getattr(row, method), row.uid)

    def _together(self):
        """The rows by meeting, with those that a meeting has connected that has got
        another UID.

        :return: list of recordsets
        """
        Events = self.env["calendar.event"].sudo().with_context(active_test=False)
        ids = {row: [int(key) for key in row.data.get("events", ())] for row in self}
        there = Events.browse({key for keys in ids.values() for key in keys}).exists()
        uid_of = {event.id: event.ical_uid for event in there}
        groups = []
        for row in self:
            uids = {row.uid, *(uid_of[key] for key in ids[row] if key in uid_of)}
            joined = [group for group in groups if not group[0].isdisjoint(uids)]
            groups = [group for group in groups if group not in joined]
            groups.append(
                (
                    uids.union(*(group[0] for group in joined)),
                    self.browse().union(*(group[1] for group in joined), row),
                )
            )
        return [rows.sorted("id") for _uids, rows in groups]

    def _try(self, rows, method, uid):
        try:
            with self.env.cr.savepoint():
                method()
                rows.unlink()
        except psycopg2.extensions.TransactionRollbackError:
            # The transaction is lost; the job comes again.
            raise
        except Exception as error:
            _logger.exception("What is to be told of the meeting %s cannot be told", uid)
            rows._fail(error)

    def _fail(self, error):
        for row in self:
            tries = row.tries + 1
            row.write({"tries": tries, "reason": f"{type(error).__name__}: {error}"[:500]})
            if tries > len(PAUSES):
                row.state = "failed"
            else:
                row.next_try = fields.Datetime.now() + timedelta(minutes=PAUSES[tries - 1])

    @api.autovacuum
    def _gc_failed(self):
        """Forget what could not be told a month ago."""
        before = self.env.cr.now() - timedelta(days=30)
        self.search([("state", "=", "failed"), ("write_date", "<", before)]).unlink()


def pack(events):
    """Facts by id, with equal people said once."""
    people, packed = [], {}
    for key, facts in events.items():
        if facts is None:
            packed[key] = None
            continue
        if facts["people"] not in people:
            people.append(facts["people"])
        packed[key] = {**facts, "people": people.index(facts["people"])}
    return {"people": people, "events": packed}


def unpack(data):
    """Facts by id, as :func:`pack` was given them."""
    return {
        int(key): facts and {**facts, "people": data["people"][facts["people"]]}
        for key, facts in data["events"].items()
    }
