"""The rule that stands in the place of one of Odoo's own (``base.automation``).

Owns the link, and what passes from one to the other at a take-over and back: that
never both act, and that what is due about a date is done by one of them, once.
Odoo's module is no dependency: nothing here supposes that it is installed.
"""

import datetime

from dateutil.relativedelta import relativedelta

from odoo import api, fields, models
from odoo.exceptions import UserError
from odoo.fields import Domain
from odoo.tools import SQL

DAY = datetime.timedelta(days=1)
#: Odoo's units of a delay, to ours.
STOCK_UNITS = {"minutes": "minutes", "hour": "hours", "day": "days", "month": "months"}


class CrmAutomationRule(models.Model):
    _inherit = "crm.automation.rule"

    # No many2one: its model may not be there.
    stock_rule_id = fields.Integer(
        "Odoo's Rule",
        readonly=True,
        copy=False,
        groups="base.group_system",
        help="The rule of Odoo's own that this one was made from.",
    )
    stock_taken_over = fields.Boolean(
        "Stands for Odoo's Rule", readonly=True, copy=False, groups="base.group_system"
    )
    stock_was_active = fields.Boolean(
        "Odoo's Rule Was On", readonly=True, copy=False, groups="base.group_system"
    )

    _stock_rule_once = models.UniqueIndex(
        "(stock_rule_id) WHERE stock_rule_id > 0",
        "This rule of Odoo's has been taken over already.",
    )

    @api.model
    def _stock_rules(self):
        """Odoo's own rules, the archived ones too, or None where there are none.

        With the rights of the user: administrators only.
        """
        if "base.automation" not in self.env:
            return None
        return self.env["base.automation"].with_context(active_test=False)

    def _stock_rule(self):
        """The rule of Odoo's own that this one was made from; None, or empty, if there
        is none (any more)."""
        self.ensure_one()
        rules = self._stock_rules()
        stock_id = self.sudo().stock_rule_id
        if rules is None or not stock_id:
            return None
        # Odoo's module may have been uninstalled and installed again since: then the
        # number is that of another rule, a younger one.
        return rules.sudo().search([("id", "=", stock_id), ("create_date", "<=", self.create_date)])

    def _why_idle(self):
        if reason := super()._why_idle():
            return reason
        stock = self._stock_rule()
        if stock and stock.active:
            return self.env._(
                "Odoo's own rule “%(name)s” is switched on, so this one does nothing: never both. "
                "Archive Odoo's rule, or archive this one.",
                name=stock.name,
            )
        return False

    @api.ondelete(at_uninstall=False)
    def _unlink_except_in_the_place_of_another(self):
        for rule in self.sudo().filtered(lambda rule: rule.stock_taken_over):
            if rule.stock_was_active and (stock := rule._stock_rule()):
                raise UserError(
                    self.env._(
                        "“%(rule)s” stands for Odoo's own rule “%(stock)s”, which would stay "
                        "archived. An administrator can give it back first (“Take Over Odoo's "
                        "Rules”), or you archive this one.",
                        rule=rule.name,
                        stock=stock.name,
                    )
                )

    def action_open_take_over(self):
        """The two rules side by side, and the way back."""
        self.ensure_one()
        action = self.env["crm.automation.take.over"]._open()
        line = self.env["crm.automation.take.over"].search(
            [("stock_id", "=", self.stock_rule_id), ("create_uid", "=", self.env.uid)], limit=1
        )
        # Without it, Odoo's rule is gone: the list of the others.
        return {**action, "views": [(False, "form")], "res_id": line.id} if line else action

    # -- there and back -------------------------------------------------------

    def _take_place_of(self, stock, enable):
        """From now on this rule acts, and Odoo's is archived. Never deleted.

        :param stock: the ``base.automation``
        :param bool enable: switch this rule on, where Odoo's was
        """
        self.ensure_one()
        was_active, last_run = stock.active, stock.last_run
        stock.active = False
        self.write(
            {
                "active": True,
                "enabled": False,
                "stock_rule_id": stock.id,
                "stock_taken_over": True,
                "stock_was_active": was_active,
            }
        )
        if enable and was_active:
            self.action_enable()
            if self.trigger == "moment" and last_run:
                self._go_on_from(stock, last_run)
        stock._message_log(
            body=self.env._(
                "Taken over by the automated action %(link)s; archived.",
                link=self._get_html_link(),
            )
        )

    def _give_back(self):
        """Odoo's rule is as it was before, and this one is archived."""
        for rule in self:
            stock = rule._stock_rule()
            values = {"active": rule.stock_was_active}
            if stock and rule.trigger == "moment" and rule.enabled_since and stock.last_run:
                values["last_run"] = max(stock.last_run, rule._acted_until())
            rule.write({"enabled": False, "active": False, "stock_taken_over": False})
            if stock:
                stock.write(values)
                stock._message_log(
                    body=self.env._(
                        "Given back by the automated action %(link)s.", link=rule._get_html_link()
                    )
                )

    # -- rules about dates ------------------------------------------------------

    def _go_on_from(self, stock, last_run):
        """What became due since Odoo's rule last looked is for this one to do.

        Odoo's rule keeps no list, but a line: of what lies before it, everything is
        taken for done that was there when it looked. What came later and lies before
        the line, it would have missed for ever.
        """
        limit = datetime.timedelta(hours=self.lateness_hours)
        # Of days, the two read the moment differently: one that is over for this rule
        # may be yet to come for the other.
        since = (last_run - limit if self._counts_days() else last_run).replace(microsecond=0)
        self.sudo().enabled_since = since
        now = fields.Datetime.now()
        first = now - limit
        window = self._value_window(first, last_run + 2 * DAY)
        domain = self._window_domain(*window) & self._condition_domain()
        domain &= Domain("create_date", "<=", last_run)
        records = self._owner_model().search(domain)
        dates = self._dates(records)
        done = {}
        for record in records:
            if record.id in dates and self._stock_has_done(stock, record, last_run):
                moment = self._moment(record, dates[record.id])
                if self._is_not_past(record, moment, now):
                    done[record.id] = moment
        self._note_done_by_stock(done)

    def _counts_days(self):
        """Whether days count, so that the hour is a matter of convention."""
        is_meeting = self.model_name == "calendar.event"
        return (
            self.date_is_day
            or self.delay_unit == "workdays"
            or (is_meeting and self._date_field_name() in ("start", "stop"))
        )

    def _stock_has_done(self, stock, record, last_run):
        """Whether Odoo's rule reached the date of a record at its last look: a day is
        over for it from midnight UTC."""
        value = record.sudo()[self._date_field_name()]
        sign = 1 if stock.trg_date_range_mode == "before" else -1
        number = sign * stock.trg_date_range
        if stock.trg_date_calendar_id and stock.trg_date_range_type == "day":
            limit = stock.trg_date_calendar_id.plan_days(number, last_run, compute_leaves=True)
            return bool(limit) and fields.Datetime.to_datetime(value) < limit
        unit = STOCK_UNITS.get(stock.trg_date_range_type, "hours")
        limit = last_run + relativedelta(**{unit: number})
        if isinstance(value, datetime.datetime):
            return value < limit
        return value <= limit.date()

    def _note_done_by_stock(self, moments):
        """Lines of the log that keep this rule from doing it again.

        :param dict moments: record id to the moment at which this rule would act
        """
        Firing = self.env["crm.automation.firing"]
        now = fields.Datetime.now()
        name, timing = self._date_field_name(), self._timing()
        rows = [
            {
                **Firing._moment_values(self, record, moments[record.id]),
                "due_at": moments[record.id],
                "run_at": moments[record.id],
                "base_date": record.sudo()[name],
                "timing": timing,
                "state": "skipped",
                "reason": self.env._("Odoo's own rule has done it, before it was taken over."),
                "finished_at": now,
            }
            for record in self.env[self.model_name].browse(moments)
        ]
        if rows:
            Firing._insert_rows(self, rows, SQL("NOTHING"))

    def _acted_until(self):
        """Up to which moment this rule has done what Odoo's need not do again."""
        now = fields.Datetime.now().replace(microsecond=0)
        second = datetime.timedelta(seconds=1)
        domain = [("rule_id", "=", self.id), ("state", "=", "done")]
        Firing = self.env["crm.automation.firing"].sudo()
        latest = Firing._read_group(domain, [], ["due_at:max"])[0][0] or datetime.datetime.min
        until = now if self.enabled else max(latest, self.checked_at or datetime.datetime.min)
        midnight = now.replace(hour=0, minute=0, second=0)
        if self._counts_days() and latest < midnight:
            # To Odoo's rule a day is done at its midnight; today was not yet done here.
            return min(until, midnight - second)
        # From the next second on: it counts its line among what is still to do.
        return max(until, latest + second)
