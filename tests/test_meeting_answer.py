"""Meetings: who answers, and what is private."""

from odoo.exceptions import AccessError
from odoo.tests import freeze_time, new_test_user, tagged

from .common import DAY, HOUR, NOW
from .test_meeting import SECRET, MeetingCase


@tagged("post_install", "-at_install")
@freeze_time(NOW)
class TestAnswer(MeetingCase):
    """The organiser is told who has answered what."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.rule = cls.make_rule(trigger="invitation_answered", skip_actor=True)

    def answers(self):
        self.drain()
        return [
            (delivery.email, delivery.state, delivery.mail_id.body_html or delivery.reason)
            for delivery in self.of_rule(self.rule).delivery_ids
        ]

    def test_accepted_declined_tentative(self):
        words = {
            "do_accept": "Olga Other has accepted",
            "do_decline": "Olga Other has declined",
            "do_tentative": "Olga Other may come",
        }
        for method, sentence in words.items():
            with self.subTest(method):
                meeting = self.make_meeting()
                attendee = self.answer_of(meeting, self.other_seller.partner_id)
                getattr(attendee.with_user(self.other_seller), method)()
                self.drain()
                firing = self.firings(meeting)
                self.assertEqual(firing.actor_id, self.other_seller)
                self.assertEqual(firing.delivery_ids.email, "seller@example.com")
                self.assertIn(sentence, firing.delivery_ids.mail_id.body_html)

    def test_several_answers_are_one_notice(self):
        meeting = self.make_meeting()
        self.answer_of(meeting, self.other_seller.partner_id).do_accept()
        self.answer_of(meeting, self.customer).do_decline()
        [(address, state, body)] = self.answers()
        self.assertEqual((address, state), ("seller@example.com", "queued"))
        self.assertIn("Olga Other has accepted", body)
        self.assertIn("Azure &amp; Sons has declined", body)

    def test_several_answers_across_savepoints_are_one_notice(self):
        meeting = self.make_meeting()
        with self.env.cr.savepoint():
            self.answer_of(meeting, self.other_seller.partner_id).do_accept()
        with self.env.cr.savepoint():
            self.answer_of(meeting, self.customer).do_decline()
        [(_address, _state, body)] = self.answers()
        self.assertIn("Olga Other has accepted", body)
        self.assertIn("Azure &amp; Sons has declined", body)

    def test_the_last_answer_of_somebody_counts(self):
        meeting = self.make_meeting()
        attendee = self.answer_of(meeting, self.customer)
        attendee.do_decline()
        attendee.do_accept()
        [(_address, _state, body)] = self.answers()
        self.assertIn("Azure &amp; Sons has accepted", body)
        self.assertNotIn("has declined", body)

    def test_the_same_answer_again_is_none(self):
        meeting = self.make_meeting()
        self.answer_of(meeting, self.customer).do_accept()
        self.assertEqual(len(self.answers()), 1)
        self.answer_of(meeting, self.customer).do_accept()
        self.assertEqual(len(self.answers()), 1)

    def test_the_organiser_does_not_tell_himself(self):
        meeting = self.make_meeting()
        attendee = self.answer_of(meeting, self.seller.partner_id)
        attendee.state = "needsAction"
        self.end_transaction()
        attendee.with_user(self.seller).do_accept()
        [(_address, state, reason)] = self.answers()
        self.assertEqual((state, reason), ("skipped", "Sergio Seller has done it."))

    def test_one_answer_for_a_whole_series(self):
        events = self.make_series(count=5)
        attendees = events.attendee_ids.filtered(lambda a: a.partner_id == self.customer)
        self.assertEqual(len(attendees), 5)
        attendees.do_accept()
        [(_address, _state, body)] = self.answers()
        self.assertEqual(body.count("Azure &amp; Sons has accepted"), 1)
        self.assertEqual(self.of_rule(self.rule).res_id, events[0].id)

    def test_booking_and_moving_answer_nothing(self):
        meeting = self.make_meeting()
        meeting.write({"start": NOW + 2 * DAY, "stop": NOW + 2 * DAY + HOUR})
        self.assertFalse(self.answers())


@tagged("post_install", "-at_install")
@freeze_time(NOW)
class TestPrivateMeeting(MeetingCase):
    """The name of a private meeting is for its attendees."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.stranger = new_test_user(
            cls.env, "stranger", "base.group_user", email="stranger@example.com", name="Stranger"
        )

    def book(self, **rule):
        self.rule = self.make_rule(
            trigger="meeting_booked", notify_responsible=False, notify_attendees=True,
            notify_emails="stranger@example.com", **rule,
        )  # fmt: skip
        meeting = self.make_meeting(
            name=SECRET, description=f"<p>{SECRET}</p>", location=SECRET, privacy="private"
        )
        self.drain()
        return meeting

    def letters(self, meeting):
        mails = self.firings(meeting).delivery_ids
        return {d.email: f"{d.mail_id.subject} {d.mail_id.body_html}" for d in mails}

    def test_the_log_and_the_chatter_show_nothing(self):
        meeting = self.book()
        firing = self.firings(meeting)
        self.assertEqual(firing.state, "done")
        self.assertNotIn(SECRET, f"{firing.record_name} {firing.payload} {firing.reason}")
        for message in meeting.message_ids:
            if message.message_type == "email_outgoing":
                self.assertNotIn(SECRET, f"{message.subject} {message.body} {message.record_name}")
        visible = self.env["mail.message"].with_user(self.stranger).search([])
        self.assertFalse(visible.filtered(lambda message: SECRET in (message.body or "")))

    def test_attendees_read_it_and_others_busy(self):
        letters = self.letters(self.book())
        for attendee in ("seller@example.com", "azure@example.com"):
            self.assertIn(f"New meeting: {SECRET}", letters[attendee])
            self.assertNotIn("Busy", letters[attendee])
        self.assertNotIn(SECRET, letters["stranger@example.com"])
        self.assertIn("Busy", letters["stranger@example.com"])

    def test_own_text(self):
        letters = self.letters(
            self.book(
                content="own", subject="%(object_subject)s", body="<p>%(object_description)s</p>"
            )
        )
        # Once in the subject, once in the text.
        self.assertEqual(letters["other@example.com"].count(SECRET), 2)
        self.assertNotIn(SECRET, letters["stranger@example.com"])

    def test_the_last_message_of_it(self):
        """By a rule of one who attends: Odoo would show him the description."""
        self.everybody += self.manager.partner_id
        letters = self.letters(self.book(with_last_message=True))
        self.assertIn("<blockquote>", letters["other@example.com"])
        self.assertNotIn(SECRET, letters["stranger@example.com"])

    def test_its_files_are_for_attendees(self):
        self.everybody += self.manager.partner_id
        self.rule = self.make_rule(
            trigger="meeting_booked", notify_attendees=True, with_attachments=True,
            notify_emails="stranger@example.com",
        )  # fmt: skip
        meeting = self.env["calendar.event"].create(
            {
                "name": SECRET, "privacy": "private", "start": NOW + DAY,
                "stop": NOW + DAY + HOUR, "user_id": self.seller.id,
                "partner_ids": [(6, 0, self.everybody.ids)],
            }
        )  # fmt: skip
        self.env["ir.attachment"].create(
            {"name": "plan.txt", "raw": b"x", "res_model": "calendar.event", "res_id": meeting.id}
        )
        self.drain()
        files = {
            d.email: d.mail_id.attachment_ids.mapped("name")
            for d in self.firings(meeting).delivery_ids
        }
        self.assertEqual(files["other@example.com"], ["plan.txt"])
        self.assertEqual(files["stranger@example.com"], [])

    def test_a_to_do_is_not_put_where_others_see_it(self):
        meeting = self.book(channel="activity")
        seen = self.env["mail.activity"].search(
            [("res_model", "=", "calendar.event"), ("res_id", "=", meeting.id)]
        )
        self.assertFalse(seen.filtered(lambda a: SECRET in f"{a.summary} {a.note}"))
        self.assertEqual(self.firings(meeting).state, "done", self.firings(meeting).reason)
        self.assertIn(SECRET, self.letters(meeting)["seller@example.com"])

    def test_in_the_inbox_of_attendees_only(self):
        meeting = self.book(channel="inbox")
        self.assertEqual(self.firings(meeting).state, "done", self.firings(meeting).reason)
        found = self.env["mail.notification"].search(
            [("res_partner_id", "=", self.seller.partner_id.id)], order="id desc", limit=1
        )
        message = found.mail_message_id
        self.assertIn(SECRET, message.with_user(self.seller).subject)
        with self.assertRaises(AccessError):
            message.with_user(self.stranger).read(["subject"])

    def test_cancelled_by_deleting(self):
        meeting = self.make_meeting(name=SECRET, privacy="private")
        rule = self.make_rule(
            trigger="meeting_cancelled", notify_responsible=False, notify_attendees=True,
            notify_emails="stranger@example.com",
        )  # fmt: skip
        meeting.unlink()
        self.drain()
        firing = self.of_rule(rule)
        self.assertEqual(firing.state, "done", firing.reason)
        self.assertNotIn(SECRET, f"{firing.record_name} {firing.payload}")
        for mail in firing.delivery_ids.mail_id:
            self.assertNotIn(SECRET, f"{mail.subject} {mail.body_html}")

    def test_by_the_habit_of_the_organiser(self):
        self.seller.with_user(self.seller).calendar_default_privacy = "private"
        self.make_rule(trigger="meeting_booked", notify_emails="stranger@example.com")
        meeting = self.make_meeting(name=SECRET, privacy=False)
        self.drain()
        self.assertNotIn(SECRET, self.letters(meeting)["stranger@example.com"])
        self.assertNotIn(SECRET, self.firings(meeting).record_name)
