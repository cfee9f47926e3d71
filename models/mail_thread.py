from email.policy import EmailPolicy
from functools import lru_cache

from odoo import api, models


@lru_cache
def _remembering(kind):
    """The same kind of policy, for one mail."""
    return type("Remembering", (_Remembering, kind), {})


class _Remembering:
    """A policy that parses each header once.

    Python's own parses it at each look, and a gateway looks dozens of times at what
    each part is: that is more than half of the time a mail takes.
    """

    #: header as parsed, by name and text; one for each mail
    parsed = None

    def header_fetch_parse(self, name, value):
        if hasattr(value, "name"):
            return value
        key = name, value
        if key not in self.parsed:
            self.parsed[key] = super().header_fetch_parse(name, value)
        return self.parsed[key]


class MailThread(models.AbstractModel):
    _inherit = "mail.thread"

    @api.model
    def message_parse(self, message, save_original=False):
        policy = message.policy
        if isinstance(policy, EmailPolicy) and not isinstance(policy, _Remembering):
            policy = _remembering(type(policy))().clone(**policy.__dict__, parsed={})
            for part in message.walk():
                part.policy = policy
        return super().message_parse(message, save_original=save_original)

    @api.model
    def message_route(self, message, message_dict, model=None, thread_id=None, custom_values=None):
        """A mail that is a message about a meeting goes there, and nowhere else."""
        # Everybody, portal users too, may call this by RPC with a mail of his own making:
        # what brings mail runs as Odoo itself or as an administrator.
        is_brought = self.env.su or self.env.user._is_system()
        if is_brought and not message_dict.get("is_bounce"):
            gateway = self.env["calendar.invitation.gateway"].sudo()
            if gateway._take_in(message, message_dict):
                return []
        return super().message_route(message, message_dict, model, thread_id, custom_values)
