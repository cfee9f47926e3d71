"""Of the backend: files that go with meetings (RFC 8607). They are Odoo's attachments."""

from odoo.exceptions import AccessError, UserError
from odoo.tools import SQL

from ..dav.backend import File
from ..dav.errors import Forbidden, NoPrivilege


class FileMixin:
    """Of the backend: who organizes a meeting puts files with it, who takes part reads them."""

    @property
    def base(self):
        return self.user.get_base_url()

    def add_file(self, calendar, entry, name, media_type, octets):
        own = self._meetings([entry.uid]).filtered(lambda event: event.user_id == self.user)
        if entry.id.sees != "full" or not own:
            raise NoPrivilege("files go with meetings that the user organizes")
        event = own.recurrence_id.base_event_id & own or own.sorted("start")[:1]
        values = {
            "name": name, "raw": octets, "mimetype": media_type, "res_model": event._name,
            "res_id": event.id,
        }  # fmt: skip
        try:
            # With his own rights: Odoo makes plain text of what a browser would run.
            attachment = self.env["ir.attachment"].with_user(self.user).create(values)
        except (AccessError, UserError) as error:
            raise Forbidden(str(error)[:200]) from error
        file = self.env["caldav.file"].create(
            {"user_id": self.user.id, "uid": entry.uid, "attachment_id": attachment.id}
        )  # fmt: skip
        return str(file.id)

    def keep_files(self, entry, managed_ids):
        if entry.id.sees == "record":
            # It has none, and a meeting may have its UID.
            return
        rows = self.env.execute_query(
            SQL(
                "SELECT id, attachment_id FROM caldav_file WHERE user_id = %s AND uid = %s",
                self.user.id,
                entry.uid,
            )
        )
        gone = [attachment_id for file_id, attachment_id in rows if str(file_id) not in managed_ids]
        if gone:
            self.env["ir.attachment"].browse(gone).unlink()

    def file(self, managed_id):
        if not (managed_id.isascii() and managed_id.isdigit() and len(managed_id) < 10):
            return None
        file = self.env["caldav.file"].browse(int(managed_id)).exists()
        if not file or not self._takes_part(file):
            return None
        attachment = file.attachment_id
        return File(
            attachment.name, attachment.mimetype or "application/octet-stream",
            attachment.raw or b"", attachment.checksum or str(attachment.id),
        )  # fmt: skip

    def _takes_part(self, file):
        """Whether it is of a meeting that he organizes or is invited to, or of its series.

        The UID alone does not tell: anybody can put a meeting of that UID into his calendar.
        """
        mine = self._meetings([file.uid]).filtered("active")
        attachment = file.attachment_id
        its = mine.browse(attachment.res_id) if attachment.res_model == mine._name else mine[:0]
        return bool(its & mine or its.exists().recurrence_id & mine.recurrence_id)
