"""Visit plans, against the same meetings as Odoo's own series, in the same run.

500 customers who are visited each month for a year, by ten salespeople: 6,000 meetings
with two attendees and a reminder. Odoo makes its series in a database without this addon,
in a process of its own (this script with the word "stock"). Then ten times as many
customers for ten times as many salespeople, to see how it grows; and for the same ten, who
have no time for most of them.
"""

import gc
import json
import os
import subprocess
import sys
from datetime import date, datetime, timedelta

import session
from _bars import bar, peak, stopwatch

CUSTOMERS = int(os.environ.get("BENCH_CUSTOMERS", "500"))
GROWTH = 10
MONTHS = 12
SALESPEOPLE = 10
ROUNDS = 5
#: Processes that look at the month, by turns.
VIEWS = 3
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


def make_team(env, name, number=SALESPEOPLE):
    users = env["res.users"].with_context(no_reset_password=True).create(
        [
            {
                "name": f"{name} {n}",
                "login": f"{name}{n}",
                "email": f"{name}{n}@bench.example",
                "tz": "Europe/Madrid",
                "group_ids": [(4, env.ref("sales_team.group_sale_salesman").id)],
            }
            for n in range(number)
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
    """Seconds to open the month of a manager who looks at the whole team; how many he sees.

    31 days: a visit of each customer, in a plan or in a series that is monthly.
    """
    first = datetime.combine(date.today() + timedelta(days=70), datetime.min.time())
    partners = team.member_ids.partner_id
    Event = env["calendar.event"]
    wanted = {name: MONTH_VIEW[name] for name in MONTH_VIEW if name in Event._fields}
    best = []
    for _ in range(ROUNDS):
        env.invalidate_all()
        gc.collect()
        with stopwatch(best):
            found = Event.web_search_read(
                [("start", "<", first + timedelta(days=31)), ("stop", ">=", first),
                 ("partner_ids", "in", partners.ids)],
                wanted,
            )  # fmt: skip
            ids = [record["id"] for record in found["records"]]
            env["res.partner"].browse(partners.ids).get_attendee_detail(ids)
    return min(best), len(ids)


def measure(env, number, people):
    """One size: the plan, and its figures."""
    tag = f"{number}of{people}x"
    team = make_team(env, f"Plan{tag}", people)
    category = make_customers(env, number, f"P{tag}")
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
        f"{number} customers, {people} salespeople: {proposed} proposed in {first[0]:.2f} s, "
        f"{plan.booked_count} booked in {booked[0]:.2f} s, nothing to do in {min(again):.2f} s, "
        f"{peak() - base:.0f} MiB",
        flush=True,
    )
    return team, first[0], booked[0], min(again), peak() - base


def look():
    """Print what the month view needs, as JSON: in a process that has done nothing else."""
    session.start()
    with session.environment() as env:
        team = env["crm.team"].browse(int(sys.argv[2]))
        print(json.dumps(month_view(env, team)))


def by_stock():
    """Print what Odoo alone needs, as JSON; in a database without this addon."""
    session.start()
    with session.environment() as env:
        alarm = env["calendar.alarm"].search([("alarm_type", "=", "email")], limit=1)
        team, seconds = make_team(env, "Stock"), []
        stock_series(env, make_customers(env, CUSTOMERS, "S"), team, alarm, seconds)
        print(json.dumps([seconds[0], rows(env, team), team.id]))


def ask(database, *words):
    """What this script says in a process of its own, with that database."""
    ours = os.environ["ODOO_DATABASE"]
    options = os.environ["ODOO_OPTIONS"].split("\n")
    environment = {
        **os.environ,
        "ODOO_DATABASE": database,
        "ODOO_OPTIONS": "\n".join(database.join(one.split(ours)) for one in options),
    }
    asked = [sys.executable, __file__, *words]
    said = subprocess.run(asked, env=environment, check=True, stdout=subprocess.PIPE, text=True)
    return json.loads(said.stdout.splitlines()[-1])


def main():
    session.start()
    with session.environment() as env:
        env.ref("crm_automation.ir_cron_visit_plan_work").active = False
        env.cr.commit()
        team, first, booked, again, memory = measure(env, CUSTOMERS, SALESPEOPLE)
        ours = rows(env, team)
        env.cr.commit()
        other = os.environ["CRM_AUTOMATION_STOCK"]
        stock, theirs, stock_team = ask(other, "stock")
        views, stock_views = [], []
        for _ in range(VIEWS):
            views.append(ask(os.environ["ODOO_DATABASE"], "month", str(team.id)))
            stock_views.append(ask(other, "month", str(stock_team)))
        (view, seen), (stock_view, stock_seen) = min(views), min(stock_views)
        print(f"rows of the plan {ours}, of Odoo's series {theirs}, made in {stock:.2f} s")
        per_meeting = stock / theirs[0] / (booked / ours[0])
        print(
            f"month view: {seen} in {view:.3f} s; Odoo's: {stock_seen} in {stock_view:.3f} s",
            flush=True,
        )
        many = GROWTH * CUSTOMERS
        _team, big, _booked, big_again, _memory = measure(env, many, GROWTH * SALESPEOPLE)
        *_rest, full_again, _memory = measure(env, many, SALESPEOPLE)
    bar("visit_preview", first, "s", "<=", 5)
    bar("visit_booking", per_meeting, "times Odoo's series", ">=", 8)
    bar("visit_rows_attendees", ours[1] / ours[0] / (theirs[1] / theirs[0]), "x Odoo's", ">=", 1)
    bar("visit_memory", memory, "MiB", "<=", 500)
    bar("visit_nothing_to_do", again, "s", "<=", 3)
    bar("visit_preview_growth", big / first, f"x for {GROWTH} x", "<=", GROWTH)
    bar("visit_nothing_growth", big_again / again, f"x for {GROWTH} x", "<=", GROWTH)
    bar("visit_no_time_growth", full_again / again, f"x for {GROWTH} x", "<=", GROWTH)
    bar("visit_month_view", view / seen / (stock_view / stock_seen), "x stock", "<=", 1.1)


if __name__ == "__main__":
    {"stock": by_stock, "month": look}.get(sys.argv[1] if sys.argv[1:] else "", main)()
