"""Subscribed calendars: a real server has them, and changes its mind."""

from datetime import timedelta
from unittest.mock import patch

from odoo import fields
from odoo.exceptions import AccessError, UserError, ValidationError
from odoo.tests import Form, tagged
from odoo.tools import file_open, mute_logger

from .test_ical_fetch import WebCase

READ = "odoo.addons.crm_automation.models.calendar_subscription_read"


def event(uid, days=3, summary=None, *lines):
    """A VEVENT of one hour, so many days from now."""
    start = fields.Datetime.now().replace(hour=9, minute=0, second=0) + timedelta(days=days)
    return "\r\n".join(
        [
            "BEGIN:VEVENT", f"UID:{uid}", "DTSTAMP:20260101T000000Z",
            f"DTSTART:{start:%Y%m%dT%H%M%SZ}", "DURATION:PT1H", f"SUMMARY:{summary or uid}",
            *lines, "END:VEVENT",
        ]
    )  # fmt: skip


def calendar(*events):
    return "\r\n".join(
        ["BEGIN:VCALENDAR", "VERSION:2.0", "PRODID:-//Elsewhere//", *events, "END:VCALENDAR", ""]
    ).encode()


class SubscriptionCase(WebCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        # What is said is looked for in English here.
        cls.seller.lang = "en_US"

    def subscribe(self, user=None, **values):
        values = {"name": "Elsewhere", "url": self.web.url("/secret.ics"), **values}
        return self.env["calendar.subscription"].with_user(user or self.seller).create(values)

    def refresh(self, subscription, *events, content=None, **headers):
        """What happens when the calendar has these events."""
        if events or content is not None:
            body = calendar(*events) if content is None else content
            self.web.say("/secret.ics", body, **headers)
        result = subscription.action_refresh()
        subscription.env.invalidate_all()
        return result["params"]["message"]

    def events(self, subscription):
        return (
            self.env["calendar.event"]
            .with_context(active_test=False)
            .search([("subscription_id", "=", subscription.id)], order="start, id")
        )

    def names(self, subscription):
        return self.events(subscription).filtered("active").mapped("name")

    def run_job(self):
        """The scheduled job, without its commits."""
        self.env.flush_all()
        with patch.object(
            type(self.env["ir.cron"]), "_commit_progress", lambda *_args, **_kw: 99
        ):  # fmt: skip
            self.env["calendar.subscription"]._read_due()
        self.env.invalidate_all()


@tagged("post_install", "-at_install")
class TestSubscription(SubscriptionCase):
    def test_an_overlay(self):
        self.customer.email = "azure@example.com"
        mails = self.env["mail.mail"].search_count([])
        messages = self.env["mail.message"].search_count([("model", "=", "calendar.event")])
        subscription = self.subscribe(show_as="free")
        self.refresh(
            subscription,
            event("a", 1, "Fair", "ATTENDEE:mailto:azure@example.com", "CLASS:PUBLIC",
                  "ORGANIZER:mailto:boss@example.com", "BEGIN:VALARM", "ACTION:DISPLAY",
                  "TRIGGER:-PT17M", "END:VALARM"),
            event("b", 2, "Weekly", "RRULE:FREQ=WEEKLY;COUNT=4"),
        )  # fmt: skip
        events = self.events(subscription)
        self.assertEqual(len(events), 5)
        self.assertEqual(events.mapped("is_overlay"), [True] * 5)
        self.assertEqual(events.user_id, self.seller)
        self.assertEqual(events.partner_ids, self.seller.partner_id)
        self.assertEqual(set(events.mapped("privacy")), {"private"})
        self.assertEqual(set(events.mapped("show_as")), {"free"})
        self.assertFalse(events.alarm_ids)
        self.assertFalse(events.with_user(self.seller).filtered("user_can_edit"))
        self.assertEqual(self.env["mail.mail"].search_count([]), mails)
        self.assertEqual(
            self.env["mail.message"].search_count([("model", "=", "calendar.event")]), messages
        )
        self.assertEqual((subscription.state, subscription.message), ("ok", False))
        self.assertEqual(subscription.event_count, 5)
        self.assertAlmostEqual(subscription.next_read - subscription.last_read, timedelta(hours=6))
        run = subscription.run_ids
        self.assertEqual((run.result, run.created_count, run.failed_count), ("done", 2, 0))
        # Nobody else is shown more than that the time is taken.
        self.env.invalidate_all()
        other = events[0].with_user(self.other_seller)
        self.assertNotEqual(other.name, "Fair")
        self.assertFalse(other.subscription_id)

    def test_what_is_shown_only_nobody_changes(self):
        subscription = self.subscribe(privacy="public")
        self.refresh(subscription, event("a"), event("b", 2, "Weekly", "RRULE:FREQ=WEEKLY;COUNT=3"))
        single, *series = self.events(subscription).sorted(lambda one: bool(one.recurrence_id))
        admin = self.env.ref("base.user_admin")
        forged = {"crm_automation_subscription": True}
        for user in (self.seller, self.other_seller, self.manager, admin, self.env.user):
            for meeting in (single, series[0]):
                mine = meeting.with_user(user).with_context(**forged)
                for change in (
                    lambda m=mine: m.write({"name": "Mine"}),
                    lambda m=mine: m.write({"active": False}),
                    lambda m=mine: m.unlink(),
                    lambda m=mine: m.sudo().write({"name": "Mine"}),
                    lambda m=mine: m.write({"partner_ids": [(4, self.customer.id)]}),
                    lambda m=mine: m.attendee_ids.sudo().write({"state": "declined"}),
                    lambda m=mine: m.attendee_ids.sudo().unlink(),
                    lambda m=mine: m.env["calendar.attendee"].create(
                        {"event_id": m.id, "partner_id": self.customer.id}
                    ),
                ):
                    with self.assertRaises(UserError), self.env.cr.savepoint():
                        change()
            rule = series[0].recurrence_id.with_user(user)
            for change in (lambda r=rule: r.write({"count": 9}), lambda r=rule: r.unlink()):
                with self.assertRaises(UserError), self.env.cr.savepoint():
                    change()
        self.assertEqual(len(self.events(subscription).filtered("active")), 4)

    def test_marks_cannot_be_made_by_hand(self):
        theirs = self.subscribe(self.other_seller)
        Event = self.env["calendar.event"].with_user(self.seller)
        with self.assertRaises(AccessError):
            Event.create({"name": "X", "subscription_id": theirs.id})
        mine = Event.create({"name": "X"})
        for name in ("subscription_id", "is_overlay", "subscription_edited"):
            with self.assertRaises(AccessError):
                mine.write({name: theirs.id})
        smuggled = Event.with_context(default_is_overlay=True).create({"name": "Y"})
        self.assertFalse(smuggled.sudo().is_overlay)

    def test_an_overlay_is_not_given_on(self):
        """Other programs read it where it comes from; that one is busy is told."""
        Collection = self.env["caldav.collection"]
        agenda, busy = (Collection._of(self.seller, kind) for kind in ("agenda", "busy"))

        def uids(collection):
            collection._catch_up()
            return {member.uid for member in collection._members()}

        before = uids(agenda)
        subscription = self.subscribe(show_as="busy")
        self.refresh(subscription, event("fair"))
        self.assertEqual(uids(agenda), before)
        self.assertIn("fair", uids(busy))
        wizard = self.env["calendar.export.ical"].with_user(self.seller).create({"scope": "mine"})
        self.assertNotIn("fair", wizard._events().mapped("ical_uid"))
        subscription.kind = "imported"
        self.assertEqual(uids(agenda), before | {"fair"})

    def test_no_rule_is_told_of_an_overlay(self):
        self.make_rule(trigger="meeting_booked")
        soon = self.make_rule(
            trigger="moment", model_id=self.env["ir.model"]._get_id("calendar.event"),
            delay_before="before", delay_number=7, delay_unit="days",
        )  # fmt: skip
        subscription = self.subscribe(privacy="public")
        self.refresh(subscription, event("a"))
        self.refresh(subscription, event("a", 4))
        self.end_transaction()
        events = self.events(subscription)
        self.assertTrue(events)
        self.assertFalse(self.firings(events))
        self.assertFalse(soon._matching(events.ids))

    def test_unchanged_is_neither_read_nor_written(self):
        subscription = self.subscribe()
        self.refresh(subscription, event("a"), ETag='"1"', Last_Modified="yesterday")
        self.web.say("/secret.ics", b"", 304, Content_Length=None)
        Event = type(self.env["calendar.event"])
        with patch.object(Event, "_ical_compare", side_effect=AssertionError):
            self.refresh(subscription)
            self.assertEqual(self.web.asked[-1][1]["If-None-Match"], '"1"')
            self.assertEqual(self.web.asked[-1][1]["If-Modified-Since"], "yesterday")
            # Nor is what a server without versions sends once more.
            self.web.say("/secret.ics", calendar(event("a")))
            self.refresh(subscription)
        self.assertEqual(subscription.state, "ok")
        self.assertEqual(subscription.run_ids.mapped("result"), ["unchanged", "done"])
        self.assertEqual(subscription.run_ids[0].times, 2)

    def test_what_changes_there_changes_here(self):
        subscription = self.subscribe()
        self.refresh(subscription, event("a"), event("b", 5))
        first, second = self.events(subscription)
        self.refresh(
            subscription,
            event("a", 4, "Moved", "SEQUENCE:1"),
            event("b", 5, "b", "SEQUENCE:1", "STATUS:CANCELLED"),
            event("c", 6),
        )
        self.assertEqual(first.name, "Moved")
        self.assertFalse(second.active)
        self.assertEqual(self.names(subscription), ["Moved", "c"])
        run = subscription.run_ids[0]
        self.assertEqual(
            (run.created_count, run.changed_count, run.cancelled_count, run.removed_count),
            (1, 1, 1, 0),
        )

    def test_imported_meetings_are_ordinary_ones(self):
        subscription = self.subscribe(kind="imported")
        self.refresh(subscription, event("a", 3, "Fair", "ATTENDEE:mailto:azure@example.com"))
        meeting = self.events(subscription)
        self.assertFalse(meeting.is_overlay)
        self.assertEqual(meeting.partner_ids, self.seller.partner_id + self.customer)
        self.assertFalse(meeting.subscription_edited)
        meeting.with_user(self.seller).write({"location": "Lugo"})
        self.assertTrue(meeting.subscription_edited)

    def test_what_is_gone_there_is_archived_and_comes_back(self):
        subscription = self.subscribe()
        self.refresh(subscription, event("a"), event("b", 5, "b", "RRULE:FREQ=DAILY;COUNT=3"))
        self.refresh(subscription, event("a"))
        self.assertEqual(self.names(subscription), ["a"])
        self.assertEqual(len(self.events(subscription)), 4)
        self.assertEqual(subscription.run_ids[0].removed_count, 1)
        self.refresh(subscription, event("a"), event("b", 5, "b", "RRULE:FREQ=DAILY;COUNT=3"))
        self.assertEqual(self.names(subscription), ["a", "b", "b", "b"])

    def test_what_is_gone_there_is_deleted_unless_it_was_changed_here(self):
        subscription = self.subscribe(kind="imported", vanished="delete")
        mine = self.env["calendar.event"].with_user(self.seller).create({"name": "Mine"})
        self.refresh(subscription, *(event(uid, 3) for uid in "abc"))
        self.events(subscription)[0].with_user(self.seller).name = "Changed here"
        self.refresh(subscription, event("c", 3))
        self.assertEqual(sorted(self.events(subscription).mapped("name")), ["Changed here", "c"])
        self.assertTrue(mine.exists())

    def test_what_is_gone_there_is_kept(self):
        subscription = self.subscribe(vanished="keep")
        self.refresh(subscription, event("a"), event("b", 5))
        self.refresh(subscription, event("a", 4, "a2", "SEQUENCE:1"))
        self.assertEqual(self.names(subscription), ["a2", "b"])

    def test_what_is_over_stays(self):
        subscription = self.subscribe()
        self.refresh(subscription, event("old", -3), event("new", 3))
        self.refresh(subscription, event("new", 3, "new2", "SEQUENCE:1"))
        self.assertEqual(self.names(subscription), ["old", "new2"])
        subscription.keep_past = False
        self.refresh(subscription)
        self.assertEqual(self.names(subscription), ["new2"])

    def test_the_brake(self):
        subscription = self.subscribe()
        many = [event(f"e{number}", number + 1) for number in range(20)]
        self.refresh(subscription, *many)
        self.refresh(subscription, *many[:9])
        self.assertEqual((subscription.state, subscription.held_count), ("asks", 11))
        self.assertEqual(len(self.names(subscription)), 20)
        self.assertEqual(subscription.run_ids[0].result, "asks")
        # It was a mistake there.
        self.refresh(subscription, *many)
        self.assertEqual((subscription.state, subscription.held_count), ("ok", 0))
        # Half of them, or ten, are no mistake.
        self.refresh(subscription, *many[:10])
        self.assertEqual(len(self.names(subscription)), 10)

    def test_an_empty_calendar_removes_nothing_without_asking(self):
        subscription = self.subscribe()
        self.refresh(subscription, event("a"), event("b", 4))
        self.refresh(subscription, content=calendar(), ETag='"2"')
        self.assertEqual((subscription.state, subscription.held_count), ("asks", 2))
        self.web.say("/secret.ics", b"", 304, Content_Length=None)
        self.refresh(subscription)
        self.assertEqual((subscription.state, subscription.held_count), ("asks", 2))
        subscription.action_keep_held()
        self.assertEqual((subscription.state, subscription.held_count), ("ok", 0))
        self.refresh(subscription, content=calendar() + b"\r\n")
        self.assertEqual((subscription.state, len(self.names(subscription))), ("ok", 2))

    def test_what_was_asked_about_is_removed(self):
        subscription = self.subscribe(vanished="delete")
        self.refresh(subscription, event("a"), event("b", 4))
        self.refresh(subscription, content=calendar())
        with self.assertRaises(AccessError):
            subscription.with_user(self.other_seller).action_remove_held()
        subscription.action_remove_held()
        self.assertFalse(self.events(subscription))
        self.assertEqual(subscription.run_ids[0].removed_count, 2)

    def test_an_answer_that_is_no_calendar_removes_nothing(self):
        subscription = self.subscribe()
        self.refresh(subscription, event("a"))
        for content, words in (
            (b"<!doctype html><title>Login</title>", "web page"),
            (b"", "no calendar"),
            (b"\x00\xff" * 50, "no calendar"),
        ):
            self.refresh(subscription, content=content)
            self.assertEqual(subscription.state, "error")
            self.assertIn(words, subscription.message)
            self.assertEqual(self.names(subscription), ["a"])

    def test_one_bad_event_does_not_harm_the_others(self):
        subscription = self.subscribe()
        bad = event("b").replace("DTSTART", "X-START")
        self.refresh(subscription, event("a"), bad, event("c", 4))
        self.assertEqual(self.names(subscription), ["a", "c"])
        run = subscription.run_ids
        self.assertEqual((run.result, run.failed_count), ("done", 1))
        self.assertTrue(run.message)

    def test_failures_wait_longer_and_end_by_themselves(self):
        subscription = self.subscribe()
        self.web.say("/secret.ics", b"", 500)
        waits = []
        for _time in range(9):
            self.refresh(subscription)
            waits.append((subscription.next_read - subscription.last_read).total_seconds() / 60)
        self.assertEqual(waits, [15, 30, 60, 120, 240, 480, 960, 1440, 1440])
        self.assertEqual((subscription.state, subscription.failures), ("error", 9))
        self.assertNotIn("secret", subscription.message)
        self.web.say("/secret.ics", b"", 429, Retry_After=3 * 86400)
        self.refresh(subscription)
        self.assertEqual(subscription.next_read - subscription.last_read, timedelta(days=3))
        self.refresh(subscription, event("a"))
        self.assertEqual((subscription.state, subscription.failures), ("ok", 0))
        self.assertFalse(subscription.message)

    def test_what_odoo_cannot_take_in_is_an_error_of_its_own(self):
        subscription = self.subscribe()
        with (
            mute_logger(READ),
            patch.object(
                type(self.env["calendar.event"]), "_ical_upsert", side_effect=ZeroDivisionError
            ),
        ):
            self.refresh(subscription, event("a"))
        self.assertEqual(subscription.state, "error")
        self.assertFalse(subscription.content_digest)
        self.refresh(subscription)
        self.assertEqual(self.names(subscription), ["a"])

    def test_the_job_reads_what_is_due(self):
        due = self.subscribe()
        off = self.subscribe(enabled=False)
        gone = self.subscribe(self.other_seller)
        self.other_seller.active = False
        later = self.subscribe(url=self.web.url("/later.ics"))
        later.sudo().next_read = fields.Datetime.now() + timedelta(hours=1)
        self.web.say("/secret.ics", calendar(event("a")))
        self.run_job()
        self.assertEqual(self.names(due), ["a"])
        self.assertEqual((off + later + gone).sudo().mapped("state"), ["new"] * 3)
        self.assertEqual(len(self.web.asked), 1)

    def test_what_is_claimed_is_not_the_first_again(self):
        """A calendar that ends its worker must not hold up the others."""
        first, second = self.subscribe(), self.subscribe()
        first.sudo().next_read -= timedelta(days=1)
        Subscription = self.env["calendar.subscription"]
        self.env.flush_all()
        self.assertEqual(Subscription._claim(), first.sudo())
        self.assertEqual(Subscription._claim(), second.sudo())
        self.assertFalse(Subscription._claim())

    def test_a_new_subscription_wakes_the_job(self):
        cron = self.env.ref("crm_automation.ir_cron_subscriptions")
        triggers = self.env["ir.cron.trigger"].search([("cron_id", "=", cron.id)])
        triggers.unlink()
        subscription = self.subscribe()
        self.assertEqual(len(triggers.search([("cron_id", "=", cron.id)])), 1)
        triggers.search([]).unlink()
        subscription.name = "Another name"
        self.assertFalse(triggers.search([("cron_id", "=", cron.id)]))

    def test_a_large_calendar_is_read_by_the_job(self):
        subscription = self.subscribe()
        with patch(f"{READ}.AT_ONCE", 100):
            self.assertIn("background", self.refresh(subscription, event("a")))
            self.assertEqual(subscription.state, "new")
            self.run_job()
        self.assertEqual(self.names(subscription), ["a"])

    def test_my_own_meeting_is_neither_changed_nor_shown_twice(self):
        meeting = self.env["calendar.event"].with_user(self.seller).create(
            {"name": "Mine", "start": fields.Datetime.now() + timedelta(days=1),
             "stop": fields.Datetime.now() + timedelta(days=1, hours=1)}
        )  # fmt: skip
        subscription = self.subscribe()
        self.refresh(subscription, event(meeting.ical_uid, 3, "Other", "SEQUENCE:9"), event("a"))
        self.assertEqual(meeting.name, "Mine")
        self.assertEqual(self.names(subscription), ["a"])
        self.assertIn("already", subscription.run_ids.message)

    def test_two_users_have_the_same_calendar_each_his_own(self):
        mine, theirs = self.subscribe(), self.subscribe(self.other_seller)
        self.refresh(mine, event("a"))
        self.refresh(theirs)
        self.assertEqual(self.events(mine).user_id, self.seller)
        self.assertEqual(self.events(theirs).user_id, self.other_seller)

    def test_an_overlay_becomes_an_import_and_back(self):
        subscription = self.subscribe()
        self.refresh(subscription, event("a", 3, "a", "ATTENDEE:mailto:azure@example.com"))
        meeting = self.events(subscription)
        subscription.kind = "imported"
        meeting.with_user(self.seller).location = "Lugo"
        self.refresh(subscription)
        self.assertEqual(self.events(subscription), meeting)
        self.assertIn(self.customer, meeting.partner_ids)
        subscription.kind = "overlay"
        with self.assertRaises(UserError):
            meeting.with_user(self.seller).location = "Vigo"

    def test_what_was_deleted_here_does_not_come_back(self):
        subscription = self.subscribe(kind="imported")
        self.refresh(subscription, event("a"), event("b", 4))
        self.events(subscription)[0].with_user(self.seller).unlink()
        self.refresh(subscription, event("a"), event("b", 4), event("c", 5))
        self.assertEqual(self.names(subscription), ["b", "c"])

    def test_the_address_is_checked(self):
        for url in ("nothing", "ftp://example.com/", "http://127.0.0.1:25/"):
            with self.assertRaises(ValidationError):
                self.subscribe(url=url)

    def test_a_new_address_is_read_from_the_start(self):
        subscription = self.subscribe()
        self.refresh(subscription, event("a"), ETag='"1"')
        subscription.url = self.web.url("/new.ics")
        self.assertFalse(subscription.etag or subscription.content_digest)
        self.assertLessEqual(subscription.next_read, self.env.cr.now())

    def test_deleted_with_its_meetings(self):
        subscription = self.subscribe()
        self.refresh(subscription, event("a"), event("b", 4, "b", "RRULE:FREQ=DAILY;COUNT=3"))
        events = self.events(subscription)
        series = events.recurrence_id
        with self.assertRaisesRegex(UserError, "what becomes"):
            subscription.with_context(crm_automation_subscription=True).unlink()
        Wizard = self.env["calendar.subscription.delete"].with_user(self.seller)
        form = Form(Wizard.with_context(default_subscription_id=subscription.id))
        form.save().action_delete()
        self.assertFalse(subscription.exists() or events.exists() or series.exists())

    def test_deleted_without_its_meetings(self):
        subscription = self.subscribe()
        self.refresh(subscription, event("a"))
        meeting = self.events(subscription)
        wizard = self.env["calendar.subscription.delete"].with_user(self.seller).create(
            {"subscription_id": subscription.id, "meetings": "keep"}
        )  # fmt: skip
        wizard.action_delete()
        self.assertFalse(subscription.exists() or meeting.is_overlay)
        meeting.with_user(self.seller).name = "Mine now"

    def test_what_is_gone_of_the_history_after_90_days(self):
        subscription = self.subscribe()
        self.refresh(subscription, event("a"))
        run = subscription.run_ids.sudo()
        run._gc_runs()
        self.assertTrue(run.exists())
        run.write(dict.fromkeys(("date", "last_date"), run.date - timedelta(days=91)))
        run._gc_runs()
        self.assertFalse(run.exists())

    def test_a_copy_of_the_database_reads_nothing(self):
        subscription = self.subscribe()
        self.env.flush_all()
        with file_open("crm_automation/data/neutralize.sql") as script:
            self.env.cr.execute(script.read())
        self.env.invalidate_all()
        self.assertFalse(subscription.enabled)


@tagged("post_install", "-at_install")
class TestSubscriptionSecurity(SubscriptionCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.admin = cls.env.ref("base.user_admin")

    def test_nobody_else_sees_it(self):
        subscription = self.subscribe()
        self.refresh(subscription, event("a"))
        for user in (self.other_seller, self.manager, self.admin):
            theirs = subscription.with_user(user)
            Subscription = theirs.browse()
            self.assertFalse(Subscription.search([("url", "ilike", "secret")]))
            self.assertFalse(Subscription._read_group([], ["url"], ["__count"]))
            self.assertFalse(theirs.env["calendar.subscription.run"].search([]))
            for act in (
                lambda s=theirs: s.read(["url"]),
                lambda s=theirs: s.write({"url": "https://example.com/"}),
                lambda s=theirs: s.unlink(),
                lambda s=theirs: s.action_refresh(),
                lambda s=theirs: s.action_keep_held(),
                lambda s=theirs: s.action_remove_held(),
                lambda s=theirs, u=user: (
                    s.env["calendar.subscription.delete"]
                    .create({"subscription_id": s.id})
                    .action_delete()
                ),
            ):
                with self.assertRaises(AccessError):
                    act()
            self.assertFalse(
                self.env["calendar.event"]
                .with_user(user)
                .search([("subscription_id.url", "ilike", "secret")])
            )

    def test_portal_has_nothing_of_it(self):
        subscription = self.subscribe()
        for model in ("calendar.subscription", "calendar.subscription.run",
                      "calendar.subscription.delete"):  # fmt: skip
            with self.assertRaises(AccessError):
                self.env[model].with_user(self.portal).search([])
        with self.assertRaises(AccessError):
            subscription.with_user(self.portal).read(["name"])
        with self.assertRaises(AccessError):
            self.subscribe(self.portal)

    def test_nobody_subscribes_for_others(self):
        subscription = self.subscribe()
        with self.assertRaises(AccessError):
            self.subscribe(user_id=self.other_seller.id)
        with self.assertRaises(AccessError):
            subscription.user_id = self.other_seller
        mine = self.subscribe(user_id=self.seller.id)
        self.assertEqual(mine.user_id, self.seller)
        env = self.env(user=self.seller, context={"default_user_id": self.other_seller.id})
        smuggled = env["calendar.subscription"].create({"name": "X", "url": "https://example.com/"})
        self.assertEqual(smuggled.sudo().user_id, self.seller)

    def test_what_the_reading_keeps_is_not_written_by_hand(self):
        subscription = self.subscribe()
        for name in ("etag", "state", "held", "dismissed", "next_read", "content_digest"):
            with self.assertRaises(AccessError):
                subscription.write({name: False})
            with self.assertRaises(AccessError):
                self.subscribe(**{name: False})
        with self.assertRaises(AccessError):
            self.env["calendar.subscription.run"].with_user(self.seller).create(
                {"subscription_id": subscription.id, "result": "done", "date": "2026-01-01"}
            )
