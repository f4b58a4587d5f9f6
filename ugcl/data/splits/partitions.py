"""Partitions as others publish them: files with columns and part words of their own."""

from __future__ import annotations

from pathlib import Path

import pandas as pd

from ugcl.config.protocols import Partitions
from ugcl.data import tables
from ugcl.data.splits.folds import balanced
from ugcl.data.splits.leaks import listed
from ugcl.errors import UgclError

WORDS = dict.fromkeys(("train", "training"), "train")
WORDS |= dict.fromkeys(("dev", "develop", "development", "val", "valid", "validation"), "dev")
WORDS |= dict.fromkeys(("test", "testing", "eval", "evaluation"), "test")
MEDIA = r"\.(?:wav|flac|mp3|ogg|mp4|avi|flv|mov|mkv|webm|npy|pt)$"


def part_names(column: pd.Series) -> pd.Series:
    """Part words in anyone's spelling as train, dev or test; NaN where the word is not known."""
    return column.str.strip().str.lower().map(WORDS)


def clip_names(column: pd.Series, last_fields: int = 0) -> pd.Series:
    """Names without folder and media suffix, of their last n dash-separated fields if asked."""
    names = column.str.strip().str.replace("\\", "/", regex=False).str.rsplit("/", n=1).str[-1]
    names = names.str.replace(MEDIA, "", case=False, regex=True)
    return names.str.split("-").str[-last_fields:].str.join("-") if last_fields else names


def partition(
    clips: pd.DataFrame, manifest: pd.DataFrame, scheme: Partitions, root: Path, fold: int
) -> pd.Series:
    """Parts by a published partition.

    Args:
        clips: the protocol's clips: clip, speaker, sex.
        manifest: all clips of the corpus, to tell unknown names from clips without a label of the protocol.

    Returns:
        train, dev, test or "" (not in the partition), one per clip.

    Raises:
        UgclError: a file or column is missing, a name or part word is unknown, or a clip is in two parts.
    """
    if scheme.files:
        split, source = _read(scheme, root, fold)
        own = clip_names(clips["clip"], scheme.last_fields)
        unknown = split.index.difference(clip_names(manifest["clip"], scheme.last_fields))
        if len(unknown):
            raise UgclError(
                f"{source}: {len(unknown)} clips are not in the manifest (first: {unknown[0]});"
                " complete the corpus, or fix the protocol's clip column"
            )
        parts = own.map(split).fillna("")
    else:
        source = "the manifest"
        if scheme.part not in clips:
            raise UgclError(f"folds.part: the manifest has no column {scheme.part!r}; fix the name")
        parts = _known_parts(clips[scheme.part], source)
    if scheme.dev_speakers is not None:
        if (parts == "dev").any():
            raise UgclError(f"folds.dev_speakers: {source} has a dev part of its own; drop the option")
        used = parts != ""
        by_speaker = dict(zip(clips.loc[used, "speaker"], parts[used], strict=True))
        dev = balanced(clips[used], by_speaker, scheme.dev_speakers)
        parts = parts.mask(used & clips["speaker"].isin(dev), "dev")
    return parts


def _read(scheme: Partitions, root: Path, fold: int) -> tuple[pd.Series, str]:
    """Clip → part of one fold, and what to call its source."""
    path = root / scheme.files[0 if scheme.fold else fold - 1]
    frame = tables.read(path)
    for column in filter(None, (scheme.clip, scheme.part, scheme.fold, *scheme.where)):
        if column not in frame:
            raise UgclError(f"{path}: no column {column!r}; it has {listed(list(frame))}")
    for column, value in scheme.where.items():
        frame = frame[frame[column] == value]
        if frame.empty:
            raise UgclError(f"{path}: no row has {column} {value!r}; fix folds.where")
    source = str(path)
    if scheme.fold:
        numbers = sorted(frame[scheme.fold].unique(), key=lambda text: (len(text), text))
        if len(numbers) != scheme.folds:
            raise UgclError(f"{path}: holds {len(numbers)} folds, folds.folds says {scheme.folds}; fix it")
        frame, source = frame[frame[scheme.fold] == numbers[fold - 1]], f"{path}, fold {numbers[fold - 1]}"
    split = pd.DataFrame(
        {
            "clip": clip_names(frame[scheme.clip], scheme.last_fields),
            "part": _known_parts(frame[scheme.part], source),
        }
    ).drop_duplicates()
    double = split.loc[split["clip"].duplicated(), "clip"]
    if len(double):
        raise UgclError(f"{source}: clip {double.iloc[0]!r} is in two parts; fix the file")
    return split.set_index("clip")["part"], source


def _known_parts(column: pd.Series, source: str) -> pd.Series:
    parts = part_names(column)
    strange = column[parts.isna() & (column != "")]
    if len(strange):
        raise UgclError(f"{source}: {strange.iloc[0]!r} is not a part; known: {', '.join(WORDS)}")
    return parts.fillna("")
