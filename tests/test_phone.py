"""The screens, pages and letters on a phone, in Spanish: nothing is wider than it, what is
touched is large enough, what is written can be read, and the keyboard reaches all.

``screen_judge.js`` measures; what is opened is said here.
"""

import json
from datetime import date, datetime
from pathlib import Path
from unittest.mock import patch

from odoo.fields import Command
from odoo.tests import HttpCase, tagged

from odoo.addons.web.controllers.utils import clean_action

from .common import DAY, HOUR, MINUTE
from .reminder import START, ReminderCase
from .test_visit_plan import VisitCase

JUDGE = Path(__file__).with_name("screen_judge.js").read_text()
#: Half past seven in Madrid, on the day of the reminders.
MORNING = datetime(2027, 6, 15, 5, 30)
WAIT_FORM = ".o_form_view .o_field_widget"
WAIT_DIALOG = ".modal .o_form_view .o_field_widget"
CARDS = ".o_kanban_record:not(.o_kanban_ghost)"


def screen(action, wait, own="", name=None):
    """What ``openAll`` of the judge takes.

    :param action: XML id without the module, or the values of an action
    :param str wait: selector of what is there when it is drawn
    :param str own: selector of what is the addon's own, to be judged more closely
    """
    if isinstance(action, str):
        name, action = name or action, f"crm_automation.{action}"
    return {"name": name or action["name"], "action": action, "wait": wait, "own": own}


def form(record, name=None, own=""):
    return screen(
        {
            "type": "ir.actions.act_window",
            "res_model": record._name,
            "res_id": record.id,
            "views": [[False, "form"]],
            "target": "current",
        },
        WAIT_FORM,
        own,
        name or record._name,
    )


def dialog(model, name=None, **context):
    return screen(
        {
            "type": "ir.actions.act_window",
            "res_model": model,
            "views": [[False, "form"]],
            "target": "new",
            "context": {f"default_{key}": value for key, value in context.items()},
        },
        WAIT_DIALOG,
        name=name or model,
    )


@tagged("post_install", "-at_install")
class TestOnAPhone(VisitCase, ReminderCase, HttpCase):
    browser_size = "375x667"
    touch_enabled = True

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        (cls.manager + cls.seller).lang = "es_ES"
        cls.customer.lang = "es_ES"
        cls.today = date.today()

    def judge(self, call, values, then="screenJudge.report", url="/web/login", **options):
        """:param str then: JavaScript that is told what is wrong"""
        code = f"{JUDGE}\nscreenJudge.{call}({json.dumps(values, default=str)}).then({then});"
        options = {"ready": "document.readyState === 'complete'", "timeout": 400, **options}
        self.browser_js(url, code, **options)

    def opened(self, action, name, wait=WAIT_DIALOG, own=""):
        """What a button opens."""
        return screen(clean_action(action, self.env), wait, own, name)

    # -- what is shown ------------------------------------------------------------------

    def plan(self, **values):
        """A plan around today, with one visit that is booked for each customer."""
        plan = self.make_plan(
            date_from=self.today, date_to=self.today + 100 * DAY, tell_customer=True, **values
        )
        plan.action_preview()
        return plan

    def log(self):
        """A rule with many conditions, and executions: done, to come, failed."""
        rule = self.make_rule(
            name="Avisar al comercial de la oportunidad de un cliente GOLD urgente",
            notify_customer=True, notify_leader=True, name_pattern="Corchos.*",
            customer_category_ids=[Command.set(self.gold.ids)], priority_from="1",
            filter_domain="[('expected_revenue', '>=', 0), ('phone', '!=', False)]",
        )  # fmt: skip
        azure = self.customers[:1]
        for number in range(3):
            lead = self.make_lead(
                name=f"Corchos técnicos de aglomerado {number}", partner_id=azure.id,
                priority="2", phone="1", user_id=self.seller.id,
            )  # fmt: skip
            lead.type = "opportunity"
            self.end_transaction()
        self.drain()
        firings = self.Firing.search([("rule_id", "=", rule.id)])
        self.assertEqual(set(firings.mapped("state")), {"done"})
        firings[0].write({"state": "pending", "run_at": datetime.now() + DAY})
        firings[1].write({"state": "failed", "reason": "El servidor de correo no responde."})
        return rule, firings

    def series(self, **context):
        start = datetime.combine(self.today + DAY, datetime.min.time()) + 9 * HOUR
        Event = self.env["calendar.event"].with_user(self.manager)
        return Event.with_context(**context).create(
            {
                "name": "Comité comercial de la Ribera del Duero", "start": start,
                "stop": start + HOUR, "user_id": self.manager.id,
                "partner_ids": [
                    Command.set((self.manager.partner_id + self.customer + self.customers).ids)
                ],
                "location": "Bodegas Ribera Alta, Aranda de Duero",
                "recurrency": True, "rrule_type": "monthly", "month_by": "date", "day": 3,
                "end_type": "count", "count": 5,
            }
        )  # fmt: skip

    def questions(self, account, meeting):
        """What waits for the manager: two about his account, a message, a proposed time, an
        invitation; and a reminder that he was sent.
        """
        calendar = self.env["caldav.account.calendar"].create(
            {"account_id": account.id, "name": "Trabajo", "url": f"{account.url}/work/"}
        )
        self.env["caldav.account.object"].create(
            [
                {
                    "calendar_id": calendar.id, "hold": hold, "uid": hold,
                    "summary": "Cata de la añada con los distribuidores de la Ribera del Duero",
                }
                for hold in ("brake", "conflict")
            ]
        )  # fmt: skip
        self.env["calendar.invitation.review"].create(
            {
                "received_at": meeting.start, "reason": "sender", "method": "REQUEST",
                "sender": "compras@conservasdelcantabrico.example.com",
                "summary": "Visita a la planta de envasado", "user_id": self.manager.id,
            }
        )  # fmt: skip
        guest = meeting.attendee_ids.filtered(lambda one: one.partner_id == self.customer)
        self.env["calendar.invitation.proposal"]._propose(
            guest, meeting.start + DAY, meeting.stop + DAY, "Ese día estamos de vendimia."
        )
        start = datetime.combine(self.today + 2 * DAY, datetime.min.time()) + 9 * HOUR
        alarm = self.alarm(15, name="Notificación: 15 minutos antes")
        self.meet(alarm, partners=self.manager.partner_id, start=start, name="Cata de la añada")
        self.meet(self.alarm(kind="email"), partners=self.manager.partner_id, name="Almuerzo")
        self.remind(START - 15 * MINUTE)

    def test_the_screens(self):
        self.manager.group_ids += self.env.ref("base.group_system")
        plan = self.plan()
        meeting = self.series()
        of_manager = meeting.attendee_ids.filtered(
            lambda one: one.partner_id == self.manager.partner_id
        )
        mine = {"user_id": self.manager.id}
        account = self.env["caldav.account"].with_user(self.manager).create(
            {"name": "Nube", "url": "https://cloud.example.com/dav", "login": "rosa", **mine}
        )  # fmt: skip
        self.questions(account, meeting.with_env(self.env))
        rule, firings = self.log()
        Wizard = self.env["crm.automation.rule.test"].with_user(self.manager)
        test = Wizard.create({"rule_id": rule.id, "res_id": firings[0].res_id})
        test.action_test()
        feed = self.env["calendar.feed"].with_user(self.manager).create({"name": "Reparto"})
        subscription = self.env["calendar.subscription"].with_user(self.manager).create(
            {"name": "Ferias", "url": "https://fairs.example.com/fairs.ics"}
        )  # fmt: skip
        imported = self.env["calendar.import"].with_user(self.manager).create({})
        self.judge(
            "openAll",
            [
                screen("crm_automation_rule_action", CARDS, CARDS),
                form(rule, own=".o_crm_automation_banner"),
                self.opened(rule.with_user(self.manager).action_test(), "rule test"),
                form(test, "rule test, with its answer"),
                screen("crm_automation_firing_action", CARDS, CARDS),
                screen("crm_automation_firing_due_action", CARDS, CARDS),
                form(firings[0]),
                form(firings[1], "a failed execution"),
                dialog("crm.automation.firing.postpone", firing_ids=firings[0].ids),
                screen("crm_automation_recipe_action", CARDS, CARDS),
                screen("crm_automation_step_action", CARDS, CARDS),
                screen(
                    "crm_automation_health_action", ".o_crm_automation_health section",
                    ".o_crm_automation_health .o_content",
                ),
                screen("calendar_visit_plan_action", CARDS, CARDS),
                form(plan),
                self.opened(plan.action_open_visits(), "visits of a plan", CARDS, CARDS),
                screen("calendar_visit_action", ".o_view_controller"),
                screen(
                    "calendar_visit_dashboard_action", ".o_crm_automation_visits canvas",
                    ".o_crm_automation_visits .o_content",
                ),
                screen("calendar_visit_coverage_action", ".o_view_controller"),
                screen("calendar_attendee_action", CARDS, CARDS),
                screen("calendar_attendee_action_mine", CARDS, CARDS),
                form(of_manager),
                form(meeting),
                self.opened(meeting.action_invite(), "invite people"),
                self.opened(meeting.action_series_exceptions(), "exceptions"),
                screen("calendar_alarm_action", CARDS, CARDS),
                form(self.env["calendar.alarm"].search([], limit=1)),
                screen("calendar_reminder_coming_open", CARDS, CARDS),
                screen("calendar_reminder_action", CARDS, CARDS),
                screen("caldav_setup_action", ".o_caldav_steps", ".o_caldav_steps"),
                dialog("caldav.key.show", key="a" * 40, login="rule_manager", url="https://x.es"),
                screen("caldav_account_action", CARDS, CARDS),
                form(account),
                self.opened(account.action_open_problems(), "open questions", CARDS, CARDS),
                screen("calendar_subscription_action", CARDS, CARDS),
                form(subscription),
                screen("calendar_feed_action", CARDS, CARDS),
                form(feed),
                screen("calendar_export_ical_action", WAIT_DIALOG),
                screen("calendar_import_action", CARDS, CARDS),
                form(imported),
                screen("calendar_invitation_review_action", CARDS, CARDS),
                screen("calendar_invitation_proposal_action", CARDS, CARDS),
                self.opened(meeting.action_open_proposals(), "proposed times", CARDS, CARDS),
                screen("caldav_calendar_definition_action", CARDS, CARDS),
                form(self.env.ref("crm_automation.caldav_calendar_closings")),
            ],
            url="/odoo", ready="odoo.isReady", login="rule_manager",
        )  # fmt: skip

    # -- pages and letters --------------------------------------------------------------

    def page(self, path, **form):
        """The page of an address, after what was sent to it."""
        self.env.flush_all()
        answer = self.url_open(path, data=form or None)
        self.env.invalidate_all()
        self.assertIn("<main>", answer.text, path)
        return answer.text

    def pages(self):
        meeting = self.series().with_env(self.env)
        meeting.description = "<p>Traed <b>muestras</b>. https://example.com/una/dirección</p>"
        meeting.videocall_location = "https://meet.example.com/" + "r" * 90
        guest = meeting.attendee_ids.filtered(lambda one: one.partner_id == self.customer)
        guest.note = "Después habrá una cata."
        path = f"/calendar/invitation/{guest._rsvp_token()}"
        reminded = self.meet(
            self.alarm(15, kind="email"), partners=self.customer, location="Bodega",
            videocall_location="https://meet.example.com/sala",
        )  # fmt: skip
        self.remind(START - 15 * MINUTE)
        row = self.rows(reminded).filtered(lambda row: row.partner_id == self.customer)
        reminder = f"/calendar/reminder/{row._token()}"
        yield "invitation", self.page(path)
        yield "invitation, somebody else", self.page(f"{path}?answer=delegated")
        yield "invitation, refused", self.page(path, answer="delegated", delegate_email="x")
        yield "invitation, answered", self.page(path, answer="accepted")
        yield "reminder", self.page(f"{reminder}?do=late")
        yield "reminder, done", self.page(f"{reminder}?done=snooze-5")
        meeting.active = False
        yield "invitation, cancelled", self.page(path)

    def letters(self):
        """All kinds of them, as they are queued."""
        Mail = self.env["mail.mail"]
        Mail.search([]).unlink()
        rule, firings = self.log()
        for mail in firings.delivery_ids.mail_id:
            yield f"notice: {mail.subject}", mail.body_html
        Mail.search([]).unlink()
        self.seller.with_user(self.seller).write({"reminder_summary": True})
        meeting = self.meet(
            self.alarm(15, kind="email"), partners=self.customer, name="Cata de la añada",
            location="Bodegas Ribera Alta, Aranda de Duero",
            videocall_location="https://meet.example.com/" + "r" * 90,
        )  # fmt: skip
        self.remind(MORNING)
        self.remind(START - 15 * MINUTE)
        yield "reminder's letter", self.rows(meeting).mail_id[:1].body_html
        summary = self.Reminder.search([("kind", "=", "summary"), ("state", "=", "done")])
        yield "summary of the day", summary.mail_id.body_html
        Mail.search([]).unlink()
        plan = self.plan()
        plan.action_book()
        [visit] = Mail.search([("recipient_ids", "in", self.customers[0].ids)], limit=1)
        yield "letter of visits", visit.body_html
        Mail.search([]).unlink()
        Outgoing = self.env["calendar.invitation.outgoing"]
        Outgoing.search([]).unlink()
        self.series(no_mail_to_attendees=False)
        self.end_transaction()
        with patch.object(type(Outgoing), "_commit_batch", lambda *_a, **_k: 99):
            Outgoing._send_due()
        invitation = Mail.search([], limit=1)
        self.assertTrue(invitation)
        yield "invitation's letter", invitation.body_html

    def test_the_pages_and_letters(self):
        shown = {}
        for title, body in self.letters():
            self.assertIn("<", body, title)
            shown[title] = f'<!DOCTYPE html><html lang="es"><head></head><body>{body}</body></html>'
        shown.update(self.pages())
        self.assertGreaterEqual(len(shown), 12)
        self.judge("showAll", shown)

    # -- the judge ----------------------------------------------------------------------

    def test_the_judge_sees(self):
        """Each kind of fault is found, and nothing where there is none."""
        faults = {
            "wide": ('<div style="width: 900px">a</div>', "the page is 900 wide"),
            "scrolled": (
                '<div style="overflow: auto"><p style="width: 900px">a</p></div>',
                "is scrolled sideways, 900 wide",
            ),
            "pale": ('<p style="color: #999">a</p>', "has a contrast of 2.85"),
            "pale on a half": (
                '<p style="background: #000; color: #fff">'
                '<b style="background: rgba(255, 255, 255, 0.5)">a</b></p>',
                "has a contrast of 3.9",
            ),
            "faded": ('<p style="opacity: 0.5">a</p>', "has a contrast of 3.9"),
            "small": ("<button style='height: 20px'>a</button>", "× 20"),
            "unfocused": (
                "<button style='outline: none; padding: 1rem'>a</button>",
                "does not show that it has the focus",
            ),
            "edgeless": (
                '<input type="text" aria-label="a" style="height: 2rem; border: 1px solid #ddd">',
                "the edge of",
            ),
        }
        fine = "<h1>a</h1><p style='color: #767676'>a</p><button style='padding: 1rem'>a</button>"
        pages = {"fine": fine, **{name: html for name, (html, _words) in faults.items()}}
        style = "<!DOCTYPE html><style>body { margin: 0; background: #fff }</style>"
        expected = json.dumps({name: words for name, (_html, words) in faults.items()})
        self.judge(
            "showAll",
            {name: style + html for name, html in pages.items()},
            f"""(lines) => {{
                const expected = Object.entries({expected});
                const has = (line, [name, words]) =>
                    line.startsWith(name + ": ") && line.includes(words);
                screenJudge.report([
                    ...lines.filter((line) => !expected.some((one) => has(line, one))),
                    ...expected.filter((one) => !lines.some((line) => has(line, one))),
                ]);
            }}""",
        )
