"""What the parts of a split share, and the check that refuses shared speakers."""

from __future__ import annotations

import logging
from collections.abc import Sequence

import numpy as np
import pandas as pd

from ugcl.config.protocols import Protocol
from ugcl.data.splits.speakers import people, variants
from ugcl.errors import LeakError

log = logging.getLogger(__name__)
PAIRS = (("train", "test"), ("train", "dev"), ("dev", "test"))
SHOWN = 8


def presence(parts: pd.Series, values: pd.Series) -> pd.DataFrame:
    """Which values occur in which part.

    Args:
        parts: part of each row.
        values: such as speakers, one per row; empty ones are left out.

    Returns:
        One row per part, one column per value, True where the part has it.
    """
    rows, names = pd.factorize(parts.to_numpy())
    columns, found = pd.factorize(values.to_numpy())
    table = np.zeros((len(names), len(found)), dtype=bool)
    table[rows[columns >= 0], columns[columns >= 0]] = True
    filled = found != ""
    return pd.DataFrame(table[:, filled], index=names, columns=found[filled])


def shared(table: pd.DataFrame) -> dict[tuple[str, str], list[str]]:
    """Values that two parts have in common.

    Args:
        table: as :func:`presence` gives it.

    Returns:
        (part, part) → the common values, sorted; only pairs that have some.
    """
    found = {}
    for first, second in PAIRS:
        if table.shape[1] and first in table.index and second in table.index:
            both = table.columns[table.loc[first].to_numpy() & table.loc[second].to_numpy()]
            if len(both):
                found[first, second] = sorted(both)
    return found


def listed(names: Sequence[str]) -> str:
    """The first names of a list and how many more there are."""
    return ", ".join(names[:SHOWN]) + (f" and {len(names) - SHOWN} more" if len(names) > SHOWN else "")


def check_fold(fold: pd.DataFrame, protocol: Protocol, number: int) -> str:
    """Refuse a fold whose parts share a speaker, except where the protocol says which may; see
    :func:`check_speakers`.

    Args:
        fold: columns part and speaker.

    Returns:
        What parts share because the protocol allows it; "" where they share nothing.

    Raises:
        LeakError: parts share speakers that they may not share.
    """
    one_side = {"dev": "train"} if protocol.dev_shares_speakers else {}
    try:
        check_speakers(fold.assign(part=fold["part"].replace(one_side)), f"fold {number}")
    except LeakError as leak:
        if getattr(protocol.folds, "allow_leak", False) is not True:
            raise
        return str(leak)
    return ""


def check_speakers(split: pd.DataFrame, source: str) -> None:
    """Refuse a split whose parts share a speaker, in whatever spellings of one id.

    Args:
        split: columns part and speaker.
        source: what to call the split in the message.

    Raises:
        LeakError: names the parts and the shared speakers.
    """
    for (first, second), names in shared(presence(split["part"], people(split["speaker"]))).items():
        raise LeakError(
            f"{source}: {first} and {second} share {len(names)} speakers ({listed(names)});"
            " use a speaker-disjoint split, or set allow_leak to report it marked LEAKY"
        )
    for group in variants(split["speaker"].unique()):
        log.warning("%s: speakers %s seem to be one person; write one id", source, " and ".join(group))
