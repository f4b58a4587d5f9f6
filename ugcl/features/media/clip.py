"""A clip's media: where its sound and pictures come from."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from ugcl.config.features import Modality
from ugcl.data.tables import NAMED
from ugcl.features.faces import table
from ugcl.features.media.failure import MediaError
from ugcl.features.media.frame import Frame
from ugcl.features.media.interval import Interval
from ugcl.features.media.sound import RATE, STRETCH, sound, stretches
from ugcl.features.media.video import frames, sample


@dataclass(frozen=True)
class Clip:
    """One utterance as encoders see it.

    Attributes:
        audio: sound file; None where the corpus has none of its own (then the video file's sound is read).
        sound_interval: the same of the sound file alone; None where it holds this utterance and no more.
    """

    name: str  # the clip's name in the manifest
    audio: Path | None = None
    video: Path | None = None  # video file, or None
    faces: table.Track | None = None  # the face track, where the shard of face tables was made; else None
    interval: Interval | None = None  # the utterance's part of the media files; None for all of them
    sound_interval: Interval | None = None
    region: str = ""  # the speaker's half of the picture, "left" or "right"; "" for all
    transcript: str = ""  # the spoken words; "" where the corpus has none

    @classmethod
    def from_row(cls, row: Any, root: Path, faces: table.Track | None = None) -> Clip:
        """A clip from a manifest row and the root.

        The row is a mapping with clip, audio and video, and maybe start, end, cut, region and transcript. A
        start alone reaches to the file's end, an end alone begins with the file; both hold for sound and
        pictures, or for the video file alone where `cut` is "video".

        Raises:
            MediaError: the interval has no length.
        """
        audio, video = (root / row[key] if row[key] else None for key in ("audio", "video"))
        start, end = (float(row.get(key, math.nan)) for key in ("start", "end"))
        interval = None
        if not (math.isnan(start) and math.isnan(end)):
            interval = Interval(0.0 if math.isnan(start) else start, math.inf if math.isnan(end) else end)
        own = None if row.get("cut", "") == "video" else interval
        region, transcript = row.get("region", ""), row.get("transcript", "")
        return cls(row["clip"], audio, video, faces, interval, own, region, transcript)

    def names(self, modality: Modality) -> bool:
        """Whether the manifest names anything that has the modality: a file with sound, a video, words."""
        values = [getattr(self, column) for column in NAMED[modality]]
        return any(value is not None and str(value).strip() for value in values)

    def words(self) -> str:
        """The transcript without blanks around it.

        Raises:
            MediaError: no_text where the clip has none.
        """
        if words := self.transcript.strip():
            return words
        raise MediaError("no_text", f"{self.name}: the manifest has no transcript of this clip")

    def sound(self, rate: int = RATE) -> np.ndarray:
        """Mono samples, (samples,) float32 at `rate` Hz: see :func:`ugcl.features.media.sound.sound`."""
        path, interval = self._sound_source()
        return sound(path, rate, interval)

    def stretches(
        self, rate: int = RATE, notes: list[str] | None = None, seconds: float = STRETCH
    ) -> Iterator[np.ndarray]:
        """The same by stretches: see :func:`ugcl.features.media.sound.stretches`."""
        path, interval = self._sound_source()
        return stretches(path, rate, interval, notes, seconds)

    def frames(self, notes: list[str] | None = None) -> Iterator[Frame]:
        """Every frame, its time from the clip's start: see :func:`ugcl.features.media.video.frames`."""
        if self.video is None:
            raise MediaError("no_video", f"{self.name}: the manifest names no video")
        return frames(self.video, self.interval, self.region, notes)

    def _sound_source(self) -> tuple[Path, Interval | None]:
        if self.audio is not None:
            return self.audio, self.sound_interval
        if self.video is None:
            raise MediaError("no_audio", f"{self.name}: the manifest names no media with sound")
        return self.video, self.interval

    def sampled(self, fps: float) -> Iterator[tuple[float, Frame]]:
        """The video on an even grid: see :func:`ugcl.features.media.video.sample`."""
        return sample(self.frames(), fps)


def with_faces(clips: Sequence[Clip], source: Path | None) -> Iterator[Clip]:
    """Clips with their face tracks.

    Args:
        clips: in the order of their names.
        source: table of face tracks (:func:`ugcl.features.faces.table.read`), in the same order; other clips
            may be between. None leaves the clips as they are.
    """
    if source is None:
        yield from clips
        return
    tracks = table.read(source)
    name, track = next(tracks, ("", None))
    for clip in clips:
        while track is not None and name < clip.name:
            name, track = next(tracks, ("", None))
        yield replace(clip, faces=track if name == clip.name else None)
