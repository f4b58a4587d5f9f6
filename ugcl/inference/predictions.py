"""`ugcl predict`: predictions for a user's files, one row per clip, with the modalities that were used."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from ugcl import files
from ugcl.config import Config
from ugcl.data import sources, tables
from ugcl.data.recordings.files import printable
from ugcl.features.media.clip import Clip
from ugcl.features.media.failure import MediaError
from ugcl.features.progress import progress
from ugcl.inference import dialogue
from ugcl.inference import ensemble as inference
from ugcl.inference.annotations.timeline import facts
from ugcl.inference.dialogue import Place
from ugcl.inference.ensemble import Ensemble
from ugcl.inference.observation import Observation, Observer
from ugcl.plan import paths

log = logging.getLogger(__name__)
Seen = tuple[Clip, Observation | MediaError]
"""A clip with what was seen of it, or with why nothing was."""


@dataclass(frozen=True)
class Prediction:
    """One clip's result; `failure` is set and the rest empty where nothing of it could be used.

    Attributes:
        clip: its name and files.
        failure: why it has no prediction, or "".
        probabilities: class → calibrated probability.
        modalities: what the system used, joined by +.
        duration, face_share, speech: see :class:`ugcl.inference.observation.Observation`.
        notes: notes for the reader: missing modalities, clips known from training.
        timeline: rows of :func:`ugcl.inference.ensemble.timeline`, None where none was asked for, or
            where the clip has words alone.
        observed: what was decoded, kept for drawing where a timeline was asked for.
    """

    clip: Clip
    failure: str = ""
    probabilities: dict[str, float] = field(default_factory=dict)
    modalities: str = ""
    duration: float = float("nan")
    face_share: float = float("nan")
    speech: float = float("nan")
    notes: tuple[str, ...] = ()
    timeline: pd.DataFrame | None = None
    observed: Observation | None = None

    @property
    def predicted(self) -> str:
        """The most probable class, "" without a prediction."""
        return max(self.probabilities, key=self.probabilities.__getitem__, default="")

    @property
    def confidence(self) -> float:
        """Probability of the most probable class."""
        return max(self.probabilities.values(), default=float("nan"))

    def row(self, marks: str = "") -> dict[str, Any]:
        """The row of predictions.csv.

        Args:
            marks: of the ensemble that predicted it.

        Returns:
            clip, audio, video, marks, predicted, confidence, modalities, duration, face_share,
            speech_seconds, notes, failure, p_<class>.
        """
        return {
            "clip": self.clip.name,
            "audio": printable(self.clip.audio or ""),
            "video": printable(self.clip.video or ""),
            "marks": marks,
            "predicted": self.predicted,
            "confidence": self.confidence,
            "modalities": self.modalities,
            "duration": self.duration,
            "face_share": self.face_share,
            "speech_seconds": self.speech,
            "notes": "; ".join(self.notes),
            "failure": self.failure,
            **{f"p_{name}": p for name, p in self.probabilities.items()},
        }


def predictions(
    config: Config,
    ensemble: Ensemble,
    clips: list[Clip],
    window: tuple[float, float] | None = None,
    places: Sequence[Place] | None = None,
    observer: Observer | None = None,
) -> Iterator[Prediction]:
    """Predict clips one by one; a clip that cannot be read is given with its failure and the rest goes on.

    A system with `input.standardise: speaker` takes all of them for clips of one person, and reads all
    before it predicts the first. So does one with `input.context`, which judges a clip from its dialogue.

    Args:
        ensemble: the runs that vote.
        clips: what to predict.
        window: length and step of the timeline's windows, seconds; None for no timeline. A window is judged
            without the other clips of a dialogue.
        places: where each clip stands in a dialogue; default: a folder is one, in the order of names.
        observer: what decodes the clips; default one made here.

    Raises:
        UgclError: a system with speaker normalisation has one clip only.
    """
    known = _known_files(ensemble)
    seen = _observed(observer or Observer(config, ensemble.run, ensemble.infos), clips)
    if ensemble.run.input.by_speaker:
        seen = _of_one_speaker(list(seen))
    together: dict[str, np.ndarray] = {}
    if ensemble.run.input.context != "clip":
        seen = list(seen)
        together = _in_dialogues(ensemble, seen, places or dialogue.by_folder(clips))
    for clip, observed in seen:
        if isinstance(observed, MediaError):
            log.debug("%s: %s", clip.name, observed)
            yield Prediction(clip, failure=observed.detail)
            continue
        p = together[clip.name] if clip.name in together else inference.whole(ensemble, observed)
        notes = [f"no {modality} used: {why}" for modality, why in observed.missing.items()]
        notes += observed.notes
        count = len(inference.stretches(observed))
        if count > 1:
            notes.append(f"long: the mean over {count} stretches of {observed.duration / count:.0f} s")
        notes += _seen_in_training(config, ensemble, clip, known)
        timed = window if np.isfinite(observed.duration) else None
        if window and not timed:
            notes.append("no timeline: it has neither sound nor pictures")
        yield Prediction(
            clip=clip,
            probabilities=dict(zip(ensemble.classes, p.tolist(), strict=True)),
            modalities="+".join(observed.features),
            duration=observed.duration,
            face_share=observed.face_share,
            speech=observed.speech,
            notes=tuple(notes),
            timeline=_timeline(ensemble, observed, *timed) if timed else None,
            observed=observed if timed else None,
        )


def _timeline(ensemble: Ensemble, observed: Observation, length: float, step: float) -> pd.DataFrame:
    """The timeline of a clip, with what an annotation file says of it in its attrs."""
    table, clip = inference.timeline(ensemble, observed, length, step), observed.clip
    table.attrs = facts(
        clip.name,
        (clip.audio, clip.video),
        observed.duration,
        model=f"{ensemble.run.benchmark}/{ensemble.run.system}",
        marks=ensemble.marks,
        window=length,
        step=step,
    )
    return table


def _observed(observer: Observer, clips: list[Clip]) -> Iterator[Seen]:
    for clip in progress(clips, "predict", len(clips)):
        try:
            yield clip, observer(clip)
        except MediaError as error:
            yield clip, error


def _of_one_speaker(seen: list[Seen]) -> Iterator[Seen]:
    """The same, standardised over all that could be read."""
    good = [observed for _, observed in seen if isinstance(observed, Observation)]
    standardised = iter(inference.of_one_speaker(good))
    for clip, observed in seen:
        yield clip, next(standardised) if isinstance(observed, Observation) else observed


def _in_dialogues(ensemble: Ensemble, seen: Sequence[Seen], places: Sequence[Place]) -> dict[str, np.ndarray]:
    """Class probabilities of clips by name, each from its dialogue; a long one is no turn and is left out."""
    turns = [
        (clip.name, observed, place)
        for (clip, observed), place in zip(seen, places, strict=True)
        if isinstance(observed, Observation) and len(inference.stretches(observed)) == 1
    ]
    if not turns:
        return {}
    names, observed, found = zip(*turns, strict=True)
    return dict(zip(names, ensemble([one.features for one in observed], found), strict=True))


def document(ensemble: Ensemble, found: list[Prediction]) -> dict[str, Any]:
    """All predictions as one tree ready for JSON; a number that does not exist is null."""
    rows = []
    for prediction in found:
        row = {k: v for k, v in prediction.row(ensemble.marks).items() if not k.startswith("p_")}
        row["notes"] = list(prediction.notes)
        row["probabilities"] = prediction.probabilities
        if prediction.timeline is not None:
            row["timeline"] = prediction.timeline.to_dict("records")
        rows.append(row)
    tree = {"benchmark": ensemble.run.benchmark, "system": ensemble.run.system, "marks": ensemble.marks}
    tree["runs"] = [{"seed": seed, "fold": fold} for seed, fold in ensemble.runs]
    return _plain(tree | {"calibrated": ensemble.calibrated, "classes": ensemble.classes, "clips": rows})


def write(ensemble: Ensemble, found: list[Prediction], folder: Path) -> list[Path]:
    """Write predictions.csv and predictions.json into a folder."""
    classes = [f"p_{name}" for name in ensemble.classes]
    frame = pd.DataFrame([prediction.row(ensemble.marks) for prediction in found])
    front = [column for column in frame if column not in classes]
    written = [folder / "predictions.csv", folder / "predictions.json"]
    tables.write(frame.reindex(columns=[*front, *classes]), written[0])
    text = json.dumps(document(ensemble, found), indent=2, ensure_ascii=False)
    files.write(written[1], text + "\n")
    return written


def _plain(tree: Any) -> Any:
    if isinstance(tree, dict):
        return {key: _plain(value) for key, value in tree.items()}
    if isinstance(tree, list):
        return [_plain(value) for value in tree]
    if isinstance(tree, float | np.floating):
        return round(float(tree), 6) if np.isfinite(tree) else None
    return tree


def _known_files(ensemble: Ensemble) -> dict[str, str]:
    """SHA-256 → clip, of the corpus that the system was trained on; empty where its manifest is not here."""
    path = paths.manifest(ensemble.run.corpus)
    if not path.is_file():
        return {}
    manifest = tables.read_manifest(path)
    kinds = ("audio_sha256", "video_sha256")
    return {row[kind]: row["clip"] for _, row in manifest.iterrows() for kind in kinds if row[kind]}


def _seen_in_training(config: Config, ensemble: Ensemble, clip: Clip, known: dict[str, str]) -> list[str]:
    files = [path for path in (clip.audio, clip.video) if path is not None]
    digests = map(sources.sha256, files if known else [])
    name = next((known[digest] for digest in digests if digest in known), None)
    if name is None or ensemble.run.benchmark not in config.benchmarks:
        return []
    entry = config.benchmark(ensemble.run.benchmark)
    parts = {}
    for fold in config.folds(ensemble.run.benchmark):
        path = paths.split(entry.corpus, entry.protocol, fold)
        if path.is_file():
            split = tables.read_split(path)
            parts[fold] = "".join(split.loc[split["clip"] == name, "part"])
    trained = sum(parts.get(fold) in ("train", "dev") for _, fold in ensemble.runs)
    if not trained:
        return []
    unseen = next((fold for fold, part in parts.items() if part == "test"), None)
    advice = f"; --fold {unseen} did not" if unseen is not None else ""
    return [
        f"it is clip {name} of {entry.corpus}, which {trained} of {len(ensemble.runs)} runs were trained or"
        f" selected on{advice}"
    ]
