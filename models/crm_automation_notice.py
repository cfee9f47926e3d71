"""The notice: who is told, and by which channel.

Owns the ticks and the recipients. The words are in
``crm_automation_notice_letter.py``, what is queued in
``crm_automation_notice_queue.py``. An abstract model, so that whatever sends a
notice has the same ticks and the same text.
"""

import dataclasses
import re

from odoo import api, fields, models
from odoo.exceptions import AccessError, ValidationError
from odoo.tools import email_normalize
from odoo.tools.mail import email_split, html2plaintext

from ..engine.keywords import unknown_keywords

#: One address, bare or behind a name: ``office@example.com``, ``Ana <a@b.es>``.
ADDRESS = re.compile(r"(?:[^<>@,;]*<[^\s<>@,;]+@[^\s<>@,;]+>|[^\s<>@,;]+@[^\s<>@,;]+)")
#: Where models keep who has to approve a record, or manages it; the first that
#: is filled in counts. Paths to users or employees.
APPROVER_PATHS = (
    "employee_id.leave_manager_id",
    "manager_id",
    "approver_id",
    "employee_id.parent_id",
    "project_id.user_id",
    "team_id.user_id",
)
TICKS = (
    "responsible", "leader", "technical", "approver", "customer", "attendees", "followers",
    "watchers",
)  # fmt: skip
#: Roles of strangers to the house: the blacklist is theirs, and they read
#: nothing internal.
OUTSIDE_ROLES = frozenset({"customer", "attendees", "followers", "watchers"})


@dataclasses.dataclass
class Recipient:
    """Somebody who is to be told.

    :param str role: a role of ``crm.automation.delivery``
    :param partner: ``res.partner`` (sudo), empty for a bare address
    :param str email: normalized address, or False
    :param str lang: code of the language the text is written in
    :param str tz: name of the time zone that moments are given in
    :param user: ``res.users`` who may open the record in Odoo's own screens, or empty
    :param str skip: why no mail is written, or None
    """

    role: str
    partner: object
    email: str
    lang: str
    tz: str
    user: object
    skip: str = None

    @property
    def internal(self):
        return bool(self.user)


class CrmAutomationNotice(models.AbstractModel):
    _name = "crm.automation.notice"
    _description = "Notice"

    channel = fields.Selection(
        [
            ("email", "E-mail"),
            ("inbox", "Odoo's inbox (others by e-mail)"),
            ("activity", "To-do in Odoo (others by e-mail)"),
        ],
        required=True,
        default="email",
        help="Who has no user in Odoo is always told by e-mail.",
    )
    notify_responsible = fields.Boolean(
        "Mail to Responsible", help="The salesperson, the assignees or the organiser."
    )
    notify_leader = fields.Boolean("Mail to Team Leader", help="The leader of the sales team.")
    notify_technical = fields.Boolean(
        "Mail to Technical Responsible",
        help="The manager of the project, or the technical responsible of the sales team.",
    )
    notify_approver = fields.Boolean(
        "Mail to Approver or Manager",
        help="Who has to approve the record, a leave request for example; else the manager.",
    )
    notify_customer = fields.Boolean(
        "Mail to Customer", help="The customer of the record, or its e-mail address."
    )
    notify_customer_path = fields.Char(
        "Customer Is in Field",
        help="Where the record keeps who is told as its customer, if not in its customer field: "
        "a field or a path such as employee_id.work_contact_id.",
    )
    notify_attendees = fields.Boolean(
        "Mail to Attendees", help="Everybody invited to the meeting who has not declined."
    )
    notify_followers = fields.Boolean("Mail to Followers", help="Everybody who follows the record.")
    notify_watchers = fields.Boolean(
        "Mail to Watchers (CC)", help="The addresses that the record keeps as its e-mail copies."
    )
    watcher_emails = fields.Char(
        "Add Watchers (CC)",
        help="Addresses, separated by commas, that are added to the record's e-mail copies, so "
        "that they get what comes later as well.",
    )
    notify_emails = fields.Char(
        "Mail to These Emails", help="Further addresses, separated by commas."
    )
    skip_actor = fields.Boolean(
        "Not to Whoever Did It", help="Nobody is told what they have just done themselves."
    )

    @api.model
    def _notice_ticks(self):
        return tuple(f"notify_{name}" for name in TICKS)

    def _tells_somebody(self):
        self.ensure_one()
        return bool(self.notify_emails) or any(self[name] for name in self._notice_ticks())

    def _recipients_in_words(self):
        """The ticks as a list of words for a sentence."""
        words = {
            "responsible": self.env._("its responsible"),
            "leader": self.env._("its team leader"),
            "technical": self.env._("its technical responsible"),
            "approver": self.env._("its approver or manager"),
            "customer": self.env._("its customer"),
            "attendees": self.env._("its attendees"),
            "followers": self.env._("its followers"),
            "watchers": self.env._("its watchers"),
        }
        told = [words[name] for name in TICKS if self[f"notify_{name}"]]
        return told + ([self.notify_emails] if self.notify_emails else [])

    # -- checks ---------------------------------------------------------------

    @api.constrains("content", "subject", "body", "template_id")
    def _check_text(self):
        for notice in self:
            unknown = unknown_keywords(notice.subject) + unknown_keywords(
                html2plaintext(notice.body or "")
            )
            if unknown:
                raise ValidationError(
                    self.env._(
                        "These words in the mail stand for nothing: %(words)s. Pick from the "
                        "list of keywords beside the text.",
                        words=", ".join(unknown),
                    )
                )
            if notice.content == "own" and not (notice.subject and notice.body):
                raise ValidationError(self.env._("Your own text needs a subject and a mail body."))
            if notice.content == "template":
                notice._check_template()

    def _check_template(self):
        if not self.template_id:
            raise ValidationError(self.env._("Choose the e-mail template of the text."))
        if self.template_id.sudo().model != self.model_name:
            raise ValidationError(
                self.env._("The e-mail template is about another kind of record.")
            )
        if self.trigger == "deleted":
            raise ValidationError(
                self.env._("Of a deleted record no template can be filled in: use another text.")
            )

    @api.constrains("notify_emails", "notify_reply_to", "watcher_emails", "sender_email")
    def _check_addresses(self):
        for notice in self:
            texts = (
                notice.notify_emails, notice.notify_reply_to, notice.watcher_emails,
                notice.sender_email,
            )  # fmt: skip
            for text in texts:
                parts = [part.strip() for part in (text or "").split(",") if part.strip()]
                wrong = [part for part in parts if not ADDRESS.fullmatch(part)]
                if wrong:
                    raise ValidationError(
                        self.env._(
                            "This is no e-mail address: %(address)s. Separate several by commas.",
                            address=", ".join(wrong),
                        )
                    )

    @api.constrains("notify_customer_path", "model_id")
    def _check_customer_path(self):
        for notice in self.filtered("notify_customer_path"):
            # Constraints run with all rights; the path must need no more than
            # those of whoever saves it.
            model = self.env[notice.model_name].sudo(False)
            if not notice._ends_at_somebody(model, notice.notify_customer_path):
                raise ValidationError(
                    self.env._(
                        "“%(path)s” does not lead from this object to a contact, a user, an "
                        "employee or an e-mail address that you may read.",
                        path=notice.notify_customer_path,
                    )
                )

    @api.model
    def _ends_at_somebody(self, model, path):
        names = path.split(".")
        for place, name in enumerate(names):
            field = model._fields.get(name)
            try:
                model.check_access("read")
            except AccessError:
                return False
            if not field or not model._has_field_access(field, "read"):
                return False
            if not field.relational:
                return field.type == "char" and place == len(names) - 1
            model = model.env[field.comodel_name]
        return model._name in ("res.partner", "res.users", "hr.employee", "hr.employee.public")

    # -- who that is --------------------------------------------------------------

    @api.model
    def _responsibles(self, record):
        """Users who answer for a record. Hook for extensions.

        :return: ``res.users``, empty where the model has none
        """
        for name in ("user_id", "user_ids"):
            field = record._fields.get(name)
            if field and field.relational and field.comodel_name == "res.users":
                return record.sudo()[name]
        return self.env["res.users"]

    @api.model
    def _customer(self, record):
        """The customer: a partner, else a bare address. Hook for extensions.

        A task without one is done for the customer of its project; of a meeting,
        the first who is invited from outside.

        :return: pair of ``res.partner`` and address
        """
        if record._name == "project.task":
            task = record.sudo()
            return task.partner_id or task.project_id.partner_id, False
        if record._name == "calendar.event":
            return self._attendees(record).partner_id.filtered("partner_share")[:1], False
        field = record._fields.get("partner_id")
        partner = self.env["res.partner"]
        if field and field.relational and field.comodel_name == "res.partner":
            partner = record.sudo()["partner_id"]
        if record._name == "res.partner":
            partner = record.sudo()
        email = record.sudo()["email_from"] if "email_from" in record._fields else False
        return partner, email

    @api.model
    def _walk(self, record, path):
        """What a path of fields leads to; False where the model has no such path."""
        value = record.sudo()
        for name in path.split("."):
            if not isinstance(value, models.BaseModel) or name not in value._fields:
                return False
            value = value[name]
        return value

    @api.model
    def _as_people(self, value):
        """Contacts, users, employees or an address as a list of [partner id, address]."""
        if not value:
            return []
        if isinstance(value, str):
            return [[False, address] for address in email_split(value)]
        if value._name == "res.users":
            value = value.partner_id
        if value._name == "res.partner":
            return [[partner.id, False] for partner in value]
        people = []
        for employee in value:
            partner = employee.user_id.partner_id or employee.work_contact_id
            people.append([partner.id, employee.work_email])
        return people

    def _find_responsible(self, record):
        return self._as_people(self._responsibles(record))

    def _find_leader(self, record):
        return self._as_people(self._walk(record, "team_id.user_id"))

    def _find_technical(self, record):
        project = self._walk(record, "project_id.user_id")
        return self._as_people(project or self._walk(record, "team_id.technical_user_id"))

    def _find_approver(self, record):
        for path in APPROVER_PATHS:
            if people := self._as_people(self._walk(record, path)):
                return people
        return []

    def _find_customer(self, record):
        if self.notify_customer_path:
            return self._as_people(self._walk(record, self.notify_customer_path))
        if record._name == "calendar.event":
            invited = self._attendees(record)
            return self._as_invited(invited.filtered("partner_id.partner_share"))
        partner, email = self._customer(record)
        return [[partner.id, email]] if partner or email else []

    def _find_attendees(self, record):
        return self._as_invited(self._attendees(record))

    @api.model
    def _attendees(self, record):
        """``calendar.attendee`` (sudo) of a meeting, none of anything else."""
        if "attendee_ids" not in record._fields:
            return self.env["calendar.attendee"].sudo()
        attendees = record.sudo().attendee_ids
        if self._is_secret(record):
            # The cache may hold none of them: see _participants.
            attendees = attendees.search([("event_id", "=", record.id)], order="id")
        return attendees

    @api.model
    def _as_invited(self, attendees):
        """Attendees as a list of [partner id, address, declined]."""
        return [
            [attendee.partner_id.id, attendee.email, attendee.state == "declined"]
            for attendee in attendees
        ]

    def _find_followers(self, record):
        if "message_partner_ids" not in record._fields:
            return []
        return self._as_people(record.sudo().message_partner_ids)

    def _find_watchers(self, record):
        copies = record.sudo()["email_cc"] if "email_cc" in record._fields else ""
        return self._as_people(copies or "") + self._as_people(self.watcher_emails or "")

    def _people(self, record):
        """Role to the people ticked, as JSON can keep them.

        :return: dict of role to a list of [partner id, address, declined]
        """
        self.ensure_one()
        return {
            role: getattr(self, f"_find_{role}")(record) for role in TICKS if self[f"notify_{role}"]
        }

    def _nobody(self, role):
        """Why nobody is told in a role that is ticked."""
        return {
            "responsible": self.env._("The record has no responsible."),
            "leader": self.env._("The record has no team with a leader."),
            "technical": self.env._("The record has no technical responsible."),
            "approver": self.env._("The record has nobody to approve it, and no manager."),
            "customer": self.env._("The record has no customer."),
            "attendees": self.env._("The record has no attendees."),
            "followers": self.env._("The record has no followers."),
            "watchers": self.env._("The record has no watchers."),
        }[role]

    def _recipients(self, firing, record, company, known=None):
        """Everybody ticked, one entry for each address.

        :param firing: the ``crm.automation.firing``
        :param record: the record, with the rights of the rule's owner; empty
            when it is deleted
        :param company: ``res.company`` that gives language and zone to strangers
        :param dict known: keeps what a batch has found out about people
        :rtype: list of Recipient
        """
        self.ensure_one()
        known = {} if known is None else known
        payload = firing._told()
        gone = payload.get("gone")
        people = gone["people"] if gone else self._people(record)
        if "responsible" in people and (merged := payload.get("merged")):
            # The responsibles of what was merged into it are concerned as well.
            ids = [entry["user_id"] for entry in merged if entry["user_id"]]
            users = self.env["res.users"].sudo().browse(ids).exists()
            people["responsible"] = people["responsible"] + self._as_people(users)
        actor = firing.actor_id.partner_id if self.skip_actor else self.env["res.partner"]
        Partner = self.env["res.partner"].sudo()
        found = []
        for role, entries in people.items():
            for partner_id, email, *declined in entries:
                partner = Partner.browse(partner_id or [])
                skip = None
                if any(declined):
                    skip = self.env._("%(name)s has declined.", name=partner.name or email)
                elif partner and partner == actor:
                    skip = self.env._("%(name)s has done it.", name=partner.name)
                key = (role, company.id, partner_id, email)
                if key not in known:
                    known[key] = self._recipient(role, company, partner, email)
                found.append(dataclasses.replace(known[key], skip=skip or known[key].skip))
            if not entries:
                found.append(self._recipient(role, company, skip=self._nobody(role)))
        for address in email_split(self.notify_emails or ""):
            found.append(self._recipient("extra", company, email=address))
        return self._deduplicate(found)

    def _recipient(self, role, company, partner=None, email=False, skip=None):
        partner = (partner or self.env["res.partner"]).sudo()
        address = email_normalize(partner.email or email)
        users = partner.with_context(active_test=False).user_ids
        languages = {code for code, _name in self.env["res.lang"].get_installed()}
        wishes = (partner.lang, company.partner_id.lang, self.env.lang)
        lang = next((code for code in wishes if code in languages), "en_US")
        if not skip:
            skip = self._skip_reason(role, partner, users, address)
        return Recipient(
            role=role,
            partner=partner,
            email=address,
            lang=lang,
            tz=partner.tz or company.partner_id.tz or "UTC",
            user=users.filtered(lambda user: user.active and not user.share)[:1],
            skip=skip,
        )

    def _skip_reason(self, role, partner, users, address):
        """Why this one gets no mail, or None. Hook for extensions."""
        if partner and not partner.active:
            return self.env._("%(name)s is archived.", name=partner.name)
        if users and not any(users.mapped("active")) and role not in OUTSIDE_ROLES:
            return self.env._("The user %(name)s is archived.", name=partner.name)
        if not address:
            return self.env._("%(name)s has no valid e-mail address.", name=partner.name or "?")
        if role in OUTSIDE_ROLES and self.env["mail.blacklist"].sudo().search_count(
            [("email", "=", address)], limit=1
        ):
            return self.env._("%(address)s wants no mail (blacklist).", address=address)
        return None

    @api.model
    def _deduplicate(self, recipients):
        """One entry for each address; who is told in one role is not left out in another."""
        told = {}
        kept = []
        for recipient in recipients:
            if recipient.email and recipient.email in told:
                first = told[recipient.email]
                if first.skip and not recipient.skip:
                    kept[kept.index(first)] = told[recipient.email] = recipient
                continue
            told[recipient.email] = recipient
            kept.append(recipient)
        return kept
