"""What the parts of a split share, and the check that refuses shared speakers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import pandas as pd

from ugcl.errors import LeakError

PAIRS = (("train", "test"), ("train", "dev"), ("dev", "test"))
SHOWN = 8


def shared(parts: pd.Series, values: pd.Series) -> dict[tuple[str, str], list[str]]:
    """Values that two parts have in common; empty ones are not compared.

    Args:
        parts: part of each row.
        values: what to compare, such as speakers, one a row.

    Returns:
        (part, part) → the common values, sorted; only pairs that have some.
    """
    pairs = pd.DataFrame({"part": parts.to_numpy(), "value": values.to_numpy()}).drop_duplicates()
    pairs = pairs[pairs["value"] != ""]
    members = {part: set(rows["value"]) for part, rows in pairs.groupby("part", sort=False)}
    found = {}
    for first, second in PAIRS:
        both = members.get(first, set()) & members.get(second, set())
        if both:
            found[first, second] = sorted(both)
    return found


def listed(names: Sequence[str]) -> str:
    """The first names of a list and how many more there are."""
    return ", ".join(names[:SHOWN]) + (f" and {len(names) - SHOWN} more" if len(names) > SHOWN else "")


def check_speakers(split: pd.DataFrame, speakers: Mapping[str, str] | pd.Series, source: str) -> None:
    """Refuse a split whose parts share a speaker.

    Args:
        split: columns clip and part.
        speakers: clip → speaker.
        source: what to call the split in the message.

    Raises:
        LeakError: names the parts and the shared speakers.
    """
    for (first, second), names in shared(split["part"], split["clip"].map(speakers)).items():
        raise LeakError(
            f"{source}: {first} and {second} share {len(names)} speakers ({listed(names)});"
            " use a speaker-disjoint split, or set allow_leak to report it marked LEAKY"
        )
