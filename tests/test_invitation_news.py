"""Invitations from outside: what comes by mail into the calendar of the invited."""

from datetime import timedelta

from odoo.exceptions import UserError

from .test_invitation_mail import MADE, GatewayCase, mail_of, message


def news(method="REQUEST", sequence=0, seconds=0, uid="harvest", lines=(), **more):
    """A message of an organizer outside, as a mail."""
    more.setdefault("sender", "olaf@outside.example")
    own = [
        "ORGANIZER;CN=Olaf:mailto:olaf@outside.example",
        "ATTENDEE;RSVP=TRUE;PARTSTAT=NEEDS-ACTION:mailto:ana@bodega.example",
        f"SUMMARY:{more.pop('name', 'Harvest')}",
    ]
    start = more.pop("start", "20300107T090000Z")
    own += [f"DTSTART:{start}", f"DURATION:PT{more.pop('hours', 1)}H"]
    return message(
        method,
        *own,
        *lines,
        uid=uid,
        sequence=sequence,
        stamp=MADE + timedelta(seconds=seconds),
        **more,
    )


class TestNews(GatewayCase):
    def news(self, *args, **more):
        return news(*args, **more)

    def copies(self, uid="harvest"):
        return self.env["calendar.event"].with_context(active_test=False).search(
            [("ical_uid", "=", uid)], order="start"
        )  # fmt: skip

    def mine(self, event):
        event.attendee_ids.invalidate_recordset()
        return event.attendee_ids.filtered(lambda one: one.partner_id == self.ana.partner_id)

    def test_the_programs_of_others(self):
        for program, number in (("google", 4), ("exchange", 1), ("apple", 1), ("nextcloud", 1)):
            with self.subTest(program):
                self.receive(mail_of(f"{program}_request", program))
                self.assert_believed()
                events = self.copies(program)
                self.assertEqual(len(events), number)
                self.assertEqual(events[0].name, "Harvest")
                self.assertEqual(events[0].location, "Vineyard")
                self.assertEqual(str(events[0].start), "2030-01-07 09:00:00")
                self.assertEqual(
                    set(events.mapped(lambda one: self.mine(one).state)), {"needsAction"}
                )
        # Nobody is invited by the one who was.
        self.assertFalse(self.sent())

    def test_he_is_told(self):
        self.receive(self.news())
        told = self.env["mail.message"].search([("subject", "ilike", "Harvest")])
        self.assertEqual(told.notification_ids.res_partner_id, self.ana.partner_id)

    def test_he_is_told_once_a_day(self):
        self.ana.invitation_notice = "digest"
        self.receive(self.news())
        self.assertFalse(self.env["mail.message"].search([("subject", "ilike", "Harvest")]))
        self.env["res.users"]._invitation_digests()
        self.assertIn("Harvest", self.env["mail.mail"].search([]).body_html)

    def test_the_answer_goes_to_the_organizer(self):
        self.receive(mail_of("exchange_request", "harvest"))
        event = self.copies()
        self.mine(event).with_user(self.ana).do_accept()
        found, mail = self.only("olaf@outside.example")
        self.assertEqual(found.method, "REPLY")
        [attendee] = found.items[0].attendees
        self.assertEqual((attendee.email, attendee.status), ("ana@bodega.example", "ACCEPTED"))
        self.assertEqual(mail["From"].addresses[0].addr_spec, "ana@bodega.example")

    def test_the_answer_to_one_occurrence(self):
        self.receive(mail_of("google_request", "harvest"))
        events = self.copies()
        self.mine(events[1]).with_user(self.ana)._answer("declined", "Away", source="user")
        found, _mail = self.only("olaf@outside.example")
        [item] = found.items
        self.assertEqual(str(item.recurrence_id), "2030-01-14 10:00:00+01:00")
        self.assertEqual(item.comments, ("Away",))
        self.mine(events[0])
        events.attendee_ids.filtered(lambda one: one.partner_id == self.ana.partner_id).with_user(
            self.ana
        )._answer("accepted")
        found, _mail = self.only("olaf@outside.example")
        [item] = found.items
        self.assertIsNone(item.recurrence_id)

    def test_a_change_asks_anew_and_a_trifle_does_not(self):
        self.receive(self.news())
        event = self.copies()
        self.mine(event)._answer("accepted")
        self.receive(self.news(seconds=1, name="Grape harvest"))
        self.assertEqual((event.name, self.mine(event).state), ("Grape harvest", "accepted"))
        self.receive(self.news(sequence=1, seconds=2, start="20300108T090000Z"))
        self.assertEqual(str(event.start), "2030-01-08 09:00:00")
        self.assertEqual(self.mine(event).state, "needsAction")
        self.assert_believed()

    def test_cancelled(self):
        self.receive(mail_of("exchange_request", "harvest"))
        self.receive(mail_of("thunderbird_cancel", "harvest", 1, MADE + timedelta(minutes=1)))
        self.assert_believed()
        self.assertFalse(self.copies().active)

    def test_a_cancellation_that_overtakes_its_invitation(self):
        self.receive(mail_of("thunderbird_cancel", "harvest", 1, MADE + timedelta(minutes=1)))
        self.receive(mail_of("exchange_request", "harvest"))
        self.assertFalse(self.copies().filtered("active"))
        self.assert_believed()

    def test_in_any_order_and_twice(self):
        news = [
            self.news(),
            self.news(sequence=1, seconds=1, start="20300109T090000Z"),
            self.news(sequence=2, seconds=2, start="20300110T090000Z", name="Late harvest"),
        ]
        for uid, order in (("a", (2, 0, 1, 2)), ("b", (0, 2, 1)), ("c", (1, 1, 2, 0))):
            for number in order:
                self.receive(
                    news[number]
                    .replace(b"UID:harvest", f"UID:{uid}".encode())
                    .replace(b"Message-ID: <", f"Message-ID: <{uid}".encode())
                )
            event = self.copies(uid)
            self.assertEqual(
                (event.name, str(event.start)), ("Late harvest", "2030-01-10 09:00:00")
            )
        self.assert_believed()

    def test_a_moved_occurrence_that_overtakes_its_series(self):
        whole = mail_of("google_request", "harvest")
        part = self.news(
            sequence=1,
            seconds=5,
            start="20300115T090000Z",
            lines=["RECURRENCE-ID:20300114T090000Z"],
        )
        cancelled = self.news(
            "CANCEL",
            sequence=1,
            seconds=6,
            start="20300121T090000Z",
            lines=["RECURRENCE-ID:20300121T090000Z"],
        )
        for order in ((whole, part, cancelled), (part, whole, cancelled), (cancelled, part, whole)):
            for mail in order:
                self.receive(mail)
            self.assert_believed()
            events = self.copies().filtered("active")
            self.assertEqual(
                [str(one.start)[:10] for one in events], ["2030-01-07", "2030-01-15", "2030-01-28"]
            )
            self.env["calendar.invitation.seen"].search([]).unlink()
            everything = self.copies()
            everything.recurrence_id.with_context(no_mail_to_attendees=True).unlink()
            everything.exists().with_context(no_mail_to_attendees=True).unlink()
            self.env["mail.message"].search([("message_id", "ilike", "hand.example")]).unlink()

    def test_another_organizer_takes_over(self):
        self.receive(self.news())
        mail = self.news(sequence=1, seconds=1, sender="mallory@evil.example").replace(
            b"olaf@outside", b"mallory@evil"
        )
        self.receive(mail)
        self.reviews("organizer")
        self.assertEqual(self.copies().ical_sequence, 0)

    def test_nobody_is_the_organizer_of_what_another_program_brought(self):
        # As Google's or Microsoft's synchronization leaves them: nobody of ours, and no text.
        event = self.env["calendar.event"].create(
            {
                "name": "Synchronized", "user_id": False, "ical_uid": "synchronized",
                "start": "2030-01-07 09:00:00", "stop": "2030-01-07 10:00:00",
                "partner_ids": self.ana.partner_id.ids,
            }
        )  # fmt: skip
        self.sent()
        for method in ("CANCEL", "REQUEST"):
            with self.subTest(method):
                mail = self.news(
                    method, sequence=1, uid="synchronized", sender="mallory@evil.example"
                )
                self.receive(mail.replace(b"olaf@outside", b"mallory@evil"))
                self.assertEqual((event.active, event.name), (True, "Synchronized"))
        self.assertEqual(set(self.reviews().mapped("reason")), {"organizer"})

    def test_who_speaks_for_the_organizer(self):
        self.receive(self.news(sender="mallory@evil.example"))
        self.reviews("sender")
        self.assertFalse(self.copies())

    def test_what_is_ours_is_changed_by_nobody_else(self):
        event = self.known()
        self.receive(self.news("CANCEL", sequence=9, uid=event.ical_uid))
        review = self.reviews("own")
        self.assertTrue(event.active)
        with self.assertRaises(UserError):
            review.with_user(self.ana).action_apply()

    def test_our_own_mail_comes_back(self):
        event = self.known(guests=self.guest | self.seller.partner_id)
        event.location = "Cellar"
        sent = self.sent()
        [(_found, mail)] = sent["seller@example.com"]
        self.receive(mail.as_bytes())
        self.assert_believed()
        self.assertEqual(len(self.copies(event.ical_uid)), 1)

    def test_a_forwarded_invitation(self):
        self.receive(self.news(to="seller@example.com"))
        review = self.reviews("not_invited")
        self.assertEqual(review.user_id, self.seller)
        review.with_user(self.seller).action_apply()
        event = self.copies()
        self.assertEqual(event.user_id, self.seller)

    def test_the_organizer_refuses_a_proposal(self):
        self.receive(self.news())
        refusal = message(
            "DECLINECOUNTER",
            "ORGANIZER:mailto:olaf@outside.example",
            "ATTENDEE:mailto:ana@bodega.example",
            "COMMENT:Impossible",
            uid="harvest",
            sender="olaf@outside.example",
        )
        self.receive(refusal)
        self.receive(refusal)
        notes = self.copies().message_ids.filtered(lambda one: "Impossible" in (one.body or ""))
        self.assertEqual(len(notes), 1)
