"""Makes the demo speak Spanish: users, company, time zone. Nothing leaves the machine."""

import session

LOGINS = ("admin", "ana", "luis", "marta")
#: Services of odoo.com that Odoo asks by itself about leads, contacts, the database.
ENDPOINTS = (
    "iap.endpoint",
    "enrich.endpoint",
    "reveal.endpoint",
    "iap.partner_autocomplete.endpoint",
    "sms.endpoint",
    "snailmail.endpoint",
)
CALLERS = ("crm_iap_enrich.ir_cron_lead_enrichment", "mail.ir_cron_module_update_notification")
NOBODY = "http://127.0.0.1:9"

session.start()
with session.environment() as env:
    users = env["res.users"].search([("login", "in", LOGINS)])
    users.write({"lang": "es_ES"})
    users.filtered(lambda user: not user.tz).write({"tz": "Europe/Madrid"})
    company = env.ref("base.main_company")
    company.write({"name": "Comercial Duero", "email": "hola@comercial-duero.example.com"})
    company.partner_id.write({"lang": "es_ES", "tz": "Europe/Madrid"})
    # What Odoo's own demo data would send at the first start: a mail page that
    # is empty at first shows what the visitor does.
    env["mail.mail"].search([("state", "=", "outgoing")]).unlink()
    # Odoo's own periodic summary would come in between, on some days.
    env["digest.digest"].search([]).action_deactivate()
    for key in ENDPOINTS:
        env["ir.config_parameter"].set_param(key, NOBODY)
    for xmlid in CALLERS:
        if cron := env.ref(xmlid, raise_if_not_found=False):
            cron.active = False
    # Otherwise the pipeline greets them with "you are member of no sales team".
    env.ref("sales_team.team_sales_department").member_ids |= users.filtered(
        lambda user: user.login != "admin"
    )
