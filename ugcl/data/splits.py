"""Folds that cannot leak: speaker-disjoint train, dev and test parts, and the check that refuses others."""

from __future__ import annotations

import logging
import re
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pandas as pd

from ugcl.config.protocols import Protocol, SpeakerBlocks
from ugcl.data import tables
from ugcl.errors import LeakError, UgclError

log = logging.getLogger(__name__)
SHOWN = 8


def labelled(manifest: pd.DataFrame, protocol: Protocol) -> pd.DataFrame:
    """The manifest rows whose label is a class of the protocol."""
    return manifest[manifest[protocol.label].isin(protocol.classes)]


def make_folds(manifest: pd.DataFrame, protocol: Protocol, root: Path) -> list[pd.DataFrame]:
    """Make and check the split tables of a protocol.

    With `speaker_blocks`, sorted speakers are cut into consecutive blocks of nearly equal size; fold k tests
    on block k, takes the next block (cyclically) as dev, and trains on the others.

    Args:
        manifest: the corpus's manifest.
        protocol: label target, classes and fold scheme.
        root: the corpus's raw folder, for split files.

    Returns:
        One table a fold, columns clip and part.

    Raises:
        LeakError: parts share speakers (and the protocol does not allow it).
        UgclError: there are fewer speakers than folds, or a part lacks a class.
    """
    clips = labelled(manifest, protocol)
    if isinstance(protocol.folds, SpeakerBlocks):
        folds = _speaker_blocks(clips, protocol.folds.folds)
    else:
        folds = [_from_file(root / name, clips) for name in protocol.folds.files]
    speakers = dict(zip(manifest["clip"], manifest["speaker"], strict=True))
    for number, fold in enumerate(folds, start=1):
        try:
            check_speakers(fold, speakers, f"fold {number}")
        except LeakError as leak:
            if getattr(protocol.folds, "allow_leak", False) is not True:
                raise
            log.warning("LEAKY, kept because allow_leak is set: %s", leak)
        _check_classes(fold, clips, protocol, number)
    return folds


def check_speakers(split: pd.DataFrame, speakers: Mapping[str, str], source: str) -> None:
    """Refuse a split whose parts share a speaker.

    Args:
        split: columns clip and part.
        speakers: clip → speaker.
        source: what to call the split in the message.

    Raises:
        LeakError: names the parts and the shared speakers.
    """
    members = {
        part: {speakers[clip] for clip in rows["clip"]} for part, rows in split.groupby("part", sort=False)
    }
    for first, second in (("train", "test"), ("train", "dev"), ("dev", "test")):
        shared = sorted(members.get(first, set()) & members.get(second, set()))
        if shared:
            names = ", ".join(shared[:SHOWN]) + (f" and {len(shared) - SHOWN} more" if shared[SHOWN:] else "")
            raise LeakError(
                f"{source}: {first} and {second} share {len(shared)} speakers ({names});"
                " use a speaker-disjoint split, or set allow_leak to report it marked LEAKY"
            )


def read_partition(files: Mapping[str, Path]) -> pd.DataFrame:
    """Read a partition published as one file a part, with or without a header; the first column is the clip.

    Args:
        files: part → CSV.

    Returns:
        Columns clip and part.
    """
    frames = []
    for part, path in files.items():
        try:
            names = pd.read_csv(path, header=None, dtype=str, keep_default_na=False)[0]
        except (OSError, pd.errors.EmptyDataError) as error:
            raise UgclError(f"{path}: cannot be read ({error}); give a CSV of clips") from None
        names = names[~names.str.lower().isin(["clip", "filename", "name", "file"])]
        frames.append(pd.DataFrame({"clip": names, "part": part}))
    return pd.concat(frames, ignore_index=True)


def speakers_by_pattern(clips: pd.Series, pattern: str) -> dict[str, str]:
    r"""Speakers from clip names: the first group of a regular expression, such as `^(\d{4})_`.

    Raises:
        UgclError: the pattern has no group, is not valid, or does not match a name.
    """
    try:
        compiled = re.compile(pattern)
    except re.error as error:
        raise UgclError(f"speaker pattern {pattern!r}: {error}; mend the regular expression") from None
    if compiled.groups < 1:
        raise UgclError(f"speaker pattern {pattern!r}: has no group; put the speaker in parentheses")
    found = {}
    for clip in clips:
        match = compiled.search(clip)
        if not match:
            raise UgclError(f"speaker pattern {pattern!r}: does not match clip {clip!r}; mend the pattern")
        found[clip] = match.group(1)
    return found


def _speaker_blocks(clips: pd.DataFrame, folds: int) -> list[pd.DataFrame]:
    speakers = sorted(clips["speaker"].unique())
    if len(speakers) < folds:
        raise UgclError(
            f"folds: {folds} blocks need as many speakers, the corpus has {len(speakers)}; use fewer"
        )
    block = {name: i for i, names in enumerate(np.array_split(speakers, folds)) for name in names}
    number = clips["speaker"].map(block)
    tables_ = []
    for k in range(folds):
        part = np.where(number == k, "test", np.where(number == (k + 1) % folds, "dev", "train"))
        tables_.append(pd.DataFrame({"clip": clips["clip"].to_numpy(), "part": part}))
    return tables_


def _from_file(path: Path, clips: pd.DataFrame) -> pd.DataFrame:
    split = tables.read_split(path)
    unknown = sorted(set(split["clip"]) - set(clips["clip"]))
    if unknown:
        raise UgclError(
            f"{path}: {len(unknown)} clips are not in the manifest with a label of the protocol"
            f" (first: {unknown[0]}); remove them"
        )
    return split


def _check_classes(fold: pd.DataFrame, clips: pd.DataFrame, protocol: Protocol, number: int) -> None:
    label = clips.set_index("clip")[protocol.label]
    for part in tables.PARTS:
        members = fold.loc[fold["part"] == part, "clip"]
        absent = [name for name in protocol.classes if name not in set(label.loc[members])]
        if absent:
            raise UgclError(f"fold {number}: {part} has no clip of class {absent[0]!r}; use fewer folds")
