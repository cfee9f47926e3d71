"""How a benchmark takes its times and prints its bars."""

import contextlib
import resource
import time


@contextlib.contextmanager
def stopwatch(seconds):
    """Append to a list how many seconds the block took."""
    start = time.perf_counter()
    yield
    seconds.append(time.perf_counter() - start)


def peak():
    """MiB that the process had at most."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def bar(name, value, unit, relation, limit):
    """Print one bar.

    :param str relation: ``<=`` or ``>=``, what the value has to be to the limit
    """
    good = value <= limit if relation == "<=" else value >= limit
    print(f"BAR {name} {value:.2f} {unit} {relation} {limit} {'PASS' if good else 'FAIL'}")
