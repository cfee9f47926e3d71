"""Who has used a secret last, and when: of feeds and of keys for calendar programs."""

import psycopg2

from odoo.tools import SQL

#: Characters that are kept of what a program says it is.
PROGRAM_LENGTH = 200


def note_use(model, which, program):
    """Write down who comes; whatever comes in the way of that does not matter.

    :param model: empty recordset of a model with ``last_used_at`` and ``last_program``
    :param SQL which: condition on its table
    :param str program: what came in a header, or None
    """
    try:
        with model.env.cr.savepoint(flush=False):
            model.env.cr.execute(
                SQL(
                    """
                    UPDATE %(table)s SET last_used_at = %(now)s, last_program = %(program)s
                     WHERE id IN (
                        SELECT id FROM %(table)s WHERE %(which)s FOR NO KEY UPDATE SKIP LOCKED)
                    """,
                    table=SQL.identifier(model._table),
                    now=model.env.cr.now().replace(microsecond=0),
                    program="".join(filter(str.isprintable, program or ""))[:PROGRAM_LENGTH]
                    or None,
                    which=which,
                ),
                log_exceptions=False,
            )
    except psycopg2.Error:
        return
    model.invalidate_model(["last_used_at", "last_program"], flush=False)
