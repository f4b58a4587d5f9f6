"""A benchmark's features and predictions as DataFrames, for notebooks and other libraries."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import chdir
from pathlib import Path

import pandas as pd

from ugcl import config as configuration
from ugcl.data.dataset import ClipDataset
from ugcl.errors import UgclError
from ugcl.evaluation.tables import predictions


def load_features(
    benchmark: str,
    fold: int | None = None,
    *,
    modalities: Sequence[str] | None = None,
    mean: bool = False,
    project: str | Path | None = None,
) -> pd.DataFrame:
    """The features of a benchmark's clips, as its systems read them: without the quarantined ones.

    Args:
        fold: number of a fold, whose parts are then in the column `part`; default the clips of all folds.
        modalities: some of the benchmark's; default all.
        mean: give the mean over frames, a column per feature, in place of whole sequences.
        project: the project's folder; default the working folder.

    Returns:
        A row per clip, by name; columns clip, speaker, label, part (with `fold`), and by modality an array
        (T, D) float32, None where the clip lacks it; or, with `mean`, <modality>_0, <modality>_1, …, NaN
        where it lacks it.

    Raises:
        UgclError: a name is unknown, or a table or features are missing.
    """
    with chdir(project or "."):
        from ugcl.data.parts import BenchmarkData

        config = configuration.load()
        entry, numbers = config.benchmark(benchmark), config.folds(benchmark)
        if fold is not None and fold not in numbers:
            raise UgclError(f"{benchmark} has no fold {fold}; choose from {', '.join(map(str, numbers))}")
        wanted = list(entry.features if modalities is None else modalities)
        absent = [m for m in wanted if m not in entry.features]
        if absent:
            has = ", ".join(entry.features)
            raise UgclError(f"{benchmark} has no features of {absent[0]!r}; choose from {has}")
        run = config.resolve(benchmark, entry.reference)
        reads = run.input.model_copy(
            update={"modalities": wanted, "context": "clip", "standardise": "training"}
        )
        run, data = run.model_copy(update={"input": reads}), BenchmarkData(config, benchmark)
        rows: dict[str, dict[str, object]] = {}
        for number in numbers if fold is None else [fold]:
            for part, clips in data.fold(run, number, cache=0).items():
                for i, clip in enumerate(clips.clips):
                    if clip not in rows:
                        rows[clip] = _row(clips, i, wanted, mean, part if fold is not None else None)
    return pd.DataFrame([rows[clip] for clip in sorted(rows)])


def _row(
    clips: ClipDataset, i: int, modalities: Sequence[str], mean: bool, part: str | None
) -> dict[str, object]:
    row: dict[str, object] = {"clip": clips.clips[i], "speaker": clips.speakers[i]}
    row |= {"label": clips.rows["label"].iloc[i]} | ({} if part is None else {"part": part})
    for m in modalities:
        x = clips.features(m, i)
        if mean:
            row |= {} if x is None else {f"{m}_{k}": v for k, v in enumerate(x.float().mean(dim=0).tolist())}
        else:
            row[m] = None if x is None else x.float().numpy()
    return row


def load_predictions(
    benchmark: str, system: str | None = None, *, project: str | Path | None = None
) -> pd.DataFrame:
    """What the systems of a benchmark predicted of its test clips, checked as the tables check it.

    Args:
        system: one of them; default all that the benchmark trains.
        project: the project's folder; default the working folder.

    Returns:
        A row per system, seed, fold and test clip: system, seed, fold, clip, speaker, label, predicted,
        p_<class>.

    Raises:
        UgclError: a name is unknown, or predictions are missing or not those of the runs.
    """
    with chdir(project or "."):
        config = configuration.load()
        known = config.benchmark(benchmark).systems
        if system is not None and system not in known:
            raise UgclError(f"{benchmark} has no system {system!r}; choose from {', '.join(known)}")
        found = []
        for name in [system] if system else known:
            frame = predictions.stack(config, benchmark, name)
            frame.insert(0, "system", name)
            found.append(frame)
    return pd.concat(found, ignore_index=True)
