"""A calendar that lies elsewhere and is read on a schedule.

Owns the definition, its owner's rights, and his choices. How it is read is in
``calendar_subscription_read.py`` and ``_apply.py``, who may change its meetings in
``calendar_subscription_guard.py``.
"""

from datetime import timedelta

from odoo import api, fields, models
from odoo.exceptions import UserError, ValidationError

from ..engine.addresses import FetchError, read_address
from .ical_values import SILENT

#: Key of the context in which a calendar is read.
READING = "crm_automation_subscription"
#: Its values, for an overlay and for an import: objects of this process alone, which
#: nobody can send from outside.
SHOWING, IMPORTING = object(), object()
#: What says of the last answer whether there is another one.
VERSION = ("etag", "last_modified", "content_digest")
#: Those of one user: each may be waited for as long as the job waits, and so are the others'.
MAX_OWN = 50
#: With another value of these, the same answer has another meaning.
MEANING = ("url", "kind", "show_as", "privacy", "vanished", "keep_past")


class CalendarSubscription(models.Model):
    _name = "calendar.subscription"
    _inherit = ["calendar.elsewhere"]
    _description = "Subscribed Calendar"
    _order = "name, id"

    name = fields.Char(
        required=True,
        help="What the calendar is called beside your own.",
    )
    enabled = fields.Boolean(
        help="Switched off, it is not read; what was taken in stays.",
    )
    url = fields.Char(
        "Address",
        required=True,
        copy=False,
        help="Address of the calendar (iCal, .ics): https://… or webcal://…. It is often a "
        "secret: nobody but you sees it.",
    )
    kind = fields.Selection(
        [
            ("overlay", "Only show it in my calendar"),
            ("imported", "Import its meetings as mine"),
        ],
        "What to Do with It",
        required=True,
        default="overlay",
        help="What is only shown cannot be changed, sends nothing, and sets off no rule. What is "
        "imported are meetings like all others.",
    )
    hours = fields.Selection(
        [
            ("1", "Every hour"),
            ("3", "Every 3 hours"),
            ("6", "Every 6 hours"),
            ("12", "Every 12 hours"),
            ("24", "Every day"),
            ("168", "Every week"),
        ],
        "How Often",
        required=True,
        default="6",
        help="The address is read by itself so often; after failures, less often.",
    )
    vanished = fields.Selection(
        [
            ("archive", "Archive it here"),
            ("delete", "Delete it here"),
            ("keep", "Keep it here"),
        ],
        "What Is Gone There",
        required=True,
        default="archive",
        help="Only what came from this calendar is archived or deleted. Nothing that was changed "
        "here is deleted.",
    )
    keep_past = fields.Boolean(
        "Keep What Is Over",
        default=True,
        help="Many calendars give only what is still to come. With this, what they leave out "
        "because it is over stays here.",
    )
    show_as = fields.Selection(
        [("as_said", "As the calendar says"), ("free", "Available"), ("busy", "Busy")],
        "Show Time as",
        required=True,
        default="as_said",
        help="How the time of these meetings looks to others.",
    )
    privacy = fields.Selection(
        [
            ("private", "Only me"),
            ("confidential", "Only internal users"),
            ("public", "Everybody"),
        ],
        "Who Sees What It Is",
        required=True,
        default="private",
        help="Others see of it that you are busy, or what it is.",
    )
    color = fields.Integer(default=4, help="How its meetings look in your calendar.")

    state = fields.Selection(
        [
            ("new", "Not read yet"),
            ("ok", "Up to date"),
            ("asks", "Needs you"),
            ("error", "Not readable"),
        ],
        default="new",
        required=True,
        readonly=True,
        copy=False,
        help="Needs you: meetings are gone there, and you say what becomes of them here.",
    )
    message = fields.Text(
        "What Is Wrong",
        readonly=True,
        copy=False,
        help="Why it could not be read, or what was not taken; empty: all is well.",
    )
    last_read = fields.Datetime(
        readonly=True, copy=False, help="When the address was last asked, even if that failed."
    )
    next_read = fields.Datetime(
        "Next Reading",
        readonly=True,
        copy=False,
        index=True,
        help="When the address is asked again by itself.",
    )
    etag = fields.Char(readonly=True, copy=False)
    last_modified = fields.Char(readonly=True, copy=False)
    content_digest = fields.Char(readonly=True, copy=False)
    held = fields.Json(
        "Held Back", readonly=True, copy=False, help="UIDs of what is gone there, and was not "
        "removed here without asking.",
    )  # fmt: skip
    held_count = fields.Integer(
        compute="_compute_held_count",
        help="Meetings that are gone there and stay here until you decide.",
    )
    dismissed = fields.Json(
        readonly=True, copy=False, help="UIDs of the imported meetings that were deleted here."
    )
    event_ids = fields.One2many("calendar.event", "subscription_id", "Meetings")
    event_count = fields.Integer(
        "Number of Meetings", compute="_compute_event_count", help="What Odoo has of this calendar."
    )
    run_ids = fields.One2many(
        "calendar.subscription.run",
        "subscription_id",
        "Readings",
        help="What was done each time, the latest first; kept for 90 days.",
    )

    @api.depends("held")
    def _compute_held_count(self):
        for subscription in self:
            subscription.held_count = len(subscription.held or ())

    @api.depends("event_ids")
    def _compute_event_count(self):
        counts = dict(
            self.env["calendar.event"]
            .sudo()
            ._read_group([("subscription_id", "in", self.ids)], ["subscription_id"], ["__count"])
        )
        for subscription in self:
            subscription.event_count = counts.get(subscription, 0)

    @api.constrains("url")
    def _check_url(self):
        Fetch = self.env["ical.fetch"]
        for subscription in self:
            try:
                for address in read_address(subscription.url):
                    Fetch._allowed().check_port(address)
            except FetchError as error:
                raise ValidationError(Fetch._sentence(error)) from None

    @api.model
    def _protected(self):
        names = {"last_read", "next_read", "held", "dismissed", "event_ids", "run_ids", *VERSION}
        return super()._protected() | names

    @api.model
    def _blank(self):
        return {**super()._blank(), "next_read": self.env.cr.now()}

    @api.model_create_multi
    def create(self, vals_list):
        subscriptions = super().create(vals_list)
        if self._has_more_than(MAX_OWN):
            raise UserError(
                self.env._("You can subscribe to %(limit)s calendars at most.", limit=MAX_OWN)
            )
        subscriptions._wake()
        return subscriptions

    def write(self, vals):
        self._refuse(vals)
        overlays = self.filtered(lambda one: one.kind == "overlay")
        result = super().write(vals)
        if not set(MEANING).isdisjoint(vals):
            # The same answer is to be read once more.
            again = {**dict.fromkeys(VERSION, False), "next_read": self.env.cr.now()}
            if "url" in vals:
                again.update(failures=0)
            self.sudo().write(again)
        elif {"enabled", "hours"}.intersection(vals):
            self.sudo().next_read = self.env.cr.now()
        else:
            return result
        if "kind" in vals:
            self.sudo()._mark(overlays)
        self.filtered("enabled")._wake()
        return result

    def _mark(self, overlays):
        """The meetings follow what their calendar is now.

        :param overlays: what was shown only, before
        """
        for subscription in self:
            is_overlay = subscription.kind == "overlay"
            if is_overlay != (subscription in overlays):
                subscription._events().write({"is_overlay": is_overlay})

    def _events(self):
        """All its meetings, archived ones too, for the reading itself."""
        key = SHOWING if self.kind == "overlay" else IMPORTING
        return (
            self.env["calendar.event"]
            .sudo()
            .with_context(**SILENT, **{READING: key}, active_test=False)
            .search([("subscription_id", "in", self.ids)])
        )

    def _wake(self):
        """Let what is due be read as soon as this transaction has committed."""
        self.env["ir.cron"]._automation_wake("crm_automation.ir_cron_subscriptions")

    @api.ondelete(at_uninstall=False)
    def _unlink_when_settled(self):
        settled = self.env.context.get(READING) in (SHOWING, IMPORTING)
        if not settled and any(self.mapped("event_count")):
            raise UserError(
                self.env._(
                    "Say what becomes of its meetings: open the subscription and choose Delete "
                    "Subscription."
                )
            )

    def _settle(self, keep):
        """Part with the meetings, and delete the subscription.

        :param bool keep: the meetings become one's own; otherwise they go, those
            excepted that were changed here
        """
        for subscription in self:
            events = subscription.sudo()._events()
            if not keep:
                subscription._delete(events)
                events = events.exists()
            events.write(
                {
                    "subscription_id": False,
                    "is_overlay": False,
                    "subscription_edited": False,
                    "subscription_gone": False,
                    "subscription_kept": False,
                }
            )
        self.env["calendar.ical.source"].sudo().search(
            [("source", "in", [one._source() for one in self])]
        ).unlink()
        self.with_context(**{READING: IMPORTING}).unlink()

    def _source(self):
        """Under which name the engine knows what came from here."""
        return f"subscription:{self.id}"

    def _dismiss(self, uids):
        """Imported meetings were deleted here: they do not come back.

        :param uids: set of their UIDs
        """
        for subscription in self.sudo():
            gone = uids - set(subscription._events().mapped("ical_uid"))
            if gone:
                subscription.dismissed = sorted(gone.union(subscription.dismissed or ()))

    def action_remove_held(self):
        """What was asked about is removed."""
        self.check_access("write")
        self.sudo()._remove_held()

    def action_keep_held(self):
        """What was asked about stays, and is not asked about again."""
        self.check_access("write")
        for subscription in self.sudo():
            subscription._keep_held()

    def _keep_held(self):
        held = set(self.held or ())
        self._events().filtered(lambda one: one.ical_uid in held).write({"subscription_kept": True})
        self._answered()

    def _answered(self):
        self.held = False
        if self.state == "asks":
            self.write({"state": "ok", "message": False})

    def action_open_meetings(self):
        self.ensure_one()
        action = self.env["ir.actions.act_window"]._for_xml_id("calendar.action_calendar_event")
        action.update(
            name=self.name,
            domain=[("subscription_id", "=", self.id)],
            view_mode="list,calendar,form",
            views=[(False, "list"), (False, "calendar"), (False, "form")],
            context={"create": False},
        )
        return action

    def action_delete(self):
        """Ask what becomes of the meetings."""
        self.ensure_one()
        return {
            "type": "ir.actions.act_window",
            "name": self.env._("Delete Subscription"),
            "res_model": "calendar.subscription.delete",
            "view_mode": "form",
            "target": "new",
            "context": {"default_subscription_id": self.id},
        }

    def _interval(self):
        return timedelta(hours=int(self.hours))
