"""The calendars of one user, as the CalDAV server asks for them. Plain Python over SQL.

Who asks here reads no records: a request costs the same few queries, whatever is in the
calendar.
"""

from typing import NamedTuple

from odoo.tools import SQL, email_normalize

from ..dav.backend import Backend, Calendar, Entry, Person
from ..dav.errors import Conflict, Forbidden, InvalidToken, NoPrivilege
from .caldav_backend_write import WriteMixin
from .caldav_calendar import MAX_OWN, WRITABLE
from .caldav_collection_read import InvalidToken as Invalid
from .caldav_collection_read import Member
from .ical_meeting import named_zone

#: Names of the calendars that everybody has, and their kinds.
FIXED = {"agenda": "main", "tasks": "tasks"}
#: Kinds of objects of an own calendar that said nothing.
USUAL = ("VEVENT", "VTODO")
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


class OdooBackend(WriteMixin, Backend):
    """:param env: as superuser
    :param int user_id: whose calendars they are
    """

    unique_uids = True

    def __init__(self, env, user_id):
        self.env = env
        self.user = env["res.users"].browse(user_id)
        self.collections = env["caldav.collection"]
        self._person = None

    def person(self):
        if self._person is None:
            [(login, name, email, zone)] = self.env.execute_query(
                SQL(
                    """
                    SELECT res_users.login, partner.name, partner.email, partner.tz
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
        rows = self._rows(SQL("TRUE"))
        there = {self._path_name(row) for row in rows}
        missing = [name for name in self._fixed() if name not in there]
        if missing:
            for name in missing:
                self._collection(name)
            rows = self._rows(SQL("TRUE"))
        return [self._calendar(row) for row in self._sorted(rows)]

    def calendar(self, name):
        rows = self._rows(self._is_named(name))
        if not rows and name in self._fixed():
            self._collection(name)
            rows = self._rows(self._is_named(name))
        return self._calendar(rows[0]) if rows else None

    def _fixed(self):
        """Names of the calendars that are always there, in order, and their kinds."""
        return FIXED

    def _is_named(self, name):
        kind = self._fixed().get(name)
        if kind:
            return SQL("collection.kind = %s", kind)
        return SQL("collection.kind = 'own' AND collection.key = %s", name)

    def _path_name(self, row):
        names = {kind: name for name, kind in self._fixed().items()}
        return names.get(row.kind) or row.key

    def _sorted(self, rows):
        order = list(self._fixed())
        names = {row.id: self._path_name(row) for row in rows}
        return sorted(
            rows,
            key=lambda row: (
                order.index(names[row.id]) if names[row.id] in order else len(order),
                row.id,
            ),
        )

    def _collection(self, name):
        """The record of a calendar, made if it is one of those that are always there."""
        return self.collections._of(self.user, self._fixed()[name])

    def _rows(self, condition):
        """The calendars, in their present state: what has changed is taken in first."""
        found = self._select(condition)
        late = [row.id for row in found if row.has_news]
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
                     WHERE collection.user_id = %s AND collection.kind IN %s AND %s
                    """,
                    _COLUMNS,
                    self.collections._news("collection"),
                    self.user.id,
                    (*self._fixed().values(), "own"),
                    condition,
                )
            )
        ]

    def _calendar(self, row):
        name = self._path_name(row)
        title = row.name or self._title(row) or name
        return Calendar(
            name=name,
            title=title,
            token=f"{row.epoch}-{row.version}",
            components=self._components(row),
            description=row.description or "",
            color=row.color or "",
            order=row.sort_order if row.has_order else None,
            timezone=row.zone_text or "",
            transparent=bool(row.is_transparent),
            writable=row.kind in WRITABLE,
            fixed=row.kind != "own",
            properties=row.dead_properties or {},
            id=row.id,
        )

    def _title(self, row):
        kinds = self.env["caldav.collection"]._fields["kind"]
        env = self.env(context={"lang": self.user.lang})
        return dict(kinds._description_selection(env)).get(row.kind) if row.kind != "own" else ""

    def _components(self, row):
        if row.kind == "own":
            return tuple(row.components.split(",")) if row.components else USUAL
        return ("VTODO",) if row.kind == "tasks" else ("VEVENT",)

    # --- Objects

    def entries(self, calendar, names=None, uid=None, search=None):
        conditions = [SQL("NOT member.is_gone")]
        if names is not None:
            conditions.append(SQL("member.name = ANY(%s)", list(names)))
        if uid is not None:
            conditions.append(SQL("member.uid = %s", uid))
        if search is not None:
            conditions += self._searched(calendar, search)
        return self._entries(calendar, conditions)

    def _searched(self, calendar, search):
        if search.component:
            yield SQL("%s = %s", self._component(calendar), search.component)
        if search.uid:
            yield SQL("strpos(lower(member.uid), lower(%s)) > 0", search.uid)
        if search.first or search.last:
            collection = self.collections.browse(calendar.id)
            collection._build_texts()
            first, last = (
                moment and moment.replace(tzinfo=None) for moment in (search.first, search.last)
            )  # fmt: skip
            yield collection._lies_between(first, last)

    def _component(self, calendar):
        usual = "VTODO" if calendar.components == ("VTODO",) and calendar.fixed else "VEVENT"
        return SQL("COALESCE(kept.component, %s)", usual)

    def _entries(self, calendar, conditions):
        return [
            self._entry(calendar, row[0], row[1], Member(*row[2:]))
            for row in self.env.execute_query(
                SQL(
                    """
                    SELECT %s, member.changed_at, member.id, member.uid, member.name,
                           member.version, member.is_gone, member.is_part, member.sees
                      FROM caldav_member member
                 LEFT JOIN caldav_kept kept
                        ON kept.user_id = %s AND kept.uid = member.uid AND member.sees = 'kept'
                     WHERE member.collection_id = %s AND %s
                     ORDER BY member.id
                    """,
                    self._component(calendar),
                    self.user.id,
                    calendar.id,
                    SQL(" AND ").join(conditions),
                )
            )
        ]

    def _entry(self, calendar, component, changed_at, member):
        epoch = calendar.token.partition("-")[0]
        return Entry(
            member.name, member.uid, f"{epoch}-{member.version}", component, changed_at, member
        )

    def texts(self, calendar, entries):
        entries = list(entries)
        collection = self.collections.browse(calendar.id)
        found = collection._texts([entry.id for entry in entries])
        return [(entry, found[entry.id]) for entry in entries if entry.id in found]

    def changes(self, calendar, token, limit=None):
        collection = self.collections.browse(calendar.id)
        try:
            changed, gone, following, is_all = collection._changes_since(token, limit)
        except Invalid as error:
            raise InvalidToken("this token says nothing here") from error
        if calendar.fixed:
            component = calendar.components[0]
            entries = [self._entry(calendar, component, None, member) for member in changed]
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
        if name in self._fixed():
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
