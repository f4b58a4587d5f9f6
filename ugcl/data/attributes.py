"""What a corpus says of a clip beside its class: how strong the emotion is, how many raters agree."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from ugcl.config.protocols import Protocol
from ugcl.data.labels import vote_shares
from ugcl.errors import UgclError

LEVELS = {"LO": 0.0, "MD": 0.5, "HI": 1.0, "normal": 0.0, "strong": 1.0}
"""The manifest's level → intensity; others, such as CREMA-D's XX, are unknown."""


def attribute_values(clips: pd.DataFrame, names: Sequence[str], protocol: Protocol) -> pd.DataFrame:
    """Attributes of clips, 0..1 and NaN where unknown.

    Args:
        clips: rows of a manifest, with the class in the column label.
        names: `intensity`, from the level that the actor was asked for; or a channel of the ratings, such as
            voice: the share of its votes, among those for any class, that are for the clip's own.
        protocol: classes, and what counts as them.

    Returns:
        A column for each name, with the index of the clips.

    Raises:
        UgclError: not one clip has any of the attributes.
    """
    values = {
        name: _intensity(clips) if name == "intensity" else _share(clips, name, protocol) for name in names
    }
    frame = pd.DataFrame(values, index=clips.index, dtype="float64")
    if frame.isna().all(axis=None):
        raise UgclError(
            f"no training clip has one of the attributes {', '.join(names)}; choose others in"
            " method.attributes (levels and votes are columns of the manifest), or another method"
        )
    return frame


def _intensity(clips: pd.DataFrame) -> np.ndarray:
    return clips["level"].map(LEVELS).to_numpy("float64")


def _share(clips: pd.DataFrame, channel: str, protocol: Protocol) -> np.ndarray:
    """Unknown where the corpus has no votes of the channel, or the clip none for a class."""
    prefix = f"votes_{channel}"
    if not any(column.startswith(f"{prefix}_") for column in clips):
        return np.full(len(clips), np.nan)
    shares = vote_shares(clips, prefix, protocol.classes, protocol.merge)
    own = clips["label"].map({name: i for i, name in enumerate(protocol.classes)}).to_numpy()
    return shares[np.arange(len(clips)), own]
