"""Nobody reads, joins, answers or takes over the meetings of others by RPC."""

import contextlib

from odoo.exceptions import AccessError, UserError
from odoo.fields import Command
from odoo.tests import tagged
from odoo.tools import mute_logger
from odoo.tools.mail import html_to_inner_content

from . import test_invitation_news as news_tests
from .common import DAY, HOUR, NOW, AutomationCase
from .test_invitation_attendee import InvitationData
from .test_invitation_mail import GatewayCase

LATER = NOW.replace(year=2031)


class OthersCase(InvitationData, AutomationCase):
    @contextlib.contextmanager
    def refused(self):
        with self.assertRaises(AccessError), self.env.cr.savepoint():
            yield
            self.env.flush_all()

    def meet_daily(self, name, **values):
        meeting = self.meet(
            name, recurrency=True, rrule_type="daily", interval=1, end_type="count", count=3,
            **values,
        )  # fmt: skip
        return meeting.recurrence_id

    def strangers(self, **values):
        """A meeting of the stranger's own."""
        return self.meet("Mine", user=self.stranger, guests=self.customer, **values)


@tagged("post_install", "-at_install")
class TestSeriesOfOthers(OthersCase):
    def test_nobody_joins_a_private_series(self):
        private = self.meet_daily("Secret", privacy="private")
        usual = self.meet_daily("Usual", privacy=False)
        self.seller.with_user(self.seller).calendar_default_privacy = "private"
        mine = self.strangers().with_user(self.stranger)
        Event = self.env["calendar.event"].with_user(self.stranger)
        values = {"name": "Mine too", "start": LATER, "stop": LATER + HOUR}
        for series in private + usual:
            theirs = series.with_user(self.stranger)
            for key in (series.id, str(series.id)):
                with self.refused():
                    Event.create({**values, "recurrence_id": key})
                with self.refused():
                    mine.write({"recurrence_id": key})
            with self.refused():
                theirs.write({"calendar_event_ids": [Command.link(mine.id)]})
            with self.refused():
                theirs.write({"calendar_event_ids": [Command.create(values)]})
            made = Event.with_context(default_recurrence_id=series.id).create(values)
            self.assertFalse(made.recurrence_id)
            # Whoever takes part, does.
            guest = Event.with_user(self.other_seller)
            joined = guest.create({**values, "recurrence_id": series.id})
            self.assertEqual(joined.sudo().ical_uid, series.sudo().ical_uid)

    def test_nobody_makes_a_series_of_a_private_meeting(self):
        secret = self.meet("Secret", privacy="private")
        mine = self.strangers()
        Recurrence = self.env["calendar.recurrence"].with_user(self.stranger)
        rule = {"rrule_type": "daily"}
        with self.refused():
            Recurrence.create({**rule, "base_event_id": secret.id})
        made = Recurrence.with_context(default_base_event_id=secret.id).create(rule)
        self.assertFalse(made.base_event_id)
        own = Recurrence.create(
            {**rule, "base_event_id": mine.id, "calendar_event_ids": [Command.link(mine.id)]}
        )
        self.assertEqual(own.sudo().ical_uid, mine.ical_uid)
        with self.refused():
            own.base_event_id = secret

    def test_a_series_that_all_may_change_takes_in_more(self):
        series = self.meet_daily("Open", privacy="public")
        made = self.env["calendar.event"].with_user(self.stranger).create(
            {"name": "One more", "start": LATER, "stop": LATER + HOUR, "recurrence_id": series.id}
        )  # fmt: skip
        self.assertIn(made, series.calendar_event_ids)

    def test_the_letter_tells_of_no_other_organizer(self):
        series = self.meet_daily("Secret", privacy="private")
        mine = self.strangers(start=LATER + 9 * DAY)
        # As it may be from before it was forbidden.
        mine.sudo().recurrence_id = series
        wizard = self.env["calendar.invite"].with_user(self.stranger).create(
            {"event_ids": mine.ids, "emails": "eva@example.com"}
        )  # fmt: skip
        wizard.action_see_letter()
        text = html_to_inner_content(wizard.letter)
        self.assertIn("Mine", text)
        self.assertNotIn("Secret", text)
        self.assertNotIn(self.other_seller.name, text)


@tagged("post_install", "-at_install")
class TestMeetingsOfOthers(OthersCase):
    def test_nobody_takes_a_meeting_over_or_gives_it_away(self):
        for meeting in (self.meeting, self.meet("Secret", privacy="private")):
            theirs = meeting.with_user(self.stranger)
            for user in (self.stranger, self.env["res.users"], self.manager):
                with self.refused():
                    theirs.user_id = user
        series = self.meet_daily("Open", privacy="public")
        first, second, _third = series.calendar_event_ids.sorted("start")
        with self.refused():
            first.with_user(self.stranger).write(
                {"user_id": self.stranger.id, "recurrence_update": "all_events"}
            )
        # Who is invited to one of them only has that one.
        second.sudo().write({"partner_ids": [Command.link(self.stranger.partner_id.id)]})
        for update in ("all_events", "future_events"):
            with self.refused():
                second.with_user(self.stranger).write(
                    {"user_id": self.stranger.id, "recurrence_update": update}
                )
        second.with_user(self.stranger).user_id = self.stranger
        self.assertEqual(second.user_id, self.stranger)
        # Nothing changes hands.
        self.meeting.with_user(self.stranger).write({"user_id": self.seller.id, "name": "Other"})

    def test_who_hands_a_meeting_over(self):
        self.env["crm.team"].create(
            {"name": "North", "user_id": self.stranger.id,
             "member_ids": [Command.set(self.seller.ids)]}
        )  # fmt: skip
        admin = self.env.ref("base.user_admin")
        for user in (self.seller, self.other_seller, self.stranger, admin):
            with self.subTest(user.name):
                meeting = self.meet("Harvest")
                meeting.with_user(user).user_id = self.manager
                self.assertEqual(meeting.user_id, self.manager)

    def test_when_others_are_free_is_told_to_who_arranges_their_meeting(self):
        Wizard = self.env["calendar.invite"]
        values = {"event_ids": self.meeting.ids, "start": LATER, "duration": 1}
        with self.refused():
            Wizard.with_user(self.stranger).create(values).action_find_times()
        mine = Wizard.with_user(self.other_seller).create(values)
        mine.action_find_times()
        self.assertTrue(mine.are_slots_known)

    def test_nobody_chooses_the_secret_of_an_invitation(self):
        chosen = {
            "access_token": "chosen", "rsvp_revision": 7, "delegations_made": -9, "told_number": 99,
        }  # fmt: skip
        for name, value in chosen.items():
            self.env["ir.default"].set(
                "calendar.attendee", name, value, user_id=self.stranger.id
            )  # fmt: skip
        Event = self.env["calendar.event"].with_user(self.stranger)
        made = Event.create(
            {"name": "Mine", "start": LATER, "stop": LATER + HOUR,
             "partner_ids": [Command.set((self.customer + self.stranger.partner_id).ids)]}
        )  # fmt: skip
        context = {f"default_{name}": value for name, value in chosen.items()}
        more = self.env["calendar.attendee"].with_user(self.stranger).sudo().with_context(
            **context
        ).create({"event_id": made.id, "partner_id": self.seller.partner_id.id})  # fmt: skip
        guests = made.sudo().attendee_ids | more
        self.assertEqual(len(guests), 3)
        self.assertEqual(len(set(guests.mapped("access_token")) - {"chosen"}), 3)
        self.assertEqual(set(guests.mapped("rsvp_revision")), {0})
        self.assertEqual(set(guests.mapped("delegations_made")), {0})
        self.assertEqual(set(guests.sudo().mapped("told_number")), {0})


@tagged("post_install", "-at_install")
class TestChatterOfOthers(OthersCase):
    def seen(self, meeting, user):
        return self.env["mail.message"].with_user(user).search(
            [("model", "=", "calendar.event"), ("res_id", "=", meeting.id),
             ("body", "ilike", "truffles")]
        )  # fmt: skip

    def test_the_chatter_of_meetings_that_are_private_by_default(self):
        meeting = self.meet("Usual", privacy=False)
        meeting.with_user(self.seller).message_post(body="About truffles")
        self.assertTrue(self.seen(meeting, self.stranger))
        self.seller.with_user(self.seller).calendar_default_privacy = "private"
        self.env.invalidate_all()
        message = self.seen(meeting, self.seller)
        self.assertTrue(message)
        self.assertEqual(self.seen(meeting, self.other_seller), message)
        for user in (self.stranger, self.manager):
            self.assertFalse(self.seen(meeting, user))
            theirs = self.env["mail.message"].with_user(user)
            self.assertFalse(theirs._get_with_access(message.id))
            with self.refused():
                theirs.browse(message.id).read(["body"])
        self.assertEqual(
            self.env["mail.message"].with_user(self.other_seller)._get_with_access(message.id),
            message,
        )


@tagged("post_install", "-at_install")
class TestMailsOfOthers(GatewayCase):
    def test_one_decides_about_one_s_own_meetings(self):
        theirs = self.known()
        # The same meeting, as somebody else has taken it in from a file.
        mine = self.known(user=self.seller, start="2030-01-06 09:00:00", stop="2030-01-06 10:00:00")
        mine.sudo().ical_uid = theirs.ical_uid
        self.receive(self.reply(theirs, sender="mallory@evil.example"))
        review = self.reviews("sender")
        review.user_id = self.seller
        review.with_user(self.seller).action_apply()
        self.assertEqual((self.state(theirs), self.state(mine)), ("needsAction", "accepted"))

    def test_one_who_organizes_nothing_of_it_decides_nothing(self):
        theirs = self.known()
        self.receive(self.reply(theirs, sender="mallory@evil.example"))
        review = self.reviews("sender")
        review.user_id = self.seller
        with self.assertRaises(UserError):
            review.with_user(self.seller).action_apply()
        self.assertEqual(self.state(theirs), "needsAction")

    @mute_logger("odoo.addons.mail.models.mail_thread")
    def test_whoever_is_no_administrator_brings_no_mail(self):
        event = self.known()
        Thread = self.env["mail.thread"]
        for user in (self.portal, self.seller, self.manager):
            for model in ("mail.thread", "res.partner"):
                # To Odoo it is a mail that nobody waits for.
                with contextlib.suppress(AccessError, ValueError), self.env.cr.savepoint():
                    self.env[model].with_user(user).message_process(False, self.reply(event))
        self.assertEqual(self.state(event), "needsAction")
        self.assert_believed()
        # As odoo-mailgate calls it.
        admin = self.env.ref("base.user_admin")
        Thread.with_user(admin).message_process(False, self.reply(event, seconds=9))
        self.assertEqual(self.state(event), "accepted")


@tagged("post_install", "-at_install")
class TestNewsForOthers(GatewayCase):
    news, copies = news_tests.TestNews.news, news_tests.TestNews.copies

    def test_a_file_of_one_takes_no_invitation_from_others(self):
        theirs = self.make(guests=self.second, user=self.seller)
        theirs.sudo().ical_uid = "harvest"
        self.settle()
        self.receive(self.news())
        self.assert_believed()
        mine = self.copies().filtered(lambda event: event.user_id == self.ana)
        self.assertEqual(mine.name, "Harvest")
        self.receive(self.news("CANCEL", sequence=1, seconds=60))
        self.assert_believed()
        self.assertFalse(mine.active)
        self.assertTrue(theirs.active)

    def test_what_one_has_oneself_is_changed_by_nobody(self):
        """Whoever says that he organizes it."""
        event = self.known()
        self.receive(self.news("CANCEL", sequence=9, uid=event.ical_uid))
        review = self.reviews("own")
        self.assertFalse(review.is_applicable)
        self.assertTrue(event.active)

    def test_one_who_is_invited_changes_nothing_for_an_organizer_of_ours(self):
        event = self.known(guests=self.guest | self.seller.partner_id)
        self.receive(
            self.news(
                "CANCEL", sequence=9, uid=event.ical_uid, to="seller@example.com",
                lines=["ATTENDEE:mailto:seller@example.com"],
            )
        )  # fmt: skip
        for review in self.reviews().filtered("is_applicable"):
            with contextlib.suppress(UserError):
                review.with_user(self.seller).action_apply()
        self.assertTrue(self.reviews())
        self.assertTrue(event.active)
