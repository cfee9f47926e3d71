"""The calendars of one user, as the CalDAV server asks for them. Plain Python over SQL.

Who asks here reads no records: a request costs the same few queries, whatever is in the
calendar.
"""

import re
from dataclasses import replace
from typing import NamedTuple

from odoo.tools import SQL, email_normalize

from ..dav.backend import WRITE, Backend, Calendar, Entry, Person
from ..dav.errors import Conflict, Forbidden, InvalidToken, NoPrivilege
from .caldav_backend_file import FileMixin
from .caldav_backend_schedule import ScheduleMixin
from .caldav_backend_write import WriteMixin
from .caldav_calendar import MAX_OWN, MAX_SHARED, WRITABLE
from .caldav_collection_read import InvalidToken as Invalid
from .caldav_collection_read import Member
from .ical_meeting import named_zone

#: Names of the calendars that everybody has, and their kinds.
FIXED = {"agenda": "main", "tasks": "tasks"}
#: Names of the calendars that several have, and only read.
SHARED = ("team", "plan", "records")
_SHARED = re.compile(rf"({'|'.join(SHARED)})-(\d{{1,9}})")
#: Kinds of objects of an own calendar that said nothing.
USUAL = ("VEVENT", "VTODO", "VJOURNAL")
#: Of what was not found by a span of time, nothing is said.
_UNSURE = SQL("FALSE")
_COLUMNS = SQL(
    "collection.id, collection.kind, collection.key, collection.name, collection.color,"
    " collection.description, collection.sort_order, collection.has_order,"
    " collection.zone_text, collection.is_transparent, collection.dead_properties,"
    " collection.components, collection.epoch, collection.version"
)


class Row(NamedTuple):
    """A calendar as it is found; ``has_news``: whether it has to catch up first."""

    id: int
    kind: str
    key: str
    name: str
    color: str
    description: str
    sort_order: int
    has_order: bool
    zone_text: str
    is_transparent: bool
    dead_properties: dict
    components: str
    epoch: str
    version: int
    has_news: bool


class OdooBackend(WriteMixin, ScheduleMixin, FileMixin, Backend):
    """:param env: as superuser
    :param int user_id: whose calendars they are
    """

    unique_uids = True

    def __init__(self, env, user_id):
        self.env = env
        self.user = env["res.users"].browse(user_id)
        self.collections = env["caldav.collection"]
        self._person = None
        self._known = None
        self._language = None
        self._names = {}

    def person(self):
        if self._person is None:
            [(login, name, email, zone, self._language)] = self.env.execute_query(
                SQL(
                    """
                    SELECT res_users.login, partner.name, partner.email, partner.tz, partner.lang
                      FROM res_users JOIN res_partner partner ON partner.id = partner_id
                     WHERE res_users.id = %s
                    """,
                    self.user.id,
                )
            )
            emails = dict.fromkeys(
                found for found in (email_normalize(email or ""), email_normalize(login)) if found
            )
            path_name = login if login and "/" not in login else str(self.user.id)
            self._person = Person(path_name, name, tuple(emails), named_zone(zone))
        return self._person

    # --- Calendars

    def calendars(self):
        shared = self._shared_calendars()
        for kind in FIXED.values():
            self._ensure(kind, "")
        for kind, key in shared:
            self._ensure(kind, key)
        rows = self._rows(self._is_one_of(shared))
        order = [*FIXED.values(), *dict.fromkeys(kind for kind, _key in shared), "own"]
        return [
            self._calendar(row)
            for row in sorted(rows, key=lambda row: (order.index(row.kind), row.id))
        ]

    def calendar(self, name):
        match = _SHARED.fullmatch(name)
        if name in FIXED:
            kind, key = FIXED[name], ""
        elif match:
            kind, key = match.groups()
            if (kind, key) not in self._shared_calendars(kind, int(key)):
                return None
        else:
            kind, key = "own", name
        condition = SQL("collection.kind = %s AND COALESCE(collection.key, '') = %s", kind, key)
        rows = self._rows(condition)
        if not rows and kind != "own":
            self._ensure(kind, key)
            rows = self._rows(condition)
        return self._calendar(rows[0]) if rows else None

    def _shared_calendars(self, only=None, res_id=None):
        """Calendars that this user only reads: of his sales teams, of visit plans, and those
        that administrators have set up.

        :param str only: this kind, of the record with this id
        :return: dict from (kind, key) to the name
        """
        user = self.user
        mine = ["|", ("member_ids", "in", user.ids), ("user_id", "=", user.id)]
        found = {}
        for kind, model, domain in (
            ("team", "crm.team", mine), ("plan", "calendar.visit.plan", []),
        ):  # fmt: skip
            records = self.env[model].with_user(user).with_context(lang=user.lang)
            if only in (None, kind) and records.has_access("read"):
                if res_id:
                    domain = [*domain, ("id", "=", res_id)]
                for record in records.search(domain, limit=MAX_SHARED):
                    found[kind, str(record.id)] = record.display_name
        if only in (None, "records"):
            definitions = self._definitions()._of_user(user, res_id)[:MAX_SHARED]
            found |= {("records", str(one.id)): one.name for one in definitions}
        self._names.update(found)
        return found

    def _definitions(self):
        return self.env["caldav.calendar.definition"].with_context(lang=self.user.lang)

    def _ensure(self, kind, key):
        """Make a calendar that is always there, unless that was done."""
        if (kind, key) not in self._there():
            self.collections._of(self.user, kind, key or None)
            self._known.add((kind, key))

    def _there(self):
        """(kind, key) of the calendars that have been made already."""
        if self._known is None:
            self._known = set(
                self.env.execute_query(
                    SQL(
                        "SELECT kind, COALESCE(key, '') FROM caldav_collection WHERE user_id = %s",
                        self.user.id,
                    )
                )
            )
        return self._known

    def _is_one_of(self, shared):
        """SQL condition: what is always there, his own, and these."""
        condition = SQL("collection.kind IN %s", (*FIXED.values(), "own"))
        if shared:
            condition = SQL(
                "(%s OR (collection.kind, collection.key) IN %s)", condition, tuple(shared)
            )
        return condition

    def _path_name(self, row):
        names = {kind: name for name, kind in FIXED.items()}
        if row.kind in SHARED:
            return f"{row.kind}-{row.key}"
        return names.get(row.kind) or row.key

    def _rows(self, condition):
        """The calendars, in their present state: what has changed is taken in first."""
        found = self._select(condition)
        # What other tables say of records nobody notes.
        late = [row.id for row in found if row.has_news or row.kind == "records"]
        if late:
            for collection in self.collections.browse(late):
                collection._catch_up()
            found = self._select(condition)
        return found

    def _select(self, condition):
        self.env.flush_all()
        return [
            Row(*row)
            for row in self.env.execute_query(
                SQL(
                    """
                    SELECT %s, %s FROM caldav_collection collection
                     WHERE collection.user_id = %s AND %s
                    """,
                    _COLUMNS,
                    self.collections._news("collection"),
                    self.user.id,
                    condition,
                )
            )
        ]

    def _calendar(self, row):
        name = self._path_name(row)
        title = row.name or self._title(row) or name
        calendar = Calendar(
            name=name,
            title=title,
            token=f"{row.epoch}-{row.version}",
            components=self._components(row),
            description=row.description or "",
            color=row.color or "",
            order=row.sort_order if row.has_order else None,
            timezone=row.zone_text or "",
            transparent=bool(row.is_transparent),
            rights=WRITE if row.kind in WRITABLE else frozenset(),
            fixed=row.kind != "own",
            properties=row.dead_properties or {},
            id=row.id,
        )
        return self._as_defined(calendar, row.key) if row.kind == "records" else calendar

    def _as_defined(self, calendar, key):
        """With what its administrator says; of its looks where the user says nothing."""
        definition = self._definitions().browse(int(key))
        return replace(
            calendar,
            components=(definition.component,),
            rights=definition._rights_of(self.user),
            max_instances=1,
            schedules=False,
            description=calendar.description or definition.description or "",
            color=calendar.color or definition.color or "",
        )

    def _title(self, row):
        """What it is called as long as its user has not named it."""
        if row.kind == "own":
            return ""
        if row.kind in SHARED:
            return self._names.get((row.kind, row.key))
        self.person()
        kinds = self.env["caldav.collection"]._fields["kind"]
        env = self.env(context={"lang": self._language})
        return dict(kinds._description_selection(env)).get(row.kind)

    def _components(self, row):
        if row.kind == "own":
            return tuple(row.components.split(",")) if row.components else USUAL
        return ("VTODO",) if row.kind == "tasks" else ("VEVENT",)

    # --- Objects

    def entries(self, calendar, names=None, uid=None, search=None):
        conditions, is_sure = [SQL("NOT member.is_gone")], _UNSURE
        if names is not None:
            conditions.append(SQL("member.name = ANY(%s)", list(names)))
        if uid is not None:
            conditions.append(SQL("member.uid = %s", uid))
        if search is not None:
            conditions += self._searched(calendar, search)
            if search.first or search.last:
                is_sure = self._collection(calendar)._surely_lies_between(*_naive_span(search))
        return self._entries(calendar, conditions, is_sure)

    def _searched(self, calendar, search):
        if search.component:
            yield SQL("%s = %s", self._component(calendar), search.component)
        if search.uid:
            yield SQL("strpos(lower(member.uid), lower(%s)) > 0", search.uid)
        if search.first or search.last:
            collection = self._collection(calendar)
            collection._build_texts()
            yield collection._lies_between(*_naive_span(search))

    def _component(self, calendar):
        usual = "VTODO" if calendar.components == ("VTODO",) and calendar.fixed else "VEVENT"
        return SQL("COALESCE(kept.component, %s)", usual)

    def _entries(self, calendar, conditions, is_sure=_UNSURE):
        return [
            self._entry(calendar, *row[:3], Member(*row[3:]))
            for row in self.env.execute_query(
                SQL(
                    """
                    SELECT %s, member.changed_at, %s, member.id, member.uid, member.name,
                           member.version, member.is_gone, member.is_part, member.sees
                      FROM caldav_member member
                 LEFT JOIN caldav_kept kept
                        ON kept.user_id = %s AND kept.uid = member.uid AND member.sees = 'kept'
                     WHERE member.collection_id = %s AND %s
                     ORDER BY member.id
                    """,
                    self._component(calendar),
                    is_sure,
                    self.user.id,
                    calendar.id,
                    SQL(" AND ").join(conditions),
                )
            )
        ]

    def _entry(self, calendar, component, changed_at, is_sure, member):
        epoch = calendar.token.partition("-")[0]
        etag = f"{epoch}-{member.version}"
        return Entry(member.name, member.uid, etag, component, changed_at, member, is_sure)

    def _collection(self, calendar):
        """Its record. Whose it is has been found out already: that is not read again."""
        collection = self.collections.browse(calendar.id)
        collection._fields["user_id"]._update_cache(collection, self.user.id)
        return collection

    def texts(self, calendar, entries):
        entries = list(entries)
        found = self._collection(calendar)._texts([entry.id for entry in entries])
        pairs = [(entry, found[entry.id]) for entry in entries if entry.id in found]
        if calendar.role == "inbox":
            return [(entry, self._as_message(text)) for entry, text in pairs]
        return self._as_read(pairs)

    def changes(self, calendar, token, limit=None):
        collection = self.collections.browse(calendar.id)
        try:
            changed, gone, following, is_all = collection._changes_since(token, limit)
        except Invalid as error:
            raise InvalidToken("this token says nothing here") from error
        if calendar.fixed:
            component = calendar.components[0]
            entries = [self._entry(calendar, component, None, False, member) for member in changed]
        else:
            # Of several kinds.
            ids = [member.id for member in changed]
            entries = self._entries(calendar, [SQL("member.id = ANY(%s)", ids)])
        return entries, [member.name for member in gone], following, is_all

    # --- What users say of their calendars

    def home_properties(self):
        [(found,)] = self.env.execute_query(
            SQL(
                "SELECT (SELECT dead_properties FROM caldav_collection"
                " WHERE user_id = %s AND kind = 'home')",
                self.user.id,
            )
        ) or [(None,)]
        return found or {}

    def set_home_properties(self, properties):
        self.collections._of(self.user, "home").dead_properties = properties or False

    def make_calendar(self, name, components, values):
        if name in FIXED or _SHARED.fullmatch(name):
            raise Conflict("that name is taken")
        if self.collections._number_of_own(self.user) >= MAX_OWN:
            raise Forbidden("there are too many calendars")
        fields = {"name": name, **self._fields(values)}
        fields["components"] = ",".join(components) if components else False
        self.collections._make_own(self.user, name, fields)

    def change_calendar(self, calendar, values):
        self.collections.browse(calendar.id).write(self._fields(values))

    def _fields(self, values):
        """Values of the record, out of those of a calendar."""
        names = {
            "title": "name", "description": "description", "color": "color",
            "timezone": "zone_text", "transparent": "is_transparent",
        }  # fmt: skip
        found = {names[name]: value or False for name, value in values.items() if name in names}
        if "order" in values:
            found["sort_order"] = values["order"] or 0
            found["has_order"] = values["order"] is not None
        if "properties" in values:
            found["dead_properties"] = values["properties"] or False
        return found

    def delete_calendar(self, calendar):
        if calendar.fixed:
            raise NoPrivilege("this calendar stays where it is")
        entries = self.entries(calendar)
        self._delete_all(calendar, entries)
        self.collections.browse(calendar.id).unlink()


def _naive_span(search):
    """The ends of a Search in naive UTC."""
    return tuple(
        moment and moment.replace(tzinfo=None) for moment in (search.first, search.last)
    )  # fmt: skip
