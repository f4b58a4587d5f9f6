"""What a complete copy of a corpus holds, so that a damaged or edited one is not taken for it."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import dataclass, field

import pandas as pd

from ugcl.errors import UgclError

log = logging.getLogger(__name__)
Selection = Mapping[str, tuple[str, ...]]


@dataclass(frozen=True)
class Release:
    """Counts that the release of a corpus is known by.

    Attributes:
        counts: pairs of a selection (column → accepted values) and the number of its clips.
    """

    clips: int  # number of rows of a complete manifest
    counts: tuple[tuple[Selection, int], ...] = field(default_factory=tuple)
    source: str = ""  # where the counts are published


def check(frame: pd.DataFrame, release: Release, corpus: str) -> None:
    """Compare a manifest with the release.

    A part of a corpus is used as it is, with a warning; a manifest of the release's size must agree.

    Raises:
        UgclError: the manifest has as many clips as the release, but others.
    """
    if len(frame) != release.clips:
        log.warning("%s: %d clips, the release has %d", corpus, len(frame), release.clips)
        return
    for selection, expected in release.counts:
        chosen = pd.Series(True, index=frame.index)
        for column, values in selection.items():
            chosen &= frame[column].isin(values)
        if chosen.sum() != expected:
            text = ", ".join(f"{column} {' or '.join(values)}" for column, values in selection.items())
            raise UgclError(
                f"{corpus}: {chosen.sum()} clips with {text}, but {expected} in the release"
                f" ({release.source}); its label files are changed or damaged: take the release's"
            )
