"""What happens in the demo before its pictures are taken: a fortnight's work of a sales team.

By Odoo's external interface, as people would do it; what is shown is what came of it.
"""

import base64
import email
import email.policy
import re
import time
from datetime import datetime, timedelta, timezone

from .rpc import Session

#: Days of the fairs and visits of the file that is imported and the calendar that is
#: subscribed, from today on.
FAIRS = (
    (6, "Feria del vino de Aranda"),
    (13, "Salón del automóvil clásico"),
    (20, "Jornadas de hostelería"),
    (34, "Feria de la conserva"),
)


class Stage:
    """
    :param Server server: that runs on a copy of the demo
    :param dict keys: login to key of CalDAV
    """

    def __init__(self, server, keys):
        self.server, self.keys = server, keys
        self.admin, self.ana, self.luis, self.marta = (
            Session(server.url, server.database, login, login)
            for login in ("admin", "ana", "luis", "marta")
        )

    def play(self):
        """:return: dict of what the addresses of pictures name"""
        host = self.server.url.partition("://")[2]
        self.admin.call("ir.config_parameter", "set_param", "crm_automation.fetch_allowed", host)
        facts = {
            **self.rules(),
            **self.meetings(),
            **self.calendars(),
            **self.account(),
        }
        facts["plan"] = self.id_of("visit_plan_team")
        self.ana.call("calendar.visit.plan", "action_preview", [facts["plan"]])
        facts["ana"] = self.ana.uid
        self.wait_for_rules()
        facts["answer"] = self.answer_page()
        return facts

    def id_of(self, name):
        rows = self.admin.call(
            "ir.model.data", "search_read",
            [("module", "=", "crm_automation"), ("name", "=", name)], fields=["res_id"],
        )  # fmt: skip
        return rows[0]["res_id"]

    def partner(self, session):
        return session.call("res.users", "read", [session.uid], ["partner_id"])[0]["partner_id"][0]

    # -- rules --------------------------------------------------------------------

    def rules(self):
        """Leads that are converted and merged, tasks, a rule that waits, one of Odoo's."""
        for session, names in (
            (self.luis, ("Cápsulas para espumoso", "Etiquetas de reserva")),
            (self.marta, ("Cajas de regalo", "Corchos técnicos")),
        ):
            for name in names:
                lead = session.call(
                    "crm.lead", "create",
                    {"name": name, "type": "lead", "user_id": session.uid},
                )  # fmt: skip
                session.call("crm.lead", "convert_opportunity", [lead], False)
        nobody = self.ana.call(
            "crm.lead", "create", {"name": "Sin comercial", "type": "lead", "user_id": False}
        )
        self.ana.call("crm.lead", "convert_opportunity", [nobody], False)
        merged = [
            session.call(
                "crm.lead", "create",
                {"name": name, "type": "opportunity", "user_id": session.uid},
            )
            for session, name in ((self.luis, "Barricas de roble"), (self.marta, "Barricas"))
        ]  # fmt: skip
        self.ana.call("crm.lead", "merge_opportunity", merged, False, False)
        project = self.ana.call("project.project", "search", [("name", "=", "Etiquetas 2027")])[0]
        for name in ("Boceto de la etiqueta", "Pruebas de imprenta"):
            self.ana.call("project.task", "create", {"name": name, "project_id": project})
        self.wait_for_rules()
        self.waiting_rules()
        self.rule_of_odoo()
        return {"rule": self.id_of("rule_lead_converted"), "gold_rule": self.gold_rule()}

    def gold_rule(self):
        """A rule with conditions and actions."""
        tags = self.ana.call("crm.tag", "search", [], limit=1)
        states = self.ana.call(
            "ir.model.fields.selection", "search",
            [("field_id.model", "=", "crm.lead"), ("field_id.name", "=", "business_state"),
             ("value", "in", ("open", "pending"))],
        )  # fmt: skip
        kind = self.ana.call("mail.activity.type", "search", [("category", "=", "phonecall")])[0]
        return self.ana.call(
            "crm.automation.rule", "create",
            {
                "name": "Cliente GOLD urgente: llamar y avisar al jefe", "trigger": "saved",
                "model_id": self.model("crm.lead"), "state_to_ids": [(6, 0, states)],
                "customer_category_ids": [(6, 0, [self.id_of("partner_category_gold")])],
                "priority_from": "2", "name_pattern": "urgente|hoy", "set_priority": "3",
                "add_tag_ids": [(6, 0, tags)], "activity_type_id": kind,
                "activity_summary": "Llamar al cliente", "notify_leader": True,
            },
        )  # fmt: skip

    def rule_of_odoo(self):
        """One that can be taken over."""
        model = self.model("crm.lead")
        field = self.admin.call(
            "ir.model.fields", "search", [("model", "=", "crm.lead"), ("name", "=", "priority")]
        )[0]
        rule = self.admin.call(
            "base.automation", "create",
            {
                "name": "Lead nuevo: prioridad alta", "model_id": model, "trigger": "on_create",
                "filter_domain": "[('email_from', 'ilike', 'hotel')]",
            },
        )  # fmt: skip
        self.admin.call(
            "ir.actions.server", "create",
            {
                "name": "Prioridad alta", "model_id": model, "state": "object_write",
                "usage": "base_automation", "base_automation_id": rule,
                "update_path": "priority", "update_field_id": field, "value": "2",
            },
        )  # fmt: skip

    def model(self, name):
        return self.admin.call("ir.model", "search", [("model", "=", name)])[0]

    def waiting_rules(self):
        """Executions of the days to come."""
        for name, number, unit in (
            ("Ganada: preguntar a la semana", 7, "days"),
            ("Ganada: dar las gracias", 2, "days"),
            ("Ganada: felicitar al equipo", 3, "hours"),
        ):
            rule = self.ana.call(
                "crm.automation.rule", "create",
                {
                    "name": name, "trigger": "won", "delay_number": number, "delay_unit": unit,
                    "notify_responsible": True,
                },
            )  # fmt: skip
            self.ana.call("crm.automation.rule", "action_enable", [rule])
        for session, name in (
            (self.luis, "Etiquetas de Navidad"), (self.marta, "Cestas de empresa"),
            (self.luis, "Botella conmemorativa"),
        ):  # fmt: skip
            lead = session.call(
                "crm.lead", "create",
                {"name": name, "type": "opportunity", "user_id": session.uid},
            )  # fmt: skip
            session.call("crm.lead", "action_set_won", [lead])

    def wait_for_rules(self, seconds=60):
        """Until nothing is left that is due."""
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            now = f"{datetime.now(timezone.utc):%Y-%m-%d %H:%M:%S}"
            due = [("state", "=", "pending"), ("run_at", "<=", now)]
            if not self.ana.call("crm.automation.firing", "search_count", due):
                return
            time.sleep(0.5)

    # -- meetings -----------------------------------------------------------------

    def meetings(self):
        """A meeting with guests, one that repeats by a rule as text, a reminder."""
        start = self.hour(days=2, hour=10)
        alarm = self.admin.call("calendar.alarm", "search", [("duration_minutes", "=", 15)])[0]
        event = self.ana.call(
            "calendar.event", "create",
            {
                "name": "Presentación de la añada", "location": "Bodegas Ribera Alta, Aranda",
                "start": start, "stop": self.hour(days=2, hour=12),
                "partner_ids": [(6, 0, [self.partner(one) for one in (self.ana, self.luis)])],
                "alarm_ids": [(6, 0, [alarm])],
            },
        )  # fmt: skip
        wizard = self.ana.call(
            "calendar.invite", "create",
            {
                "event_ids": [(6, 0, [event])], "type": "external",
                "emails": "Carmen Soler <carmen.soler@example.org>",
                "note": "Después habrá una cata.",
            },
        )  # fmt: skip
        self.ana.call("calendar.invite", "action_invite", [wizard])
        self.ana.call(
            "calendar.event", "write", [event], {"partner_ids": [(4, self.partner(self.marta))]}
        )
        for session, answer in ((self.luis, "do_accept"), (self.marta, "do_tentative")):
            mine = session.call(
                "calendar.attendee", "search",
                [("event_id", "=", event), ("partner_id", "=", self.partner(session))],
            )  # fmt: skip
            session.call("calendar.attendee", answer, mine)
        text = self.ana.call(
            "calendar.event", "create",
            {
                "name": "Comité comercial", "start": self.hour(days=4, hour=9),
                "stop": self.hour(days=4, hour=10), "recurrency": True,
                "rrule_type": False, "end_type": "forever",
                "rule_text": "FREQ=MONTHLY;BYDAY=1MO,3MO;COUNT=10",
            },
        )  # fmt: skip
        return {
            "event": event, "text": text, "series": self.series(), "alarm": alarm,
            "daily": self.id_of("meeting_fair"),
        }  # fmt: skip

    def series(self):
        """The monthly meeting of the demo, one of which is moved, and one taken out."""
        series = self.id_of("meeting_monthly")
        [row] = self.luis.call("calendar.event", "read", [series], ["recurrence_id"])
        of_series = [("recurrence_id", "=", row["recurrence_id"][0])]
        ids = self.luis.call("calendar.event", "search", of_series, order="start")
        self.luis.call("calendar.event", "unlink", [ids[4]])
        moved = {"start": self.hour(100, 11), "stop": self.hour(100, 12)}
        self.luis.call(
            "calendar.event", "write", [ids[2]], {**moved, "recurrence_update": "self_only"}
        )
        return series

    def hour(self, days, hour):
        """In UTC, as the interface has it; Madrid is an hour ahead, or two."""
        moment = datetime.now(timezone.utc) + timedelta(days=days)
        return f"{moment.replace(hour=hour - 1, minute=0, second=0):%Y-%m-%d %H:%M:%S}"

    def answer_page(self, seconds=60):
        """The address of the page on which Carmen answers, out of her mail."""
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            for path in self.server.mail_dir.glob("*.eml"):
                message = email.message_from_bytes(path.read_bytes(), policy=email.policy.default)
                body = message.get_body(("html",))
                if "carmen" not in str(message["To"]).lower() or body is None:
                    continue
                found = re.search(r"/calendar/invitation/[\w-]+", body.get_content())
                if found:
                    return found[0]
            time.sleep(0.5)
        raise TimeoutError("Carmen's invitation")

    # -- calendars ----------------------------------------------------------------

    def calendars(self):
        """A feed, a subscription to it, an import that is looked at."""
        tag = self.admin.call("calendar.event.type", "create", {"name": "Feria"})
        feed = self.marta.call(
            "calendar.feed", "create",
            {"name": "Ferias del sector", "period": "all", "categ_ids": [(6, 0, [tag])]},
        )  # fmt: skip
        for days, name in FAIRS:
            self.marta.call(
                "calendar.event", "create",
                {
                    "name": name, "start": self.hour(days, 10), "stop": self.hour(days, 18),
                    "partner_ids": [(6, 0, [self.partner(self.marta)])],
                    "categ_ids": [(6, 0, [tag])],
                },
            )  # fmt: skip
        action = self.marta.call("calendar.feed", "action_new_address", [feed])
        subscription = self.ana.call(
            "calendar.subscription", "create",
            {"name": "Ferias del sector", "url": action["context"]["default_url"]},
        )  # fmt: skip
        self.ana.call("calendar.subscription", "action_refresh", [subscription])
        own = self.ana.call("calendar.feed", "create", {"name": "Mi agenda en el móvil"})
        self.ana.call("calendar.feed", "action_new_address", [own])
        attachment = self.ana.call(
            "ir.attachment", "create",
            {"name": "agenda-2026.ics", "datas": base64.b64encode(self.file()).decode()},
        )  # fmt: skip
        one = self.ana.call("calendar.import", "create", {"file_ids": [(6, 0, [attachment])]})
        spanish = {"lang": "es_ES"}
        self.ana.call("calendar.import", "action_preview", [one], context=spanish)
        return {"feed": own, "subscription": subscription, "import": one}

    def file(self):
        """A file of another program: single meetings, a series, and one that is broken."""
        rows = ["BEGIN:VCALENDAR", "VERSION:2.0", "PRODID:-//Otra agenda//ES"]
        for number, (days, name) in enumerate(FAIRS):
            day = datetime.now(timezone.utc) + timedelta(days=days + 1)
            rows += [
                "BEGIN:VEVENT", f"UID:agenda-{number}@example.org", "DTSTAMP:20260101T000000Z",
                f"DTSTART:{day:%Y%m%d}T090000Z", f"DTEND:{day:%Y%m%d}T100000Z",
                f"SUMMARY:Preparar: {name}",
            ]  # fmt: skip
            if number == 1:
                rows.append("RRULE:FREQ=WEEKLY;COUNT=6")
            rows.append("END:VEVENT")
        rows += [
            "BEGIN:VEVENT", "UID:rota@example.org", "DTSTAMP:20260101T000000Z",
            "SUMMARY:Una sin fecha", "END:VEVENT", "BEGIN:VTODO", "UID:tarea@example.org",
            "DTSTAMP:20260101T000000Z", "SUMMARY:Pedir folletos", "END:VTODO", "END:VCALENDAR",
        ]  # fmt: skip
        return "\r\n".join([*rows, ""]).encode()

    # -- an account ---------------------------------------------------------------

    def account(self):
        """Ana's account on another server: this one, as Luis sees it."""
        account = self.ana.call(
            "caldav.account", "create",
            {
                "name": "Agenda del equipo", "url": f"{self.server.url}/caldav/",
                "login": "luis", "password": self.keys["luis"],
            },
        )  # fmt: skip
        self.ana.call("caldav.account", "action_connect", [account])
        found = self.ana.call(
            "caldav.account.calendar", "search_read", [("account_id", "=", account)],
            fields=["name", "url", "writable"],
        )  # fmt: skip
        agenda = next(one for one in found if one["url"].rstrip("/").endswith("agenda"))
        self.ana.call(
            "caldav.account.calendar", "write", [agenda["id"]],
            {"enabled": True, "direction": "in", "place": "own"},
        )  # fmt: skip
        self.ana.call("caldav.account", "action_sync", [account])
        end = time.monotonic() + 60
        while time.monotonic() < end:
            runs = self.ana.call("caldav.account.run", "search_count", [])
            [state] = self.ana.call("caldav.account", "read", [account], ["state"])
            if runs and state["state"] == "ok":
                break
            time.sleep(0.5)
        return {"account": account}
