"""The load client: so many connections that each send the next request as soon as the last is answered.

One thread over epoll, with requests made beforehand. It shares two cores with what it measures, so what counts is how
little it takes itself: some 20 µs a request, where a thread a client, or a client library, takes several hundred. The
same client asks both sides.
"""

from __future__ import annotations

import select
import socket
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from urllib.parse import urlsplit

PATIENCE = 30  # seconds without any answer


@dataclass
class Load:
    """What came back."""

    seconds: float = 0
    latencies: list[float] = field(default_factory=list)
    statuses: Counter[int] = field(default_factory=Counter)
    bytes_received: int = 0

    @property
    def requests(self) -> int:
        return self.statuses.total()

    @property
    def rate(self) -> float:
        return self.requests / self.seconds

    @property
    def errors(self) -> int:
        return sum(count for status, count in self.statuses.items() if status >= 400)

    def percentile(self, share: float) -> float:
        return sorted(self.latencies)[min(len(self.latencies) - 1, int(share * len(self.latencies)))]

    def __iadd__(self, other: Load) -> Load:
        self.seconds += other.seconds
        self.latencies += other.latencies
        self.statuses += other.statuses
        self.bytes_received += other.bytes_received
        return self


def request(method: str, path: str, token: str, body: bytes = b"") -> bytes:
    """A request as the proxy that ends TLS passes it on."""
    head = (
        f"{method} {path} HTTP/1.1\r\nHost: localhost\r\nX-Forwarded-Proto: https\r\nX-Forwarded-For: 192.0.2.1\r\n"
        f"Authorization: {token}\r\nContent-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
    )
    return head.encode() + body


class _Connection:
    def __init__(self, server: tuple[str, int], requests: Iterator[bytes]) -> None:
        self.requests = requests
        self.socket = socket.create_connection(server)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.received = b""
        self.began = 0.0

    def send(self) -> bool:
        """Send the next request, if there is one."""
        following = next(self.requests, None)
        if following is None:
            return False
        self.began = time.perf_counter()
        self.socket.sendall(following)
        return True

    def receive(self) -> int | None:
        """The status of the answer, once all of it is here."""
        data = self.socket.recv(1 << 18)
        if not data:
            raise ConnectionError("the server closed a connection in the middle of an answer")
        self.received += data
        head, separator, body = self.received.partition(b"\r\n\r\n")
        if not separator:
            return None
        status = int(head[9:12])
        if status != 204 and len(body) < _length(head):
            return None
        return status


def _length(head: bytes) -> int:
    _, found, rest = head.lower().partition(b"content-length:")
    if not found:
        raise ValueError("an answer without a length; the client reads no chunks")
    return int(rest.partition(b"\r\n")[0])


def run(
    address: str,
    clients: Sequence[Iterator[bytes]],
    seconds: float = float("inf"),
    check: Callable[[int, bytes], None] | None = None,
) -> Load:
    """Let each client send its requests, one after the other, until it has no more or the time is over.

    What is on its way then is waited for, and counts with the time that it took. `check` sees each answer.
    """
    parts = urlsplit(address)
    load = Load()
    poll = select.epoll()
    opened = [_Connection((parts.hostname or "", parts.port or 80), requests) for requests in clients]
    by_number: dict[int, _Connection] = {}
    began = time.perf_counter()
    until = began + seconds
    for connection in opened:
        if connection.send():
            by_number[connection.socket.fileno()] = connection
            poll.register(connection.socket, select.EPOLLIN)
    while by_number:
        events = poll.poll(PATIENCE)
        if not events:
            raise TimeoutError(f"no answer for {PATIENCE} s")
        for number, _ in events:
            connection = by_number[number]
            status = connection.receive()
            if status is None:
                continue
            now = time.perf_counter()
            load.latencies.append(now - connection.began)
            load.statuses[status] += 1
            load.bytes_received += len(connection.received)
            if check:
                check(status, connection.received.partition(b"\r\n\r\n")[2])
            connection.received = b""
            if now >= until or not connection.send():
                poll.unregister(number)
                by_number.pop(number).socket.close()
    load.seconds = time.perf_counter() - began
    poll.close()
    return load
