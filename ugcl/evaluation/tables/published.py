"""Published results, beside a benchmark of the same protocol or apart with the reason."""

from __future__ import annotations

from pathlib import Path

import pandas as pd

from ugcl.config import Config
from ugcl.data import tables
from ugcl.errors import UgclError
from ugcl.evaluation.schemas.summary import PUBLISHED
from ugcl.plan import paths
from ugcl.plan.names import TITLES

SOURCE = ("corpus", "family", "protocol", "label_target", "classes", "folds", "method", "year")
SOURCE += ("modalities", "metric", "value", "spread", "clean", "caveat", "source", "grade")
"""Columns of workflow/resources/published.csv.

corpus: its adapter; family: name of the publication's protocol; protocol: ours that tests the same clips with
the same labels, "" if none; label_target, classes, folds: of the publication, "" if not stated; value: 0..1;
spread: standard deviation over folds or runs, "" if not given; clean: no if train and test share speakers;
caveat: what to know even where the protocol is the same; grade: primary (read in the paper or its code),
secondary (in a source that cites it) or measured (computed from published outputs).
"""

GRADES = ("primary", "secondary", "measured")


def read(path: Path = paths.PUBLISHED) -> pd.DataFrame:
    """The published rows; empty where the project has no such file.

    Raises:
        UgclError: a column is missing, a value is not a share, or a metric or grade is unknown.
    """
    if not path.is_file():
        return pd.DataFrame(columns=SOURCE)
    frame = tables.read(path)
    missing = [column for column in SOURCE if column not in frame]
    if missing:
        raise UgclError(f"{path}: column {missing[0]!r} is missing; add it")
    for column in ("value", "spread"):
        frame[column] = pd.to_numeric(frame[column].replace("", None), errors="coerce")
    for row in frame.itertuples():
        place = f"{path}, line {row.Index + 2} ({row.method})"
        if not 0 <= row.value <= 1:
            raise UgclError(f"{place}: value is not a number in 0..1; divide percentages by 100")
        if row.metric not in TITLES:
            raise UgclError(f"{place}: metric {row.metric!r} is unknown; use one of {', '.join(TITLES)}")
        if row.grade not in GRADES:
            raise UgclError(f"{place}: grade {row.grade!r} is unknown; use one of {', '.join(GRADES)}")
    return frame


def published(config: Config, benchmark: str, rows: pd.DataFrame) -> pd.DataFrame:
    """The published results of a benchmark's corpus.

    Args:
        rows: of :func:`read`.

    Returns:
        The columns PUBLISHED, those that may stand beside the benchmark first, the best first within.
        comparable: yes or no; reason: how the protocols differ, "" if comparable.
    """
    entry = config.benchmarks[benchmark]
    own = rows[rows["corpus"] == config.corpora[entry.corpus].adapter]
    reasons = [difference(config, benchmark, row) for row in own.to_dict("records")]
    table = own.assign(reason=reasons, comparable=["no" if reason else "yes" for reason in reasons])
    order = ["comparable", "family", "metric", "value", "method"]
    table = table.sort_values(order, ascending=[False, True, True, False, True], kind="stable")
    return table[list(PUBLISHED)].reset_index(drop=True)


def difference(config: Config, benchmark: str, row: dict[str, object]) -> str:
    """How a published row's protocol differs from the benchmark's; "" where it does not."""
    entry, protocol = config.benchmarks[benchmark], config.protocol(benchmark)
    every, run = len(protocol.fold_numbers), len(config.folds(benchmark))
    ours = {"label target": protocol.label, "classes": str(len(protocol.classes)), "folds": str(every)}
    found = []
    for name, own in ours.items():
        theirs = row[name.replace(" ", "_")]
        if theirs != own:
            found.append(f"{name} {theirs}, here {own}" if theirs else f"{name} not stated")
    if row["protocol"] != entry.protocol:
        found += ["speakers shared by train and test"] if row["clean"] == "no" else []
        found = found or [f"other split: {row['family']}"]
    elif run < every:
        found.append(f"only {run} of {every} folds are run here")
    return "; ".join(found)
