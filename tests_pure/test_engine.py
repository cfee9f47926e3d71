"""The plain logic of the rules: doctests of the modules, and properties."""

import doctest
from datetime import datetime, timedelta

import pytest
from crm_automation.engine import secret_box
from crm_automation.sync import discover, errors, plan, remote
from hypothesis import given
from hypothesis import strategies as st

from engine import addresses, backoff, changes, keywords, moments, patterns, retry

MODULES = [
    addresses, backoff, changes, discover, errors, keywords, moments, patterns, plan, remote, retry,
    secret_box,
]  # fmt: skip


@pytest.mark.parametrize("module", MODULES, ids=lambda m: m.__name__)
def test_doctests(module):
    found = doctest.testmod(module)
    assert found.attempted
    assert not found.failed


values = st.dictionaries(st.sampled_from("abc"), st.integers(), min_size=1)


@given(st.lists(st.tuples(st.integers(1, 3), values, st.booleans())))
def test_first_old_value_survives_every_write_and_every_decision(writes):
    memory = changes.TransactionChanges()
    first = {}
    for res_id, written, decide in writes:
        memory.remember("m", res_id, written)
        for name, value in written.items():
            first.setdefault((res_id, name), value)
        if decide:
            for change in memory.take("m"):
                for name, value in change.old.items():
                    assert value == first[change.res_id, name]
    assert memory.missing("m", [7], {"a"}) == [7]


@given(st.sets(st.integers(1, 9), min_size=1), values)
def test_created_records_have_no_old_values(ids, written):
    memory = changes.TransactionChanges()
    memory.add_created("m", ids)
    for res_id in ids:
        memory.remember("m", res_id, written)
    assert memory.missing("m", list(ids), set(written)) == []
    taken = memory.take("m")
    assert {change.res_id for change in taken} == ids
    assert all(change.created and not change.old for change in taken)


@given(st.text())
def test_text_without_keywords_is_untouched(text):
    if "%(" not in text:
        assert keywords.unknown_keywords(text) == []
        assert keywords.replace_keywords(text, {"partner": "X"}) == text


@given(st.sampled_from(keywords.KEYWORDS), st.text(), st.text(alphabet="abc %"))
def test_every_keyword_is_replaced_once(keyword, value, around):
    text = f"{around}%({keyword})s{around}"
    assert keywords.unknown_keywords(text) == []
    assert keywords.replace_keywords(text, {keyword: value}) == f"{around}{value}{around}"


def test_tries_wait_longer_and_end():
    now = datetime(2026, 3, 29, 1, 30)
    moments = [retry.next_try(tries, now) for tries in range(1, len(retry.DELAYS) + 2)]
    assert moments.pop() is None
    assert moments == sorted(moments)
    assert moments[0] == now + timedelta(minutes=1)


def test_a_change_that_was_taken_stays_as_it_was():
    memory = changes.TransactionChanges()
    memory.remember("crm.lead", 7, {"city": "Lugo"})
    [taken] = memory.take("crm.lead")
    memory.remember("crm.lead", 7, {"priority": "0"}, chain=(3,))
    assert taken.old == {"city": "Lugo"}
    [again] = memory.take("crm.lead")
    assert (again.old, again.chain) == ({"city": "Lugo", "priority": "0"}, (3,))
