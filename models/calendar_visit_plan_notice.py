"""Who is told of a plan's visits: the customers once for all dates, colleagues of what
was cancelled."""

import base64
from collections import defaultdict

from markupsafe import Markup

from odoo import api, fields, models
from odoo.tools import format_datetime

from .crm_automation_notice_queue import HEADERS

#: Customers who are written to in one transaction.
LETTERS = 50


class CalendarVisitPlan(models.Model):
    _inherit = "calendar.visit.plan"

    def _tell_booked(self):
        """Note what was booked, and write to the customers if that is wanted."""
        self.ensure_one()
        self._message_log(
            body=self.env._(
                "Booked: %(booked)s visits. Without a time: %(unscheduled)s.",
                booked=self.booked_count,
                unscheduled=self.unscheduled_count,
            )
        )
        if not self.tell_customer:
            return
        untold = self.env["calendar.visit"].sudo().search(
            [("plan_id", "=", self.id), ("state", "=", "booked"), ("is_told", "=", False),
             ("has_no_email", "=", False), ("start", ">", fields.Datetime.now())],
            order="start",
        )  # fmt: skip
        by_customer = list(untold.grouped("partner_id").items())
        for at in range(0, len(by_customer), LETTERS):
            for partner, visits in by_customer[at : at + LETTERS]:
                self._write_to_customer(partner, visits, "booked")
                visits.write({"is_told": True})
            if self.env.context.get("cron_id"):
                self._commit_batch()

    def _tell_cancelled(self, visits):
        """Write to the customers who know of visits that are cancelled."""
        told = visits.filtered("is_told").sorted("start")
        for partner, theirs in told.grouped("partner_id").items():
            self._write_to_customer(partner, theirs, "cancelled")

    def _write_to_customer(self, partner, visits, kind):
        """Queue one mail with all dates, in his language and time zone."""
        if not partner.email:
            return
        user = visits.user_id[:1]
        plan = self.with_context(lang=partner.lang or self.env.lang).sudo()
        company = self.company_id.name
        subject = {
            "booked": plan.env._("Our visits: %(company)s", company=company),
            "cancelled": plan.env._("Visits cancelled: %(company)s", company=company),
        }[kind]
        files = [self._dates_as_file(partner, visits)] if kind == "booked" else []
        self.env["mail.mail"].sudo().create(
            {
                "subject": subject,
                "body_html": plan._letter_of_dates(partner, visits, kind),
                "author_id": user.partner_id.id,
                "email_from": user.email_formatted or self.company_id.email_formatted,
                "recipient_ids": [fields.Command.link(partner.id)],
                "attachment_ids": [fields.Command.create(values) for values in files],
                "headers": HEADERS,
                "is_sent_again": True,
                "auto_delete": True,
            }
        )
        self.env["ir.cron"]._automation_wake("mail.ir_cron_mail_scheduler_action")

    def _letter_of_dates(self, partner, visits, kind):
        """The mail's HTML, in the language of the plan's environment."""
        user = visits.user_id[:1]
        tz = partner.tz or user.tz or "UTC"
        links = visits._answer_links() if kind == "booked" else {}
        sentence = (
            self.env._("%(user)s would like to visit you on these days:", user=user.name)
            if kind == "booked"
            else self.env._("These visits of %(user)s are cancelled:", user=user.name)
        )
        values = {
            "greeting": self.env._("Dear %(name)s,", name=partner.name or ""),
            "sentence": sentence,
            "dates": [
                (format_datetime(self.env, visit.start, tz=tz), links.get(visit.id))
                for visit in visits
            ],
            "zone": self.env._("Times of %(zone)s.", zone=tz),
            "is_booked": kind == "booked",
            "user": user,
        }
        return self.env["ir.qweb"]._render("crm_automation.visit_letter", values)

    @api.model
    def _dates_as_file(self, partner, visits):
        """Values of an attachment that calendar programs can take in."""
        text = visits.event_id.with_context(lang=partner.lang)._ical_text()
        return {
            "name": "visits.ics",
            "datas": base64.b64encode(text.encode()),
            "mimetype": "text/calendar",
        }

    def _tell_colleagues(self, visits, reason):
        """Tell each visitor which of his visits are gone, and why: one message each.

        :param visits: ``calendar.visit`` (sudo)
        :param str reason: a term of :meth:`_reason`
        """
        lists = defaultdict(list)
        for visit in visits.sorted("start"):
            lists[visit.user_id].append(visit)
        for user, mine in lists.items():
            plan = self.with_context(lang=user.lang or self.env.lang)
            rows = Markup().join(
                Markup("<li>%s, %s</li>")
                % (
                    format_datetime(plan.env, visit.start, tz=user.tz or "UTC"),
                    visit.partner_id.display_name,
                )
                for visit in mine
            )
            plan.sudo().message_notify(
                partner_ids=user.partner_id.ids,
                subject=plan.env._("Visits cancelled: %(plan)s", plan=plan.name),
                body=Markup("<p>%s</p><ul>%s</ul>") % (plan._reason(reason), rows),
            )
        self._message_log(
            body=self.env._(
                "%(number)s visits cancelled. %(reason)s",
                number=len(visits),
                reason=self._reason(reason),
            )
        )

    @api.model
    def _reason(self, reason):
        return {
            "left": self.env._("These customers are no longer in the segment of the plan."),
            "ended": self.env._("The plan ends before."),
            "moved": self.env._("These customers are visited by somebody else from now on."),
        }[reason]
