"""What a long loop has done so far, on disk: killed at any moment, it goes on where it was."""

from __future__ import annotations

import contextlib
import json
import struct
import zlib
from pathlib import Path
from typing import Any, BinaryIO

from ugcl.files import full, is_full

_HEAD = struct.Struct("<IQI")  # bytes of facts, bytes of content, CRC-32 of both


class Journal:
    """An append-only file of named items, each with some facts and some bytes.

    A file that was begun for another purpose is begun anew; an item whose end was not written is dropped.
    Only the facts are kept in memory. Use it as a context; :meth:`discard` removes the file when all is done.

    Args:
        path: the file, made with its folder if it is not there.
        purpose: what the items depend on; a journal with another purpose is of no use.
    """

    def __init__(self, path: Path, purpose: str) -> None:
        self.path = path
        self.facts: dict[str, dict[str, Any]] = {}
        self._place: dict[str, tuple[int, int]] = {}
        path.parent.mkdir(parents=True, exist_ok=True)
        self._file: BinaryIO = path.open("r+b" if path.is_file() else "w+b")
        if not self._read(purpose):
            self._file.seek(0)
            self._file.truncate()
            self._append("", {"purpose": purpose}, b"")

    def __enter__(self) -> Journal:
        return self

    def __exit__(self, *_: object) -> None:
        self._close()

    def __contains__(self, name: object) -> bool:
        return name in self.facts

    def add(self, name: str, facts: dict[str, Any], content: bytes | memoryview = b"") -> None:
        """Append an item; it is in the file when this returns, whatever then happens to the process.

        Raises:
            UgclError: the disk is full.
        """
        self._place[name] = (self._append(name, facts, content), len(content))
        self.facts[name] = facts

    def content(self, name: str) -> bytes:
        """The bytes of an item."""
        start, length = self._place[name]
        self._file.seek(start)
        return self._file.read(length)

    def discard(self) -> None:
        """Close and remove the file."""
        self._close()
        self.path.unlink(missing_ok=True)

    def _close(self) -> None:
        """Close the file; what a full disk does not take of the last item is cut off by the next reader."""
        with contextlib.suppress(OSError):
            self._file.close()

    def _append(self, name: str, facts: dict[str, Any], content: bytes | memoryview) -> int:
        head_text = json.dumps([name, facts]).encode()
        start = self._file.seek(0, 2) + _HEAD.size + len(head_text)
        checksum = zlib.crc32(content, zlib.crc32(head_text))
        try:
            self._file.write(_HEAD.pack(len(head_text), len(content), checksum))
            self._file.write(head_text)
            self._file.write(content)
            self._file.flush()
        except OSError as error:
            raise full(self.path) if is_full(error) else error from None
        return start

    def _read(self, purpose: str) -> bool:
        """Take over the whole items and cut off the rest; False where the purpose is another one."""
        size, end = self._file.seek(0, 2), 0
        self._file.seek(0)
        while len(head := self._file.read(_HEAD.size)) == _HEAD.size:
            head_length, length, checksum = _HEAD.unpack(head)
            start = end + _HEAD.size + head_length
            if start + length > size:
                break
            head_text, content = self._file.read(head_length), self._file.read(length)
            if zlib.crc32(content, zlib.crc32(head_text)) != checksum:
                break
            name, facts = json.loads(head_text)
            if end == 0:
                if facts != {"purpose": purpose}:
                    return False
            else:
                self.facts[name], self._place[name] = facts, (start, length)
            end = start + length
        self._file.truncate(end)
        return end > 0
