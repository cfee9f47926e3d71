"""The wizard that exports meetings as iCalendar."""

import base64
import io
import zipfile
from datetime import datetime

from odoo.exceptions import AccessError, UserError
from odoo.tests import freeze_time, new_test_user, tagged

from ..ical.parse import parse
from ..wizards import calendar_export_ical
from .test_ical_event import NOW, IcalCase
from .test_meeting import SECRET


@tagged("post_install", "-at_install")
@freeze_time(NOW)
class TestExport(IcalCase):
    """The wizard."""

    def export(self, user=None, context=None, **values):
        self.env.flush_all()
        self.env.invalidate_all()
        Wizard = self.env["calendar.export.ical"].with_user(user or self.seller)
        wizard = Wizard.with_context(**(context or {})).create(values)
        action = wizard.action_export()
        self.assertEqual((action["res_model"], action["res_id"]), (wizard._name, wizard.id))
        return base64.b64decode(wizard.file), wizard

    def names(self, octets):
        return sorted(item.summary for item in parse(octets).items)

    def test_selection(self):
        events = self.make_meeting(name="A") + self.make_meeting(name="B")
        self.make_meeting(name="C")
        octets, wizard = self.export(
            context={"active_model": "calendar.event", "active_ids": events.ids}
        )
        self.assertEqual(wizard.scope, "selection")
        self.assertEqual(self.names(octets), ["A", "B"])

    def test_one_meeting_of_a_series(self):
        series = self.meetings(
            self.series(datetime(2027, 3, 16, 9), rrule_type="weekly", tue=True, count=6)
        )
        single = self.make_meeting(name="Z")
        moved = series[3]
        moved.write({"start": datetime(2027, 4, 7, 15), "stop": datetime(2027, 4, 7, 16)})
        selected = series[1] + moved + single
        context = {"active_model": "calendar.event", "active_ids": selected.ids}
        _octets, wizard = self.export(context=context)
        self.assertTrue(wizard.has_series)
        # The series counts once.
        self.assertEqual((wizard.series, wizard.number), ("whole", 2))

        octets, wizard = self.export(context=context, series="selected")
        self.assertEqual(wizard.number, 3)
        self.assertEqual(self.read_by_others(octets.decode()), self.mark(selected))
        alone = [item for item in parse(octets).items if item.uid == series[0].ical_uid]
        self.assertEqual(
            sorted(item.recurrence_id.replace(tzinfo=None) for item in alone),
            [datetime(2027, 3, 23, 10), datetime(2027, 4, 6, 10)],
        )
        self.assertFalse(any(item.rules for item in alone))

    def test_one_meeting_of_a_private_series_of_others(self):
        series = self.meetings(
            self.series(
                datetime(2027, 3, 16, 9), rrule_type="weekly", tue=True, count=6, name=SECRET,
                privacy="private", partner_ids=[(6, 0, self.seller.partner_id.ids)],
            )
        )  # fmt: skip
        uid = series.recurrence_id.ical_uid
        context = {"active_model": "calendar.event", "active_ids": series[2].ids}
        octets, _wizard = self.export(self.other_seller, context=context, series="selected")
        self.assertNotIn(SECRET.encode(), octets)
        self.assertNotIn(uid.encode(), octets)
        self.assertEqual(self.read_by_others(octets.decode()), self.mark(series[2]))

    def test_no_series_to_choose(self):
        context = {"active_model": "calendar.event", "active_ids": self.make_meeting().ids}
        _octets, wizard = self.export(context=context)
        self.assertFalse(wizard.has_series)

    def test_customer(self):
        child = self.env["res.partner"].create({"name": "Buyer", "parent_id": self.customer.id})
        self.make_meeting(name="A")
        self.make_meeting(name="B", partner_ids=[(6, 0, child.ids)])
        self.make_meeting(name="C", partner_ids=[(6, 0, self.seller.partner_id.ids)])
        self.make_meeting(name=SECRET, privacy="private", user_id=self.manager.id,
                          partner_ids=[(6, 0, self.customer.ids)])  # fmt: skip
        octets, _wizard = self.export(scope="customer", partner_id=self.customer.id)
        # Not even that others meet the customer in private.
        self.assertEqual(self.names(octets), ["A", "B"])

    def test_period_in_the_users_time(self):
        self.make_meeting(start=datetime(2027, 6, 9, 21), name="Before")
        self.make_meeting(start=datetime(2027, 6, 9, 22), name="First")
        self.make_meeting(start=datetime(2027, 6, 10, 21, 30), name="Last")
        self.make_meeting(start=datetime(2027, 6, 10, 22), name="After")
        self.env.flush_all()
        octets, _wizard = self.export(scope="period", date_from="2027-06-10", date_to="2027-06-10")
        self.assertEqual(self.names(octets), ["First", "Last"])

    def test_mine_one_file_each(self):
        self.make_meeting(name="A / B")
        self.make_meeting(name="C", user_id=self.manager.id,
                          partner_ids=[(6, 0, self.manager.partner_id.ids)])  # fmt: skip
        self.series(datetime(2027, 3, 16, 9), rrule_type="weekly", tue=True, count=4)
        octets, wizard = self.export(scope="mine", is_split=True)
        self.assertTrue(wizard.file_name.endswith(".zip"))
        with zipfile.ZipFile(io.BytesIO(octets)) as archive:
            found = [parse(archive.read(name)).items for name in archive.namelist()]
            self.assertFalse([name for name in archive.namelist() if "/" in name])
        self.assertEqual([len(items) for items in found], [1, 1])

    def test_private_details_are_asked_for(self):
        self.make_meeting(name=SECRET, privacy="private")
        octets, _wizard = self.export(scope="mine")
        self.assertNotIn(SECRET.encode(), octets)
        octets, _wizard = self.export(scope="mine", private_details=True)
        self.assertIn(SECRET.encode(), octets)

    def test_refusals(self):
        with self.assertRaisesRegex(UserError, "no such meetings"):
            self.export(scope="mine")
        with self.assertRaisesRegex(UserError, "from when"):
            self.export(scope="period")
        with self.assertRaisesRegex(UserError, "customer"):
            self.export(scope="customer")
        self.make_meeting()
        self.make_meeting()
        self.patch(calendar_export_ical, "MAX_MEETINGS", 1)
        with self.assertRaisesRegex(UserError, "more than 1 meetings"):
            self.export(scope="mine")

    def test_files_are_ones_own(self):
        self.make_meeting()
        _octets, wizard = self.export(scope="mine")
        for user in (self.other_seller, self.manager):
            with self.assertRaises(AccessError):
                wizard.with_user(user).read(["file"])
        with self.assertRaises(AccessError):
            self.env["calendar.export.ical"].with_user(self.portal).create({"scope": "mine"})
        stranger = new_test_user(self.env, "no_sales", "base.group_user")
        self.assertTrue(self.env["calendar.export.ical"].with_user(stranger).create({}))
