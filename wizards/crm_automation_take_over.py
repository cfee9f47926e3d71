"""Take over Odoo's own rules (``base.automation``), one by one, and give them back.

Owns the list, one row for each of Odoo's rules, and the buttons. What becomes of a
rule is in ``crm_automation_take_over_plan.py`` and ``_action.py``, what will differ in
``_differences.py``, how the two are shown side by side in ``_words.py``, what passes
between them at a take-over in ``models/crm_automation_rule_stock.py``. For
administrators, as Odoo's rules are.
"""

from odoo import api, fields, models
from odoo.exceptions import AccessError, UserError
from odoo.fields import Command


class CrmAutomationTakeOver(models.TransientModel):
    _name = "crm.automation.take.over"
    _description = "Odoo's Rule to Take Over"
    _order = "stock_id"
    _rec_name = "name"

    # No many2one: its model may not be there.
    stock_id = fields.Integer("Odoo's Rule", required=True, readonly=True)
    with_all_rights = fields.Boolean(
        help="Odoo's rules act with all rights. Without this tick, the new one sees and does "
        "only what you may yourself."
    )
    name = fields.Char(
        compute="_compute_stock",
        string="Odoo's Rule Name",
        help="The new rule gets this name as well.",
    )
    stock_active = fields.Boolean(
        compute="_compute_stock",
        string="Odoo's Rule Is On",
        help="Whether it acts now; one that was taken over does not.",
    )
    stock_summary = fields.Char(
        compute="_compute_stock",
        string="What Odoo's Rule Does",
        help="When it acts, on what, and what is done then.",
    )
    rule_id = fields.Many2one(
        "crm.automation.rule",
        compute="_compute_stock",
        string="New Rule",
        help="The one that was made from it; empty: none until now.",
    )
    is_taken_over = fields.Boolean(
        compute="_compute_stock",
        string="Taken Over",
        help="The new rule acts in its place, and it is archived.",
    )
    summary = fields.Char(
        compute="_compute_stock",
        string="What the New Rule Does",
        help="When it acts, on what, and whom it tells.",
    )
    verdict = fields.Selection(
        [("full", "Fully"), ("part", "Partly"), ("no", "Stays with Odoo")],
        compute="_compute_stock",
        string="Can Be Taken Over",
        help="Partly: something of it would get lost. Stays with Odoo: it cannot be said as one "
        "of these rules.",
    )
    reason = fields.Text(
        compute="_compute_stock",
        string="Why",
        help="What stands against it, or what would get lost; empty: nothing.",
    )
    comparison = fields.Html(
        compute="_compute_stock",
        sanitize=False,
        help="What each of the two rules does, point by point.",
    )
    differences = fields.Html(
        compute="_compute_stock",
        sanitize=False,
        help="What is not quite the same any more afterwards.",
    )

    @api.depends("stock_id", "with_all_rights")
    @api.depends_context("lang", "uid")
    def _compute_stock(self):
        Rule = self.env["crm.automation.rule"].with_context(active_test=False)
        for line in self:
            stock = line._stock()
            if not stock:
                line.update(dict.fromkeys(
                    ("stock_active", "stock_summary", "rule_id", "is_taken_over", "summary",
                     "verdict", "reason", "comparison", "differences"), False
                ))  # fmt: skip
                line.name = self.env._("Deleted")
                continue
            rule = Rule.search([("stock_rule_id", "=", stock.id)])
            plan = line._plan(stock)
            shown = rule or (not plan.obstacles and line._proposal(stock, plan)) or Rule
            line.update(
                {
                    "name": stock.name,
                    "stock_active": stock.active,
                    "stock_summary": line._stock_in_words(stock),
                    "rule_id": rule.id,
                    "is_taken_over": rule.stock_taken_over,
                    "summary": shown.summary,
                    "verdict": plan.verdict,
                    "reason": "\n".join(plan.obstacles or plan.losses),
                    "comparison": line._comparison(stock, shown, plan),
                    "differences": line._list_of(plan.differences),
                }
            )

    def _stock(self):
        """The ``base.automation`` of this row; empty or None where it is gone."""
        self.ensure_one()
        stock = self.env["crm.automation.rule"]._stock_rules()
        return stock if stock is None else stock.browse(self.stock_id).exists()

    def _proposal(self, stock, plan):
        """The rule as it would be made; nothing is written."""
        values = {**plan.values, "name": stock.name, "owner_id": self.env.uid}
        return self.env["crm.automation.rule"].new(values)

    # -- the list -------------------------------------------------------------

    @api.model
    def _open(self):
        """The list of all of Odoo's rules."""
        self._check_is_admin()
        stock = self.env["crm.automation.rule"]._stock_rules()
        rules = [] if stock is None else stock.search([("id", ">", 0)])
        there = self.search([("create_uid", "=", self.env.uid)])
        there.filtered(lambda line: line.stock_id not in {rule.id for rule in rules}).unlink()
        known = set(there.exists().mapped("stock_id"))
        self.create([{"stock_id": rule.id} for rule in rules if rule.id not in known])
        action = self.env["ir.actions.act_window"]._for_xml_id(
            "crm_automation.crm_automation_take_over_action"
        )
        return {**action, "domain": [("create_uid", "=", self.env.uid)]}

    def _check_is_admin(self):
        if not self.env.is_system():
            raise AccessError(self.env._("Only administrators may take over Odoo's rules."))

    # -- buttons --------------------------------------------------------------

    def action_take_over(self):
        """Make the rule, still switched off, and archive Odoo's."""
        return self._take_over(enable=False)

    def action_take_over_and_enable(self):
        return self._take_over(enable=True)

    def _take_over(self, enable):
        self._check_is_admin()
        for line in self:
            stock = line._stock()
            plan = stock and line._plan(stock)
            if not stock or line.is_taken_over:
                raise UserError(self.env._("“%(name)s” is taken over already, or it was deleted.",
                                           name=line.name))  # fmt: skip
            if enable and not stock.active:
                raise UserError(
                    self.env._(
                        "Odoo's rule “%(name)s” is switched off: the new one stays off, too.",
                        name=stock.name,
                    )
                )
            # A rule that was given back is what it was made then, with its log.
            rule = line.rule_id
            if not rule:
                if plan.obstacles:
                    raise UserError("\n".join([stock.name, *plan.obstacles]))
                rule = line._make(stock, plan)
            rule._take_place_of(stock, enable)
        return self._reload()

    def _make(self, stock, plan):
        actions = self.env["ir.actions.server"]
        for action in plan.kept:
            # A copy: Odoo's rule keeps its own.
            actions |= action.copy(
                {
                    "name": action.name,
                    "usage": "ir_actions_server",
                    "base_automation_id": False,
                }
            )
        rule = self.env["crm.automation.rule"].create(
            {
                **plan.values,
                "name": stock.name,
                "server_action_ids": [Command.set(actions.ids)],
                "as_superuser": self.with_all_rights,
            }
        )
        languages = [code for code, _name in self.env["res.lang"].get_installed()]
        names = {code: stock.with_context(lang=code).name for code in languages}
        rule.update_field_translations("name", names)
        return rule

    def action_give_back(self):
        """Odoo's rule acts again, as it was; the new one is archived."""
        self._check_is_admin()
        self.filtered("is_taken_over").rule_id._give_back()
        return self._reload()

    def _reload(self):
        self.invalidate_recordset()
        return True

    def action_open_rule(self):
        self.ensure_one()
        return self._form_of(self.rule_id)

    def action_open_stock_rule(self):
        self.ensure_one()
        return self._form_of(self._stock())

    def _form_of(self, record):
        return {
            "type": "ir.actions.act_window",
            "res_model": record._name,
            "res_id": record.id,
            "views": [(False, "form")],
        }
