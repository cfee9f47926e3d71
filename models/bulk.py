"""Many rows with one statement, where the ORM would take several for each batch."""

import json

from odoo import SUPERUSER_ID
from odoo.tools import SQL


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
    end = tuple(audit.values())
    model.env.cr.execute(
        SQL(
            "INSERT INTO %s (%s) VALUES %s %s",
            SQL.identifier(model._table),
            SQL(", ").join(map(SQL.identifier, [*columns, *audit])),
            SQL(", ").join(SQL("%s", tuple(row[name] for name in columns) + end) for row in rows),
            tail or SQL(),
        )
    )
    model.invalidate_model()


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
    :param rows: list of dicts of column values, all with the same keys
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
            "INSERT INTO %(table)s (%(columns)s) SELECT %(values)s FROM (VALUES %(rows)s) "
            "AS given (%(given)s), %(table)s source WHERE source.id = %(id)s RETURNING id, %(key)s",
            table=SQL.identifier(source._table),
            columns=SQL(", ").join(map(SQL.identifier, [*given, *copied])),
            values=SQL(", ").join(
                [
                    *(
                        SQL(
                            "%s::%s",
                            SQL.identifier("given", name),
                            SQL(source._fields[name].column_type[0]),
                        )
                        for name in given
                    ),
                    *(SQL.identifier("source", name) for name in copied),
                ]
            ),
            rows=SQL(", ").join(SQL("%s", tuple(row[name] for name in given)) for row in rows),
            given=SQL(", ").join(map(SQL.identifier, given)),
            id=source.id,
            key=SQL.identifier(key or "id"),
        )
    )
    found = {value: res_id for res_id, value in source.env.cr.fetchall()}
    return found if key else {}
