"""A CalDAV server elsewhere on which a user has calendars that are kept in step.

Owns the definition, the rights and the password. Nobody but its owner sees it; the
password nobody at all. How it is kept in step is in ``caldav_account_run.py`` and
``caldav_sync*.py``.
"""

import os
import random
from datetime import timedelta

from odoo import api, fields, models
from odoo.exceptions import UserError, ValidationError
from odoo.tools import config

from ..engine.addresses import FetchError
from ..engine.secret_box import CannotOpen, seal, unseal
from ..sync.discover import starts

#: Where the key that passwords are sealed with is looked for: outside of the database.
KEY_OPTION, KEY_VARIABLE = "crm_automation_secret_key", "CRM_AUTOMATION_SECRET_KEY"
#: Characters below which a key is none.
SHORTEST_KEY = 16
#: Those of one user: each has its turn, for which those of others wait.
MAX_OWN = 10
#: The jobs that keep them in step.
JOBS = ("crm_automation.ir_cron_accounts_1", "crm_automation.ir_cron_accounts_2")
#: Of an interval: not all accounts of a server come at the same moment.
JITTER = 0.1


class CaldavAccount(models.Model):
    _name = "caldav.account"
    _inherit = ["calendar.elsewhere"]
    _description = "CalDAV Account"
    _order = "name, id"

    name = fields.Char(
        required=True,
        help="What you call it.",
    )
    enabled = fields.Boolean(
        help="Switched off, nothing is read or written until it is switched on again.",
    )
    url = fields.Char(
        "Address",
        required=True,
        help="Address of the server (https://…), its name, or your e-mail address there.",
    )
    login = fields.Char("User Name", help="Empty: the password is an access token.")
    password = fields.Char(
        compute="_compute_password",
        inverse="_inverse_password",
        store=False,
        help="Password, app password or token. It can be written here, and never read.",
    )
    secret = fields.Char(groups=fields.NO_ACCESS, copy=False)
    has_password = fields.Boolean(compute="_compute_has_password", compute_sudo=True)
    key_is_outside = fields.Boolean(compute="_compute_key_is_outside")
    minutes = fields.Selection(
        [
            ("5", "Every 5 minutes"),
            ("15", "Every 15 minutes"),
            ("30", "Every 30 minutes"),
            ("60", "Every hour"),
            ("360", "Every 6 hours"),
            ("1440", "Every day"),
        ],
        "How Often",
        required=True,
        default="15",
        help="How often the server is asked what has changed there. What changes in Odoo goes "
        "out within seconds.",
    )
    brake_count = fields.Integer(
        "Ask before Deleting",
        default=10,
        help="If more meetings than this, and more than this part of the calendar, would be "
        "deleted on one side at once, or all of them, nothing is deleted until you say so.",
    )
    brake_percent = fields.Integer(
        "Ask before Deleting (% of the Calendar)",
        default=10,
        help="You are asked when more than this part of the calendar, and more meetings than the "
        "number beside it, would be deleted at once; always, when it is all of the calendar.",
    )

    state = fields.Selection(
        [
            ("new", "Not connected yet"),
            ("ok", "In step"),
            ("working", "Working"),
            ("waiting", "Waiting"),
            ("asks", "Needs you"),
        ],
        default="new",
        required=True,
        readonly=True,
        copy=False,
        help="Waiting: it is tried again by itself. Needs you: it goes on when you have done what "
        "is said there.",
    )
    message = fields.Text(
        "What Is Wrong",
        readonly=True,
        copy=False,
        help="Why it waits or needs you, and what to do about it; empty: all is well.",
    )
    test_report = fields.Html(
        "Connection",
        readonly=True,
        copy=False,
        sanitize=True,
        help="What the last test found: the server and its calendars, or where it failed.",
    )
    last_sync = fields.Datetime(
        "Last in Step",
        readonly=True,
        copy=False,
        help="When both sides were last compared without an error.",
    )
    next_sync = fields.Datetime(
        "Next Time",
        readonly=True,
        copy=False,
        index=True,
        help="When the server is asked again by itself.",
    )
    calendar_ids = fields.One2many(
        "caldav.account.calendar",
        "account_id",
        "Calendars",
        help="What the server has for you. Switch on those that are to be kept in step.",
    )
    run_ids = fields.One2many(
        "caldav.account.run",
        "account_id",
        "Runs",
        readonly=True,
        help="What was done each time, the latest first; kept for 90 days.",
    )
    problem_count = fields.Integer(
        "Open Questions",
        compute="_compute_problem_count",
        help="Meetings and to-dos that are left as they are for now, most of them until you "
        "decide.",
    )

    @api.depends("secret")
    def _compute_has_password(self):
        for account in self:
            account.has_password = bool(account.secret)

    def _compute_password(self):
        self.password = False

    def _inverse_password(self):
        for account in self:
            if account.password:
                account.sudo()._keep_password(account.password)
        # Nothing of it stays where the next read would find it.
        self.invalidate_recordset(["password"], flush=False)

    def _compute_key_is_outside(self):
        self.key_is_outside = bool(_outside_key())

    def _compute_problem_count(self):
        groups = self.env["caldav.account.object"]._read_group(
            [("account_id", "in", self.ids), ("hold", "!=", False)], ["account_id"], ["__count"]
        )
        counts = {account.id: count for account, count in groups}
        for account in self:
            account.problem_count = counts.get(account.id, 0)

    @api.constrains("url")
    def _check_url(self):
        Fetch = self.env["ical.fetch"]
        for account in self:
            try:
                for address in starts(account.url):
                    Fetch._allowed().check_port(address)
                    account._check_secrecy(address, Fetch._allowed())
            except FetchError as error:
                raise ValidationError(Fetch._sentence(error)) from None

    def _check_secrecy(self, address, allowed):
        """A password is not kept, nor sent, where others can read it."""
        if address.user or address.password:
            raise ValidationError(
                self.env._(
                    "Write the user name and the password into their own fields, not into the "
                    "address: there everybody who sees it could read them."
                )
            )
        if address.scheme != "https" and not allowed.trusts(address.host, address.port):
            raise ValidationError(
                self.env._(
                    "%(host)s would get your password unencrypted. Write https://, or ask an "
                    "administrator to allow this host in the settings of the calendar.",
                    host=address.host,
                )
            )

    @api.constrains("brake_count", "brake_percent")
    def _check_brake(self):
        for account in self:
            if account.brake_count < 0 or not 0 <= account.brake_percent <= 100:
                raise ValidationError(
                    self.env._("Deletions without asking: a number, and a part from 0 to 100 %.")
                )

    # --- What may be written

    @api.model
    def _protected(self):
        names = {"secret", "test_report", "last_sync", "next_sync", "run_ids"}
        return super()._protected() | names

    @api.model
    def _blank(self):
        # Not even blank it is a user's to write.
        return {name: value for name, value in super()._blank().items() if name != "secret"}

    @api.model_create_multi
    def create(self, vals_list):
        accounts = super().create(vals_list)
        if self._has_more_than(MAX_OWN):
            raise UserError(
                self.env._("You can have %(limit)s CalDAV accounts at most.", limit=MAX_OWN)
            )
        return accounts

    def write(self, vals):
        self._refuse(vals)
        before = {account: _server_of(account.url) for account in self} if "url" in vals else {}
        result = super().write(vals)
        moved = self.filtered(lambda one: before and before[one] != _server_of(one.url))
        if moved and not vals.get("password"):
            # A password goes to the server for which it was given, and to no other one.
            moved.sudo().secret = False
        if not self.env.su and {"url", "login", "password", "enabled", "minutes"}.intersection(
            vals
        ):
            self.sudo().write({"failures": 0, "next_sync": self.env.cr.now()})
            self.sudo().calendar_ids._try_again()
            self._wake()
        return result

    # --- The password

    def _place(self):
        return f"{self.env['caldav.object']._database()}/account/{self.id}"

    def _keep_password(self, text):
        """Seal it: with the key of the server where there is one, else of the database."""
        key = _outside_key()
        kind, key = ("outside", key) if key else ("inside", self._inside_key())
        self.secret = f"{kind}:{seal(text, key, self._place())}"

    def _open_password(self):
        """The password, or '' when there is none.

        :raises CannotOpen: when the key is another one now
        """
        kind, _, sealed = (self.secret or "").partition(":")
        if not sealed:
            return ""
        key = _outside_key() if kind == "outside" else self._inside_key()
        if not key:
            raise CannotOpen
        text = unseal(sealed, key, self._place())
        if kind == "inside" and _outside_key():
            self._keep_password(text)
        return text

    def _inside_key(self):
        return self.env["ir.config_parameter"].sudo().get_param("database.secret")

    # --- When

    def _interval(self):
        seconds = int(self.minutes) * 60
        return timedelta(seconds=round(seconds * random.uniform(1 - JITTER, 1 + JITTER)))

    @api.model
    def _wake(self):
        """Let what is due be done as soon as this transaction has committed."""
        for name in JOBS:
            self.env["ir.cron"]._automation_wake(name)


def _outside_key():
    """The key of this server, or ''."""
    key = os.environ.get(KEY_VARIABLE) or config.get(KEY_OPTION) or ""
    return key if len(key) >= SHORTEST_KEY else ""


def _server_of(url):
    """Whom a password is told."""
    try:
        return starts(url or "")[0].origin
    except FetchError:
        return None
