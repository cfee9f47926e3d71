"""``python -m devtools COMMAND``: what the scripts in dev/ call."""

import importlib
import signal
import sys

from .say import SetupError, say

COMMANDS = ("run", "test", "serve", "bench", "check", "clean")


def main():
    command, *arguments = sys.argv[1:]
    if command not in COMMANDS:
        raise SystemExit(f"one of: {', '.join(COMMANDS)}")
    # SIGTERM ends like Ctrl-C, so that what was started is stopped.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    # A shell without job control starts its background jobs deaf to Ctrl-C.
    signal.signal(signal.SIGINT, signal.default_int_handler)
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
