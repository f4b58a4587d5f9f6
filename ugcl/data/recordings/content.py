"""What a file is that no reader of media takes: the first bytes say it."""

from __future__ import annotations

from pathlib import Path

LOOK = 512  # bytes at the start of the file
TEXT = frozenset(b"\t\n\r\f" + bytes(range(32, 127)))
KINDS = (
    (
        b"version https://git-lfs",
        "a git-lfs pointer, not the file itself; run `git lfs pull` where it came from",
    ),
    (b"%PDF", "a PDF document"),
    (b"PK\x03\x04", "a zip archive; unpack it"),
    (b"\x1f\x8b", "a gzip archive; unpack it"),
    (b"7z\xbc\xaf\x27\x1c", "a 7z archive; unpack it"),
    (b"Rar!", "a rar archive; unpack it"),
)
"""First bytes → what the file is, and what to do."""


def described(path: Path) -> str:
    """What a file is that is not media, as a remark; "" where its first bytes do not say it."""
    try:
        with path.open("rb") as file:
            head = file.read(LOOK)
    except OSError:
        return ""
    for start, kind in KINDS:
        if head.startswith(start):
            return kind
    if head.lstrip(b"\xef\xbb\xbf \t\r\n").lower().startswith((b"<!doctype html", b"<html")):
        return "a web page, as a failed download leaves it; download the file again"
    if not head.strip(b"\0"):
        return "nothing but zeros at its start, as an interrupted copy leaves it; copy the file again"
    if set(head) <= TEXT:
        return f"text, which begins {' '.join(head.decode('ascii').split())[:40]!r}"
    return ""


def is_pointer(path: Path) -> bool:
    """Whether a file is the pointer that git-lfs leaves in place of a large file."""
    return described(path) == KINDS[0][1]
