"""Rules about events, against stock's base.automation, in the same run.

What a user's write costs with a rule that does not match, and what a thousand
notices cost until they are in the mail queue.
"""

import time

import session
from _bars import bar, stopwatch

ROUNDS = 3
OTHERS = 9
WRITES = 200
NOTICES = 1000
#: Each save is a transaction: enough of them to tell, and no coffee break.
ONE_BY_ONE = 100


def make_leads(env, number):
    luis = env["res.users"].search([("login", "=", "luis")])
    values = [{"name": f"Lead {n}", "type": "lead", "user_id": luis.id} for n in range(number)]
    leads = env["crm.lead"].with_user(luis).create(values).sudo()
    env.cr.commit()
    return leads


def single_writes(env, leads, values, seconds):
    """Each write a transaction of its own, as users do it."""
    with stopwatch(seconds):
        for number, lead in enumerate(leads[:WRITES]):
            lead.write(values(number))
            env.cr.commit()


def switch(rules, on):
    """Rules are switched on by a person; the same person for both kinds."""
    for rule in rules:
        rule.enabled = on
    rules.env.cr.commit()


def our_rules(env):
    """Ten rules on the same event, of which one matches: the first."""
    ana = env["res.users"].search([("login", "=", "ana")])
    first = env.ref("crm_automation.rule_lead_converted").with_user(ana)
    others = (
        env["crm.automation.rule"]
        .with_user(ana)
        .create(
            [
                {
                    "name": f"Other {number}",
                    "trigger": "lead_converted",
                    "notify_responsible": True,
                    "filter_domain": f"[('city', '=', 'Nowhere {number}')]",
                }
                for number in range(OTHERS)
            ]
        )
    )
    env.cr.commit()
    return first, first + others


def stock_rules(env):
    """The same ten as stock's, switched off."""
    first = stock_rule(env, "Stock rule", "[('type', '=', 'opportunity')]")
    others = [
        stock_rule(
            env, f"Stock {number}",
            f"[('type', '=', 'opportunity'), ('city', '=', 'Nowhere {number}')]",
        )
        for number in range(OTHERS)
    ]  # fmt: skip
    return first, first.concat(first, *others)


def stock_rule(env, name, domain):
    """Stock's rule for the same: at each write, before lead, now opportunity, send a template."""
    model = env["ir.model"]._get("crm.lead")
    template = env["mail.template"].create(
        {
            "name": "Stock notice",
            "model_id": model.id,
            "subject": "Now an opportunity: {{ object.name }}",
            "body_html": "<p>The lead <t t-out='object.name'/> has become an opportunity.</p>",
            "use_default_to": False,
            "email_to": "{{ object.user_id.email }}",
            "auto_delete": True,
        }
    )
    return env["base.automation"].create(
        {
            "name": name,
            "model_id": model.id,
            "trigger": "on_create_or_write",
            "trigger_field_ids": [(6, 0, env["ir.model.fields"]._get("crm.lead", "type").ids)],
            "filter_pre_domain": "[('type', '=', 'lead')]",
            "filter_domain": domain,
            "active": False,
            "action_server_ids": [
                (
                    0,
                    0,
                    {
                        "name": "Mail",
                        "model_id": model.id,
                        "state": "mail_post",
                        "mail_post_method": "email",
                        "template_id": template.id,
                    },
                )
            ],
        }
    )


def measure_models_without_rules(env):
    """What a model that no rule watches pays at each write: one look-up."""
    partner = env["res.partner"].create({"name": "No rules here"})
    env.cr.commit()
    writes, looks = [], []
    with stopwatch(writes):
        for number in range(WRITES):
            partner.write({"ref": str(number)})
            env.cr.commit()
    with stopwatch(looks):
        for _number in range(1000 * WRITES):
            partner._automation_watch()
    write, look = writes[0] / WRITES, looks[0] / (1000 * WRITES)
    print(f"a model without rules: a write {1e3 * write:.3f} ms, the look-up {1e6 * look:.2f} us")
    bar("look_up_without_rules", 100 * look / write, "%_of_a_write", "<=", 1)


def queries(env, work):
    """How many queries the work takes, its flush included."""
    before = env.cr.sql_log_count
    work()
    env.flush_all()
    return env.cr.sql_log_count - before


def measure_queries(env, rules):
    """Queries that rules add to a save that they wait for, and to another."""
    leads = make_leads(env, 50)
    counts = {}
    for on in (False, True):
        switch(rules, on)
        for name, values in (
            ("unwatched", {"description": f"x {on}"}),
            ("watched", {"type": "lead"}),
        ):
            env.invalidate_all()
            env["crm.automation.rule"]._watches()
            leads.fetch(["name", "description"])
            leads.with_context(tracking_disable=True).write({"referred": f"warm {name} {on}"})
            env.flush_all()
            leads.invalidate_recordset(["type"])
            counts[name, on] = queries(
                env,
                lambda values=values: leads.with_context(tracking_disable=True).write(values),
            )
            env.cr.commit()
    switch(rules, False)
    for name, limit in (("unwatched", 0), ("watched", 1)):
        more = counts[name, True] - counts[name, False]
        print(f"a save of 50 leads, {name} field: {counts[name, False]} queries without rules")
        bar(f"queries_added_{name}", more, "queries", "<=", limit)


def measure_single_writes(env, rules, stock):
    leads = make_leads(env, WRITES)
    cases = {
        # A field that no rule watches, and the one that the rule watches.
        "unwatched": lambda number: {"description": f"text {time.perf_counter()}"},
        "watched": lambda number: {"type": "lead", "description": f"{time.perf_counter()}"},
    }
    single_writes(env, leads, cases["watched"], [])  # warm
    for name, values in cases.items():
        times = {"none": [], "ours": [], "stock": []}
        for _round in range(ROUNDS):
            single_writes(env, leads, values, times["none"])
            switch(rules, True)
            single_writes(env, leads, values, times["ours"])
            switch(rules, False)
            stock.active = True
            env.cr.commit()
            single_writes(env, leads, values, times["stock"])
            stock.active = False
            env.cr.commit()
        # What else the machine does in a round only adds to it.
        none, ours, stocks = (min(times[key]) for key in ("none", "ours", "stock"))
        print(
            f"{WRITES} single writes, {name} field: without a rule {none:.3f} s,"
            f" with ours {ours:.3f} s, with stock's {stocks:.3f} s (x {stocks / none:.2f})"
        )
        bar(f"write_{name}_with_rule", ours / none, "x_no_rule", "<=", 1.3)


def convert(env, leads, one_by_one):
    """In one save, as an import does it, or each in a transaction, as people do."""
    for part in leads if one_by_one else [leads]:
        part.write({"type": "opportunity"})
        env.cr.commit()


def with_stock(env, stock, leads, one_by_one):
    stock.active = True
    env.cr.commit()
    before = env["mail.mail"].search_count([])
    seconds = []
    with stopwatch(seconds):
        convert(env, leads, one_by_one)
    queued = env["mail.mail"].search_count([]) - before
    assert queued == len(leads), f"stock queued {queued}"
    stock.active = False
    env.cr.commit()
    return seconds[0]


def with_ours(env, rules, leads, one_by_one):
    """Seconds of the saves, seconds until all mails are queued, queries of the job."""
    switch(rules, True)
    saved, queued = [], []
    with stopwatch(queued):
        with stopwatch(saved):
            convert(env, leads, one_by_one)
        before = env.cr.sql_log_count
        env["crm.automation.firing"]._drain()
        used = env.cr.sql_log_count - before
    switch(rules, False)
    done = env["crm.automation.firing"].search([("res_id", "in", leads.ids)])
    assert len(done) == len(leads) and set(done.mapped("state")) == {"done"}
    assert len(done.delivery_ids.mail_id) == len(leads)
    return saved[0], queued[0], used / len(leads)


def measure_notices(env, rules, stock, one_by_one):
    """A thousand leads converted, ten rules of which one matches."""
    bare, ours, saves, stocks = [], [], [], []
    number = ONE_BY_ONE if one_by_one else NOTICES
    for _round in range(ROUNDS):
        leads = make_leads(env, number)
        with stopwatch(bare):
            convert(env, leads, one_by_one)
        stocks.append(with_stock(env, stock, make_leads(env, number), one_by_one))
        saved, queued, each = with_ours(env, rules, make_leads(env, number), one_by_one)
        saves.append(saved)
        ours.append(queued)
    base, our, save, stock_ = map(min, (bare, ours, saves, stocks))
    how = "one by one" if one_by_one else "in one save"
    print(
        f"{number} leads converted {how}: {base:.2f} s without a rule, {save:.2f} s with ours,"
        f" {stock_:.2f} s with stock's"
    )
    print(
        f"{number} notices until all are in the mail queue, the bare saves taken off:"
        f" ours {our - base:.2f} s ({each:.1f} queries each in the job),"
        f" stock's {stock_ - base:.2f} s"
    )
    ratio = (stock_ - base) / (our - base)
    if one_by_one:
        # No promise: each save pays for ten rules that are asked.
        print(f"one by one: {ratio:.2f} times faster than stock, saves x {save / base:.2f}")
        return
    bar("notices_in_one_save", ratio, "times_faster_than_stock", ">=", 6)
    bar("saves_in_one_save", save / base, "x_no_rule", "<=", 1.3)


session.start()
with session.environment() as env:
    env["crm.automation.rule"].search([]).enabled = False
    rule, rules = our_rules(env)
    stock, stocks = stock_rules(env)
    env.cr.commit()
    switch(rule, True)
    measure_models_without_rules(env)
    switch(rule, False)
    measure_queries(env, rules)
    measure_single_writes(env, rule, stock)
    measure_notices(env, rules, stocks, one_by_one=False)
    measure_notices(env, rules, stocks, one_by_one=True)
