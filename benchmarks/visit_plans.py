"""Visit plans, against the same meetings as Odoo's own series, in the same run.

500 customers who are visited each month for a year, by ten salespeople: 6,000 meetings
with two attendees and a reminder. And ten times as many, to see how it grows.
"""

import os
import resource
from datetime import date, datetime, timedelta

import session
from _bars import bar, stopwatch

CUSTOMERS = int(os.environ.get("BENCH_CUSTOMERS", "500"))
GROWTH = 10
MONTHS = 12
SALESPEOPLE = 10
ROUNDS = 3
HOUR = timedelta(hours=1)
#: What the month view asks of each meeting.
MONTH_VIEW = {
    name: {}
    for name in (
        "display_name", "start", "stop", "start_date", "stop_date", "allday", "duration", "user_id",
        "partner_id", "partner_ids", "attendee_ids", "privacy", "show_as", "location", "name",
        "description", "is_highlighted", "is_organizer_alone", "user_can_edit", "recurrency",
        "res_model_name", "access_token", "attendees_count", "accepted_count", "declined_count",
        "customer_id",
    )
}  # fmt: skip


def peak():
    """MiB that the process had at most."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def make_team(env, name):
    users = env["res.users"].with_context(no_reset_password=True).create(
        [
            {
                "name": f"{name} {n}",
                "login": f"{name}{n}",
                "email": f"{name}{n}@bench.example",
                "tz": "Europe/Madrid",
                "group_ids": [(4, env.ref("sales_team.group_sale_salesman").id)],
            }
            for n in range(SALESPEOPLE)
        ]
    )  # fmt: skip
    return env["crm.team"].create({"name": name, "member_ids": [(6, 0, users.ids)]})


def make_customers(env, number, tag):
    category = env["res.partner.category"].create({"name": tag})
    env["res.partner"].create(
        [
            {
                "name": f"{tag} customer {n}",
                "email": f"{tag}{n}@bench.example",
                "zip": f"{28000 + n % 90}",
                "city": "Madrid",
                "category_id": [(4, category.id)],
            }
            for n in range(number)
        ]
    )
    return category


def make_plan(env, category, team, alarm):
    return env["calendar.visit.plan"].create(
        {
            "name": category.name,
            "category_ids": [(6, 0, category.ids)],
            "cadence": "interval",
            "interval_number": 1,
            "interval_unit": "months",
            "date_from": date.today() + timedelta(days=1),
            "months_ahead": MONTHS,
            "responsible_by": "team",
            "responsible_team_id": team.id,
            "per_day": 0,
            "travel_minutes": 0,
            "alarm_ids": [(6, 0, alarm.ids)],
        }
    )


def preview(plan, seconds):
    with stopwatch(seconds):
        plan.with_context(visit_plan_confirmed=True).action_preview()
        plan.env.cr.commit()


def book(plan, seconds):
    """As the job does it, with its commits."""
    plan.write({"state": "booking", "owner_id": plan.env.uid})
    plan.env.cr.commit()
    with stopwatch(seconds):
        plan._work_off()


def stock_series(env, category, team, alarm, seconds):
    """One series for each customer, made by Odoo."""
    Event = env["calendar.event"].with_context(no_mail_to_attendees=True)
    members = team.member_ids
    customers = env["res.partner"].search([("category_id", "=", category.id)])
    begin = datetime.combine(date.today() + timedelta(days=3), datetime.min.time())
    with stopwatch(seconds):
        for number, customer in enumerate(customers):
            user = members[number % len(members)]
            start = begin + timedelta(hours=7 + number // SALESPEOPLE % 10)
            Event.create(
                {
                    "name": f"Visit: {customer.name}",
                    "start": start,
                    "stop": start + HOUR,
                    "user_id": user.id,
                    "partner_ids": [(6, 0, [user.partner_id.id, customer.id])],
                    "alarm_ids": [(6, 0, alarm.ids)],
                    "recurrency": True,
                    "rrule_type": "monthly",
                    "month_by": "date",
                    "day": min(start.day, 28),
                    "end_type": "count",
                    "count": MONTHS,
                    "event_tz": "Europe/Madrid",
                }
            )
            env.cr.commit()


def rows(env, team):
    """(meetings, attendees, reminders) of the salespeople."""
    env.cr.execute(
        """
        SELECT count(*), sum((SELECT count(*) FROM calendar_attendee a WHERE a.event_id = e.id)),
               sum((SELECT count(*) FROM calendar_alarm_calendar_event_rel r
                     WHERE r.calendar_event_id = e.id))
          FROM calendar_event e WHERE e.active AND e.user_id IN %s
        """,
        [tuple(team.member_ids.ids)],
    )
    return env.cr.fetchone()


def month_view(env, team):
    """Seconds to open the month of a manager who looks at the whole team."""
    first = datetime.combine(date.today() + timedelta(days=60), datetime.min.time())
    partners = team.member_ids.partner_id
    best = []
    for _ in range(ROUNDS):
        env.invalidate_all()
        with stopwatch(best):
            Event = env["calendar.event"]
            found = Event.web_search_read(
                [("start", "<=", first + timedelta(days=35)), ("stop", ">=", first),
                 ("partner_ids", "in", partners.ids)],
                MONTH_VIEW,
            )  # fmt: skip
            ids = [record["id"] for record in found["records"]]
            env["res.partner"].browse(partners.ids).get_attendee_detail(ids)
    return min(best), len(ids)


def measure(env, number):
    """One size: the plan, and its figures."""
    team = make_team(env, f"Plan{number}")
    category = make_customers(env, number, f"P{number}")
    alarm = env["calendar.alarm"].search([("alarm_type", "=", "email")], limit=1)
    plan = make_plan(env, category, team, alarm)
    env.cr.commit()
    first, booked, again = [], [], []
    base = peak()
    preview(plan, first)
    proposed = plan.proposed_count
    book(plan, booked)
    env.invalidate_all()
    for _ in range(ROUNDS):
        with stopwatch(again):
            plan._follow()
            env.cr.commit()
    print(
        f"{number} customers: {proposed} proposed in {first[0]:.2f} s, {plan.booked_count} booked "
        f"in {booked[0]:.2f} s, nothing to do in {min(again):.2f} s, {peak() - base:.0f} MiB",
        flush=True,
    )
    return team, alarm, first[0], booked[0], min(again), peak() - base


def main():
    session.start()
    with session.environment() as env:
        env.ref("crm_automation.ir_cron_visit_plan_work").active = False
        env.cr.commit()
        team, alarm, first, booked, again, memory = measure(env, CUSTOMERS)
        stock = []
        stock_team = make_team(env, "Stock")
        stock_series(env, make_customers(env, CUSTOMERS, "S"), stock_team, alarm, stock)
        ours, theirs = rows(env, team), rows(env, stock_team)
        print(f"rows of the plan {ours}, of Odoo's series {theirs}, made in {stock[0]:.2f} s")
        per_meeting = stock[0] / theirs[0] / (booked / ours[0])
        view, seen = month_view(env, team)
        stock_view, stock_seen = month_view(env, stock_team)
        print(
            f"month view: {seen} in {view:.3f} s; Odoo's series: {stock_seen} in {stock_view:.3f} s"
        )
        _team, _alarm, big, _booked, big_again, _memory = measure(env, GROWTH * CUSTOMERS)
    bar("visit_preview", first, "s", "<=", 5)
    bar("visit_booking", per_meeting, "times Odoo's series", ">=", 8)
    bar("visit_rows_attendees", ours[1] / ours[0] / (theirs[1] / theirs[0]), "x Odoo's", ">=", 1)
    bar("visit_memory", memory, "MiB", "<=", 500)
    bar("visit_nothing_to_do", again, "s", "<=", 3)
    bar("visit_preview_growth", big / first, f"x for {GROWTH} x", "<=", GROWTH)
    bar("visit_nothing_growth", big_again / again, f"x for {GROWTH} x", "<=", GROWTH)
    bar("visit_month_view", view / seen / (stock_view / stock_seen), "x stock", "<=", 1.1)


if __name__ == "__main__":
    main()
