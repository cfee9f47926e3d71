"""What the new rule will do in another way than Odoo's, in plain words."""

from odoo import models


class CrmAutomationTakeOver(models.TransientModel):
    _inherit = "crm.automation.take.over"

    def _plan_differences(self, plan, stock):
        if plan.values["trigger"] == "moment":
            plan.differences += self._differences_of_dates(plan, stock)
        else:
            plan.differences += self._differences_of_changes(plan, stock)
        if "content" in plan.values:
            plan.differences += self._differences_of_mails()
        if plan.kept:
            plan.differences.append(self._difference_of_kept(plan))
        plan.differences.append(self._difference_of_rights())

    def _difference_of_kept(self, plan):
        names = ", ".join(action.name for action in plan.kept)
        if plan.values["trigger"] == "moment":
            return self.env._(
                "These actions are kept as they are, as copies that belong to the new rule: "
                "%(names)s. They come after what the rule does itself.",
                names=names,
            )
        return self.env._(
            "These actions are kept as they are, as copies that belong to the new rule: "
            "%(names)s. A job does them a moment after the save, after what the rule does "
            "itself; Odoo does them within the save.",
            names=names,
        )

    def _difference_of_rights(self):
        if self.with_all_rights:
            return self.env._("Both act with all rights.")
        return self.env._(
            "Odoo's rule acts with all rights; the new one sees and does what its owner, "
            "%(owner)s, may, in the companies that he may work for.",
            owner=self.env.user.name,
        )

    def _differences_of_changes(self, plan, stock):
        found = []
        if plan.values["trigger"] == "saved" and not stock.trigger_field_ids:
            found.append(
                self.env._(
                    "Odoo's rule runs once for each field that is worked out anew, up to 15 times "
                    "for one new lead; the new one once for each save."
                )
            )
        if plan.values["trigger"] in ("saved", "updated") and not stock.trigger_field_ids:
            found.append(
                self.env._(
                    "Odoo's rule also runs when a save changes nothing; the new one only when a "
                    "field has got another value."
                )
            )
        found.append(
            self.env._(
                "The new rule looks at what has become of the record at the end of the save; "
                "Odoo's at each step of it."
            )
        )
        found.append(
            self.env._(
                "An action that fails breaks the user's own save in Odoo's rule. In the new one "
                "the save goes on, and the log says what failed."
            )
        )
        return found

    def _differences_of_dates(self, plan, stock):
        found = self._differences_of_what_is_due(plan, stock)
        found += self._differences_of_hours(plan, stock)
        if stock.trigger == "on_time_updated":
            found.append(
                self.env._(
                    "What Odoo's rule changes counts as an update, so it sets itself off again. "
                    "What the new rule does itself does not count."
                )
            )
        return found

    def _differences_of_what_is_due(self, plan, stock):
        """Of what comes late, of what fails, and of the past."""
        return [
            self.env._(
                "A record that is made, or whose date is moved, when its moment is already over "
                "is missed by Odoo's rule. The new one acts at once, up to %(hours)s hours "
                "late; later than that it expires, with a line in the log.",
                hours=round(plan.values.get("lateness_hours", 24)),
            ),
            self.env._(
                "One record that fails stops Odoo's rule for all records, again and again. In "
                "the new one it fails alone, and is tried again."
            ),
            self.env._(
                "Odoo's rule keeps no list of what it has done: what it has missed so far stays "
                "missed. What is due since it last looked is done by the new rule, once."
            )
            if stock.last_run
            else self.env._(
                "Odoo's rule has never run, and would act on the whole past at its first run. "
                "The new one does nothing for the past."
            ),
        ]

    def _differences_of_hours(self, plan, stock):
        """Of the time of the day."""
        field = self.env[stock.model_name]._fields[stock.trg_date_id.name]
        if field.type == "date":
            return [
                self.env._(
                    "To Odoo's rule a day begins at midnight UTC. The new one acts at 8:00, in "
                    "the time zone of the record, its company or its responsible; the hour can be "
                    "changed."
                )
            ]
        found = [
            self.env._(
                "Odoo's rule acts when its scheduled action comes by: every %(interval)s. The "
                "new one acts in the minute that is meant.",
                interval=self._stock_interval(),
            )
        ]
        if plan.values["delay_unit"] == "days":
            found.append(
                self.env._(
                    "A day is 24 hours to Odoo's rule; to the new one a step on the calendar, "
                    "so that the hour stays when the clocks change."
                )
            )
        return found

    def _stock_interval(self):
        """How often Odoo's rules about dates are looked at, in words."""
        job = self.env.ref(
            "base_automation.ir_cron_data_base_automation_check", raise_if_not_found=False
        )
        if not job:
            return "?"
        units = dict(job._fields["interval_type"]._description_selection(self.env))
        return f"{job.interval_number} {units[job.interval_type].lower()}"

    def _differences_of_mails(self):
        return [
            self.env._(
                "Odoo's mails wait up to an hour for the mail queue; those of the new rule leave "
                "within a minute."
            ),
            self.env._(
                "Each recipient gets a mail of his own, in his own language and within the frame "
                "of the notices; Odoo writes one mail to all, in the language of the template. An "
                "internal note in the record's history says what was sent."
            ),
            self.env._(
                "A mail that fails is tried again, and the log says for each recipient what "
                "became of it. Odoo leaves it in the queue, and the rule shows nothing."
            ),
        ]
