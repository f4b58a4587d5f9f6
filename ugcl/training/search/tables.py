"""The tables of a search for settings: its trials, and how much each parameter mattered."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd

from ugcl.config.tune import Dimension
from ugcl.data import tables
from ugcl.plan import paths

if TYPE_CHECKING:
    from optuna import Study

FEWEST = 4
"""Complete trials below which no importance is computed."""


def write(study: Study, space: dict[str, Dimension], benchmark: str, system: str, primary: str) -> None:
    """Write both tables beside the study; `space` holds the parameters that were searched, in order."""
    tables.write(trials(study, space, primary), paths.study_table(benchmark, system, "trials"))
    tables.write(importances(study, space), paths.study_table(benchmark, system, "importances"))


def trials(study: Study, space: dict[str, Dimension], primary: str) -> pd.DataFrame:
    """One row per trial that was complete or cut short, in the order in which they were done.

    Returns:
        Columns trial (from 1), state (complete or pruned), dev_<primary> (empty where cut short), epochs
        (over all folds), seconds, and one per parameter by its dotted key, `null` where its block was off.
    """
    from optuna.trial import TrialState

    rows, score = [], f"dev_{primary}"
    for trial in study.get_trials(states=(TrialState.COMPLETE, TrialState.PRUNED)):
        row = {"trial": len(rows) + 1, "state": trial.state.name.lower()}
        row[score] = trial.value if trial.state == TrialState.COMPLETE else float("nan")
        row["epochs"] = trial.user_attrs.get("epochs", 0)
        row["seconds"] = trial.duration.total_seconds()
        rows.append(row | {key: "null" if (x := trial.params[key]) is None else x for key in space})
    return pd.DataFrame(rows, columns=["trial", "state", score, "epochs", "seconds", *space])


def importances(study: Study, space: dict[str, Dimension]) -> pd.DataFrame:
    """The share of the variance of the dev score over complete trials that each parameter explains (fANOVA).

    Hutter, Hoos and Leyton-Brown 2014. Few trials make it a rough guide.

    Returns:
        Columns parameter and importance (sum 1), the largest first; no row where trials are too few or equal.
    """
    from optuna.importance import FanovaImportanceEvaluator, get_param_importances
    from optuna.trial import TrialState

    done = study.get_trials(deepcopy=False, states=(TrialState.COMPLETE,))
    found: dict[str, float] = {}
    if len(done) >= FEWEST and len({trial.value for trial in done}) > 1:
        found = get_param_importances(study, evaluator=FanovaImportanceEvaluator(seed=0))
    rows = [{"parameter": key, "importance": value} for key, value in found.items() if key in space]
    return pd.DataFrame(rows, columns=["parameter", "importance"])
