"""``python -m devtools COMMAND``: what the scripts in dev/ call."""

import importlib
import signal
import sys

from .say import SetupError, say

COMMANDS = ("run", "test", "serve", "bench", "chaos", "soak", "check", "clean", "pictures")

#: Ctrl-C, a closed terminal, and a program that wants us to end.
ENDINGS = (signal.SIGINT, signal.SIGHUP, signal.SIGTERM)


def _end(number, _frame):
    """End by an exception, so that what was started is stopped, undisturbed."""
    for ending in ENDINGS:
        signal.signal(ending, signal.SIG_IGN)
    if number == signal.SIGINT:
        raise KeyboardInterrupt
    sys.exit(128 + number)


def main():
    command, *arguments = sys.argv[1:]
    if command not in COMMANDS:
        raise SystemExit(f"one of: {', '.join(COMMANDS)}")
    for ending in ENDINGS:
        # What nohup silences stays silent. SIGINT is always heard: a shell without
        # job control starts its background jobs deaf to it.
        if ending == signal.SIGINT or signal.getsignal(ending) != signal.SIG_IGN:
            signal.signal(ending, _end)
    module = importlib.import_module(f".command_{command}", __package__)
    try:
        sys.exit(module.main(arguments))
    except SetupError as error:
        say(f"\nFAILED: {error}")
        sys.exit(1)
    except KeyboardInterrupt:
        say("\nStopped.")
        sys.exit(130)


main()
