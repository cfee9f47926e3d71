"""The state machine: any order, repeats, losses."""

from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ical import itip
from ical.items import Attendee, Event, Organizer
from ical.itip_state import (
    AHEAD,
    FUTURE,
    NEWER,
    OLDER,
    OUTDATED,
    REPLAY,
    judge_answer,
    judge_news,
)
from ical.sequence import order

UTC = timezone.utc
NOW = datetime(2026, 11, 25, 12, tzinfo=UTC)
SECOND = timedelta(seconds=1)
START = datetime(2026, 12, 1, 10, tzinfo=UTC)
WHO = ("luis@azure.example", "eva@azure.example")
MEETING = Event(
    uid="1", start=START, end=START + timedelta(hours=1), summary="Tasting",
    organizer=Organizer.of("ana@bodega.example"), attendees=tuple(map(Attendee.of, WHO)),
)  # fmt: skip


def answer(email=WHO[0], status="ACCEPTED", sequence=0, seconds=0):
    item = replace(MEETING, sequence=sequence, stamp=NOW + seconds * SECOND)
    return itip.Message(
        "REPLY",
        tuple(
            replace(one, stamp=item.stamp) for one in itip.reply([item], email, status).items
        ),
    )  # fmt: skip


def news(sequence=0, seconds=0, place=None, cancelled=False):
    stamp = NOW + seconds * SECOND
    item = replace(MEETING, sequence=sequence, stamp=stamp, summary=f"{sequence}/{seconds}")
    if place is None:
        item = replace(item, rules=("FREQ=DAILY;COUNT=5",))
    else:
        item = itip.occurrence(item, START + timedelta(days=place))
    message = itip.cancel([item]) if cancelled else itip.request([item])
    return itip.Message(message.method, tuple(replace(one, stamp=stamp) for one in message.items))


@dataclass(slots=True)
class Answers:
    """The memory of an organizer: answers to one meeting that does not repeat.

    :param int sequence: of the meeting, as it was last sent
    """

    sequence: int = 0
    #: address to ``order`` of his last answer
    known: dict = field(default_factory=dict)
    #: address to PARTSTAT
    states: dict = field(default_factory=dict)

    def receive(self, message, now):
        """Take in a REPLY. :return: the verdict

        A reschedule asks everybody anew (3.2.2.1): an answer counts for the version it
        was given to.
        """
        item = message.items[0]
        attendee = item.attendees[0]
        verdict = judge_answer(item, self.sequence, self.known.get(attendee.email), now)
        if verdict == NEWER:
            self.known[attendee.email] = order(item)
            self.states[attendee.email] = attendee.status
        return verdict


@dataclass(slots=True)
class Copy:
    """The memory of an attendee: a meeting, or a series and its occurrences."""

    #: as in :func:`judge_news`
    seen: dict = field(default_factory=dict)
    #: place to (method, item): None is the whole
    state: dict = field(default_factory=dict)

    def receive(self, message, now):
        """Take in a REQUEST or CANCEL. :return: list of verdicts, one for each item"""
        verdicts = [judge_news(item, self.seen, now) for item in message.items]
        news = [
            item for item, verdict in zip(message.items, verdicts, strict=True) if verdict == NEWER
        ]
        for item in news:
            place, mine = item.key[1], order(item)
            if place is None:
                # What is newer than the whole stays beside it.
                for old in [one for one in self.seen if one is not None]:
                    if self.seen[old] < mine:
                        del self.seen[old]
                        self.state.pop(old, None)
            self.seen[place] = mine
            self.state[place] = (message.method, item)
        return verdicts

    @property
    def takes_place(self):
        """Whether anything of it is left in the calendar."""
        return any(method != "CANCEL" for method, _item in self.state.values())


@pytest.mark.parametrize(
    ("item", "verdict"),
    [
        (answer(sequence=2, seconds=1), NEWER),
        (answer(sequence=2, seconds=0), REPLAY),
        (answer(sequence=2, seconds=-1), OLDER),
        (answer(sequence=1, seconds=9), OLDER),
        (answer(sequence=3, seconds=1), AHEAD),
        (answer(sequence=2, seconds=200_000), FUTURE),
    ],
)
def test_an_answer_against_the_last_one(item, verdict):
    assert judge_answer(item.items[0], 2, (2, NOW), NOW) == verdict


def test_an_answer_to_what_was_moved_since():
    assert judge_answer(answer(sequence=1).items[0], 2, None, NOW) == OUTDATED
    # One that was given before does not make it right.
    assert judge_answer(answer(sequence=1, seconds=2).items[0], 2, (1, NOW), NOW) == OUTDATED


def test_a_part_is_older_than_a_newer_whole():
    part = news(sequence=1, seconds=5, place=2).items[0]
    assert judge_news(part, {None: (2, NOW)}, NOW) == OLDER
    assert judge_news(part, {None: (1, NOW)}, NOW) == NEWER
    # The whole is not older than a newer part.
    assert judge_news(news(sequence=1).items[0], {part.key[1]: (2, NOW)}, NOW) == NEWER


def test_a_cancellation_that_overtakes_its_invitation():
    copy = Copy()
    assert copy.receive(news(sequence=1, seconds=5, cancelled=True), NOW) == [NEWER]
    assert copy.receive(news(sequence=0), NOW) == [OLDER]
    assert not copy.takes_place
    assert copy.receive(news(sequence=2, seconds=9), NOW) == [NEWER]
    assert copy.takes_place


def mixed(messages):
    """The messages as mail brings them: some lost, some twice, in any order."""
    return st.lists(st.sampled_from(messages), max_size=2 * len(messages)) if messages else (
        st.just([]))  # fmt: skip


ANSWERS = st.lists(
    st.tuples(
        st.sampled_from(WHO),
        st.sampled_from(["ACCEPTED", "DECLINED", "TENTATIVE"]),
        st.integers(0, 3),
        st.integers(0, 50),
    ),
    max_size=12,
    unique_by=lambda one: (one[0], one[2], one[3]),
)  # fmt: skip


@given(ANSWERS.flatmap(lambda found: mixed([answer(*one) for one in found])), st.integers(0, 3))
def test_answers_end_with_the_newest(arrived, sequence):
    answers = Answers(sequence)
    for message in arrived:
        answers.receive(message, NOW)
    for email in WHO:
        counts = [
            message.items[0] for message in arrived
            if message.items[0].attendees[0].email == email
            and message.items[0].sequence == sequence
        ]  # fmt: skip
        newest = max(counts, key=order, default=None)
        expected = newest.attendees[0].status if newest else None
        assert answers.states.get(email) == expected


@given(ANSWERS.flatmap(lambda found: mixed([answer(*one) for one in found])))
def test_a_replay_changes_nothing(arrived):
    answers = Answers(1)
    for message in arrived:
        answers.receive(message, NOW)
    before = dict(answers.states), dict(answers.known)
    assert all(answers.receive(message, NOW) != NEWER for message in arrived)
    assert (answers.states, answers.known) == before


NEWS = st.lists(
    st.tuples(
        st.integers(0, 3),
        st.integers(0, 80),
        st.sampled_from([None, None, 1, 2, 3]),
        st.booleans(),
    ),
    max_size=12,
    unique_by=lambda one: (one[0], one[1]),
)  # fmt: skip


def newest(arrived):
    """The state that the messages mean, told without looking at their order."""
    items = [(message.method, message.items[0]) for message in arrived]
    wholes = [one for one in items if one[1].recurrence_id is None]
    whole = max(wholes, key=lambda one: order(one[1]), default=None)
    state = {None: whole} if whole else {}
    for method, item in items:
        place = item.key[1]
        if place is None or (whole and order(item) < order(whole[1])):
            continue
        if place not in state or order(item) > order(state[place][1]):
            state[place] = (method, item)
    return {place: (method, item.summary) for place, (method, item) in state.items()}


@given(NEWS.flatmap(lambda found: mixed([news(*one) for one in found])))
def test_news_end_with_the_newest(arrived):
    copy = Copy()
    for message in arrived:
        copy.receive(message, NOW)
    found = {place: (method, item.summary) for place, (method, item) in copy.state.items()}
    assert found == newest(arrived)


@given(NEWS.flatmap(lambda found: mixed([news(*one) for one in found])), st.randoms())
def test_the_order_does_not_matter(arrived, random):
    shuffled = list(arrived)
    random.shuffle(shuffled)
    copies = Copy(), Copy()
    for copy, messages in zip(copies, (arrived, shuffled), strict=True):
        for message in messages:
            copy.receive(message, NOW)
    assert copies[0].seen == copies[1].seen
    assert copies[0].takes_place == copies[1].takes_place
