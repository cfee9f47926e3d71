from odoo import api, fields, models
from odoo.exceptions import UserError


class CrmAutomationRecipeUse(models.TransientModel):
    _name = "crm.automation.recipe.use"
    _description = "New Rule from a Recipe"

    recipe_id = fields.Many2one("crm.automation.recipe", required=True, ondelete="cascade")
    description = fields.Text(related="recipe_id.description")
    name = fields.Char(
        "Rule Name",
        required=True,
        compute="_compute_name",
        store=True,
        precompute=True,
        readonly=False,
        help="What the rule is called in the list and in the log.",
    )
    summary = fields.Char(
        "In Plain Words",
        compute="_compute_preview",
        help="When the rule acts, on what, and whom it tells.",
    )
    sample = fields.Char(
        "Example", compute="_compute_preview", help="The record that the mail below is about."
    )
    recipients = fields.Text(
        "Would Be Told",
        compute="_compute_preview",
        help="Whom the rule would write to about the example.",
    )
    preview_subject = fields.Char(
        "Subject", compute="_compute_preview", help="As the mail about the example would have it."
    )
    preview_body = fields.Html(
        "Mail",
        compute="_compute_preview",
        sanitize=False,
        help="As it would be about the example. Nothing is sent.",
    )

    @api.depends("recipe_id")
    def _compute_name(self):
        for wizard in self:
            wizard.name = wizard.recipe_id.name

    @api.depends("recipe_id")
    def _compute_preview(self):
        """The mail as it would be for the latest record; nothing is written or sent."""
        for wizard in self:
            wizard.update(dict.fromkeys(
                ("summary", "sample", "recipients", "preview_subject", "preview_body"), False
            ))  # fmt: skip
            if not wizard.recipe_id.is_available:
                continue
            rule = self.env["crm.automation.rule"].new(
                {**wizard.recipe_id._rule_values(), "name": wizard.recipe_id.name,
                 "owner_id": self.env.uid}
            )  # fmt: skip
            wizard.summary = rule.summary
            wizard.update(rule._preview())

    def _make(self):
        self.ensure_one()
        if not self.recipe_id.is_available:
            raise UserError(self.env._("The app that this recipe is about is not installed."))
        rule = self.env["crm.automation.rule"].create(
            {**self.recipe_id._rule_values(), "name": self.name}
        )
        if self.name == self.recipe_id.name:
            # Its name is in every language: it stands below each mail.
            languages = [code for code, _name in self.env["res.lang"].get_installed()]
            names = {code: self.recipe_id.with_context(lang=code).name for code in languages}
            rule.update_field_translations("name", names)
        return rule

    def action_create(self):
        return self._open(self._make())

    def action_create_and_enable(self):
        rule = self._make()
        rule.action_enable()
        return self._open(rule)

    def _open(self, rule):
        return {
            "type": "ir.actions.act_window",
            "res_model": rule._name,
            "res_id": rule.id,
            "views": [(False, "form")],
        }
