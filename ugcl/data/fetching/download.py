"""One file over HTTP: resumed after a break, tried at each of its addresses, whole or not there at all.

Ranges and their conditions are those of RFC 9110, §13.1.5 and §14.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from urllib.parse import urlsplit

import requests
from requests.adapters import HTTPAdapter
from urllib3.exceptions import HTTPError
from urllib3.util import Retry

from ugcl.data import sources
from ugcl.data.fetching.transfer import LFS_POINTER, is_pointer, remove
from ugcl.errors import UgclError

log = logging.getLogger(__name__)
BLOCK = 1 << 20
AGAIN = (429, 500, 502, 503, 504)
Advance = Callable[[int, bool], None]
BROKEN = (requests.ConnectionError, requests.Timeout, requests.exceptions.ChunkedEncodingError, HTTPError)


class Refused(Exception):
    """An address does not have the file as it must be; the next one is tried."""


class Client:
    """HTTP connections, one pool per thread.

    Args:
        retries: how often a break without progress is borne, and how often a busy server is asked again.
        timeout: seconds without an answer or a byte that count as a break.
        pause: seconds before the first repetition; each next one waits twice as long.
    """

    def __init__(self, retries: int = 5, timeout: float = 30, pause: float = 1.0) -> None:
        self.retries, self.timeout, self.pause = retries, timeout, pause
        self._local = threading.local()

    def get(self, url: str, headers: dict[str, str] | None = None) -> requests.Response:
        """Ask for an address as it is on the server's disk, without transport compression."""
        session = getattr(self._local, "session", None)
        if session is None:
            # Breaks are counted by the caller, who knows whether bytes came meanwhile.
            breaks = {"connect": 0, "read": 0, "other": 0}
            policy = Retry(
                None,
                **breaks,
                status=self.retries,
                status_forcelist=AGAIN,
                backoff_factor=self.pause,
                raise_on_status=False,
            )
            session = self._local.session = requests.Session()
            for scheme in ("http://", "https://"):
                session.mount(scheme, HTTPAdapter(max_retries=policy))
        headers = {"Accept-Encoding": "identity", **(headers or {})}
        return session.get(url, headers=headers, stream=True, timeout=self.timeout)

    def wait(self, failures: int) -> None:
        """Wait before the next attempt."""
        time.sleep(min(self.pause * 2 ** (failures - 1), 60))


def download(
    client: Client,
    urls: Sequence[str],
    target: Path,
    *,
    sha256: str = "",
    size: int | None = None,
    advance: Advance = lambda count, moved: None,
) -> str:
    """Bring one file to its place; its bytes wait in `<target>.partial` until they are all there and right.

    Args:
        urls: addresses, tried in order.
        target: where the file goes.
        sha256: what it must hash to; "" if unknown.
        size: bytes it must have; None if unknown.
        advance: called with the count of new bytes and whether they came over the network.

    Returns:
        The SHA-256 of what arrived.

    Raises:
        UgclError: no address gave the file; each one's reason is named.
    """
    partial = target.with_name(target.name + ".partial")
    target.parent.mkdir(parents=True, exist_ok=True)
    advance(_size(partial), False)
    reasons = []
    for url in urls:
        found = _size(partial)
        for resumed in (True, False) if found else (False,):
            try:
                digest = _whole(client, url, partial, sha256, size, advance)
            except Refused as reason:
                if not _size(partial):
                    _drop(partial, advance)
                if _size(partial) or not resumed:  # bytes that can still be used, or a fresh start failed
                    reasons.append(f"{urlsplit(url).netloc or url}: {reason}")
                    break
                continue  # the bytes found here were of another file
            _forget(partial)
            partial.replace(target)
            return digest
        log.warning("%s: %s", target.name, reasons[-1])
    raise UgclError(
        f"{target}: not fetched ({'; '.join(reasons)}); check the network and run it again"
        " (it resumes), or set data.mirror"
    )


def _whole(
    client: Client,
    url: str,
    partial: Path,
    sha256: str,
    size: int | None,
    advance: Advance,
) -> str:
    failures = 0
    while True:
        before = _size(partial)
        try:
            if size is None or before < size or size == 0:
                _receive(client, url, partial, bool(sha256), advance)
            if size is not None and _size(partial) < size:
                raise requests.ConnectionError(f"ended after {_size(partial)} of {size} bytes")
            break
        except BROKEN as error:
            failures = 1 if _size(partial) > before else failures + 1
            if failures > client.retries:
                raise Refused(_reason(error)) from None
            log.info("%s: %s; going on at byte %d", partial.stem, _reason(error), _size(partial))
            client.wait(failures)
        except requests.RequestException as error:
            raise Refused(_reason(error)) from None
    digest = sources.sha256(partial)
    fault = None
    if is_pointer(partial):
        fault = "a Git-LFS pointer in place of the file"
    elif size is not None and _size(partial) != size:
        fault = f"{_size(partial)} bytes instead of {size}"
    elif sha256 and digest != sha256:
        fault = f"sha256 {digest[:12]}… instead of {sha256[:12]}…"
    if fault:
        _drop(partial, advance)
        raise Refused(fault)
    return digest


def _receive(client: Client, url: str, partial: Path, proven: bool, advance: Advance) -> None:
    """One request: the rest of the file where the server gives ranges, else all of it."""
    start, headers = _size(partial), {}
    validator = _validator(partial)
    if start and not proven and not validator.is_file():
        start = 0  # nothing shows that the first part is of the same file
    if start:
        headers["Range"] = f"bytes={start}-"
        if not proven:
            headers["If-Range"] = validator.read_text()
    with client.get(url, headers) as response:
        if response.status_code == 416:  # nothing lies past our end: we have it all, or too much of it
            if response.headers.get("Content-Range", "").endswith(f"/{start}"):
                return
            _drop(partial, advance)
            raise requests.ConnectionError(f"the file has no byte {start}")
        if response.status_code not in (200, 206):
            raise Refused(f"HTTP {response.status_code}")
        if response.status_code == 200:
            _drop(partial, advance)
            tag = response.headers.get("ETag", "")
            tag = tag if tag and not tag.startswith("W/") else response.headers.get("Last-Modified", "")
            if tag and not proven:
                validator.write_text(tag)
        elif not response.headers.get("Content-Range", "").startswith(f"bytes {start}-"):
            raise Refused(f"a wrong range ({response.headers.get('Content-Range')})")
        with partial.open("ab") as stream:
            # What has come is kept when the connection breaks: a read of fixed length would lose it.
            while block := response.raw.read1(BLOCK, decode_content=False):
                if stream.tell() == 0 and block.startswith(LFS_POINTER):
                    raise Refused("a Git-LFS pointer in place of the file")
                stream.write(block)
                advance(len(block), True)


def _drop(partial: Path, advance: Advance) -> None:
    advance(-_size(partial), False)
    remove(partial)
    _forget(partial)


def _validator(partial: Path) -> Path:
    """Beside the bytes, what the server called their version: a resumed file must be the same one."""
    return partial.with_name(partial.stem + ".version.partial")


def _forget(partial: Path) -> None:
    remove(_validator(partial))


def _size(path: Path) -> int:
    return path.stat().st_size if path.is_file() else 0


def _reason(error: Exception) -> str:
    """A connection fault in a few words: the innermost cause says it best."""
    while error.args and isinstance(error.args[0], Exception):
        error = error.args[0]
    reason = getattr(error, "reason", None)
    text = str(reason if isinstance(reason, Exception) else error.args[0] if error.args else error)
    return " ".join(text.split())[-160:]
