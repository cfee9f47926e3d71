"""Configurable calendars in a user's programs: which records, in which version, as which text.

What changes a text may lie in any table, so nothing is noted when it is written: whoever
reads compares. One query tells, of each record that the user may read, from which rows its
text comes (``xmin`` and ``ctid`` name a version of a row); where those are others than they
were, the text is made again if somebody has it, and counts as changed if it is another.
"""

import logging
import re

from odoo import api, fields, models
from odoo.exceptions import UserError
from odoo.tools import SQL, split_every

from ..ical.text import to_text
from .caldav_calendar import span_of
from .caldav_object import BATCH, Found
from .caldav_record_writer import RecordWriter

_logger = logging.getLogger(__name__)

_UID = re.compile(r"odoo-records-(\d{1,9})-(\d{1,9})@(.+)")
#: Lines that say when a text was made: another one of these alone is no change.
_STAMPS = re.compile(r"^(?:DTSTAMP|LAST-MODIFIED):.*\r\n", re.M)


class CaldavMember(models.Model):
    _inherit = "caldav.member"

    stamp = fields.Char(help="Of the rows that the text of a record comes from.")


class CaldavCollection(models.Model):
    _inherit = "caldav.collection"

    kind = fields.Selection(
        selection_add=[("records", "Configurable calendar")], ondelete={"records": "cascade"}
    )

    # --- What belongs to it

    def _definition(self):
        """As its user reads it."""
        definitions = self.env["caldav.calendar.definition"]
        return definitions.with_context(lang=self.user_id.lang).browse(int(self.key))

    def _query(self):
        if self.kind != "records":
            return super()._query()
        return self._definition()._query(self.user_id)

    def _holdings(self, only):
        if self.kind != "records":
            return super()._holdings(only)
        return SQL(
            "SELECT uid, 'record' AS sees, TRUE AS is_part FROM (%s) AS own WHERE %s",
            self._query().select(SQL("%s AS uid", self._record_uid())),
            SQL("uid IN (%s)", only) if only else SQL("TRUE"),
        )

    def _record_uid(self):
        """SQL of the UID of a record: the one it came with, or one of ours."""
        table = self.env[self._definition().model_name]._table
        record_id = SQL.identifier(table, "id")
        return SQL(
            "COALESCE(%s, %s || %s || %s)",
            self.env["caldav.record.uid"]._expression(int(self.key), record_id),
            f"odoo-records-{int(self.key)}-",
            record_id,
            f"@{self.env['caldav.object']._database()}",
        )

    def _ids_of(self, uids):
        """dict from UID to the id of its record"""
        found = self.env["caldav.record.uid"]._res_ids(int(self.key), uids)
        for uid in uids:
            ours = self._ours(uid)
            if uid not in found and ours and ours[1] == self.key:
                found[uid] = int(ours[2])
        return {uid: found[uid] for uid in uids if uid in found}

    def _ours(self, uid):
        """What a UID that this database gives to records says, or None of another UID."""
        match = _UID.fullmatch(uid)
        return match if match and match[3] == self.env["caldav.object"]._database() else None

    # --- Following the records

    def _catch_up(self, names=None):
        if self.kind != "records":
            return super()._catch_up(names)
        self.ensure_one()
        self.env.flush_all()
        stamps = self._stamps()
        differing = self._differing(stamps)
        if differing:
            self.env.cr.execute(
                SQL("SELECT FROM caldav_collection WHERE id = %s FOR NO KEY UPDATE", self.id)
            )
            changed = set(differing) - self._unchanged(differing)
            if changed:
                self.env["caldav.change"]._note(
                    SQL("SELECT unnest(%s)", list(changed)), self.user_id
                )
        super()._catch_up(names)
        if differing:
            self.env.cr.execute(
                SQL(
                    "UPDATE caldav_member member SET stamp = now.stamp FROM (%s) AS now"
                    " WHERE collection_id = %s AND NOT is_gone AND member.uid = now.uid"
                    " AND member.stamp IS DISTINCT FROM now.stamp",
                    stamps,
                    self.id,
                )
            )
            self.env["caldav.member"].invalidate_model(["stamp"], flush=False)
        return None

    def _stamps(self):
        """SQL: (uid, stamp) of its records."""
        definition = self._definition()
        model = definition._model()
        query = self._query()
        sources = [row_version(model, model._table)]
        for line in definition.line_ids:
            if line.source == "field":
                sources += versions_of(model, model._table, line.field_id.name)
        return query.select(
            SQL("%s AS uid", self._record_uid()),
            SQL(
                "md5(concat_ws(' ', %s, %s)) AS stamp",
                definition._digest(self.user_id),
                SQL(", ").join(sources),
            ),
        )

    def _differing(self, stamps):
        """dict from the UIDs of what has come, left, or may be another, to whether it was
        there and is."""
        return dict(
            self.env.execute_query(
                SQL(
                    """
                    SELECT COALESCE(now.uid, member.uid),
                           now.uid IS NOT NULL AND member.uid IS NOT NULL
                      FROM (%s) AS now
                      FULL JOIN (SELECT uid, stamp FROM caldav_member
                                  WHERE collection_id = %s AND NOT is_gone) AS member
                        ON member.uid = now.uid
                     WHERE member.stamp IS DISTINCT FROM now.stamp
                        OR member.uid IS NULL OR now.uid IS NULL
                    """,
                    stamps,
                    self.id,
                )
            )
        )

    def _unchanged(self, differing):
        """UIDs of which the text is the same; what is stored of the others is true again."""
        rows = self.env.execute_query(
            SQL(
                "SELECT uid, text FROM caldav_object"
                " WHERE user_id = %s AND sees = 'record' AND uid = ANY(%s)",
                self.user_id.id,
                list(differing),
            )
        )
        stored = {uid: text for uid, text in rows if differing[uid]}
        left = [uid for uid, _text in rows if uid not in stored]
        if left:
            self.env.cr.execute(
                SQL(
                    "DELETE FROM caldav_object WHERE user_id = %s AND sees = 'record'"
                    " AND uid = ANY(%s)",
                    self.user_id.id,
                    left,
                )
            )
        if not stored:
            return set()
        objects, same = self.env["caldav.object"], set()
        for batch in split_every(BATCH, stored, list):
            made = objects._make(batch, "record", self)
            others = {
                uid: found for uid, found in made.items() if not _is_same(found.text, stored[uid])
            }
            objects._store(others, "record", self.user_id)
            same.update(made.keys() - others.keys())
        return same

    @api.model
    def _forget(self):
        """Those of definitions that are gone, with another module perhaps."""
        self.env.cr.execute(
            SQL(
                "DELETE FROM caldav_collection WHERE kind = 'records' AND NOT EXISTS ("
                "SELECT FROM caldav_calendar_definition WHERE id::text = key)"
            )
        )
        self.env["caldav.record.uid"]._forget()
        return super()._forget()


class CaldavObject(models.Model):
    _inherit = "caldav.object"

    def _make(self, uids, sees, collection):
        if sees != "record":
            return super()._make(uids, sees, collection)
        definition = collection._definition()
        writer = RecordWriter(definition)
        model = definition._model_of(collection.user_id)
        ids = collection._ids_of(uids)
        records = model.browse(ids.values())
        found, now = {}, self.env.cr.now()
        for uid, record in zip(ids, records, strict=True):
            try:
                text = to_text([writer.item(uid, record)], now=now)
            except (UserError, ValueError, TypeError, KeyError):
                # One of them: the others go on.
                _logger.exception("The object %s cannot be written as iCalendar", uid)
                found[uid] = Found(None, None, None)
            else:
                found[uid] = Found(text, *span_of(text))
        return found


def _is_same(text, other):
    return bool(text) and bool(other) and _STAMPS.sub("", text) == _STAMPS.sub("", other)


def row_version(model, alias):
    """SQL: which version of a row it is, and of those that it inherits from."""
    parts = [SQL("%s, %s", SQL.identifier(alias, "xmin"), SQL.identifier(alias, "ctid"))]
    for parent, link in model._inherits.items():
        parts.append(_of_linked(model.env[parent], alias, link, _inner(alias, "i"), []))
    return SQL("concat_ws(',', %s)", SQL(", ").join(parts))


def versions_of(model, alias, path):
    """list of SQL: versions of the other rows that a value comes from.

    :param str alias: of the model's table
    :param str path: see ``is_followed``
    """
    name, _dot, rest = path.partition(".")
    field = model._fields[name]
    if not field.store and field.related:
        return versions_of(model, alias, ".".join([field.related, *([rest] if rest else [])]))
    if field.type not in ("many2one", "many2many"):
        return []
    comodel, inner = model.env[field.comodel_name], _inner(alias, "x")
    if field.type == "many2one":
        further = versions_of(comodel, inner, rest) if rest else []
        return [_of_linked(comodel, alias, name, inner, further)]
    return [
        SQL(
            "(SELECT string_agg(%s, ' ' ORDER BY %s) FROM %s AS %s JOIN %s AS link ON %s = %s"
            " WHERE %s = %s)",
            row_version(comodel, inner),
            SQL.identifier(inner, "id"),
            SQL.identifier(comodel._table), SQL.identifier(inner),
            SQL.identifier(field.relation),
            SQL.identifier("link", field.column2), SQL.identifier(inner, "id"),
            SQL.identifier("link", field.column1), SQL.identifier(alias, "id"),
        )
    ]  # fmt: skip


def _inner(alias, letter):
    """An alias inside of another: short, however long the names of tables are."""
    return f"{alias}{letter}" if alias.startswith("of_") else f"of_{letter}"


def _of_linked(comodel, alias, name, inner, further):
    """SQL: the versions of the row that a column points at."""
    return SQL(
        "(SELECT concat_ws(' ', %s) FROM %s AS %s WHERE %s = %s)",
        SQL(", ").join([row_version(comodel, inner), *further]),
        SQL.identifier(comodel._table),
        SQL.identifier(inner),
        SQL.identifier(inner, "id"),
        SQL.identifier(alias, name),
    )
