"""How often somebody may be wrong before he has to wait."""

from typing import NamedTuple


class Throttle(NamedTuple):
    """After some failures each further one doubles the time to wait.

    :param int free: failures without a wait
    :param float first: seconds of the first wait
    :param float longest: seconds of the longest wait

    >>> throttle = Throttle(free=2, first=1, longest=600.0)
    >>> [throttle.pause(failures) for failures in (0, 1, 2, 3, 20)]
    [0.0, 0.0, 1.0, 2.0, 600.0]
    """

    free: int = 5
    first: float = 1.0
    longest: float = 600.0

    def pause(self, failures):
        """Seconds to wait after the last of so many failures."""
        if failures < self.free:
            return 0.0
        return min(self.first * 2.0 ** min(failures - self.free, 64), self.longest)
