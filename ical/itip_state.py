"""What a message means for what is there already (RFC 5546, 2.1.4 and 2.1.5).

Mails are lost, overtake each other and come twice; whatever arrives, and in whatever
order, who goes by these verdicts ends with the state of the newest message that has
arrived. Paragraphs are of RFC 5546.
"""

from datetime import timedelta

from .sequence import order

#: What is to be done with an item of a message.
NEWER = "newer"
#: The very message that was taken in before.
REPLAY = "replay"
#: It was overtaken by a newer one of the same sender.
OLDER = "older"
#: An answer to what the meeting was before it was changed (2.1.5).
OUTDATED = "outdated"
#: An answer to what the organizer has never sent.
AHEAD = "ahead"
#: Its DTSTAMP lies in the future: taken, it would outdo all that is to come.
FUTURE = "future"

#: Clocks may differ by that much.
CLOCKS = timedelta(days=1)


def judge_answer(item, sequence, known, now):
    """What an attendee's answer is to the organizer.

    :param item: of a REPLY or COUNTER
    :param int sequence: SEQUENCE of the meeting, or occurrence, as it was last sent
    :param known: ``order`` of the attendee's last answer, or None
    :param datetime now: in UTC
    :return: one of these words
    """
    mine = order(item)
    if mine[1] - now > CLOCKS:
        return FUTURE
    # 2.1.5: of one attendee's answers the one with the greater SEQUENCE, then the one
    # with the later DTSTAMP counts.
    if known is not None and mine == known:
        return REPLAY
    if known is not None and mine < known:
        return OLDER
    # "if the SEQUENCE of the reply is less, it is an answer to an older version"
    if mine[0] < sequence:
        return OUTDATED
    if mine[0] > sequence:
        return AHEAD
    return NEWER


def judge_news(item, seen, now):
    """What the organizer's message about a meeting is to an attendee.

    An occurrence (RECURRENCE-ID) is compared with what was said of it, and with what
    was said of the whole: a newer word about the whole replaces older ones about
    its parts (3.2.2.1).

    :param item: of a REQUEST, CANCEL or ADD
    :param seen: dict from the second half of ``Item.key`` to the ``order`` of the newest
        message about it; None stands for the whole
    :return: :data:`NEWER`, :data:`REPLAY`, :data:`OLDER` or :data:`FUTURE`
    """
    mine = order(item)
    if mine[1] - now > CLOCKS:
        return FUTURE
    place = item.key[1]
    known = seen.get(place)
    if known is not None and mine == known:
        return REPLAY
    whole = seen.get(None)
    for other in (known, whole if place is not None else None):
        if other is not None and mine < other:
            return OLDER
    return NEWER
