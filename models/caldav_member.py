"""What a collection holds, under which name, since which version."""

from odoo import fields, models

from .caldav_object import SEES


class CaldavMember(models.Model):
    """Written by ``caldav.collection._catch_up`` only. What has left stays as a
    tombstone under its name, for those who have not heard of it."""

    _name = "caldav.member"
    _description = "Member of a Calendar for Other Programs"
    _log_access = False

    collection_id = fields.Many2one("caldav.collection", required=True, ondelete="cascade")
    uid = fields.Char("UID", required=True)
    name = fields.Char(required=True, help="Last part of its address.")
    version = fields.Integer(required=True, help="Version of the calendar that changed it last.")
    changed_at = fields.Datetime(readonly=True)
    is_gone = fields.Boolean(required=True)
    gone_at = fields.Datetime()
    is_part = fields.Boolean(required=True, help="The user has only some meetings of the series.")
    sees = fields.Selection(SEES, required=True)

    _name_unique = models.UniqueIndex("(collection_id, name)")
    _uid_unique = models.UniqueIndex("(collection_id, uid) WHERE NOT is_gone")
    _by_version = models.Index("(collection_id, version, id)")
    _gone_by_uid = models.Index("(collection_id, uid) WHERE is_gone")
