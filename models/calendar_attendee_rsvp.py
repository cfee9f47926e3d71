"""The address under which somebody answers his invitation without logging in.

A revision that rises makes all links of before useless.
"""

from odoo import api, fields, models

from .page_token import find_by_token, token_of

SCOPE = "crm_automation.invitation"


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
        return token_of(attendee, SCOPE, facts)

    def _rsvp_url(self):
        """Where this attendee answers. With ``?answer=`` and a state behind it that answer is
        ticked when he comes; he still has to send it."""
        self.ensure_one()
        return f"{self.event_id.get_base_url()}/calendar/invitation/{self._rsvp_token()}"

    @api.model
    def _rsvp_find(self, token):
        """Whose secret it is (sudo); nobody's if it was revoked or never was one."""
        return find_by_token(self, token, "_rsvp_token")

    def action_revoke_link(self):
        """Make the links that were mailed useless; the next mail has a new one."""
        self._check_may_answer()
        for attendee in self.sudo():
            attendee.write(
                {
                    "rsvp_revision": attendee.rsvp_revision + 1,
                    # Odoo's own links lead to the page as well.
                    "access_token": attendee._default_access_token(),
                }
            )
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
