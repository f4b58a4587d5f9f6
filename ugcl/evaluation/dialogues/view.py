"""One dialogue as it was predicted: its turns with speaker, text, label, prediction and confidence."""

from __future__ import annotations

from difflib import get_close_matches

import pandas as pd

from ugcl.config import Config
from ugcl.data import tables
from ugcl.data.labels import labelled
from ugcl.errors import UgclError
from ugcl.evaluation.tables import predictions
from ugcl.plan import paths
from ugcl.plan.evaluation import chosen

COLUMNS = ("turn", "clip", "speaker", "text", "label", "predicted", "confidence", "right")
LIKE = 3
"""Names of similar dialogues that an error suggests."""


def view(config: Config, benchmark: str, system: str, dialogue: str) -> pd.DataFrame:
    """The turns of a dialogue in order, those that no fold tests too.

    Args:
        system: one of the benchmark's, already predicted.
        dialogue: its name in the manifest.

    Returns:
        The columns COLUMNS. turn counts from 0; text is the transcript; label is "" where the protocol has
        none; predicted is the class of the highest probability, the mean over seeds, and confidence is that
        probability; right is "yes" or "no". The last three are empty where the clip is not tested.

    Raises:
        UgclError: the manifest has no such dialogue, the benchmark no such system, or it was not predicted.
    """
    chosen(config, benchmark, [system])
    manifest = tables.read_manifest(paths.manifest(config.benchmark(benchmark).corpus))
    rows = _turns(manifest, dialogue, benchmark)
    label = labelled(manifest, config.protocol(benchmark)).set_index("clip")["label"]
    found = judged(config, benchmark, system).reindex(rows["clip"])
    whole = pd.DataFrame({"turn": range(len(rows)), "clip": rows["clip"], "speaker": rows["speaker"]})
    whole["text"] = rows.get("transcript", pd.Series("", index=rows.index))
    whole["label"] = rows["clip"].map(label).fillna("")
    whole["predicted"] = found["predicted"].fillna("").to_numpy()
    whole["confidence"] = found["confidence"].to_numpy()
    right = (whole["label"] == whole["predicted"]).map({True: "yes", False: "no"})
    whole["right"] = right.where(whole["predicted"] != "", "")
    return whole[list(COLUMNS)].reset_index(drop=True)


def _turns(manifest: pd.DataFrame, dialogue: str, benchmark: str) -> pd.DataFrame:
    """The rows of a dialogue in the order of its turns, or of the clips' names where that is not known."""
    known = sorted(set(manifest.get("dialogue", pd.Series(dtype=str))) - {""})
    if not known:
        raise UgclError(f"the corpus of {benchmark} has no dialogues: its manifest names none")
    if dialogue not in known:
        like = get_close_matches(dialogue, known, LIKE)
        hint = f"like it: {', '.join(like)}" if like else f"names look like {known[0]}"
        raise UgclError(f"no dialogue {dialogue!r} in the corpus of {benchmark}; {hint}")
    rows = manifest[manifest["dialogue"] == dialogue]
    order = [name for name in ("turn", "start") if name in rows and rows[name].notna().all()]
    return rows.sort_values([*order[:1], "clip"])


def judged(config: Config, benchmark: str, system: str) -> pd.DataFrame:
    """What a system says of each tested clip: predicted and confidence by clip, with dialogue and label.

    The class of the highest mean probability over seeds, and that mean.
    """
    frame = predictions.stack(config, benchmark, system)
    classes = config.protocol(benchmark).classes
    p = frame.groupby("clip")[[f"p_{name}" for name in classes]].mean()
    first = frame.drop_duplicates("clip").set_index("clip").loc[p.index]
    found = pd.DataFrame({"predicted": p.idxmax(axis=1).str.removeprefix("p_"), "confidence": p.max(axis=1)})
    return found.assign(label=first["label"], dialogue=first.get("dialogue", ""))


def most_wrong(config: Config, benchmark: str, system: str, count: int = 3) -> list[str]:
    """The dialogues in which most clips are wrong, of equal ones in the order of their names."""
    found = judged(config, benchmark, system)
    wrong = found[(found["dialogue"] != "") & (found["label"] != found["predicted"])]
    counted = wrong.groupby("dialogue").size().sort_index()
    return list(counted.sort_values(ascending=False, kind="stable").index[:count])
