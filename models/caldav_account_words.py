"""What goes wrong with an account, in sentences: what it is, and what to do about it."""

import psycopg2
from markupsafe import Markup

from odoo import api, models

from ..engine.addresses import FetchError
from ..engine.secret_box import CannotOpen
from ..ical.errors import IcalError


class CaldavAccount(models.Model):
    _inherit = "caldav.account"

    @api.model
    def _why(self, error):
        """A sentence for an error of an account or of one object."""
        if isinstance(error, CannotOpen):
            return self.env._(
                "The password cannot be read any more: the key of this server is another one. "
                "Write the password again."
            )
        if isinstance(error, IcalError):
            return self.env._("It cannot be read as a meeting (%(error)s).", error=error)
        if isinstance(error, psycopg2.extensions.TransactionRollbackError):
            return self.env._(
                "Somebody keeps changing the same meetings in Odoo at the same moment. It is "
                "tried again."
            )
        if not isinstance(error, FetchError):
            return str(error)
        return self._server_words(error).get(error.code) or self.env["ical.fetch"]._sentence(error)

    @api.model
    def _server_words(self, error):
        """Code to a sentence, for what servers of CalDAV say or lack.

        What any address may say is not here.
        """
        facts = {"host": "", "status": "", **error.facts}
        return {
            "denied": self.env._(
                "%(host)s does not accept the user name and the password (%(status)s). Some "
                "servers want a password made for this program: look there for “app passwords”.",
                **facts,
            ),
            "elsewhere": self.env._(
                "We are sent on to %(host)s, which has not been told your password. If you trust "
                "it, write that address instead.",
                **facts,
            ),
            "no_principal": self.env._(
                "%(host)s answers, but has no calendars there. Look in its help for the address "
                "of CalDAV.",
                **facts,
            ),
            "no_home": self.env._(
                "%(host)s knows you, and does not say where your calendars are.", **facts
            ),
            "no_calendars": self.env._("You have no calendar on %(host)s yet.", **facts),
            "odd": self.env._("What %(host)s answers is not CalDAV. Check the address.", **facts),
            "endless": self.env._(
                "%(host)s repeats itself without an end. Nothing more was taken.", **facts
            ),
            "forbidden": self.env._("%(host)s does not allow that (%(status)s).", **facts),
            "conflict": self.env._(
                "%(host)s has something else in that place (%(status)s).", **facts
            ),
            "changed": self.env._("It changes on %(host)s faster than it can be written.", **facts),
            "refused": self.env._("%(host)s does not take it (%(status)s).", **facts),
            "full": self.env._(
                "There is no room left on %(host)s (%(status)s). Make some there.", **facts
            ),
        }

    @api.model
    def _word(self, code):
        """Why an object is not in step."""
        return {
            "elsewhere": self.env._(
                "It is in step with another calendar already, or with Google or Microsoft."
            ),
            "twice": self.env._("The server has it twice: the other one is in step."),
            "not_kept": self.env._("The server has taken it, and does not have it."),
            "occupied": self.env._("The server has something else in its place."),
            "edited": self.env._(
                "Somebody keeps changing it in Odoo at the same moment. It is tried again."
            ),
            "unwritable": self.env._("Odoo cannot write it as a calendar."),
            "conflict": self.env._("Both sides have changed the same: which one counts?"),
            "here_counts": self.env._("Both have changed the same: Odoo counts."),
            "there_counts": self.env._("Both have changed the same: the server counts."),
        }[code]

    @api.model
    def _report(self, found):
        """What was tried, step by step, as HTML."""
        names = {
            "server": self.env._("The server answers"),
            "principal": self.env._("It knows you"),
            "home": self.env._("Where your calendars are"),
            "calendars": self.env._("Your calendars"),
            "address": self.env._("The address"),
        }
        lines = []
        for step in found.steps:
            mark = Markup("<b>✗</b>") if step.error else Markup("✓")
            text = self._why(step.error) if step.error else step.detail
            lines.append(Markup("<li>%s %s: %s</li>") % (mark, names[step.code], text))
        return Markup("<ul class='list-unstyled mb-0'>%s</ul>") % Markup("").join(lines)
