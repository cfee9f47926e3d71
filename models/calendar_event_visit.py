"""Meetings of visit plans: many made at once, and known when somebody changes one.

Owns the way past the ORM: the first meeting of each person is made by Odoo, the others
are rows like it. That is a tenth of the time, which for thousands is minutes.
"""

import uuid
from datetime import timedelta

from odoo import fields, models
from odoo.fields import Command
from odoo.tools import SQL

from .bulk import insert_like, is_known, link_rows

#: Context key of the plan's own changes, which are nobody's by hand, and the value that it
#: has to have: an object, which no client can send.
BY_PLAN = "visit_plan_works"
WORKING = object()
#: What somebody changes of a meeting to make it his own.
TOUCHING = frozenset(
    {
        "name", "description", "location", "start", "stop", "start_date", "stop_date", "allday",
        "duration", "user_id", "partner_ids", "attendee_ids", "alarm_ids", "categ_ids", "privacy",
        "show_as", "active", "videocall_location", "notes", "customer_id", "opportunity_id",
        "recurrency",
    }
)  # fmt: skip
#: Stored computed fields that are the same in all, or given; of other modules' ones
#: nobody knows what they are made of, and they are computed.
KNOWN_COMPUTED = frozenset(
    {
        "stop", "duration", "start_date", "stop_date", "videocall_location", "customer_id",
        "team_id", "res_model", "event_status",
    }
)  # fmt: skip


class CalendarEvent(models.Model):
    _inherit = "calendar.event"

    visit_ids = fields.One2many("calendar.visit", "event_id", "Planned Visits")

    def write(self, vals):
        by_hand = not self._is_by_plan() and not TOUCHING.isdisjoint(vals)
        visits = self._planned_visits() if by_hand else None
        result = super().write(vals)
        if visits:
            visits.write({"by_hand": True})
            if "active" in vals:
                visits.write({"state": "booked" if vals["active"] else "cancelled"})
        return result

    def unlink(self):
        if not self._is_by_plan():
            self._planned_visits().write({"state": "cancelled", "by_hand": True})
        return super().unlink()

    def _is_by_plan(self):
        return self.env.context.get(BY_PLAN) is WORKING

    def _planned_visits(self):
        return self.env["calendar.visit"].sudo().search(
            [("event_id", "in", self.ids), ("state", "in", ("booked", "cancelled"))]
        )  # fmt: skip

    # -- many at once -----------------------------------------------------------

    def _create_visits(self, common, rows):
        """Make the meetings of one person.

        :param dict common: values of all of them, as create() takes them; the partners in
            ``attendee_ids`` and ``partner_ids`` are colleagues
        :param rows: list of dicts of name, description, location, start, stop, customer_id
            and, if the customer takes part, invited (``res.partner``)
        :return: the meetings, in the order of the rows
        """
        by_odoo = 1 if is_known(self) and is_known(self.env["calendar.attendee"]) else len(rows)
        made = self.with_context(
            **{BY_PLAN: WORKING},
            no_mail_to_attendees=True,
            skip_contact_description=True,
            mail_create_nosubscribe=True,
            mail_create_nolog=True,
            dont_notify=True,
        ).create([self._visit_values(common, row) for row in rows[:by_odoo]])
        for event in made:
            event.message_subscribe(event.user_id.partner_id.ids)
        self.env.flush_all()
        # Texts as the first one has them: cleaned by the field.
        others = made[:1]._insert_like_this(rows[0]["invited"], rows[by_odoo:])
        events = made.concat(others).with_env(self.env)
        events._arm_alarms()
        return events

    def _visit_values(self, common, row):
        values = {**row, **common}
        guest = values.pop("invited")
        if guest:
            values["attendee_ids"] = [
                *common["attendee_ids"], Command.create({"partner_id": guest.id}),
            ]  # fmt: skip
            values["partner_ids"] = [*common["partner_ids"], Command.link(guest.id)]
        return values

    def _insert_like_this(self, guest, rows):
        """Meetings like this one.

        :param guest: its customer, if he takes part; each of the others has his own then
        """
        if not rows:
            return self.browse()
        clean = self._fields["description"].convert_to_column_insert
        made = [
            {
                **{name: row[name] for name in row if name != "invited"},
                "description": clean(row["description"], self),
                "ical_uid": self._ical_new_uid(),
            }
            for row in rows
        ]
        ids = insert_like(self, made, key="ical_uid")
        events = self.browse([ids[row["ical_uid"]] for row in made])
        self._insert_attendees(guest, events, rows)
        self._insert_relations(events)
        self._insert_followers(events)
        self.env.invalidate_all(flush=False)
        for field in self._fields.values():
            if field.store and field.compute and field.name not in KNOWN_COMPUTED:
                self.env.add_to_compute(field, events)
        events._after_insert()
        return events

    def _insert_attendees(self, guest, events, rows):
        pairs = []
        for attendee in self.attendee_ids:
            is_guest = guest and attendee.partner_id == guest
            partners = [row["invited"] if is_guest else attendee.partner_id for row in rows]
            insert_like(
                attendee,
                [
                    {
                        "event_id": event.id,
                        "partner_id": partner.id,
                        "common_name": partner.name or partner.email,
                        "cutype": "group" if partner.is_company else "individual",
                        "access_token": uuid.uuid4().hex,
                    }
                    for event, partner in zip(events, partners, strict=True)
                ],
            )
            pairs += [(event.id, p.id) for event, p in zip(events, partners, strict=True)]
        link_rows(self._fields["partner_ids"], self, pairs)

    def _insert_relations(self, events):
        """What this one is linked with, reminders and tags and whatever a module adds."""
        for field in self._fields.values():
            if field.type != "many2many" or not field.store or field.name == "partner_ids":
                continue
            self.env.cr.execute(
                SQL(
                    "INSERT INTO %(table)s (%(mine)s, %(other)s) SELECT new.id, %(other)s "
                    "FROM %(table)s, unnest(%(ids)s) AS new (id) WHERE %(mine)s = %(id)s",
                    table=SQL.identifier(field.relation),
                    mine=SQL.identifier(field.column1),
                    other=SQL.identifier(field.column2),
                    ids=events.ids,
                    id=self.id,
                )
            )

    def _insert_followers(self, events):
        """Whoever follows this one follows the others."""
        for follower in self.sudo().message_follower_ids:
            insert_like(follower, [{"res_id": event.id} for event in events])
            self.env.cr.execute(
                SQL(
                    """
                    INSERT INTO mail_followers_mail_message_subtype_rel
                                (mail_followers_id, mail_message_subtype_id)
                    SELECT new.id, rel.mail_message_subtype_id
                      FROM mail_followers new, mail_followers_mail_message_subtype_rel rel
                     WHERE new.res_model = %s AND new.res_id IN %s AND new.partner_id = %s
                       AND rel.mail_followers_id = %s
                    """,
                    self._name,
                    events._ids,
                    follower.partner_id.id,
                    follower.id,
                )
            )

    def _arm_alarms(self):
        """As Odoo does it for each one, with one look for all."""
        alarms = self[:1].alarm_ids
        if not alarms:
            return
        cron = self.env.ref("calendar.ir_cron_scheduler_alarm").sudo()
        mailed = alarms.filtered(lambda alarm: alarm.alarm_type in self._get_trigger_alarm_types())
        moments = {
            start - timedelta(minutes=alarm.duration_minutes)
            for start in self.mapped("start")
            for alarm in mailed
        }
        ahead = [at for at in moments if not cron.lastcall or at > cron.lastcall]
        if ahead:
            cron._trigger(at=ahead)
        if "notification" in alarms.mapped("alarm_type"):
            self.env["calendar.alarm_manager"]._notify_next_alarm(self.partner_ids.ids)
