"""Whether a media file ends before it says it does."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from ugcl.data.recordings.length import last_packet, origin, promised
from ugcl.features.media.failure import MediaError

# A stream may end this much before its declared duration without being called truncated, seconds.
END_TOLERANCE = 0.25


def check_end(path: Path, container: Any, stream: Any, end: float) -> None:
    """Refuse a stream that ends before its file says.

    Where the format holds one duration for the whole file (flv, Matroska) it is that of the longest stream:
    this one may be shorter, as long as another reaches the file's end. An estimate is not a promise.

    Args:
        path: the file, for another look at it.
        container, stream: the open file, read to its end.
        end: where the stream ended, seconds after its earliest stream's start.

    Raises:
        MediaError: truncated.
    """
    kind = promised(container, path)
    if kind == "stream" and stream.duration is not None:
        first = float((stream.start_time or 0) * stream.time_base) - origin(container)
        declared = first + float(stream.duration * stream.time_base)
        cut = end < declared - END_TOLERANCE
    elif kind and container.duration:
        declared, tolerance = container.duration / 1e6, 2 * END_TOLERANCE  # microseconds, coarsely kept
        cut = end < declared - tolerance and not last_packet(path) >= declared - tolerance
    else:
        return
    if cut:
        what = "pictures end" if stream.type == "video" else "the sound ends"
        raise MediaError("truncated", f"{path}: {what} at {end:.2f} s of {declared:.2f} s")


def box_past_end(path: Path) -> bool:
    """Whether an ISO (mp4) file's top-level boxes say that bytes are missing (ISO/IEC 14496-12, §4.2)."""
    size, offset, names = path.stat().st_size, 0, []
    with path.open("rb") as file:
        while offset + 8 <= size:
            file.seek(offset)
            length, name = int.from_bytes(file.read(4), "big"), file.read(4)
            if not names and name != b"ftyp":
                return False
            names.append(name)
            if length == 1:
                length = int.from_bytes(file.read(8), "big")
            elif length == 0:
                length = size - offset
            if length < 8 or offset + length > size:
                return True
            offset += length
    return bool(names) and (b"moov" not in names or offset != size)
