"""A trained system in Python: `ugcl.load`, and what it gives."""

from __future__ import annotations

import logging
import threading
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import chdir, contextmanager
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from ugcl.config import Config
from ugcl.errors import UgclError
from ugcl.features.media.clip import Clip
from ugcl.features.media.failure import MediaError
from ugcl.identity import compare
from ugcl.inference import STEP, WINDOW, dialogue, predictions
from ugcl.inference import ensemble as inference
from ugcl.inference.api.arrays import clips_of
from ugcl.inference.api.embedding import embed
from ugcl.inference.clips import absolute, find
from ugcl.inference.ensemble import Ensemble
from ugcl.inference.observation import Observation, Observer

log = logging.getLogger(__name__)
_TURN = threading.RLock()
"""The working folder belongs to the whole process: calls of several threads wait for one another."""


@dataclass(frozen=True)
class Result:
    """What a system says of one clip.

    Attributes:
        clip: its name.
        predicted: the most probable class.
        confidence: its probability, calibrated where the system is (`Model.calibrated`).
        probabilities: class → probability.
        modalities: what was used of the clip.
        duration: its length, seconds.
        notes: what to know of it: missing modalities, several faces, a clip known from training.
        marks: SYNTHETIC where the system was trained on clips that show no people; "" otherwise.
    """

    clip: str
    predicted: str
    confidence: float
    probabilities: dict[str, float] = field(repr=False)
    modalities: tuple[str, ...]
    duration: float
    notes: tuple[str, ...] = field(repr=False)
    marks: str = ""

    @property
    def classes(self) -> list[str]:
        """Class names, in the order of the probabilities."""
        return list(self.probabilities)


class Model:
    """A trained system: its runs vote, each with its own temperature.

    Calls may come from several threads, and are then done one after the other.

    Attributes:
        config: the parameters that clips are read by.
        ensemble: the runs.
        home: the project's folder, or where a bundle's downloads are kept; None: the working folder.
        card: the model card of a bundle, Markdown; "" of a project's system.
    """

    def __init__(
        self,
        config: Config,
        ensemble: Ensemble,
        home: Path | None = None,
        weights: Mapping[str, str] | None = None,
        kept: Any = None,
        card: str = "",
    ) -> None:
        """Hold a system; see :func:`load`.

        Args:
            weights: encoder → SHA-256 that its weights have to have; default any.
            kept: what has to live as long as this.
        """
        self.config, self.ensemble, self.home, self.card = config, ensemble, home, card
        self._weights, self._kept = weights or {}, kept

    def __repr__(self) -> str:
        mark = f", {self.marks}" if self.marks else ""
        return f"<ugcl.Model {self.name}: {', '.join(self.classes)}; {len(self.ensemble.runs)} runs{mark}>"

    @property
    def name(self) -> str:
        """Benchmark and system."""
        return f"{self.ensemble.run.benchmark}/{self.ensemble.run.system}"

    @property
    def classes(self) -> list[str]:
        """Class names."""
        return list(self.ensemble.classes)

    @property
    def modalities(self) -> list[str]:
        """What it reads of a clip: audio, video, text."""
        return list(self.ensemble.infos)

    @property
    def marks(self) -> str:
        """SYNTHETIC where it was trained on clips that show no people; "" otherwise."""
        return self.ensemble.marks

    @property
    def calibrated(self) -> bool:
        """Whether its confidence was fitted on dev clips."""
        return self.ensemble.calibrated

    @cached_property
    def observer(self) -> Observer:
        """Decoders and encoders, made once.

        Raises:
            UgclError: no modality can be encoded, or an encoder has other weights than it was trained with.
        """
        with at(self.home):
            observer = Observer(self.config, self.ensemble.run, self.ensemble.infos)
        for encoder, _ in observer.encoders.values():
            expected = {"sha256": self._weights[encoder.name]} if encoder.name in self._weights else {}
            advice = f"{self.name} was trained with others; put those there, or into UGCL_MIRROR"
            compare(f"weights of {encoder.name}", encoder.settings, expected, advice)
        return observer

    def predict(self, *media: str | Path, transcript: str = "") -> Result:
        """Predict one clip.

        Args:
            media: a video or sound file, or both files of one clip.
            transcript: what is said, for systems that read text.

        Raises:
            UgclError: the files are not one clip, or nothing of it can be read.
        """
        (found,) = self._predictions([self._clip(media, transcript)])
        return self._result(found)

    def predict_folder(
        self, media: str | Path | Iterable[str | Path], turns: str | Path | None = None
    ) -> pd.DataFrame:
        """Predict all clips of a folder, a quoted pattern, or a list of files.

        Args:
            turns: for systems that judge a clip from its dialogue, or that read text: a CSV, see
                :func:`ugcl.inference.dialogue.from_table`.

        Returns:
            A row per clip, sorted by name, as in predictions.csv of `ugcl predict`: clip, audio, video,
            marks, predicted, confidence, modalities, duration, …, failure (why there is no prediction, else
            ""), p_<class>.

        Raises:
            UgclError: nothing is there.
        """
        clips, places = absolute(find(_names(media))), None
        if turns is not None:
            clips, places = dialogue.from_table(clips, Path(turns))
        rows = [found.row(self.marks) for found in self._predictions(clips, places=places)]
        classes = [f"p_{name}" for name in self.classes]
        frame = pd.DataFrame(rows)
        return frame.reindex(columns=[*(name for name in frame if name not in classes), *classes])

    def timeline(
        self, *media: str | Path, window: float = WINDOW, step: float = STEP, transcript: str = ""
    ) -> pd.DataFrame:
        """Probabilities over sliding windows of one clip.

        Args:
            media, transcript: as of :meth:`predict`.
            window: length of the windows, seconds.
            step: from one to the next, seconds.

        Returns:
            A row per window with something in it: time, start, end (seconds), modalities, p_<class>.
            :func:`ugcl.write_timeline` writes it for Praat, ELAN and players.

        Raises:
            UgclError: as of :meth:`predict`, or the clip has neither sound nor pictures.
        """
        (found,) = self._predictions([self._clip(media, transcript)], (window, step))
        self._result(found)
        if found.timeline is None:
            raise UgclError(f"{found.clip.name}: neither sound nor pictures, so there is nothing over time")
        return found.timeline

    def embed(self, media: str | Path | Iterable[str | Path], run: int = 0) -> pd.DataFrame:
        """The vector of each clip that a network classifies it by (:mod:`ugcl.inference.api.embedding`).

        Networks of different runs have nothing in common but the classes, so that vectors are of one run.

        Args:
            media: as of :meth:`predict_folder`.
            run: number of the run in `ensemble.runs`, from 0.

        Returns:
            A row per clip that could be read, by name; columns e0, e1, … The vector of a long clip is the
            mean over its stretches.

        Raises:
            UgclError: nothing could be read, or the ensemble has fewer runs.
        """
        if not 0 <= run < len(self.ensemble.models):
            raise UgclError(f"run {run} of {self.name}: it has runs 0 to {len(self.ensemble.models) - 1}")
        clips, one = absolute(find(_names(media))), self.ensemble.run.input
        seen = self._seen(clips)
        if one.by_speaker:
            seen = inference.of_one_speaker(seen)
        if one.context == "clip":
            found = [self._vectors(run, self._stretches(clip)).mean(axis=0) for clip in seen]
        else:
            found = self._vectors(run, [clip.features for clip in seen], [clip.clip for clip in seen])
        table = np.stack(list(found))
        names = pd.Index([clip.clip.name for clip in seen], name="clip")
        return pd.DataFrame(table, index=names, columns=[f"e{i}" for i in range(table.shape[1])])

    def predict_features(self, X: Any) -> np.ndarray:
        """Class probabilities of clips whose features are here already, (N, classes).

        Args:
            X: as of :meth:`ugcl.Classifier.fit`; the features are those of the encoders of the system.

        Raises:
            UgclError: the features have other columns than those that it was trained on, or the system
                standardises them over a person's clips.
        """
        if self.ensemble.run.input.by_speaker:
            raise UgclError(f"{self.name} standardises features by speaker; give it the clips of a person")
        clips = clips_of(X, self.modalities[0])
        for m, info in self.ensemble.infos.items():
            width = next((clip[m].shape[1] for clip in clips if m in clip), info.dim)
            if width != info.dim:
                raise UgclError(
                    f"X: {m} has {width} columns; {self.name} reads the {info.dim} of {info.encoder}"
                )
        return self.ensemble([{m: x.astype(np.float16) for m, x in clip.items()} for clip in clips])

    def _predictions(
        self,
        clips: Sequence[Clip],
        window: tuple[float, float] | None = None,
        places: Sequence[dialogue.Place] | None = None,
    ) -> list[predictions.Prediction]:
        with at(self.home):
            found = predictions.predictions(
                self.config, self.ensemble, list(clips), window, places, self.observer
            )
            return [replace(one, observed=None) for one in found]

    def _clip(self, media: Sequence[str | Path], transcript: str) -> Clip:
        clips = absolute(find(_names(media)))
        if len(clips) != 1:
            names = ", ".join(clip.name for clip in clips[:3])
            raise UgclError(f"{len(clips)} clips were named ({names}); give one, or use predict_folder")
        return replace(clips[0], transcript=transcript or clips[0].transcript)

    def _result(self, found: predictions.Prediction) -> Result:
        if found.failure:
            raise UgclError(f"{found.clip.name}: not predicted: {found.failure}")
        return Result(
            found.clip.name,
            found.predicted,
            found.confidence,
            dict(found.probabilities),
            tuple(found.modalities.split("+")),
            found.duration,
            tuple(found.notes),
            self.marks,
        )

    def _seen(self, clips: Sequence[Clip]) -> list[Observation]:
        seen, faults = [], {}
        with at(self.home):
            for clip in clips:
                try:
                    seen.append(self.observer(clip))
                except MediaError as error:
                    faults[clip.name] = error.detail
        for name, why in faults.items():
            if not seen:
                raise UgclError(f"{name}: cannot be read: {why}")
            log.warning("%s: left out: %s", name, why)
        return seen

    def _stretches(self, observed: Observation) -> list[dict[str, np.ndarray]]:
        places = inference.stretches(observed)
        if len(places) == 1:
            return [dict(observed.features)]
        parts = [inference.within(observed, self.ensemble.infos, *place) for place in places]
        return [part for part in parts if part] or [dict(observed.features)]

    def _vectors(self, run: int, features: Sequence[Any], clips: Sequence[Clip] | None = None) -> np.ndarray:
        """Vectors of clips in their order; `clips` where they are turns of dialogues."""
        ensemble = self.ensemble
        data = ensemble.dataset(features, dialogue.by_folder(clips) if clips else None)
        with _TURN:
            found = embed(ensemble.models[run], data, ensemble.device)
        return found[np.argsort([int(name) for name in data.clips])]


@contextmanager
def at(home: Path | None) -> Iterator[None]:
    """Context in which the paths of a project are found; None: those of the working folder."""
    with _TURN:
        if home is None or home.resolve() == Path.cwd().resolve():
            yield
        else:
            with chdir(home):
                yield


def _names(media: Any) -> list[str]:
    return [str(media)] if isinstance(media, str | Path) else [str(name) for name in media]
