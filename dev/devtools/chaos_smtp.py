"""An SMTP server that refuses, stalls and cuts connections at random.

Its faults are all such that another try mends them. It runs in a thread and
remembers what it has received, whether its answer got through or not.
"""

import asyncio
import collections
import email
import email.policy
import random
import threading
import time
from typing import NamedTuple

#: Step of a session to its faults, each with its chance there.
FAULTS = {
    # Rare: Odoo gives up all the mails of its round for this time.
    "connect": {"421": 0.015, "554": 0.01, "cut": 0.015, "stall": 0.04},
    "MAIL": {"451": 0.01, "421": 0.005, "cut": 0.005},
    "RCPT": {"451": 0.01, "421": 0.005, "cut": 0.005, "stall": 0.005},
    "DATA": {"451": 0.005, "cut": 0.005},
    # When the whole message is there: taken or not, the client cannot know.
    "received": {"451": 0.01, "cut": 0.01, "stall": 0.005},
}
ANSWERS = {
    "421": "421 4.3.2 Service not available, closing channel",
    "451": "451 4.7.1 Try again later",
    "554": "554 5.3.2 No service for you at this moment",
}
STALL = (0.5, 3)  # seconds


class Letter(NamedTuple):
    """A message that has come in as a whole.

    :param str to: address of its first recipient, as the message says it
    :param float at: when, in seconds since 1970
    """

    message_id: str
    subject: str
    to: str
    at: float


class CutError(Exception):
    """The connection is to be cut, here and now."""


class ChaosSmtp:
    """The server; ``received`` is what it has got.

    :param int port: TCP port of 127.0.0.1
    :param int seed: of its random faults
    :param float scale: factor of all chances; 0 is a server without faults
    """

    def __init__(self, port, seed, scale=1.0):
        self.port, self.scale = port, scale
        self.random = random.Random(seed)
        #: The letters, in the order in which they came.
        self.received = []
        #: "step fault" to how often.
        self.faults = collections.Counter()
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)

    @property
    def cut_after_data(self):
        return self.faults["received cut"]

    def start(self):
        self._thread.start()
        serving = asyncio.start_server(self._session, "127.0.0.1", self.port, limit=2**24)
        self._server = asyncio.run_coroutine_threadsafe(serving, self._loop).result(10)
        self.port = self._server.sockets[0].getsockname()[1]

    def stop(self):
        self._loop.call_soon_threadsafe(self._server.close)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(10)

    async def _session(self, reader, writer):
        try:
            if await self._fault("connect", writer):
                return
            await self._say(writer, "220 chaos.example.com")
            while line := await reader.readline():
                verb = line.split()[0].upper().decode("ascii", "replace") if line.split() else ""
                if not await self._answer(verb, reader, writer):
                    return
        except (CutError, ConnectionError, asyncio.IncompleteReadError):
            writer.transport.abort()
        finally:
            writer.close()

    async def _answer(self, verb, reader, writer):
        """Answer one command. :return: whether the session goes on"""
        if verb == "QUIT":
            await self._say(writer, "221 Bye")
            return False
        if verb in ("MAIL", "RCPT", "DATA") and (code := await self._fault(verb, writer)):
            return code != "421"
        if verb == "DATA":
            await self._say(writer, "354 Go on")
            return await self._receive(reader, writer)
        known = verb in ("EHLO", "HELO", "MAIL", "RCPT", "RSET", "NOOP")
        await self._say(writer, "250 OK" if known else "502 Unknown")
        return True

    async def _receive(self, reader, writer):
        data = await reader.readuntil(b"\r\n.\r\n")
        message = email.message_from_bytes(data, policy=email.policy.default)
        to = message["To"].addresses if message["To"] else ()
        entry = Letter(
            str(message["Message-ID"]), str(message["Subject"]),
            to[0].addr_spec if to else "", time.time(),
        )  # fmt: skip
        # Before an answer gets lost: what has been received counts.
        self.received.append(entry)
        if await self._fault("received", writer):
            self.received.remove(entry)
            return True
        await self._say(writer, "250 OK")
        return True

    async def _fault(self, step, writer):
        """Do one of the step's faults, or none.

        :return: the code that was answered instead, or None
        :raises CutError: when the connection is to be cut
        """
        kind = self._draw(FAULTS[step])
        if not kind:
            return None
        self.faults[f"{step} {kind}"] += 1
        if kind == "cut":
            raise CutError
        if kind == "stall":
            await asyncio.sleep(self.random.uniform(*STALL))
            return None
        await self._say(writer, ANSWERS[kind])
        return kind

    def _draw(self, chances):
        number = self.random.random()
        for kind, chance in chances.items():
            number -= chance * self.scale
            if number < 0:
                return kind
        return None

    async def _say(self, writer, text):
        writer.write(f"{text}\r\n".encode())
        await writer.drain()
