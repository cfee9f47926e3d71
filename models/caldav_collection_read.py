"""What feeds, CalDAV and accounts ask of a calendar: one query for each question.

Members are plain rows. Whoever asks has called ``_catch_up`` in the same transaction.
"""

import re
from collections import defaultdict
from typing import NamedTuple

from odoo import models
from odoo.tools import SQL

from ..ical.known import FIRST, LAST
from ..ical.overlay import overlay

#: <epoch>-<version>, or <epoch>-<version>-<id> in the middle of a version.
_TOKEN = re.compile(r"([0-9a-f]{12})-(\d{1,9})(?:-(\d{1,9}))?")
_COLUMNS = SQL(
    "member.id, member.uid, member.name, member.version, member.is_gone, member.is_part,"
    " member.sees"
)
_LAST_ID = 2**31 - 1
_FIRST, _LAST = (moment.replace(tzinfo=None) for moment in (FIRST, LAST))


class InvalidToken(Exception):
    """A sync token that says nothing here (any more): the client begins anew."""


class Member(NamedTuple):
    """A row of ``caldav.member``."""

    id: int
    uid: str
    name: str
    version: int
    is_gone: bool
    is_part: bool
    sees: str


class CaldavCollection(models.Model):
    _inherit = "caldav.collection"

    def _token(self):
        """The sync token of now, and the CTag."""
        return f"{self.epoch}-{self.version}"

    def _etag(self, member):
        return f"{self.epoch}-{member.version}"

    def _changes_since(self, token, limit=None):
        """What has changed since a token (RFC 6578).

        :param str token: of this collection; empty for everything
        :param int limit: how many members at most
        :return: (members changed, members gone, the next token, whether that is all)
        :raises InvalidToken: foreign, from the future, from another time, too old
        """
        version, last = self._read_token(token) if token else (0, _LAST_ID)
        rows = self._rows(
            SQL(
                "(member.version, member.id) > (%s, %s) %s ORDER BY member.version, member.id %s",
                version,
                last,
                SQL() if token else SQL("AND NOT member.is_gone"),
                SQL("LIMIT %s", limit + 1) if limit is not None else SQL(),
            )
        )
        following, is_all = self._token(), True
        if limit is not None and len(rows) > limit:
            rows, is_all = rows[:limit], False
            at = rows[-1] if rows else Member(last, "", "", version, False, False, "")
            following = f"{self.epoch}-{at.version}-{at.id}"
        changed = [member for member in rows if not member.is_gone]
        return changed, [member for member in rows if member.is_gone], following, is_all

    def _read_token(self, token):
        match = _TOKEN.fullmatch(token)
        if not match or match[1] != self.epoch:
            raise InvalidToken(token)
        version = int(match[2])
        if not self.forgotten <= version <= self.version:
            raise InvalidToken(token)
        return version, int(match[3]) if match[3] else _LAST_ID

    def _rows(self, condition):
        return [
            Member(*row)
            for row in self.env.execute_query(
                SQL(
                    "SELECT %s FROM caldav_member member WHERE collection_id = %s AND %s",
                    _COLUMNS,
                    self.id,
                    condition,
                )
            )
        ]

    def _members(self, names=None, uids=None, first=None, last=None):
        """The members, in the order in which they came.

        :param names, uids: only these
        :param datetime first, last: naive UTC; only what may lie between them. A
            series counts as a whole: which of its meetings do is not asked here
        """
        condition = SQL("NOT member.is_gone")
        if names is not None:
            condition = SQL("%s AND member.name = ANY(%s)", condition, list(names))
        if uids is not None:
            condition = SQL("%s AND member.uid = ANY(%s)", condition, list(uids))
        if first or last:
            self._build_texts()
            condition = SQL("%s AND %s", condition, self._lies_between(first, last))
        return self._rows(SQL("%s ORDER BY member.id", condition))

    def _lies_between(self, first, last):
        """SQL condition on ``member``: it may lie in that span of naive UTC; None: open."""
        first, last = first or _FIRST, last or _LAST
        return SQL(
            """
            EXISTS (
                SELECT FROM caldav_object object
                 WHERE %(is_text)s AND (
                       object.text IS NULL
                    OR (object.span_stop IS NULL OR object.span_stop >= %(first)s)
                   AND object.span_start < %(last)s
                   AND (%(is_known)s IS NOT TRUE OR EXISTS (
                           SELECT FROM unnest(object.starts, object.stops) AS one(start, stop)
                            WHERE one.start < %(last)s
                              AND (one.stop > %(first)s
                                   OR one.start >= one.stop AND one.start >= %(first)s)
                       ))
                 )
            )
            """,
            is_text=self._is_text_of_member(), is_known=self._is_known(first, last), first=first,
            last=last,
        )  # fmt: skip

    def _is_known(self, first, last):
        return SQL("(object.known_from <= %s AND object.known_until >= %s)", first, last)

    def _surely_lies_between(self, first, last):
        """SQL condition on ``member`` that lies in that span, as far as is known: it does."""
        return SQL(
            "EXISTS (SELECT FROM caldav_object object WHERE %s AND %s)",
            self._is_text_of_member(),
            self._is_known(first or _FIRST, last or _LAST),
        )

    def _is_text_of_member(self):
        """SQL condition between ``object`` and ``member``."""
        return SQL(
            "object.uid = member.uid AND object.sees = member.sees"
            " AND COALESCE(object.user_id, 0) = CASE WHEN member.is_part THEN %s ELSE 0 END",
            self.user_id.id,
        )

    def _texts(self, members):
        """The texts of members, with what is the user's own.

        :return: dict from Member to str; what cannot be written is left out
        """
        members = list(members)
        found = self._stored_texts(members)
        missing = [member for member in members if member.id not in found]
        if missing:
            self._build_texts(missing)
            found |= self._stored_texts(missing)
        return {member: found[member.id] for member in members if found.get(member.id)}

    def _stored_texts(self, members):
        """dict from ids of members to their texts, as far as those are true.

        None is the text of what cannot be written.
        """
        if not members:
            return {}
        rows = self.env.execute_query(
            SQL(
                """
                SELECT member.id, object.text, overlay.text
                  FROM caldav_member member
                  JOIN caldav_object object ON %s AND NOT %s
             LEFT JOIN caldav_overlay overlay
                    ON overlay.user_id = %s AND overlay.uid = member.uid
                   AND member.sees IN ('full', 'todo')
                 WHERE member.id = ANY(%s)
                """,
                self._is_text_of_member(),
                self.env["caldav.object"]._is_old("object"),
                self.user_id.id,
                [member.id for member in members],
            )
        )
        return {key: overlay(text, own) if own and text else text for key, text, own in rows}

    def _build_texts(self, members=None):
        """Make the texts that are missing or not true any more.

        :param members: of these only
        """
        condition = SQL("TRUE")
        if members is not None:
            condition = SQL("member.id = ANY(%s)", [member.id for member in members])
        missing = self._rows(
            SQL(
                """
                NOT member.is_gone AND %s AND NOT EXISTS (
                    SELECT FROM caldav_object object WHERE %s AND NOT %s)
                """,
                condition,
                self._is_text_of_member(),
                self.env["caldav.object"]._is_old("object"),
            )
        )
        groups = defaultdict(list)
        for member in missing:
            groups[member.sees, member.is_part].append(member.uid)
        for (sees, is_part), uids in groups.items():
            self.env["caldav.object"]._build(uids, sees, self if is_part else None)
