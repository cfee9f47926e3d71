"""Radicale, a CalDAV server of others, as a process with a folder of its own."""

import contextlib
import os
import signal
import socket
import subprocess
import tempfile
import time
from pathlib import Path

from . import python_env
from .say import SetupError
from .system import free_port


@contextlib.contextmanager
def radicale():
    """Its address; any user gets in with any password.

    :raises SetupError: when it cannot be had or does not start
    """
    commands = python_env.peers()
    if not commands:
        raise SetupError("Radicale cannot be had: without it there is no account to sync.")
    port = free_port()
    with tempfile.TemporaryDirectory() as folder:
        process = subprocess.Popen(
            [
                str(Path(commands) / "python"), "-m", "radicale",
                "--server-hosts", f"127.0.0.1:{port}", "--auth-type", "none",
                "--storage-filesystem-folder", folder,
            ],
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True,
        )  # fmt: skip
        try:
            _wait(process, port)
            yield f"http://127.0.0.1:{port}/"
        finally:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()


def _wait(process, port, seconds=60):
    end = time.monotonic() + seconds
    while process.poll() is None and time.monotonic() < end:
        with (
            contextlib.suppress(OSError),
            socket.create_connection(("127.0.0.1", port), 1),
        ):
            return
        time.sleep(0.1)
    raise SetupError("Radicale did not start.")
