"""The rows of a corpus of annotated recordings: one clip per segment of a tier."""

from __future__ import annotations

import logging
import re
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pandas as pd

from ugcl.config.corpora import SPEAKER, Annotations
from ugcl.data import sources
from ugcl.data.annotations.media import Recordings
from ugcl.data.annotations.tiers import Annotation, read
from ugcl.data.splits.clip_names import by_pattern
from ugcl.errors import UgclError

log = logging.getLogger(__name__)
ODD = re.compile(r"[^\w.+-]+")


def rows(root: Path, settings: Annotations) -> pd.DataFrame:
    """One row per segment, of all annotation files below the root.

    A clip is named by its file, its speaker where tiers are named by speakers, and its times in milliseconds,
    so that another annotation does not rename it. The recording is its dialogue, and its turn is its place
    there. A column of another tier has the text of the segment there that overlaps the clip the longest, ""
    where none does. A transcript has all segments whose middle lies in the clip, such as words of a forced
    alignment.

    Raises:
        UgclError: no file fits the patterns, a file cannot be read or lacks a tier, segments overlap or have
            no length, or a clip has no speaker.
    """
    files = sources.matches(root, settings.files)
    if not files:
        raise UgclError(
            f"{root}: no file fits annotations.files ({', '.join(settings.files)}); fix the patterns"
        )
    recordings, found = Recordings(root), []
    names = pd.Series([path.relative_to(root).as_posix() for path in files])
    known = {column: by_pattern(names, pattern, column) for column, pattern in settings.names.items()}
    for number, path in enumerate(files):
        facts = {column: values[number] for column, values in known.items()}
        found += _of_file(read(path), names[number], settings, facts, recordings)
    frame = pd.DataFrame(found)
    if frame.empty:
        raise UgclError(
            f"{root}: tier {settings.tier!r} has no labelled segment in {len(files)} files; label some"
        )
    twice = frame["clip"][frame["clip"].duplicated()]
    if len(twice):
        raise UgclError(f"{root}: two segments give a clip {twice.iloc[0]!r}; rename one of their files")
    log.info("%s: %d segments of %d annotation files", root, len(frame), len(files))
    return frame


def _of_file(
    annotation: Annotation, name: str, settings: Annotations, facts: dict[str, str], recordings: Recordings
) -> Iterator[dict[str, object]]:
    sound, film = recordings.of(annotation)
    stem = ODD.sub("_", name.removesuffix(annotation.path.suffix))
    clips = []
    for who in _speakers(annotation, settings):
        tier = annotation.clips(_named(settings.tier, who))
        clips += [(segment, who, who or tier.speaker) for segment in tier.segments]
    clips.sort(key=lambda clip: (clip[0].start, clip[0].end, clip[1]))
    texts = {
        (column, who): _Texts(annotation, _named(tier, who), whole=column == "transcript")
        for column, tier in settings.columns.items()
        for who in {who for _, who, _ in clips}
    }
    for turn, (segment, who, speaker) in enumerate(clips):
        times = f"{round(1000 * segment.start)}-{round(1000 * segment.end)}"
        columns = {column: texts[column, who].of(segment.start, segment.end) for column in settings.columns}
        row = {"speaker": speaker} | facts | columns
        if not row["speaker"]:
            raise UgclError(
                f"{annotation.path}: no speaker of the segment at {segment.start:.3f} s; give it by"
                " names.speaker, columns.speaker, {speaker} in a tier's name, or as ELAN's participant"
            )
        clip = "_".join(filter(None, (stem, ODD.sub("_", who), times)))
        yield row | {
            "clip": clip,
            "audio": sound,
            "video": film,
            "start": segment.start,
            "end": segment.end,
            "dialogue": stem,
            "turn": turn,
        }


def _speakers(annotation: Annotation, settings: Annotations) -> list[str]:
    """Who has a tier of clips in a file; one without a name where tiers are not named by speakers.

    Raises:
        UgclError: no tier fits.
    """
    if SPEAKER not in settings.tier:
        return [""]
    before, after = map(re.escape, settings.tier.split(SPEAKER))
    matches = [re.fullmatch(f"{before}(.+?){after}", name) for name in annotation.tiers]
    found = [match[1] for match in matches if match]
    if not found:
        raise UgclError(
            f"{annotation.path}: no tier fits {settings.tier!r}"
            f" (it has {', '.join(annotation.tiers) or 'none'}); fix the tier's name"
        )
    return found


def _named(tier: str, who: str) -> str:
    return tier.replace(SPEAKER, who)


class _Texts:
    """What a tier says of clips: of each the longest text, or the whole text."""

    def __init__(self, annotation: Annotation, tier: str, whole: bool) -> None:
        segments = sorted(annotation.tier(tier).segments, key=lambda one: (one.start, one.end))
        self.texts, self.whole = [one.text for one in segments], whole
        times = np.array([(one.start, one.end) for one in segments], float).reshape(-1, 2)
        self.starts, self.ends = times.T
        self.middles = (self.starts + self.ends) / 2

    def of(self, start: float, end: float) -> str:
        """The text of one clip; "" where no segment overlaps it."""
        inside = np.flatnonzero((start <= self.middles) & (self.middles < end))
        if self.whole and len(inside):
            return " ".join(self.texts[index] for index in inside)
        shared = np.minimum(end, self.ends) - np.maximum(start, self.starts)
        longest = int(shared.argmax()) if len(shared) else -1
        return self.texts[longest] if longest >= 0 and shared[longest] > 0 else ""
