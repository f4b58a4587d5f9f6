"""Folds that cannot leak: what a protocol's scheme gives, checked before it is written."""

from __future__ import annotations

import logging
from pathlib import Path

import pandas as pd

from ugcl.config.protocols import Groups, Protocol, SpeakerBlocks, SplitFiles
from ugcl.data import tables
from ugcl.data.folds import groups, speaker_blocks, unseen_sentences
from ugcl.data.labels import labelled
from ugcl.data.leaks import check_speakers
from ugcl.data.partitions import partition
from ugcl.errors import LeakError, UgclError

log = logging.getLogger(__name__)


def make_folds(manifest: pd.DataFrame, protocol: Protocol, root: Path) -> list[pd.DataFrame]:
    """All folds of a protocol; see :func:`make_fold`."""
    return [make_fold(manifest, protocol, root, number) for number in protocol.fold_numbers]


def make_fold(manifest: pd.DataFrame, protocol: Protocol, root: Path, number: int) -> pd.DataFrame:
    """Make and check the split table of one fold.

    Args:
        manifest: the corpus's manifest.
        protocol: label target, classes and fold scheme.
        root: the corpus's raw folder, for split files and published partitions.
        number: number of the fold, from 1.

    Returns:
        Columns clip and part, in the manifest's order (or the split file's).

    Raises:
        LeakError: parts share speakers (and the protocol does not allow it).
        UgclError: the scheme does not fit the corpus, or a part lacks a class.
    """
    clips = labelled(manifest, protocol)
    if isinstance(protocol.folds, SplitFiles):
        fold = _from_file(root / protocol.folds.files[number - 1], clips)
    else:
        parts = _parts(clips, manifest, protocol, root, number)
        fold = pd.DataFrame({"clip": clips["clip"], "part": parts})[parts != ""].reset_index(drop=True)
    try:
        check_speakers(fold, clips.set_index("clip")["speaker"], f"fold {number}")
    except LeakError as leak:
        if getattr(protocol.folds, "allow_leak", False) is not True:
            raise
        log.warning("LEAKY, kept because allow_leak is set: %s", leak)
    _check_classes(fold, clips, protocol, number)
    return fold


def _parts(
    clips: pd.DataFrame, manifest: pd.DataFrame, protocol: Protocol, root: Path, number: int
) -> pd.Series:
    scheme = protocol.folds
    if isinstance(scheme, SpeakerBlocks):
        parts = speaker_blocks(clips, scheme, number)
    elif isinstance(scheme, Groups):
        parts = groups(clips, scheme, number)
    else:
        parts = partition(clips, manifest, scheme, root, number)
    if protocol.text_independent:
        parts = unseen_sentences(clips, parts, protocol.text_independent, number)
    return parts


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
    labels = fold["clip"].map(clips.set_index("clip")["label"])
    pairs = pd.DataFrame({"part": fold["part"], "label": labels}).drop_duplicates()
    found = set(pairs.itertuples(index=False, name=None))
    for part in tables.PARTS:
        absent = [name for name in protocol.classes if (part, name) not in found]
        if absent:
            raise UgclError(f"fold {number}: {part} has no clip of class {absent[0]!r}; use fewer folds")
