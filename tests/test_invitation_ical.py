"""What iCalendar says of attendees, out and in."""

from odoo.tests import tagged

from ..ical.parse import parse
from .common import AutomationCase
from .test_invitation_attendee import InvitationData

LINES = """ATTENDEE;CN=Sergio;ROLE=CHAIR;PARTSTAT=ACCEPTED:mailto:seller@example.com
ATTENDEE;CUTYPE=GROUP;ROLE=OPT-PARTICIPANT;PARTSTAT=DELEGATED;LANGUAGE=es-ES;DELEGATED-TO="mailto:
 other@example.com";X-SEEN=1:mailto:azure@example.com
ATTENDEE;CUTYPE=ROOM;ROLE=NON-PARTICIPANT;PARTSTAT=NEEDS-ACTION;RSVP=TRUE;MEMBER="mailto:all@exam
 ple.com","mailto:few@example.com";SENT-BY="mailto:help@example.com";DELEGATED-FROM="mailto:azure@
 example.com":mailto:other@example.com
ATTENDEE;LANGUAGE=tlh;ROLE=X-JESTER:mailto:unknown@example.com"""
TEXT = """BEGIN:VCALENDAR
VERSION:2.0
PRODID:-//Example//EN
BEGIN:VEVENT
UID:roles@example.com
DTSTAMP:20310101T000000Z
DTSTART:20310617T080000Z
DTEND:20310617T090000Z
SUMMARY:Roles
ORGANIZER:mailto:seller@example.com
{lines}
END:VEVENT
END:VCALENDAR
"""


@tagged("post_install", "-at_install")
class TestAttendeeText(InvitationData, AutomationCase):
    def lines(self, meeting):
        """dict from address to Attendee, as the meeting is told to its organizer."""
        text = meeting.with_user(self.seller)._ical_text()
        [item] = parse(text.encode()).items
        return {one.email: one for one in item.attendees}

    def take_in(self, text):
        Event = self.env["calendar.event"].with_user(self.seller)
        octets = text.replace("\n", "\r\n").encode()
        return Event._ical_upsert(Event._ical_compare(octets, self.seller), self.seller)

    def imported(self, lines=LINES):
        self.take_in(TEXT.format(lines=lines))
        return self.env["calendar.event"].search([("ical_uid", "=", "roles@example.com")])

    def test_out(self):
        [eva] = self.invite("eva@example.com")
        eva.write({"address_name": "Eva, née; Ruiz", "rsvp": False, "language": "es_ES"})
        self.of(self.customer).write(
            {"role": "opt-participant", "cutype": "resource", "sent_by": "help@example.com",
             "member": "all@example.com, few@example.com",
             "directory": "ldap://dir.example/cn=Azure,o=Sons"}
        )  # fmt: skip
        olga = self.of(self.other_seller)
        olga.delegated_to_ids = eva
        olga.state = "delegated"
        lines = self.lines(self.meeting)
        self.assertEqual(
            str(lines["eva@example.com"].params),
            ";CUTYPE=INDIVIDUAL;ROLE=REQ-PARTICIPANT;PARTSTAT=NEEDS-ACTION;RSVP=FALSE;"
            'CN="Eva, née; Ruiz";DELEGATED-FROM="mailto:other@example.com";LANGUAGE=es-ES',
        )
        self.assertEqual(
            str(lines["azure@example.com"].params),
            ";CUTYPE=RESOURCE;ROLE=OPT-PARTICIPANT;PARTSTAT=NEEDS-ACTION;RSVP=TRUE;"
            'CN=Azure & Sons;MEMBER="mailto:all@example.com","mailto:few@example.com";'
            'SENT-BY="mailto:help@example.com";DIR="ldap://dir.example/cn=Azure,o=Sons"',
        )
        delegator = lines["other@example.com"]
        self.assertEqual((delegator.status, delegator.rsvp), ("DELEGATED", False))
        self.assertEqual(delegator.delegated_to, ("mailto:eva@example.com",))
        self.assertEqual(lines["seller@example.com"].role, "CHAIR")

    def test_in(self):
        meeting = self.imported()
        azure, olga = self.of(self.customer, meeting), self.of(self.other_seller, meeting)
        self.assertEqual(
            (azure.cutype, azure.role, azure.state, azure.language),
            ("group", "opt-participant", "delegated", "es_ES"),
        )
        self.assertEqual(azure.delegated_to_ids, olga)
        self.assertEqual(
            (olga.cutype, olga.role, olga.rsvp, olga.sent_by, olga.member),
            ("room", "non-participant", True, "help@example.com",
             "all@example.com, few@example.com"),
        )  # fmt: skip
        self.assertEqual(self.of(self.seller, meeting).role, "req-participant")
        self.assertEqual(len(meeting.attendee_ids), 3)

    def test_where_a_directory_has_more(self):
        meeting = self.imported(LINES.replace("X-SEEN=1", 'DIR="https://dir.example/azure"'))
        azure = self.of(self.customer, meeting)
        self.assertEqual(azure.directory, "https://dir.example/azure")
        azure.directory = "ldap://dir.example/cn=Azure"
        lines = self.lines(meeting)
        self.assertEqual(
            lines["azure@example.com"].params.get("DIR"), "ldap://dir.example/cn=Azure"
        )

    def test_what_nobody_changed_is_written_as_it_came(self):
        meeting = self.imported()
        text = meeting.with_user(self.seller)._ical_text().replace("\r\n ", "")
        for line in LINES.replace("\n ", "").splitlines():
            self.assertIn(line, text)
        [result] = self.take_in(text.replace("\r\n", "\n"))
        self.assertEqual(result.kind, "unchanged")

    def test_what_changed_in_odoo_is_written(self):
        meeting = self.imported()
        self.of(self.customer, meeting).role = "req-participant"
        self.of(self.other_seller, meeting).rsvp = False
        lines = self.lines(meeting)
        self.assertEqual(lines["azure@example.com"].role, "REQ-PARTICIPANT")
        self.assertEqual(lines["azure@example.com"].params.get("X-SEEN"), "1")
        self.assertFalse(lines["other@example.com"].rsvp)

    def test_what_changed_there_comes_in(self):
        meeting = self.imported()
        self.imported(LINES.replace("OPT-PARTICIPANT", "CHAIR"))
        self.assertEqual(self.of(self.customer, meeting).role, "chair")

    def test_an_address_alone_comes_back(self):
        """A program that knows the meeting puts it with another answer, then without."""
        self.invite("eva@example.com")
        text = self.meeting.with_user(self.seller)._ical_text()
        text = text.replace("\r\n ", "").replace("\r\n", "\n")
        [line] = [one for one in text.splitlines() if "eva@example.com" in one]
        self.take_in(text.replace(line, line.replace("NEEDS-ACTION", "ACCEPTED")))
        self.assertEqual(self.of("eva@example.com").state, "accepted")
        self.assertEqual(len(self.meeting.attendee_ids), 4)
        self.take_in(text.replace(line + "\n", ""))
        self.assertFalse(self.of("eva@example.com"))
        self.assertEqual(len(self.meeting.attendee_ids), 3)

    def test_a_circle_that_comes_in_is_none(self):
        lines = LINES.replace(
            "ATTENDEE;CUTYPE=ROOM", 'ATTENDEE;DELEGATED-TO="mailto:azure@example.com";CUTYPE=ROOM'
        )
        meeting = self.imported(lines)
        azure, olga = self.of(self.customer, meeting), self.of(self.other_seller, meeting)
        self.assertEqual(len(azure.delegated_to_ids + olga.delegated_to_ids), 1)
