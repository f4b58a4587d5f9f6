"""From a bundle to a trained system."""

from __future__ import annotations

import os
import re
import tempfile
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import platformdirs

from ugcl.config import Config
from ugcl.config.load import parse as parse_parameters
from ugcl.data import sources
from ugcl.errors import UgclError
from ugcl.inference import ensemble as inference
from ugcl.inference.bundles import archive, hub
from ugcl.inference.bundles.contents import CARD, NAME, SOURCES, Bundle, check
from ugcl.inference.ensemble import Ensemble

HEADER = re.compile(r"\A---\n.*?\n---\n", re.DOTALL)
REMOTE = re.compile(r"[A-Za-z0-9][\w.-]*/[A-Za-z0-9][\w.-]*")


@dataclass(frozen=True)
class Loaded:
    """A system from a bundle.

    Attributes:
        config: the parameters that clips are read by.
        ensemble: its runs.
        weights: encoder → SHA-256 that its weights have to have.
        home: where weights that are downloaded are kept.
        kept: what removes unpacked files when nobody uses the system any more.
        card: its model card, Markdown without the hub's header.
    """

    config: Config
    ensemble: Ensemble
    weights: dict[str, str]
    home: Path | None
    kept: Any = None
    card: str = ""


def is_bundle(path: Path) -> bool:
    """Whether a path is a bundle's folder or some zip file."""
    return (path / NAME).is_file() or (path.is_file() and path.suffix.lower() == ".zip")


def load(source: str | Path) -> Loaded:
    """Load a bundle.

    Args:
        source: its folder, its zip file, or `user/name` on the hub.

    Raises:
        UgclError: it is not there, damaged, of another format, or its method is not on this machine.
    """
    path, kept = Path(source), None
    if path.is_file():
        kept = tempfile.TemporaryDirectory(prefix="ugcl-")
        archive.unpack(path, Path(kept.name))
        folder = Path(kept.name)
    elif path.is_dir():
        folder = path
    elif REMOTE.fullmatch(str(source)):
        folder = hub.fetch(str(source))
    else:
        raise UgclError(f"{source}: not found; give a bundle's folder or zip file, or user/name of the hub")
    bundle = check(folder, str(source))
    _check_code(bundle, str(source))
    config = _parameters(bundle, folder)
    folders = [folder / run.folder for run in bundle.runs]
    known = {(run.seed, run.fold): run.temperature for run in bundle.runs if run.temperature is not None}
    ensemble = inference.of_folders(config, folders, known)
    run = ensemble.run.model_copy(update={"encoders": config.encoders})
    # What lies in a bundle is not exported again: its folder may go.
    ensemble = replace(ensemble, run=run, folders=())
    return Loaded(config, ensemble, bundle.weights, _home(), kept, _card(folder / CARD))


def _card(path: Path) -> str:
    """The text of a model card behind its YAML header; "" where there is none."""
    text = path.read_text("utf-8", errors="replace") if path.is_file() else ""
    return HEADER.sub("", text).strip()


def _parameters(bundle: Bundle, folder: Path) -> Config:
    """The bundle's parameter tree, with weights that are here found from any folder."""
    tree = dict(bundle.parameters)
    if (folder / SOURCES).is_file():
        tree["data"] = {"sources": str((folder / SOURCES).absolute())}
    tree["encoders"] = {name: _found(entry) for name, entry in tree["encoders"].items()}
    return parse_parameters(tree | {"faces": _found(tree["faces"])})


def _found(entry: dict[str, Any]) -> dict[str, Any]:
    """An encoder whose weights are here, or in the mirror, names them by an absolute path."""
    weights, mirror = entry.get("weights"), os.environ.get("UGCL_MIRROR")
    places = [Path(folder) / weights for folder in ("", mirror) if weights and folder is not None]
    here = next((place for place in places if place.exists()), None)
    return entry if here is None else entry | {"weights": str(here.absolute())}


def _check_code(bundle: Bundle, where: str) -> None:
    """A method outside the package has to be here, and the same: no other module is imported."""
    for name, digest in bundle.code.items():
        if not Path(name).is_file():
            raise UgclError(f"{where}: its method is in {name}, which no bundle holds; put that file here")
        if sources.sha256(Path(name)) != digest:
            raise UgclError(f"{where}: {name} is not the file it was exported with; put that one here")
    for entry in bundle.parameters["systems"].values():
        name = entry["method"]["name"]
        module = f"{name.partition(':')[0].replace('.', '/')}.py"
        if ":" in name and module not in bundle.code:
            raise UgclError(f"{where}: does not say which file has its method {name}; export it again")


def _home() -> Path | None:
    """A folder of the user's cache; None where it cannot be made: then weights come to the working folder."""
    home = platformdirs.user_cache_path("ugcl") / "weights"
    with suppress(OSError):
        home.mkdir(parents=True, exist_ok=True)
        return home
    return None
