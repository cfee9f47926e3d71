"""The address under which somebody answers his invitation without logging in.

The secret in it is computed, so no table holds it and no query finds it; a revision
that rises makes all links of before useless.
"""

from urllib.parse import urlencode

from odoo import api, fields, models
from odoo.tools import consteq, hmac

SCOPE = "crm_automation.invitation"
#: Letters of the digest that stand in a link: 128 bits.
DIGEST = 32
#: Longest secret that is looked at.
MAX_TOKEN = 100


class CalendarAttendee(models.Model):
    _inherit = "calendar.attendee"

    rsvp_revision = fields.Integer(
        "Revision of the Link", default=0, copy=False, readonly=True, groups="base.group_system"
    )

    def _rsvp_token(self):
        """The secret in the link of this attendee."""
        self.ensure_one()
        attendee = self.sudo()
        facts = (attendee.id, attendee.rsvp_revision, attendee.event_id.id, attendee._key())
        digest = hmac(attendee.env, SCOPE, facts)[:DIGEST]
        return f"{attendee.id}-{digest}"

    def _rsvp_url(self, answer=None):
        """Where this attendee answers.

        :param str answer: the answer that is ticked when he comes; he still has to send it
        """
        self.ensure_one()
        url = f"{self.event_id.get_base_url()}/calendar/invitation/{self._rsvp_token()}"
        return f"{url}?{urlencode({'answer': answer})}" if answer else url

    @api.model
    def _rsvp_find(self, token):
        """Whose secret it is (sudo); nobody's if it was revoked or never was one."""
        nobody = self.sudo().browse()
        res_id, separator, digest = (token or "")[:MAX_TOKEN].partition("-")
        # Digits of other alphabets are none here.
        if not (separator and res_id.isascii() and res_id.isdigit() and len(res_id) < 10):
            return nobody
        attendee = nobody.browse(int(res_id)).exists()
        if not attendee or not digest.isascii():
            return nobody
        return attendee if consteq(attendee._rsvp_token(), f"{int(res_id)}-{digest}") else nobody

    def action_revoke_link(self):
        """Make the links that were mailed useless; the next mail has a new one."""
        self._check_may_answer()
        for attendee in self.sudo():
            attendee.rsvp_revision += 1
        return {
            "type": "ir.actions.client",
            "tag": "display_notification",
            "params": {
                "message": self.env._("The links that were mailed so far are of no use any more."),
                "type": "success",
                "next": {"type": "ir.actions.act_window_close"},
            },
        }

    # -- what the page shows ------------------------------------------------------

    def _rsvp_language(self, accepted=()):
        """The language in which he reads the page.

        :param accepted: codes that his program asks for, best first
        """
        self.ensure_one()
        installed = dict(self.env["res.lang"].get_installed())
        for code in (self.language, self.partner_id.lang):
            if code in installed:
                return code
        for wanted in accepted:
            wanted = wanted.replace("-", "_")
            for code in installed:
                if code == wanted or code.split("_")[0] == wanted.split("_")[0]:
                    return code
        return self.event_id.user_id.lang or self.env.user.lang or next(iter(installed))
