"""How long a recording is: by its header where that can be trusted, else by its packets."""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path
from typing import Any

from ugcl.data.recordings import wav

PLAIN = frozenset({".wav", ".flac", ".ogg", ".oga", ".aiff", ".aif", ".au"})
"""Endings of the files that libsndfile is asked for first, before ffmpeg."""

STREAMS = frozenset({"mov,mp4,m4a,3gp,3g2,mj2", "avi"})
"""Formats whose header counts the samples of every stream."""

FILES = frozenset({"matroska,webm", "flv", "asf", "flac", "w64", "caf"})
"""Formats whose header holds one duration for the file, that of its longest stream.

Of all other formats (ADTS, MPEG streams, WAV with a compressed coder, …) ffmpeg computes a duration from
the bit rate at the start: an estimate, which a constant silence may make ten times too long.
"""


def name_for_readers(path: Path) -> Any:
    """A file as libraries take it: its name, or the open file where its name is not valid UTF-8."""
    try:
        os.fspath(path).encode()
    except UnicodeEncodeError:
        return path.open("rb")
    return str(path)


def promised(container: Any, path: Path) -> str:
    """Who says how long the pictures and the sound of an open file are: "stream", "file", or "" where
    unknown.

    An MP3 file says it in a Xing, Info or VBRI header in its first frame.
    """
    name = container.format.name
    if name in STREAMS:
        return "stream"
    if name in FILES or (name == "mp3" and _counted_mp3(path)):
        return "file"
    return ""


def seconds(path: Path) -> float:
    """Length of a recording, seconds; NaN where it names none and has no time stamps.

    Raises:
        Exception: whatever a library raises of a file that it cannot open.
    """
    import av

    header = wav.read(path)
    if header is not None and header.open_ended and header.byte_rate:
        return header.present / header.byte_rate
    if path.suffix.lower() in PLAIN:
        plain = _plain(path)
        if plain is not None:
            return plain
    with av.open(name_for_readers(path), metadata_errors="replace") as container:
        if promised(container, path) and container.duration:  # pyright: ignore[reportAttributeAccessIssue]
            return container.duration / av.time_base  # pyright: ignore[reportAttributeAccessIssue]
    return last_packet(path)


def last_packet(path: Path) -> float:
    """Where the last packet of any stream of a file ends, seconds after its earliest stream's start.

    What cannot be read lies beyond the end. NaN where no packet has a time stamp.
    """
    import av

    end = float("nan")
    with av.open(name_for_readers(path), metadata_errors="replace") as container:
        start = origin(container)
        with suppress(av.error.FFmpegError, OSError):  # pyright: ignore[reportAttributeAccessIssue]
            for packet in container.demux():  # pyright: ignore[reportAttributeAccessIssue]
                if packet.pts is not None and packet.time_base:
                    last = float((packet.pts + (packet.duration or 0)) * packet.time_base) - start
                    end = last if end != end else max(end, last)
    return end


def origin(container: Any) -> float:
    """Time zero of a file on its own clock, seconds: the start of its earliest stream."""
    starts = [s.start_time * s.time_base for s in container.streams if s.start_time is not None]
    return float(min(starts, default=0))


def _plain(path: Path) -> float | None:
    """Length by libsndfile, None where it refuses the file, finds nothing, or only estimates."""
    import soundfile

    try:
        facts = soundfile.info(os.fsencode(path))
    except (soundfile.LibsndfileError, TypeError, OSError):
        return None
    estimated = facts.subtype.startswith("MPEG") or facts.frames > 1 << 40
    return None if estimated or facts.frames == 0 else float(facts.duration)


def _counted_mp3(path: Path) -> bool:
    with path.open("rb") as file:
        head = file.read(10)
        if head[:3] == b"ID3":  # a size of four times seven bits
            size = sum((byte & 0x7F) << shift for byte, shift in zip(head[6:], (21, 14, 7, 0), strict=True))
            file.seek(10 + size)
        else:
            file.seek(0)
        frame = file.read(512)
    return any(tag in frame for tag in (b"Xing", b"Info", b"VBRI"))
