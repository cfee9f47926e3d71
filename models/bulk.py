"""Many rows with one statement, where the ORM would take several for each batch."""

import json

from odoo import SUPERUSER_ID, models
from odoo.tools import SQL

#: Modules whose create() does nothing for records beside the first one that is not done
#: here or by the caller.
KNOWN_MODULES = frozenset(
    {"base", "web", "mail", "calendar", "crm", "hr_recruitment", "crm_automation"}
)

#: So many rows go to the database as one text.
MANY_ROWS = 50
#: Kinds of columns whose values JSON can hold.
PLAIN = frozenset(
    {"int4", "int8", "float8", "bool", "varchar", "text", "date", "timestamp"}
)  # fmt: skip


def insert_rows(model, rows, tail=None):
    """Insert rows past the ORM: no defaults, no computed fields, no hooks.

    :param model: empty recordset of the model; its cache is dropped
    :param rows: list of dicts of column values, all with the same keys
    :param SQL tail: what follows the values, such as ON CONFLICT, or None
    """
    if not rows:
        return
    now = model.env.cr.now().replace(microsecond=0)
    audit = {
        "create_uid": SUPERUSER_ID,
        "create_date": now,
        "write_uid": SUPERUSER_ID,
        "write_date": now,
    }
    columns = sorted(rows[0])
    model.env.cr.execute(
        SQL(
            "INSERT INTO %s (%s) %s %s",
            SQL.identifier(model._table),
            SQL(", ").join(map(SQL.identifier, [*columns, *audit])),
            _source(model, rows, columns, tuple(audit.values())),
            tail or SQL(),
        )
    )
    model.invalidate_model()


def _source(model, rows, columns, end):
    """The rows as SQL, each with the same values at its end.

    Many as one text: to write and to read so many constants takes longer than to insert
    them.
    """
    types = {name: model._fields[name].column_type for name in columns}
    if len(rows) < MANY_ROWS or not PLAIN.issuperset(kind for kind, _sql in types.values()):
        values = (SQL("%s", tuple(row[name] for name in columns) + end) for row in rows)
        return SQL("VALUES %s", SQL(", ").join(values))
    return SQL(
        "SELECT %s, %s FROM json_to_recordset(%s) AS given (%s)",
        SQL(", ").join(SQL.identifier(name) for name in columns),
        SQL(", ").join(SQL("%s", value) for value in end),
        json.dumps(rows, default=str),
        SQL(", ").join(SQL("%s %s", SQL.identifier(name), SQL(types[name][1])) for name in columns),
    )


def update_rows(model, rows, types):
    """Change rows past the ORM, with one statement.

    :param model: empty recordset of the model; its cache is dropped
    :param rows: list of dicts with ``id`` and values that JSON can hold
    :param dict types: SQL type of each column that is written
    """
    if not rows:
        return
    columns = SQL(", ").join(
        SQL("%s = new.%s", SQL.identifier(name), SQL.identifier(name)) for name in types
    )
    kinds = SQL(", ").join(
        SQL("%s %s", SQL.identifier(name), SQL(kind)) for name, kind in types.items()
    )
    model.env.cr.execute(
        SQL(
            """
            UPDATE %s old SET %s
              FROM jsonb_to_recordset(%s) AS new (id int, %s)
             WHERE old.id = new.id
            """,
            SQL.identifier(model._table),
            columns,
            json.dumps(rows, default=str),
            kinds,
        )
    )
    model.invalidate_model()


def insert_like(source, rows, key=None):
    """Insert rows that are as one that is there, but for the given columns.

    What other modules keep in that one is in all of them. No computed fields, no hooks.

    :param source: one record
    :param rows: list of dicts of column values, all with the same keys; dates are said as
        text, so what is no text, number or date is not for it
    :param str key: a column of the rows that tells them apart
    :return: dict from the key to the new row's id; empty without a key
    """
    if not rows:
        return {}
    source.flush_recordset()
    given = sorted(rows[0])
    copied = [
        name for name, field in source._fields.items()
        if field.store and field.column_type and name != "id" and name not in rows[0]
    ]  # fmt: skip
    source.env.cr.execute(
        SQL(
            "INSERT INTO %(table)s (%(columns)s) SELECT %(values)s "
            "FROM json_to_recordset(%(rows)s) AS given (%(given)s), %(table)s source "
            "WHERE source.id = %(id)s RETURNING id, %(key)s",
            table=SQL.identifier(source._table),
            columns=SQL(", ").join(map(SQL.identifier, [*given, *copied])),
            values=SQL(", ").join(
                [
                    *(SQL.identifier("given", name) for name in given),
                    *(SQL.identifier("source", name) for name in copied),
                ]
            ),
            rows=json.dumps(rows, default=str),
            given=SQL(", ").join(
                SQL("%s %s", SQL.identifier(name), SQL(source._fields[name].column_type[1]))
                for name in given
            ),
            id=source.id,
            key=SQL.identifier(key or "id"),
        )
    )
    found = {value: res_id for res_id, value in source.env.cr.fetchall()}
    return found if key else {}


def is_known(model):
    """Whether nobody has a word to say at creation who is not known here.

    What another module numbers or sends for each new record, no row that is copied has.
    """
    return all(
        definition._module in KNOWN_MODULES
        for definition in type(model).__mro__
        if "create" in vars(definition) and definition is not models.BaseModel
    )


def create_alike(model, vals_list, known=None, same=()):
    """Create many records of one kind: the first by Odoo, the others as rows like it.

    What other modules keep in the first one is in all of them; where they have a hook at
    creation, Odoo makes them all. The constraints are those of Odoo. Nothing is told of
    the others: hooks are the caller's.

    :param model: empty recordset of the model
    :param vals_list: values as create() takes them, all with the same keys; relations as
        one ``Command.set`` each
    :param dict known: what gives the column of a field from the values, for stored computed
        fields and for what need not be cleaned
    :param same: names of stored computed fields that are in all as in the first one;
        the other ones are computed by Odoo
    :return: the records, in the order of the values
    """
    if not vals_list:
        return model.browse()
    known = known or {}
    if not is_known(model):
        return model.create(vals_list)
    # A copy: hooks add to the values.
    first = model.create(dict(vals_list[0]))
    rest = vals_list[1:]
    if not rest:
        return first
    rows = _rows_alike(first, vals_list, known)
    # Before the cache is dropped.
    model.env.flush_all()
    insert_like(first, rows)
    _link_alike(model, rows, rest)
    others = model.browse([row["id"] for row in rows])
    model.env.invalidate_all(flush=False)
    given = set(rest[0])
    for field in model._fields.values():
        if field.store and field.compute and field.name not in {*given, *known, *same}:
            model.env.add_to_compute(field, others)
    _check(others, given)
    return first.concat(others)


def _rows_alike(first, vals_list, known):
    """Column values of the records beside the first one, each with an id of its own.

    What is the same in all is copied from the first one.
    """
    values_of_first, *rest = vals_list
    clean = {}
    for name, value in values_of_first.items():
        field = first._fields[name]
        is_same = all(values[name] == value for values in rest)
        if field.column_type and name not in known and not is_same:
            clean[name] = _cleaner(field, first)
    return [
        {
            "id": new_id,
            **{name: to_column(values[name]) for name, to_column in clean.items()},
            **{name: reckon(values) for name, reckon in known.items()},
        }
        for new_id, values in zip(_new_ids(first, len(rest)), rest, strict=True)
    ]


def _link_alike(model, rows, vals_list):
    """Link the rows with what their values name, for each many2many field of them."""
    for name in vals_list[0]:
        field = model._fields[name]
        if field.type == "many2many":
            pairs = [
                (row["id"], other)
                for row, values in zip(rows, vals_list, strict=True)
                for _command, _id, others in values[name]
                for other in others
            ]
            link_rows(field, model, pairs)


def _check(records, given):
    """Odoo's constraints about the given fields."""
    checks = [
        check for check in records._constraint_methods if given.intersection(check._constrains)
    ]
    # Not all that there is, for the few that have constraints.
    records.fetch({name for check in checks for name in check._constrains})
    records._validate_fields(given)


def _cleaner(field, record):
    """What makes a value of the field one of its column; the same value is cleaned once."""
    done = {}

    def clean(value):
        if value not in done:
            done[value] = field.convert_to_column_insert(value, record)
        return done[value]

    return clean


def _new_ids(model, number):
    model.env.cr.execute(
        SQL(
            "SELECT nextval(pg_get_serial_sequence(%s, 'id')) FROM generate_series(1, %s)",
            model._table,
            number,
        )
    )
    return [row[0] for row in model.env.cr.fetchall()]


def link_rows(field, model, pairs):
    """Link records past the ORM.

    :param field: a many2many field
    :param model: empty recordset of the field's model
    :param pairs: list of (id, id of the other side)
    """
    if pairs:
        model.env.cr.execute(
            SQL(
                "INSERT INTO %s (%s, %s) SELECT * FROM unnest(%s::int[], %s::int[]) "
                "ON CONFLICT DO NOTHING",
                SQL.identifier(field.relation),
                SQL.identifier(field.column1),
                SQL.identifier(field.column2),
                *map(list, zip(*pairs, strict=True)),
            )
        )
