"""What programs write of configurable calendars, with the rights of the user in Odoo."""

from contextlib import contextmanager
from dataclasses import replace

import psycopg2

from odoo.exceptions import AccessError, MissingError, RedirectWarning, UserError
from odoo.tools import SQL

from ..dav.backend import Written
from ..dav.errors import Forbidden, NoPrivilege, NotFound, TooManyInstances, UidTaken
from ..ical.parse import parse
from ..ical.text import to_text
from .caldav_record_reader import RecordReader
from .caldav_record_writer import RecordWriter
from .ical_row import CannotKeep

#: What the database does not take; the rest is its trouble, or another's turn.
_DATABASE = (
    psycopg2.IntegrityError, psycopg2.DataError, psycopg2.errors.ProgramLimitExceeded,
)  # fmt: skip
#: Characters of a sentence that says why not.
MAX_WORDS = 300


class RecordMixin:
    """Of the backend: records of any kind."""

    def _put_record(self, calendar, name, uid, text, entry):
        collection = self.collections.browse(calendar.id)
        item = self._only_item(text)
        definition = collection._definition()
        reader = RecordReader(definition, definition._model_of(self.user))
        with self._as_odoo_says(reader.model):
            if entry is None:
                self._new_record(collection, reader, uid, item)
            else:
                [record] = self._records(collection, reader.model, [entry.uid])
                self._change_record(reader, uid, record, item)
        # Also where nothing was written: the program reads what there is.
        self.env["caldav.change"]._note(SQL("SELECT %s", uid), self.user)
        collection._catch_up({uid: name})
        calendar = replace(calendar, token=collection._token())
        made = next(iter(self.entries(calendar, uid=uid)), None)
        if made is None and entry is None:
            env = self.env(context={"lang": self.user.lang})
            words = env._(
                "It would be no record of the calendar “%(name)s”: that shows others only.",
                name=definition.name,
            )
            raise Forbidden(words)
        # Who changes one that is there may change it to what lies elsewhere.
        return Written(made or entry, entry is None, False)

    def _only_item(self, text):
        """:raises TooManyInstances: where it comes again; a record does not"""
        items = parse(text.encode()).items
        if len(items) > 1 or items[0].recurs or items[0].recurrence_id is not None:
            env = self.env(context={"lang": self.user.lang})
            raise TooManyInstances(
                env._("Records of this calendar do not repeat: save it without repetition.")
            )
        return items[0]

    def _records(self, collection, model, uids):
        """The records of what lies in the calendar."""
        return model.browse(collection._ids_of(uids).values())

    def _change_record(self, reader, uid, record, item):
        served = RecordWriter(reader.definition).item(uid, record)
        # As the program has got it.
        [served] = parse(to_text([served], now=self.env.cr.now()).encode()).items
        values = reader.values(item, record, served)
        if values:
            record.write(values)

    def _new_record(self, collection, reader, uid, item):
        definition, model = reader.definition, reader.model
        known = self._records(collection, model, [uid]).exists()
        if known:
            record = self._brought_back(definition, known)
            self._change_record(reader, uid, record, item)
        else:
            self._take_uid(collection, definition, uid)
            record = model.create(definition._values_asked(model) | reader.values(item))
            self.env["caldav.record.uid"]._put(definition, record, uid)

    def _take_uid(self, collection, definition, uid):
        """:raises UidTaken: when it is, or may be, that of another record"""
        uids = self.env["caldav.record.uid"]
        uids._free(definition, uid)
        if collection._ours(uid) or uids._is_taken(uid):
            raise UidTaken("another object has this UID")

    def _brought_back(self, definition, known):
        """A record that was archived: a program undoes what it has deleted.

        :raises UidTaken: when it is none that the user has here
        """
        record = known.with_context(active_test=False).search([("id", "=", known.id)])
        is_archived = record and record._active_name and not record[record._active_name]
        if not is_archived or not definition.may_change:
            raise UidTaken("another object has this UID")
        record = record.with_env(known.env)
        record.action_unarchive()
        return record

    def _delete_records(self, collection, uids):
        definition = collection._definition()
        model = definition._model_of(self.user)
        for record in self._records(collection, model, uids):
            with self._as_odoo_says(model):
                if not model._active_name:
                    record.unlink()
                    continue
                record.action_archive()
                if definition._holds(record):
                    env = self.env(context={"lang": self.user.lang})
                    raise Forbidden(env._("Archived records stay in this calendar."))

    @contextmanager
    def _as_odoo_says(self, model):
        """Whatever Odoo refuses is refused with its words, in the user's language."""
        try:
            with self.env.cr.savepoint():
                yield
                # What follows from it is worked out as when he saves it in Odoo.
                model.env.flush_all()
        except CannotKeep as error:
            self._refuse(error.code, error.detail)
        except AccessError as error:
            raise NoPrivilege(_words(error)) from error
        except MissingError as error:
            raise NotFound(_words(error)) from error
        except (UserError, RedirectWarning) as error:
            raise Forbidden(_words(error)) from error
        except _DATABASE as error:
            raise Forbidden(model._sql_error_to_message(error)[:MAX_WORDS]) from error


def _words(error):
    return str(error.args[0] if error.args else error)[:MAX_WORDS]
