"""Effect of noise, lost frames, bad synchrony, a missing modality or wrong training labels on a system.

Conditions are `kind:level` strings. Those of `evaluate.robustness` change the test clips, and nothing is
trained again; `labels:<share>` are a benchmark's `label_noise`: other runs, on the same clean test clips.
"""

from __future__ import annotations

import logging
from collections import defaultdict
from collections.abc import Iterator, Mapping
from pathlib import Path

import numpy as np
import pandas as pd
import torch
from torch import Tensor, nn

from ugcl.config import Config, Run
from ugcl.config.protocols import Protocol
from ugcl.config.report import Evaluate
from ugcl.data.dataset import ClipDataset, Store
from ugcl.data.labels import units as drawn_units
from ugcl.data.parts import BenchmarkData
from ugcl.data.shards import FeatureInfo
from ugcl.data.stores import Changed, Held
from ugcl.devices import choose_device
from ugcl.errors import UgclError
from ugcl.evaluation.networks.perturb import generator, stores
from ugcl.evaluation.schemas import schema
from ugcl.evaluation.schemas.networks import ROBUSTNESS
from ugcl.evaluation.statistics import bootstrap, metrics, paired
from ugcl.evaluation.tables import predictions
from ugcl.plan import paths
from ugcl.plan.evaluation import mislabelled, score, under_conditions
from ugcl.training.state.checkpoint import load_run

log = logging.getLogger(__name__)
CLEAN = "clean"
KEYS = ["clip", "speaker", "label", "predicted", "seed", "fold", "unit"]
METRICS = ("uar", "war")
"""What every table has, after the protocol's primary metric where that is another."""


def hold(x: Tensor, kept: np.ndarray) -> Tensor:
    """Replace each lost frame by the last one that came, as a player does; the length stays.

    Args:
        x: (frames, dim).
        kept: (frames,) bool; the first frame always counts as kept.
    """
    place = np.where(kept, np.arange(len(x)), 0)
    return x[torch.from_numpy(np.maximum.accumulate(place))]


def delay(x: Tensor, frames: float) -> Tensor:
    """Delay a sequence by a number of frames, whole or not; its end repeats, its length stays.

    Args:
        x: (frames, dim).
        frames: how much later; negative for earlier. Values between two frames are linear in time.
    """
    place = (torch.arange(len(x), dtype=torch.float64) - frames).clamp(0, len(x) - 1)
    low = place.floor().long()
    high = (low + 1).clamp(max=len(x) - 1)
    share = (place - low).float()[:, None]
    return (x[low].float() * (1 - share) + x[high].float() * share).to(x.dtype)


def obstacle(condition: str, infos: Mapping[str, FeatureInfo], noisy: bool) -> str:
    """Why a condition cannot be made for a system, or "".

    Args:
        condition: such as `shift:0.2`.
        infos: modality → features, of the modalities that the system reads.
        noisy: whether the benchmark has features of noisy sound.
    """
    kind, level = condition.split(":")
    timed = [modality for modality, info in infos.items() if info.rate > 0]
    if kind == "missing":
        if level not in infos:
            return f"does not read {level}"
        return f"reads {level} alone" if len(infos) == 1 else ""
    if kind == "noise":
        if "audio" not in infos:
            return "does not read audio"
        return "" if noisy else "its audio features are precomputed"
    if kind == "drop":
        return "" if timed else "its features have no time axis: one vector per clip"
    if "audio" not in infos or len(infos) == 1:
        return "does not read audio beside another modality"
    still = [modality for modality in infos if modality not in timed]
    return f"its {still[0]} features have no time axis: one vector per clip" if still else ""


def changed(
    condition: str, stores: Mapping[str, Store], noisy: Mapping[str, Store], seed: int
) -> dict[str, Store]:
    """A system's feature stores under a condition without an :func:`obstacle`.

    Args:
        condition: such as `drop:random`, or `clean`.
        stores: modality → features.
        noisy: noise condition → audio features.
        seed: of the random frames that are lost.
    """
    if condition == CLEAN:
        return dict(stores)
    kind, level = condition.split(":")
    if kind == "missing":
        return {**stores, level: Held(stores[level].info, {})}  # pyright: ignore[reportReturnType]
    if kind == "noise":
        return {**stores, "audio": noisy[condition]}
    if kind == "shift":
        late = float(level) * stores["audio"].info.rate
        return {**stores, "audio": Changed(stores["audio"], lambda _, x: delay(x, late))}  # pyright: ignore[reportReturnType]

    def lossy(modality: str, store: Store) -> Store:
        def lose(clip: str, x: Tensor) -> Tensor:
            if level == "alternate":
                return hold(x, np.arange(len(x)) % 2 == 0)
            return hold(x, generator(seed, f"{clip} {modality}").random(len(x)) < 0.5)

        return Changed(store, lose) if store.info.rate else store  # pyright: ignore[reportReturnType]

    return {modality: lossy(modality, store) for modality, store in stores.items()}


def robustness(config: Config, benchmark: str) -> Path:
    """Predict the test clips of all folds and seeds under every condition and write robustness.csv.

    What was trained on wrong labels is not predicted here: its predictions are read.

    Args:
        config: the parameters; `evaluate.robustness` and the benchmark's `label_noise` have the conditions.

    Returns:
        The file written: for each system that has conditions, its name and the columns of :func:`table`.

    Raises:
        UgclError: no conditions are named, or a run, its predictions, a split or features are missing.
    """
    systems = under_conditions(config, benchmark)
    if not systems:
        raise UgclError(f"{benchmark} has no conditions; name some in evaluate.robustness or its label_noise")
    data = BenchmarkData(config, benchmark)
    noisy = stores(config, data)
    frames: dict[str, dict[str, list[pd.DataFrame]]] = {s: defaultdict(list) for s in systems}
    for fold in config.folds(benchmark):
        for system, condition, frame in _fold(config, data, fold, systems, noisy):
            frames[system][condition].append(frame)
        log.info("%s: fold %d under %d conditions", benchmark, fold, len(config.evaluate.robustness))
    scored, protocol = [], config.protocol(benchmark)
    for system, parts in frames.items():
        for condition, name in mislabelled(config, benchmark, system).items():
            whole = predictions.stack(config, benchmark, name)
            parts[condition] = [whole[KEYS]]
        infos = {m: store.info for m, store in data.stores(config.resolve(benchmark, system)).items()}
        order = ["seed", "fold", "clip"]
        whole = {name: pd.concat(part).sort_values(order, ignore_index=True) for name, part in parts.items()}
        obstacles = {c: obstacle(c, infos, c in noisy) for c in config.evaluate.robustness}
        obstacles |= dict.fromkeys(mislabelled(config, benchmark, system), "")
        scored.append(table(whole, obstacles, protocol, config.evaluate).assign(system=system))
    path = score(benchmark, "robustness")
    schema.write(pd.concat(scored, ignore_index=True), ROBUSTNESS.between("system"), path)
    return path


def _fold(
    config: Config, data: BenchmarkData, fold: int, systems: list[str], noisy: Mapping[str, Store]
) -> Iterator[tuple[str, str, pd.DataFrame]]:
    """Predictions of one fold: system, condition, and the columns KEYS."""
    device = choose_device(config.evaluate.accelerator, "evaluate")
    # By modalities, and whether a speaker's clips are standardised together: such systems share their clips.
    readers: dict[tuple[tuple[str, ...], bool], dict[tuple[str, int], nn.Module]] = defaultdict(dict)
    runs: dict[tuple[tuple[str, ...], bool], Run] = {}
    for system in systems:
        run = config.resolve(data.benchmark, system)
        key = tuple(run.input.modalities), run.input.standardise, run.input.context
        runs[key] = run
        for seed in config.benchmarks[data.benchmark].seeds:
            folder = paths.MODELS / paths.run(data.benchmark, system, seed, fold)
            model, _ = load_run(folder, data=data.hashes(run, fold))
            readers[key][system, seed] = model.to(device)
    for key, models in readers.items():
        own = data.stores(runs[key])
        infos = {m: store.info for m, store in own.items()}
        for condition in (CLEAN, *config.evaluate.robustness):
            if condition != CLEAN and obstacle(condition, infos, condition in noisy):
                continue
            under = changed(condition, own, noisy, config.evaluate.seed)
            clips = data.fold(runs[key], fold, ["test"], stores=under, cache=0, by_clip=True)["test"]
            drawn = drawn_units(clips.rows, config.protocol(data.benchmark).intervals)
            rows = clips.rows.assign(unit=drawn)[["clip", "speaker", "label", "unit"]]
            for (system, seed), number in _predicted(models, clips, config.evaluate.batch, device).items():
                names = [clips.classes[i] for i in number]
                yield system, condition, rows.assign(predicted=names, seed=seed, fold=fold)


def _predicted(
    models: Mapping[tuple[str, int], nn.Module], clips: ClipDataset, batch: int, device: torch.device
) -> dict[tuple[str, int], list[int]]:
    """Class numbers by every model. Clips are collated once, which takes as long as a small network."""
    found: dict[tuple[str, int], list[int]] = {key: [] for key in models}
    with torch.inference_mode():
        for part in clips.batches(batch):
            part = part.to(device)
            for key, model in models.items():
                found[key] += model(part)["logits"].argmax(dim=1).tolist()
    return found


def table(
    frames: Mapping[str, pd.DataFrame], obstacles: Mapping[str, str], protocol: Protocol, settings: Evaluate
) -> pd.DataFrame:
    """Scores of a system under every condition.

    Args:
        frames: condition → predictions of all seeds and folds, `clean` among them.
        obstacles: condition → why there are none, or "", in the order of the rows.

    Returns:
        condition, level, metric (the primary one, uar, war), value with ci_low and ci_high, difference from
        the clean clips with difference_low and difference_high (bootstrap over the protocol's units, paired),
        clips, speakers, reason. A condition that cannot be made has a reason and no numbers.
    """
    names = dict.fromkeys((protocol.primary, *METRICS))
    scored = {name: paired.scored(frame, protocol.classes, settings) for name, frame in frames.items()}
    rows = []
    for condition in (CLEAN, *obstacles):
        kind, _, level = condition.partition(":")
        here = {"condition": kind, "level": level, "reason": obstacles.get(condition, "")}
        if here["reason"]:
            rows += [here | {"metric": metric} for metric in names]
            continue
        paired.check_paired(frames[condition], frames[CLEAN], condition)
        units, frame = len(scored[condition].hits), frames[condition]
        here |= {"clips": frame["clip"].nunique(), "speakers": frame["speaker"].nunique()}
        for metric in names:
            values, drawn = scored[condition].point[metric], scored[condition].drawn[metric]
            found = values, drawn, settings.confidence, units, metrics.scale(metric)
            limits = bootstrap.interval(*found, scored[condition].left_out[metric])
            row = {"metric": metric, "value": values.mean(), "ci_low": limits[0], "ci_high": limits[1]}
            if condition != CLEAN:
                against = paired.difference(scored[condition], scored[CLEAN], metric, settings)
                apart = (against[name] for name in ("difference", "ci_low", "ci_high"))
                row |= dict(zip(("difference", "difference_low", "difference_high"), apart, strict=True))
            rows.append(here | row)
    whole = pd.DataFrame(rows).reindex(columns=list(ROBUSTNESS))
    return whole.astype({"clips": "Int64", "speakers": "Int64"})
