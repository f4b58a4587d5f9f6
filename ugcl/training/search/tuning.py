"""Search for the settings of a system by its dev scores. The test part is never read.

A trial trains the system once per fold, as `ugcl train` does. Its value is the dev score of the selected
epoch in the protocol's primary metric, averaged over folds. Dev clips of one fold are test clips of another:
the score of a system that was tuned over all folds is a little too good, and `tune.folds` bounds what the
search has seen.
"""

from __future__ import annotations

import hashlib
import json
import logging
import warnings
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ugcl.config import Config, Run
from ugcl.config.system.overrides import SECTIONS, System
from ugcl.config.tune import Dimension, own_value, settings, with_value
from ugcl.data.parts import BenchmarkData
from ugcl.errors import UgclError
from ugcl.plan import paths
from ugcl.training import devices, seeding
from ugcl.training.loop import Diverged, fit
from ugcl.training.run import assemble
from ugcl.training.search import tables as study_tables

if TYPE_CHECKING:
    from optuna import Study, Trial

log = logging.getLogger(__name__)
PARTS = ("train", "dev")
"""What a trial reads. Nothing in this module names the third part."""

STRIDE = 100_000
"""Steps of the search a fold, more than it has epochs: the same step is the same epoch of the same fold."""

DIGITS = 4
"""Significant digits of a value that is tried, so that what is printed is what was trained."""


def tune(config: Config, benchmark: str, system: str, trials: int, lineage: str = "") -> Study:
    """Search until a study has the given number of trials; an interrupted study is continued.

    The first trial has the system's own settings, as far as the space contains them, so that the best trial
    is not worse than the start. The others are drawn by TPE (Bergstra et al. 2011) and cut short
    below the median of the earlier ones once their first fold is done. What is proposed depends on the trials
    that are done alone, so that an interruption changes nothing.

    Args:
        config: the parameters; `tune` holds the space.
        system: key of `systems`; the trials change its settings.
        trials: number of trials that are done at the end, those cut short included.
        lineage: hash of the code and parameters of the system's runs; a study of another is refused.

    Returns:
        The Optuna study; its tables lie beside it.

    Raises:
        UgclError: the space is empty, a name is unknown, another search is running on the study, or
            the study is of other code, parameters or space.
    """
    from filelock import FileLock, Timeout

    config = searched(config, benchmark)
    run, folds = config.resolve(benchmark, system), config.tune.folds or config.folds(benchmark)
    _check(config, run, folds)
    store = paths.study(benchmark, system)
    store.parent.mkdir(parents=True, exist_ok=True)
    try:
        with FileLock(f"{store}.lock", timeout=0):
            study = _open(config, store, _fingerprint(config, run, folds, lineage))
            try:
                while (done := len(finished(study))) < trials:
                    study.sampler = _sampler(config, done)
                    if not done:
                        study.enqueue_trial(_own(config, run))
                    _try(config, study, benchmark, system, folds)
                    log.info("%s %s: %d of %d trials", benchmark, system, done + 1, trials)
            finally:
                dimensions = space(config, run.model_dump(include=set(SECTIONS)))
                study_tables.write(study, dimensions, benchmark, system, run.protocol.primary)
    except Timeout:
        raise UgclError(f"{store}: another search is running on it; wait for it or stop it") from None
    return study


def searched(config: Config, benchmark: str) -> Config:
    """The parameters of a search: the benchmark's own space, and nothing that an earlier search found."""
    name = config.benchmark(benchmark).search
    own = config.tune if name is None else config.searches[name]
    return config.model_copy(update={"tune": own, "tuned": {}})


def finished(study: Study) -> list[Any]:
    """Trials that need not be done again: complete, or cut short."""
    from optuna.trial import TrialState

    return study.get_trials(deepcopy=False, states=(TrialState.COMPLETE, TrialState.PRUNED))


def found(study: Study, system: str) -> dict[str, Any]:
    """The best trial's settings, as an entry of `tuned` or, with `extends`, of `systems`.

    Raises:
        UgclError: no trial was complete.
    """
    from optuna.trial import TrialState

    if not study.get_trials(deepcopy=False, states=(TrialState.COMPLETE,)):
        raise UgclError(f"tune {system}: no trial was completed; raise --trials or narrow tune.space")
    return settings({key: _rounded(value) for key, value in study.best_params.items()})


def _check(config: Config, run: Run, folds: list[int]) -> None:
    if not config.tune.space:
        raise UgclError("tune.space of params.yaml is empty; name the parameters to search")
    known = config.folds(run.benchmark)
    for fold in folds:
        if fold not in known:
            raise UgclError(f"tune.folds: {run.benchmark} has no fold {fold}; choose from {known}")
    if run.train.devices > 1:
        raise UgclError("tune: a trial trains on one device; set train.devices to 1")


def _fingerprint(config: Config, run: Run, folds: list[int], lineage: str) -> str:
    """Short hash of everything that must be equal for the values of two trials to be comparable."""
    own = [getattr(run, section).model_dump() for section in SECTIONS]
    parts = [own, config.tune.model_dump(), folds, config.benchmark(run.benchmark).seeds[0], lineage]
    return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()[:12]


def _open(config: Config, store: Path, fingerprint: str) -> Study:
    import optuna
    from optuna.trial import TrialState

    optuna.logging.set_verbosity(optuna.logging.WARNING)
    # The first epochs of a trial predict its value poorly: the first fold is always trained completely.
    pruner = optuna.pruners.MedianPruner(config.tune.startup, n_warmup_steps=STRIDE - 1)
    options = {"study_name": "dev", "direction": "maximize", "load_if_exists": True}
    study = optuna.create_study(storage=f"sqlite:///{store}", pruner=pruner, **options)
    if study.user_attrs.get("fingerprint", fingerprint) != fingerprint:
        raise UgclError(
            f"{store}: its trials are of other code, parameters or tune.space; move it away to start again"
        )
    study.set_user_attr("fingerprint", fingerprint)
    for trial in study.get_trials(deepcopy=False, states=(TrialState.RUNNING,)):
        study.tell(trial.number, state=TrialState.FAIL)  # it was killed; the next has its settings
    return study


def _sampler(config: Config, done: int) -> Any:
    from optuna.samplers import TPESampler

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        seed = seeding.derive(config.tune.seed, done) % 2**32
        return TPESampler(n_startup_trials=config.tune.startup, seed=seed, multivariate=True)


def _try(config: Config, study: Study, benchmark: str, system: str, folds: list[int]) -> None:
    """Draw settings, train with them and report the result to the study."""
    from optuna import TrialPruned
    from optuna.trial import TrialState

    trial = study.ask()
    base = config.resolve(benchmark, system).model_dump(include=set(SECTIONS))
    tried = {key: _suggest(trial, key, dimension, base) for key, dimension in space(config, base).items()}
    name = f"{system}, trial {trial.number}"
    systems = config.systems | {name: System.model_validate(_changes(system, tried))}
    run = config.model_copy(update={"systems": systems}).resolve(benchmark, name)
    try:
        value = _value(config, run, benchmark, folds, trial)
    except TrialPruned:
        study.tell(trial, state=TrialState.PRUNED)
    except Diverged as error:
        log.info("%s: %s", name, error)
        study.tell(trial, state=TrialState.PRUNED)
    else:
        study.tell(trial, value)


def _own(config: Config, run: Run) -> dict[str, Any]:
    """The system's own values of the parameters that are searched, where the space holds them."""
    tree = run.model_dump(include=set(SECTIONS))
    dimensions = space(config, tree)
    return {key: own for key in dimensions if (own := own_value(tree, key)) in dimensions[key]}


def space(config: Config, tree: dict[str, Any]) -> dict[str, Dimension]:
    """The dimensions that a system has: without those of another method, which it lacks."""
    having = {}
    for key, dimension in config.tune.space.items():
        try:
            own_value(tree, key)
        except KeyError:
            continue
        having[key] = dimension
    return having


def _suggest(trial: Trial, key: str, dimension: Dimension, base: dict[str, Any]) -> Any:
    """A value of one dimension: whole where the parameter is."""
    if dimension.choices is not None:
        return trial.suggest_categorical(key, dimension.choices)
    section = with_value(base, key, dimension.low).model_dump()  # its own value may be off
    if isinstance(own_value({key.split(".")[0]: section}, key), int):
        return trial.suggest_int(key, int(dimension.low), int(dimension.high), log=dimension.log)
    return trial.suggest_float(key, dimension.low, dimension.high, log=dimension.log)


def _changes(system: str, values: dict[str, Any]) -> dict[str, Any]:
    """An entry of `systems`: a system with other values of some parameters."""
    return {"extends": system} | settings({key: _rounded(value) for key, value in values.items()})


def _rounded(value: Any) -> Any:
    return float(f"{value:.{DIGITS}g}") if isinstance(value, float) else value


def _value(config: Config, run: Run, benchmark: str, folds: list[int], trial: Trial) -> float:
    """Mean dev score over folds, in the primary metric.

    What the pruner sees is the sum over folds so far divided by the number of all: it never falls within a
    trial, and at the same step it is of the same folds in every trial.
    """
    from optuna import TrialPruned

    data, seed = BenchmarkData(config, benchmark), config.benchmark(benchmark).seeds[0]
    seeding.deterministic()
    fabric = devices.launch(run.train)
    total, primary = 0.0, run.protocol.primary
    for number, fold in enumerate(folds):
        best = 0.0

        def watch(row: dict[str, float], before: float = total, start: int = number * STRIDE) -> None:
            nonlocal best
            best = max(best, row[f"dev_{primary}"])
            trial.set_user_attr("epochs", trial.user_attrs.get("epochs", 0) + 1)
            trial.report((before + best) / len(folds), start + row["epoch"])
            if trial.should_prune():
                raise TrialPruned

        with devices.memory_advice(run.train):
            parts, model = assemble(data, run, PARTS, (seed, fold))
            outcome = fit(fabric, model, run.train, parts, (seed, fold), watch=watch, primary=primary)
        total += outcome.best[f"dev_{primary}"]
        # Trials whose patience ended earlier have this step too.
        trial.report(total / len(folds), (number + 1) * STRIDE - 1)
        if number + 1 < len(folds) and trial.should_prune():
            raise TrialPruned
    return total / len(folds)
