"""The table of a folder's clips, to be completed by whoever knows them."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from ugcl.config.corpora import FolderCorpus
from ugcl.data import tables
from ugcl.data.corpora import folder as corpora_folder
from ugcl.data.corpora import ravdess
from ugcl.data.initial.guesses import Guess, labels, speakers
from ugcl.data.recordings.files import SOUND, VIDEO, named_files, printable
from ugcl.data.recordings.pairs import is_sound, pairs
from ugcl.errors import UgclError

LABEL = "emotion"
LOOKED_INTO = 20
"""Videos without a sound file that are looked into for sound."""


@dataclass(frozen=True)
class Start:
    """What is known of a folder of media, or of a table of transcripts.

    Attributes:
        clips: clip, audio, video, speaker and emotion, sorted by clip; what is not known is "". Of a table
            all its columns.
        speaker: where the speakers come from.
        label: where the labels come from.
        has_sound: whether there is a sound file, or a video with sound among the first.
        renamed: clips whose file name cannot be a clip's name, or is that of another clip.
    """

    clips: pd.DataFrame
    speaker: Guess
    label: Guess
    has_sound: bool
    renamed: int


def start(folder: Path, speaker: str | None = None, label: str | None = None) -> Start:
    """List the clips below a folder.

    Args:
        speaker: regular expression on paths in the folder; its first group is the speaker.
        label: the same for the label.

    Raises:
        UgclError: the folder is absent or has no media, a path is not UTF-8, or a pattern does not fit.
    """
    if not folder.is_dir():
        raise UgclError(f"{folder}: not a folder; give the one that holds the media")
    files = [path.relative_to(folder) for path in named_files([str(folder)], SOUND | VIDEO)]
    odd = next((path for path in files if printable(path) != str(path)), None)
    if odd is not None:
        raise UgclError(f"{folder}: the name {printable(odd)!r} is not UTF-8; rename the file")
    found = [_columns(pair) for pair in _pairs(files)]
    paths = [audio or video for audio, video in found]
    names, renamed = _names(paths)
    who, what = speakers(paths, speaker), labels(paths, label)
    clips = pd.DataFrame(found, columns=["audio", "video"])
    clips = clips.assign(clip=names, speaker=who.values, **{LABEL: what.values})
    clips = clips[["clip", "audio", "video", "speaker", LABEL]].sort_values("clip", ignore_index=True)
    videos = [folder / video for _, video in found[:LOOKED_INTO]]
    has_sound = any(audio for audio, _ in found) or any(map(_has_sound, videos))
    return Start(clips, who, what, has_sound, renamed)


def has_words(path: Path) -> bool:
    """Whether a file is a table of clips with a column of transcripts."""
    return path.is_file() and "transcript" in tables.read(path)


def from_table(folder: Path, table: str) -> Start:
    """What a table of one's own says, which may name no media at all.

    Raises:
        UgclError: the table lacks a column, or breaks a rule of :func:`ugcl.data.corpora.folder.rows`.
    """
    clips = corpora_folder.rows(folder, FolderCorpus(adapter="folder", table=table, protocols={}))
    if LABEL not in clips:
        raise UgclError(f"{folder / table}: no column {LABEL!r}; add it, or name yours so")
    clips = clips.assign(**{kind: "" for kind in ("audio", "video") if kind not in clips})
    who, what = (Guess(clips[column].tolist(), f"column {column}") for column in ("speaker", LABEL))
    videos = [folder / name for name in clips["video"].unique() if name][:LOOKED_INTO]
    return Start(clips, who, what, (clips["audio"] != "").any() or any(map(_has_sound, videos)), 0)


def _has_sound(path: Path) -> bool:
    import av

    try:
        with av.open(str(path), metadata_errors="replace") as container:
            return bool(container.streams.audio)
    except (av.error.FFmpegError, OSError, ValueError):  # pyright: ignore[reportAttributeAccessIssue]
        return False  # the features stage says what is wrong with it


def _pairs(files: list[Path]) -> list[tuple[Path, Path | None]]:
    """Files as clips; of RAVDESS, whose kinds of media differ in the first field, by the other fields."""
    if not all(ravdess.NAME.fullmatch(path.stem) for path in files):
        return pairs(files)
    by_take: dict[str, dict[str, Path]] = defaultdict(dict)
    for path in files:
        kind, take = path.stem.split("-", 1)
        by_take[take][kind] = path
    # 01 has sound and pictures, 02 the same pictures alone, 03 the sound alone
    takes = [(kinds.get("03"), kinds.get("01") or kinds.get("02")) for kinds in by_take.values()]
    return [(sound or film, film if sound else None) for sound, film in takes]  # pyright: ignore[reportReturnType]


def _columns(pair: tuple[Path, Path | None]) -> tuple[str, str]:
    """Audio and video of a clip as the table writes them."""
    first, second = pair
    if second is not None:
        return first.as_posix(), second.as_posix()
    return (first.as_posix(), "") if is_sound(first) else ("", first.as_posix())


def _names(paths: list[str]) -> tuple[list[str], int]:
    """Names of clips: file names, else paths, with _ for what a name cannot hold; and how many changed."""
    stems = [Path(path).stem for path in paths]
    counts, taken = Counter(map(_plain, stems)), set()
    names = []
    for path, stem in zip(paths, stems, strict=True):
        name = base = _plain(stem if counts[_plain(stem)] == 1 else path.rsplit(".", 1)[0])
        number = 2
        while name in taken:
            name, number = f"{base}_{number}", number + 1
        taken.add(name)
        names.append(name)
    return names, sum(name != stem for name, stem in zip(names, stems, strict=True))


def _plain(text: str) -> str:
    return re.sub(r"[^\w.+-]+", "_", text)
