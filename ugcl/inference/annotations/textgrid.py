"""A timeline as a TextGrid of Praat (Boersma and Weenink; format: manual page "TextGrid file formats")."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from ugcl.inference.annotations.timeline import Stretch, Timeline


def write(timeline: Timeline, path: Path) -> None:
    """Write interval tiers: emotion, confidence, p_<class>, and source, which says what made the file.

    A tier goes from 0 to the clip's duration without gaps, as Praat needs it: where no window has anything in
    it, there is an interval without text.
    """
    from praatio.data_classes.interval_tier import IntervalTier
    from praatio.data_classes.textgrid import Textgrid

    grid, end = Textgrid(0.0, timeline.duration), timeline.duration

    def tier(name: str, stretches: Iterable[Stretch]) -> None:
        entries = [(s.start, s.end, s.text) for s in stretches]
        grid.addTier(IntervalTier(name, entries, 0.0, end), reportingMode="error")

    emotions = timeline.emotions()
    tier("emotion", emotions)
    tier("confidence", [Stretch(s.start, s.end, f"{s.probability:.2f}", s.probability) for s in emotions])
    for name in timeline.classes:
        tier(f"p_{name}", timeline.of_class(name))
    tier("source", [Stretch(0.0, end, timeline.source, 1.0)])
    grid.save(str(path), "long_textgrid", includeBlankSpaces=True, reportingMode="error")
