"""Makes the demo speak Spanish: users, company, time zone."""

import session

LOGINS = ("admin", "ana", "luis", "marta")

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
