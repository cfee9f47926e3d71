"""Rules about dates, against stock's base.automation on the same data, in the same run.

What a look costs when nothing is due, over 200,000 meetings and 1,000,000 old
executions; what a thousand due notices cost until they are in the mail queue, and
ten thousand; what working days cost.
"""

import contextlib
import datetime
import gc
import resource
import threading
from pathlib import Path

import session
from _bars import bar, stopwatch

ROUNDS = 5
RULES = 20
EVENTS = 200_000
OLD = 1_000_000
DUE = 1000
CALENDAR_EVENTS = 20_000
#: Minutes from one meeting to the next.
STEP = 5
#: Hours from now in which there are no meetings, so that nothing becomes due.
HOLE = 4


def used_memory():
    """MB that the process holds."""
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * resource.getpagesize() / 2**20


@contextlib.contextmanager
def peak_memory():
    """A list of what the process holds, looked at twenty times a second, the first before."""
    gc.collect()
    found, end = [used_memory()], threading.Event()

    def look():
        while not end.wait(0.05):
            found.append(used_memory())

    watcher = threading.Thread(target=look)
    watcher.start()
    yield found
    end.set()
    watcher.join()


def user(env, login):
    return env["res.users"].search([("login", "=", login)])


def make_events(env, number, first, step, name):
    """Meetings, as many rows of the table: creating them is not what is measured.

    :param datetime first: start of the first one
    :param float step: minutes from one to the next; negative to go back
    """
    env.cr.execute(
        """
        INSERT INTO calendar_event (name, start, stop, active, allday, user_id, privacy,
                                    show_as, create_uid, create_date, write_uid, write_date)
        SELECT %s || n, %s + n * interval '1 minute' * %s,
               %s + n * interval '1 minute' * %s + interval '1 hour', true, false, %s, 'public',
               'busy', %s, %s, %s, %s
        FROM generate_series(0, %s) AS n
        """,
        [name, first, step, first, step, user(env, "luis").id]
        + [1, first - datetime.timedelta(days=800)] * 2
        + [number - 1],
    )
    env.cr.execute("ANALYZE calendar_event")
    env.cr.commit()
    env.invalidate_all()


def our_rule(env, number, **values):
    """So many minutes before the start, to the organiser."""
    rule = (
        env["crm.automation.rule"]
        .with_user(user(env, "ana"))
        .create(
            {
                "name": f"Ours {number}",
                "trigger": "moment",
                "model_id": env["ir.model"]._get_id("calendar.event"),
                "date_type": "date",
                "delay_number": number,
                "delay_unit": "minutes",
                "delay_before": "before",
                "notify_responsible": True,
                "enabled": True,
                **values,
            }
        )
    )
    # On for a long time.
    long_ago = datetime.datetime.now() - datetime.timedelta(days=700)
    rule.sudo().write({"enabled_since": long_ago})
    return rule.sudo()


def stock_rule(env, number, **values):
    """Stock's rule for the same, with a mail template."""
    model = env["ir.model"]._get("calendar.event")
    template = env["mail.template"].create(
        {
            "name": "Stock notice",
            "model_id": model.id,
            "subject": "Reminder: {{ object.name }}",
            "body_html": "<p>Reminder of <t t-out='object.name'/>.</p>",
            "use_default_to": False,
            "email_to": "{{ object.user_id.email }}",
            "auto_delete": True,
        }
    )
    action = {
        "name": "Mail",
        "model_id": model.id,
        "state": "mail_post",
        "mail_post_method": "email",
        "template_id": template.id,
    }
    rule = env["base.automation"].create(
        {
            "name": f"Stock {number}",
            "model_id": model.id,
            "trigger": "on_time",
            "trg_date_id": env["ir.model.fields"]._get("calendar.event", "start").id,
            "trg_date_range": number,
            "trg_date_range_type": "minutes",
            "trg_date_range_mode": "before",
            "action_server_ids": [(0, 0, action)],
            **values,
        }
    )
    rule.last_run = datetime.datetime.now() - datetime.timedelta(minutes=10)
    return rule


def fill_ledger(env, rules, number):
    """Old executions, ended: those of the meetings of the last days, and others."""
    now = datetime.datetime.now()
    for rule in rules:
        env.cr.execute(
            """
            INSERT INTO crm_automation_firing (
                rule_id, res_model, res_id, record_name, trigger, occasion, due_at, run_at, state,
                delivery_state, finished_at, base_date, timing, tries, create_date)
            SELECT %s, 'calendar.event', id, name, 'moment',
                   to_char(start - interval '1 minute' * %s, 'YYYY-MM-DD HH24:MI:SS'),
                   start - interval '1 minute' * %s, start - interval '1 minute' * %s, 'done',
                   'delivered', start, start, %s, 1, start
            FROM calendar_event WHERE start <= %s ORDER BY start DESC LIMIT %s
            """,
            [rule.id, *[rule.delay_number] * 3, rule._timing()]
            + [now + datetime.timedelta(hours=HOLE / 2), number // len(rules)],
        )
    env.cr.execute("ANALYZE crm_automation_firing")
    env.cr.commit()


def our_tick(env):
    env["crm.automation.rule"]._enqueue_moments()


def stock_tick(env):
    env["base.automation"]._cron_process_time_based_actions()


def measure_tick(env, tick):
    """The least seconds, and the queries, of a look that finds nothing.

    What else the machine does in a round only adds to it.
    """
    seconds, queries = [], 0
    tick(env)
    for _round in range(ROUNDS):
        env.cr.commit()
        before = env.cr.sql_log_count
        with stopwatch(seconds):
            tick(env)
            env.cr.commit()
        queries = env.cr.sql_log_count - before
    return min(seconds), queries


def measure_idle(env):
    now = datetime.datetime.now()
    numbers = range(1, RULES + 1)
    rules = env["crm.automation.rule"].concat(*[our_rule(env, n) for n in numbers])
    stocks = env["base.automation"].concat(*[stock_rule(env, n) for n in numbers])
    env.cr.commit()
    found = {}
    # A tenth first, then the rest.
    after = now + datetime.timedelta(hours=HOLE)
    before = now - datetime.timedelta(minutes=30)
    for share, old_share in ((EVENTS // 10, OLD // 10), (EVENTS, OLD)):
        env.cr.execute("DELETE FROM crm_automation_firing")
        env.cr.execute("DELETE FROM calendar_event")
        make_events(env, share // 2, after, STEP, "To come ")
        make_events(env, share // 2, before, -STEP, "Over ")
        fill_ledger(env, rules, old_share)
        stocks.last_run = datetime.datetime.now()
        env.cr.commit()
        found[share] = measure_tick(env, our_tick), measure_tick(env, stock_tick)
        (ours, our_queries), (stock, stock_queries) = found[share]
        count = env["crm.automation.firing"].search_count([])
        print(
            f"{RULES} rules, {share} meetings, {count} old executions, nothing due:"
            f" ours {ours:.3f} s, {our_queries} queries; stock's {stock:.3f} s,"
            f" {stock_queries} queries"
        )
        assert not env["crm.automation.firing"].search_count([("state", "!=", "done")])
    small, large = found[EVENTS // 10], found[EVENTS]
    bar("idle_tick", large[0][0] / large[1][0], "x_stock", "<=", 1)
    bar("idle_queries_growth", large[0][1] - small[0][1], "queries", "<=", 0)
    bar("idle_growth_of_10_times", large[0][0] / small[0][0], "x", "<=", 1.3)
    rules.enabled = False
    stocks.active = False
    env.cr.commit()


def due_meetings(env, number, rule):
    """Meetings whose moment was a few seconds ago; no others."""
    env.cr.execute("DELETE FROM calendar_event WHERE name LIKE 'Due %'")
    first = datetime.datetime.now() + datetime.timedelta(minutes=rule, seconds=-40)
    make_events(env, number, first, 0.000001, f"Due {number} ")


def measure_ours(env, number):
    """Seconds, queries for each notice, and growth of the memory in MB."""
    rule = our_rule(env, 5)
    due_meetings(env, number, 5)
    seconds, before = [], env.cr.sql_log_count
    with stopwatch(seconds), peak_memory() as memory:
        our_tick(env)
        env["crm.automation.firing"]._drain()
    queries = (env.cr.sql_log_count - before) / number
    done = env["crm.automation.firing"].search_count(
        [("rule_id", "=", rule.id), ("state", "=", "done")]
    )
    assert done == number, f"{done} of {number} were done"
    rule.enabled = False
    env.cr.commit()
    env.invalidate_all()
    return seconds[0], queries, max(memory) - memory[0]


def measure_stock(env, number):
    rule = stock_rule(env, 5)
    due_meetings(env, number, 5)
    before, mails = env.cr.sql_log_count, env["mail.mail"].search_count([])
    seconds = []
    with stopwatch(seconds):
        stock_tick(env)
    queries = (env.cr.sql_log_count - before) / number
    queued = env["mail.mail"].search_count([]) - mails
    assert queued == number, f"stock queued {queued}"
    rule.active = False
    env.cr.commit()
    env.invalidate_all()
    return seconds[0], queries


def measure_due(env):
    measure_ours(env, 50)
    measure_stock(env, 50)
    ours, queries, _memory = measure_ours(env, DUE)
    stock, stock_queries = measure_stock(env, DUE)
    again, _queries, _memory = measure_ours(env, DUE)
    stock_again, _queries = measure_stock(env, DUE)
    one = min(ours, again)
    print(
        f"{DUE} due notices: ours {ours:.2f} s and {again:.2f} s, {queries:.2f} queries each;"
        f" stock's {stock:.2f} s and {stock_again:.2f} s, {stock_queries:.2f} queries each"
    )
    bar("due_1000", min(stock, stock_again) / one, "times_faster_than_stock", ">=", 6)
    bar("queries_for_each_notice", queries, "queries", "<=", 1.5)
    ten, ten_queries, memory = measure_ours(env, 10 * DUE)
    print(
        f"{10 * DUE} due notices: {ten:.2f} s, {ten_queries:.2f} queries each, {memory:.0f} MB more"
    )
    bar("due_10000_to_1000", ten / one, "x", "<=", 11)
    bar("memory_of_10000", memory, "MB", "<=", 50)


def measure_pass(env):
    """How long a drainer keeps its worker, and that the next one goes on."""
    rule = our_rule(env, 5)
    due_meetings(env, 10 * DUE, 5)
    our_tick(env)
    env.cr.commit()
    drainer = env["crm.automation.firing"]._drainers()[:1]
    mine = [("rule_id", "=", rule.id), ("state", "=", "done")]
    passes, done = [], 0
    while done < 10 * DUE:
        with stopwatch(passes):
            drainer.method_direct_trigger()
        env.cr.commit()
        env.invalidate_all()
        now_done = env["crm.automation.firing"].search_count(mine)
        assert now_done > done, "a pass did nothing"
        done = now_done
    print(
        f"{10 * DUE} due, by the job itself: {len(passes)} passes, the longest {max(passes):.1f} s"
    )
    bar("longest_pass", max(passes), "s", "<=", 60)
    rule.enabled = False
    env.cr.commit()


def measure_workdays(env):
    """A rule in working days over meetings of a year, nothing due."""
    env.cr.execute("DELETE FROM crm_automation_firing")
    env.cr.execute("DELETE FROM calendar_event")
    now = datetime.datetime.now()
    # Half a year ahead, in hours in which the moment is not now.
    minutes = 24 * 60 * 180 / CALENDAR_EVENTS
    make_events(env, CALENDAR_EVENTS, now + datetime.timedelta(days=10), minutes, "Workday ")
    calendar = env.company.resource_calendar_id
    ours = our_rule(env, 2, delay_unit="workdays", resource_calendar_id=calendar.id)
    stock = stock_rule(env, 2, trg_date_range_type="day", trg_date_calendar_id=calendar.id)
    stock.last_run = now
    env.cr.commit()
    our, _queries = measure_tick(env, our_tick)
    theirs, _queries = measure_tick(env, stock_tick)
    print(f"working days over {CALENDAR_EVENTS} meetings: ours {our:.3f} s, stock's {theirs:.3f} s")
    bar("workdays_idle", our / theirs, "x_stock", "<=", 0.1)
    ours.enabled = False
    stock.active = False
    env.cr.commit()


session.start()
with session.environment() as env:
    env["crm.automation.rule"].search([]).enabled = False
    env["base.automation"].search([]).active = False
    env.cr.commit()
    measure_workdays(env)
    measure_idle(env)
    measure_due(env)
    measure_pass(env)
