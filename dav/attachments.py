"""Managed attachments (RFC 8607): files that go with an object, sent and fetched alone."""

import re
from email.message import Message
from urllib.parse import parse_qs, quote

from ..ical.managed import managed_ids, with_file, without_file
from .errors import BadRequest, Forbidden, TooLarge
from .names import caldav

ADD, UPDATE, REMOVE = "attachment-add", "attachment-update", "attachment-remove"
#: Longest name of a file.
MAX_NAME = 120
_TYPE = re.compile(r"[a-z0-9][a-z0-9!#$&^_.+-]{0,60}/[a-z0-9][a-z0-9!#$&^_.+-]{0,60}")
_UNFIT = re.compile(r'[\x00-\x1f\x7f/\\:"]+')


class UnknownFile(Forbidden):
    """RFC 8607, 3.11."""

    condition = caldav("valid-managed-id")


class UnknownAction(Forbidden):
    """RFC 8607, 3.11."""

    condition = caldav("valid-action")


class NoOccurrence(Forbidden):
    """Files are of a whole object here (RFC 8607, 3.11)."""

    condition = caldav("valid-rid")


class TooManyFiles(Forbidden):
    """RFC 8607, 3.11."""

    condition = caldav("max-attachments-per-resource")


class Attachments:
    """:param server: who has the tree, the backend and the request"""

    def __init__(self, server):
        self.server = server
        self.backend = server.backend
        self.request = server.request

    def post(self, resource):
        """Add, replace or take away a file (3.5 to 3.7)."""
        writes = self.server.writes
        writes.check_writable(resource)
        entry = resource.entry
        text = self.server.properties.text(resource)
        action, managed_id = self._asked(text)
        if action == ADD and len(managed_ids(text)) >= self.backend.max_files:
            raise TooManyFiles(f"more than {self.backend.max_files} files")
        if action != REMOVE and len(self.request.body) > self.backend.max_file_size:
            raise TooLarge(
                f"more than {self.backend.max_file_size} octets", caldav("max-attachment-size")
            )  # fmt: skip
        headers = {}
        if managed_id:
            text = without_file(text, managed_id)
        if action != REMOVE:
            made, text = self._add(resource, text)
            headers["Cal-Managed-ID"] = made
        written = self.backend.put(
            resource.calendar, entry.name, entry.uid, entry.component, text, entry
        )
        self.backend.keep_files(entry, managed_ids(text))
        status = 201 if action == ADD else 204
        status, told, pieces = writes.told(resource.calendar, written, text, status)
        return status, told | headers, pieces

    def _asked(self, text):
        """(action, MANAGED-ID or None) of the address."""
        query = parse_qs(self.request.query, keep_blank_values=True)
        actions, ids = query.get("action", []), query.get("managed-id", [])
        if len(actions) != 1 or actions[0] not in (ADD, UPDATE, REMOVE):
            raise UnknownAction("action is attachment-add, attachment-update or attachment-remove")
        if "rid" in query:
            raise NoOccurrence("a file is of all occurrences")
        if actions[0] == ADD:
            if ids:
                raise UnknownFile("a file that is added has no managed-id yet")
            return ADD, None
        if len(ids) != 1 or ids[0] not in managed_ids(text):
            raise UnknownFile("the object has no such file")
        return actions[0], ids[0]

    def _add(self, resource, text):
        """(MANAGED-ID, the text with the file that was sent)"""
        body = self.request.body
        if not body:
            raise BadRequest("there is no file")
        name, media_type = self._name(), self._media_type()
        made = self.backend.add_file(resource.calendar, resource.entry, name, media_type, body)
        root = self.server.tree.root
        base = self.backend.base or self.request.base
        url = f"{base}{root}attachments/{quote(made)}/{quote(name)}"
        component = resource.entry.component
        return made, with_file(text, component, made, url, media_type, name, len(body))

    def _name(self):
        """What Content-Disposition calls it (RFC 6266, 4.3)."""
        message = Message()
        message["Content-Disposition"] = self.request.header("content-disposition") or ""
        name = _UNFIT.sub("_", message.get_filename() or "").strip(" ._")
        return name[-MAX_NAME:] or "file"

    def _media_type(self):
        kind = (self.request.header("content-type") or "").partition(";")[0].strip().lower()
        return kind if _TYPE.fullmatch(kind) else "application/octet-stream"

    def check(self, calendar, entry, text):
        """Whether the files of a text that is put are those of its object.

        :raises UnknownFile: when one is not (3.11)
        """
        told = managed_ids(text)
        if not told:
            return
        before = dict(self.backend.texts(calendar, [entry])).get(entry, "") if entry else ""
        if not told <= managed_ids(before):
            raise UnknownFile("a MANAGED-ID is given by the server")

    def get(self, resource):
        """The file, to be saved and never to be shown as a page of ours (8)."""
        file = resource.file
        headers = {
            "Content-Type": file.media_type, "X-Content-Type-Options": "nosniff",
            "Content-Disposition": f"attachment; filename*=UTF-8''{quote(file.name)}",
            "Content-Security-Policy": "default-src 'none'; sandbox",
            "Cache-Control": "private, no-cache", "ETag": f'"{file.etag}"',
        }  # fmt: skip
        if self.request.has_current(f'"{file.etag}"'):
            return 304, headers, []
        return 200, headers, file.octets
