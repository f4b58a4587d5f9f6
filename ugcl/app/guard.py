"""What a server answers with and what it refuses, whatever the page's library would do."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]

POLICY = "; ".join(
    (
        "default-src 'self'",
        "script-src 'self' 'unsafe-inline' 'unsafe-eval' blob:",  # Gradio compiles the page's own script
        "style-src 'self' 'unsafe-inline'",
        "img-src 'self' data: blob:",
        "media-src 'self' data: blob:",
        "font-src 'self' data:",
        "connect-src 'self' data: blob:",
        "worker-src 'self' blob:",
        "object-src 'none'",
        "base-uri 'self'",
        "form-action 'self'",
        "frame-ancestors 'self'",
    )
)
"""A page that asks no other host for anything, by order of the browser."""
HEADERS = {
    "content-security-policy": POLICY,
    "x-content-type-options": "nosniff",
    "referrer-policy": "no-referrer",
}
FETCHING = ("http:/", "https:/", "proxy=")
"""Parts of addresses by which Gradio would fetch a page of another host for the visitor."""
LARGEST = 2**20
"""Bytes of a request in JSON; a real one has some kilobytes."""
UPLOAD = "/upload"
"""Ending of the one address that takes files, as multipart/form-data; Gradio bounds those itself."""


class Guard:
    """ASGI layer that refuses to fetch other hosts' files and adds :data:`HEADERS` to every answer."""

    def __init__(self, app: Callable[[Message, Receive, Send], Awaitable[None]]) -> None:
        self.app = app

    async def __call__(self, scope: Message, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return

        async def with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                own = {name.encode(): value.encode() for name, value in HEADERS.items()}
                others = [pair for pair in message.get("headers", []) if pair[0].lower() not in own]
                message["headers"] = [*others, *own.items()]
            await send(message)

        refused = any(part in scope["path"].lower() for part in FETCHING)
        if not refused and scope["method"] not in ("GET", "HEAD") and not _brings_files(scope):
            body = await _body(receive)
            refused = body is None or _names_other_host(body)
            receive = _again(body or b"", receive)
        if refused:
            await with_headers({"type": "http.response.start", "status": 403, "headers": []})
            await send({"type": "http.response.body", "body": b"not allowed"})
            return
        await self.app(scope, receive, with_headers)


def _brings_files(scope: Message) -> bool:
    kinds = [value.lower() for name, value in scope["headers"] if name == b"content-type"]
    files = len(kinds) == 1 and kinds[0].startswith(b"multipart/form-data;")
    return files and scope["path"].endswith(UPLOAD)


async def _body(receive: Receive) -> bytes | None:
    """The body of a request; None where it is too large."""
    body, more = b"", True
    while more:
        message = await receive()
        body += message.get("body", b"")
        more = message.get("more_body", False)
        if len(body) > LARGEST:
            return None
    return body


def _again(body: bytes, receive: Receive) -> Receive:
    """What gives a body that was read already, and then what comes behind it."""
    waiting = [{"type": "http.request", "body": body, "more_body": False}]

    async def give() -> Message:
        return waiting.pop() if waiting else await receive()

    return give


def _names_other_host(body: bytes) -> bool:
    """Whether a request asks for a file by a web address, which Gradio would download for it.

    So does what cannot be read here, whatever kind it says it is: another parser may read it.
    """
    try:
        nodes = [json.loads(body)] if body else []
    except (ValueError, RecursionError):
        return True
    while nodes:
        node = nodes.pop()
        if isinstance(node, dict):
            path = node.get("path")
            if isinstance(path, str) and path.strip().lower().startswith(("http:", "https:")):
                return True
            nodes += node.values()
        elif isinstance(node, list):
            nodes += node
    return False
