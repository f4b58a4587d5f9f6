"""The features of a user's clip by modality, and why one is missing."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from ugcl.config import Config, Run
from ugcl.data.shards import FeatureInfo
from ugcl.errors import UgclError
from ugcl.features.build import build
from ugcl.features.encoder import Encoder, info
from ugcl.features.extract import vectors
from ugcl.features.faces.build import build as build_detector
from ugcl.features.faces.survey import look
from ugcl.features.faces.table import Track
from ugcl.features.media.activity import Sound, listen
from ugcl.features.media.clip import Clip
from ugcl.features.media.failure import MediaError


@dataclass(frozen=True)
class Observation:
    """One clip after decoding, tracking and encoding.

    Attributes:
        clip: where it came from.
        features: modality → (frames, dim) float16, of the modalities that could be read.
        missing: modality → why it is not used.
        heard: the sound's length and level over time, None without any.
        track: the face track, None where no encoder reads faces.
        notes: notes about the files: several faces, several tracks, gaps.
    """

    clip: Clip
    features: Mapping[str, np.ndarray]
    missing: Mapping[str, str]
    heard: Sound | None
    track: Track | None
    notes: Sequence[str] = ()

    @property
    def duration(self) -> float:
        """Seconds of the longer of sound and pictures; NaN where neither was decoded."""
        ends = [self.heard.seconds] if self.heard is not None else []
        if self.track is not None and len(self.track.times):
            steps = np.diff(self.track.times)
            ends.append(float(self.track.times[-1] + (np.median(steps) if len(steps) else 0.0)))
        return max(ends, default=float("nan"))

    @property
    def face_share(self) -> float:
        """Share of the video's frames with a tracked face, 0..1; NaN where none was looked for."""
        if self.track is None or not len(self.track.times):
            return float("nan")
        return float(self.track.visible.mean())

    @property
    def speech(self) -> float:
        """Seconds of speech by energy (:mod:`ugcl.features.media.activity`); NaN without sound."""
        return self.heard.speech if self.heard is not None else float("nan")


class Observer:
    """Decodes, tracks and encodes clips as a run's training data were.

    Encoders have the settings on the run's card, not those that params.yaml has now. A modality whose
    features were precomputed cannot be computed from a clip and is missing in every clip.
    """

    def __init__(self, config: Config, run: Run, infos: Mapping[str, FeatureInfo]) -> None:
        """Build the encoders.

        Args:
            config: the parameters; faces, mirror and corpus root are taken from there.
            run: the resolved parameters on the card.
            infos: modality → features on the card.

        Raises:
            UgclError: no modality is left, or an encoder no longer gives what the system was trained on.
        """
        self.faces = config.faces
        self.encoders: dict[str, tuple[Encoder, int]] = {}
        self.never: dict[str, str] = {}
        own = config.model_copy(update={"encoders": {**config.encoders, **run.encoders}})
        for modality in run.input.modalities:
            name = run.features[modality]
            entry = run.encoders[name]
            if entry.precomputed:
                self.never[modality] = f"its features are precomputed ({name}): a clip has none"
                continue
            encoder = build(own, run.corpus, name)
            if info(encoder, entry.pool) != infos[modality]:
                raise UgclError(
                    f"{run.benchmark}/{run.system}: encoder {name!r} now gives other {modality} features than"
                    " the system was trained on; set its weights back, or train again"
                )
            self.encoders[modality] = (encoder, entry.pool)
        if not self.encoders:
            raise UgclError(
                f"{run.benchmark}/{run.system}: all its features are precomputed, so that no clip can"
                " be encoded; choose a system that reads another modality"
            )
        self.tracks = any(encoder.needs_faces for encoder, _ in self.encoders.values())
        self.detect = build_detector(config) if self.tracks else None

    def __call__(self, clip: Clip) -> Observation:
        """Observe one clip.

        Raises:
            MediaError: no modality could be read; the text gives the reason of each.
        """
        notes: list[str] = []
        heard, sound_fault = None, ""
        try:
            heard = listen(clip.stretches(notes=notes))
        except MediaError as error:
            sound_fault = str(error)
        track = None
        if self.detect is not None and clip.video is not None:
            seen = look(clip, self.detect, self.faces)
            track, notes = seen.track, [*notes, *seen.notes]
        features: dict[str, np.ndarray] = {}
        missing = dict(self.never)
        for modality, (encoder, window) in self.encoders.items():
            if modality == "audio" and heard is None:
                missing[modality] = sound_fault
                continue
            if modality == "video" and clip.video is None:
                missing[modality] = "no video file was given"
                continue
            try:
                features[modality] = vectors(encoder, replace(clip, faces=track), window)
            except MediaError as error:
                missing[modality] = str(error)
        if not features:
            reasons = set(missing.values())
            if len(reasons) > 1:
                reasons = [f"{modality}: {why}" for modality, why in missing.items()]
            raise MediaError("unreadable", "; ".join(reasons))
        return Observation(clip, features, missing, heard, track, tuple(notes))
