"""How often somebody may be wrong before he has to wait."""

import threading
import time
from collections import OrderedDict

#: Names and addresses that are remembered at once.
REMEMBERED = 10_000


class Throttle:
    """Counts failures by key; after some, each doubles the time to wait.

    :param int free: failures without a wait
    :param float first: seconds of the first wait
    :param float longest: seconds of the longest wait, after which all is forgotten

    >>> throttle = Throttle(free=2, first=1, clock=lambda: 0.0)
    >>> for _ in range(3): throttle.fail("ana")
    >>> throttle.wait("ana"), throttle.wait("luis")
    (2.0, 0.0)
    """

    def __init__(self, free=5, first=1.0, longest=600.0, clock=time.monotonic):
        self.free = free
        self.first = first
        self.longest = longest
        self.clock = clock
        self._failures = OrderedDict()
        self._lock = threading.Lock()

    def wait(self, *keys):
        """Seconds until one who is known by these keys may try again; 0 is now."""
        now = self.clock()
        with self._lock:
            return max([0.0, *(self._failures.get(key, (0, 0.0))[1] - now for key in keys)])

    def fail(self, *keys):
        """He was wrong."""
        now = self.clock()
        with self._lock:
            for key in keys:
                count, until = self._failures.pop(key, (0, 0.0))
                if count and now > until + self.longest:
                    count = 0
                count += 1
                pause = 0.0
                if count >= self.free:
                    pause = min(self.first * 2.0 ** (count - self.free), self.longest)
                self._failures[key] = (count, now + pause)
            while len(self._failures) > REMEMBERED:
                self._failures.popitem(last=False)

    def succeed(self, *keys):
        """He was right: what was before does not count."""
        with self._lock:
            for key in keys:
                self._failures.pop(key, None)
