"""The frame of a letter: rendered once with marks, filled for each letter."""

import re
import uuid

from markupsafe import Markup, escape

#: Stand in a rendered frame where the values of each letter go. No text of a user
#: holds them: they are made anew in each process.
MARKS = {
    name: Markup(f"[{uuid.uuid4().hex}]")  # noqa: S704 - letters and digits
    for name in ("headline", "content", "facts", "url", "label", "value")
}
_MARK = re.compile("|".join(re.escape(mark) for mark in MARKS.values()))


def split(frame):
    """The frame in pieces: text, and between two texts the name of a value.

    :param Markup frame: rendered with MARKS in the places of the values
    """
    names = {str(mark): name for name, mark in MARKS.items()}
    pieces, at = [], 0
    for mark in _MARK.finditer(frame):
        pieces += [frame[at : mark.start()], names[mark.group()]]
        at = mark.end()
    return [*pieces, frame[at:]]


def fill(pieces, values):
    """The frame with each value in its place, escaped unless it is markup."""
    filled = [
        escape(values[piece] or "") if number % 2 else piece for number, piece in enumerate(pieces)
    ]
    return Markup("".join(filled))  # noqa: S704 - the values are escaped
