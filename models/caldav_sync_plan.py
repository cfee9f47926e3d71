"""What is done with one object: planned by what became of it on both sides, and merged.

Writes in Odoo itself; what is to be written on the server is a :class:`Task` for after
the commit.
"""

from dataclasses import dataclass

from ..dav.errors import DavError
from ..ical import merge
from ..ical.params import split_line
from ..ical.values import read_text
from ..ical.versions import write_version
from ..sync.plan import IN, OUT, Action, Side, decide, winner
from .caldav_sync_version import print_of, version_of


@dataclass
class Task:
    """What is to be written there.

    :param str text: None for a deletion
    :param str etag: of what is there; None for nothing
    :param str version: of Odoo's, when it was looked at
    """

    row: int
    path: str
    text: str
    etag: str
    version: str
    here: str
    kind: str
    uid: str
    before: str
    done: bool = False
    new_etag: str = ""
    error: object = None


@dataclass
class Write:
    """What is to be written in Odoo.

    :param Plan plan: of the object
    :param str before: what Odoo has had
    :param after: what is done then, or None
    """

    plan: object
    text: str
    kind: str
    before: str
    after: object = None


class Plan:
    """What is done with one object.

    :param Step step: see there
    :param row: caldav.account.object
    :param member: of the calendar of Odoo, or None
    :param str text: of Odoo, where it may have changed; or None
    :param there: Text, None for what is gone, or an error; only where it may have changed
    """

    def __init__(self, step, row, member, text, there):
        self.step, self.row, self.member, self.there = step, row, member, there
        self.here_api = step.here
        self.version = self.here_api.version(member) if member else None
        self.full_text = text
        self.text = text and self.here_api.outward(text, row.came_from)

    # --- What became of it

    def _side_here(self):
        row = self.row
        if self.member is None:
            return Side.GONE if row.has_here or row.print_sent else Side.ABSENT
        if row.has_here and row.print_here:
            if self.version == row.version or self.text is None:
                return Side.SAME
            return Side.SAME if print_of(self.text) == row.print_here else Side.CHANGED
        if self.text is None:
            raise DavError(self.step._words("unwritable"))
        return Side.ABSENT if self._is_hidden() and not row.has_there else Side.CHANGED

    def _hides(self):
        text = self.full_text
        return self.here_api.hides(text, self.row.came_from) if text else ""

    def _is_hidden(self):
        """Whether nothing of it goes out."""
        return self._hides() == "none"

    def _side_there(self):
        row = self.row
        if row.dirty_there == "gone":
            return Side.GONE if row.has_there else Side.ABSENT
        if row.dirty_there != "changed":
            return Side.SAME if row.has_there else Side.ABSENT
        if self.there is None:
            return Side.ABSENT
        if row.has_there and row.print_there:
            if self.there.etag and self.there.etag == row.etag:
                return Side.SAME
            # What Odoo has sent, and died before it was noted, nobody else has written.
            known = (row.print_there, row.print_sent or row.print_there)
            return Side.SAME if print_of(self.there.text) in known else Side.CHANGED
        if self.member is None and row.print_sent == print_of(self.there.text):
            return Side.SAME
        return Side.CHANGED

    def do(self):
        row = self.row
        if isinstance(self.there, Exception):
            reason = self.step._why(self.there)
            self.step._wait(row, "unreadable", reason)
            row.write({"dirty_there": False, "etag": row.seen_etag, "has_there": True})
            self.step.journal.note(row, "failed", "there", reason=reason)
            return
        here, there = self._side_here(), self._side_there()
        way = self.step.calendar.direction
        action = decide(here, there, way)
        if self._is_hidden() and way != IN:
            is_there = there in (Side.SAME, Side.CHANGED)
            action = Action.DELETE_THERE if is_there else Action.FORGET
        if row.choice and action in (Action.PUSH, Action.PULL) and Side.GONE not in (here, there):
            row.choice = False
        getattr(self, f"_{action}")(here, there)

    # --- Actions

    def _settled(self, **values):
        """The row when nothing is left to do."""
        self.row.write(
            {
                "dirty_here": False, "dirty_there": False, "seen_etag": False, "hold": False,
                "reason": False, "failures": 0, "next_try": False, "is_allowed": False,
                "choice": False, "print_sent": False, **values,
            }
        )  # fmt: skip

    def _seen(self):
        """Versions that say the same as those that are known."""
        values = {}
        if self.member is not None:
            values["version"] = self.version
        if self.there is not None:
            values["etag"] = self.there.etag
        return values

    def _nothing(self, _here, _there):
        self._settled(**self._seen())

    def _leave(self, here, there):
        values = self._seen()
        if here is Side.GONE:
            values["has_here"] = False
        elif here is Side.CHANGED:
            # It differs from what was agreed on: looked at again when that matters.
            values["version"] = False
        if there is Side.GONE:
            values["has_there"] = False
        elif there is Side.CHANGED and self.row.has_there:
            values["etag"] = False
        if there is Side.CHANGED and not self.row.has_there:
            values.update(has_there=True, text_there=self.there.text,
                          print_there=print_of(self.there.text))  # fmt: skip
        self._settled(**values)

    def _forget(self, _here, _there):
        row = self.row
        if row.print_sent and row.dirty_there != "changed":
            # It was sent, and nobody knows whether it has arrived: that is seen first.
            path = row.path or self.step.remote.new_path(row.uid)
            row.write({"path": path, "dirty_there": "changed"})
        else:
            row.unlink()

    def _delete_here(self, _here, _there):
        row = self.row
        before = row._base_here()
        # His own are invited to by Odoo, whatever that server has made of the text.
        is_telling = row.came_from == "here" or self.here_api.tells(row.text_there)
        self.here_api.delete(row.uid, is_telling)
        self.step.wrote_here = True
        self.step.journal.note(row, "deleted", "here", before=before)
        row.unlink()

    def _delete_there(self, _here, _there):
        self._put_off(None, "deleted", self._etag())

    def _pull(self, here, _there):
        text = self.there.text
        row = self.row
        if here is Side.SAME and row.print_here != row.print_there:
            # The sides say the same in different words: only what has changed is taken.
            change = merge.difference(version_of(row.text_there), version_of(text))
            text = write_version(merge.apply(version_of(self._now_here()), change))
        self._write_here(text, "changed" if here is Side.SAME else "created")

    def _push(self, _here, there):
        row = self.row
        text = self.text
        if there is Side.SAME and row.print_here != row.print_there:
            base = row._base_here()
            if not (self._hides() and self.here_api.says_more(base)):
                change = merge.difference(version_of(base), version_of(text))
                text = write_version(merge.apply(version_of(row.text_there), change))
        self._put_off(text, "changed" if there is Side.SAME else "created",
                      self._etag() if there is Side.SAME else None)  # fmt: skip

    def _merge(self, _here, _there):
        row = self.row
        ours, theirs = version_of(self.text), version_of(self.there.text)
        if ours.fingerprint() == theirs.fingerprint():
            self._agree(self.text, self.there.text)
            return
        if row.print_here and row.print_there:
            bases = version_of(row._base_here()), version_of(row.text_there)
        else:
            bases = (merge.in_common(ours, theirs),) * 2
        our_change = merge.difference(bases[0], ours)
        their_change = merge.difference(bases[1], theirs)
        open_keys = merge.conflicts(our_change, their_change)
        way = self.step.calendar.direction
        who = {IN: "there", OUT: "here"}.get(way) or row.choice or winner(
            self.step.calendar.policy, ours.modified(), theirs.modified()
        )  # fmt: skip
        lost = None
        if open_keys and who is None:
            self.step._wait(row, "conflict", self.step._words("conflict"))
            self.step.journal.note(row, "conflict", "here", reason=row.reason)
            return
        new_here = merge.apply(ours, their_change, without=open_keys)
        new_there = merge.apply(theirs, our_change, without=open_keys)
        if open_keys and who == "here":
            lost = self.there.text
            new_there = merge.take(new_there, ours, open_keys)
        elif open_keys:
            lost = self.full_text
            new_here = merge.take(new_here, theirs, open_keys)
        if lost:
            self.step.journal.note(
                row,
                "conflict",
                "there" if who == "here" else "here",
                lost=lost,
                reason=self.step._words(f"{who}_counts"),
            )
        agreed = merge.apply(bases[0], their_change)
        self._write_merged(ours, theirs, new_here, new_there, agreed if agreed.parts else theirs)

    def _write_merged(self, ours, theirs, new_here, new_there, agreed):
        """:param agreed: what Odoo had when both agreed, with what was changed there since"""
        way = self.step.calendar.direction

        def settle():
            self._agree(self.text, self.there.text)
            if new_there.fingerprint() != theirs.fingerprint():
                self._push_merged(write_version(new_there), write_version(agreed))

        if way != OUT and new_here.fingerprint() != ours.fingerprint():
            self._write_here(write_version(new_here), "merged", settle)
        else:
            settle()

    def _push_merged(self, text, agreed):
        # Until it is written there, it is a change of Odoo's.
        self.row.write({"text_here": agreed, "print_here": print_of(agreed), "version": False})
        if self.step.calendar.direction != IN:
            self.row.dirty_here = "changed"
            self._put_off(text, "merged", self.there.etag)

    # --- How

    def _etag(self):
        """Of what is there now, which may say the same under another one."""
        return self.there.etag if self.there else self.row.etag

    def _now_here(self):
        """What Odoo has now, as it is told."""
        if self.text is None:
            self._read_here()
        return self.text

    def _read_here(self):
        found = self.here_api.members([self.row.uid])
        member = found.get(self.row.uid)
        self._is_now(member, self.here_api.texts([member]).get(self.row.uid) if member else None)

    def _is_now(self, member, text):
        """What Odoo has, after it was written or read anew."""
        if text is None:
            raise DavError(self.step._words("unwritable"))
        self.member, self.full_text = member, text
        self.version = self.here_api.version(member)
        self.text = self.here_api.outward(text, self.row.came_from)

    def _write_here(self, text, kind, after=None):
        """Let it be written in Odoo, together with the others.

        :param after: what is done when it is written
        """
        row = self.row
        if row.has_here and self.member and self.step.calendar.private_out != "full":
            self._now_here()
        before = self.full_text or (row._base_here() if row.has_here else "")
        if row.came_from == "here" and before and self.here_api.hides(before, "here"):
            # What they were not told is not theirs to change.
            change = merge.difference(version_of(row._base_here()), version_of(text))
            text = write_version(merge.apply(version_of(before), change))
        self.step.writes.append(Write(self, text, kind, before, after))

    def written(self, write, member, text):
        """It is written in Odoo: note on what both sides agree now."""
        self._is_now(member, text)
        self._agree(self.text, self.there.text)
        self.step.journal.note(
            self.row, write.kind, "here", before=write.before, after=self.row.print_here
        )
        if write.after:
            write.after()

    def _agree(self, text_here, text_there):
        self._settled(
            has_here=True, has_there=True, version=self.version, etag=self.there.etag,
            text_here=text_here if text_here != text_there else False,
            print_here=print_of(text_here), text_there=text_there, print_there=print_of(text_there),
        )  # fmt: skip

    def _put_off(self, text, kind, etag):
        """It is written there after the commit.

        :param str text: None for a deletion
        """
        row = self.row
        path = row.path or self.step.remote.new_path(row.uid)
        if not row.path and self.step.sync._count([("path", "=", path)]):
            raise DavError(self.step._words("occupied"))
        row.print_sent = print_of(text) if text else False
        self.step.tasks.append(
            Task(
                row.id, path, text, etag, self.version, self.text, kind, row.uid,
                row.text_there if row.has_there else "",
            )
        )  # fmt: skip


def is_meeting(text):
    """Whether it is one, and no to-do or note."""
    return {part.name for part in version_of(text).parts.values()} == {"VEVENT"}


def title_of(version):
    """SUMMARY of the first component that has one."""
    for part in version.parts.values():
        for unit in part.units.values():
            for piece in unit.pieces:
                if isinstance(piece, str):
                    name, _params, value = split_line(piece)
                    if name == "SUMMARY":
                        return read_text(value)[:200]
    return ""
