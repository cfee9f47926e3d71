"""PUT, DELETE, COPY and MOVE (RFC 4791, 5.3.2; RFC 4918, 9.6 to 9.9)."""

import codecs

from ..ical.charsets import as_utf8
from ..ical.errors import BadValue
from ..ical.managed import managed_ids
from .errors import (
    Conflict,
    Failed,
    Forbidden,
    InvalidData,
    NoPrivilege,
    NotAllowed,
    NotFound,
    TooLarge,
    UidTaken,
    WrongComponent,
    WrongType,
)
from .names import caldav
from .objects import check_object

_TYPE = "text/calendar; charset=utf-8"


class Writes:
    """:param server: who has the tree, the backend and the request"""

    def __init__(self, server):
        self.server = server
        self.tree = server.tree
        self.backend = server.backend
        self.request = server.request
        self.scheduling = server.scheduling

    def put(self):
        target = self.tree.target(self.request.path)
        if target.calendar is None:
            if self.tree.has_calendar(target.name):
                raise self._not_here("calendar")
            raise Forbidden("objects are put into calendars", None)
        entry = target.entry
        self._may(target.calendar, "bind" if entry is None else "write-content")
        self._check(entry)
        self.scheduling.check_tag(target.calendar, entry)
        text, items = self._read(target.calendar)
        uid, component = items[0].uid, items[0].NAME
        self._check_uid(target.calendar, target.name, uid, entry)
        self.scheduling.check(target.calendar, entry, text, items)
        self.server.attachments.check(target.calendar, entry, text)
        written = self.backend.put(target.calendar, target.name, uid, component, text, entry)
        if entry is not None:
            self.backend.keep_files(entry, managed_ids(text))
        return self.told(target.calendar, written, text, 201 if written.is_new else 204)

    def told(self, calendar, written, sent, status):
        """The answer to what was written: as it is now, where that is preferred.

        :param str sent: what was to be stored
        :param int status: of an answer without it
        """
        headers = {}
        if written.is_same:
            headers["ETag"] = f'"{written.entry.etag}"'
        if not self.request.representation:
            return status, headers | self._tag(calendar, written, sent), []
        text = self._text(calendar, written.entry)
        headers |= self.scheduling.headers(text) | {
            "ETag": f'"{written.entry.etag}"', "Content-Type": _TYPE,
            "Content-Location": self.server.quoted(self.request.path),
            "Preference-Applied": "return=representation",
        }  # fmt: skip
        return 200 if status == 204 else status, headers, [text]

    def check_writable(self, resource):
        """Whether an object may be changed, on the conditions of the request."""
        self._may(resource.calendar, "write-content")
        self._check(resource.entry)
        self.scheduling.check_tag(resource.calendar, resource.entry)

    def _tag(self, calendar, written, sent):
        """Schedule-Tag of what is there now (RFC 6638, 3.2.10)."""
        if self.scheduling.tag(sent) is None:
            return {}
        text = sent if written.is_same else self._text(calendar, written.entry)
        return self.scheduling.headers(text)

    def _text(self, calendar, entry):
        return dict(self.backend.texts(calendar, [entry])).get(entry, "")

    def _read(self, calendar):
        """(text, items) of the body, if this calendar takes it."""
        kind, _, parameters = (self.request.header("content-type") or "").partition(";")
        if kind.strip() and kind.strip().lower() != "text/calendar":
            raise WrongType("only text/calendar is stored here", caldav("supported-calendar-data"))
        data = self.request.body
        if len(data) > self.backend.max_size:
            raise TooLarge(
                f"more than {self.backend.max_size} octets", caldav("max-resource-size")
            )  # fmt: skip
        data = _as_utf8(data, parameters)
        text, items = check_object(data)
        if items[0].NAME not in calendar.components:
            raise WrongComponent(f"this calendar takes {', '.join(calendar.components)}")
        return text, items

    def _check_uid(self, calendar, name, uid, entry):
        """RFC 4791, 5.3.2.1: the UID is of this object, and of no other one here."""
        if entry is not None and entry.uid != uid:
            raise UidTaken(
                "the object that is here has another UID",
                hrefs=[self.tree.entry_path(calendar, entry)],
            )
        for other in self.backend.entries(calendar, uid=uid):
            if other.name != name:
                raise UidTaken(
                    "another object has this UID", hrefs=[self.tree.entry_path(calendar, other)]
                )

    def delete(self, resource):
        if resource.kind == "object":
            if resource.calendar.role != "inbox":
                # A message that was seen is deleted (RFC 6638, 4.2).
                self._may(resource.calendar, "unbind")
            self._check(resource.entry)
            self.scheduling.check_tag(resource.calendar, resource.entry)
            is_told = self.scheduling.is_told()
            self.backend.delete(resource.calendar, resource.entry, is_told)
        else:
            self._check(None)
            self.server.changes.delete(resource.calendar)
        return 204, {}, []

    def move(self, resource):
        return self._carry(resource, is_copy=False)

    def duplicate(self, resource):
        return self._carry(resource, is_copy=True)

    def _carry(self, resource, is_copy):
        if resource.kind != "object":
            raise Forbidden("only objects are moved and copied")
        entry = resource.entry
        self._check(entry)
        self.scheduling.check_tag(resource.calendar, entry)
        if resource.calendar.role:
            raise Forbidden("messages stay where they are")
        if not is_copy:
            self._may(resource.calendar, "unbind")
        target = self._destination()
        self._may_carry(resource, target, is_copy)
        if is_copy:
            self._copy(resource, target)
        else:
            if target.entry is not None:
                self.backend.delete(target.calendar, target.entry)
            self.backend.move(resource.calendar, entry, target.calendar, target.name)
        return 204 if target.entry is not None else 201, {}, []

    def _may_carry(self, resource, target, is_copy):
        """:raises DavError: when it cannot be there"""
        entry = resource.entry
        # RFC 3744, appendix B.
        self._may(target.calendar, "bind")
        if target.entry is not None:
            self._may(target.calendar, "write-content" if is_copy else "unbind")
        if target.entry is not None and not self.request.overwrite:
            raise Failed("something is there, and it is not to be overwritten")
        is_near = target.calendar.name == resource.calendar.name
        if is_near and target.name == entry.name:
            raise Forbidden("it is there already")
        if entry.component not in target.calendar.components:
            raise WrongComponent(f"that calendar takes {', '.join(target.calendar.components)}")
        if is_copy and self.backend.unique_uids and not is_near:
            raise UidTaken("it is there once", hrefs=[resource.path])
        # What is moved away, or overwritten, is in nobody's way.
        free = {target.name} if is_copy or not is_near else {target.name, entry.name}
        for other in self.backend.entries(target.calendar, uid=entry.uid):
            if other.name not in free:
                raise UidTaken(
                    "another object has this UID",
                    hrefs=[self.tree.entry_path(target.calendar, other)],
                )

    def _copy(self, resource, target):
        entry, there = resource.entry, target.entry
        text = self._text(resource.calendar, entry)
        if not text:
            raise NotFound("it is gone")
        if there is not None and there.uid != entry.uid:
            self.backend.delete(target.calendar, there)
            there = None
        self.backend.put(target.calendar, target.name, entry.uid, entry.component, text, there)

    def _destination(self):
        path = self.request.destination
        try:
            target = self.tree.target(path)
        except NotFound as error:
            raise Forbidden("nothing can be put there") from error
        if target.calendar is None:
            raise Conflict("objects are put into calendars")
        return target

    def _may(self, calendar, right):
        if not calendar.rights:
            raise NoPrivilege("this calendar is only read")
        if right not in calendar.rights:
            raise NoPrivilege(f"that needs the right to {right}")

    def _check(self, entry):
        self.request.check(f'"{entry.etag}"' if entry is not None else None)

    def _not_here(self, kind):
        return NotAllowed(
            "that method does nothing here", headers={"Allow": self.server.allow(kind)}
        )  # fmt: skip


def _as_utf8(data, parameters):
    """The octets in UTF-8, out of whatever they are said to be in."""
    for one in parameters.split(";"):
        key, _, value = one.partition("=")
        if key.strip().lower() == "charset":
            try:
                data = as_utf8(data, value.strip().strip('"'))
            except BadValue as error:
                raise InvalidData("it is not in the character set that it names") from error
    return data.removeprefix(codecs.BOM_UTF8)
