"""Media from a Git repository: the named files of one commit, through git-lfs where it holds pointers.

The clone is shallow and partial, lies beside the media as `clone.partial` and is deleted in the end; objects
are linked to their places, so nothing is stored twice and a broken transfer goes on where it stopped. A
pointer names the SHA-256 and the size of its file, which makes the repository its own proof.
"""

from __future__ import annotations

import logging
import os
import shutil
import subprocess
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from ugcl.data.fetching.records import Fact, fact
from ugcl.data.fetching.registry import GIT, fits
from ugcl.data.fetching.transfer import LFS_POINTER, check_space, remove
from ugcl.errors import UgclError

log = logging.getLogger(__name__)
CLONE = "clone.partial"
FEW = 200  # up to so many files are asked for by name; a command line has an end
POLL = 0.2  # seconds between two looks at what git-lfs has
NEUTRAL = (  # neither the user's hooks nor filters act: pointers are read here
    "core.hooksPath=/dev/null",
    "filter.lfs.smudge=",
    "filter.lfs.process=",
    "filter.lfs.required=false",
)
Advance = Callable[[int, bool], None]


class GitError(Exception):
    """A repository did not give its files; the next address is tried."""


@dataclass(frozen=True)
class Pointer:
    """A Git-LFS pointer (git-lfs specification, version 1)."""

    sha256: str  # of the file it stands for, 64 hex digits
    bytes: int  # size of that file


def read_pointer(data: bytes) -> Pointer | None:
    """Parse a pointer; None if the data are a file's own."""
    if not data.startswith(LFS_POINTER):
        return None
    lines = data.decode("ascii", "replace").splitlines()
    fields = dict(line.split(" ", 1) for line in lines if " " in line)
    method, _, digest = fields.get("oid", "").partition(":")
    if method != "sha256" or len(digest) != 64 or not fields.get("size", "").isdigit():
        return None
    return Pointer(digest, int(fields["size"]))


def checkout(urls: Sequence[str], root: Path, patterns: Sequence[str], advance: Advance) -> dict[str, Fact]:
    """Bring the files of a repository that fit the patterns into a root.

    Args:
        urls: addresses `git+<url>[@<commit>]`, tried in order.
        root: where the files go, under their names in the repository.
        patterns: glob patterns relative to the repository.
        advance: called with the count of new bytes and whether they came over the network.

    Returns:
        Size and hash of every file that fits, as the commit has them.

    Raises:
        UgclError: no address gave the files, or git or git-lfs is absent; each reason is named.
    """
    reasons = []
    clone = root / CLONE
    for url in urls:
        address, commit = split(url)
        try:
            facts = _bring(address, commit, clone, root, patterns, advance)
        except GitError as reason:
            reasons.append(f"{address}: {reason}")
            log.warning("%s", reasons[-1])
            continue
        shutil.rmtree(clone)
        return facts
    raise UgclError(f"{root}: not fetched ({'; '.join(reasons)}); run it again, or set data.mirror")


def split(url: str) -> tuple[str, str]:
    """Address and commit of `git+<url>[@<commit>]`; HEAD where no commit is named."""
    url = url.removeprefix(GIT)
    address, at, commit = url.rpartition("@")
    return (address, commit) if at and "/" not in commit else (url, "HEAD")


def _bring(
    address: str, commit: str, clone: Path, root: Path, patterns: Sequence[str], advance: Advance
) -> dict[str, Fact]:
    clone.mkdir(parents=True, exist_ok=True)
    _git(clone, "init", "--quiet")
    # Objects go by their hashes: what an earlier run or address gave stays.
    _git(clone, "config", "remote.origin.url", address)
    _git(clone, "fetch", "--quiet", "--depth=1", "--filter=blob:none", "origin", commit)
    names = _git(clone, "ls-tree", "-r", "-z", "--name-only", "FETCH_HEAD").split("\0")
    names = [name for name in names if any(fits(name, pattern) for pattern in patterns)]
    if not names:
        raise GitError(f"no files like {', '.join(patterns)}")
    _git(clone, "checkout", "--force", "FETCH_HEAD", "--", *(f":(glob){pattern}" for pattern in patterns))
    pointers = _pointers(clone, names)
    lacking = {name: pointer for name, pointer in pointers.items() if not _there(root / name, pointer)}
    absent = {name: pointer for name, pointer in lacking.items() if not _object(clone, pointer).is_file()}
    advance(sum(pointer.bytes for name, pointer in pointers.items() if name not in absent), False)
    if absent:
        check_space(root, sum(pointer.bytes for pointer in absent.values()))
        _fetch_objects(clone, absent, patterns, advance)
    facts = {}
    for name in names:
        pointer = pointers.get(name)
        facts[name] = Fact(pointer.bytes, pointer.sha256) if pointer else fact(clone / name)
        if pointer is None:
            _link(clone / name, root / name)
        elif name in lacking:
            if not _object(clone, pointer).is_file():
                raise GitError(f"git-lfs gave no {name}")
            _link(_object(clone, pointer), root / name)
    return facts


def _pointers(clone: Path, names: Sequence[str]) -> dict[str, Pointer]:
    small = [name for name in names if (clone / name).stat().st_size < 1024]
    read = {name: read_pointer((clone / name).read_bytes()) for name in small}
    return {name: pointer for name, pointer in read.items() if pointer}


def _fetch_objects(
    clone: Path, absent: dict[str, Pointer], patterns: Sequence[str], advance: Advance
) -> None:
    """Run git-lfs and count its objects as they come."""
    if shutil.which("git-lfs") is None:
        raise GitError("git-lfs is not installed (apt-get install git-lfs)")
    include = list(absent) if len(absent) <= FEW else patterns
    commit = _git(clone, "rev-parse", "FETCH_HEAD").strip()
    errors = clone / "lfs-errors.txt"
    waiting = {_object(clone, pointer): pointer.bytes for pointer in absent.values()}
    with (
        errors.open("w") as messages,
        subprocess.Popen(
            ["git", "lfs", "fetch", f"--include={','.join(include)}", "origin", commit],
            cwd=clone,
            env=_environment(clone),
            stdout=subprocess.DEVNULL,
            stderr=messages,
        ) as process,
    ):
        while True:
            ended = process.poll() is not None
            for path in [path for path in waiting if path.is_file()]:
                advance(waiting.pop(path), True)
            if ended:
                break
            time.sleep(POLL)
    if process.returncode:
        raise GitError(_last_line(errors.read_text(errors="replace")))


def _git(clone: Path, *arguments: str) -> str:
    settings = [part for setting in NEUTRAL for part in ("-c", setting)]
    try:
        done = subprocess.run(
            ["git", *settings, *arguments],
            cwd=clone,
            env=_environment(clone),
            capture_output=True,
            text=True,
            check=False,
        )
    except FileNotFoundError:
        raise GitError("git is not installed (apt-get install git git-lfs)") from None
    if done.returncode:
        raise GitError(_last_line(done.stderr))
    return done.stdout


def _environment(clone: Path) -> dict[str, str]:
    """Git without questions, and bound to the clone: it must never find the project's own repository."""
    place = {"GIT_DIR": str((clone / ".git").absolute()), "GIT_WORK_TREE": str(clone.absolute())}
    return os.environ | place | {"GIT_TERMINAL_PROMPT": "0", "GIT_LFS_SKIP_SMUDGE": "1"}


def _object(clone: Path, pointer: Pointer) -> Path:
    """Where git-lfs stores a file's content."""
    return clone / ".git/lfs/objects" / pointer.sha256[:2] / pointer.sha256[2:4] / pointer.sha256


def _there(path: Path, pointer: Pointer) -> bool:
    return path.is_file() and fact(path) == Fact(pointer.bytes, pointer.sha256)


def _link(source: Path, goal: Path) -> None:
    """Put a file in its place in one step, without a second copy where the disk allows."""
    goal.parent.mkdir(parents=True, exist_ok=True)
    partial = goal.with_name(goal.name + ".partial")
    remove(partial)
    try:
        os.link(source, partial)
    except OSError:  # a file system without hard links
        shutil.copyfile(source, partial)
    partial.replace(goal)


def _last_line(text: str) -> str:
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    return lines[-1][-200:] if lines else "git failed"
