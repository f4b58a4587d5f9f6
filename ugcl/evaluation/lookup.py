"""`ugcl show`: the information of the project's files about one clip."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pandas as pd

from ugcl.config import Config
from ugcl.data import tables
from ugcl.data.labels import labelled
from ugcl.data.shards import INDEX
from ugcl.errors import UgclError
from ugcl.evaluation.tables import predictions
from ugcl.inference.temperature import read_table
from ugcl.plan import paths
from ugcl.plan.evaluation import marks, prediction, temperature

LIKE = 3
"""Names of similar clips that an error suggests."""


def clip_facts(config: Config, clip: str, corpus: str = "") -> dict[str, Any]:
    """What is known about a clip; what was not computed yet is left out.

    Args:
        clip: its name in a manifest.
        corpus: where to look; default the corpora of the active benchmarks, then all others.

    Returns:
        corpus; manifest (column → text, empty cells left out); features (encoder → frames and dim, or failure
        and detail); benchmarks: name → marks (SYNTHETIC, LEAKY), label ("" where the protocol leaves the clip
        out), parts (fold → part), quarantine (reasons), absent (modalities that it lacks), predictions (one
        row per system, seed and fold that tested it: predicted, right, confidence, p of every class).

    Raises:
        UgclError: no manifest has the clip.
    """
    name, manifest = _find(config, clip, corpus)
    row = manifest.set_index("clip").loc[clip]
    facts: dict[str, Any] = {
        "clip": clip,
        "corpus": name,
        "manifest": {key: _text(value) for key, value in row.items() if _text(value) != ""},
        "features": _features(config, name, clip),
        "benchmarks": {},
    }
    for benchmark, entry in config.benchmarks.items():
        if entry.corpus == name:
            label = labelled(manifest, config.protocol(benchmark)).set_index("clip")["label"].get(clip, "")
            found = _in_benchmark(config, benchmark, clip, label)
            facts["benchmarks"][benchmark] = {"marks": marks(config, benchmark), **found}
    return facts


def _find(config: Config, clip: str, corpus: str) -> tuple[str, pd.DataFrame]:
    if corpus:
        config.corpus(corpus)
    active = [config.benchmark(name).corpus for name in config.active]
    names = [corpus] if corpus else list(dict.fromkeys([*active, *config.corpora]))
    known: list[str] = []
    for name in names:
        if paths.manifest(name).is_file():
            manifest = tables.read_manifest(paths.manifest(name))
            if clip in set(manifest["clip"]):
                return name, manifest
            known += manifest["clip"].tolist()
    if not known:
        raise UgclError(f"no manifest of {', '.join(names)} is here; run `snakemake data` first")
    from difflib import get_close_matches

    like = get_close_matches(clip, known, LIKE)
    hint = f"; like it: {', '.join(like)}" if like else f"; names look like {known[0]}"
    raise UgclError(f"no clip {clip!r} in the manifests of {', '.join(names)}{hint}")


def _features(config: Config, corpus: str, clip: str) -> dict[str, dict[str, Any]]:
    found: dict[str, dict[str, Any]] = {}
    for encoder in config.encoders:
        folder = paths.features(corpus, encoder)
        if (folder / INDEX).is_file():
            for shard in range(1, config.corpora[corpus].shards + 1):
                for _, row in _rows(folder / f"shard-{shard}.csv", clip).iterrows():
                    fields = ("frames", "dim") if not row["failure"] else ("failure", "detail")
                    found[encoder] = {key: row[key] for key in fields}
    return found


def _in_benchmark(config: Config, benchmark: str, clip: str, label: str) -> dict[str, Any]:
    entry, classes = config.benchmarks[benchmark], config.protocol(benchmark).classes
    splits = {n: _rows(paths.split(entry.corpus, entry.protocol, n), clip) for n in config.folds(benchmark)}
    parts = {fold: rows["part"].iloc[0] for fold, rows in splits.items() if len(rows)}
    failed = _rows(paths.quarantine(benchmark), clip)
    bad = tables.set_aside(failed)
    predicted = [system for system in entry.systems if temperature(benchmark, system).is_file()]
    folds = [fold for fold, part in parts.items() if part == "test"] if predicted else []
    tests, found = predictions.tested(config, benchmark, folds) if folds else {}, []
    for system in predicted:
        runs = read_table(benchmark, system)
        for seed in entry.seeds:
            for fold in folds:
                path = prediction(benchmark, system, seed, fold)
                if not path.is_file():
                    continue
                frame = predictions.read_run(path, classes, tests[fold], runs, (seed, fold))
                for row in frame[frame["clip"] == clip].to_dict("records"):
                    p = {name: row[f"p_{name}"] for name in classes}
                    right = row["predicted"] == row["label"]
                    found.append(
                        {"system": system, "seed": seed, "fold": fold, "predicted": row["predicted"]}
                        | {"right": right, "confidence": p[row["predicted"]], "probabilities": p}
                    )
    return {
        "label": label,
        "parts": parts,
        "quarantine": bad[["modality", "failure", "detail"]].to_dict("records") if len(bad) else [],
        "absent": [] if len(bad) or failed.empty else failed["modality"].tolist(),
        "predictions": found,
    }


def _rows(path: Path, clip: str) -> pd.DataFrame:
    """The rows of a table that are about a clip; none where the table is not there."""
    if not path.is_file():
        return pd.DataFrame()
    frame = tables.read(path)
    return frame[frame["clip"] == clip]


def _text(value: Any) -> str:
    if pd.isna(value):
        return ""
    return f"{value:.3f}" if isinstance(value, float) else str(value)
