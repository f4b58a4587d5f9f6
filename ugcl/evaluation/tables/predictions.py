"""Prediction tables: how they are read, checked and stacked."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import product
from pathlib import Path

import numpy as np
import pandas as pd

from ugcl.config import Config
from ugcl.config.protocols import Protocol
from ugcl.data import sources, tables
from ugcl.data.labels import labelled, units, vote_shares
from ugcl.errors import UgclError
from ugcl.evaluation.statistics import dimensions
from ugcl.identity import compare
from ugcl.inference import temperature
from ugcl.plan import paths
from ugcl.plan.evaluation import prediction

KEYS = ("clip", "speaker", "label", "predicted")
KNOWN = ("clip", "speaker", "label", "unit")
IN_DIALOGUE = ("dialogue", "turn", "start")
"""Columns of the manifest that say where a clip stands in a dialogue."""

FLOOR = 5e-7
"""Half of the last digit of a written probability: the least one that a file can stand for."""


def read(path: Path, classes: list[str]) -> pd.DataFrame:
    """Read the predictions of one run.

    Probabilities are floored at half of the file's last digit and made to sum to one again, because rounding
    to six digits makes small ones zero.

    Args:
        path: CSV with the columns clip, speaker, label, predicted and one p_<class> per class.
        classes: the protocol's class names in order.

    Returns:
        The same columns, p_<class> as float, and those of estimated dimensions where the file has them.

    Raises:
        UgclError: a column is missing, a clip comes twice, a name is unknown, or a probability is invalid.
    """
    columns = [*KEYS, *(f"p_{name}" for name in classes)]
    try:
        frame = tables.read(path, columns[len(KEYS) :])
    except ValueError:
        frame = tables.read(path)  # as text, so that the fault can be named
    missing = [column for column in columns if column not in frame]
    if missing:
        raise UgclError(f"{path}: column {missing[0]!r} is missing; predict again")
    if frame.empty:
        raise UgclError(f"{path}: has no clip; predict again, or correct the split")
    if frame["clip"].duplicated().any():
        twice = frame.loc[frame["clip"].duplicated(), "clip"].iloc[0]
        raise UgclError(f"{path}: clip {twice!r} comes twice; predict again")
    for column in ("label", "predicted"):
        unknown = sorted(set(frame[column].unique()) - set(classes))
        if unknown:
            raise UgclError(f"{path}: {column} {unknown[0]!r} is not a class of the protocol; predict again")
    try:
        values = frame[columns[len(KEYS) :]].astype(float).to_numpy()
    except ValueError as error:
        raise UgclError(f"{path}: a probability is not a number ({error}); predict again") from None
    if not np.isfinite(values).all() or (values < 0).any() or (values.sum(1) < 0.99).any():
        raise UgclError(f"{path}: probabilities are not finite or do not sum to 1; train and predict again")
    values = np.maximum(values, FLOOR)
    values /= values.sum(1, keepdims=True)
    found = {name: frame[name] for name in KEYS} | dict(zip(columns[len(KEYS) :], values.T, strict=True))
    for column in dimensions.columns(frame):
        found[column] = pd.to_numeric(frame[column], errors="coerce")
    return pd.DataFrame(found)


def tested(config: Config, benchmark: str, folds: Iterable[int]) -> dict[int, pd.DataFrame]:
    """Fold → clip, speaker and label of what it tests: its test part less the quarantine, sorted by clip.

    Beside them stand `unit`, what intervals draw, and the dialogue and turn where the manifest has them.
    """
    entry, protocol = config.benchmark(benchmark), config.protocol(benchmark)
    manifest = tables.read_manifest(paths.manifest(entry.corpus))
    known = labelled(manifest, protocol)
    known = known.assign(unit=units(known, protocol.intervals))
    columns = [*KNOWN, *(name for name in IN_DIALOGUE if name in known)]
    known = known[columns].sort_values("clip")
    bad = set(tables.set_aside(tables.read(paths.quarantine(benchmark)))["clip"])
    found = {}
    for fold in folds:
        split = tables.read_split(paths.split(entry.corpus, entry.protocol, fold))
        test = set(split.loc[split["part"] == "test", "clip"]) - bad
        found[fold] = known[known["clip"].isin(test)].reset_index(drop=True)
    return found


def read_run(
    path: Path, classes: list[str], test: pd.DataFrame, runs: pd.DataFrame, run: tuple[int, int]
) -> pd.DataFrame:
    """Read what a run predicted of the clips that its fold tests now.

    Args:
        path: the file; see :func:`read`.
        classes: class names in order.
        test: the fold's test clips (:func:`tested`).
        runs: the table beside the system's predictions (:func:`ugcl.inference.temperature.read_table`).
        run: seed and fold.

    Returns:
        The columns of :func:`read`, what else :func:`tested` has of the clips, and seed and fold.

    Raises:
        UgclError: a clip is missing or too many, a label or speaker is not the manifest's, the system has no
            such run, or the file's bytes are not those that were written.
    """
    where, again = f"the test clips of fold {run[1]}", temperature.AGAIN
    frame = read(path, classes)
    own, expected = frame["clip"].to_numpy(object), test["clip"].to_numpy(object)
    place = pd.Index(expected).get_indexer(own)
    if len(lost := np.delete(expected, place[place >= 0])):
        raise UgclError(f"{path}: lacks {len(lost)} of {len(expected)} of {where}, first {lost[0]}; {again}")
    if len(more := own[place < 0]):
        raise UgclError(f"{path}: has {len(more)} clips that are not {where}, first {more[0]}; {again}")
    for column in ("speaker", "label"):
        found, known = frame[column].to_numpy(object), test[column].to_numpy(object)[place]
        for row in np.flatnonzero(found != known)[:1]:
            values = {column: found[row]}, {column: known[row]}
            compare(f"{path}: clip {own[row]}", *values, f"the manifest says so; {again}")
    if run not in runs.index:
        raise UgclError(f"{path}: its system's table of temperatures has no row of this run; {again}")
    seal = {"predictions": runs.loc[run, "predictions"]}
    compare(path, {"predictions": sources.sha256(path)}, seal, f"the file was changed; {again}")
    more = test.drop(columns=["clip", "speaker", "label"])
    return frame.assign(**{name: more[name].array[place] for name in more}, seed=run[0], fold=run[1])


def with_rater_shares(frame: pd.DataFrame, manifest: pd.DataFrame, protocol: Protocol) -> pd.DataFrame:
    """Predictions with the raters' shares as q_<class>, if the protocol names votes as its soft target."""
    if protocol.soft is None:
        return frame
    shares = vote_shares(manifest, protocol.soft, protocol.classes, protocol.merge)
    own = shares[pd.Index(manifest["clip"]).get_indexer(frame["clip"])]
    return frame.assign(**{f"q_{name}": own[:, i] for i, name in enumerate(protocol.classes)})


def stack(
    config: Config,
    benchmark: str,
    system: str,
    seeds: Iterable[int] | None = None,
    folds: Iterable[int] | None = None,
    tests: dict[int, pd.DataFrame] | None = None,
) -> pd.DataFrame:
    """The predictions of a system's runs, sorted by seed, fold and clip.

    Args:
        seeds, folds: some of the benchmark's; default all.
        tests: of :func:`tested`, where it is known.

    Returns:
        The columns of :func:`read_run`, seed and fold first.

    Raises:
        UgclError: a file is missing, or not the predictions of its run: see :func:`read_run`.
    """
    folds = list(config.folds(benchmark) if folds is None else folds)
    seeds = config.benchmark(benchmark).seeds if seeds is None else seeds
    classes, runs = config.protocol(benchmark).classes, temperature.read_table(benchmark, system)
    tests = tested(config, benchmark, folds) if tests is None else tests
    parts = []
    for seed, fold in product(sorted(seeds), sorted(folds)):
        part = read_run(prediction(benchmark, system, seed, fold), classes, tests[fold], runs, (seed, fold))
        parts.append(part if part["clip"].is_monotonic_increasing else part.sort_values("clip"))
    whole = pd.concat(parts, ignore_index=True)
    return whole[["seed", "fold", *[c for c in whole if c not in ("seed", "fold")]]]


def stacked(config: Config, benchmark: str, manifest: pd.DataFrame) -> Iterator[tuple[str, pd.DataFrame]]:
    """Every system of a benchmark with its predictions and the raters' shares, one after the other.

    Raises:
        UgclError: see :func:`stack`.
    """
    tests = tested(config, benchmark, config.folds(benchmark))
    for system in config.benchmark(benchmark).systems:
        frame = stack(config, benchmark, system, tests=tests)
        yield system, with_rater_shares(frame, manifest, config.protocol(benchmark))
