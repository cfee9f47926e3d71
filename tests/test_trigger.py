"""What rules wait for: each trigger by every path, once, on the net change."""

from odoo.fields import Command
from odoo.tests import tagged

from .common import TASTING, EveryObjectCase


class TriggerCase(EveryObjectCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.product = cls.env["product.product"].create({"name": "Cork", "list_price": 10})

    @classmethod
    def rule_on(cls, model, trigger, *watched, **values):
        return cls.make_rule(
            **{
                "trigger": trigger,
                "model_id": cls.env["ir.model"]._get_id(model),
                "watched_field_ids": [
                    Command.set([cls.env["ir.model.fields"]._get(model, name).id])
                    for name in watched
                ],
                "notify_responsible": False,
                "notify_emails": "somebody@example.com",
                **values,
            }
        )

    def assertFired(self, record, times=1):
        self.end_transaction()
        self.assertEqual(len(self.firings(record)), times)

    def make_order(self, **values):
        return self.env["sale.order"].create(
            {
                "partner_id": self.customer.id,
                "order_line": [
                    Command.create({"product_id": self.product.id, "product_uom_qty": 2})
                ],
                **values,
            }
        )

    def make_one(self, model):
        if model == "sale.order":
            return self.make_order()
        return self.env[model].create(
            {
                "crm.lead": {"name": "Corks", "partner_id": self.customer.id},
                "project.task": {"name": "Label", "project_id": self.project.id},
                "res.partner": {"name": "New", "email": "new@example.com"},
                "calendar.event": TASTING,
            }[model]
        )


@tagged("post_install", "-at_install")
class TestSavedTrigger(TriggerCase):
    """Created, changed, and both."""

    def test_creating_one_record_fires_once(self):
        for model in ("crm.lead", "project.task", "sale.order", "res.partner", "calendar.event"):
            with self.subTest(model):
                rules = self.rule_on(model, "saved") + self.rule_on(model, "created")
                record = self.make_one(model)
                self.end_transaction()
                self.assertEqual(self.firings(record).rule_id, rules)
                self.assertEqual(len(self.firings(record)), 2)

    def test_creating_is_no_change(self):
        for model in ("crm.lead", "project.task", "sale.order", "calendar.event"):
            with self.subTest(model):
                self.rule_on(model, "updated")
                record = self.make_one(model)
                self.env.flush_all()
                record.write({"name": "Written in the same transaction"})
                self.assertFired(record, times=0)

    def test_any_field(self):
        rule = self.rule_on("crm.lead", "updated")
        for times, values in enumerate(
            (
                {"name": "Other"},
                {"user_id": self.other_seller.id},
                {"description": "<p>New</p>"},
                {"expected_revenue": 7},
                {"tag_ids": [Command.create({"name": "Hot!"})]},
                {"date_deadline": "2030-01-01"},
            ),
            start=1,
        ):
            lead = self.firings_of(rule) or self.make_lead()
            lead.write(values)
            self.assertFired(lead, times)

    def firings_of(self, rule):
        found = self.Firing.search([("rule_id", "=", rule.id)], limit=1)
        return self.env["crm.lead"].browse(found.res_id) if found else None

    def test_same_values_are_no_change(self):
        tags = self.env["crm.tag"].create([{"name": "Hot!"}, {"name": "Cold!"}])
        self.rule_on("crm.lead", "updated")
        lead = self.make_lead(
            tag_ids=[Command.set(tags.ids)], expected_revenue=7.5, date_deadline="2030-01-01"
        )
        for values in (
            {"name": lead.name},
            {"user_id": lead.user_id.id},
            {"tag_ids": [Command.set(tags.ids)]},
            {"tag_ids": [Command.set(tags[::-1].ids)]},
            {"expected_revenue": 7.5, "date_deadline": "2030-01-01"},
            {},
        ):
            lead.write(values)
            self.assertFired(lead, times=0)

    def test_changed_and_changed_back_is_no_change(self):
        tag = self.env["crm.tag"].create({"name": "Hot!"})
        self.rule_on("crm.lead", "updated")
        lead = self.make_lead(city="Burgos")
        lead.write({"city": "Lugo", "tag_ids": [Command.link(tag.id)]})
        self.env.flush_all()
        lead.write({"city": "Burgos", "tag_ids": [Command.unlink(tag.id)]})
        self.assertFired(lead, times=0)

    def test_several_writes_are_one_change(self):
        self.rule_on("crm.lead", "updated")
        lead = self.make_lead()
        for city in ("Burgos", "Lugo", "Soria"):
            lead.city = city
            self.env.cr.flush()
        self.assertFired(lead)
        self.assertEqual(self.firings(lead).payload["old"]["city"], False)

    def test_two_transactions_are_two_changes(self):
        self.rule_on("crm.lead", "saved")
        lead = self.make_lead()
        lead.city = "Burgos"
        self.assertFired(lead, times=2)

    def test_watched_fields_only(self):
        self.rule_on("crm.lead", "updated", "city")
        lead = self.make_lead()
        lead.write({"name": "Other", "user_id": self.other_seller.id})
        self.assertFired(lead, times=0)
        lead.write({"name": "Again", "city": "Burgos"})
        self.assertFired(lead)

    def test_a_watched_field_is_not_asked_of_a_new_record(self):
        self.rule_on("crm.lead", "saved", "city")
        self.assertFired(self.make_lead())

    def test_many_records_at_once(self):
        self.rule_on("crm.lead", "updated", "city")
        leads = self.make_lead() + self.make_lead(city="Burgos") + self.make_lead()
        leads.city = "Burgos"
        self.assertFired(leads, times=2)

    def test_archived_and_lost_records_are_seen(self):
        self.rule_on("crm.lead", "updated", "city")
        archived, lost = self.make_lead(), self.make_lead(type="opportunity")
        archived.active = False
        lost.action_set_lost()
        self.end_transaction()
        (archived + lost).city = "Burgos"
        self.assertFired(archived + lost, times=2)

    def test_archiving_is_a_change(self):
        self.rule_on("crm.lead", "updated", "active")
        lead = self.make_lead()
        lead.action_archive()
        self.assertFired(lead)

    def test_created_and_deleted_in_one_transaction(self):
        self.rule_on("crm.lead", "saved")
        lead = self.env["crm.lead"].create({"name": "Gone"})
        self.env.flush_all()
        lead.unlink()
        self.assertFired(lead, times=0)

    def test_a_rule_on_one_object_is_not_for_another(self):
        self.rule_on("res.partner", "saved")
        self.assertFired(self.make_lead(), times=0)


@tagged("post_install", "-at_install")
class TestComputedTrigger(TriggerCase):
    """Stored computed fields reach the database without a write."""

    def test_total_of_an_order_by_its_lines(self):
        rule = self.rule_on("sale.order", "updated", "amount_total")
        order = self.make_order()
        self.assertFired(order, times=0)
        order.order_line.price_unit = 50
        self.assertFired(order)
        self.assertEqual(self.firings(order).rule_id, rule)
        order.order_line.name = "Only another text"
        self.assertFired(order, times=1)
        order.order_line.unlink()
        self.assertFired(order, times=2)

    def test_total_there_and_back(self):
        self.rule_on("sale.order", "updated", "amount_total")
        order = self.make_order()
        self.end_transaction()
        price = order.order_line.price_unit
        order.order_line.price_unit = 50
        self.env.flush_all()
        order.order_line.price_unit = price
        self.assertFired(order, times=0)

    def test_condition_on_the_new_total(self):
        self.rule_on(
            "sale.order", "updated", "amount_total", filter_domain="[('amount_total', '>', 900)]"
        )
        order = self.make_order()
        order.order_line.tax_ids = False
        self.end_transaction()
        order.order_line.price_unit = 400
        self.assertFired(order, times=0)
        order.order_line.price_unit = 500
        self.assertFired(order)

    def test_watching_leaves_no_computed_field_behind(self):
        """Fields that follow from each other are computed in the order they need."""
        self.rule_on("crm.lead", "updated")
        lead = self.make_lead(partner_id=self.customer.id)
        self.assertEqual(lead.email_normalized, "azure@example.com")
        self.env.invalidate_all()
        self.customer.email = "Blue <blue@elsewhere.example.org>"
        self.assertFired(lead)
        lead.invalidate_recordset()
        self.assertEqual(lead.email_normalized, "blue@elsewhere.example.org")
        self.assertIn("elsewhere.example.org", lead.email_domain_criterion)

    def test_watching_leaves_no_amount_behind(self):
        def amounts(order):
            self.env.flush_all()
            self.env.invalidate_all()
            names = ("price_subtotal", "price_total", "price_tax", "untaxed_amount_to_invoice")
            return order.order_line.read(names, load="")[0] | order.read(
                ["amount_total", "amount_untaxed", "amount_tax"], load=""
            )[0] | {"id": None}  # fmt: skip

        tax = self.env["account.tax"].create({"name": "Half", "amount": 50})
        plain, watched = self.make_order(), self.make_order()
        self.end_transaction()
        for order in (plain, watched):
            order.action_confirm()
            order.order_line.write({"price_unit": 30, "tax_ids": [Command.set(tax.ids)]})
            if order == plain:
                expected = amounts(order)
                self.rule_on("sale.order", "updated")
                self.rule_on("sale.order.line", "updated")
        self.assertEqual(amounts(watched), expected)

    def test_probability_of_a_lead(self):
        self.rule_on("crm.lead", "updated", "prorated_revenue")
        lead = self.make_lead(expected_revenue=100, probability=10)
        lead.probability = 50
        self.assertFired(lead)
        self.assertEqual(lead.prorated_revenue, 50)


@tagged("post_install", "-at_install")
class TestPipelineTrigger(TriggerCase):
    """Won, lost, stages, states, conversion."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.first, cls.second = cls.env["crm.stage"].create(
            [
                {"name": "First", "business_state": "draft", "sequence": 90},
                {"name": "Second", "business_state": "pending", "sequence": 91},
            ]
        )
        cls.won = cls.env["crm.stage"].search([("is_won", "=", True)], limit=1)

    def make_opportunity(self, **values):
        return self.make_lead(type="opportunity", stage_id=self.first.id, **values)

    def test_won_by_every_path(self):
        self.make_rule(trigger="won")
        for path, win in (
            ("button", lambda lead: lead.action_set_won()),
            ("button of the form", lambda lead: lead.action_set_won_rainbowman()),
            ("stage", lambda lead: lead.write({"stage_id": self.won.id})),
        ):
            with self.subTest(path):
                lead = self.make_opportunity()
                win(lead)
                self.assertFired(lead)
                lead.name = "Won before"
                self.assertFired(lead)

    def test_created_as_won(self):
        self.make_rule(trigger="won")
        self.assertFired(self.make_lead(type="opportunity", stage_id=self.won.id))

    def test_won_again_after_a_return(self):
        self.make_rule(trigger="won")
        lead = self.make_opportunity()
        lead.action_set_won()
        self.end_transaction()
        lead.stage_id = self.first
        self.assertFired(lead)
        lead.action_set_won()
        self.assertFired(lead, times=2)

    def test_lost_by_every_path(self):
        self.make_rule(trigger="lost")
        reason = self.env["crm.lost.reason"].create({"name": "Too dear"})

        def by_dialog(lead):
            self.env["crm.lead.lost"].create(
                {"lead_ids": [Command.set(lead.ids)], "lost_reason_id": reason.id}
            ).action_lost_reason_apply()

        for path, lose in (
            ("button", lambda lead: lead.action_set_lost(lost_reason_id=reason.id)),
            ("dialog", by_dialog),
            ("archived", lambda lead: lead.write({"active": False, "probability": 0})),
        ):
            with self.subTest(path):
                lead = self.make_opportunity()
                lose(lead)
                self.assertFired(lead)
                lead.with_context(active_test=False).name = "Lost before"
                self.assertFired(lead)

    def test_archived_with_a_probability_is_not_lost(self):
        self.make_rule(trigger="lost")
        lead = self.make_opportunity(probability=40)
        lead.action_archive()
        self.assertFired(lead, times=0)

    def test_a_lost_opportunity_is_not_won_and_the_other_way_round(self):
        self.make_rule(trigger="won", name="Won")
        self.make_rule(trigger="lost", name="Lost")
        won, lost = self.make_opportunity(), self.make_opportunity()
        won.action_set_won()
        lost.action_set_lost()
        self.end_transaction()
        self.assertEqual(self.firings(won).rule_id.name, "Won")
        self.assertEqual(self.firings(lost).rule_id.name, "Lost")

    def test_stage_entered(self):
        self.rule_on("crm.lead", "stage_entered", lead_stage_ids=[Command.set(self.second.ids)])
        lead = self.make_opportunity()
        self.assertFired(lead, times=0)
        lead.stage_id = self.second
        self.assertFired(lead)
        lead.city = "Burgos"
        self.assertFired(lead)
        lead.stage_id = self.first
        self.assertFired(lead)
        lead.stage_id = self.second
        self.assertFired(lead, times=2)

    def test_stage_entered_by_creation(self):
        self.rule_on("crm.lead", "stage_entered", lead_stage_ids=[Command.set(self.first.ids)])
        self.assertFired(self.make_opportunity())

    def test_stage_entered_by_a_task(self):
        stage = self.env["project.task.type"].create(
            {"name": "Print", "project_ids": [Command.set(self.project.ids)]}
        )
        self.rule_on("project.task", "stage_entered", task_stage_ids=[Command.set(stage.ids)])
        task = self.make_one("project.task")
        task.stage_id = False
        self.end_transaction()
        self.firings(task).unlink()
        task.stage_id = stage
        self.assertFired(task)

    def state_rule(self, model="crm.lead", before=(), after=()):
        rows = self.env["ir.model.fields"]._get(model, "business_state").selection_ids
        return self.rule_on(
            model,
            "state_reached",
            state_from_ids=[Command.set(rows.filtered(lambda r: r.value in before).ids)],
            state_to_ids=[Command.set(rows.filtered(lambda r: r.value in after).ids)],
        )

    def test_state_reached_from_and_to(self):
        self.state_rule(before=["draft"], after=["pending"])
        lead = self.make_opportunity()
        lead.stage_id = self.second
        self.assertFired(lead)
        lead.action_set_won()
        self.assertFired(lead)
        lead.stage_id = self.second
        self.assertFired(lead)

    def test_state_reached_by_winning_losing_and_restoring(self):
        self.state_rule(after=["done"])
        self.state_rule(after=["cancelled"])
        self.state_rule(before=["cancelled"], after=["draft"])
        lead = self.make_opportunity()
        lead.action_set_won()
        self.assertFired(lead, times=1)
        lead.stage_id = self.first
        self.assertFired(lead, times=1)
        lead.action_set_lost()
        self.assertFired(lead, times=2)
        lead.action_restore()
        self.assertFired(lead, times=3)

    def test_state_reached_by_archiving_alone(self):
        self.state_rule(after=["cancelled"])
        lead = self.make_opportunity(probability=0)
        self.env.invalidate_all()
        lead.active = False
        self.assertEqual(lead.business_state, "cancelled")
        self.assertFired(lead)

    def test_state_reached_by_creation_only_without_a_state_before(self):
        self.state_rule(after=["draft"])
        self.state_rule(before=["draft"], after=["draft"])
        self.assertFired(self.make_opportunity(), times=1)

    def test_another_stage_of_the_same_state_is_no_state_reached(self):
        self.state_rule(after=["draft"])
        lead = self.make_opportunity()
        self.firings(lead).unlink()
        lead.stage_id = self.first.copy()
        self.assertEqual(lead.business_state, "draft")
        self.assertFired(lead, times=0)

    def test_state_of_a_task_by_its_people_and_its_state(self):
        self.state_rule("project.task", before=["draft"], after=["open"])
        self.state_rule("project.task", after=["done"])
        task = self.make_one("project.task")
        task.user_ids = False
        self.end_transaction()
        task.user_ids = self.seller
        self.assertFired(task, times=1)
        task.state = "1_done"
        self.assertFired(task, times=2)

    def test_state_of_a_meeting_by_answers_and_archiving(self):
        self.state_rule("calendar.event", before=["pending"], after=["open"])
        self.state_rule("calendar.event", after=["cancelled"])
        event = self.make_one("calendar.event")
        event.partner_ids = self.customer
        self.end_transaction()
        event.attendee_ids.do_accept()
        self.assertFired(event, times=1)
        event.active = False
        self.assertFired(event, times=2)

    def test_converted_again_after_a_return_in_another_transaction(self):
        self.make_rule()
        lead = self.make_lead()
        lead.type = "opportunity"
        self.assertFired(lead)
        lead.type = "lead"
        lead.type = "opportunity"
        self.assertFired(lead)
        lead.type = "lead"
        self.assertFired(lead)
        lead.type = "opportunity"
        self.assertFired(lead, times=2)
        self.assertEqual(len(set(self.firings(lead).mapped("occasion"))), 2)

    def test_conversion_of_an_archived_lead(self):
        self.make_rule()
        lead = self.make_lead(active=False)
        lead.type = "opportunity"
        self.assertFired(lead)
