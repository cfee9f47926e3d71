"""The first time with many: what was on one side only is on both, and what was on both is once.

The checker knows what each side was given, and compares both with that.
"""

import re
from datetime import date

from remote_servers import LONG, event
from test_accounts import account, look, luis, program, server, sync  # noqa: F401

import session

#: On each side; of these so many on both.
NUMBER, COMMON = (2000, 200) if LONG else (40, 8)


def start(number):
    """A moment of its own for each: one compares more than titles."""
    return f"202703{1 + number % 28:02}T{number % 24:02}{number % 60:02}00"


def text(number, side):
    more = "RRULE:FREQ=WEEKLY;COUNT=4\r\n" if number % 20 == 0 else ""
    begin = start(number)
    return event(f"{side}-{number}", f"{side} {number}", f"{begin}Z", f"{begin[:9]}235900Z", more)


def given(side, numbers):
    """UID to what it says."""
    return {f"{side}-{number}": (f"{side} {number}", start(number)) for number in numbers}


def fill_odoo(texts):
    with session.environment() as env:
        from odoo.addons.crm_automation.ical.compose import compose

        user = luis(env)
        events = env["calendar.event"].with_user(user)
        data = compose(texts, date(1970, 1, 1))
        events._ical_upsert(events._ical_compare(data, user), user)


def odoo_has():
    """UID to what it says; the number of its meetings."""
    with session.environment() as env:
        events = env["calendar.event"].search([("user_id", "=", luis(env).id)], order="start")
        found = {}
        for one in events:
            found.setdefault(one.ical_uid, (one.name, f"{one.start:%Y%m%dT%H%M%S}"))
        return found, len(events)


def server_has(program):  # noqa: F811
    found = {}
    for one in program.texts().values():
        uid, title, begin = (
            re.search(rf"^{name}[^:\r\n]*:([^\r\n]*)", one[one.index("BEGIN:VEVENT") :], re.M)[1]
            for name in ("UID", "SUMMARY", "DTSTART")
        )
        assert uid not in found, "it is there twice"
        found[uid] = title, begin.removesuffix("Z")
    return found


def test_the_first_time_with_many(account, program):  # noqa: F811
    common, alone = range(COMMON), range(COMMON, NUMBER)
    for number in common:
        program.put(f"c{number}.ics", text(number, "both"))
    for number in alone:
        program.put(f"t{number}.ics", text(number, "there"))
    fill_odoo([*(text(number, "both") for number in common),
               *(text(number, "here") for number in alone)])  # fmt: skip
    expected = given("both", common) | given("there", alone) | given("here", alone)

    sync(account)
    for _turn in range(100):
        if look(account)[0] != "working":
            break
        sync(account)
    assert look(account)[0] == "ok", look(account)
    found, number = odoo_has()
    assert found == expected == server_has(program)
    # Three more for each that repeats.
    repeat = sum(1 for at in common if at % 20 == 0) + 2 * sum(1 for at in alone if at % 20 == 0)
    assert number == len(expected) + 3 * repeat
    sync(account)
    assert look(account)[2:] == ((0, 0, 0, 0, 0), "unchanged")
