"""A real HTTP server on 127.0.0.1 with ranges, which misbehaves when it is told to."""

from __future__ import annotations

import re
import socket
import threading
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import unquote, urlsplit

POINTER = b"version https://git-lfs.github.com/spec/v1\noid sha256:" + b"a" * 64 + b"\nsize 12345\n"


@dataclass
class Server:
    """What it holds, how it misbehaves, and what it was asked.

    Attributes:
        files: content by path.
        faults: per path, what the next requests meet, one after the other: a status code, ("drop", n) to
            close the connection after n bytes, ("short", n) to end cleanly after n bytes, or other content.
        forever: per path, the fault of every request that meets none of the above.
        ranges: whether ranges are understood.
        requests: every request's path and Range header, in order.
        sent: bytes of bodies that went out, by path.
    """

    base: str = ""
    files: dict[str, bytes] = field(default_factory=dict)
    faults: dict[str, list[Any]] = field(default_factory=lambda: defaultdict(list))
    forever: dict[str, Any] = field(default_factory=dict)
    etags: dict[str, str] = field(default_factory=dict)
    ranges: bool = True
    requests: list[tuple[str, str]] = field(default_factory=list)
    sent: dict[str, int] = field(default_factory=lambda: defaultdict(int))
    lock: threading.Lock = field(default_factory=threading.Lock)

    def url(self, path: str) -> str:
        return f"{self.base}/{path}"

    def asked(self, path: str) -> list[str]:
        """The Range headers of the requests for a path."""
        return [span for name, span in self.requests if name == path]


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    state: Server

    def log_message(self, *arguments: object) -> None:
        pass

    def do_GET(self) -> None:
        state, path = self.state, unquote(urlsplit(self.path).path).lstrip("/")
        span = self.headers.get("Range", "")
        with state.lock:
            state.requests.append((path, span))
            queue = state.faults.get(path) or []
            fault = queue.pop(0) if queue else state.forever.get(path)
        if isinstance(fault, int):
            return self._plain(fault, b"no")
        content = fault if isinstance(fault, bytes) else state.files.get(path)
        if content is None:
            return self._plain(404, b"not here")
        start, status, etag = 0, 200, state.etags.get(path, "")
        condition = self.headers.get("If-Range")
        if state.ranges and (match := re.fullmatch(r"bytes=(\d+)-", span)) and condition in (None, etag):
            start, status = int(match[1]), 206
            if start >= len(content):
                return self._plain(416, b"", {"Content-Range": f"bytes */{len(content)}"})
        body = content[start:]
        kind, count = fault if isinstance(fault, tuple) else ("", len(body))
        self.send_response(status)
        if status == 206:
            self.send_header("Content-Range", f"bytes {start}-{len(content) - 1}/{len(content)}")
        if etag:
            self.send_header("ETag", etag)
        self.send_header("Content-Length", str(min(count, len(body)) if kind == "short" else len(body)))
        self.end_headers()
        with state.lock:  # before it is sent: a client that has all of it may look at once
            state.sent[path] += len(body[:count])
        self.wfile.write(body[:count])
        if kind == "drop":
            self.wfile.flush()
            self.connection.shutdown(socket.SHUT_RDWR)
            self.close_connection = True

    def _plain(self, status: int, body: bytes, headers: dict[str, str] | None = None) -> None:
        self.send_response(status)
        for name, value in {"Content-Length": str(len(body)), **(headers or {})}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)


@contextmanager
def serve() -> Iterator[Server]:
    """Run a server for a while."""
    state = Server()
    handler = type("Bound", (Handler,), {"state": state})
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    server.daemon_threads = True
    state.base = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield state
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
