"""Commands side by side: what each printed is shown whole when it ends."""

import contextlib
import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

from .say import say

#: Seconds between two lines that say how far they are.
REPORT_EVERY = 60
#: Seconds that a command has to put its things away when all is to end.
PATIENCE = 40


class Crew:
    """Runs commands, so many at a time; use as a context.

    With one at a time, its output is shown as it comes.

    :param Path folder: where what they print is kept until they end
    :param int limit: how many may run at once
    """

    def __init__(self, folder, limit):
        self.folder, self.limit = Path(folder), limit
        # A debugger reads from the terminal, which another session could not. Elsewhere a
        # session of its own: a terminal's Ctrl-C reaches this process only, which then
        # ends them in turn.
        self.is_ours = limit == 1 and sys.stdin.isatty()
        #: Name to exit code, of what has ended.
        self.results = {}
        self._running = {}
        self._begin = self._reported = time.monotonic()

    def __enter__(self):
        return self

    def __exit__(self, kind, _error, _trace):
        if kind:
            self._end_all(kind)
            return
        try:
            self._wait_below(1)
        except BaseException as error:
            self._end_all(type(error))
            raise

    def start(self, name, title, prepare):
        """Start a command as soon as there is room for it.

        :param str name: of the command, short
        :param str title: what is printed above its output
        :param prepare: called when there is room; returns the command, its environment, its
            folder and what is called when it has ended
        """
        self._wait_below(self.limit)
        alone = self.limit == 1
        if alone:
            say(f"\n=== {title}")
        command, environment, cwd, finish = prepare()
        path = self.folder / f"{name}.out"
        with contextlib.nullcontext() if alone else path.open("w") as output:
            process = subprocess.Popen(
                command, env=environment, cwd=cwd, stdout=output,
                stderr=output and subprocess.STDOUT, start_new_session=not self.is_ours,
            )  # fmt: skip
        self._running[name] = process, title, path, finish
        self._look()

    def _wait_below(self, number):
        while len(self._running) >= number:
            self._look()
            time.sleep(0.2)

    def _look(self):
        for name, (process, title, path, finish) in list(self._running.items()):
            if process.poll() is None:
                continue
            del self._running[name]
            self.results[name] = process.returncode
            self._show(title, path)
            finish()
        now = time.monotonic()
        if self.limit > 1 and self._running and now - self._reported >= REPORT_EVERY:
            self._reported = now
            far = ", ".join(f"{name} {how_far(one[2])}" for name, one in self._running.items())
            say(f"* {(now - self._begin) / 60:.0f} min: {far}")

    def _end_all(self, kind):
        for process, *_rest in self._running.values():
            # The terminal has told those of our session.
            if not (self.is_ours and kind is KeyboardInterrupt):
                self._signal(process, signal.SIGINT)
        end = time.monotonic() + PATIENCE
        for process, title, path, finish in self._running.values():
            try:
                process.wait(max(0, end - time.monotonic()))
            except subprocess.TimeoutExpired:
                self._signal(process, signal.SIGKILL)
                process.wait()
            self._show(title, path)
            finish()

    def _signal(self, process, number):
        with contextlib.suppress(ProcessLookupError):
            (os.kill if self.is_ours else os.killpg)(process.pid, number)

    def _show(self, title, path):
        if self.limit > 1:
            say(f"\n=== {title}")
            say(path.read_text(errors="replace").rstrip())
            path.unlink()


def how_far(path):
    """The last percentage that pytest has printed, and how much has failed."""
    text = path.read_text(errors="replace")
    found = re.findall(r"\[ *(\d+)%\]$", text, re.M)
    dots = "".join(re.findall(r"^(?:\S+\.py )?([.sxXFE]+)(?: +\[ *\d+%\])?$", text, re.M))
    failed = dots.count("F") + dots.count("E")
    return f"{found[-1] if found else 0} %" + (f" ({failed} failed)" if failed else "")
