"""Folds that cannot leak: what a protocol's scheme gives, checked before it is written."""

from __future__ import annotations

import logging
from pathlib import Path

import pandas as pd

from ugcl.config.protocols import Groups, Protocol, SpeakerBlocks, SplitFiles, Stratified
from ugcl.data import tables
from ugcl.data.labels import labelled, units
from ugcl.data.splits.folds import groups, speaker_blocks, unseen_sentences
from ugcl.data.splits.leaks import check_fold, presence
from ugcl.data.splits.partitions import partition
from ugcl.data.splits.stratified import stratified
from ugcl.errors import UgclError

log = logging.getLogger(__name__)


def make_fold(manifest: pd.DataFrame, protocol: Protocol, root: Path, number: int) -> pd.DataFrame:
    """Make and check the split table of one fold.

    Args:
        protocol: label target, classes and fold scheme.
        root: the corpus's raw folder, for split files and published partitions.

    Returns:
        Columns clip and part, in the manifest's order (or the split file's).

    Raises:
        LeakError: parts share speakers (and the protocol does not allow it).
        UgclError: the scheme does not fit the corpus, a part lacks a class, or intervals are to be by
            dialogue and the manifest has none.
    """
    needed = {"clip", "speaker", "sex", "sentence", "dialogue", protocol.label, *_columns(protocol)}
    needed &= set(manifest)
    clips = labelled(manifest[sorted(needed)], protocol)
    if isinstance(protocol.folds, SplitFiles):
        fold = _from_file(root / protocol.folds.files[number - 1], clips)
    else:
        fold = clips.assign(part=_parts(clips, manifest, protocol, root, number))
        fold = fold[fold["part"] != ""]
    if leak := check_fold(fold, protocol, number):
        log.warning("LEAKY, kept because allow_leak is set: %s", leak)
        if protocol.intervals == "speaker":
            log.warning(
                "fold %d: speakers recur in its parts, so intervals over speakers are not of new people;"
                " set the protocol's `intervals: dialogue` where the corpus has dialogues",
                number,
            )
    if protocol.intervals == "dialogue":
        units(fold, "dialogue")
    _check_classes(fold, protocol, number)
    return fold[["clip", "part"]].reset_index(drop=True)


def _parts(
    clips: pd.DataFrame, manifest: pd.DataFrame, protocol: Protocol, root: Path, number: int
) -> pd.Series:
    scheme = protocol.folds
    if isinstance(scheme, SpeakerBlocks):
        parts = speaker_blocks(clips, scheme, number)
    elif isinstance(scheme, Stratified):
        parts = stratified(clips, scheme, number)
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
    known = [name for name in ("clip", "speaker", "label", "dialogue") if name in clips]
    return split.merge(clips[known], on="clip", how="left")


def _columns(protocol: Protocol) -> set[str]:
    """Columns of the manifest that the scheme itself names."""
    scheme = protocol.folds
    named = {"groups": ("column", "within"), "partitions": ("part",)}.get(scheme.scheme, ())
    return {getattr(scheme, name) for name in named} - {None}


def _check_classes(fold: pd.DataFrame, protocol: Protocol, number: int) -> None:
    found = presence(fold["part"], fold["label"]).reindex(
        index=list(tables.PARTS), columns=protocol.classes, fill_value=False
    )
    for part, row in found.iterrows():
        absent = row.index[~row]
        if len(absent):
            clips = fold[fold["label"] == absent[0]]
            other = "" if isinstance(protocol.folds, Stratified) else ", the fold scheme stratified"
            raise UgclError(
                f"fold {number}: {part} has no clip of class {absent[0]!r} (it has {len(clips)} clips of"
                f" {clips['speaker'].nunique()} speakers in all parts); use fewer folds{other}, or drop the"
                " class"
            )
