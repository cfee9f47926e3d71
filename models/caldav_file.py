"""Files that programs have put with meetings (RFC 8607): which attachment is which."""

from odoo import fields, models


class CaldavFile(models.Model):
    """Attachments that were added in Odoo are none: no program takes those away."""

    _name = "caldav.file"
    _description = "File of a Meeting from a Calendar Program"
    _log_access = False

    user_id = fields.Many2one("res.users", required=True, ondelete="cascade")
    uid = fields.Char("UID", required=True)
    attachment_id = fields.Many2one("ir.attachment", required=True, ondelete="cascade")

    _by_object = models.Index("(user_id, uid)")
