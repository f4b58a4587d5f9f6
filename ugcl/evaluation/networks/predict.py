"""Class probabilities of every test clip by the run that did not train on it."""

from __future__ import annotations

import logging
from pathlib import Path

from ugcl.config import Config
from ugcl.data import tables
from ugcl.devices import choose_device
from ugcl.inference import temperature
from ugcl.inference.probabilities import predict_clips, probabilities
from ugcl.plan import paths
from ugcl.plan.evaluation import prediction

log = logging.getLogger(__name__)


def predict(config: Config, benchmark: str, system: str) -> list[Path]:
    """Predict the test clips of all seeds and folds of a system; fit each run's temperature on its dev clips.

    The predictions are the network's own; the temperatures are kept beside them, for calibrated confidences
    (:mod:`ugcl.inference.ensemble`).

    Returns:
        The files written: predictions, one per seed and fold, sorted by clip; then the temperatures.

    Raises:
        UgclError: a run, a split or features are missing, or not those that belong together.
    """
    from ugcl.data.parts import BenchmarkData
    from ugcl.training.state.checkpoint import load_run

    entry, run = config.benchmark(benchmark), config.resolve(benchmark, system)
    data = BenchmarkData(config, benchmark)
    device = choose_device(config.evaluate.accelerator, "evaluate")
    written, temperatures = [], []
    for fold in config.folds(benchmark):
        parts = data.fold(run, fold, ("test", "dev"), by_clip=True)
        for seed in entry.seeds:
            folder = paths.MODELS / paths.run(benchmark, system, seed, fold)
            model, card = load_run(folder, data=data.hashes(run, fold))
            table = predict_clips(model, parts["test"], config.evaluate.batch, device)
            path = prediction(benchmark, system, seed, fold)
            tables.write(table.sort_values("clip"), path)
            written.append(path)
            if run.train.refit:
                model, _ = load_run(folder, unseen="dev")
            p = probabilities(model, parts["dev"], config.evaluate.batch, device)
            row = temperature.fitted(seed, fold, p, parts["dev"].labels.numpy())
            temperatures.append(temperature.sealed(row, card, path))
            log.info("%s: %d clips, temperature %.2f", path, len(table), row["temperature"])
    return [*written, temperature.write(benchmark, system, temperatures)]
