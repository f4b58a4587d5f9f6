"""A trained system on a user's own clips: an ensemble of its runs with calibrated confidence."""

from __future__ import annotations

import itertools
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pandas as pd
import torch
from torch import nn

from ugcl.config import Config, Run
from ugcl.config.load import PARAMS
from ugcl.data.dataset import ClipDataset
from ugcl.data.moments import moments, standardised
from ugcl.data.shards import FeatureInfo
from ugcl.data.stores import Held
from ugcl.devices import choose_device
from ugcl.errors import UgclError
from ugcl.inference import temperature
from ugcl.inference.dialogue import Place
from ugcl.inference.observation import Observation
from ugcl.inference.probabilities import probabilities
from ugcl.plan import paths
from ugcl.plan.evaluation import chosen
from ugcl.training.state.checkpoint import load_run
from ugcl.training.state.records import CARD, Card

LONGEST = 120.0  # seconds of a clip that go through the networks at a time


@dataclass(frozen=True)
class Ensemble:
    """Runs of one system that vote: the mean of their probabilities.

    Each run's probabilities are scaled by the temperature that its dev clips gave
    (:mod:`ugcl.inference.temperature`) before the mean is taken. The mean of calibrated runs is a little
    less confident than it could be; it is not fitted again, as no clip is unseen by all runs.

    Attributes:
        run: the parameters on the first run's card.
        infos: modality → its features.
        runs: seed and fold of each run.
        models: their networks.
        temperatures: theirs; 1 where none was fitted.
        calibrated: whether all were fitted.
        marks: SYNTHETIC where a run was trained on clips that show no people, as its card says; "" otherwise.
        batch: clips per batch.
        device: where the networks run.
        folders: where the runs lie; empty for those of a bundle.
    """

    run: Run
    infos: Mapping[str, FeatureInfo]
    runs: Sequence[tuple[int, int]]
    models: Sequence[nn.Module]
    temperatures: Sequence[float]
    calibrated: bool
    marks: str = ""
    batch: int = 64
    device: torch.device | str = "cpu"
    folders: Sequence[Path] = ()

    @property
    def classes(self) -> list[str]:
        """Class names in the order of the probabilities."""
        return self.run.protocol.classes

    def __call__(
        self, features: Sequence[Mapping[str, np.ndarray]], places: Sequence[Place] | None = None
    ) -> np.ndarray:
        """Class probabilities of clips, (clips, classes).

        Args:
            features: of each clip, modality → (frames, dim); a modality that is not there is missing, and
                the network's missing-modality token stands for it.
            places: of each clip, where it stands in a dialogue; None = each is judged by itself.
        """
        clips = self.dataset(features, places)
        each = [
            temperature.scale(probabilities(model, clips, self.batch, self.device), t)
            for model, t in zip(self.models, self.temperatures, strict=True)
        ]
        return np.mean(each, axis=0)[np.argsort([int(name) for name in clips.clips])]

    def dataset(
        self, features: Sequence[Mapping[str, np.ndarray]], places: Sequence[Place] | None = None
    ) -> ClipDataset:
        """The clips as the networks read them, named by their number; arguments as of the call."""
        names = [str(i) for i in range(len(features))]
        stores = {}
        for m, info in self.infos.items():
            having = [(n, f[m]) for n, f in zip(names, features, strict=True) if m in f]
            stores[m] = Held(info, {n: torch.from_numpy(x) for n, x in having})
        # No label is known, and none reaches a network; the dataset asks for one.
        rows = pd.DataFrame({"clip": names, "speaker": "", "label": self.classes[0]})
        if places is not None:
            rows = rows.assign(**pd.DataFrame([vars(place) for place in places]))
        return ClipDataset(rows, stores, self.classes, context="clip" if places is None else "dialogue")


def load(
    config: Config, benchmark: str, system: str, fold: int | None = None, seed: int | None = None
) -> Ensemble:
    """The ensemble of a system's runs: all seeds and folds, or those of one fold or seed.

    Raises:
        UgclError: a name is unknown, or a run was not trained.
    """
    entry = config.benchmark(benchmark)
    chosen(config, benchmark, [system])
    folds = config.folds(benchmark)
    if fold is not None and fold not in folds:
        raise UgclError(f"{benchmark} has no fold {fold}; choose from {', '.join(map(str, folds))}")
    if seed is not None and seed not in entry.seeds:
        raise UgclError(f"{benchmark} has no seed {seed}; choose from {', '.join(map(str, entry.seeds))}")
    runs = [(s, k) for s in entry.seeds for k in folds if fold in (None, k) and seed in (None, s)]
    return of_folders(config, [paths.MODELS / paths.run(benchmark, system, *run) for run in runs])


def project_of(folder: Path) -> Path:
    """The project in which a folder lies: the nearest above it with parameters; else the working folder."""
    above = [path for path in folder.absolute().parents if (path / PARAMS).is_file()]
    return above[0] if above else Path.cwd()


def run_folders(folder: Path) -> list[Path]:
    """The folders of runs that a folder stands for: itself, or those below it; each holds a card.json.

    Raises:
        UgclError: there is none.
    """
    found = sorted(path.parent for path in folder.absolute().rglob(CARD))
    if not found:
        raise UgclError(
            f"{folder}: no {CARD} in it or below it; name a system, or the folder of a trained run or system,"
            " such as results/models/demo/ugcl/seed0/fold1"
        )
    return found


def of_folders(
    config: Config, folders: Sequence[Path], temperatures: Mapping[tuple[int, int], float] | None = None
) -> Ensemble:
    """The ensemble of the runs in some folders, which are those of one system.

    Which runs they are, and whether their data were synthetic, their cards say. The temperatures are the
    project's, for runs that lie where the project keeps its own.

    Args:
        config: parameters of the working folder's project: the device, the batch, and what cards lack.
        folders: hold model.safetensors and card.json each.
        temperatures: (seed, fold) → T; default the project's.

    Raises:
        UgclError: a folder holds no run, or they are runs of several systems.
    """
    loaded = [load_run(folder) for folder in folders]
    cards = [card for _, card in loaded]
    card, runs = cards[0], [(card.seed, card.fold) for card in cards]
    systems = dict.fromkeys(f"{each.benchmark}/{each.system}" for each in cards)
    if len(systems) > 1:
        raise UgclError(f"{', '.join(systems)}: runs of several systems; name the folder of one")
    fitted = _fitted(card, runs, folders) if temperatures is None else temperatures
    corpus = config.corpora.get(card.run["corpus"])
    synthetic = any(each.synthetic for each in cards) or (corpus is not None and corpus.synthetic)
    return Ensemble(
        run=Run.model_validate(card.run),
        infos=card.features,
        runs=runs,
        models=[model for model, _ in loaded],
        temperatures=[fitted.get(run, 1.0) for run in runs],
        calibrated=all(run in fitted for run in runs),
        marks="SYNTHETIC" * synthetic,
        batch=config.evaluate.batch,
        device=choose_device(config.evaluate.accelerator, "evaluate"),
        folders=[folder.absolute() for folder in folders],
    )


def _fitted(
    card: Card, runs: Sequence[tuple[int, int]], folders: Sequence[Path]
) -> dict[tuple[int, int], float]:
    """The project's temperatures of those runs that lie where the project keeps its own."""
    known = temperature.read(card.benchmark, card.system)
    own = [paths.MODELS / paths.run(card.benchmark, card.system, *run) for run in runs]
    pairs = zip(runs, folders, own, strict=True)
    here = [run for run, folder, place in pairs if os.path.realpath(folder) == os.path.realpath(place)]
    return {run: known[run] for run in here if run in known}


def of_one_speaker(observed: Sequence[Observation]) -> list[Observation]:
    """Clips of one person, standardised over all of them, for a system with `input.standardise: speaker`.

    Raises:
        UgclError: a modality is in one clip alone.
    """
    features: list[dict[str, np.ndarray]] = [{} for _ in observed]
    for modality in dict.fromkeys(m for one in observed for m in one.features):
        having = [i for i, one in enumerate(observed) if modality in one.features]
        if not np.issubdtype(observed[having[0]].features[modality].dtype, np.floating):
            for i in having:  # token ids have no mean
                features[i][modality] = observed[i].features[modality]
            continue
        if len(having) == 1:
            raise UgclError(
                f"{observed[having[0]].clip.name}: no other clip has {modality}, and this system compares the"
                " clips of a person; give several recordings of one person, or take a system without"
                " input.standardise: speaker"
            )
        frames = [torch.from_numpy(observed[i].features[modality]) for i in having]
        mean, std = moments(frames, frames[0].shape[1])
        for i, x in zip(having, frames, strict=True):
            features[i][modality] = standardised(x, mean, std).numpy()
    return [replace(one, features=own) for one, own in zip(observed, features, strict=True)]


def windows(duration: float, length: float, step: float) -> list[tuple[float, float]]:
    """Starts and ends of sliding windows, seconds: one around the middle of every step, cut at the ends.

    `length` is that of a window inside the clip; `step`, from one middle to the next, is rounded so that even
    steps fill the clip's `duration`.
    """
    count = max(1, round(duration / step))
    middles = (np.arange(count) + 0.5) * duration / count
    return [(max(0.0, t - length / 2), min(duration, t + length / 2)) for t in middles.tolist()]


def within(
    observed: Observation, infos: Mapping[str, FeatureInfo], start: float, end: float
) -> dict[str, np.ndarray]:
    """The features of a stretch of a clip, as if it were a clip of its own.

    The frames whose centres lie in [start, end) are taken; the encoders have read the whole clip. A modality
    with one vector per clip is taken whole. A modality is missing where no frame, or no face, falls in.
    """
    part = {}
    for modality, x in observed.features.items():
        info = infos[modality]
        if info.rate:
            centres = info.offset + np.arange(len(x)) / info.rate
            x = x[(centres >= start) & (centres < end)]
        if modality == "video" and observed.track is not None:
            track = observed.track
            seen = track.visible[(track.times >= start) & (track.times < end)]
            if not seen.any():
                continue
        if len(x):
            part[modality] = x
    return part


def stretches(observed: Observation) -> list[tuple[float, float]]:
    """Starts and ends of equal stretches, seconds, none longer than :data:`LONGEST`; one of a usual clip."""
    count = max(1, int(np.ceil(np.nan_to_num(observed.duration) / LONGEST - 1e-9)))
    ends = np.linspace(0, observed.duration, count + 1).tolist()
    return list(itertools.pairwise(ends))


def whole(ensemble: Ensemble, observed: Observation) -> np.ndarray:
    """Class probabilities of a clip, (classes,).

    A long clip goes through the networks in stretches, because memory grows with the length and the networks
    were trained on utterances: its probabilities are the mean over the stretches that have something in them.
    """
    places = stretches(observed)
    if len(places) == 1:
        return ensemble([observed.features])[0]
    parts = [within(observed, ensemble.infos, *place) for place in places]
    return np.mean([ensemble([part])[0] for part in parts if part] or ensemble([observed.features]), axis=0)


def timeline(ensemble: Ensemble, observed: Observation, length: float, step: float) -> pd.DataFrame:
    """Probabilities over sliding windows of one clip.

    Returns:
        One row per window with something in it: time (its middle on the clip's axis), start, end (seconds),
        modalities (joined by +), p_<class>.
    """
    places = windows(observed.duration, length, step)
    middles = (np.arange(len(places)) + 0.5) * observed.duration / len(places)
    parts = [within(observed, ensemble.infos, *place) for place in places]
    kept = [i for i, part in enumerate(parts) if part]
    rows = [(middles[i], *places[i], "+".join(parts[i])) for i in kept]
    table = pd.DataFrame(rows, columns=["time", "start", "end", "modalities"])
    p = ensemble([parts[i] for i in kept]) if kept else np.empty((0, len(ensemble.classes)))
    return table.assign(**{f"p_{name}": p[:, i] for i, name in enumerate(ensemble.classes)})
