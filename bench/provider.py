"""A push provider on the loopback address: Firebase's part, by a real server that keeps what it was given.

It takes so many messages a second and no more, and can be told to behave badly: slow, 500, the line cut after a message
was taken.
"""

from __future__ import annotations

import asyncio
import json
import random
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import NamedTuple


class Taken(NamedTuple):
    """A message that reached the provider; `at` is its own clock, `round` what the run had set meanwhile."""

    message: str
    token: str
    at: float
    round: int


@dataclass
class Provider:
    """What it does, and what has reached it."""

    per_second: float = 0  # 0: as many as come
    slow: float = 0  # seconds that an answer takes, at most
    fails: float = 0  # share of messages that are answered 500 and not taken
    cuts: float = 0  # share of messages that are taken and not answered
    chance: random.Random = field(default_factory=random.Random)
    taken: list[Taken] = field(default_factory=list)
    round: int = 0
    url: str = ""
    free_at: float = 0  # when the next message may be taken


class _Connection(asyncio.Protocol):
    """HTTP/1.1 as far as one POST after the other needs it."""

    def __init__(self, provider: Provider) -> None:
        self.provider = provider
        self.buffer = bytearray()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self.transport = transport

    def data_received(self, data: bytes) -> None:
        self.buffer += data
        head, end, rest = self.buffer.partition(b"\r\n\r\n")
        if not end:
            return
        length = int(head.lower().partition(b"content-length:")[2].split(b"\r\n")[0])
        if len(rest) < length:
            return
        path, content = head.split(b" ", 2)[1], bytes(rest[:length])
        del self.buffer[: len(head) + len(end) + length]
        if path == b"/token":
            self.answer(200, {"access_token": "generated", "expires_in": 3599})
        else:
            self.take(content)

    def take(self, content: bytes) -> None:
        provider, loop = self.provider, asyncio.get_running_loop()
        wait = provider.chance.uniform(0, provider.slow)
        if provider.per_second:
            provider.free_at = max(provider.free_at, loop.time()) + 1 / provider.per_second
            wait = max(wait, provider.free_at - loop.time())
        loop.call_later(wait, self.end, content)

    def end(self, content: bytes) -> None:
        provider = self.provider
        if provider.chance.random() < provider.fails:
            self.answer(500, {})
            return
        message = json.loads(content)["message"]
        provider.taken.append(Taken(message["data"]["message"], message["token"], time.time(), provider.round))
        if provider.chance.random() < provider.cuts:
            self.transport.abort()
        else:
            self.answer(200, {"name": "generated"})

    def answer(self, status: int, body: object) -> None:
        content = json.dumps(body).encode()
        self.transport.write(b"HTTP/1.1 %d .\r\nContent-Length: %d\r\n\r\n%s" % (status, len(content), content))


@contextmanager
def running(provider: Provider) -> Iterator[Provider]:
    """Let the provider listen, on a thread of its own, while the block lasts."""
    loop = asyncio.new_event_loop()
    server = loop.run_until_complete(loop.create_server(lambda: _Connection(provider), "127.0.0.1", 0, backlog=512))
    provider.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    thread = threading.Thread(target=loop.run_forever, daemon=True)
    thread.start()
    try:
        yield provider
    finally:
        loop.call_soon_threadsafe(server.close)
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()


def service_account(url: str) -> str:
    """An account that the provider accepts, as JSON."""
    from cryptography.hazmat.primitives import serialization
    from cryptography.hazmat.primitives.asymmetric import rsa

    pem = rsa.generate_private_key(65537, 2048).private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    account = {
        "project_id": "generated",
        "client_email": "sender@generated.example",
        "private_key": pem.decode(),
        "token_uri": f"{url}/token",
    }
    return json.dumps(account)
