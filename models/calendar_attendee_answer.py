"""The one way by which an answer to an invitation is written."""

from odoo import models


class CalendarAttendee(models.Model):
    _inherit = "calendar.attendee"

    def _answer(self, state, comment="", source="page", at=None):
        """Write what somebody has answered.

        :param str state: accepted, declined, tentative or delegated
        :param str comment: his words, plain text
        :param str source: page, mail, user or caldav
        :param datetime at: naive UTC, when he answered; by default now
        """
        self.write({"state": state})
