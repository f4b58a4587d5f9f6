"""From a manifest's label columns to a protocol's classes: merged names, and shares of the raters' votes."""

from __future__ import annotations

import unicodedata
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence

import numpy as np
import pandas as pd

from ugcl.config.protocols import Protocol
from ugcl.errors import UgclError


def folded(column: pd.Series, names: Iterable[str]) -> tuple[pd.Series, pd.Series]:
    """Labels that differ from a name in case and blanks alone, written as that name.

    Args:
        column: labels.
        names: classes, and labels that count as one. Of names that differ in case alone none is folded to.

    Returns:
        The column, and how often each spelling was changed.
    """
    known: dict[str, set[str]] = defaultdict(set)
    for name in names:
        known[spelling(name)].add(name)
    only = {key: next(iter(found)) for key, found in known.items() if len(found) == 1}
    exact = set().union(*known.values()) if known else set()
    new = {label: only.get(spelling(label), label) for label in column.unique() if label not in exact}
    new = {label: name for label, name in new.items() if label != name}
    return column.replace(new) if new else column, column[column.isin(new)].value_counts(sort=False)


def spelling(text: str) -> str:
    """A text without what spellings of one name differ in: case, blanks, and invisible characters."""
    plain = unicodedata.normalize("NFKC", text).translate(dict.fromkeys((0x200B, 0xFEFF, 0x00AD)))
    return " ".join(plain.split()).casefold()


def merged(column: pd.Series, merge: Mapping[str, str]) -> pd.Series:
    """A label column with the names of `merge` replaced by the classes they count as."""
    return column.replace(dict(merge)) if merge else column


def labelled(manifest: pd.DataFrame, protocol: Protocol) -> pd.DataFrame:
    """The clips of a protocol: those whose label is one of its classes and that it does not exclude.

    Returns:
        The manifest's rows, in their order, with the class name in the column label.

    Raises:
        UgclError: the manifest lacks the label column.
    """
    if protocol.label not in manifest:
        raise UgclError(f"the manifest has no column {protocol.label!r}; fix the protocol's label")
    label = merged(manifest[protocol.label], protocol.merge)
    keep = label.isin(protocol.classes)
    if protocol.exclude:
        keep &= ~manifest["clip"].isin(protocol.exclude)
    return manifest[keep].assign(label=label[keep])


def vote_column(manifest: pd.DataFrame, prefix: str, label: str) -> str | None:
    """The column that counts a label's votes: `<prefix>_happy`, or the corpus's code as in `<prefix>_HAP`."""
    names = (f"{prefix}_{label}", f"{prefix}_{label[:3].upper()}")
    return next((name for name in names if name in manifest), None)


def vote_shares(
    manifest: pd.DataFrame, prefix: str, classes: Sequence[str], merge: Mapping[str, str] | None = None
) -> np.ndarray:
    """Share of each class among a clip's votes for any of the classes.

    Args:
        manifest: has the columns `<prefix>_<class>` with counts.
        prefix: such as votes_multimodal.
        merge: label → class that its votes are added to.

    Returns:
        (clips, classes) float64; rows sum to one, or are NaN where there are no votes for a class.

    Raises:
        UgclError: a class has no vote column.
    """
    counts = np.zeros((len(manifest), len(classes)))
    for label, target in [*((name, name) for name in classes), *(merge or {}).items()]:
        column = vote_column(manifest, prefix, label)
        if column is not None:
            counts[:, list(classes).index(target)] += manifest[column].astype(float).fillna(0).to_numpy()
        elif label == target:
            raise UgclError(f"the manifest has no column {prefix}_{label}; fix the prefix or the classes")
    total = counts.sum(axis=1, keepdims=True)
    return np.divide(counts, total, out=np.full_like(counts, np.nan), where=total > 0)


def units(clips: pd.DataFrame, kind: str) -> pd.Series:
    """What intervals draw as a whole: the speaker of each clip, or its dialogue.

    A clip without a dialogue counts as one of its own.

    Args:
        clips: clip, speaker and, where there are dialogues, dialogue ("" = none).
        kind: `intervals` of a protocol, speaker or dialogue.

    Raises:
        UgclError: no clip has a dialogue.
    """
    if kind == "speaker":
        return clips["speaker"]
    if "dialogue" not in clips or (clips["dialogue"] == "").all():
        raise UgclError(
            "intervals: dialogue, but the manifest has no dialogue of any clip; fill its column dialogue, or"
            " set the protocol's intervals to speaker"
        )
    return clips["dialogue"].where(clips["dialogue"] != "", clips["clip"])
