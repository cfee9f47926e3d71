"""Whom the wizard of invitations invites: read, checked and shown before it is done."""

from markupsafe import Markup

from odoo import api, fields, models
from odoo.exceptions import UserError
from odoo.tools import email_normalize

from ..engine import recipients

#: People who can be invited at once; rows of the preview; people of a category from
#: which on it asks; faults that are told one by one.
MAX_INVITED, MAX_SHOWN, MANY, MAX_FAULTS = 10_000, 50, 20, 20


class CalendarInvite(models.TransientModel):
    _inherit = "calendar.invite"

    invited_count = fields.Integer(
        "People",
        compute="_compute_preview",
        help="How many will be invited, each of them counted once.",
    )
    is_many = fields.Boolean(compute="_compute_preview")
    preview = fields.Html(
        compute="_compute_preview",
        sanitize=False,
        help="Who will be invited, who is already, and who is busy at that time.",
    )

    @api.depends(
        "user_ids", "contact_ids", "emails", "team_ids", "category_ids", "start", "duration",
        "event_ids", "attendee_id",
    )  # fmt: skip
    def _compute_preview(self):
        for wizard in self:
            partners, unknown, faults = wizard._read_people()
            wizard.invited_count = len(partners) + len(unknown)
            wizard.is_many = bool(wizard.category_ids) and len(wizard._of_categories()) > MANY
            wizard.preview = wizard._preview_table(partners, unknown, faults)

    def _read_people(self):
        """Whom the fields of the wizard name, each once.

        :return: contacts; addresses that no contact has; what is no address
        """
        found, faults = recipients.read(self.emails or "")
        known = self._contacts_of(found)
        partners = self._invited_contacts() | self.env["res.partner"].union(*known.values())
        return partners, [one for one in found if one.address not in known], faults

    def _people_to_invite(self):
        """list of ``Invited``; contacts are made of addresses, if that is wanted.

        :raises UserError: for what is missing or wrong, each thing by its name
        """
        partners, unknown, faults = self._read_people()
        if problem := self._problem_with(partners, unknown, faults):
            raise UserError(problem)
        if self.make_contacts and unknown:
            partners |= self._make_contacts(unknown)
            unknown = []
        return self._as_invited(partners, unknown)

    def _problem_with(self, partners, unknown, faults):
        """What is missing or wrong, in words, or None."""
        if faults:
            return self._fault_words(faults)
        number = len(partners) + len(unknown)
        if not number:
            return self._nobody_words()
        if number > MAX_INVITED:
            return self.env._(
                "These are %(number)s people; at most %(limit)s can be invited at once. "
                "Choose fewer, or make a visit plan, which books a meeting for each.",
                number=number,
                limit=MAX_INVITED,
            )
        if self.is_many and not self.is_confirmed:
            return self.env._(
                "These categories have %(number)s customers, and each of them will see who "
                "else is invited. Tick the box if that is wanted; a visit plan books a "
                "meeting for each customer instead.",
                number=len(self._of_categories()),
            )
        mute = partners.filtered(lambda one: not email_normalize(one.email or ""))
        if self.send_mail and mute:
            return self.env._(
                "%(names)s must have an email address to send mail. Give one, leave them "
                "out, or do not send.",
                names=", ".join(mute[:MAX_FAULTS].mapped("display_name")),
            )
        return None

    def _make_contacts(self, unknown):
        language = {"lang": self.language} if self.language else {}
        return self.env["res.partner"].create(
            [{"name": one.name or one.address, "email": one.address, **language} for one in unknown]
        )

    def _contacts_of(self, found):
        """dict from address to the contact who has it: a user first, then a person."""
        addresses = [one.address for one in found]
        if not addresses:
            return {}
        partners = self.env["res.partner"].search([("email_normalized", "in", addresses)])
        result = {}
        for partner in partners.sorted(lambda one: (one.partner_share, one.is_company, one.id)):
            result.setdefault(partner.email_normalized, partner)
        return result

    def _nobody_words(self):
        return {
            "internal": self.env._("Please select any User."),
            "partner": self.env._("Please select any Contact."),
            "external": self.env._("Please write any address."),
            "team": self.env._("Please select any Sales Team with members."),
            "category": self.env._("Please select any Category that has customers."),
        }[self.type]

    def _fault_words(self, faults):
        """One line for each, with what is wrong."""
        reasons = {
            "at": self.env._("an address has one @"),
            "local": self.env._("what stands before the @ is not allowed"),
            "domain": self.env._("what stands after the @ is no domain"),
            "long": self.env._("it is too long"),
        }
        lines = [
            self.env._("“%(text)s”: %(reason)s", text=one.text, reason=reasons[one.code])
            for one in faults[:MAX_FAULTS]
        ]
        if len(faults) > MAX_FAULTS:
            lines.append(
                self.env._("and %(number)s more", number=len(faults) - MAX_FAULTS)
            )  # fmt: skip
        head = self.env._("These are no e-mail addresses:")
        return "\n".join([head, *lines])

    # -- preview -----------------------------------------------------------------

    def _preview_table(self, partners, unknown, faults):
        event = self.event_ids[:1]._origin or self.attendee_id.event_id
        there = {one._key() for one in event.attendee_ids}
        shown = partners[:MAX_SHOWN]
        busy = self._busy_of(shown)
        rows = []
        for partner in shown:
            if partner.id in there:
                words, style = self.env._("Invited already"), "text-muted"
            elif busy is None:
                words, style = "", ""
            elif busy.get(partner):
                words, style = self.env._("Busy"), "text-danger"
            else:
                words, style = self.env._("Free"), "text-success-emphasis"
            rows.append((partner.display_name, partner.email or "–", words, style))
        for one in unknown[: MAX_SHOWN - len(rows)]:
            known = one.address in there
            words = self.env._("Invited already") if known else self.env._("By address alone")
            rows.append((one.name, one.address, words, "text-muted"))
        for fault in faults[:MAX_FAULTS]:
            rows.append((fault.text, "", self.env._("No address"), "text-danger"))
        if not rows:
            return False
        number = len(partners) + len(unknown)
        rest = number - len(shown) - len(unknown[: MAX_SHOWN - len(shown)])
        body = Markup().join(
            Markup('<tr><td>%s</td><td>%s</td><td class="%s">%s</td></tr>') % (
                name, address, style, words
            )
            for name, address, words, style in rows
        )  # fmt: skip
        if rest > 0:
            more = self.env._("and %(number)s more", number=rest)
            body += Markup('<tr><td colspan="3">%s</td></tr>') % more
        return Markup('<table class="table table-sm mb-0"><tbody>%s</tbody></table>') % body

    def _busy_of(self, partners):
        """Who has other meetings at the time; None when no time is known."""
        start, stop = self._slot()
        if not start or not stop:
            return None
        event = self.event_ids or self.attendee_id.event_id
        return partners._busy_times(start, stop, but=event)
