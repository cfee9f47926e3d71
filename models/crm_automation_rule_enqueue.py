"""The enqueuer: what is due soon, put into the ledger.

Owns the job that looks for it, rule by rule and part by part. Which date a rule
means and what its moment is, is in ``crm_automation_rule_moment.py``.
"""

import datetime
import zlib

import psycopg2

from odoo import api, fields, models
from odoo.fields import Domain
from odoo.tools import SQL

from ..engine.moments import DAY, DAY_SLACK, value_window
from .crm_automation_rule_moment import LAST_ACTION, LOOKAHEAD

#: How often a rule may lose against a drainer before the job gives up.
MAX_CONFLICTS = 10
#: How many records are looked at in one transaction.
PART = 1000


class CrmAutomationRule(models.Model):
    _inherit = "crm.automation.rule"

    @api.model
    def _wake_enqueuer(self):
        self.env["ir.cron"]._automation_wake("crm_automation.ir_cron_enqueuer")

    @api.model
    def _enqueue_moments(self):
        """Put what is due soon into the ledger; entry point of the scheduled action.

        One rule after the other, each in its own transaction: a rule that fails
        is no other rule's business.
        """
        Firing = self.env["crm.automation.firing"]
        rules = self.search([("enabled", "=", True)])
        broken = rules.filtered(lambda rule: rule._why_idle())
        for rule in broken:
            rule._note_idle()
        Firing._commit_batch()
        looked = (rules - broken).filtered(lambda rule: rule.trigger == "moment")
        for rule, ids in looked._due_by_rule().items():
            if not rule._enqueue_due_in_turn(ids):
                looked -= rule
        Firing._arm()
        looked._arm_next_look()
        Firing._commit_batch()
        looked._note_checked()

    def _arm_next_look(self):
        """What is written or said wakes nobody: of rules that are due soon after that,
        the job looks as often as their delay."""
        delays = [
            rule._plain_delay() for rule in self
            if rule.date_type in ("last_update", LAST_ACTION)
        ]  # fmt: skip
        soonest = min(delays, default=LOOKAHEAD)
        if soonest < LOOKAHEAD:
            moment = self.env.cr.now() + max(soonest, datetime.timedelta(minutes=1))
            self.env["ir.cron"]._automation_wake("crm_automation.ir_cron_enqueuer", at=moment)

    def _note_checked(self):
        """For the lines about what expires, should the job stand still.

        Without the ORM, so that the cache of the rules stays, and without waiting
        for somebody who is editing a rule: the next pass notes it as well.
        """
        try:
            self.env.cr.execute(
                SQL(
                    """
                    UPDATE crm_automation_rule SET checked_at = %s WHERE id IN (
                        SELECT id FROM crm_automation_rule WHERE id IN %s
                        FOR NO KEY UPDATE SKIP LOCKED
                    )
                    """,
                    fields.Datetime.now(),
                    tuple(self.ids) or (0,),
                )
            )
            self.env["crm.automation.firing"]._commit_batch()
        except psycopg2.extensions.TransactionRollbackError:
            self.env.cr.rollback()
        self.invalidate_recordset(["checked_at"])

    def _due_by_rule(self):
        """Rule to the ids of the records that may be due, for those that have any.

        Most of the time there are none: one query a rule tells, without a transaction
        for each. A rule that cannot be asked has None, and its turn says why.
        """
        found = {}
        now = fields.Datetime.now()
        for rule in self:
            try:
                ids = rule._due_ids(rule._earliest(now), now)
            except Exception as error:  # noqa: BLE001 - told in its turn
                ids = None
                if isinstance(error, psycopg2.Error):
                    self.env.cr.rollback()
            if ids or ids is None:
                found[rule] = ids
        return found

    def _earliest(self, now):
        """The earliest moment that is looked at."""
        earliest = now - datetime.timedelta(hours=self.lateness_hours)
        if self.checked_at:
            # What has become due meanwhile and is too late expires, with a line.
            earliest = min(earliest, max(self.checked_at, self.enabled_since or now))
        return earliest

    def _enqueue_due_in_turn(self, ids):
        """Look at what may be due, and commit after each part.

        :param ids: of the records, or None to ask for them
        :return: whether nothing went wrong
        """
        now = fields.Datetime.now()
        first = self._earliest(now)
        parts = [None] if ids is None else [ids[n : n + PART] for n in range(0, len(ids), PART)]
        return all(self._enqueue_part_in_turn(first, now, part) for part in parts)

    def _enqueue_part_in_turn(self, first, now, ids):
        """Look at a part of what may be due and commit; again, where a drainer was faster.

        :return: whether nothing went wrong
        """
        Firing = self.env["crm.automation.firing"]
        for attempt in range(1, MAX_CONFLICTS + 1):
            try:
                with self._never_in_the_way(f"looking for what is due by rule {self.id}") as found:
                    self._enqueue_part(first, now, ids)
                if found.error:
                    reason = self.with_context(lang=self.owner_id.lang)._why_it_failed(found.error)
                    with self._never_in_the_way(f"noting the failure of rule {self.id}"):
                        Firing._insert_about_rule(self, reason)
                Firing._commit_batch()
                return not found.error
            except psycopg2.extensions.TransactionRollbackError:
                self.env.cr.rollback()
                if attempt == MAX_CONFLICTS:
                    raise
        return False

    def _note_idle(self):
        """A rule that is switched on and cannot act says so in the log, once a day."""
        reason = self.with_context(lang=self.owner_id.lang)._why_idle()
        self.env["crm.automation.firing"]._insert_about_rule(self, reason)

    def _enqueue_part(self, first, now, ids=None):
        """Insert an execution for each record whose moment is near or just over.

        :param datetime first: the earliest moment that counts
        :param datetime now: what is due in ``LOOKAHEAD`` from now counts as well
        :param ids: of the records to look at, None for all
        """
        self.ensure_one()
        last = now + LOOKAHEAD
        if ids is None:
            ids = self._due_ids(first, now)
        records = self._owner_model().browse(ids).exists()
        dates = self._dates(records)
        moments = {
            record.id: self._moment(record, dates[record.id])
            for record in records
            if record.id in dates
        }
        due = records.browse(
            record.id for record in records
            if record.id in moments and first <= moments[record.id] <= last
            and self._is_not_past(record, moments[record.id], now)
        )  # fmt: skip
        due = due.browse(self._not_its_own_doing(due.ids, dates))
        due = self._matching_texts(due)
        if due:
            name = self._date_field_name()
            self.env["crm.automation.firing"]._insert_moments(
                self,
                {record.id: moments[record.id] for record in due},
                {record.id: record.sudo()[name] for record in due} if name else {},
            )

    def _due_ids(self, first, now):
        """Ids of the records whose moment may be from ``first`` to ``LOOKAHEAD`` from now
        and for whose date there is no execution yet.

        One query whatever the ledger holds: of it only the dates of the window are read.
        """
        model = self._owner_model()
        low, high = self._value_window(first, now + LOOKAHEAD)
        domain = self._window_domain(low, high) & Domain(self._compiled().domain)
        # No order: PostgreSQL would go through the whole table by its key.
        query = model._search(domain)
        query.order = None
        self.env["crm.automation.firing"].flush_model(["state", "base_date"])
        known = SQL(
            """
            SELECT FROM crm_automation_firing AS known
            WHERE known.rule_id = %s AND known.res_model = %s AND known.res_id = %s
            """,
            self.id,
            model._name,
            SQL.identifier(model._table, "id"),
        )
        if name := self._date_field_name():
            # That they lie in the window follows for a reader, not for PostgreSQL. Of mere
            # dates the ends of the window are cut to midnight: a day more.
            query.add_where(
                SQL(
                    "NOT EXISTS (%s AND known.base_date = %s AND known.timing = %s"
                    " AND known.state <> 'cancelled' AND known.base_date BETWEEN %s AND %s)",
                    known,
                    SQL.identifier(model._table, name),
                    self._timing(),
                    low - DAY_SLACK - DAY,
                    high + DAY_SLACK + DAY,
                )
            )
            if self.moved_policy == "nothing":
                query.add_where(SQL("NOT EXISTS (%s AND known.state = 'done')", known))
        return sorted(row[0] for row in self.env.execute_query(query.select()))

    def _timing(self):
        """Names the date, the delay and the hour in an execution's key: when one of them
        is changed, the same date counts anew."""
        text = (
            f"{self._date_field_name()} {self.delay_before} {self.delay_number}"
            f" {self.delay_unit} {self.date_hour} {self.resource_calendar_id.id}"
        )
        return zlib.crc32(text.encode()) - 2**31

    def _is_not_past(self, record, moment, now):
        """Nothing is done for what was over when the rule was switched on. A meeting
        that is booked since, closer than its reminder, was not."""
        since = self.enabled_since or now
        return moment >= since or (record.sudo().create_date or since) > since

    def _value_window(self, first, last):
        """From when to when a date may be, if its moment is to lie in a window."""
        return value_window(
            first, last, self.delay_number, self.delay_unit, self.delay_before == "before",
            self._workdays(),
        )  # fmt: skip

    def _window_domain(self, low, high):
        """The records whose date may be there; see :meth:`_value_window`."""
        name = self._date_field_name()
        if name:
            return self._date_domain(name, low, high)
        self.env["mail.message"].flush_model()
        self.env.cr.execute(
            SQL(
                """
                SELECT DISTINCT res_id FROM mail_message
                WHERE model = %s AND date BETWEEN %s AND %s
                """,
                self.model_name,
                low,
                high,
            )
        )
        spoken = [row[0] for row in self.env.cr.fetchall()]
        return Domain("id", "in", spoken) | self._between("create_date", low, high)

    def _date_domain(self, name, low, high):
        """Where the date may be, if a moment is to lie in a window."""
        if self.env[self.model_name]._fields[name].type == "date":
            return self._between(name, (low - DAY_SLACK).date(), (high + DAY_SLACK).date())
        domain = self._between(name, low, high)
        if self.model_name == "calendar.event" and name in ("start", "stop"):
            # Of a meeting of a whole day, the day counts: see _date_of.
            wide = self._between(name, low - DAY_SLACK, high + DAY_SLACK)
            domain |= wide & Domain("allday", "=", True)
        return domain

    @api.model
    def _between(self, name, low, high):
        return Domain(name, ">=", low) & Domain(name, "<=", high)

    def _not_its_own_doing(self, ids, dates):
        """Without the records whose last update is what this rule itself has done."""
        if self.date_type != "last_update" or not ids:
            return ids
        groups = self.env["crm.automation.firing"]._read_group(
            [("rule_id", "=", self.id), ("res_id", "in", ids), ("state", "=", "done")],
            ["res_id"],
            ["finished_at:max"],
        )
        done = dict(groups)
        slack = datetime.timedelta(seconds=5)
        return [
            res_id for res_id in ids
            if res_id not in done or dates[res_id] > done[res_id] + slack
        ]  # fmt: skip
