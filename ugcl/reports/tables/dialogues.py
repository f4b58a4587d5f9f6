"""Tables about turns of dialogues, as pages show them."""

from __future__ import annotations

import pandas as pd

from ugcl.reports.tables.cells import percent

SHIFT = {"changed": "label changed", "same": "label stayed", "first": "first turn"}
"""Group of an emotion shift → its name: the speaker's label against that of the speaker's turn before."""


def group_name(attribute: str, group: str) -> str:
    """A group of turns in words, such as `turn 3–5` or `label changed`."""
    return SHIFT[group] if attribute == "shift" else f"turn {group}"


def by_turn(table: pd.DataFrame, attribute: str) -> pd.DataFrame:
    """Systems by groups of turns, in per cent with intervals; clips of each group in its head.

    Args:
        table: rows of one benchmark of turns.csv.
        attribute: `turn` or `shift`; the latter has the share of clips that get the label of the speaker's
            turn before although the label changed, too.
    """
    rows = table[table["attribute"] == attribute]
    names = _names(rows)
    cells = [percent(*row) for row in rows[["value", "ci_low", "ci_high"]].itertuples(index=False)]
    wide = _wide(rows.assign(name=names, cell=cells))
    if attribute == "shift":
        kept = rows[rows["group"] == "changed"].set_index("system")["kept"]
        wide["changed, but the label before is predicted"] = [
            percent(kept.get(system, float("nan")), float("nan"), float("nan")) for system in wide["system"]
        ]
    return wide


def gains(table: pd.DataFrame) -> pd.DataFrame:
    """What context adds in points, by groups of turns; no rows where no system has a counterpart without it.

    Args:
        table: rows of one benchmark of turns.csv.
    """
    rows = table[table["without"] != ""]
    if rows.empty:
        return pd.DataFrame()
    ends = rows[["gain", "gain_low", "gain_high"]].itertuples(index=False)
    pairs = rows["system"] + " − " + rows["without"]
    cells = [percent(*row, signed=True) for row in ends]
    wide = _wide(rows.assign(name=_names(rows), cell=cells, system=pairs))
    return wide.rename(columns={"system": "with − without context"})


def turns_of(view: pd.DataFrame) -> pd.DataFrame:
    """A dialogue as a page shows it.

    Args:
        view: of :func:`ugcl.evaluation.dialogues.view.view`.

    Returns:
        turn, speaker, text, label, predicted (✗ where it is wrong), confidence; – where nothing is known.
    """
    wrong = view["right"].map({"no": " ✗"}).fillna("")
    sure = view["confidence"].map("{:.0%}".format, na_action="ignore").fillna("–")
    found = {
        name: view[name].where(view[name] != "", "–") for name in ("speaker", "text", "label", "predicted")
    }
    found["predicted"] = found["predicted"] + wrong
    return pd.DataFrame({"turn": view["turn"].map(str), **found, "confidence": sure})


def _names(rows: pd.DataFrame) -> list[str]:
    """The head of each row's column: the group and how many clips it has."""
    each = zip(rows["attribute"], rows["group"], rows["clips"], strict=True)
    return [f"{group_name(attribute, group)} ({clips:.0f})" for attribute, group, clips in each]


def _wide(rows: pd.DataFrame) -> pd.DataFrame:
    wide = rows.pivot(index="system", columns="name", values="cell")
    wide = wide.loc[list(dict.fromkeys(rows["system"])), list(dict.fromkeys(rows["name"]))]
    return wide.fillna("–").rename_axis(columns=None).reset_index()
