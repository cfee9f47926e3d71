"""What is to be done with one object, by what became of it on both sides.

Knows no texts and no server: a table, and the brake. The sides are called *here* and
*there*.
"""

from enum import Enum


class Word(str, Enum):
    """One of a few words; as text it is the word itself."""

    __str__ = str.__str__


class Side(Word):
    """What became of an object on one side since both agreed."""

    SAME = "same"
    CHANGED = "changed"
    #: There is proof that it was taken away.
    GONE = "gone"
    #: It was not there when both agreed, and is not.
    ABSENT = "absent"


class Action(Word):
    NOTHING = "nothing"
    #: What was changed there is brought here, and the other way round.
    PULL = "pull"
    PUSH = "push"
    #: Both have changed it.
    MERGE = "merge"
    DELETE_HERE = "delete_here"
    DELETE_THERE = "delete_there"
    #: The sides are not alike, and stay so until one changes again.
    LEAVE = "leave"
    #: It is nowhere any more.
    FORGET = "forget"


#: Which way changes go.
BOTH, IN, OUT = "both", "in", "out"

_S, _C, _G, _A = Side.SAME, Side.CHANGED, Side.GONE, Side.ABSENT
#: (here, there) to what is done when changes go both ways. What was changed on one side
#: and deleted on the other comes back: nothing that somebody has just written is lost.
_BOTH = {
    (_S, _S): Action.NOTHING,
    (_S, _C): Action.PULL,
    (_C, _S): Action.PUSH,
    (_C, _C): Action.MERGE,
    (_G, _S): Action.DELETE_THERE,
    (_S, _G): Action.DELETE_HERE,
    (_G, _C): Action.PULL,
    (_C, _G): Action.PUSH,
    (_G, _G): Action.FORGET,
    (_A, _S): Action.NOTHING,
    (_S, _A): Action.NOTHING,
    (_A, _C): Action.PULL,
    (_C, _A): Action.PUSH,
    (_A, _G): Action.FORGET,
    (_G, _A): Action.FORGET,
    (_A, _A): Action.FORGET,
}


def decide(here, there, way=BOTH):
    """The Action for one object.

    :param Side here, there: what became of it
    :param str way: BOTH, IN (nothing is written there) or OUT (nothing is written here)

    >>> decide(Side.SAME, Side.GONE), decide(Side.SAME, Side.GONE, OUT)
    (<Action.DELETE_HERE: 'delete_here'>, <Action.LEAVE: 'leave'>)
    >>> decide(Side.CHANGED, Side.CHANGED, IN)
    <Action.MERGE: 'merge'>
    """
    action = _BOTH[here, there]
    if way == IN and action in (Action.PUSH, Action.DELETE_THERE):
        return Action.LEAVE
    if way == OUT and action in (Action.PULL, Action.DELETE_HERE):
        return Action.LEAVE
    return action


def brakes(deletions, total, count=10, percent=10):
    """Whether so many deletions are not done without asking.

    More than a number and more than a part of all; or everything, when that is more than
    one.

    :param int deletions: on one side
    :param int total: objects that are known on that side, these included

    >>> brakes(10, 20), brakes(11, 200), brakes(11, 20), brakes(2, 2), brakes(1, 1)
    (False, False, True, True, False)
    """
    if deletions > 1 and deletions >= total:
        return True
    return deletions > count and deletions * 100 > percent * total


def winner(policy, here, there):
    """Who is right where both have changed the same: ``here``, ``there``, or None to ask.

    :param str policy: ask, newest, odoo, remote
    :param str here, there: when each was changed last, as iCalendar writes it

    >>> winner("newest", "20260101T000000Z", "20260102T000000Z")
    'there'
    """
    if policy == "newest":
        return "there" if there > here else "here"
    return {"odoo": "here", "remote": "there"}.get(policy)
