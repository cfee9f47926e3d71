"""What a rule makes of one record, in plain words: to look at before it is trusted.

Owns the lines about conditions, recipients and changes. Nothing is done: each
of them says what would be.
"""

from odoo import models
from odoo.exceptions import AccessError, UserError
from odoo.fields import Domain

from ..engine.patterns import PatternTimeout, matching
from .crm_automation_notice_facts import MAX_CHANGED
from .crm_automation_rule_action import TARGETS
from .record_fields import state_field

#: Values of an x2many field or of a condition that are named; the rest is counted.
MAX_NAMED = 10


class CrmAutomationRule(models.Model):
    _inherit = "crm.automation.rule"

    def action_test(self):
        """Try the rule out, first with a record that it may be about."""
        self.ensure_one()
        self.check_access("read")
        if reason := self.model_name not in self.env and self._why_idle():
            raise UserError(reason)
        mine = self._as_mine()
        record = mine._owner_model().browse(mine._sample()[:1].id or [])
        wizard = self.env["crm.automation.rule.test"].create(
            {"rule_id": self.id, "res_id": record.id}
        )
        return wizard.action_test()

    def _explain(self, record):
        """What the rule would do with a record, with the rights of the current user.

        :return: dict with ``conditions``, ``recipients`` and ``changes`` (lists of dicts
            of ``title``, ``value``, ``wanted`` and ``outcome``), ``mails`` (list of dicts)
            and ``verdict``
        """
        self.ensure_one()
        with self._nothing_stays():
            rule = self._as_mine()
            record = rule._owner_model().browse(record.id)
            record.check_access("read")
            if reason := rule._why_hidden(record):
                raise UserError(reason)
            conditions = rule._condition_lines(record)
            recipients, mails = rule._letter_lines(record)
            return {
                "conditions": conditions,
                "recipients": recipients,
                "changes": rule._change_lines(record),
                "mails": mails,
                "verdict": rule._verdict(record, conditions),
            }

    def _verdict(self, record, conditions):
        """One sentence: whether the rule acts on the record, and when."""
        if reason := self._why_idle():
            return reason
        failed = [line for line in conditions if line["outcome"] == "no"]
        if failed:
            return self.env._(
                "The rule would leave this record alone: %(number)s of its conditions do not "
                "match.",
                number=len(failed),
            )
        if self.trigger == "moment":
            date = self._dates(record).get(record.id)
            moment = self._moment(record, date) if date else None
            if moment and moment < self.env.cr.now():
                return self.env._(
                    "All conditions match, but its moment is over: %(moment)s.",
                    moment=self._in_words(moment),
                )
            return self.env._(
                "All conditions match: the rule acts at %(moment)s.",
                moment=self._in_words(moment),
            )
        when = self._label("trigger")
        if any(line["outcome"] == "unknown" for line in conditions):
            return self.env._(
                "As far as it can be told now, the rule would act on this record when this "
                "happens: %(when)s.",
                when=when,
            )
        return self.env._(
            "All conditions match: the rule acts on this record when this happens: %(when)s.",
            when=when,
        )

    # -- conditions ---------------------------------------------------------------

    def _condition_lines(self, record):
        """One line for each condition."""
        lines = [
            self._domain_line(title, term, record)
            for title, domain in self._named_domains()
            for term in _terms(domain)
        ]
        if self.trigger == "moment":
            lines.append(self._moment_line(record))
        return lines + self._text_lines(record) + self._before_lines()

    def _domain_line(self, title, term, record):
        paths = dict.fromkeys(condition.field_expr for condition in term.iter_conditions())
        try:
            found = record.search_count(Domain("id", "=", record.id) & term)
            outcome = "yes" if found else "no"
        except (AccessError, ValueError) as error:
            return _line(title, str(error), self._term_in_words(record, term), "unknown")
        values = {path: self._value_in_words(record, path) for path in paths}
        if len(paths) == 1:
            value = next(iter(values.values()))
        else:
            value = "\n".join(
                f"{self._path_in_words(record, path)}: {text}" for path, text in values.items()
            )
        return _line(title, value, self._term_in_words(record, term), outcome)

    def _moment_line(self, record):
        title = self._fields["date_type"]._description_string(self.env)
        date = self._may_read_date(record) and self._dates(record).get(record.id)
        if not date:
            return _line(title, self.env._("No date"), self._when_in_words(), "no")
        value = self._moment_date(record, self._my_zone())
        return _line(title, value, self._when_in_words(), "yes")

    def _may_read_date(self, model):
        """Whether the current user may read the date that the rule is about."""
        name = self._date_field_name()
        return not name or model._has_field_access(model._fields[name], "read")

    def _text_lines(self, record):
        """What no domain can say: patterns and the length of the history."""
        lines = []
        if self.name_pattern:
            name = record.display_name
            lines.append(self._pattern_line("name_pattern", record, name, name))
        if self.history_max:
            count = self._history_counts(record).get(record.id, 0)
            lines.append(
                _line(
                    self._title("history_max"), count, self.history_max,
                    "yes" if count <= self.history_max else "no",
                )
            )  # fmt: skip
        if self.history_pattern:
            text = self._history_texts(record).get(record.id) or ""
            lines.append(self._pattern_line("history_pattern", record, text, ""))
        return lines

    def _pattern_line(self, name, record, text, value):
        try:
            outcome = "yes" if matching(self[name], [text])[0] else "no"
        except PatternTimeout as error:
            value, outcome = self._why_it_failed(error), "unknown"
        return _line(self._title(name), value, self[name], outcome)

    def _before_lines(self):
        """What the record must have been before a change: nobody knows it now."""
        lines = []
        only_then = self.env._("Only known when it happens")
        if self.state_from_ids:
            wanted = ", ".join(self.state_from_ids.sudo().mapped("name"))
            lines.append(_line(self._title("state_from_ids"), only_then, wanted, "unknown"))
        if self._is_filter(self.before_domain):
            model = self.env[self.model_name]
            wanted = self._term_in_words(model, self._literal(self.before_domain))
            lines.append(_line(self._title("before_domain"), only_then, wanted, "unknown"))
        return lines

    # -- words ----------------------------------------------------------------------

    def _my_zone(self):
        return self.env.user.tz or "UTC"

    def _in_words(self, moment):
        """A moment as the current user reads it."""
        field = self.env["crm.automation.firing"]._fields["due_at"]
        return self._display(
            self.env["crm.automation.firing"].new({"due_at": moment}), field, self._my_zone()
        )

    def _value_in_words(self, record, path):
        """What the record says in a field or at the end of a path of fields."""
        rows, names = record, path.split(".")
        try:
            for name in names[:-1]:
                field = rows._fields.get(name)
                if not field or not field.relational or not rows._has_field_access(field, "read"):
                    return self.env._("You may not read this.")
                rows = rows[name]
            field = rows._fields.get(names[-1])
            if not field or not rows._has_field_access(field, "read"):
                return self.env._("You may not read this.")
            if field.name == "id":
                return self._names(rows)
            texts = [self._display(row, field, self._my_zone()) for row in rows[:MAX_NAMED]]
        except AccessError:
            return self.env._("You may not read this.")
        if field.type == "boolean":
            texts = [text and self.env._("Yes") for text in texts]
        return ", ".join(text[:MAX_CHANGED] for text in texts if text) or self.env._("nothing")

    def _names(self, rows):
        texts = [name or "" for name in rows[:MAX_NAMED].mapped("display_name")]
        if len(rows) > MAX_NAMED:
            texts.append(self.env._("and %(number)s more", number=len(rows) - MAX_NAMED))
        return ", ".join(texts)

    def _path_in_words(self, model, path):
        """The labels of a path of fields."""
        labels = []
        for name in path.split("."):
            field = model._fields.get(name) if model is not None else None
            labels.append(field._description_string(self.env) if field else name)
            model = self.env[field.comodel_name] if field and field.relational else None
        return " › ".join(labels)

    def _term_in_words(self, model, term):
        """A domain as a sentence of field names, comparisons and values."""
        children = getattr(term, "children", ())
        if children:
            parts = [self._term_in_words(model, child) for child in children]
            word = self.env._("or") if term.OPERATOR == "|" else self.env._("and")
            return f" {word} ".join(parts)
        if not hasattr(term, "field_expr"):
            return str(list(term))
        return self.env._(
            "%(field)s %(comparison)s %(value)s",
            field=self._path_in_words(model, term.field_expr),
            comparison=self._comparisons().get(term.operator, term.operator),
            value=self._asked_in_words(model, term.field_expr, term.value),
        )

    def _comparisons(self):
        return {
            "=": self.env._("is"),
            "!=": self.env._("is not"),
            "in": self.env._("is one of"),
            "not in": self.env._("is none of"),
            "child_of": self.env._("is or belongs to"),
            "parent_of": self.env._("is or is above"),
            "like": self.env._("contains"),
            "ilike": self.env._("contains"),
            "not like": self.env._("does not contain"),
            "not ilike": self.env._("does not contain"),
        }

    def _asked_in_words(self, model, path, value):
        """The value that a condition asks for, by the names that the screen shows."""
        names = path.split(".")
        for name in names[:-1]:
            field = model._fields.get(name)
            if not field or not field.relational:
                return str(value)
            model = self.env[field.comodel_name]
        field = model._fields.get(names[-1])
        if isinstance(value, Domain):
            return self._term_in_words(self.env[field.comodel_name], value)
        is_many = hasattr(value, "__iter__") and not isinstance(value, str)
        values = list(value) if is_many else [value]
        if field and (field.relational or field.name == "id"):
            comodel = model if field.name == "id" else self.env[field.comodel_name]
            return ", ".join(self._name_asked(comodel, one) for one in values)
        if field and field.type == "selection":
            labels = dict(field._description_selection(self.env))
            return ", ".join(str(labels.get(one, one)) for one in values)
        if field and field.type == "boolean":
            words = {True: self.env._("Yes"), False: self.env._("No")}
            return ", ".join(words.get(one, str(one)) for one in values)
        return ", ".join(self.env._("nothing") if one is False else str(one) for one in values)

    def _name_asked(self, comodel, value):
        if value is False or value is None:
            return self.env._("nothing")
        if not isinstance(value, int):
            return str(value)
        row = comodel.with_context(active_test=False).search([("id", "=", value)])
        return row.display_name or f"#{value}"

    # -- recipients and mails ---------------------------------------------------------

    def _letter_lines(self, record):
        """:return: pair of the lines about recipients and the different mails"""
        if not self._tells_somebody():
            return [], []
        records = record
        if self.trigger == "opportunities_merged":
            records += (self._sample() - record)[:1]
        try:
            letters = self._letters_of(records)
        except (AccessError, UserError, ValueError) as error:
            reason = self._why_sending_failed(error)
            return [_line(self.env._("No mail"), reason, "", "no")], []
        roles = dict(self.env["crm.automation.delivery"]._fields["role"]._description_selection(
            self.env))  # fmt: skip
        languages = dict(self.env["res.lang"].get_installed())
        lines, mails = [], {}
        for recipient, letter in letters:
            whom = " ".join(
                filter(None, [recipient.partner.name, recipient.email and f"<{recipient.email}>"])
            )
            how = recipient.skip or self._way_in_words(recipient, record)
            outcome = "no" if recipient.skip else "yes"
            lines.append(_line(roles[recipient.role], whom, how, outcome))
            if letter:
                key = (letter["subject"], letter["body"])
                language = languages.get(recipient.lang, recipient.lang)
                mail = mails.setdefault(key, {**letter, "to": [], "language": language})
                mail["to"].append(whom)
        return lines, list(mails.values())

    def _way_in_words(self, recipient, record):
        """How a recipient would be told."""
        if self._goes_to_inbox(recipient):
            return self.env._("In Odoo's inbox")
        if (
            self.channel == "activity"
            and hasattr(record, "activity_schedule")
            and self._may_open(recipient, record)
        ):
            return self.env._("By a to-do in Odoo")
        return self.env._("By e-mail")

    # -- changes ------------------------------------------------------------------------

    def _change_lines(self, record):
        """What the actions would change: what it is now, and then."""
        lines = []
        for name, condition in TARGETS.items():
            if target := self[name]:
                now = self._value_in_words(record, self._source(condition))
                lines.append(_line(self._title(name), now, self._names(target)))
        if self.set_state_id:
            now = self._value_in_words(record, state_field(record))
            lines.append(_line(self._title("set_state_id"), now, self.set_state_id.sudo().name))
        if self.set_priority:
            now = self._value_in_words(record, "priority")
            lines.append(_line(self._title("set_priority"), now, self._label("set_priority")))
        lines += [self._value_line(line, record) for line in self.value_ids]
        return lines + self._deed_lines(record)

    def _value_line(self, line, record):
        field = line.field_id.sudo()
        now = self._value_in_words(record, field.name)
        try:
            line._converted(record)
        except (AccessError, UserError) as error:
            return _line(field.field_description, now, str(error), "no")
        return _line(field.field_description, now, line.value or self.env._("nothing"))

    def _deed_lines(self, record):
        lines = []
        if self.add_follower_ids:
            now = self._value_in_words(record, "message_partner_ids")
            names = self._names(self.add_follower_ids)
            lines.append(_line(self._title("add_follower_ids"), now, names))
        if self.watcher_emails and "email_cc" in record._fields:
            now = self._value_in_words(record, "email_cc")
            lines.append(_line(self._title("watcher_emails"), now, self.watcher_emails))
        if self.activity_type_id:
            user = self.activity_user_id or self._responsibles(record)[:1] or self.env.user
            text = self.env._("%(what)s, for %(whom)s", what=self.activity_type_id.name,
                              whom=user.sudo().name)  # fmt: skip
            lines.append(_line(self._title("activity_type_id"), "", text))
        if self.sudo().server_action_ids:
            # Code may do anything, also what no savepoint takes back.
            text = self.env._("Not run in a test.")
            lines.append(_line(self.env._("Server Actions"), "", text, "unknown"))
        return lines


def _terms(domain):
    """The parts of a domain that must all hold."""
    is_and = getattr(domain, "OPERATOR", None) == "&"
    return domain.children if is_and else (domain,)


def _line(title, value, wanted, outcome=False):
    """A line of the report: what is asked, what the record says, what came out."""
    return {"title": title, "value": str(value), "wanted": str(wanted), "outcome": outcome}
