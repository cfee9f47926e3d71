"""Whom a visit plan is about, and who visits them."""

import heapq
from collections import defaultdict

from odoo import api, fields, models
from odoo.exceptions import UserError, ValidationError
from odoo.fields import Domain

#: Up to so many customers the form's number is exact.
MANY = 2000


class CalendarVisitPlan(models.Model):
    _inherit = "calendar.visit.plan"

    segment_by = fields.Selection(
        [
            ("category", "Customer categories"),
            ("filter", "A saved filter"),
            ("list", "A list of customers"),
            ("salesperson", "The customers of a salesperson"),
            ("team", "The customers of a sales team"),
        ],
        "Customers",
        required=True,
        default="category",
        help="Which customers the plan is for.",
    )
    category_ids = fields.Many2many(
        "res.partner.category", string="Categories", help="Those below them count too."
    )
    filter_id = fields.Many2one(
        "ir.filters",
        "Saved Filter",
        domain=[("model_id", "=", "res.partner")],
        help="A filter of customers that you have saved as a favourite, with fixed values only.",
    )
    partner_ids = fields.Many2many(
        "res.partner",
        "calendar_visit_plan_partner_rel",
        string="Listed Customers",
        help="Whom the plan visits, chosen one by one.",
    )
    salesperson_id = fields.Many2one(
        "res.users",
        domain=[("share", "=", False)],
        help="The customers whose salesperson this is.",
    )
    team_id = fields.Many2one(
        "crm.team",
        "Customers of the Team",
        help="The customers of this sales team.",
    )
    is_dynamic = fields.Boolean(
        "Follow the Segment",
        default=True,
        help="Who joins the segment gets the visits that are left; of who leaves it, the future "
        "visits are cancelled. Without it, the customers stay those of the first booking.",
    )
    frozen_partner_ids = fields.Many2many(
        "res.partner", "calendar_visit_plan_frozen_rel", string="Customers at Booking",
        readonly=True, copy=False,
    )  # fmt: skip
    customer_count = fields.Integer(
        "Number of Customers",
        compute="_compute_customer_count",
        help="How many the choice yields today.",
    )

    responsible_by = fields.Selection(
        [
            ("salesperson", "The customer's salesperson"),
            ("user", "Always the same person"),
            ("team", "The members of a team in turn"),
        ],
        "Visited by",
        required=True,
        default="salesperson",
        help="Who goes to the customer.",
    )
    user_id = fields.Many2one(
        "res.users",
        "Person",
        domain=[("share", "=", False)],
        default=lambda self: self.env.user,
        help="Who makes all visits of the plan.",
    )
    responsible_team_id = fields.Many2one(
        "crm.team",
        "Team",
        help="Its members visit in turn.",
    )

    @api.depends(
        "segment_by", "category_ids", "filter_id", "partner_ids", "salesperson_id", "team_id"
    )
    def _compute_customer_count(self):
        for plan in self:
            try:
                plan.customer_count = plan._count_customers()
            except (UserError, ValueError, TypeError):
                # What is wrong is told when the plan is looked at or booked.
                plan.customer_count = 0

    def _count_customers(self):
        """How many there are; of very many, contacts of a company among them count too."""
        number = self.env["res.partner"].search_count(self._customer_domain())
        return number if number > MANY else len(self._customers())

    @api.constrains("filter_id")
    def _check_filter(self):
        for plan in self.filtered("filter_id"):
            if plan.filter_id.sudo().model_id != "res.partner":
                raise ValidationError(self.env._("The saved filter is not one of customers."))
            plan.filter_id.sudo(False).check_access("read")
            try:
                plan._customers()
            except (ValueError, TypeError) as error:
                raise ValidationError(
                    self.env._("The saved filter cannot be used: %(reason)s", reason=str(error))
                ) from error

    # -- customers ------------------------------------------------------------

    def _customers(self):
        """The customers of the segment, as the user may see them; neighbours are next to
        each other, as far as postcodes tell.

        A contact is left out when its company is there as well.
        """
        self.ensure_one()
        found = self.env["res.partner"].search_fetch(
            self._customer_domain(), ["zip", "city", "commercial_partner_id", "user_id", "email"]
        )
        ids = set(found.ids)
        kept = found.filtered(
            lambda partner: (
                partner.commercial_partner_id == partner
                or partner.commercial_partner_id.id not in ids
            )
        )
        return kept.sorted(lambda partner: (partner.zip or "~", partner.city or "~", partner.id))

    def _customer_domain(self):
        if not self.is_dynamic and self.frozen_partner_ids:
            domain = Domain("id", "in", self.frozen_partner_ids.ids)
        else:
            domain = self._segment_domain()
        domain &= Domain("partner_share", "=", True) & Domain("active", "=", True)
        return domain & Domain("company_id", "in", (False, self.company_id.id))

    def _segment_domain(self):
        """:raises ValidationError: of a filter that holds formulas"""
        chosen = {
            "category": self.category_ids,
            "filter": self.filter_id,
            "list": self.partner_ids,
            "salesperson": self.salesperson_id,
            "team": self.team_id,
        }[self.segment_by]
        if not chosen:
            return Domain.FALSE
        if self.segment_by == "category":
            return Domain("category_id", "child_of", chosen.ids)
        if self.segment_by == "filter":
            return self.env["crm.automation.rule"]._literal(chosen.sudo().domain)
        if self.segment_by == "list":
            return Domain("id", "in", chosen.ids)
        users = chosen.sudo().member_ids if self.segment_by == "team" else chosen
        return Domain("user_id", "in", users.ids) | (
            Domain("user_id", "=", False) & Domain("commercial_partner_id.user_id", "in", users.ids)
        )

    # -- who visits them ------------------------------------------------------

    def _responsibles(self, customers):
        """Who visits each of them.

        :return: dict from customer to user (sudo); an empty one where there is nobody
        :raises UserError: when there is nobody for all of them
        """
        self.ensure_one()
        if self.responsible_by == "salesperson":
            return {
                customer: self._at_work(
                    (customer.user_id or customer.commercial_partner_id.user_id).sudo()
                )
                for customer in customers
            }
        if self.responsible_by == "user":
            if not self._at_work(self.user_id.sudo()):
                raise UserError(
                    self.env._("%(user)s is archived: choose who visits the customers.",
                               user=self.user_id.sudo().name)
                    if self.user_id
                    else self.env._("Choose who visits the customers.")
                )  # fmt: skip
            return dict.fromkeys(customers, self.user_id.sudo())
        members = self._at_work(self.responsible_team_id.sudo().member_ids)
        if not members:
            raise UserError(self.env._("The team that visits the customers has no members."))
        return self._in_turn(customers, members.sorted(lambda user: (user.name, user.id)))

    def _at_work(self, users):
        return users.filtered(lambda user: user.active and not user.share)

    def _in_turn(self, customers, members):
        """Each customer keeps his visitor; new ones go to who has the fewest."""
        known = {}
        for partner, user in self.env["calendar.visit"].sudo()._read_group(
            [("plan_id", "=", self.id), ("user_id", "in", members.ids)],
            ["partner_id", "user_id"], order="partner_id, user_id",
        ):  # fmt: skip
            known.setdefault(partner.id, user)
        load = defaultdict(int)
        for customer in customers:
            if customer.id in known:
                load[known[customer.id]] += 1
        result = {}
        # Whoever has the fewest is on top, of several the first one.
        waiting = [(load[member], place, member) for place, member in enumerate(members)]
        heapq.heapify(waiting)
        for customer in customers:
            user = known.get(customer.id)
            if not user:
                number, place, user = waiting[0]
                heapq.heapreplace(waiting, (number + 1, place, user))
            result[customer] = user
        return result
