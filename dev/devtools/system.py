"""The machine: commands, Debian packages, ports, locks."""

import contextlib
import fcntl
import os
import re
import shutil
import socket
import subprocess

from .paths import subdir
from .say import SetupError, say, step


def run(command, what, **kwargs):
    """Run a command, and show what it printed only if it failed.

    :param list command: program and arguments
    :param str what: what failed, for the message
    :raises SetupError: when the command fails or is not there
    """
    kwargs.setdefault("stdout", subprocess.PIPE)
    kwargs.setdefault("stderr", subprocess.STDOUT)
    try:
        done = subprocess.run(command, text=True, **kwargs)
    except FileNotFoundError as error:
        raise SetupError(f"{what}: the program {command[0]} is not here.") from error
    if done.returncode:
        lines = (done.stdout or "").strip().splitlines()
        causes = [line for line in lines[:-25] if re.match(r"\S*(Error|Exception)\b", line)]
        tail = "\n".join([*causes[-5:], *lines[-25:]])
        raise SetupError(
            f"{what} failed (exit {done.returncode}):\n  {' '.join(map(str, command))}\n{tail}"
        )
    return done.stdout or ""


def is_root():
    return os.geteuid() == 0


def install_debian_packages(names, why):
    """Install Debian packages by name, as root or through sudo.

    :param list names: package names
    :param str why: what they are for, told to the user before
    :raises SetupError: with the command to type, where it cannot be done here
    """
    line = f"apt-get install -y --no-install-recommends {' '.join(names)}"
    if not shutil.which("apt-get"):
        raise SetupError(
            f"{why} needs {', '.join(names)} (Debian's names), and this is no "
            "Debian or Ubuntu machine. Install the same with your system's own "
            "package manager and start again."
        )
    prefix = []
    if not is_root():
        if not shutil.which("sudo"):
            raise SetupError(
                f"{why} needs the packages {', '.join(names)}. You are not root "
                f"and there is no sudo: ask the administrator to run\n    {line}"
            )
        prefix = ["sudo"]
    quiet = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    if prefix:
        prefix += ["env", "DEBIAN_FRONTEND=noninteractive"]
    with step(f"Installing {', '.join(names)} for {why}", "1 minute"):
        # PostgreSQL's package would make and start a cluster of its own.
        try:
            run([*prefix, *line.split()], "apt-get install", env=quiet)
        except SetupError:
            run([*prefix, "apt-get", "update"], "apt-get update", env=quiet)
            run([*prefix, *line.split()], "apt-get install", env=quiet)


def need_browser(why):
    """Chrome or Chromium, installed if it is missing.

    :param str why: what it is for, told to the user before
    """
    if not any(map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))):
        install_debian_packages(["chromium"], why)


def free_port(wanted=None):
    """The wanted TCP port of 127.0.0.1 if free, else the next free one.

    Without a wish, any free port.
    """
    candidates = range(wanted, wanted + 100) if wanted else [0]
    for port in candidates:
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            return probe.getsockname()[1]
    raise SetupError(f"No free port from {wanted} to {wanted + 99} on 127.0.0.1.")


@contextlib.contextmanager
def build_lock():
    """One set-up at a time: a second command waits for the first."""
    path = subdir() / "setup.lock"
    with path.open("w") as handle:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            say("* Another ./dev command is setting things up: waiting for it ...")
            fcntl.flock(handle, fcntl.LOCK_EX)
        yield
