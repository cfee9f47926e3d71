"""Settings for Apple's devices (.mobileconfig): the user's address, without any secret."""

import plistlib
import uuid
from urllib.parse import urlsplit

from odoo import http
from odoo.http import request

#: Namespace of the identifiers of profiles: the same account is the same profile.
PROFILES = uuid.UUID("0b7a4f0e-52a5-4a53-9a5d-7c3cf0a6f1d0")


class CaldavSetupController(http.Controller):
    @http.route("/caldav-setup/apple", type="http", auth="user", methods=["GET"], readonly=True)
    def apple(self):
        """The profile; the device asks for the key itself."""
        user = request.env.user
        if not user._is_internal():
            raise request.not_found()
        base = urlsplit(user.get_base_url())
        is_secure = base.scheme == "https"
        name = f"{user.login}@{base.netloc}"
        identifier = str(uuid.uuid5(PROFILES, name))
        title = request.env._("Calendar of Odoo")
        account = {
            "PayloadType": "com.apple.caldav.account",
            "PayloadVersion": 1,
            "PayloadIdentifier": f"odoo.caldav.{identifier}",
            "PayloadUUID": str(uuid.uuid5(PROFILES, f"{name} account")),
            "PayloadDisplayName": title,
            "CalDAVAccountDescription": title,
            "CalDAVHostName": base.hostname,
            "CalDAVPort": base.port or (443 if is_secure else 80),
            "CalDAVUseSSL": is_secure,
            "CalDAVPrincipalURL": f"/caldav/principals/{user.login}/",
            "CalDAVUsername": user.login,
        }
        profile = {
            "PayloadType": "Configuration",
            "PayloadVersion": 1,
            "PayloadIdentifier": f"odoo.caldav.profile.{identifier}",
            "PayloadUUID": identifier,
            "PayloadDisplayName": title,
            "PayloadContent": [account],
        }
        headers = {
            "Content-Type": "application/x-apple-aspen-config",
            "Content-Disposition": 'attachment; filename="odoo.mobileconfig"',
            "Cache-Control": "no-store",
        }
        return request.make_response(plistlib.dumps(profile), headers=headers.items())
