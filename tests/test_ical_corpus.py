"""Real files of many programs, imported, exported and imported again.

The corpus is not the project's to give away: it is looked for beside the checkout, in
``../shared/ics_corpus``, or where ``CRM_AUTOMATION_CORPUS`` says. The project's own
samples go through the same tests always.
"""

import os
import unittest
import warnings
from collections import Counter
from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

from odoo.tests import freeze_time, tagged
from odoo.tools import mute_logger

from ..ical.errors import IcalError
from ..models.ical_incoming import Options
from .common import DAY
from .ical_judge import OTHERWISE, UTC, theirs
from .test_ical_event import IcalCase

CHECKOUT = Path(__file__).resolve().parents[1]
SAMPLES = CHECKOUT / "tests_pure/ics"
CORPUS = Path(
    os.environ.get("CRM_AUTOMATION_CORPUS") or CHECKOUT.parent / "shared/ics_corpus"
)  # fmt: skip
SUFFIXES = {".ics", ".ical", ".ifb", ".vcs"}
MADRID = ZoneInfo("Europe/Madrid")
SERIES = "calendar.recurrence"
#: How the UID ends that is made up where there is none.
NO_UID = "@no-uid.invalid"
#: Files with several versions of a meeting: the newest is imported, and the judge takes all.
DOUBLE = {"classify.ics", "2446.ics", "rfc2446.ics"}


def files_in(folder):
    return sorted(path for path in folder.rglob("*") if path.suffix.lower() in SUFFIXES)


def inside(start, first, last):
    """Whether what is told of a start lies between two moments (naive UTC)."""
    length = min(len(start), 19)
    return first.isoformat()[:length] <= start[:length] < last.isoformat()[:length]


class TakenBack(Exception):
    """Nothing of a file is left for the next one."""


@tagged("post_install", "-at_install")
@freeze_time("2027-02-01 09:00:00")
class TestIcalCorpus(IcalCase):
    def setUp(self):
        super().setUp()
        self.Event = self.env["calendar.event"].with_user(self.seller)
        self.imported = self.judged = 0

    def take(self, data, source):
        """:return: (outcomes, results)"""
        options = Options(source=source, todo_as="task")
        outcomes = self.Event._ical_compare(data, self.seller, options)
        results = self.Event._ical_upsert(outcomes, self.seller, options)
        self.env.flush_all()
        self.env.invalidate_all()
        return outcomes, results

    def faults_of(self, path):
        """What is wrong with a file, as sentences."""
        data = path.read_bytes()
        try:
            outcomes, results = self.take(data, "file")
        except IcalError as error:
            return [] if error.message else ["refused without a reason"]
        faults = [
            f"{result.kind} without a reason: {result.outcome.key}"
            for result in results
            if result.kind in ("refused", "error") and not result.reason
        ]
        faults += [
            f"not written: {result.outcome.key}: {result.detail}"
            for result in results
            if result.reason == "not_written"
        ]
        # To those who read its file again, nothing of it is new.
        taken = {result.outcome.key for result in results if result.kind == "new"}
        faults += [
            f"{outcome.kind} when read again: {outcome.key} {outcome.changes}"
            for outcome in self.Event._ical_compare(data, self.seller, Options(source="file"))
            # What was refused beside it, under its UID, is refused again.
            if outcome.key in taken and outcome.kind not in ("unchanged", "refused", "error")
        ]
        # A to-do is told by its task, which is no part of an export of meetings.
        records = [
            result.record for result in results
            if result.kind == "new" and result.record and result.record._name != "project.task"
        ]  # fmt: skip
        self.imported += len(records)
        return faults + self.faults_of_export(records) + self.faults_of_times(path, records)

    def faults_of_export(self, records):
        if not records:
            return []
        text = self.meetings_of(records)._ical_text()
        return [
            f"{outcome.kind} after its export: {outcome.key} {outcome.changes} {outcome.reason}"
            for outcome in self.Event._ical_compare(
                text.encode(), self.seller, Options(source="export")
            )
            if outcome.kind != "unchanged"
        ]

    def meetings_of(self, records):
        events = self.Event.with_context(active_test=False).browse()
        for record in records:
            events |= record.calendar_event_ids if record._name == SERIES else record
        return events

    def faults_of_times(self, path, records):
        """Occurrences over two years that are not those of the judge."""
        faults, judged = [], {}
        if path.name in OTHERWISE or path.name in DOUBLE:
            return faults
        for record in records:
            events = self.meetings_of([record]).filtered("active")
            if not events:
                continue
            first = datetime(min(event.start.year for event in events), 1, 1)
            last = datetime(first.year + 2, 1, 1)
            series = record.sudo() if record._name == SERIES else None
            if series and series.ical_first:
                first = max(first, series.ical_first)
            if series and series.ical_last:
                last = min(last, series.ical_last)
            uid = events[0].sudo().ical_uid
            # Without a UID in the file, only its own export tells which one it is.
            data = events._ical_text().encode() if uid.endswith(NO_UID) else path.read_bytes()
            if (data, first, last) not in judged:
                # A day more: to the judge, the span has no zone.
                judged[data, first, last] = theirs(
                    data, first - DAY, last + DAY, MADRID, cancelled=False
                )
            found = judged[data, first, last]
            if found is None:
                continue
            expected = Counter(
                (start, stop) for one, start, stop in found
                if one == uid and inside(start, first, last)
            )  # fmt: skip
            mine = Counter(
                (start, stop) for start, stop in map(self.told, events)
                if inside(start, first, last)
            )  # fmt: skip
            self.judged += len(mine)
            if mine != expected:
                faults.append(
                    f"{uid} {first} {last}: more {mine - expected}, fewer {expected - mine}"
                )
        return faults

    def told(self, event):
        if event.allday:
            return event.start.date().isoformat(), (
                event.stop.date() + DAY).isoformat()  # fmt: skip
        return tuple(at.replace(tzinfo=UTC).isoformat() for at in (event.start, event.stop))

    @mute_logger("odoo.sql_db")
    def check(self, paths):
        found = []
        for path in paths:
            try:
                with self.env.cr.savepoint(), warnings.catch_warnings():
                    warnings.simplefilter("ignore")
                    found += [f"{path.name}: {fault}" for fault in self.faults_of(path)]
                    raise TakenBack
            except TakenBack:
                self.env.cr.postcommit.clear()
                self.env.invalidate_all()
        self.assertFalse(found, "\n" + "\n".join(found))
        # Nothing of all that was idle.
        self.assertGreater(self.imported, 10)
        self.assertGreater(self.judged, 50)

    @unittest.skipUnless(SAMPLES.is_dir(), "the project's samples are not part of the package")
    def test_samples(self):
        self.check(sorted(SAMPLES.iterdir()))

    @unittest.skipUnless(CORPUS.is_dir(), f"no corpus of real files in {CORPUS}")
    def test_real_files(self):
        self.check(files_in(CORPUS))
