"""From uploaded and recorded files to clips, within the limits of a server."""

from __future__ import annotations

import os
import re
import secrets
import shutil
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from ugcl.data.recordings import length
from ugcl.errors import UgclError
from ugcl.features.media.clip import Clip
from ugcl.features.media.failure import FAILURES
from ugcl.inference.clips import WORDS, find, read_words

MOST = 50
"""Files that are predicted at a time."""
CODES = re.compile(rf"\b(?:{'|'.join(FAILURES)}): ")


@dataclass(frozen=True)
class Limits:
    """What one file may have.

    Attributes:
        megabytes: its size, 10^6 bytes.
        seconds: its length.
    """

    megabytes: float = 100
    seconds: float = 300


@dataclass(frozen=True)
class Batch:
    """The clips of one request.

    Attributes:
        folder: holds their files, and what is made of them.
        clips: those within the limits.
        refused: name → why a clip is not among them.
    """

    folder: Path
    clips: list[Clip]
    refused: dict[str, str]


def batch(
    scratch: Path,
    files: Sequence[str | Path],
    recordings: Iterable[tuple[str, str | Path | None]],
    limits: Limits,
) -> Batch:
    """Lay files into a folder of their own, so that a sound, a video and a text of one name are one clip.

    Args:
        scratch: where the folder is made, under a name that nobody can guess.
        files: uploaded ones.
        recordings: name and file of what was recorded; None where nothing was.
        limits: of each file. Sizes are refused when files arrive (:mod:`ugcl.app.serve`), and again here.

    Raises:
        UgclError: no file was given, or more than :data:`MOST`.
    """
    named = [(Path(file).name, Path(file)) for file in files]
    named += [(name + Path(file).suffix, Path(file)) for name, file in recordings if file is not None]
    if not named:
        raise UgclError("no clip yet: drop or choose a file, or record one")
    if len(named) > MOST:
        raise UgclError(f"{len(named)} files: at most {MOST} are predicted at a time; remove some")
    folder = scratch / secrets.token_hex(16)
    folder.mkdir(mode=0o700)
    try:
        return _within(folder, [_laid(folder, name, file) for name, file in named], limits)
    except BaseException:
        shutil.rmtree(folder, ignore_errors=True)
        raise


def _laid(folder: Path, name: str, file: Path) -> Path:
    target = _free(folder, name)
    try:
        os.link(file, target)
    except OSError:  # another disk, or a file system without links
        shutil.copyfile(file, target)
    return target


def _within(folder: Path, laid: Sequence[Path], limits: Limits) -> Batch:
    """The clips of laid files; a text that cannot be read is taken away and reported."""
    found, refused = [], {}
    for path in [path for path in laid if path.suffix.lower() == WORDS]:
        try:
            read_words(path)
        except UgclError as error:
            refused[path.name] = sentence(str(error), folder)
            path.unlink()
    left = [str(path) for path in laid if path.name not in refused]
    for clip in find(left) if left else []:
        clip = replace(clip, name=sentence(clip.name, folder))  # equal stems are told apart by their paths
        fault = next((why for path in (clip.audio, clip.video) if path and (why := beyond(path, limits))), "")
        if fault:
            refused[clip.name] = fault
        else:
            found.append(clip)
    return Batch(folder, found, refused)


def beyond(path: Path, limits: Limits) -> str:
    """Why a file is beyond the limits; "" where it is within them, or its length is not known."""
    size = path.stat().st_size
    if size > limits.megabytes * 1e6:
        return f"{path.name} has {size / 1e6:.0f} MB, and at most {limits.megabytes:g} MB are taken; cut it"
    try:
        seconds = length.seconds(path)
    except Exception:  # what cannot be opened is reported when it is decoded
        return ""
    if seconds > limits.seconds:
        return f"{path.name} is {seconds:.0f} s long, and at most {limits.seconds:g} s are taken; cut it"
    return ""


def with_words(clips: Sequence[Clip], transcript: str) -> list[Clip]:
    """The same clips; a transcript that was typed is that of the one clip.

    Raises:
        UgclError: there are several.
    """
    words = " ".join(transcript.split())
    if not words:
        return list(clips)
    if len(clips) != 1:
        raise UgclError(
            f"a transcript was typed for {len(clips)} clips; add text files ({WORDS}) of their names"
        )
    return [replace(clips[0], transcript=words)]


def sentence(text: str, folder: Path) -> str:
    """What is said of a clip in plain words: without codes of failures and without folders of the server."""
    return CODES.sub("", text).replace(f"{folder}{os.sep}", "").replace(str(folder), "")


def _free(folder: Path, name: str) -> Path:
    """A path in a folder that no other file has: files from two places may share a name."""
    path, number = folder / name, 1
    while path.exists():
        number += 1
        path = folder / f"{Path(name).stem} ({number}){Path(name).suffix}"
    return path
