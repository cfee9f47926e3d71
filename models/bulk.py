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
