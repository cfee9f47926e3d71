"""What a rule would send: to look at, nothing is written or sent."""

from odoo import models
from odoo.exceptions import AccessError, UserError
from odoo.fields import Domain


class CrmAutomationRule(models.Model):
    _inherit = "crm.automation.rule"

    def _preview(self):
        """The notice for the latest record that the rule may be about.

        Works on a rule that is not saved.

        :return: dict with ``sample``, ``recipients``, ``preview_subject`` and
            ``preview_body``, empty where there is nothing to show
        """
        self.ensure_one()
        try:
            records = self._sample()
            if not records:
                return {"sample": self.env._("There is no record of this kind yet.")}
            return self._preview_of(records)
        except (AccessError, UserError) as error:
            return {"sample": str(error)}

    def _sample(self):
        """One record, or two where the rule is about a merge: of those that satisfy the
        conditions, else of all, those with a responsible and a customer first."""
        model = self.env[self.model_name].with_context(active_test=False)
        wanted = 2 if self.trigger == "opportunities_merged" else 1
        kind = Domain.TRUE
        if self.model_name == "crm.lead":
            kind = Domain("type", "=", "opportunity")
        named = Domain.AND(
            Domain(name, "!=", False) for name in ("user_id", "partner_id") if name in model._fields
        )
        fitting = self._condition_domain()
        for domain in (kind & named & fitting, fitting, kind & named, kind):
            if records := model.search(domain, limit=wanted, order="id desc"):
                return records
        return model

    def _preview_of(self, records):
        record = records[:1]
        payload = {}
        if self.trigger == "opportunities_merged":
            payload["merged"] = [
                {"id": lead.id, "name": lead.display_name, "user_id": lead.user_id.id, "state": ""}
                for lead in records
            ]
        if self.trigger == "invitation_answered":
            attendee = record.attendee_ids[:1]
            name = attendee.common_name or self.env.user.name
            payload["answers"] = [{"name": name, "state": "accepted", "partner_id": False}]
        firing = self.env["crm.automation.firing"].new(
            {
                "rule_id": self.id,
                "trigger": self.trigger,
                "res_model": record._name,
                "res_id": record.id,
                "payload": payload,
            }
        )
        company = self._company(record)
        recipients = self._recipients(firing, record, company)
        told = [recipient for recipient in recipients if not recipient.skip]
        lines = [f"{r.partner.name or ''} <{r.email}>" for r in told]
        lines += [recipient.skip for recipient in recipients if recipient.skip]
        shown = {"sample": record.display_name, "recipients": "\n".join(lines)}
        if told:
            first = told[0]
            rendered = self._render_template({first.lang: [(firing, company, first)]})
            letter = self.with_context(lang=first.lang)._letter(
                firing, record.with_context(lang=first.lang), company, first, rendered
            )
            shown |= {"preview_subject": letter["subject"], "preview_body": letter["body"]}
        return shown
