"""Class probabilities of every test clip by the run that did not train on it."""

from __future__ import annotations

import logging
from pathlib import Path

import pandas as pd

from ugcl.config import Config
from ugcl.data import tables
from ugcl.devices import choose_device
from ugcl.inference import temperature
from ugcl.inference.probabilities import predict_clips, probabilities
from ugcl.plan import paths
from ugcl.plan.evaluation import prediction
from ugcl.plan.evaluation import temperature as temperature_path

log = logging.getLogger(__name__)


def predict(config: Config, benchmark: str, system: str) -> list[Path]:
    """Predict the test clips of all seeds and folds of a system; fit each run's temperature on its dev clips.

    The predictions are the network's own; the temperatures are kept beside them, for who needs a confidence
    (:mod:`ugcl.inference.ensemble`).

    Args:
        config: the parameters.
        benchmark: key of `benchmarks`.
        system: one of the benchmark's systems.

    Returns:
        The files written: predictions, one a seed and fold, sorted by clip; then the temperatures.

    Raises:
        UgclError: a run, a split or features are missing.
    """
    from ugcl.data.dataset import ClipDataset, part_rows
    from ugcl.data.shards import FeatureStore
    from ugcl.training.checkpoint import load_run

    entry, run = config.benchmark(benchmark), config.resolve(benchmark, system)
    stores = {
        modality: FeatureStore(paths.features(entry.corpus, run.features[modality]))
        for modality in run.input.modalities
    }
    manifest = tables.read_manifest(paths.manifest(entry.corpus))
    quarantined = tables.read(paths.quarantine(benchmark))["clip"].tolist()
    device = choose_device(config.evaluate.accelerator, "evaluate")
    written, temperatures = [], []
    for fold in config.folds(benchmark):
        split = tables.read_split(paths.split(entry.corpus, entry.protocol, fold))
        clips, dev = (
            ClipDataset(
                part_rows(manifest, split, part, run.protocol, quarantined).sort_values("clip"),
                stores,
                run.protocol.classes,
                by_speaker=run.input.by_speaker,
            )
            for part in ("test", "dev")
        )
        for seed in entry.seeds:
            folder = paths.MODELS / paths.run(benchmark, system, seed, fold)
            model, _ = load_run(folder)
            table = predict_clips(model, clips, config.evaluate.batch, device)
            path = prediction(benchmark, system, seed, fold)
            tables.write(table, path)
            written.append(path)
            if run.train.refit:
                model, _ = load_run(folder, unseen="dev")
            p = probabilities(model, dev, config.evaluate.batch, device)
            temperatures.append(temperature.fitted(seed, fold, p, dev.labels.numpy()))
            log.info("%s: %d clips, temperature %.2f", path, len(table), temperatures[-1]["temperature"])
    rows = pd.DataFrame(temperatures).sort_values(["seed", "fold"])
    tables.write(rows, temperature_path(benchmark, system))
    return [*written, temperature_path(benchmark, system)]
