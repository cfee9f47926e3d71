"""What was taken in from where: the digest that tells an unchanged object at once."""

from odoo import fields, models
from odoo.tools import SQL

from .bulk import insert_rows

#: The record that an object has become, by the field that leads to it.
TARGETS = {
    "calendar.event": "event_id",
    "calendar.recurrence": "recurrence_id",
    "project.task": "task_id",
    "mail.activity": "activity_id",
}
#: UIDs that one question is about.
MANY = 10_000


class CalendarIcalSource(models.Model):
    """One row for each object that an owner has from a source.

    Written and read by the engine alone. It goes with its record: what was deleted in
    Odoo is new again.
    """

    _name = "calendar.ical.source"
    _description = "Origin of an Imported Meeting"

    user_id = fields.Many2one("res.users", "Owner", required=True, ondelete="cascade")
    source = fields.Char(required=True)
    component = fields.Char(required=True)
    uid = fields.Char("UID", required=True)
    digest = fields.Char()
    text = fields.Text(
        "Original iCalendar Text", help="Of a to-do: what its task or activity has no field for."
    )
    event_id = fields.Many2one(
        "calendar.event", "Meeting", ondelete="cascade", index="btree_not_null"
    )
    recurrence_id = fields.Many2one(
        "calendar.recurrence", "Series", ondelete="cascade", index="btree_not_null"
    )
    task_id = fields.Many2one("project.task", ondelete="cascade", index="btree_not_null")
    activity_id = fields.Many2one("mail.activity", ondelete="cascade", index="btree_not_null")

    _object_unique = models.UniqueIndex("(user_id, source, uid, component)")

    def _known(self, owner, source, uids):
        """What is known of these UIDs.

        :return: dict from (component, UID) to (digest or None, model, id)
        """
        self.flush_model()
        found = {}
        for at in range(0, len(uids), MANY):
            self.env.cr.execute(
                SQL(
                    """
                    SELECT component, uid, digest, event_id, recurrence_id, task_id, activity_id
                      FROM calendar_ical_source
                     WHERE user_id = %s AND source = %s AND uid = ANY(%s)
                       -- Odoo keeps a series of which all meetings were deleted.
                       AND (recurrence_id IS NULL OR EXISTS (
                           SELECT FROM calendar_event event
                            WHERE event.recurrence_id = calendar_ical_source.recurrence_id))
                    """,
                    owner.id,
                    source,
                    uids[at : at + MANY],
                )
            )
            for component, uid, digest, *ids in self.env.cr.fetchall():
                target = next((pair for pair in zip(TARGETS, ids, strict=True) if pair[1]), None)
                if target:
                    found[component, uid] = (digest, *target)
        return found

    def _note(self, owner, source, rows):
        """Remember objects: what was taken in, or found to be there already.

        :param rows: list of (component, UID, digest or None, record, text or None)
        """
        unique = {}
        for component, uid, digest, record, text in rows:
            unique[component, uid] = {
                "user_id": owner.id,
                "source": source,
                "component": component,
                "uid": uid,
                "digest": digest,
                "text": text,
                **dict.fromkeys(TARGETS.values()),
                TARGETS[record._name]: record.id,
            }
        # The rows point to records that may not be in the database yet.
        self.env.flush_all()
        insert_rows(
            self,
            list(unique.values()),
            SQL(
                """
                ON CONFLICT (user_id, source, uid, component) DO UPDATE
                SET digest = EXCLUDED.digest, event_id = EXCLUDED.event_id,
                    text = COALESCE(EXCLUDED.text, calendar_ical_source.text),
                    recurrence_id = EXCLUDED.recurrence_id, task_id = EXCLUDED.task_id,
                    activity_id = EXCLUDED.activity_id, write_date = EXCLUDED.write_date
                """
            ),
        )

    def _taken_at(self, record, owner):
        """When the record was last taken in, from wherever; None if it never was."""
        self.env.cr.execute(
            SQL(
                "SELECT MAX(write_date) FROM calendar_ical_source WHERE %s = %s AND user_id = %s",
                SQL.identifier(TARGETS[record._name]),
                record.id,
                owner.id,
            )
        )
        return self.env.cr.fetchone()[0]

    def _take_again(self, record):
        """The record is as it was taken in, although it is written now."""
        self.env.flush_all()
        self.env.cr.execute(
            SQL(
                "UPDATE calendar_ical_source SET write_date = %s WHERE %s = %s",
                self.env.cr.now(),
                SQL.identifier(TARGETS[record._name]),
                record.id,
            )
        )
