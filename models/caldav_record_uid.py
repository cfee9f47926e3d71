"""UIDs of records that programs have made: each has its own, and looks for it again."""

from odoo import api, fields, models
from odoo.tools import SQL


class CaldavRecordUid(models.Model):
    """Of all calendars together: one UID is one thing."""

    _name = "caldav.record.uid"
    _description = "UID of a Record from a Calendar Program"
    _log_access = False

    definition_id = fields.Many2one("caldav.calendar.definition", required=True, ondelete="cascade")
    res_id = fields.Integer("Record", required=True)
    uid = fields.Char("UID", required=True)

    _uid_once = models.UniqueIndex("(uid)")
    _record_once = models.UniqueIndex("(definition_id, res_id)")

    @api.model
    def _of(self, definitions):
        return self.search([("definition_id", "in", definitions.ids)])

    @api.model
    def _put(self, definition, record, uid):
        self.create({"definition_id": definition.id, "res_id": record.id, "uid": uid})

    @api.model
    def _free(self, definition, uid):
        """Its record is gone: the UID is for another one."""
        self.search([("definition_id", "=", definition.id), ("uid", "=", uid)]).unlink()

    @api.model
    def _is_taken(self, uid):
        return bool(self.search_count([("uid", "=", uid)], limit=1))

    @api.model
    def _res_ids(self, definition_id, uids):
        """dict from those of the UIDs that are of records of a calendar to the records' ids"""
        found = self.search([("definition_id", "=", definition_id), ("uid", "in", list(uids))])
        return {one.uid: one.res_id for one in found}

    @api.model
    def _expression(self, definition_id, record_id):
        """SQL of the UID that a record came with, NULL for those that were made in Odoo.

        :param SQL record_id: of the record
        """
        return SQL(
            "(SELECT uid FROM caldav_record_uid WHERE definition_id = %s AND res_id = %s)",
            definition_id,
            record_id,
        )

    @api.model
    def _forget(self):
        """Those of records that are gone."""
        for [definition] in self._read_group([], ["definition_id"]):
            model = definition._model()
            if model is not None:
                self.env.cr.execute(
                    SQL(
                        "DELETE FROM caldav_record_uid WHERE definition_id = %s AND NOT EXISTS"
                        " (SELECT FROM %s record WHERE record.id = res_id)",
                        definition.id,
                        SQL.identifier(model._table),
                    )
                )
        self.invalidate_model(flush=False)
