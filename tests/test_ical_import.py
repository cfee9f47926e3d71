"""iCalendar that comes in: compared, written, known again."""

from datetime import datetime
from unittest.mock import patch

from odoo import api
from odoo.exceptions import AccessError, ValidationError
from odoo.tests import freeze_time, tagged

from ..models import bulk, ical_comparison, ical_people
from ..models.ical_incoming import Options
from .test_ical_event import IcalCase
from .test_meeting import SECRET

NOW = datetime(2027, 2, 1, 9, 0)


def calendar(*events, head=()):
    """A calendar of components, each a list of lines between BEGIN and END:VEVENT."""
    lines = ["BEGIN:VCALENDAR", "VERSION:2.0", "PRODID:-//test//EN", *head]
    for event in events:
        kind = "VEVENT"
        if event[0].startswith("BEGIN:"):
            kind, event = event[0][6:], event[1:]
        lines += [f"BEGIN:{kind}", *event, f"END:{kind}"]
    return "\r\n".join([*lines, "END:VCALENDAR", ""]).encode()


def event(uid="one@x", **changes):
    """The lines of an event; None takes one out."""
    values = {
        "UID": uid,
        "DTSTAMP": "20270101T000000Z",
        "DTSTART;TZID=Europe/Madrid": "20270301T100000",
        "DTEND;TZID=Europe/Madrid": "20270301T110000",
        "SUMMARY": "Tasting",
    }
    for name, value in changes.items():
        values[name.replace("_", "-")] = value
    return [f"{name}:{value}" for name, value in values.items() if value is not None]


class ImportCase(IcalCase):
    def compare(self, data, owner=None, **options):
        self.env.flush_all()
        owner = owner or self.seller
        events = self.env["calendar.event"].with_user(owner)
        return events._ical_compare(data, owner, Options(**options))

    def take(self, data, owner=None, **options):
        """Compare and write. :return: the results"""
        owner = owner or self.seller
        outcomes = self.compare(data, owner, **options)
        events = self.env["calendar.event"].with_user(owner)
        results = events._ical_upsert(outcomes, owner, Options(**options))
        self.env.flush_all()
        self.env.invalidate_all()
        for result in results:
            self.assertFalse(result.record and result.record.env.su)
            result.record = result.record and result.record.with_env(self.env)
        return results

    def kinds(self, data, owner=None, **options):
        return [outcome.kind for outcome in self.compare(data, owner, **options)]


@tagged("post_install", "-at_install")
@freeze_time(NOW)
class TestImport(ImportCase):
    def test_a_chain_of_delegates(self):
        addresses = [f"guest{number}@example.com" for number in range(5)]
        self.env["res.partner"].create([{"name": one, "email": one} for one in addresses])
        data = calendar(
            event()
            + [
                f'ATTENDEE;PARTSTAT=DELEGATED;DELEGATED-TO="mailto:{to}":mailto:{one}'
                for one, to in zip(addresses, addresses[1:], strict=False)
            ]
            + [f"ATTENDEE:mailto:{addresses[-1]}"]
        )
        with patch.object(ical_people, "MAX_IN_MEETING", 2):
            [result] = self.take(data)
        guests = result.record.attendee_ids
        self.assertEqual(len(guests), 6)
        self.assertEqual(len(guests.filtered("delegated_to_ids")), 2)

    def test_rules_that_take_long_together(self):
        rule = {"RRULE": "FREQ=DAILY;COUNT=40"}
        data = calendar(*(event(f"{n}@x", **rule) for n in range(3)))
        self.assertEqual(self.kinds(data), ["new", "new", "new"])
        with patch.object(ical_comparison, "FILE_STEPS", 120):
            outcomes = self.compare(data)
        self.assertEqual(
            [(one.kind, one.reason) for one in outcomes],
            [("new", None), ("refused", "too_many"), ("refused", "too_many")],
        )

    def test_new_unchanged_deleted(self):
        data = calendar(event(LOCATION="Cellar", DESCRIPTION="Two\\nlines <b>", X_FOO="bar"))
        [result] = self.take(data)
        self.assertEqual(result.kind, "new")
        meeting = result.record
        self.assertEqual(meeting.user_id, self.seller)
        self.assertEqual(meeting.start, datetime(2027, 3, 1, 9))
        self.assertEqual(meeting.stop, datetime(2027, 3, 1, 10))
        self.assertEqual(meeting.location, "Cellar")
        self.assertEqual(meeting.description, "<p>Two<br>lines &lt;b&gt;</p>")
        self.assertEqual(meeting.partner_ids, self.seller.partner_id)
        self.assertEqual(meeting.ical_uid, "one@x")
        self.assertIn("X-FOO:bar", self.unfolded(meeting))
        self.assertEqual(self.kinds(data), ["unchanged"])
        meeting.unlink()
        self.assertEqual(self.kinds(data), ["new"])

    def test_an_edit_in_odoo_survives_the_same_file_and_an_older_one(self):
        data = calendar(event(SEQUENCE="2"))
        meeting = self.take(data)[0].record
        with self.at(NOW.replace(hour=10)):
            meeting.with_user(self.seller).name = "Tasting with Azure"
            self.end_transaction()
        self.assertEqual(self.kinds(data), ["unchanged"])
        older = calendar(event(SEQUENCE="1", SUMMARY="Other"))
        self.assertEqual(self.kinds(older), ["older"])
        self.take(older)
        self.assertEqual(meeting.name, "Tasting with Azure")
        same_number = calendar(event(SEQUENCE="2", SUMMARY="Other", DTSTAMP="20270110T000000Z"))
        self.assertEqual(self.kinds(same_number), ["older"])
        self.assertEqual(self.kinds(same_number, force=True), ["changed"])
        newer = calendar(event(SEQUENCE="3", SUMMARY="Other"))
        self.assertEqual(self.kinds(newer), ["changed"])
        self.take(newer)
        self.assertEqual(meeting.name, "Other")

    def test_changed(self):
        meeting = self.take(calendar(event(X_FOO="bar")))[0].record
        data = calendar(
            event(
                **{"DTSTART;TZID=Europe/Madrid": "20270301T120000"},
                **{"DTEND;TZID=Europe/Madrid": "20270301T133000"},
                SUMMARY="Lunch", DTSTAMP="20270110T000000Z", X_FOO="bar",
            )
        )  # fmt: skip
        [outcome] = self.compare(data)
        self.assertEqual(outcome.kind, "changed")
        self.assertEqual(outcome.record, meeting)
        labels = [change[0] for change in outcome.changes]
        self.assertEqual(labels, ["Start", "Stop", "Meeting Subject"])
        self.assertEqual(outcome.changes[2][1:], ("Tasting", "Lunch"))
        self.take(data)
        self.assertEqual(meeting.start, datetime(2027, 3, 1, 11))
        self.assertEqual(meeting.stop, datetime(2027, 3, 1, 12, 30))
        self.assertEqual(meeting.name, "Lunch")
        self.assertEqual(self.kinds(data), ["unchanged"])
        # Only what Odoo has no field for.
        other = calendar(
            event(
                **{"DTSTART;TZID=Europe/Madrid": "20270301T120000"},
                **{"DTEND;TZID=Europe/Madrid": "20270301T133000"},
                SUMMARY="Lunch", DTSTAMP="20270111T000000Z", X_FOO="baz",
            )
        )  # fmt: skip
        self.assertEqual(self.kinds(other), ["changed"])
        self.take(other)
        self.assertIn("X-FOO:baz", self.unfolded(meeting))

    def test_cancelled(self):
        meeting = self.take(calendar(event()))[0].record
        data = calendar(event(STATUS="CANCELLED", SEQUENCE="1"))
        self.assertEqual(self.kinds(data), ["cancelled"])
        self.take(data)
        self.assertFalse(meeting.active)
        self.assertEqual(self.kinds(data), ["unchanged"])
        message = calendar(event(uid="two@x", SEQUENCE="1"), head=["METHOD:CANCEL"])
        self.assertEqual(self.kinds(message), ["refused"])
        other = self.take(calendar(event(uid="two@x")))[0].record
        self.take(message)
        self.assertFalse(other.active)

    def test_people(self):
        attendees = [
            "ATTENDEE;CN=Azure;PARTSTAT=ACCEPTED:mailto:azure@example.com",
            "ATTENDEE;CN=Nobody;PARTSTAT=DELEGATED;X-NUM=1:mailto:nobody@example.com",
            "ATTENDEE;CN=Sergio;PARTSTAT=TENTATIVE:mailto:seller@example.com",
        ]
        organizer = "ORGANIZER;CN=Boss:mailto:boss@elsewhere.example"
        data = calendar([*event(), organizer, *attendees])
        before = self.env["mail.mail"].search_count([])
        meeting = self.take(data)[0].record
        self.assertEqual(meeting.partner_ids, self.seller.partner_id + self.customer)
        self.assertEqual(self.answer_of(meeting, self.customer).state, "accepted")
        self.assertEqual(self.answer_of(meeting, self.seller.partner_id).state, "tentative")
        self.assertEqual(self.env["mail.mail"].search_count([]), before)
        text = self.unfolded(meeting)
        for line in (organizer, *attendees):
            self.assertIn(line, text)
        # A guest who is taken out in Odoo is out; one who was never a contact stays.
        meeting.partner_ids -= self.customer
        text = self.unfolded(meeting)
        self.assertNotIn("azure", text)
        self.assertIn("nobody", text)

    def test_contacts_are_made_on_demand_only(self):
        attendee = "ATTENDEE;CN=Nadia New:mailto:new.person@example.com"
        room = "ATTENDEE;CUTYPE=ROOM:mailto:room@example.com"
        data = calendar([*event(), attendee, room], [*event("two@x"), attendee])
        domain = [("email", "in", ("new.person@example.com", "room@example.com"))]
        self.take(data)
        self.assertFalse(self.env["res.partner"].search(domain))
        first, second = self.take(
            calendar([*event("three@x"), attendee, room], [*event("four@x"), attendee]),
            make_contacts=True,
        )
        partner = self.env["res.partner"].search(domain)
        self.assertEqual(partner.name, "Nadia New")
        self.assertIn(partner, first.record.partner_ids & second.record.partner_ids)

    def test_invitations_on_demand_only(self):
        attendee = "ATTENDEE;CN=Azure:mailto:azure@example.com"
        self.env.user.company_id.email = "office@example.com"
        domain = [("model", "=", "calendar.event"), ("partner_ids", "in", self.customer.ids)]
        self.take(calendar([*event(), attendee]))
        self.assertFalse(self.env["mail.message"].search_count(domain))
        self.take(calendar([*event("two@x"), attendee]), send_mail=True)
        self.env.cr.flush()
        Outgoing = self.env["calendar.invitation.outgoing"]
        with patch.object(type(Outgoing), "_commit_batch", lambda *_a, **_k: 99):
            Outgoing._send_due()
        self.assertEqual(self.env["mail.message"].search_count(domain), 1)

    def test_reminders_categories_privacy(self):
        alarm = ["BEGIN:VALARM", "ACTION:DISPLAY", "TRIGGER:-PT37M", "DESCRIPTION:Go", "END:VALARM"]
        late = ["BEGIN:VALARM", "ACTION:DISPLAY", "TRIGGER:PT5M", "DESCRIPTION:On", "END:VALARM"]
        kind = self.env["calendar.event.type"].create({"name": "Cellar visit"})
        data = calendar(
            [*event(CLASS="CONFIDENTIAL", TRANSP="TRANSPARENT", CATEGORIES="CELLAR VISIT,Fresh"),
             *alarm, *late],
        )  # fmt: skip
        meeting = self.take(data)[0].record
        meanings = {(one.trigger_occurs, one.duration_minutes) for one in meeting.alarm_ids}
        self.assertEqual(meanings, {("before", 37), ("after", 5)})
        self.assertEqual(meeting.categ_ids.mapped("name"), [kind.name, "Fresh"])
        self.assertEqual((meeting.privacy, meeting.show_as), ("confidential", "free"))
        self.assertIn("TRIGGER:PT5M", self.text(meeting))
        again = self.take(calendar([*event("two@x"), *alarm]))[0].record
        self.assertLess(again.alarm_ids, meeting.alarm_ids)

    def test_whole_days_and_floating_times(self):
        days = event(**{"DTSTART;TZID=Europe/Madrid": None, "DTEND;TZID=Europe/Madrid": None})
        data = calendar(
            [*days, "DTSTART;VALUE=DATE:20270301", "DTEND;VALUE=DATE:20270303"],
            ["UID:two@x", "DTSTART:20270301T100000", "DURATION:PT1H", "SUMMARY:Floats"],
        )  # fmt: skip
        whole, floating = (result.record for result in self.take(data))
        self.assertTrue(whole.allday)
        self.assertEqual(str(whole.start_date), "2027-03-01")
        self.assertEqual(str(whole.stop_date), "2027-03-02")
        self.assertIn("DTSTART;VALUE=DATE:20270301", self.text(whole))
        # The clock of the owner: Madrid.
        self.assertEqual(floating.start, datetime(2027, 3, 1, 9))
        self.assertIn("DTSTART:20270301T100000\r\nDURATION:PT1H", self.text(floating))

    def test_one_that_cannot_be_read_harms_no_other(self):
        data = calendar(
            event("one@x"),
            ["UID:bad@x", "DTSTART:yesterday", "SUMMARY:Bad"],
            ["BEGIN:VJOURNAL", "UID:journal@x", "SUMMARY:Diary"],
            event("uid" * 400),
            event("two@x"),
        )
        outcomes = self.compare(data)
        self.assertEqual(
            [one.kind for one in outcomes], ["new", "error", "refused", "refused", "new"]
        )
        self.assertEqual(outcomes[1].line, 13)
        self.assertEqual(outcomes[2].reason, "journal")
        self.assertEqual(outcomes[3].reason, "uid")
        results = self.take(data)
        self.assertEqual([bool(one.record) for one in results], [True, False, False, False, True])

    def test_one_that_cannot_be_written_harms_no_other(self):
        Event = type(self.env["calendar.event"])
        constraints = self.env["calendar.event"]._constraint_methods

        @api.constrains("name")
        def refuse(events):
            if "Bad" in events.mapped("name"):
                raise ValidationError("No bad meetings here.")  # pylint: disable=C8107

        data = calendar(*[event(f"{n}@x", SUMMARY="Bad" if n == 5 else "Good") for n in range(12)])
        with patch.object(Event, "_constraint_methods", [*constraints, refuse]):
            results = self.take(data)
        self.assertEqual([one.kind for one in results].count("new"), 11)
        self.assertEqual(results[5].kind, "error")
        self.assertIn("No bad meetings here", results[5].detail)
        self.assertEqual(self.kinds(data).count("unchanged"), 11)

    def test_rows_past_the_orm_are_those_of_the_orm(self):
        """Where another module has a hook at creation, Odoo makes them all: the same rows."""
        alarm = ["BEGIN:VALARM", "ACTION:DISPLAY", "TRIGGER:-PT15M", "END:VALARM"]
        guests = [
            f"ORGANIZER:mailto:{self.seller.email}",
            f"ATTENDEE;PARTSTAT=TENTATIVE:mailto:{self.customer.email}",
        ]
        days = {
            "DTSTART;TZID=Europe/Madrid": None,
            "DTEND;TZID=Europe/Madrid": None,
            "DTSTART;VALUE=DATE": "20270305",
            "DTEND;VALUE=DATE": "20270307",
        }
        data = calendar(
            event("one@x", DESCRIPTION="<b>", CATEGORIES="Visit,Wine", CLASS="PRIVATE", X_A="b"),
            [*event("two@x", RRULE="FREQ=WEEKLY;COUNT=4", TRANSP="TRANSPARENT"), *alarm, *guests],
            event("three@x", **days),
            [*event("four@x", LOCATION="Cellar"), *guests],
            event("five@x", STATUS="CANCELLED", URL="https://meet.example.com/x"),
        )
        found = []
        for is_known in (True, False):
            with (
                self.env.cr.savepoint() as savepoint,
                patch.object(bulk, "is_known", lambda _model, answer=is_known: answer),
            ):
                results = self.take(data)
                found.append(self.rows_of(results))
                savepoint.rollback()
                self.env.invalidate_all()
        self.assertEqual(len(found[0]), 8)
        self.assertEqual(self.customer.email, "azure@example.com")
        self.maxDiff = None
        self.assertEqual(*found)

    def rows_of(self, results):
        """All columns and links of the meetings made, but for ids and tokens."""
        ids = [res_id for one in results for res_id in one.created["calendar.event"]]
        events = self.env["calendar.event"].browse(ids)
        self.env.cr.execute(
            "SELECT to_jsonb(e) - %s FROM calendar_event e WHERE id = ANY(%s) "
            "ORDER BY array_position(%s, id)",
            [["id", "recurrence_id"], ids, ids],
        )
        rows = [row for (row,) in self.env.cr.fetchall()]
        self.env.cr.execute(
            "SELECT event_id, to_jsonb(a) - %s FROM calendar_attendee a WHERE event_id = ANY(%s) "
            "ORDER BY partner_id",
            [["id", "event_id", "access_token"], ids],
        )
        attendees = self.env.cr.fetchall()
        self.assertEqual(
            len(set(events.attendee_ids.mapped("access_token"))), len(events.attendee_ids)
        )
        return [
            {
                **row,
                "is_of_series": bool(event.recurrence_id),
                "attendees": [values for event_id, values in attendees if event_id == event.id],
                "partner_ids": event.partner_ids.ids,
                "alarms": event.alarm_ids.mapped("duration_minutes"),
                "tags": event.categ_ids.mapped("name"),
                "followers": event.message_partner_ids.ids,
                "messages": len(event.message_ids),
            }
            for event, row in zip(events, rows, strict=True)
        ]

    def test_other_modules_hooks_are_not_left_out(self):
        Event = self.env["calendar.event"]
        self.assertTrue(bulk.is_known(Event))
        self.assertTrue(bulk.is_known(self.env["calendar.attendee"]))
        with patch.object(bulk, "KNOWN_MODULES", bulk.KNOWN_MODULES - {"crm"}):
            self.assertFalse(bulk.is_known(Event))

    def test_no_more_questions_for_more_meetings(self):
        few = calendar(*[event(f"{n}@few") for n in range(20)])
        many = calendar(*[event(f"{n}@many") for n in range(600)])
        self.take(few), self.take(many)
        counts = []
        for data in (few, many):
            self.env.invalidate_all()
            before = self.env.cr.sql_log_count
            with patch("odoo.addons.crm_automation.models.ical_comparison.parse_item") as parse:
                kinds = self.kinds(data)
            parse.assert_not_called()
            self.assertEqual(set(kinds), {"unchanged"})
            counts.append(self.env.cr.sql_log_count - before)
        self.assertEqual(*counts)
        self.assertLess(counts[1], 8)

    def test_no_rule_is_set_off(self):
        booked = self.make_rule(
            trigger="meeting_booked", notify_responsible=False, notify_attendees=True
        )
        self.take(calendar(event()))
        self.assertFalse(self.of_rule(booked))
        # No client can ask for the silence.
        meeting = self.env["calendar.event"].with_context(automation_quiet=True).sudo().create(
            {"name": "Loud", "start": NOW, "stop": NOW, "user_id": self.seller.id}
        )  # fmt: skip
        self.end_transaction()
        self.assertEqual(self.of_rule(booked).mapped("res_id"), meeting.ids)


@tagged("post_install", "-at_install")
@freeze_time(NOW)
class TestImportRights(ImportCase):
    def test_two_users_with_the_same_file(self):
        data = calendar(event(RRULE="FREQ=DAILY;COUNT=3"), event("two@x"))
        mine = self.take(data)
        others = self.take(data, self.other_seller)
        self.assertEqual([one.kind for one in others], ["new", "new"])
        self.assertNotEqual(mine[0].record, others[0].record)
        self.assertEqual(mine[0].record.ical_uid, others[0].record.ical_uid)
        # Each changes his own.
        changed = calendar(
            event(RRULE="FREQ=DAILY;COUNT=4", SEQUENCE="1"), event("two@x", SUMMARY="Other")
        )
        self.take(changed, self.other_seller)
        self.assertEqual(len(mine[0].record.calendar_event_ids), 3)
        self.assertEqual(len(others[0].record.calendar_event_ids), 4)
        self.assertEqual(mine[1].record.name, "Tasting")
        self.assertEqual(others[1].record.name, "Other")
        # A meeting that begins to repeat keeps its UID, whatever another user has.
        single = others[1].record.with_user(self.other_seller)
        single.write({"recurrency": True, "rrule_type": "daily", "end_type": "count", "count": 2})
        self.assertEqual(single.recurrence_id.sudo().ical_uid, "two@x")

    def test_who_only_attends_changes_nothing_but_his_answer(self):
        meeting = self.take(
            calendar([*event(), "ATTENDEE;PARTSTAT=NEEDS-ACTION:mailto:other@example.com"])
        )[0].record
        guest = self.other_seller
        self.assertIn(guest.partner_id, meeting.partner_ids)
        [outcome] = self.compare(
            calendar([*event(SUMMARY="Mine", SEQUENCE="5"),
                      "ATTENDEE;PARTSTAT=NEEDS-ACTION:mailto:other@example.com"]), guest,
        )  # fmt: skip
        self.assertEqual((outcome.kind, outcome.reason), ("refused", "not_organizer"))
        answer = calendar([*event(), "ATTENDEE;PARTSTAT=DECLINED:mailto:other@example.com"])
        self.assertEqual(self.kinds(answer, guest), ["changed"])
        self.take(answer, guest)
        self.assertEqual(self.answer_of(meeting, guest.partner_id).state, "declined")
        self.assertEqual(meeting.name, "Tasting")

    def test_into_the_calendar_of_others(self):
        data = calendar(event())
        events = self.env["calendar.event"]
        with self.assertRaises(AccessError):
            events.with_user(self.seller)._ical_compare(data, self.other_seller)
        with self.assertRaises(AccessError):
            events.with_user(self.portal)._ical_compare(data, self.portal)
        outcomes = events.with_user(self.manager)._ical_compare(data, self.seller)
        [result] = events.with_user(self.manager)._ical_upsert(outcomes, self.seller)
        self.assertEqual(result.record.user_id, self.seller)

    def test_private_meetings_of_others_are_not_shown(self):
        self.take(calendar(event(CLASS="PRIVATE", SUMMARY=SECRET)))
        events = self.env["calendar.event"].with_user(self.manager)
        changed = calendar(event(CLASS="PRIVATE", SUMMARY="Guess", SEQUENCE="1"))
        [outcome] = events._ical_compare(changed, self.seller)
        self.assertEqual((outcome.kind, outcome.reason), ("refused", "private"))
        self.assertFalse(outcome.changes)

    def test_the_origin_is_nobodys_business(self):
        self.take(calendar(event()))
        for user in (self.manager, self.seller, self.portal):
            with self.assertRaises(AccessError):
                self.env["calendar.ical.source"].with_user(user).search([])
