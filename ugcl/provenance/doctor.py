"""What is installed, what is present and what is safe, one line per check."""

from __future__ import annotations

import importlib.metadata
import importlib.util
import os
import shutil
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from ugcl.config import Config
from ugcl.config.methods.foreign import Foreign
from ugcl.errors import UgclError
from ugcl.plan import paths
from ugcl.provenance import code, contract, kept, ledger

PACKAGES = ("torch", "torchaudio", "torchvision", "snakemake", "dvc", "av", "opencv-python-headless")
OPTIONAL = {"praat-parselmouth": "demo", "numba": "demo", "playwright": "dev"}
BROWSERS = ("chromium", "chromium-browser", "google-chrome")


@dataclass(frozen=True)
class Check:
    """One line of the doctor's answer; `ok` is None where nothing is wrong but something is absent."""

    name: str
    ok: bool | None
    text: str


def checks(config: Config) -> Iterator[Check]:
    """Look at the machine and the project, cheapest first."""
    version = sys.version_info
    supported = (3, 11) <= version[:2] <= (3, 13)
    yield Check("python", supported, f"{version.major}.{version.minor}.{version.micro}; needs 3.11 to 3.13")
    for package in PACKAGES:
        yield _package(package, None)
    for package, extra in OPTIONAL.items():
        yield _package(package, extra)
    yield _torch()
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    free = shutil.disk_usage(Path.cwd()).free / 1e9
    yield Check("machine", True if free > 5 else None, f"{cores} cores, {free:.0f} GB free here")
    yield _cache()
    if any(Path(".snakemake/locks").glob("*")):
        left = "a run holds it, or one that was killed left it; if none is running: `snakemake --unlock`"
        yield Check("snakemake lock", None, left)
    browser = next(filter(None, map(shutil.which, BROWSERS)), None)
    yield Check("browser", True if browser else None, browser or "no Chromium: browser tests are skipped")
    mirror = os.environ.get("UGCL_MIRROR") or config.data.mirror
    yield Check("mirror", True if mirror else None, mirror or "none (data.mirror, UGCL_MIRROR)")
    for name in config.corpora:
        yield _corpus(config, name, mirror)
    yield _recorded(config)
    yield _summary(config)


def _package(name: str, extra: str | None) -> Check:
    try:
        return Check(name, True, importlib.metadata.version(name))
    except importlib.metadata.PackageNotFoundError:
        fix = f"pip install -e '.[{extra}]'" if extra else "run `make setup`"
        return Check(name, None if extra else False, f"not installed; {fix}")


def _torch() -> Check:
    if importlib.util.find_spec("torch") is None:
        return Check("gpu", False, "torch is not installed; run `make setup`")
    try:
        import torch
        import torchaudio  # noqa: F401
        import torchvision  # noqa: F401
    except (ImportError, OSError, RuntimeError) as error:
        return Check("gpu", False, f"torch does not import ({error}); reinstall with constraints.txt")
    if torch.cuda.is_available():
        names = ", ".join(torch.cuda.get_device_name(i) for i in range(torch.cuda.device_count()))
        return Check("gpu", True, names)
    return Check("gpu", None, "none seen; training runs on the CPU")


def _cache() -> Check:
    try:
        types = ", ".join(ledger.cache_types())
        if ledger.cache_is_safe():
            return Check("dvc cache", True, f"type {types}: safe")
    except UgclError as error:
        return Check("dvc cache", False, str(error))
    fix = "run `dvc config cache.type reflink,copy`"
    return Check("dvc cache", False, f"type {types}: links let stale results be recorded; {fix}")


def _recorded(config: Config) -> Check:
    try:
        contract.check_parameter_files(Path("dvc.yaml"))
    except UgclError as error:
        return Check("ledger", False, str(error))
    methods = [
        config.resolve(name, system).method
        for name in config.active
        for system in config.benchmark(name).systems
    ]
    needed = {
        "data": [_root(config, name) for name in config.corpora],
        "lineage": code.own_files(method.module for method in methods if isinstance(method, Foreign)),
    }
    stages = contract.read_stages(Path("dvc.yaml"))
    for stage, files in needed.items():
        if missing := contract.unrecorded(files, stages):
            line = f"add `- {missing[0]}` to the deps of the stage {stage}"
            text = f"dvc.yaml does not see changes in {', '.join(map(str, missing))}; {line}"
            return Check("ledger", None, text)
    return Check("ledger", True, "dvc.yaml records every corpus, parameter file and method")


def _summary(config: Config) -> Check:
    left_out = kept.left_out(config)
    if not left_out:
        return Check("summary", True, "covers every benchmark that has tables")
    reasons = "; ".join(f"{name}: {reason}" for name, reason in left_out.items())
    return Check("summary", None, f"results/tables/summary.csv leaves out {reasons}")


def _root(config: Config, name: str) -> Path:
    return Path(config.corpora[name].root or paths.RAW / name)


def _corpus(config: Config, name: str, mirror: str | None) -> Check:
    entry = config.corpus(name)
    root = _root(config, name)
    label = f"corpus {name}"
    if root.is_dir() and any(path.is_file() for path in root.rglob("*")):
        return Check(label, True, f"files in {root}; `ugcl data status` says whether all are there")
    if entry.adapter == "demo":
        return Check(label, True, "made by the workflow itself")
    if mirror and "://" not in mirror and (Path(mirror) / name).is_dir():
        return Check(label, True, f"in the mirror, {Path(mirror) / name}")
    return Check(label, None, f"absent; put it in {root} or set data.mirror")
