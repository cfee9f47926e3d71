"""How much of a file is read: hostile input ends fast, with a typed error."""

from dataclasses import dataclass

from .errors import LimitExceeded


@dataclass(frozen=True, slots=True)
class Limits:
    """Safe defaults; every entry of the package takes others.

    The defaults let through what the largest real calendars need (a whole
    company's calendar of ten years), and nothing that keeps a worker busy for
    longer than a minute.
    """

    #: Octets of one file.
    file_bytes: int = 50_000_000
    #: Components of one file, nested ones included.
    components: int = 100_000
    #: VCALENDAR > VEVENT > VALARM > ... ; real files have 3.
    depth: int = 8
    #: Octets of one component, its attachments included.
    component_bytes: int = 10_000_000
    #: Octets of one unfolded line that is no inline attachment.
    line_bytes: int = 1_000_000
    #: Lines of one component.
    component_lines: int = 50_000
    #: Octets of one attachment inside the text, decoded.
    inline_bytes: int = 5_000_000
    #: Occurrences of one series that are computed for one question.
    occurrences: int = 10_000
    #: Steps of a rule that are tried for one question, whether they give an
    #: occurrence or not: ``FREQ=SECONDLY`` over a year is 31 million.
    steps: int = 100_000
    #: Changes of offset that one VTIMEZONE may define.
    onsets: int = 2_000


DEFAULT = Limits()


class Budget:
    """Steps that several walks along rules have together: each alone is within its limit, and
    a file has room for thousands.

    :param int steps: how many
    :param Budget whole: what they are taken from as well
    """

    __slots__ = ("steps", "left", "whole")

    def __init__(self, steps, whole=None):
        self.steps = self.left = steps
        self.whole = whole

    def take(self, steps):
        """:raises LimitExceeded: when there are no more"""
        self.left -= steps
        if self.left < 0:
            raise LimitExceeded("steps", self.steps)
        if self.whole is not None:
            self.whole.take(steps)
