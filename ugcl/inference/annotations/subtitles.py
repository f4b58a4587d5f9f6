"""A timeline as subtitles: SubRip (.srt) and WebVTT (W3C, Web Video Text Tracks, 2019)."""

from __future__ import annotations

import html
from pathlib import Path

from ugcl.inference.annotations.timeline import Timeline


def write(timeline: Timeline, path: Path, kind: str) -> None:
    """Write one cue per stretch: the class, its mean probability, and SYNTHETIC where the system is.

    What made the file is a comment in WebVTT. SubRip has no place for comments: there it is part of the first
    cue.

    Args:
        kind: srt or vtt.
    """
    import pysubs2

    subtitles, mark = pysubs2.SSAFile(), f" [{timeline.marks}]" if timeline.marks else ""
    for number, stretch in enumerate(timeline.emotions()):
        text = f"{stretch.text} {100 * stretch.probability:.0f} %{mark}"
        if kind == "vtt":
            text = html.escape(text, quote=False)
        elif number == 0:
            text = f"{text}\\N{timeline.source}"
        start, end = round(1000 * stretch.start), round(1000 * stretch.end)
        subtitles.append(pysubs2.SSAEvent(start, end, text))
    text = subtitles.to_string(kind, keep_ssa_tags=True)
    if kind == "vtt":
        head, _, cues = text.partition("\n\n")
        note = html.escape(f"{timeline.clip}: {timeline.source}", quote=False)
        text = f"{head}\n\nNOTE {note}\n\n{cues}"
    path.write_text(text, encoding="utf-8")
