"""Providers that behave badly on purpose: real servers on the loopback address."""

from __future__ import annotations

import json
import socketserver
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

Answer = tuple[int, dict[str, str], object]


class HTTPProvider:
    """Answers each POST as `script` says, in order, then with `usual`; keeps what it took.

    A step is (status, headers, body), `"cut"`: take the request and hang up, or a number: that many seconds, then
    `usual`.
    """

    def __init__(self, usual: Callable[[str, bytes], Answer]) -> None:
        self.usual = usual
        self.script: deque[Answer | str | float] = deque()
        self.taken: list[tuple[str, dict[str, str], bytes]] = []
        self.url = ""


@contextmanager
def http_provider(usual: Callable[[str, bytes], Answer]) -> Iterator[HTTPProvider]:
    provider = HTTPProvider(usual)

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            content = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            provider.taken.append((self.path, dict(self.headers), content))
            step = provider.script.popleft() if provider.script else provider.usual(self.path, content)
            if step == "cut":
                self.close_connection = True
                return
            if isinstance(step, int | float | str):
                time.sleep(float(step))
                step = provider.usual(self.path, content)
            status, headers, body = step
            data = body if isinstance(body, bytes) else json.dumps(body).encode()
            self.send_response(status)
            for name, value in headers.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)

        def log_message(self, *_: Any) -> None: ...

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    provider.url = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield provider
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


class SMTPProvider:
    """Answers RCPT as `recipients` says, in order, then 250; `"cut"` in `data` takes the mail and hangs up.

    A number there takes the mail and so many seconds for it.
    """

    def __init__(self) -> None:
        self.recipients: deque[str] = deque()
        self.data: deque[str | float] = deque()
        self.taken: list[str] = []
        self.port = 0


@contextmanager
def smtp_provider() -> Iterator[SMTPProvider]:
    provider = SMTPProvider()

    class Handler(socketserver.StreamRequestHandler):
        def say(self, line: str) -> None:
            self.wfile.write(f"{line}\r\n".encode())

        def handle(self) -> None:
            self.say("220 provider")
            while line := self.rfile.readline().decode().strip():
                verb = line.split()[0].upper()
                if verb == "RCPT":
                    self.say(provider.recipients.popleft() if provider.recipients else "250 ok")
                elif verb == "DATA":
                    self.say("354 go on")
                    lines = []
                    while (text := self.rfile.readline().decode()) not in (".\r\n", ""):
                        lines.append(text)
                    provider.taken.append("".join(lines))
                    step = provider.data.popleft() if provider.data else "250 taken"
                    if step == "cut":
                        return
                    if not isinstance(step, str):
                        time.sleep(step)
                        return
                    self.say(step)
                elif verb == "QUIT":
                    self.say("221 bye")
                    return
                else:
                    self.say("250 ok")

    class Server(socketserver.ThreadingTCPServer):
        daemon_threads = True
        allow_reuse_address = True

    server = Server(("127.0.0.1", 0), Handler)
    provider.port = server.server_address[1]
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield provider
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
