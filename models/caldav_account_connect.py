"""Whether a server lets us in, and which calendars it has: asked when its owner wants it."""

import time

from odoo import models
from odoo.exceptions import UserError

from ..engine.addresses import FetchError
from ..engine.secret_box import CannotOpen
from ..sync.discover import Found, Step, discover, resolve_srv, starts
from ..sync.errors import RemoteError
from ..sync.transport import Transport

#: Seconds that somebody waits for at a button.
BUTTON_SECONDS = 25
#: Seconds below which another address is not begun with.
LEAST = 2


class CaldavAccount(models.Model):
    _inherit = "caldav.account"

    def action_connect(self):
        """Test the connection, step by step, and list the calendars."""
        self.ensure_one()
        self.check_access("write")
        account = self.sudo().with_context(lang=self.user_id.lang)
        self.env["ical.fetch"]._take_button()
        found = account._discover()
        account.test_report = account._report(found)
        if found.error:
            if not account.calendar_ids:
                account.state = "new"
        else:
            account._keep_calendars(found)
            account.write({"message": False, "failures": 0})
            account.calendar_ids._try_again()
            if account.state in ("new", "asks"):
                account.state = "ok"
            if account.calendar_ids.filtered("enabled"):
                account.next_sync = self.env.cr.now()
                account._wake()
        return {"type": "ir.actions.client", "tag": "soft_reload"}

    def _discover(self):
        """What is found at the address, as Found."""
        found = Found()
        end = time.monotonic() + BUTTON_SECONDS
        try:
            password = self._open_password()
            for address in starts(self.url, self._resolve):
                left = end - time.monotonic()
                if found.error and left < LEAST:
                    break
                with self._transport(address, password, left) as transport:
                    found = discover(transport, address)
                if not found.error:
                    break
        except CannotOpen as error:
            found.steps.append(Step("address", error=error))
        except FetchError as error:
            found.steps.append(Step("address", error=error))
        return found

    def _resolve(self, domain):
        """Servers of a domain, by its own records; nobody else is told the password by them.

        RFC 6764, 8: whoever can forge the answer would be told.
        """
        servers = resolve_srv(domain)
        for host, _port in servers:
            if not f".{host.lower()}".endswith(f".{domain.lower()}"):
                raise RemoteError("elsewhere", host=f"https://{host}/")
        return servers

    def _transport(self, address, password, seconds):
        fetch = self.env["ical.fetch"]
        return Transport(
            address, self.login or "", password, fetch._allowed(), fetch._certificates(), seconds
        )

    def _keep_calendars(self, found):
        """The calendars that the server has; what was chosen about them stays."""
        known = {calendar.url: calendar for calendar in self.calendar_ids}
        done = set()
        for one in found.calendars:
            values = {
                "color": one.color or False, "writable": one.writable, "is_gone": False,
            }  # fmt: skip
            if one.address.url in done:
                # Two homes may have the same one.
                continue
            done.add(one.address.url)
            if one.address.url in known:
                known.pop(one.address.url).write(values)
            elif "VEVENT" in one.components:
                self.env["caldav.account.calendar"].create(
                    {
                        "account_id": self.id, "name": one.name, "url": one.address.url,
                        "direction": "both" if one.writable else "in", **values,
                    }
                )  # fmt: skip
        for calendar in known.values():
            calendar.is_gone = True

    def action_open_problems(self):
        """What waits for its owner."""
        self.ensure_one()
        action = self.env["ir.actions.act_window"]._for_xml_id(
            "crm_automation.caldav_account_object_action"
        )
        return {**action, "domain": [("account_id", "=", self.id), ("hold", "!=", False)]}

    def action_sync(self):
        """Do it now: the job is woken."""
        self.ensure_one()
        self.check_access("write")
        account = self.sudo()
        if not account.calendar_ids.filtered("enabled"):
            raise UserError(
                self.env._("Test the connection, and choose which calendars are to be in step.")
            )
        account.write({"next_sync": self.env.cr.now(), "failures": 0})
        account.calendar_ids._try_again()
        account._wake()
        return {
            "type": "ir.actions.client",
            "tag": "display_notification",
            "params": {
                "type": "info",
                "message": self.env._("It is being brought in step, in the background."),
                "next": {"type": "ir.actions.client", "tag": "soft_reload"},
            },
        }
