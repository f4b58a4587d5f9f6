"""How files are written: whole or not at all, and with one line of advice where the disk is full."""

from __future__ import annotations

import errno
import hashlib
import logging
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from ugcl.errors import UgclError

log = logging.getLogger(__name__)
SCRATCH = "UGCL_SCRATCH"
"""Environment variable: a folder on the disk of the machine that a job runs on."""
FULL = frozenset({errno.ENOSPC, errno.EDQUOT})
ADVICE = "free some, or move the project to a larger disk, then run again: what is done is kept"


def is_full(error: BaseException) -> bool:
    """Whether an error says that a disk, or a user's share of it, is full; safetensors has its own class."""
    if isinstance(error, OSError):
        return error.errno in FULL
    return any(f"(os error {code})" in str(error) for code in FULL)


def full(path: Path | str) -> UgclError:
    """The error for a file that did not find room."""
    return UgclError(f"{path}: no space left on its disk; {ADVICE}")


@contextmanager
def whole(path: Path) -> Iterator[Path]:
    """Write a file in one step: the block writes another path, which then takes the place of `path`.

    Raises:
        UgclError: the disk is full; what the block wrote is removed.
    """
    partial = path.with_name(path.name + ".partial")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        yield partial
        partial.replace(path)
    except Exception as error:
        if not is_full(error):
            raise
        partial.unlink(missing_ok=True)
        raise full(path) from None


def write(path: Path, text: str) -> None:
    """Write a text in one step; see :func:`whole`."""
    with whole(path) as partial:
        partial.write_text(text)


def nearby(path: Path) -> Path:
    """A copy of a file on the machine's own disk where :data:`SCRATCH` names a folder, else the file itself.

    Variables in that name, such as `$SLURM_JOB_ID`, get the values that they have here. All processes of a
    machine share a copy; a file that changed is another one. If the disk is full, the file itself is read.
    """
    if not (scratch := os.environ.get(SCRATCH)):
        return path
    there = path.stat()
    name = f"{path.resolve()}\0{there.st_size}\0{there.st_mtime_ns}"
    copy = Path(os.path.expandvars(scratch), hashlib.sha256(name.encode()).hexdigest()[:16] + path.suffix)
    partial = copy.with_name(f"{copy.name}.{os.getpid()}.partial")
    try:
        if not copy.is_file():
            copy.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(path, partial)
            partial.replace(copy)
        return copy
    except OSError as error:
        log.warning("%s: %s; %s is read where it is", copy.parent, error.strerror or error, path)
        with suppress(OSError):
            partial.unlink()
        return path
