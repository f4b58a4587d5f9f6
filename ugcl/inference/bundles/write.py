"""From a trained system to a bundle."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd

from ugcl import __version__, files
from ugcl.config.system.overrides import SECTIONS
from ugcl.data import shards, sources, tables
from ugcl.data.fetching import registry, status
from ugcl.errors import UgclError
from ugcl.inference.bundles.contents import CARD, FORMAT, NAME, SOURCES, Bundle, BundledRun
from ugcl.plan import paths
from ugcl.training.state.records import CARD as RUN_CARD
from ugcl.training.state.records import WEIGHTS

if TYPE_CHECKING:
    from ugcl.config import Config
    from ugcl.inference.ensemble import Ensemble

ZIP = ".zip"


def refuse_existing(target: Path) -> None:
    """Refuse to write over something.

    Raises:
        UgclError: a file is there, or a folder that is not empty.
    """
    if target.exists() and (target.is_file() or any(target.iterdir())):
        raise UgclError(f"{target}: is there already; remove it, or choose another --out")


def export(config: Config, ensemble: Ensemble, target: Path, card: Callable[[Bundle], str]) -> Bundle:
    """Write a system as a bundle's folder, whole or not at all; equal systems give equal bytes.

    The working folder is the project's.

    Args:
        config: the project's parameters.
        ensemble: the runs, with the folders that they came from.
        target: the folder; nothing may be there.
        card: gives the model card of a bundle.

    Raises:
        UgclError: something is there already, the runs are those of a bundle, or the disk is full.
    """
    refuse_existing(target)
    if not ensemble.folders:
        raise UgclError("the system came from a bundle already; copy that")
    target.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=target.parent, prefix=f".{target.name}.") as name:
        folder = Path(name) / "bundle"
        try:
            bundle = _fill(folder, config, ensemble, card)
        except OSError as error:
            if not files.is_full(error):
                raise
            raise files.full(target) from None
        if target.is_dir():
            target.rmdir()
        folder.rename(target)
    return bundle


def _fill(folder: Path, config: Config, ensemble: Ensemble, card: Callable[[Bundle], str]) -> Bundle:
    run, runs = ensemble.run, []
    for (seed, fold), origin, t in zip(ensemble.runs, ensemble.folders, ensemble.temperatures, strict=True):
        own = f"runs/seed{seed}-fold{fold}"
        (folder / own).mkdir(parents=True)
        for name in (RUN_CARD, WEIGHTS):
            shutil.copyfile(origin / name, folder / own / name)
        fitted = None if t == 1.0 and not ensemble.calibrated else t
        runs.append(BundledRun(folder=own, seed=seed, fold=fold, temperature=fitted))
    parameters = _parameters(config, ensemble)
    rows = _addresses(config, parameters)
    if rows:
        tables.write(pd.DataFrame([row.model_dump() for row in rows]), folder / SOURCES)
    bundle = Bundle(
        format=FORMAT,
        version=__version__,
        benchmark=run.benchmark,
        system=run.system,
        classes=ensemble.classes,
        marks=ensemble.marks,
        licence=_licence(config, run.corpus),
        runs=runs,
        parameters=parameters,
        weights=_weights(run.corpus, ensemble),
        precomputed=[m for m in run.input.modalities if run.encoders[run.features[m]].precomputed],
        code=_code(run.method.module) if ":" in run.method.name else {},
        files={},
    )
    files.write(folder / CARD, card(bundle))
    inside = sorted(path for path in folder.rglob("*") if path.is_file())
    digests = {path.relative_to(folder).as_posix(): sources.sha256(path) for path in inside}
    bundle = bundle.model_copy(update={"files": digests})
    files.write(folder / NAME, bundle.text())
    return bundle


def _parameters(config: Config, ensemble: Ensemble) -> dict[str, Any]:
    """The smallest parameter tree with this system; of the corpus it keeps the protocol alone."""
    run = ensemble.run
    corpus = {"adapter": "folder", "synthetic": bool(ensemble.marks)}
    benchmark = {
        "corpus": run.corpus,
        "protocol": "protocol",
        "features": run.features,
        "systems": [run.system],
        "reference": run.system,
        "seeds": sorted({seed for seed, _ in ensemble.runs}),
    }
    settings = {section: getattr(run, section).model_dump(mode="json") for section in SECTIONS}
    faces = config.faces.model_dump(mode="json")
    return {
        "active": [run.benchmark],
        "benchmarks": {run.benchmark: benchmark},
        "corpora": {run.corpus: corpus | {"protocols": {"protocol": run.protocol.model_dump(mode="json")}}},
        "faces": _portable(faces),
        "encoders": {name: _portable(entry.model_dump(mode="json")) for name, entry in run.encoders.items()},
        "systems": {run.system: settings},
        "evaluate": {"batch": config.evaluate.batch},
    }


def _portable(entry: dict[str, Any]) -> dict[str, Any]:
    """An encoder whose weights lie in a folder of this machine names them by that folder's name alone."""
    weights = entry.get("weights", "")
    return entry | {"weights": Path(weights).name} if weights and Path(weights).exists() else entry


def _addresses(config: Config, parameters: dict[str, Any]) -> list[registry.Source]:
    """The rows of the registry of downloads that have weights of the encoders or of the face detector."""
    entries = [parameters["faces"], *parameters["encoders"].values()]
    wanted = {entry.get("weights") for entry in entries} - {None}
    return [row for row in _registry(config) if f"{row.corpus}/{row.path}" in wanted]


def _weights(corpus: str, ensemble: Ensemble) -> dict[str, str]:
    """Encoder → SHA-256 of its weights, as the features that the system was trained on say."""
    found = {}
    for info in ensemble.infos.values():
        if ensemble.run.encoders[info.encoder].precomputed:
            continue
        path = shards.tensors_path(paths.features(corpus, info.encoder), 1)
        if path.is_file():
            found[info.encoder] = shards.read_metadata(path)["settings"].get("sha256", "")
    return {name: digest for name, digest in sorted(found.items()) if digest}


def _licence(config: Config, corpus: str) -> str:
    return status.licence(config, corpus, _registry(config)) if corpus in config.corpora else "not known"


def _registry(config: Config) -> list[registry.Source]:
    """The registry of downloads; empty in a project without one."""
    path = Path(config.data.sources)
    return registry.read(path) if path.is_file() else []


def _code(module: str) -> dict[str, str]:
    """The file of a user's own method, which is not copied: whoever loads the bundle has to have it."""
    path = Path(*module.split(".")).with_suffix(".py")
    if not path.is_file():
        raise UgclError(f"{path}: not found, and it has the method; export from the folder that has it")
    return {path.as_posix(): sources.sha256(path)}
