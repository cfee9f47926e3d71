"""What a rule would send: to look at, nothing is written or sent."""

import collections
import contextlib

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

    def _as_mine(self):
        """The rule as if the current user had switched it on: a copy in memory.

        Whoever looks at what a rule does sees no more than he may see himself.
        """
        self.ensure_one()
        return self.new({"owner_id": self.env.uid, "as_superuser": False}, origin=self)

    @contextlib.contextmanager
    def _nothing_stays(self):
        """Undo whatever is written within: a template may write while it is filled in."""
        savepoint = self.env.cr.savepoint()
        try:
            yield
        finally:
            savepoint.close(rollback=True)

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
        shown = {"sample": record.display_name}
        if reason := self._why_hidden(record):
            return {**shown, "recipients": reason}
        letters = self._letters_of(records, limit=1)
        told = [recipient for recipient, _letter in letters if not recipient.skip]
        lines = [f"{r.partner.name or ''} <{r.email}>" for r in told]
        lines += [recipient.skip for recipient, _letter in letters if recipient.skip]
        shown["recipients"] = "\n".join(lines)
        for _recipient, letter in letters:
            if letter:
                shown |= {"preview_subject": letter["subject"], "preview_body": letter["body"]}
        return shown

    def _why_hidden(self, record):
        """Why the current user sees no mail about a record, or False.

        The mail to somebody who takes part in a private meeting tells all of it.
        """
        if not self._is_secret(record, self.env.user.partner_id):
            return False
        return self.env._(
            "This meeting is private and you do not take part in it: you may not read what "
            "would be sent."
        )

    def _letters_of(self, records, limit=None):
        """Everybody ticked, and what he would be sent.

        :param records: the record; where the rule is about a merge, what is merged
            into it as well
        :param int limit: letters to write at most
        :return: list of pairs of Recipient and letter; None to whoever is left out
        """
        record = records[:1]
        firing = self._firing_in_memory(records)
        company = self._company(record)
        recipients = self._recipients(firing, record, company)
        told = [recipient for recipient in recipients if not recipient.skip][:limit]
        by_language = collections.defaultdict(list)
        for recipient in told:
            by_language[recipient.lang].append((firing, company, recipient))
        letters = self._letters(by_language, record)
        return [
            (recipient, None if recipient.skip else letters.get((firing.id, recipient.email)))
            for recipient in recipients
        ]

    def _firing_in_memory(self, records):
        """An execution as it could be for these records, not saved."""
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
        return self.env["crm.automation.firing"].new(
            {
                "rule_id": self.id,
                "trigger": self.trigger,
                "res_model": record._name,
                "res_id": record.id,
                "payload": payload,
            }
        )
