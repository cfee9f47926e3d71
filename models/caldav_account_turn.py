"""The calendars of an account in one turn, in step one after the other.

What fails in one of them stops no other, and is said beside it; it is tried again less and
less often. What concerns the server as a whole ends the turn.
"""

from odoo import fields, models

from ..engine.addresses import FetchError, read_address
from ..engine.backoff import next_read
from ..engine.secret_box import CannotOpen
from ..sync.discover import is_same_house, starts
from ..sync.errors import NEEDS_USER, OF_CALENDAR, OF_ONE, RemoteError
from .caldav_account_object import ASKING
from .caldav_sync import CalendarSync
from .caldav_sync_undo import Undo

STATES = [
    ("ok", "Up to date"),
    ("working", "Working"),
    ("waiting", "Waiting"),
    ("asks", "Needs you"),
]


class CaldavAccountCalendar(models.Model):
    _inherit = "caldav.account.calendar"

    state = fields.Selection(
        STATES,
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
    failures = fields.Integer("Failed in a Row", readonly=True, copy=False)
    next_try = fields.Datetime(readonly=True, copy=False)

    def _note_state(self, state, message=False, failures=0, next_try=False):
        """Say how far it is, where that is something new."""
        new = {"state": state, "message": message, "failures": failures, "next_try": next_try}
        for calendar in self:
            changed = {name: value for name, value in new.items() if calendar[name] != value}
            if changed:
                calendar.write(changed)

    def _try_again(self):
        """Do not wait until the next try."""
        self.filtered("next_try").write({"failures": 0, "next_try": False})

    def _in_step(self, is_done):
        """Nothing has failed. :param bool is_done: whether nothing is left to do"""
        held = self.env["caldav.account.object"].search_count(
            [("calendar_id", "=", self.id), ("hold", "in", ASKING)]
        )
        if held:
            self._note_state("asks", self.env["caldav.account"]._held(held))
        else:
            self._note_state("ok" if is_done else "working")

    def _failed(self, error):
        """:param FetchError error: why this calendar cannot be brought in step"""
        account = self.account_id
        failures = self.failures + 1
        wait = next_read(failures, account._interval(), error.facts.get("retry_after"))
        self._note_state(
            account._state_of(error), account._why(error), failures,
            self.env.cr.now().replace(microsecond=0) + wait,
        )  # fmt: skip
        self.is_gone = error.code == "missing"


class CaldavAccount(models.Model):
    _inherit = "caldav.account"

    def _held(self, count):
        return self.env._("Waiting for your decision: %(count)s.", count=count)

    def _state_of(self, error):
        """Whether somebody has to do something about it, or waiting helps."""
        needs_user = isinstance(error, CannotOpen) or (
            getattr(error, "code", "") in NEEDS_USER | OF_ONE | {"elsewhere"}
        )
        return "asks" if needs_user else "waiting"


class Turn:
    """:param account: caldav.account, as superuser
    :param Transport transport: that is open
    :param journal: notes what is done; see ``caldav_account_journal``
    :param bool only_out: what has changed in Odoo only
    """

    def __init__(self, account, transport, journal, only_out):
        self.account, self.transport, self.journal = account, transport, journal
        self.only_out = only_out
        self.errors, self.unfinished = {}, set()
        self.syncs = {}

    def run(self):
        """:return: (whether nothing is left to do, error or None)"""
        now = self.account.env.cr.now()
        calendars = self.account.calendar_ids.filtered(
            lambda one: one.enabled and not (one.next_try and one.next_try > now)
        )
        calendars.filtered(lambda one: not one.state)._note_state("working")
        for calendar in calendars:
            self._guarded(calendar, self._look)
        # What is gone from one calendar is done when it is known what is new in all; the last
        # time is for what has come into one that was done before.
        for deletes in (False, True, True):
            for calendar in calendars:
                self._guarded(calendar, self._work, deletes)
        for calendar in calendars.filtered(lambda one: one not in self.errors):
            calendar._in_step(calendar not in self.unfinished)
        if calendars and len(self.errors) == len(calendars):
            # None of them: that is the account's business.
            return True, next(iter(self.errors.values()))
        return not self.unfinished, None

    def _guarded(self, calendar, do, *args):
        if calendar in self.errors:
            return
        try:
            do(calendar, *args)
        except FetchError as error:
            if error.code not in OF_ONE | OF_CALENDAR:
                raise
            self.account._start_anew(self.journal)
            self.errors[calendar] = error
            calendar._failed(error)
            self.account._commit()

    def _look(self, calendar):
        address = read_address(calendar.url)[0]
        origin = starts(self.account.url)[0]
        if address.origin not in self.transport.told:
            if not (address.scheme == "https" and is_same_house(origin.host, address.host)):
                raise RemoteError("elsewhere", host=address.base)
            self.transport.tell(address)
        if not self.only_out:
            Undo(calendar, self.transport, address, self.journal).run()
        sync = CalendarSync(calendar, self.transport, address, self.journal)
        sync.look(self.only_out)
        self.syncs[calendar] = sync
        if calendar.is_gone:
            calendar.is_gone = False

    def _work(self, calendar, deletes):
        if not self.syncs[calendar].work(deletes):
            self.unfinished.add(calendar)
