"""A calendar of an account: with which one of Odoo it is kept in step, and how."""

from odoo import api, fields, models
from odoo.exceptions import AccessError, UserError, ValidationError

from ..dav.errors import DavError
from .caldav_sync_here import Here

#: How far the other side was looked at.
SEEN = ("sync_token", "ctag", "can_sync", "listed_at", "here_token")


class CaldavAccountCalendar(models.Model):
    _name = "caldav.account.calendar"
    _description = "Calendar of a CalDAV Account"
    _order = "account_id, name, id"

    account_id = fields.Many2one(
        "caldav.account", required=True, readonly=True, index=True, ondelete="cascade"
    )
    user_id = fields.Many2one(related="account_id.user_id", store=True, index=True)
    name = fields.Char(
        required=True, help="As the server calls it. You may call it otherwise here."
    )
    url = fields.Char("Address", required=True, readonly=True)
    color = fields.Char(readonly=True, help="The one that it has on the server.")
    writable = fields.Boolean("Can Be Written There", readonly=True, default=True)
    is_gone = fields.Boolean(
        "Gone There",
        readonly=True,
        help="The server has it no longer. What came from it stays in Odoo.",
    )
    enabled = fields.Boolean(
        "In Step",
        default=False,
        help="Whether this calendar is kept in step.",
    )
    direction = fields.Selection(
        [
            ("both", "Both ways"),
            ("in", "Only in"),
            ("out", "Only out"),
        ],
        required=True,
        default="both",
        help="Which side hears of the changes of the other. Only in: from there to Odoo. Only "
        "out: from Odoo to there.",
    )
    place = fields.Selection(
        [
            ("agenda", "My agenda"),
            ("own", "Its own"),
            ("team", "A team's"),
        ],
        "Calendar in Odoo",
        required=True,
        default="own",
        help="My agenda: all my meetings go there. Its own: only what comes from there, and "
        "what you put into it with your calendar programs. A team's: the meetings of a sales "
        "team go there.",
    )
    team_id = fields.Many2one(
        "crm.team", "Sales Team", help="Whose meetings go out to this calendar."
    )
    policy = fields.Selection(
        [
            ("ask", "Ask me"),
            ("newest", "The newest"),
            ("odoo", "Odoo's"),
            ("remote", "Theirs"),
        ],
        "Both Have Changed the Same",
        required=True,
        default="newest",
        help="Which version counts when both sides have changed the same. Changes of different "
        "things are merged. What does not count is kept, and can be restored.",
    )
    private_out = fields.Selection(
        [
            ("full", "Everything"),
            ("busy", "Only when"),
            ("none", "Nothing"),
        ],
        "Of My Private Meetings Goes out",
        required=True,
        default="full",
        help="What the other server is told of your private meetings.",
    )
    object_ids = fields.One2many("caldav.account.object", "calendar_id", readonly=True)
    object_count = fields.Integer(
        "Objects",
        compute="_compute_object_count",
        help="Meetings, series and to-dos that are kept in step.",
    )

    collection_id = fields.Many2one("caldav.collection", readonly=True, ondelete="set null")
    sync_token = fields.Char(groups=fields.NO_ACCESS)
    ctag = fields.Char(groups=fields.NO_ACCESS)
    can_sync = fields.Selection([("yes", "Yes"), ("no", "No")], groups=fields.NO_ACCESS)
    #: it has said to be locked while several things were written into it
    writes_singly = fields.Boolean(groups=fields.NO_ACCESS)
    listed_at = fields.Datetime(groups=fields.NO_ACCESS)
    here_token = fields.Char(groups=fields.NO_ACCESS)

    _once = models.UniqueIndex("(account_id, url)")

    def _compute_object_count(self):
        groups = self.env["caldav.account.object"]._read_group(
            [("calendar_id", "in", self.ids)], ["calendar_id"], ["__count"]
        )
        counts = {calendar.id: count for calendar, count in groups}
        for calendar in self:
            calendar.object_count = counts.get(calendar.id, 0)

    @api.constrains("place", "team_id", "direction", "enabled", "writable")
    def _check_place(self):
        for calendar in self:
            if calendar.place == "team" and not calendar.team_id:
                raise ValidationError(self.env._("Which sales team?"))
            if calendar.place == "team" and calendar.direction != "out":
                raise ValidationError(
                    self.env._("The calendar of a sales team goes out only: choose that direction.")
                )
            if calendar.enabled and not calendar.writable and calendar.direction != "in":
                raise ValidationError(
                    self.env._(
                        "%(name)s can only be read there: choose that direction.",
                        name=calendar.name,
                    )
                )

    @api.model_create_multi
    def create(self, vals_list):
        if not self.env.su:
            raise AccessError(self.env._("The calendars are those that the server has."))
        return super().create(vals_list)

    def write(self, vals):
        allowed = {
            "name", "enabled", "direction", "place", "team_id", "policy", "private_out",
        }  # fmt: skip
        if not self.env.su and not allowed.issuperset(vals):
            raise AccessError(self.env._("This is the server's business."))
        anew = self.filtered(
            lambda one: any(
                name in vals and (one[name].id if name == "team_id" else one[name]) != vals[name]
                for name in ("place", "team_id", "direction", "private_out")
            )
        )
        moved = anew.filtered(
            lambda one: {"place", "team_id"}.intersection(vals) and one.object_ids
        )
        if moved and not self.env.su:
            raise ValidationError(
                self.env._(
                    "%(name)s is in step with another calendar of Odoo already. Forget what is "
                    "known of it first.",
                    name=moved[0].name,
                )
            )
        result = super().write(vals)
        if anew:
            # Both sides are looked at from the beginning.
            anew.sudo().write(dict.fromkeys(SEEN, False))
            if "private_out" in vals:
                # What is there says what was chosen before.
                anew.sudo().object_ids.write({"version": False})
        if "enabled" in vals:
            # What was said of it is no longer so.
            self.sudo()._note_state(False)
        if not self.env.su:
            self.sudo()._try_again()
            accounts = self.account_id.sudo()
            accounts.next_sync = self.env.cr.now()
            accounts._wake()
        return result

    def action_forget(self):
        """Forget what is known of both sides: they are matched by UID again, and nothing is
        deleted."""
        self.check_access("write")
        self.sudo().object_ids.unlink()
        self.sudo().write({"enabled": False, **dict.fromkeys(SEEN, False)})

    def _collection(self):
        """The calendar of Odoo, as caldav.collection; made when it is not there yet."""
        self.ensure_one()
        collections = self.env["caldav.collection"].sudo()
        user = self.user_id
        if self.place == "agenda":
            found = collections._of(user, "main")
        elif self.place == "team":
            found = collections._of(user, "team", str(self.team_id.id))
        else:
            key = f"account-{self.id}"
            found = collections.search(
                [("user_id", "=", user.id), ("kind", "=", "own"), ("key", "=", key)]
            ) or collections._make_own(
                user, key, {"name": self.name, "color": self.color or False}
            )  # fmt: skip
        if self.collection_id != found:
            self.sudo().collection_id = found
        return found

    def _restore(self, change):
        """Let Odoo have the version that did not count in a conflict.

        :param change: caldav.account.change
        """
        here = Here(self)
        try:
            here.put(change.uid, change.lost_text)
        except DavError as error:
            raise UserError(str(error)) from error
        change.restored = True
        self.account_id.sudo()._wake()
