"""What the tools tell a person: steps, how long they may take, failures."""

import contextlib
import sys
import time


class SetupError(Exception):
    """Something is missing; the text says what, and how to get it."""


def say(text=""):
    print(text, file=sys.stderr, flush=True)


def listed(counts):
    """Names and how many of each, in one line."""
    return ", ".join(f"{name} {number}" for name, number in sorted(counts.items())) or "none"


@contextlib.contextmanager
def step(what, about=None):
    """Announce one step of work and, when it ends, the time it took.

    :param str what: the step, in the words of whoever waits for it
    :param str about: how long it may take, e.g. ``"2 minutes"``
    """
    hint = f" (about {about})" if about else ""
    say(f"* {what}{hint} ...")
    start = time.monotonic()
    yield
    seconds = time.monotonic() - start
    if seconds >= 2:
        say(f"  done in {seconds:.0f} s")
