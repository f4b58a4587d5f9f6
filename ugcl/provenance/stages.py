"""A stage as DVC runs it: the lineages it depends on, and a milestone of Snakemake that is then recorded."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

from ugcl.config import Config
from ugcl.errors import UgclError
from ugcl.plan import paths
from ugcl.provenance import contract, lineage, recorded

LINEAGE = Path("data/lineage")
SHELLS = {"sh", "bash", "dash", "zsh", "ksh", "fish"}
REAPERS = {"init", "systemd", "launchd", "tini", "dumb-init", "docker-init", "catatonit"}
"""Processes that adopt others whose parent has ended."""
GRACE = 20
"""Seconds that Snakemake has to end its jobs before they are killed."""


def lineages(config: Config) -> dict[str, dict[str, Any]]:
    """Stage → what it makes for the active benchmarks → its lineage, and which runs there are."""
    data: dict[str, Any] = {}
    features: dict[str, Any] = {}
    train: dict[str, Any] = {}
    evaluate: dict[str, Any] = {}
    for name in config.active:
        entry = config.benchmark(name)
        corpus, folds = entry.corpus, config.folds(name)
        data[f"raw/{corpus}"] = lineage.raw(config, corpus)
        data[f"manifests/{corpus}"] = lineage.manifest(config, corpus)
        split = f"splits/{corpus}/{entry.protocol}"
        made = data.get(split, {"folds": []})["folds"]
        made_of = lineage.splits(config, corpus, entry.protocol)
        data[split] = {"lineage": made_of, "folds": sorted({*made, *folds})}
        for encoder in entry.features.values():
            features[f"features/{corpus}/{encoder}"] = lineage.features(config, corpus, encoder)
            if config.encoders[encoder].needs_faces:
                features[f"faces/{corpus}"] = lineage.faces(config, corpus)
        features[f"quarantine/{name}"] = lineage.quarantine(config, name)
        for system in config.trained(name):
            train[f"{name}/{system}"] = lineage.train(config, name, system)
            evaluate[f"predictions/{name}/{system}"] = lineage.predict(config, name, system)
        evaluate[f"tables/{name}"] = [lineage.tables(config, name), lineage.cost(config, name)]
        train[f"{name}/*"] = {"seeds": entry.seeds, "folds": folds}
    report = {"report": lineage.report(config)}
    return dict(data=data, features=features, train=train, evaluate=evaluate, report=report)


def write_lineages(config: Config) -> None:
    """Write `data/lineage/<stage>.json`, which DVC compares, and make the raw trees that it asks for."""
    for stage, found in lineages(config).items():
        path = LINEAGE / f"{stage}.json"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(found, indent=1, sort_keys=True) + "\n")
    _find_inputs(config)


def run(name: str) -> None:
    """Run a milestone of Snakemake as a stage of DVC: fill empty folders from the record, compute, record.

    Raises:
        UgclError: dvc.yaml has no such stage, or Snakemake fails.
    """
    masters = _masters()  # first of all, while DVC is surely there
    stages = {stage.name: stage for stage in contract.read_stages(Path("dvc.yaml"))}
    if name not in stages:
        raise UgclError(f"stage {name!r}: not in dvc.yaml; choose from {', '.join(stages)}")
    recorded.lay_out(stages[name])
    # The code of this folder, which is not the installed one in the folder of `dvc exp run --temp`.
    path = os.pathsep.join(filter(None, (os.getcwd(), os.environ.get("PYTHONPATH"))))
    command = [sys.executable, "-m", "snakemake", name]
    code = _supervise(command, os.environ | {"PYTHONPATH": path}, masters)
    if code:
        raise UgclError(f"stage {name}: snakemake ended with exit code {code}; its messages are above")
    recorded.save(stages[name])


def _find_inputs(config: Config) -> None:
    """Raw trees that stages read: in a temporary folder of an experiment, links to those of the project."""
    project = Path(os.environ.get("DVC_ROOT") or ".").resolve()
    roots = [Path(entry.root) for entry in config.corpora.values() if entry.root]
    for path in [*contract.raw_trees(Path("dvc.yaml")), *roots]:
        if path.is_absolute() or path.exists():
            continue
        if (project / path).exists():
            path.parent.mkdir(parents=True, exist_ok=True)
            path.symlink_to(project / path)
        elif path.is_relative_to(paths.RAW):
            path.mkdir(parents=True)


def _supervise(command: list[str], environment: dict[str, str], masters: list[Any]) -> int:
    """Run a command that ends when DVC ends, also by SIGTERM or SIGKILL; its exit code.

    The command has a process group of its own: a signal to the group also reaches a job that Snakemake
    starts at that moment, which a list of its children would miss.
    """
    process = subprocess.Popen(command, env=environment, process_group=0)
    for number in (signal.SIGTERM, signal.SIGHUP):
        if signal.getsignal(number) != signal.SIG_IGN:  # `nohup` ignores the end of the terminal
            signal.signal(number, lambda *_: sys.exit(_stop(process)))
    while True:
        try:
            return process.wait(timeout=0.5)
        except subprocess.TimeoutExpired:
            if not all(_alive(master) for master in masters):
                return _stop(process)
        except KeyboardInterrupt:  # the terminal sends it to its own group alone
            return _stop(process)


def _masters() -> list[Any]:
    """The process that started this one, and DVC where that is its shell.

    Raises:
        UgclError: DVC ended before this process looked for it.
    """
    import psutil

    found = []
    for parent in psutil.Process().parents():
        found.append(parent)
        if parent.name() not in SHELLS:
            break
    last = found[-1]
    orphaned = last.pid == 1 or last.name() in REAPERS
    if "DVC_STAGE" in os.environ and orphaned and "dvc" not in " ".join(last.cmdline()):
        raise UgclError("stage: DVC has ended, so nothing is computed")
    return found


def _alive(process: Any) -> bool:
    import psutil

    try:
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def _stop(process: subprocess.Popen[bytes]) -> int:
    """Interrupt a process group, as Ctrl-C does; kill what is left of it after a while or a second Ctrl-C."""
    _signal_group(process.pid, signal.SIGINT)
    end = time.monotonic() + GRACE
    try:
        while _signal_group(process.pid, 0) and time.monotonic() < end:
            process.poll()  # a process that has ended stays in its group until it is waited for
            time.sleep(0.1)
    finally:
        _signal_group(process.pid, signal.SIGKILL)
    return process.wait() or 1


def _signal_group(group: int, number: int) -> bool:
    """Send a signal to a process group; whether it has any member."""
    try:
        os.killpg(group, number)
    except ProcessLookupError:
        return False
    return True
