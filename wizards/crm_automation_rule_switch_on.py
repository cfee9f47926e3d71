"""Switching on a rule about dates, with a look at what is over already."""

from datetime import timedelta

from odoo import api, fields, models
from odoo.exceptions import UserError, ValidationError

from ..models.crm_automation_rule_switch import MAX_PAST


class CrmAutomationRuleSwitchOn(models.TransientModel):
    _name = "crm.automation.rule.switch.on"
    _description = "Switch On an Automated Action"

    rule_id = fields.Many2one("crm.automation.rule", required=True, ondelete="cascade")
    look_back_hours = fields.Float(
        "Look Back (Hours)",
        required=True,
        help="How long the moment of a record may be over for the rule to act on it all the same.",
    )
    looked_back_hours = fields.Float(readonly=True)
    line_ids = fields.One2many(
        "crm.automation.rule.switch.on.line",
        "wizard_id",
        "Records",
        readonly=True,
        help="What the rule would have acted on if it had been switched on, the latest first.",
    )
    number = fields.Integer(
        "Records whose moment is over",
        readonly=True,
        help="How many there are within the hours that are looked back.",
    )
    is_too_many = fields.Boolean(compute="_compute_is_too_many")
    act_on_past = fields.Boolean(
        "Also act on the records listed below",
        help="Without this tick, nothing is done for moments that are over.",
    )

    @api.depends("number")
    def _compute_is_too_many(self):
        for wizard in self:
            wizard.is_too_many = wizard.number > MAX_PAST

    @api.constrains("look_back_hours")
    def _check_look_back_hours(self):
        for wizard in self:
            if not 0 <= wizard.look_back_hours <= 8784:
                raise ValidationError(
                    self.env._("Look back between 0 hours and a year (8784 hours).")
                )

    def _look(self):
        """List what is over, the latest first."""
        self.ensure_one()
        rule = self.rule_id
        rule.check_access("write")
        over = rule._over(timedelta(hours=self.look_back_hours))
        records = rule._as_mine()._owner_model().browse(list(over)[:MAX_PAST])
        partner = self.env.user.partner_id
        self.line_ids.unlink()
        self.write(
            {
                "number": len(over),
                "looked_back_hours": self.look_back_hours,
                "act_on_past": False,
                "line_ids": [
                    fields.Command.create(
                        {
                            "res_id": record.id,
                            "record_name": rule._name_for(record, partner),
                            "moment": over[record.id],
                        }
                    )
                    for record in records
                ],
            }
        )

    def action_look(self):
        self._look()
        return self._reopen()

    def action_confirm(self):
        self.ensure_one()
        if not self.act_on_past:
            self.rule_id.action_enable()
            return {"type": "ir.actions.act_window_close"}
        if self.look_back_hours != self.looked_back_hours or self.is_too_many:
            raise UserError(
                self.env._("Look at the list of the records first: press “Show the records”.")
            )
        wanted = {line.res_id: line.moment for line in self.line_ids}
        self.rule_id._switch_on_with_past(wanted, timedelta(hours=self.looked_back_hours))
        return {"type": "ir.actions.act_window_close"}

    def _reopen(self):
        return {
            "type": "ir.actions.act_window",
            "name": self.env._("Switch On"),
            "res_model": self._name,
            "res_id": self.id,
            "views": [(False, "form")],
            "target": "new",
        }


class CrmAutomationRuleSwitchOnLine(models.TransientModel):
    _name = "crm.automation.rule.switch.on.line"
    _description = "Record whose Moment Is Over"
    _order = "moment desc, id"

    wizard_id = fields.Many2one("crm.automation.rule.switch.on", required=True, ondelete="cascade")
    res_id = fields.Integer("Record ID", required=True)
    record_name = fields.Char("Record", help="What the rule would have acted on.")
    moment = fields.Datetime("Was Due", help="When the rule would have acted.")
