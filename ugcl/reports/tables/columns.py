"""The summary's tables as pages list them: fewer columns, plain names, rounded."""

from __future__ import annotations

import numpy as np
import pandas as pd

from ugcl.plan.names import BLANK, COUNTED, TITLES
from ugcl.reports.tables.cells import fixed, percent, span

NAMED = 20
"""Names of a list that a page shows."""

SHORT = 12
"""Hexadecimal digits that a page shows of a hash."""

CONDITIONS = {f"missing:{modality}": f"no {modality}" for modality in ("audio", "video", "text")}
CONDITIONS |= {"clean": "clean", "drop:alternate": "every second frame lost"}
CONDITIONS |= {"drop:random": "half of the frames lost"}


def condition_name(condition: str, level: str) -> str:
    """A condition of the robustness table in words."""
    if condition == "noise":
        return f"noise {level} dB"
    if condition == "shift":
        number = float(level)
        return f"audio {abs(number):g} s {'late' if number > 0 else 'early'}"
    if condition == "labels":
        return f"{100 * float(level):g} % of training labels wrong"
    return CONDITIONS.get(f"{condition}:{level}".rstrip(":"), f"{condition} {level}")


def robustness(table: pd.DataFrame, metric: str = "uar") -> pd.DataFrame:
    """Systems by conditions: per cent when clean, then points from there.

    ∗: zero is outside the interval, –: no value; conditions of which no system has a value
    are left to :func:`cannot`.

    Args:
        table: rows of one benchmark, columns of results/tables/<benchmark>/robustness.csv.
    """
    found = table[table["metric"] == metric]
    names = [condition_name(c, level) for c, level in zip(found["condition"], found["level"], strict=True)]
    cells = []
    for row in found.itertuples():
        if row.condition == "clean":
            cells.append(f"{100 * row.value:.1f}")
        elif np.isfinite(row.difference):
            sure = row.difference_low > 0 or row.difference_high < 0
            cells.append(percent(row.difference, np.nan, np.nan, signed=True) + "∗" * sure)
        else:
            cells.append("–")
    found = found.assign(name=names, cell=cells)
    wide = found.pivot(index="system", columns="name", values="cell")
    wide = wide.loc[list(dict.fromkeys(found["system"])), list(dict.fromkeys(names))]
    wide = wide.loc[:, (wide.fillna("–") != "–").any()]
    return wide.fillna("–").rename_axis(columns=None).reset_index()


def cannot(table: pd.DataFrame) -> pd.DataFrame:
    """Which systems have no value under which conditions, and why."""
    found = table[(table["metric"] == "uar") & (table["reason"] != "")]
    names = [condition_name(c, level) for c, level in zip(found["condition"], found["level"], strict=True)]
    groups = found.assign(conditions=names).groupby(["system", "reason"], sort=False)["conditions"]
    groups = groups.agg("; ".join).reset_index().groupby(["reason", "conditions"], sort=False)["system"]
    return groups.agg(", ".join).reset_index()[["system", "conditions", "reason"]]


def cost(table: pd.DataFrame) -> pd.DataFrame:
    """Size, operations, speed and training of systems, in readable units."""
    return pd.DataFrame(
        {
            "system": table["system"],
            "parameters": table["parameters"].map("{:,.0f}".format),
            "M operations per clip": (table["flops"] / 1e6).map("{:,.1f}".format),
            "ms per clip, batch 1": table["latency_ms"].map("{:.2f}".format),
            "clips per second, batch 32": table["throughput"].map("{:,.0f}".format),
            "s per run": table["train_seconds"].map("{:,.1f}".format),
            "min, all runs": (table["train_seconds_total"] / 60).map("{:,.1f}".format),
            "peak MiB": table["train_memory_mib"].map("{:,.0f}".format),
            "runs": table["runs"].map("{:.0f}".format),
        }
    )


def runs(table: pd.DataFrame, summary: pd.DataFrame) -> pd.DataFrame:
    """One row per system: its runs, the epochs that dev chose, and two lineages.

    Args:
        table: rows of one benchmark of runs.csv.
        summary: rows of the same benchmark of summary.csv.
    """
    scores = summary.groupby("system")["lineage"].first()
    columns = ["system", "runs", "seed numbers", "folds", "epoch chosen on dev", "epochs trained"]
    rows = []
    for system, own in table.groupby("system", sort=False):
        seeds = ", ".join(f"{seed:.0f}" for seed in sorted(set(own["seed"])))
        epochs = [span(own[name].min(), own[name].max()) for name in ("epoch", "epochs")]
        lineages = ", ".join(dict.fromkeys(own["lineage"])), scores.get(system, "")
        rows.append((system, len(own), seeds, own["fold"].nunique(), *epochs, *lineages))
    return pd.DataFrame(rows, columns=[*columns, "lineage of the runs", "lineage of the scores"])


def environment(table: pd.DataFrame, kinds: tuple[str, ...]) -> pd.DataFrame:
    """Some kinds of rows of the environment table; hashes shortened.

    Args:
        table: rows of one benchmark, columns kind, item, content, runs.
        kinds: of `code`, `software`, `device`, `data`.
    """
    found = table[table["kind"].isin(kinds)].copy()
    long = found["kind"].isin(["code", "data"])
    found.loc[long, "content"] = found.loc[long, "content"].str[:SHORT]
    found["runs"] = found["runs"].map("{:.0f}".format)
    return found[[*(["kind"] if len(kinds) > 1 else []), "item", "content", "runs"]]


def optimism(table: pd.DataFrame) -> pd.DataFrame:
    """Per cent and points of results/tables/<benchmark>/optimism_by_system.csv."""
    gains = [percent(row.optimism, row.ci_low, row.ci_high, signed=True) for row in table.itertuples()]
    shown = {"system": table["system"], "runs": table["runs"].map("{:.0f}".format)}
    primary = next(name for name in COUNTED if name in table)
    shown[f"{TITLES[primary]}, epoch from dev"] = (100 * table[primary]).map("{:.1f}".format)
    shown[f"{TITLES[primary]}, epoch from test"] = (100 * table[f"best_{primary}"]).map("{:.1f}".format)
    return pd.DataFrame(shown | {"optimism": gains})


def votes(table: pd.DataFrame) -> pd.DataFrame:
    """How often the raters' majority is the label, in per cent; rows of one benchmark of votes.csv."""
    return pd.DataFrame(
        {
            "raters": table["channel"],
            "clips": table["clips"].map("{:.0f}".format),
            "tied clips": table["ties"].map("{:.0f}".format),
            "majority is the label, ties wrong": (100 * table["agreement"]).map("{:.1f}".format),
            "majority is the label, untied clips": (100 * table["agreement_untied"]).map("{:.1f}".format),
        }
    )


def parts(table: pd.DataFrame) -> pd.DataFrame:
    """Clips, speakers and minutes of the parts of folds; rows of one benchmark of parts.csv."""
    return pd.DataFrame(
        {
            "fold": table["fold"].map("{:.0f}".format),
            "part": table["part"],
            "clips": table["clips"].map("{:.0f}".format),
            "speakers": table["speakers"].map("{:.0f}".format),
            "minutes": (table["seconds"] / 60).map("{:.1f}".format),
            "shared speakers": table["shared"].map(_names),
        }
    )


def _names(cell: str) -> str:
    """The first names of a list with blanks between, and how many there are."""
    names = [name.replace(BLANK, " ") for name in cell.split(" ") if name]
    between = ", " if BLANK in cell else " "
    return between.join(names[:NAMED]) + (f" … ({len(names)})" if len(names) > NAMED else "") or "none"


def disagreement(table: pd.DataFrame) -> pd.DataFrame:
    """Systems and raters; shares in per cent. Rows of one benchmark of disagreement.csv."""
    share = lambda name: [percent(value, np.nan, np.nan) for value in table[name]]  # noqa: E731
    score = lambda name: ["" if np.isnan(v) else fixed(v, 2) for v in table[name]]  # noqa: E731
    agreement = zip(table["agreement"], table["ci_low"], table["ci_high"], strict=True)
    return pd.DataFrame(
        {
            "system": table["system"],
            "raters": table["channel"],
            "clips": table["clips"].map("{:.0f}".format),
            "says the majority": [percent(*cell) for cell in agreement],
            "majority is the label": share("label_agreement"),
            "right, undisputed": share("right_agreed"),
            "right, disputed": share("right_disputed"),
            "with the majority, disputed": share("followed"),
            "KL to the votes": score("kl"),
            "cosine to the votes": score("cosine"),
            "correlation of entropies": score("entropy_correlation"),
        }
    )


def token_usage(table: pd.DataFrame) -> pd.DataFrame:
    """How evenly the codebook is used, one row per fold and modality."""
    columns = [
        "fold",
        "modality",
        "tokens",
        "entropy",
        "perplexity",
        "clip_perplexity",
        "dead",
        "never_first",
    ]
    shown = table[columns].round({"entropy": 2, "perplexity": 1, "clip_perplexity": 1})
    whole = ["fold", "tokens", "dead", "never_first"]
    names = {"entropy": "entropy, nats", "clip_perplexity": "perplexity of one clip"}
    names |= {"dead": "dead tokens", "never_first": "tokens never largest"}
    return shown.astype(dict.fromkeys(whole, int)).rename(columns=names)


def hard_negatives(table: pd.DataFrame, count: int = 12) -> pd.DataFrame:
    """The most similar pairs of clips of different labels, each pair once."""
    pair = [tuple(sorted(names)) for names in zip(table["clip"], table["other"], strict=True)]
    once = table[~pd.Series(pair, index=table.index).duplicated()].head(count)
    shown = once[["fold", "clip", "label", "other", "other_label", "similarity", "own_similarity"]]
    for column in ("similarity", "own_similarity"):
        shown[column] = [fixed(value, 2) for value in shown[column]]
    shown = shown.astype({"fold": int})
    return shown.rename(columns={"other_label": "its label", "own_similarity": "with its own half"})
