"""Snakemake's records of what each output was made from, kept beside the results as well.

Snakemake compares parameters (and with them the lineage) only for an output that has a record in
`.snakemake`. A copied tree, a cache or an archive often lacks that folder; Snakemake then takes any file for
up to date. So the records are also kept in `results/provenance.jsonl`, and an output without a record gets it
back from there. Where no record is known, it gets one that equals no lineage: Snakemake makes such an output
again.

The layout of `.snakemake/metadata` (one JSON file per output, named by the output's path in base64) is that
of Snakemake 9, record format 6.
"""

from __future__ import annotations

import json
import os
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from ugcl.config import Config
from ugcl.plan import evaluation, paths

METADATA = Path(".snakemake/metadata")
KEPT = paths.TABLES.parent / "provenance.jsonl"
UNKNOWN = {"params": ["'unknown'"], "record_format_version": 6, "starttime": 0.0, "endtime": 0.0}
TREES = (
    *(paths.MANIFESTS, paths.SPLITS, paths.FACES, paths.FEATURES, paths.QUARANTINE, paths.PERTURBED),
    *(paths.MODELS, paths.PREDICTIONS, paths.SCORES, paths.TABLES, paths.FIGURES, paths.REPORTS),
)
LONGEST_NAME = 254


def complete(config: Config) -> None:
    """Give every output a record: the one that was kept with the results, or one that equals no lineage."""
    known = _known()
    lost = [path for path in _outputs(config) if path not in known]
    if lost:
        kept = read(KEPT)
        for path in lost:
            write(path, kept[path] if path in kept and _is_the_same(path, kept[path]) else UNKNOWN)
    for path in _unfinished(config):
        write(path, UNKNOWN)


def keep() -> None:
    """Copy the records of all outputs to `results/provenance.jsonl`, if any is newer than that file."""
    known = _known()
    if KEPT.is_file():
        written = KEPT.stat().st_mtime_ns
        if all(file.stat().st_mtime_ns <= written for file in known.values()):
            return
    save(KEPT, known)


def save(target: Path, outputs: Iterable[str]) -> None:
    """Write the records of some outputs that exist, one line per job and record, sorted by path."""
    jobs: dict[str, dict[str, int]] = {}
    for path in sorted(outputs):
        record = _record(path)
        if record and record.get("params") != UNKNOWN["params"] and Path(path).is_file():
            jobs.setdefault(json.dumps(record, sort_keys=True), {})[path] = Path(path).stat().st_size
    target.parent.mkdir(parents=True, exist_ok=True)
    partial = target.with_name(target.name + ".partial")
    with partial.open("w") as stream:
        for record, sizes in jobs.items():
            stream.write(f'{{"outputs": {json.dumps(sizes)}, "record": {record}}}\n')
    partial.replace(target)


def read(source: Path) -> dict[str, dict[str, Any]]:
    """The records that `save` wrote, by output, each with the output's size as `bytes`; none if absent."""
    found: dict[str, dict[str, Any]] = {}
    if source.is_file():
        for line in source.read_text().splitlines():
            job = json.loads(line)
            found |= {path: job["record"] | {"bytes": size} for path, size in job["outputs"].items()}
    return found


def write(path: str, record: dict[str, Any]) -> None:
    """Give Snakemake a record of an output."""
    file = _file(path)
    file.parent.mkdir(parents=True, exist_ok=True)
    # Without this folder Snakemake takes the records for an old format.
    METADATA.with_name("incomplete").mkdir(exist_ok=True)
    file.write_text(json.dumps({key: value for key, value in record.items() if key != "bytes"}))


def known() -> set[str]:
    """Outputs of which Snakemake has a record."""
    return set(_known())


def _known() -> dict[str, Path]:
    found = {}
    for folder, _, names in os.walk(METADATA):
        start = "".join(part[1:] for part in Path(folder).relative_to(METADATA).parts)
        for name in names:
            found[urlsafe_b64decode(start + name).decode()] = Path(folder, name)
    return found


def _file(path: str) -> Path:
    name = urlsafe_b64encode(path.encode()).decode()
    parts = [name[start : start + LONGEST_NAME] for start in range(0, len(name), LONGEST_NAME)]
    return METADATA.joinpath(*("@" + part for part in parts[:-1]), parts[-1])


def _record(path: str) -> dict[str, Any] | None:
    try:
        return json.loads(_file(path).read_bytes())
    except (FileNotFoundError, json.JSONDecodeError):
        return None


def _outputs(config: Config) -> Iterator[str]:
    """Files that rules made, as far as they are there; of raw trees, those that the project makes itself."""
    made = [paths.RAW / name for name, entry in config.corpora.items() if entry.adapter == "demo"]
    for tree in (*TREES, *made):
        for folder, _, names in os.walk(tree):
            yield from (f"{folder}/{name}" for name in names if not name.endswith(".partial"))
    if paths.INDEX.is_file():
        yield paths.INDEX.as_posix()


def _unfinished(config: Config) -> Iterator[str]:
    """Predictions that are absent where their job is done, as after a seed or a fold was added.

    Later jobs name one file per system (`evaluation.predicted`), so Snakemake would not look for the others.
    """
    for benchmark in config.active:
        for system in config.trained(benchmark):
            if evaluation.temperature(benchmark, system).is_file():
                for path in evaluation.predict_outputs(config, benchmark, system):
                    if not path.is_file():
                        yield path.as_posix()


def _is_the_same(path: str, record: dict[str, Any]) -> bool:
    """Whether a kept record is that of the file on disk: same size, and the lineage in a run's card."""
    if Path(path).stat().st_size != record["bytes"]:
        return False
    if not Path(path).is_relative_to(paths.MODELS):
        return True
    try:
        card = json.loads(Path(path).with_name("card.json").read_bytes())
    except (FileNotFoundError, json.JSONDecodeError):
        return False
    return repr(card.get("lineage")) in record["params"]
