"""Make the people of the tests once, and not anew for each of two hundred classes."""

import passlib.context

import session


def main():
    session.start()
    # Odoo knows where the addon is from now on.
    from odoo.addons.base.models import res_users
    from odoo.addons.crm_automation.tests.common import CONTEXT, AutomationData

    # As in Odoo's own tests: their passwords need not be hard to find out.
    res_users.ResUsers._crypt_context = lambda _self: passlib.context.CryptContext(
        ["pbkdf2_sha512"], pbkdf2_sha512__rounds=1
    )
    with session.environment() as env:
        AutomationData.make_people(env(context={**env.context, **CONTEXT}))
        env.cr.commit()


if __name__ == "__main__":
    main()
