"""`ugcl.load`: from a name to a trained system."""

from __future__ import annotations

import re
from pathlib import Path

from ugcl import config as configuration
from ugcl.config.load import PARAMS
from ugcl.errors import UgclError
from ugcl.inference import ensemble as inference
from ugcl.inference.api.model import Model, at
from ugcl.inference.bundles import read
from ugcl.training.state.records import CARD

SYSTEM = re.compile(r"([^/]+)/([^/]+)(?:/seed(\d+))?(?:/fold(\d+))?")


def load(name: str | Path, project: str | Path | None = None) -> Model:
    """Load a trained system.

    Args:
        name: `<benchmark>/<system>` of a project, whose runs then all vote, or with `/seed<s>` and `/fold<k>`
            some of them; the folder of a run or of a system's runs; or a bundle: its folder, its zip file, or
            `user/name` on the hub, which is asked last.
        project: the project's folder; default the one in which a folder of runs lies, or the working folder.

    Raises:
        UgclError: the name is unknown, the system was not trained, or the bundle is damaged.
    """
    path = Path(name).expanduser()
    if read.is_bundle(path):
        return of_bundle(path)
    if path.is_dir() and next(path.rglob(CARD), None) is not None:
        folders = inference.run_folders(path)
        home = Path(project).absolute() if project else inference.project_of(folders[0])
        with at(home):
            config = configuration.load()
            return Model(config, inference.of_folders(config, folders), home)
    home = Path(project or ".").absolute()
    return _of_project(str(name), home) if _is_of_project(str(name), home, project) else of_bundle(str(name))


def of_bundle(source: str | Path) -> Model:
    """Load a bundle; see :func:`ugcl.inference.bundles.read.load`."""
    found = read.load(source)
    return Model(found.config, found.ensemble, found.home, found.weights, found.kept, found.card)


def _is_of_project(name: str, home: Path, given: object) -> bool:
    """Whether a name has to be looked for in a project: no repository of the hub has it, or it is there."""
    if given is not None or not read.REMOTE.fullmatch(name):
        return True
    with at(home):
        return Path(PARAMS).is_file() and name.split("/")[0] in configuration.load().benchmarks


def _of_project(name: str, home: Path) -> Model:
    """A system by its name in a project."""
    match = SYSTEM.fullmatch(name)
    if match is None:
        raise UgclError(
            f"{name}: not a trained system; give <benchmark>/<system>, with /seed<s> and /fold<k> for some of"
            " its runs, the folder of a run, or a bundle"
        )
    if not home.is_dir():
        raise UgclError(f"{home}: no such folder; give the project's folder as project")
    benchmark, system, seed, fold = match.groups()
    with at(home):
        config = configuration.load()
        numbers = (number and int(number) for number in (fold, seed))
        return Model(config, inference.load(config, benchmark, system, *numbers), home)
