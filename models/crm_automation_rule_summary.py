"""The rule in plain words, as the list and the form show it."""

from odoo import api, fields, models

from .crm_automation_rule_action import TARGETS
from .crm_automation_rule_condition import SOURCES


class CrmAutomationRule(models.Model):
    _inherit = "crm.automation.rule"

    summary = fields.Char(
        compute="_compute_summary",
        string="In Plain Words",
        help="When the rule acts, on what, and whom it tells.",
    )

    @api.depends(lambda self: self._summary_sources())
    @api.depends_context("lang")
    def _compute_summary(self):
        for rule in self:
            deeds = rule._told_in_words() + rule._deeds_in_words()
            when = ", ".join([rule._when_in_words(), *rule._conditions_in_words()])
            if deeds:
                rule.summary = self.env._("%(when)s, %(what)s.", when=when, what="; ".join(deeds))
            else:
                rule.summary = self.env._("%(when)s, nothing happens yet.", when=when)

    @api.model
    def _summary_sources(self):
        return (
            *self._compiled_domain_sources(), *TARGETS, "set_state_id", "set_priority",
            "value_ids", "add_follower_ids", "activity_type_id", "model_id", "delay_number",
            "delay_unit", "delay_before", "date_type", "date_field_id", "state_from_ids",
            "watched_field_ids", "name_pattern", "before_domain", "history_pattern", "history_max",
            *self._notice_ticks(), "notify_emails", "notify_customer_path", "watcher_emails",
            "channel",
        )  # fmt: skip

    def _delay_in_words(self):
        units = {
            "minutes": self.env._("%(number)s minutes", number=self.delay_number),
            "hours": self.env._("%(number)s hours", number=self.delay_number),
            "days": self.env._("%(number)s days", number=self.delay_number),
            "workdays": self.env._("%(number)s working days", number=self.delay_number),
            "months": self.env._("%(number)s months", number=self.delay_number),
        }
        return units[self.delay_unit]

    def _when_in_words(self):
        model = self.model_id.sudo().name or self.model_name or self.env._("record")
        if self.trigger == "moment":
            date = (
                self.date_field_id.sudo().field_description
                if self.date_type == "field"
                else self._label("date_type")
            ) or self.env._("date")
            values = {"date": date, "model": model, "delay": self._delay_in_words()}
            if not self.delay_number:
                return self.env._("At the date “%(date)s” (%(model)s)", **values)
            if self.delay_before == "before":
                return self.env._("%(delay)s before “%(date)s” (%(model)s)", **values)
            return self.env._("%(delay)s after “%(date)s” (%(model)s)", **values)
        when = {
            "lead_converted": self.env._("When a lead becomes an opportunity"),
            "opportunities_merged": self.env._("When opportunities are merged"),
            "won": self.env._("When an opportunity is won"),
            "lost": self.env._("When an opportunity is lost"),
            "task_created": self.env._("When a task is created in the project of a customer"),
            "meeting_booked": self.env._("When a meeting is booked"),
            "meeting_moved": self.env._("When a meeting is moved"),
            "meeting_cancelled": self.env._("When a meeting is cancelled"),
            "invitation_answered": self.env._("When an invitation is answered"),
            "stage_entered": self.env._("When a stage is entered (%(model)s)", model=model),
            "state_reached": self.env._("When a state is reached (%(model)s)", model=model),
            "created": self.env._("When this is created: %(model)s", model=model),
            "updated": self.env._("When this is changed: %(model)s", model=model),
            "saved": self.env._("When this is created or changed: %(model)s", model=model),
            "deleted": self.env._("When this is deleted: %(model)s", model=model),
            "called": self.env._("When it is called (%(model)s)", model=model),
        }.get(self.trigger, "")
        if self.watched_field_ids and self.trigger in ("updated", "saved"):
            names = ", ".join(self.watched_field_ids.sudo().mapped("field_description"))
            when = self.env._("%(when)s (%(fields)s)", when=when, fields=names)
        if self.delay_number:
            when = self.env._("%(delay)s after: %(when)s", delay=self._delay_in_words(), when=when)
        return when

    def _conditions_in_words(self):
        clauses = []
        for name in SOURCES:
            if self[name]:
                names = ", ".join(self[name].sudo().mapped("display_name"))
                label = self._fields[name]._description_string(self.env)
                clauses.append(self.env._("%(condition)s: %(names)s", condition=label, names=names))
        for name in ("state_from_ids", "state_to_ids"):
            if self[name]:
                names = ", ".join(self[name].sudo().mapped("name"))
                label = self._fields[name]._description_string(self.env)
                clauses.append(self.env._("%(condition)s: %(names)s", condition=label, names=names))
        if self.priority_from or self.priority_to:
            clauses.append(
                self.env._(
                    "priority from %(low)s to %(high)s",
                    low=self._label("priority_from") or "…",
                    high=self._label("priority_to") or "…",
                )
            )
        filter_name = self.filter_id.sudo().name
        for asked, clause in (
            (self.name_pattern, self.env._("name like “%(pattern)s”", pattern=self.name_pattern)),
            (
                self.history_pattern,
                self.env._("history like “%(pattern)s”", pattern=self.history_pattern),
            ),
            (self.history_max, self.env._("at most %(number)s messages", number=self.history_max)),
            (self.filter_id, self.env._("filter “%(name)s”", name=filter_name)),
            (self._is_filter(self.filter_domain), self.env._("matches the conditions on fields")),
            (
                self._is_filter(self.before_domain),
                self.env._("matched other conditions before the change"),
            ),
            (self.company_id, self.env._("company: %(name)s", name=self.company_id.sudo().name)),
        ):
            if asked:
                clauses.append(clause)
        return clauses

    @api.model
    def _is_filter(self, domain):
        return bool(domain) and domain != "[]"

    def _told_in_words(self):
        whom = self._recipients_in_words()
        if not whom:
            return []
        names = ", ".join(whom)
        return [
            {
                "inbox": self.env._("notify %(whom)s in Odoo", whom=names),
                "activity": self.env._("give a to-do to %(whom)s", whom=names),
            }.get(self.channel, self.env._("mail %(whom)s", whom=names))
        ]

    def _deeds_in_words(self):
        deeds = []
        for name in (*TARGETS, "set_state_id"):
            if self[name]:
                label = self._fields[name]._description_string(self.env).lower()
                names = ", ".join(self[name].sudo().mapped("display_name"))
                deeds.append(self.env._("%(action)s %(names)s", action=label, names=names))
        if self.set_priority:
            label = self._fields["set_priority"]._description_string(self.env).lower()
            deeds.append(
                self.env._("%(action)s %(names)s", action=label, names=self._label("set_priority"))
            )
        for line in self.value_ids:
            deeds.append(
                self.env._(
                    "set “%(field)s” to “%(value)s”",
                    field=line.field_id.sudo().field_description or "…",
                    value=line.value or "",
                )
            )
        if self.add_follower_ids:
            names = ", ".join(self.add_follower_ids.mapped("display_name"))
            deeds.append(self.env._("add followers %(names)s", names=names))
        if self.activity_type_id:
            deeds.append(self.env._("schedule “%(name)s”", name=self.activity_type_id.name))
        return deeds
