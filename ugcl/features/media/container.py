"""Opening media files with ffmpeg (PyAV), and the choice of a stream; every fault is the file's."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from ugcl.data.recordings.content import described
from ugcl.data.recordings.length import name_for_readers
from ugcl.features.media.ending import box_past_end
from ugcl.features.media.failure import MediaError


def check_file(path: Path) -> None:
    """Refuse what is not a file with something in it.

    Raises:
        MediaError: missing, or empty.
    """
    if path.is_symlink() and not path.exists():
        raise MediaError("missing", f"{path}: a link to {path.readlink()}, which does not exist")
    if not path.is_file():
        raise MediaError("missing", f"{path}: no such file")
    if path.stat().st_size == 0:
        raise MediaError("empty", f"{path}: the file has zero bytes")


def refused(path: Path, error: Exception) -> MediaError:
    """What a reader's fault says of a file.

    Libraries raise exceptions of many kinds, not all of them their own: whatever comes is this file's
    failure, so that one bad file never ends a run.
    """
    if isinstance(error, MediaError):
        return error
    kind = described(path)
    if kind:
        return MediaError("missing" if "git-lfs" in kind else "unreadable", f"{path}: the file is {kind}")
    reason = getattr(error, "strerror", None) or str(error) or type(error).__name__
    return MediaError("truncated" if box_past_end(path) else "unreadable", f"{path}: {reason}")


@contextmanager
def open_container(path: Path, **options: str) -> Iterator[Any]:
    """Open a media file with PyAV and turn every reading fault into a :class:`MediaError`."""
    import av

    check_file(path)
    try:
        # Tags in another encoding than UTF-8 are not looked at, and must not matter.
        container = av.open(name_for_readers(path), options=options, metadata_errors="replace")
    except Exception as error:
        raise refused(path, error) from None
    with container:
        try:
            yield container
        except Exception as error:
            raise refused(path, error) from error


def decode(container: Any, stream: Any, path: Path) -> Iterator[Any]:
    """Decode one stream; a fault after the first frame means that the file was cut."""
    stream.codec_context.thread_count = 1  # shards are the unit of parallel work
    count = 0
    try:
        for item in container.decode(stream):
            count += 1
            yield item
    except Exception as error:
        fault = refused(path, error)
        failure = "truncated" if count else fault.failure
        raise MediaError(failure, f"{fault.detail} after {count} frames") from None


def choose(streams: Any, kind: str, notes: list[str] | None = None) -> Any:
    """The stream that players play: the first one marked as default, else the first.

    Args:
        streams: of one kind, as a container lists them; pictures that only illustrate a sound are left out.
        kind: what to call one in a note.

    Returns:
        The stream, None where there is none.
    """
    found = [s for s in streams if not (s.disposition & s.disposition.attached_pic)]
    if not found:
        return None
    chosen = next((s for s in found if s.disposition & s.disposition.default), found[0])
    if len(found) > 1 and notes is not None:
        why = "marked as default" if chosen.disposition & chosen.disposition.default else "the first"
        notes.append(f"{len(found)} {kind} in the file; number {found.index(chosen) + 1} is used ({why})")
    return chosen
