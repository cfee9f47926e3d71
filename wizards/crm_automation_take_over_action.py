"""What becomes of the actions of one of Odoo's rules.

Owns which of them the new rule does itself, and how it is told the recipients of an
e-mail template. Everything else is kept as a server action.
"""

import contextlib
import datetime
import re

from odoo import models
from odoo.fields import Command
from odoo.tools import email_normalize, is_html_empty

from ..models.crm_automation_rule_action import TARGETS
from ..models.crm_automation_rule_value import TYPES

#: A placeholder that is nothing but a path of fields of the record.
PLACEHOLDER = re.compile(r"\{\{\s*object\.([\w.]+?)\s*(?:or\s*(?:''|\"\"|False)\s*)?\}\}")
#: How templates end a path to somebody.
ENDINGS = re.compile(r"(\.partner_id)?\.(id|ids|email|email_formatted|email_normalized)$")
#: Between addresses, but not within a placeholder.
COMMA = re.compile(r",(?![^{]*\}\})")
#: Days of Odoo's units of a deadline; those of months differ.
DEADLINE_DAYS = {"days": 1, "weeks": 7}


class CrmAutomationTakeOver(models.TransientModel):
    _inherit = "crm.automation.take.over"

    def _plan_actions(self, plan, stock):
        if not stock.action_server_ids:
            plan.obstacles.append(self.env._("It has no actions, so it does nothing."))
        for action in stock.action_server_ids:
            take = getattr(self, f"_take_{action.state}", None)
            # An action of some groups only is refused to others by Odoo itself.
            if action.group_ids or not take or not take(plan, action):
                plan.kept.append(action)

    def _like(self, action):
        """A rule about the records of an action, to ask what it knows."""
        return self.env["crm.automation.rule"].new({"model_id": action.model_id.id})

    # -- fields ---------------------------------------------------------------

    def _take_object_write(self, plan, action):
        """:return: whether the new rule does it itself"""
        field = action.update_field_id
        if action.evaluation_type != "value" or action.update_path != field.name:
            return False
        return self._take_target(plan, action, field) or self._take_value(plan, action, field)

    def _take_target(self, plan, action, field):
        """One of the fields that the form names: responsible, team, stage, tags."""
        if not (action.value or "").isdecimal() or not int(action.value):
            return False
        rule = self._like(action)
        for name, condition in TARGETS.items():
            if f",{condition}," not in rule.offered or rule._source(condition) != field.name:
                continue
            if rule._fields[name].type == "many2many":
                if action.update_m2m_operation != "add":
                    return False
                plan.values.setdefault(name, []).append(Command.link(int(action.value)))
                return True
            if name in plan.values or (
                field.ttype == "many2many" and action.update_m2m_operation != "set"
            ):
                return False
            plan.values[name] = int(action.value)
            return True
        return False

    def _take_value(self, plan, action, field):
        if field.ttype not in TYPES or field.readonly or not field.store:
            return False
        text = self._value_text(action, field)
        if text is None:
            return False
        lines = plan.values.setdefault("value_ids", [])
        lines.append(Command.create({"field_id": field.id, "value": text}))
        return True

    def _value_text(self, action, field):
        """A value as the form takes it, or None where it has no way to say it."""
        if field.ttype == "boolean":
            return "1" if action.update_boolean_value == "true" else "0"
        if field.ttype == "html":
            return action.html_value or ""
        if field.ttype == "selection":
            return action.selection_value.value or action.value or ""
        text = (action.value or "").strip()
        if field.ttype == "many2one":
            return self._name_or_id(field.relation, text)
        if field.ttype == "date" and text:
            # Our own form also knows “+7”, which is no date to Odoo.
            with contextlib.suppress(ValueError):
                return datetime.date.fromisoformat(text).isoformat()
            return None
        # A moment is read in the owner's time zone here, as UTC there.
        return None if field.ttype == "datetime" and text else text

    def _name_or_id(self, model, text):
        """What names a record to the reader, if there is no other of that name."""
        if not text.isdecimal() or not int(text):
            return ""
        comodel = self.env[model]
        record = comodel.browse(int(text)).exists()
        if not record:
            return None
        found = comodel.name_search(record.display_name, operator="=", limit=2)
        is_clear = [row[0] for row in found] == record.ids and not record.display_name.isdecimal()
        return record.display_name if is_clear else text

    # -- followers, activities --------------------------------------------------

    def _take_followers(self, plan, action):
        model = self.env[action.model_name]
        if action.followers_type != "specific" or not hasattr(model, "message_subscribe"):
            return False
        links = plan.values.setdefault("add_follower_ids", [])
        links += [Command.link(partner.id) for partner in action.partner_ids]
        return True

    def _take_next_activity(self, plan, action):
        model = self.env[action.model_name]
        unit = DEADLINE_DAYS.get(action.activity_date_deadline_range_type)
        is_fitting = (
            action.activity_type_id
            and "activity_type_id" not in plan.values
            and hasattr(model, "activity_schedule")
            and is_html_empty(action.activity_note)
            and (unit or not action.activity_date_deadline_range)
        )
        if not is_fitting:
            return False
        is_specific = action.activity_user_type == "specific"
        if is_specific and not action.activity_user_id:
            return False
        if not is_specific and action.activity_user_field_name not in ("user_id", "user_ids"):
            return False
        plan.values |= {
            "activity_type_id": action.activity_type_id.id,
            "activity_summary": action.activity_summary,
            "activity_days": action.activity_date_deadline_range * (unit or 1),
            "activity_user_id": is_specific and action.activity_user_id.id,
        }
        return True

    # -- mails ----------------------------------------------------------------

    def _take_mail_post(self, plan, action):
        """The mail of a template becomes the notice, if it is known who gets it."""
        template = action.template_id
        if (
            not template
            or "content" in plan.values
            # A message or a note is part of the record's history, not a mail.
            or action.mail_post_method != "email"
            # What a notice has not got.
            or template.attachment_ids
            or template.report_template_ids
            or template.mail_server_id
            or template.scheduled_date
        ):
            return False
        told = self._told_by(template, action)
        if not told:
            return False
        plan.values |= {"content": "template", "template_id": template.id, **told}
        self._take_sender(plan, template)
        return True

    def _take_sender(self, plan, template):
        sender = (template.email_from or "").strip()
        if re.match(r"\{\{\s*\(?object\.user_id\.", sender):
            plan.values["sender"] = "responsible"
        elif email_normalize(sender) and "{{" not in sender:
            plan.values |= {"sender": "other", "sender_email": sender}
        elif sender:
            plan.differences.append(
                self.env._("The company is the sender, and not: %(sender)s", sender=sender)
            )
        if reply_to := (template.reply_to or "").strip():
            if "{{" in reply_to:
                plan.differences.append(
                    self.env._(
                        "Answers come back to the record, and not to: %(address)s",
                        address=reply_to,
                    )
                )
            else:
                plan.values["notify_reply_to"] = reply_to

    def _told_by(self, template, action):
        """The ticks that stand for the recipients of a template.

        :return: dict of values, empty where they cannot be known
        """
        if template.use_default_to:
            return self._told_by_default(action.model_name)
        told, addresses = {}, []
        for text in (template.email_to, template.partner_to, template.email_cc):
            for part in filter(None, map(str.strip, COMMA.split(text or ""))):
                path = PLACEHOLDER.fullmatch(part)
                address = not path and self._address_of(part)
                if address:
                    addresses.append(address)
                elif not path or not self._tick(told, action, path[1]):
                    return {}
        if addresses:
            told["notify_emails"] = ", ".join(dict.fromkeys(addresses))
        return told

    def _address_of(self, text):
        """The address that a part of a template's recipients is, or names; else False."""
        if text.isdecimal():
            return email_normalize(self.env["res.partner"].browse(int(text)).exists().email)
        return "{{" not in text and email_normalize(text) and text

    def _tick(self, told, action, path):
        """Tick who stands at the end of a path. :return: whether somebody does"""
        chain = ENDINGS.sub("", path)
        rule = self._like(action)
        responsible = [
            name for name in ("user_id", "user_ids")
            if ",responsible_ids," in rule.offered and rule._source("responsible_ids") == name
        ]  # fmt: skip
        if chain in responsible:
            told["notify_responsible"] = True
        elif chain == "team_id.user_id":
            told["notify_leader"] = True
        elif chain == "email_cc":
            told["notify_watchers"] = True
        elif chain in ("partner_id", "email_from") and action.model_name != "calendar.event":
            if told.get("notify_customer_path"):
                return False
            told["notify_customer"] = True
        elif "notify_customer" in told:
            return False
        elif rule._ends_at_somebody(self.env[action.model_name], chain):
            told |= {"notify_customer": True, "notify_customer_path": chain}
        else:
            return False
        return True

    def _told_by_default(self, model_name):
        """Whom Odoo mails where a template names nobody."""
        model = self.env[model_name]
        names = model._mail_get_partner_fields()
        if model_name == "calendar.event":
            return {"notify_attendees": True}
        if model_name == "res.partner" or names[:1] == ["partner_id"] or "email_from" in model:
            return {"notify_customer": True}
        if "email" in model:
            names = names or ["email"]
        if len(names) == 1:
            return {"notify_customer": True, "notify_customer_path": names[0]}
        return {}
