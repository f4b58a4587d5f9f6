"""A local mirror: a folder with the corpora's trees, or the address of one user's trees.

A mirror may hold a part of a corpus, and then that part is what one gets: nothing is downloaded besides.
"""

from __future__ import annotations

import logging
import shutil
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from urllib.parse import quote

import requests

from ugcl.data import sources
from ugcl.data.fetching import archives
from ugcl.data.fetching.download import Client, download
from ugcl.data.fetching.records import KNOWN, Fact, fact, read
from ugcl.data.fetching.registry import fits
from ugcl.data.fetching.transfer import Progress, check_space, is_pointer, side_by_side
from ugcl.errors import UgclError

log = logging.getLogger(__name__)


def is_url(base: str) -> bool:
    """Whether a mirror is an address rather than a folder."""
    return "://" in base


def folder(base: str, names: Sequence[str]) -> Path | None:
    """The first of a corpus's names that a mirror folder has a tree of."""
    found = [Path(base) / name for name in names if (Path(base) / name).is_dir()]
    return found[0] if found else None


def copy(source: Path, target: Path, patterns: Sequence[str]) -> None:
    """Copy a mirror folder's files that fit the patterns, and unpack its archives.

    Files that are there with the same content are left alone; a file arrives under its name only when whole.

    Raises:
        UgclError: a file is a Git-LFS pointer, an archive is bad, or the disk is too small.
    """
    files = sources.matches(source, [*patterns, KNOWN])
    for path in files:
        if is_pointer(path):
            raise UgclError(f"{path}: is a Git-LFS pointer, not media; run `git lfs pull` in its source")
    lacking = [path for path in files if not _same(path, target / path.relative_to(source))]
    total = sum(path.stat().st_size for path in lacking)
    check_space(target, total)
    with Progress(target.name, total) as progress:
        for path in lacking:
            goal = target / path.relative_to(source)
            goal.parent.mkdir(parents=True, exist_ok=True)
            whole = goal.with_name(goal.name + ".partial")
            shutil.copyfile(path, whole)
            whole.replace(goal)
            progress.advance(path.stat().st_size)
    log.info("%s: %d of %d files copied from %s", target, len(lacking), len(files), source)
    archives.unpack_all(source, target, patterns)


def remote_files(
    client: Client, base: str, names: Sequence[str], folder: Path
) -> tuple[str, dict[str, Fact]] | None:
    """What a URL mirror has of a corpus, by its `<base>/<corpus>/fetched.csv`.

    Args:
        folder: where the file table is put while it is read.

    Returns:
        The corpus's address and its files; None if the mirror does not have the corpus.

    Raises:
        UgclError: the mirror cannot be reached, or its file table names a file outside the corpus.
    """
    for name in names:
        address = f"{base.rstrip('/')}/{quote(name)}"
        url = f"{address}/{sources.FILE_TABLE}"
        try:
            with client.get(url) as response:
                status, content = response.status_code, response.content
        except requests.RequestException as error:
            raise UgclError(f"{url}: {type(error).__name__}; fix data.mirror or start its server") from None
        if status == 404:
            continue
        if status != 200:
            raise UgclError(f"{url}: HTTP {status}; fix data.mirror or its server")
        folder.mkdir(parents=True, exist_ok=True)
        copied = folder / "mirror.partial"
        copied.write_bytes(content)
        files = read(copied)
        copied.unlink()
        for path in files:
            archives.check_name(path, url)
        return address, files
    return None


def fetch(
    client: Client, address: str, files: dict[str, Fact], target: Path, patterns: Sequence[str], parallel: int
) -> None:
    """Download a URL mirror's files that fit the patterns; those that are there with the same content stay.

    Raises:
        UgclError: a file cannot be fetched, or the disk is too small.
    """
    wanted = {
        path: known
        for path, known in files.items()
        if any(fits(path, pattern) for pattern in [*patterns, KNOWN])
    }
    present = {path for path in wanted if (target / path).is_file()}
    lacking = {path: f for path, f in wanted.items() if path not in present or fact(target / path) != f}
    total = sum(known.bytes for known in lacking.values())
    check_space(target, total)
    with Progress(target.name, total) as progress:
        jobs = [
            partial(
                download,
                client,
                [f"{address}/{quote(path)}"],
                target / path,
                sha256=known.sha256,
                size=known.bytes,
                advance=progress.advance,
            )
            for path, known in lacking.items()
        ]
        side_by_side(jobs, parallel, progress)
    log.info("%s: %d of %d files fetched from %s", target, len(lacking), len(wanted), address)


def _same(path: Path, goal: Path) -> bool:
    return goal.is_file() and goal.stat().st_size == path.stat().st_size and fact(goal) == fact(path)
