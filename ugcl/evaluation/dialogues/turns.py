"""Scores by turn of the dialogue, after an emotion shift of the speaker, and what context adds to them.

A clip's position is the number of tested clips before it in its dialogue, which a system with context reads:
other turns of the dialogue, without a label of the protocol or set aside, do not count. An emotion shift is a
change of label from the same speaker's previous tested clip of the dialogue (Hazarika et al., ICON, EMNLP
2018, section 6; Majumder et al., DialogueRNN, AAAI 2019, section 6).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import numpy as np
import pandas as pd

from ugcl.config import Config, Run
from ugcl.config.protocols import Protocol
from ugcl.config.report import Evaluate
from ugcl.config.system.overrides import SECTIONS
from ugcl.evaluation.schemas.dialogues import DIALOGUES, SHIFTS, TURNS
from ugcl.evaluation.statistics import bootstrap, metrics, paired
from ugcl.plan.names import FEW

POSITIONS = {"0": (0, 0), "1": (1, 1), "2": (2, 2), "3–5": (3, 5), "6+": (6, np.inf)}
"""Group of turns → first and last position."""

CHANGED, SAME, FIRST = "changed", "same", "first"
"""The speaker's label against that of the speaker's previous turn; FIRST without one."""

KEYS = ["seed", "fold", "clip", "speaker", "label", "predicted", "unit"]


def placed(frame: pd.DataFrame) -> pd.DataFrame:
    """Where each clip stands in its dialogue.

    Args:
        frame: seed, fold, clip, speaker, label, and dialogue with turn or start where clips have them.

    Returns:
        position (from 0) and previous, the label of the speaker's turn before ("" without), with the index of
        the frame; NaN and "" for a clip in no dialogue, or in one whose order is not known.
    """
    orders = [n for n in ("turn", "start") if n in frame and frame[n].notna().any()]
    found = pd.DataFrame({"position": np.nan, "previous": ""}, index=frame.index)
    if "dialogue" not in frame or not orders:
        return found
    inside = frame[frame["dialogue"] != ""]
    dialogue = ["seed", "fold", "dialogue"]
    unknown = inside[orders[0]].isna().groupby([inside[name] for name in dialogue]).transform("any")
    inside = inside[~unknown].sort_values([*dialogue, orders[0]])
    found.loc[inside.index, "position"] = inside.groupby(dialogue).cumcount().astype(float)
    previous = inside.groupby([*dialogue, "speaker"])["label"].shift()
    found.loc[inside.index, "previous"] = previous.fillna("")
    return found


def groups(frame: pd.DataFrame) -> Iterator[tuple[str, str, np.ndarray]]:
    """The groups of clips by position and by emotion shift: attribute, group, mask over the frame's rows."""
    places = placed(frame)
    for group, (first, last) in POSITIONS.items():
        yield "turn", group, places["position"].between(first, last).to_numpy()
    known, before = places["position"].notna(), places["previous"]
    changed = (before != "") & (before != frame["label"])
    same = (before != "") & ~changed
    for group, chosen in ((CHANGED, changed), (SAME, same), (FIRST, before == "")):
        yield "shift", group, (known & chosen).to_numpy()


def turns(
    frames: Mapping[str, pd.DataFrame], without: Mapping[str, str], protocol: Protocol, settings: Evaluate
) -> pd.DataFrame:
    """The primary metric of every system on each group of turns, and what context adds to it.

    Args:
        frames: system → predictions of all seeds and folds
            (:func:`ugcl.evaluation.tables.predictions.stack`), all on the same clips.
        without: system with context → the one to compare it with (:func:`counterparts`).

    Returns:
        system and the columns TURNS: value with its interval over the protocol's units; gain over the system
        without context, paired; kept, the share of the clips that get the label of the speaker's previous
        turn; clips and dialogues of the group. Groups without clips have no row, and groups of fewer than
        FEW units no interval.
    """
    rows, frame = [], next(iter(frames.values()))
    previous = placed(frame)["previous"].to_numpy()
    for attribute, group, chosen in groups(frame):
        if not chosen.any():
            continue
        own = {system: each.loc[chosen, KEYS] for system, each in frames.items()}
        scored = {s: paired.scored(each, protocol.classes, settings) for s, each in own.items()}
        same = {"attribute": attribute, "group": group, "metric": protocol.primary}
        same |= {"clips": frame.loc[chosen, "clip"].nunique()}
        same |= {"dialogues": frame.loc[chosen, "dialogue"].nunique()}
        for system, each in scored.items():
            row = same | {"system": system} | _score(each, protocol.primary, settings)
            if group in (CHANGED, SAME):
                row["kept"] = float((own[system]["predicted"] == previous[chosen]).mean())
            if system in without:
                row |= {"without": without[system]}
                row |= _gain(each, scored[without[system]], protocol.primary, settings)
            rows.append(row)
    order = {system: number for number, system in enumerate(frames)}
    whole = pd.DataFrame(rows, columns=["system", *TURNS]).fillna({"without": ""})
    return whole.sort_values("system", key=lambda names: names.map(order), kind="stable", ignore_index=True)


def _score(scored: paired.Scored, metric: str, settings: Evaluate) -> dict[str, float]:
    values, units = scored.point[metric], len(scored.hits)
    low = high = np.nan
    if units >= FEW:
        found = values, scored.drawn[metric], settings.confidence, units, metrics.scale(metric)
        low, high = bootstrap.interval(*found, scored.left_out[metric])
    return {"value": float(values.mean()), "ci_low": low, "ci_high": high}


def _gain(
    scored: paired.Scored, against: paired.Scored, metric: str, settings: Evaluate
) -> dict[str, object]:
    found = paired.difference(scored, against, metric, settings)
    few = len(scored.hits) < FEW
    ends = {f"gain_{end}": np.nan if few else found[f"ci_{end}"] for end in ("low", "high")}
    return {"gain": found["difference"], **ends}


def counterparts(config: Config, benchmark: str) -> dict[str, str]:
    """System with context → the system of the benchmark that is the same without.

    It is the one whose settings differ in the context alone, else the one that it extends, where that reads
    clips by themselves; other systems have none.
    """
    entry, found = config.benchmark(benchmark), {}
    runs = {system: config.resolve(benchmark, system) for system in entry.systems}
    alone = {s: _but_context(run) for s, run in runs.items() if run.input.context == "clip"}
    for system, run in runs.items():
        if system in alone:
            continue
        own, parent = _but_context(run), config.systems[system].extends
        same = [other for other, settings in alone.items() if settings == own]
        if same or parent in alone:
            found[system] = same[0] if same else parent
    return found


def _but_context(run: Run) -> dict[str, object]:
    settings = run.model_dump(include=set(SECTIONS))
    settings["input"].pop("context")
    settings["encoder"].pop("dialogue", None)
    return settings


def shifts(frames: Mapping[str, pd.DataFrame], classes: list[str]) -> pd.DataFrame:
    """Confusion of every system where the speaker's label changed, and where it did not.

    Returns:
        system and the columns SHIFTS: counts of label and prediction over all folds and seeds, all pairs of
        classes, for the groups `changed` and `same`; no rows for a group without clips.
    """
    found = []
    for system, frame in frames.items():
        for attribute, group, chosen in groups(frame):
            if attribute == "shift" and group != FIRST and chosen.any():
                counts = metrics.confusion(frame[chosen], classes)
                found.append(counts.assign(system=system, group=group))
    return pd.concat(found, ignore_index=True) if found else pd.DataFrame(columns=["system", *SHIFTS])


def facts(
    frame: pd.DataFrame, splits: Mapping[int, pd.DataFrame], speaker: pd.Series, protocol: Protocol
) -> pd.DataFrame:
    """What a benchmark's tested dialogues are, and what its intervals draw.

    Args:
        frame: predictions of a system.
        splits: fold → its split table.
        speaker: clip → speaker.

    Returns:
        The columns DIALOGUES, one row: intervals (what is drawn), units (how many), dialogues, turns (tested
        clips in them), longest (turns of the longest), speakers (of all tested clips), recurring (those of
        them who are in train or dev of the fold too); no row where no tested clip is in a dialogue.
    """
    clips = frame[frame["seed"] == frame["seed"].iloc[0]]
    if "dialogue" not in clips or (clips["dialogue"] == "").all():
        return pd.DataFrame(columns=list(DIALOGUES))
    inside = clips.loc[clips["dialogue"] != "", ["fold", "dialogue"]]
    recurring = set()
    for split in splits.values():
        who = split["clip"].map(speaker)
        recurring |= set(who[split["part"] == "test"]) & set(who[split["part"] != "test"])
    row = (
        *(protocol.intervals, clips["unit"].nunique(), inside["dialogue"].nunique(), len(inside)),
        *(inside.value_counts().max(), clips["speaker"].nunique(), len(recurring)),
    )
    return pd.DataFrame([row], columns=list(DIALOGUES))
