"""What bad sound, lost frames, bad synchrony, a missing modality or wrong training labels do to a system.

Conditions are `kind:level` strings. Those of `evaluate.robustness` change the test clips, and nothing is
trained again; `labels:<share>` are a benchmark's `label_noise`: other runs, on the same clean test clips.
"""

from __future__ import annotations

import logging
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

import numpy as np
import pandas as pd
import torch
from torch import Tensor, nn

from ugcl.config import Config
from ugcl.config.report import Evaluate
from ugcl.data import tables
from ugcl.data.dataset import ClipDataset, Store, part_rows
from ugcl.data.shards import FeatureInfo, FeatureStore
from ugcl.data.stores import Changed, Held
from ugcl.devices import choose_device
from ugcl.evaluation import schema
from ugcl.evaluation.networks.perturb import generator
from ugcl.evaluation.networks.schemas import ROBUSTNESS
from ugcl.evaluation.statistics import bootstrap, metrics, paired
from ugcl.evaluation.tables import predictions
from ugcl.plan import paths
from ugcl.plan.evaluation import chosen, mislabelled, noise_conditions, score, under_conditions
from ugcl.training.checkpoint import load_run

log = logging.getLogger(__name__)
CLEAN = "clean"
KEYS = ["clip", "speaker", "label", "predicted", "seed", "fold"]
METRICS = ("uar", "war")


def hold(x: Tensor, kept: np.ndarray) -> Tensor:
    """Replace each lost frame by the last one that came, as a player does: the clock goes on.

    Args:
        x: (frames, dim).
        kept: (frames,) bool; the first frame always counts as kept.
    """
    place = np.where(kept, np.arange(len(x)), 0)
    return x[torch.from_numpy(np.maximum.accumulate(place))]


def delay(x: Tensor, frames: float) -> Tensor:
    """Let a sequence come late by a number of frames, whole or not; its end repeats, its length stays.

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
        return "" if timed else "its features have no time axis: one vector a clip"
    if "audio" not in infos or len(infos) == 1:
        return "does not read audio beside another modality"
    still = [modality for modality in infos if modality not in timed]
    return f"its {still[0]} features have no time axis: one vector a clip" if still else ""


def changed(
    condition: str, stores: Mapping[str, Store], noisy: Mapping[str, Store], seed: int
) -> dict[str, Store]:
    """A system's feature stores under a condition that :func:`obstacle` has nothing against.

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
        return {**stores, level: Held(stores[level].info, {})}
    if kind == "noise":
        return {**stores, "audio": noisy[condition]}
    if kind == "shift":
        late = float(level) * stores["audio"].info.rate
        return {**stores, "audio": Changed(stores["audio"], lambda _, x: delay(x, late))}

    def lossy(modality: str, store: Store) -> Store:
        def lose(clip: str, x: Tensor) -> Tensor:
            if level == "alternate":
                return hold(x, np.arange(len(x)) % 2 == 0)
            return hold(x, generator(seed, f"{clip} {modality}").random(len(x)) < 0.5)

        return Changed(store, lose) if store.info.rate else store

    return {modality: lossy(modality, store) for modality, store in stores.items()}


def robustness(config: Config, benchmark: str, systems: Iterable[str] | None = None) -> list[Path]:
    """Predict the test clips of all folds and seeds under every condition and write robustness.csv.

    What was trained on wrong labels is not predicted here: its predictions are read.

    Args:
        config: the parameters; `evaluate.robustness` and the benchmark's `label_noise` have the conditions.
        benchmark: key of `benchmarks`.
        systems: which of its systems; default all that have conditions.

    Returns:
        The files written, one a system, with the columns of :func:`table`.

    Raises:
        UgclError: a name is unknown, or a run, its predictions, a split or features are missing.
    """
    entry = config.benchmark(benchmark)
    systems = chosen(config, benchmark, systems or under_conditions(config, benchmark))
    stores = {m: FeatureStore(paths.features(entry.corpus, name)) for m, name in entry.features.items()}
    noisy = {c: FeatureStore(paths.perturbed(benchmark, c)) for c in noise_conditions(config, benchmark)}
    frames: dict[str, dict[str, list[pd.DataFrame]]] = {s: defaultdict(list) for s in systems}
    for fold in config.folds(benchmark):
        for system, condition, frame in _fold(config, benchmark, fold, systems, stores, noisy):
            frames[system][condition].append(frame)
        log.info("%s: fold %d under %d conditions", benchmark, fold, len(config.evaluate.robustness))
    written, classes = [], config.protocol(benchmark).classes
    for system, parts in frames.items():
        for condition, name in mislabelled(config, benchmark, system).items():
            whole = predictions.stack(benchmark, name, entry.seeds, config.folds(benchmark), classes)
            parts[condition] = [whole[KEYS]]
        infos = {m: stores[m].info for m in config.resolve(benchmark, system).input.modalities}
        order = ["seed", "fold", "clip"]
        whole = {name: pd.concat(part).sort_values(order, ignore_index=True) for name, part in parts.items()}
        obstacles = {c: obstacle(c, infos, c in noisy) for c in config.evaluate.robustness}
        obstacles |= dict.fromkeys(mislabelled(config, benchmark, system), "")
        path = score(benchmark, system, "robustness")
        schema.write(table(whole, obstacles, classes, config.evaluate), ROBUSTNESS, path)
        written.append(path)
    return written


def _fold(
    config: Config,
    benchmark: str,
    fold: int,
    systems: list[str],
    stores: Mapping[str, Store],
    noisy: Mapping[str, Store],
) -> Iterator[tuple[str, str, pd.DataFrame]]:
    """Predictions of one fold: system, condition, and clip, speaker, label, predicted, seed, fold."""
    entry, protocol = config.benchmarks[benchmark], config.protocol(benchmark)
    manifest = tables.read_manifest(paths.manifest(entry.corpus))
    split = tables.read_split(paths.split(entry.corpus, entry.protocol, fold))
    quarantined = tables.read(paths.quarantine(benchmark))["clip"].tolist()
    rows = part_rows(manifest, split, "test", protocol, quarantined).sort_values("clip")
    rows = rows[["clip", "speaker", "label"]]
    device = choose_device(config.evaluate.accelerator, "evaluate")
    # By modalities, and whether a speaker's clips are standardised together.
    readers: dict[tuple[tuple[str, ...], bool], dict[tuple[str, int], nn.Module]] = defaultdict(dict)
    for system in systems:
        for seed in entry.seeds:
            model, _ = load_run(paths.MODELS / paths.run(benchmark, system, seed, fold))
            reads = config.resolve(benchmark, system).input
            readers[tuple(reads.modalities), reads.by_speaker][system, seed] = model.to(device)
    for (modalities, by_speaker), models in readers.items():
        own = {m: stores[m] for m in modalities}
        infos = {m: store.info for m, store in own.items()}
        for condition in (CLEAN, *config.evaluate.robustness):
            if condition != CLEAN and obstacle(condition, infos, condition in noisy):
                continue
            under = changed(condition, own, noisy, config.evaluate.seed)
            clips = ClipDataset(rows, under, protocol.classes, cache=0, by_speaker=by_speaker)
            for (system, seed), number in _predicted(models, clips, config.evaluate.batch, device).items():
                names = [protocol.classes[i] for i in number]
                yield system, condition, rows.assign(predicted=names, seed=seed, fold=fold)


def _predicted(
    models: Mapping[tuple[str, int], nn.Module], clips: ClipDataset, batch: int, device: torch.device
) -> dict[tuple[str, int], list[int]]:
    """Class numbers by every model. The clips are collated once: that costs as much as a small network."""
    found: dict[tuple[str, int], list[int]] = {key: [] for key in models}
    with torch.inference_mode():
        for part in clips.batches(batch):
            part = part.to(device)
            for key, model in models.items():
                logits = model(part)["logits"]
                found[key] += logits.argmax(dim=1).tolist()
    return found


def table(
    frames: Mapping[str, pd.DataFrame], obstacles: Mapping[str, str], classes: list[str], settings: Evaluate
) -> pd.DataFrame:
    """Scores of a system under every condition.

    Args:
        frames: condition → predictions of all seeds and folds, `clean` among them.
        obstacles: condition → why there are none, or "", in the order of the rows.
        classes: class names in order.
        settings: draws, level and seed of the interval.

    Returns:
        condition, level, metric (uar, war), value with ci_low and ci_high, difference from the clean clips
        with difference_low and difference_high (speaker bootstrap, paired), clips, speakers, reason. A
        condition that cannot be made has a reason and no numbers.
    """
    # The table has no p, so the permutations that a comparison brings along may be few.
    settings = settings.model_copy(update={"permutations": 100})
    scored = {name: paired.scored(frame, classes, settings) for name, frame in frames.items()}
    rows = []
    for condition in (CLEAN, *obstacles):
        kind, _, level = condition.partition(":")
        here = {"condition": kind, "level": level, "reason": obstacles.get(condition, "")}
        if here["reason"]:
            rows += [here | {"metric": metric} for metric in METRICS]
            continue
        against = paired.compare(scored[condition], scored[CLEAN], settings, condition).set_index("metric")
        speakers = len(scored[condition].contributions)
        here |= {"clips": frames[condition]["clip"].nunique(), "speakers": speakers}
        for metric in METRICS:
            values, drawn = scored[condition].point[metric], scored[condition].drawn[metric]
            limits = bootstrap.interval(values, drawn, settings.confidence, speakers, metrics.scale(metric))
            row = {"metric": metric, "value": values.mean(), "ci_low": limits[0], "ci_high": limits[1]}
            if condition != CLEAN:
                apart = against.loc[metric, ["difference", "ci_low", "ci_high"]]
                row |= dict(zip(("difference", "difference_low", "difference_high"), apart, strict=True))
            rows.append(here | row)
    frame = pd.DataFrame(rows).reindex(columns=list(ROBUSTNESS))
    return frame.astype({"clips": "Int64", "speakers": "Int64"})
