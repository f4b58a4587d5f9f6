"""What code a stage runs: the modules its entry imports, hashed without comments and formatting."""

from __future__ import annotations

import ast
import hashlib
import sqlite3
import sys
from collections.abc import Iterable
from functools import cache
from pathlib import Path
from typing import Any

from ugcl.errors import UgclError

PACKAGE = Path(__file__).resolve().parents[1]
NAME = PACKAGE.name

IRRELEVANT = frozenset(
    f"{NAME}.{part}" for part in ("cli", "config", "errors", "files", "identity", "log", "plan.paths")
)
"""Modules that cannot change a result: parameters enter the lineage by value, the rest speak to users."""

REGISTRIES = frozenset({f"{NAME}.methods.build", f"{NAME}.features.build", f"{NAME}.features.faces.build"})
"""Modules that map names to constructors: an entry added there must not make every other system stale."""


def code_hash(entries: Iterable[str], stop: frozenset[str] = IRRELEVANT | REGISTRIES) -> str:
    """Hash the code that some modules reach by imports, at any depth.

    Comments, docstrings and formatting do not count.

    Args:
        entries: dotted names of modules or packages of this project; a package counts with all its modules.
        stop: modules (with all below them) that the walk does not enter.

    Returns:
        64 hex digits.

    Raises:
        UgclError: an entry does not exist, or a file is not Python.
    """
    digest = hashlib.sha256()
    for name in sorted(reachable(entries, stop)):
        digest.update(f"{name}\0{_read(_file(name))[1]}\0".encode())
    return digest.hexdigest()


def files_hash(folder: Path) -> str:
    """Hash the names and bytes of the files below a folder, such as templates; 64 hex digits."""
    digest = hashlib.sha256()
    for path in sorted(path for path in folder.rglob("*") if path.is_file()):
        digest.update(f"{path.relative_to(folder).as_posix()}\0".encode() + path.read_bytes() + b"\0")
    return digest.hexdigest()


def reachable(entries: Iterable[str], stop: frozenset[str] = IRRELEVANT | REGISTRIES) -> set[str]:
    """Dotted names of the project's modules that the entries import, at any depth, themselves included."""
    found: set[str] = set()
    queue = [name for entry in entries for name in _members(entry)]
    while queue:
        name = queue.pop()
        if name in found or any(name == barrier or name.startswith(barrier + ".") for barrier in stop):
            continue
        found.add(name)
        queue += _imports(name)
    return found


def _members(entry: str) -> list[str]:
    path = _file(entry)
    if path is None:
        raise UgclError(f"no module {entry} in {PACKAGE} or here; correct method.name, or add the file")
    if path.name != "__init__.py":
        return [entry]
    root = path.parents[entry.count(".") + 1]
    parts = (file.relative_to(root).with_suffix("").parts for file in path.parent.rglob("*.py"))
    return [".".join(part[:-1] if part[-1] == "__init__" else part) for part in parts]


@cache
def _file(name: str) -> Path | None:
    root = PACKAGE.parent if name.split(".")[0] == NAME else Path.cwd()  # a user's own method
    base = root.joinpath(*name.split("."))
    for path in (base.with_suffix(".py"), base / "__init__.py"):
        if path.is_file():
            return path
    return None


@cache
def _imports(name: str) -> tuple[str, ...]:
    return tuple(module for module in _read(_file(name))[0] if _file(module))


@cache
def _read(path: Path) -> tuple[list[str], str]:
    """What a file imports, by dotted name, and its syntax tree without docstrings as text."""
    source = path.read_bytes()
    key = f"{sys.version_info[:2]} {hashlib.sha256(source).hexdigest()}"  # versions write trees their own way
    known = _shelf().get(key)
    if known is None:
        try:
            known = _shelf()[key] = _parse(source)
        except SyntaxError as error:  # of a user's own method
            raise UgclError(f"{path}, line {error.lineno}: {error.msg}; fix it") from None
    return known


@cache
def _shelf() -> Any:
    """What was read before, on disk, for parsing takes most of a second; or nothing, where that fails."""
    import diskcache
    import platformdirs

    try:
        return diskcache.Cache(platformdirs.user_cache_dir(NAME), size_limit=2**26)
    except (OSError, sqlite3.Error, diskcache.Timeout):
        return {}


def _parse(source: bytes) -> tuple[list[str], str]:
    tree, imported = ast.parse(source), []
    blocks: list[ast.AST] = [tree]
    while blocks:  # statements alone: a walk over all expressions takes most of a second for the package
        block = blocks.pop()
        if isinstance(block, ast.Import):
            imported += [alias.name for alias in block.names]
        elif isinstance(block, ast.ImportFrom) and block.module and not block.level:
            imported += [block.module, *(f"{block.module}.{alias.name}" for alias in block.names)]
        documented = isinstance(block, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef)
        if documented and ast.get_docstring(block, clean=False) is not None:
            del block.body[0]
        for part in ("body", "orelse", "finalbody", "handlers", "cases"):
            blocks += getattr(block, part, ())
    return imported, ast.dump(tree)


def own_files(modules: Iterable[str]) -> list[Path]:
    """The files outside the package that some modules reach by imports, relative to the working folder."""
    names = (name for name in reachable(modules) if name.split(".")[0] != NAME)
    return sorted(path.relative_to(Path.cwd()) for path in map(_file, names) if path is not None)


def module_exists(name: str) -> bool:
    """Whether the project has a module or package of this dotted name."""
    return _file(name) is not None
