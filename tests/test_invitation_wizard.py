"""The wizard *Invite People*: whom it finds, what it asks, and what it makes."""

from unittest.mock import patch

from odoo.exceptions import AccessError, UserError
from odoo.tests import Form, tagged
from odoo.tools.mail import html_to_inner_content

from .common import HOUR, AutomationCase, EveryObjectCase
from .test_invitation_attendee import InvitationData


class WizardData(InvitationData):
    def wizard(self, record=None, user=None, **values):
        """The wizard as a button opens it, with what was chosen in it."""
        record = record or self.meeting
        action = record.with_user(user or self.seller).action_invite()
        wizard = self.env["calendar.invite"].browse(action["res_id"]).with_user(user or self.seller)
        wizard.write({"send_mail": False, **values})
        return wizard

    def invited(self, meeting=None):
        return {one._key() for one in (meeting or self.meeting).attendee_ids}

    def people(self, number, **values):
        return self.env["res.partner"].create(
            [{"name": f"Person {n}", "email": f"p{n}@example.com", **values} for n in range(number)]
        )


@tagged("post_install", "-at_install")
class TestWizard(WizardData, AutomationCase):
    def test_colleagues(self):
        self.wizard(user_ids=self.stranger.ids, role="opt-participant").action_invite()
        guest = self.of(self.stranger)
        self.assertEqual((guest.role, guest.state), ("opt-participant", "needsAction"))
        self.assertEqual(guest.sent_by_id, self.seller)
        self.assertIn(self.stranger.partner_id, self.meeting.partner_ids)

    def test_the_letter_is_seen_and_nobody_is_invited(self):
        lead = self.make_lead(partner_id=self.customer.id)
        self.customer.write({"lang": "en_US", "tz": "Asia/Tokyo"})
        wizard = self.wizard(
            lead, name="Tasting", note="Come <b>hungry</b>", start="2030-01-07 09:00:00",
            location="Cellar", emails="Eva <eva@example.com>",
        )  # fmt: skip
        before = self.env["calendar.event"].search_count([])
        self.assertEqual(wizard.action_see_letter()["res_id"], wizard.id)
        self.assertEqual(self.env["calendar.event"].search_count([]), before)
        text = html_to_inner_content(wizard.letter)
        for part in (
            f"Hello {self.customer.name}", "Tasting", "Cellar", "18:00", "Asia/Tokyo", "Eva",
            "Come <b>hungry</b>", "Yes, I come",
        ):  # fmt: skip
            self.assertIn(part, text)
        wizard.action_invite()
        self.assertEqual(self.env["calendar.event"].search_count([]), before + 1)

    def test_the_letter_of_a_meeting_that_is_moved(self):
        wizard = self.wizard(user_ids=self.stranger.ids, start="2044-02-03 09:00:00")
        start = self.meeting.start
        wizard.action_see_letter()
        self.assertIn("2044", wizard.letter)
        self.assertEqual(self.meeting.start, start)
        self.assertNotIn(self.stranger.partner_id, self.meeting.partner_ids)
        wizard.start = "2020-02-03 09:00:00"
        with self.assertRaisesRegex(UserError, "over"):
            wizard.action_see_letter()

    def test_the_letter_of_a_meeting_of_others_is_not_seen(self):
        wizard = (
            self.env["calendar.invite"]
            .with_user(self.stranger)
            .create({"event_ids": self.meeting.ids, "emails": "eva@example.com"})
        )
        self.meeting.privacy = "private"
        with self.assertRaises(AccessError):
            wizard.action_see_letter()

    def test_a_company_offers_all_its_contacts(self):
        company = self.env["res.partner"].create({"name": "Bodegas", "is_company": True})
        people = self.people(3, parent_id=company.id)
        self.people(1, parent_id=company.id, type="invoice", active=True)
        with Form(self.wizard(type="partner")) as form:
            form.partner_id = company
            self.assertEqual(form.contact_ids[:], people)
            form.contact_ids.remove(id=people[0].id)
            wizard = form.save()
        wizard.action_invite()
        self.assertEqual(len(self.meeting.attendee_ids), 5)

    def test_a_team_and_its_people_in_one_click(self):
        self.seller.sale_team_id = False
        team = self.env["crm.team"].create(
            {"name": "North", "user_id": self.manager.id, "technical_user_id": self.stranger.id,
             "member_ids": [(6, 0, (self.seller + self.other_seller).ids)]}
        )  # fmt: skip
        wizard = self.wizard(type="team", team_ids=team.ids)
        wizard.action_add_supervisor()
        wizard.action_add_technical()
        self.assertEqual(wizard.user_ids, self.manager + self.stranger)
        wizard.action_invite()
        self.assertGreaterEqual(
            self.invited(), set((self.manager + self.stranger + team.member_ids).partner_id.ids)
        )

    def test_nobody_is_the_supervisor(self):
        self.seller.sale_team_id = False
        wizard = self.wizard(self.meet("Alone", team_id=False))
        with self.assertRaisesRegex(UserError, "has no leader"):
            wizard.action_add_supervisor()

    def test_a_pasted_list(self):
        emails = """Eva Ruiz <EVA@example.com>, "Paz, Ida" <ida@example.com>;
            mailto:eva@example.com
            azure@example.com; other@EXAMPLE.com
            third@example.com"""
        partners = self.env["res.partner"].search_count([])
        wizard = self.wizard(type="external", emails=emails, language="es_ES")
        self.assertEqual(wizard.invited_count, 5)
        wizard.action_invite()
        self.assertEqual(self.env["res.partner"].search_count([]), partners)
        self.assertEqual(len(self.meeting.attendee_ids), 6)
        eva = self.of("eva@example.com")
        self.assertEqual((eva.common_name, eva.language), ("Eva Ruiz", "es_ES"))
        # A user is invited as himself.
        self.assertTrue(self.of(self.stranger))

    def test_contacts_are_made_when_asked(self):
        self.wizard(emails="Eva <eva@example.com>", make_contacts=True).action_invite()
        [partner] = self.env["res.partner"].search([("email", "=", "eva@example.com")])
        self.assertEqual(partner.name, "Eva")
        self.assertTrue(self.of(partner))

    def test_each_bad_address_is_named(self):
        wizard = self.wizard(emails="eva@example.com, eva, a b@example.com\nida@example\n@, x@@y.z")
        with self.assertRaises(UserError) as caught:
            wizard.action_invite()
        for part in (
            "“eva”: an address has one @", "“a b@example.com”: what stands before the @",
            "“ida@example”: what stands after the @", "“x@@y.z”",
        ):  # fmt: skip
            self.assertIn(part, str(caught.exception))
        self.assertNotIn("eva@example.com", str(caught.exception))
        self.assertEqual(len(self.meeting.attendee_ids), 3)

    def test_names_are_text(self):
        wizard = self.wizard(emails='"<b>Eva" <eva@example.com>, <script>x</script>')
        self.assertNotIn("<script>", wizard.preview)
        self.assertNotIn("<b>", wizard.preview)
        self.assertIn("&lt;b&gt;Eva", wizard.preview)

    def test_nobody(self):
        for kind, sentence in (
            ("internal", "any User"), ("partner", "any Contact"), ("external", "any address"),
            ("team", "any Sales Team"), ("category", "any Category"),
        ):  # fmt: skip
            with self.subTest(kind), self.assertRaisesRegex(UserError, sentence):
                self.wizard(type=kind).action_invite()

    def test_a_large_category_is_asked_about(self):
        parent = self.env["res.partner.category"].create({"name": "Bars"})
        child = self.env["res.partner.category"].create({"name": "Gold", "parent_id": parent.id})
        self.people(20, category_id=[(6, 0, parent.ids)])
        wizard = self.wizard(type="category", category_ids=parent.ids)
        self.assertFalse(wizard.is_many)
        self.people(1, category_id=[(6, 0, child.ids)])
        wizard = self.wizard(type="category", category_ids=parent.ids)
        self.assertTrue(wizard.is_many)
        with self.assertRaisesRegex(UserError, "21 customers"):
            wizard.action_invite()
        wizard.is_confirmed = True
        wizard.action_invite()
        self.assertEqual(len(self.meeting.attendee_ids), 24)

    def test_there_is_an_end(self):
        lines = "\n".join(f"a{n}@example.com" for n in range(10_001))
        with self.assertRaisesRegex(UserError, "10001 people; at most 10000"):
            self.wizard(emails=lines).action_invite()
        self.assertEqual(len(self.meeting.attendee_ids), 3)

    def test_who_has_no_address_is_named(self):
        mute = self.env["res.partner"].create({"name": "Mute"})
        wizard = self.wizard(contact_ids=mute.ids)
        wizard.send_mail = True
        with self.assertRaisesRegex(UserError, "Mute must have an email address"):
            wizard.action_invite()
        wizard.send_mail = False
        wizard.action_invite()
        self.assertTrue(self.of(mute))

    def test_sends_or_not(self):
        Attendee = type(self.env["calendar.attendee"])
        for send, told in ((True, 1), (False, 0)):
            meeting = self.meet(f"Send {send}")
            with (
                self.subTest(send=send),
                patch.object(Attendee, "_invite", autospec=True) as sending,
            ):
                wizard = self.wizard(meeting, emails="eva@example.com", note="Come!")
                wizard.send_mail = send
                wizard.action_invite()
                self.assertEqual(sending.call_count, told)
                eva = self.of("eva@example.com", meeting)
                self.assertEqual(eva.note, "Come!")
                if send:
                    self.assertEqual(sending.call_args.args, (eva, "Come!"))

    def test_again_changes_nothing(self):
        self.of(self.customer).state = "accepted"
        self.wizard(contact_ids=self.customer.ids, role="chair").action_invite()
        guest = self.of(self.customer)
        self.assertEqual((guest.state, guest.role), ("accepted", "req-participant"))

    def test_a_series(self):
        self.meeting.with_user(self.seller).write(
            {"recurrency": True, "rrule_type": "weekly", "end_type": "count", "count": 4,
             "tue": True}
        )  # fmt: skip
        meetings = self.meeting.recurrence_id.calendar_event_ids.sorted("start")
        for scope, number in (("this", 1), ("following", 3), ("all", 4)):
            address = f"{scope}@example.com"
            with self.subTest(scope):
                self.wizard(meetings[1], emails=address, scope=scope).action_invite()
                found = meetings.attendee_ids.filtered_domain([("address", "=", address)])
                self.assertEqual(len(found), number)
                told = self.env["calendar.invite"]._first_ones(found)
                self.assertEqual(told.event_id, found.event_id.sorted("start")[0])

    def test_delegation(self):
        olga = self.of(self.other_seller).with_user(self.other_seller)
        action = olga.action_delegate()
        wizard = self.env["calendar.invite"].browse(action["res_id"])
        wizard = wizard.with_user(self.other_seller)
        self.assertEqual(wizard.mode, "delegate")
        wizard.write({"user_ids": self.stranger.ids, "send_mail": False, "note": "Please"})
        wizard.action_invite()
        delegate = self.of(self.stranger)
        self.assertEqual((olga.state, olga.delegated_to_ids), ("delegated", delegate))
        self.assertEqual(delegate.note, "Please")


@tagged("post_install", "-at_install")
class TestWizardTimes(WizardData, AutomationCase):
    def test_busy_or_free(self):
        self.meet("Other", user=self.stranger, guests=self.env["res.partner"],
                  start=self.meeting.start, privacy="private")  # fmt: skip
        wizard = self.wizard(user_ids=(self.stranger + self.manager).ids)
        self.assertRegex(wizard.preview, r"Tomás Third</td>.*?>Busy<")
        self.assertRegex(wizard.preview, r"Rosa Manager</td>.*?>Free<")
        self.assertNotIn("Other", wizard.preview.replace("Olga Other", ""))

    def test_the_next_times_that_all_have(self):
        calendar = self.env.company.resource_calendar_id
        for user in self.seller + self.stranger:
            user.tz = calendar.tz
        wizard = self.wizard(user_ids=self.stranger.ids)
        wizard.action_find_times()
        first, until = wizard.slot_ids[0].start, wizard.slot_ids[0].stop
        self.meet("Other", user=self.stranger, guests=self.env["res.partner"], start=first)
        wizard.action_find_times()
        starts = wizard.slot_ids.mapped("start")
        self.assertEqual(len(starts), 5)
        self.assertGreaterEqual(starts[0], until)
        self.assertEqual(starts, sorted(starts))
        for start in starts:
            busy = (self.stranger + self.seller).partner_id._busy_times(
                start, start + HOUR, but=self.meeting
            )
            self.assertFalse(any(busy.values()))
        wizard.slot_ids[0].action_take()
        self.assertEqual(wizard.start, starts[0])
        wizard.action_invite()
        self.assertEqual(self.meeting.start, starts[0])

    def test_who_declined_keeps_nobody_from_it(self):
        other = self.meet("Other", guests=self.stranger.partner_id, start=self.meeting.start)
        self.of(self.stranger, other).with_user(self.stranger).do_decline()
        wizard = self.wizard(user_ids=self.stranger.ids)
        self.assertRegex(wizard.preview, r"Tomás Third</td>.*?>Free<")


@tagged("post_install", "-at_install")
class TestWizardSources(WizardData, EveryObjectCase):
    def test_from_a_lead(self):
        lead = self.make_lead(partner_id=self.customer.id)
        wizard = self.wizard(lead)
        self.assertEqual((wizard.mode, wizard.name), ("new", lead.name))
        self.assertEqual(wizard.contact_ids, self.customer)
        wizard.write({"start": "2031-06-17 08:00:00", "duration": 1.5, "location": "Cellar"})
        wizard.with_context(active_model="calendar.invite", active_id=wizard.id).action_invite()
        [meeting] = lead.calendar_event_ids
        self.assertEqual((meeting.user_id, meeting.duration), (self.seller, 1.5))
        self.assertEqual(self.invited(meeting), set((self.seller.partner_id + self.customer).ids))

    def test_from_a_task(self):
        task = self.env["project.task"].create(
            {"name": "Label", "project_id": self.project.id, "user_ids": self.manager.ids}
        )
        wizard = self.wizard(task, user=self.manager, emails="eva@example.com")
        wizard.action_invite()
        meeting = self.env["calendar.event"].search(
            [("res_model", "=", "project.task"), ("res_id", "=", task.id)]
        )
        self.assertEqual(self.invited(meeting), {self.manager.partner_id.id, "eva@example.com"})

    def test_a_meeting_needs_a_time(self):
        wizard = self.wizard(self.make_lead(), user_ids=self.stranger.ids, duration=0)
        with self.assertRaisesRegex(UserError, "a time and a duration"):
            wizard.action_invite()


@tagged("post_install", "-at_install")
class TestWizardRights(WizardData, AutomationCase):
    def test_the_wizard_of_another(self):
        wizard = self.wizard()
        with self.assertRaises(AccessError):
            wizard.with_user(self.stranger).action_invite()
        with self.assertRaises(AccessError):
            wizard.with_user(self.portal).action_invite()

    def test_a_meeting_by_rpc(self):
        """Whose button he does not see, he does not reach through a wizard he makes."""
        wizard = self.env["calendar.invite"].with_user(self.stranger).create(
            {"event_ids": self.meeting.ids, "emails": "eva@example.com", "send_mail": False}
        )  # fmt: skip
        with self.assertRaises(AccessError):
            wizard.action_invite()
        olga = self.of(self.other_seller)
        wizard = wizard.create(
            {"attendee_id": olga.id, "emails": "eva@example.com", "send_mail": False}
        )
        with self.assertRaises(AccessError):
            wizard.action_invite()
        self.assertEqual(len(self.meeting.attendee_ids), 3)

    def test_another_object_by_rpc(self):
        wizard = self.env["calendar.invite"].with_user(self.seller).create(
            {"res_model": "res.users", "res_id": self.manager.id, "user_ids": self.stranger.ids,
             "name": "x", "start": "2031-06-17 08:00:00", "send_mail": False}
        )  # fmt: skip
        with self.assertRaisesRegex(UserError, "does not exist"):
            wizard.action_invite()

    def test_a_meeting_is_not_moved_by_who_has_nothing_to_do_with_it(self):
        wizard = self.env["calendar.invite"].with_user(self.stranger).create(
            {"event_ids": self.meeting.ids, "start": "2031-06-18 08:00:00",
             "emails": "eva@example.com", "send_mail": False}
        )  # fmt: skip
        start = self.meeting.start
        with self.assertRaises(UserError):
            wizard.action_invite()
        self.assertEqual(self.meeting.start, start)

    def test_private_guests_are_not_shown(self):
        secret = self.meet("Secret", privacy="private")
        self.env.invalidate_all()
        wizard = self.env["calendar.invite"].with_user(self.stranger).create(
            {"event_ids": secret.ids, "contact_ids": self.customer.ids}
        )  # fmt: skip
        self.assertNotIn("Invited already", wizard.preview or "")
