"""Bringing one corpus to its root, and listing what the root then holds."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from heapq import nlargest
from pathlib import Path
from urllib.parse import quote

from ugcl.config import Config
from ugcl.config.data import Data
from ugcl.data import sources
from ugcl.data.fetching import archives, lfs, mirror, records, registry
from ugcl.data.fetching.download import Client, download
from ugcl.data.fetching.records import Fact, Received
from ugcl.data.fetching.registry import Source, Unit
from ugcl.data.fetching.transfer import Progress, check_space, is_pointer, remove, side_by_side
from ugcl.errors import UgclError

log = logging.getLogger(__name__)


def fetch(config: Config, corpus: str, patterns: Sequence[str], complete: bool = False) -> Path:
    """Bring a corpus's files into its root, verify them, and list what the root holds.

    The mirror comes first; what it has of the corpus is taken, whole or not. Without one, a tree or archives
    that a user put at the root are taken as they are, and else the registry's sources are downloaded. A
    download that was broken off goes on; one that is complete is not repeated.

    Args:
        patterns: glob patterns of the files the corpus needs, relative to its root (the adapter's FILES).
        complete: download also what a mirror or a tree of one's own lacks.

    Returns:
        Path of the file table: `path, bytes, sha256`, one row per file.

    Raises:
        UgclError: the corpus cannot be obtained (the line says how to get it), or a file is not as it must
            be.
    """
    target = sources.root(config, corpus)
    entry = config.corpora[corpus]
    patterns = [pattern for pattern in patterns if registry.asked_for(pattern, entry)]
    received = Received(target)
    client = Client(config.data.retries, config.data.timeout)
    base = sources.mirror(config)
    listed = registry.read(Path(config.data.sources), entry.adapter)
    rows = [row for row in listed if registry.asked_for(row.path, entry)]
    if base and _from_mirror(client, base, (corpus, entry.adapter), target, patterns, config.data.parallel):
        rows = rows if complete else []
    else:
        if not received:
            archives.unpack_all(target, target, patterns)
        own = bool(sources.matches(target, patterns)) and not received
        complete = complete or not own
        if complete and not rows:
            tried = f"data.mirror ({base}) has no {corpus}/" if base else "no mirror is set"
            raise UgclError(
                f"{corpus}: no files under {target} and {tried}; put the corpus there,"
                f" or set data.mirror (or UGCL_MIRROR) to a folder or URL that holds {corpus}/"
            )
        check_gate(rows, target, corpus)
    if complete:
        _download(client, rows, target, corpus, base, received, config.data)
    return _list(target, corpus, patterns, rows, received, config.data.parallel)


def check_gate(rows: Sequence[Source], target: Path, corpus: str) -> None:
    """Stop where a corpus's owner gives it on request and its tree is not there; warn where parts are not.

    Raises:
        UgclError: none of the expected files is there; the line says where to apply and where to put what.
    """
    gated = [row for row in rows if row.kind == "request"]
    missing = [row for row in gated if row.missing(target)]
    if gated and len(missing) == len(gated):
        expected = ", ".join(row.path for row in gated)
        raise UgclError(
            f"{corpus}: its owner gives it on request ({gated[0].licence}); apply at {gated[0].url},"
            f" put the release under {target} so that it holds {expected},"
            f" and run `ugcl data fetch {corpus}` again"
        )
    for row in missing:
        log.warning("%s: nothing like %s under %s: the release is not complete", corpus, row.path, target)


def _from_mirror(
    client: Client, base: str, names: Sequence[str], target: Path, patterns: Sequence[str], parallel: int
) -> bool:
    """Take what a mirror has of a corpus; False if it does not have the corpus."""
    names = list(dict.fromkeys(names))
    if mirror.is_url(base):
        found = mirror.remote_files(client, base, names, target)
        if found is not None:
            mirror.fetch(client, *found, target, patterns, parallel)
        return found is not None
    folder = mirror.folder(base, names)
    if folder is not None:
        mirror.copy(folder, target, patterns)
    return folder is not None


def _download(
    client: Client,
    rows: Sequence[Source],
    target: Path,
    corpus: str,
    base: str | None,
    received: Received,
    settings: Data,
) -> None:
    """Download what the root lacks: files and archives side by side, then repositories."""
    missing = [unit for unit in registry.units(rows) if _lacking(unit, target, received)]
    http = [unit for unit in missing if unit.kind != "git"]
    sizes = [unit.bytes for unit in missing]
    # An archive goes when its files are out: only those under way need room for both.
    packed = nlargest(settings.parallel, (unit.bytes or 0 for unit in http if unit.kind == "archive"))
    check_space(target, sum(unit.bytes or 0 for unit in http) + sum(packed))
    with Progress(corpus, None if None in sizes else sum(sizes)) as progress:  # pyright: ignore[reportCallIssue]
        jobs = [
            partial(_bring, client, unit, target, _addresses(unit, base, corpus), received, progress)
            for unit in http
        ]
        side_by_side(jobs, settings.parallel, progress)
        for unit in missing:
            if unit.kind == "git":
                given = lfs.checkout(unit.urls, target, [row.path for row in unit.rows], progress.advance)
                records.write(records.read(target / records.KNOWN) | given, target / records.KNOWN)
                received.add(given)


def _addresses(unit: Unit, base: str | None, corpus: str) -> list[str]:
    """A unit's addresses, a URL mirror's first: it may hold the release's files by name."""
    if not base or not mirror.is_url(base):
        return list(unit.urls)
    return [f"{base.rstrip('/')}/{quote(corpus)}/{quote(unit.path)}", *unit.urls]


def _lacking(unit: Unit, target: Path, received: Received) -> bool:
    """Whether a unit must be brought: its files are absent, or a single file is not the one meant."""
    if unit.kind == "file":
        return unit.missing(target) or not _right(unit, target, received)
    return unit.missing(target) and not _arrived(unit, target, received)


def _arrived(unit: Unit, target: Path, received: Received) -> bool:
    """Whether all that a unit gave is there, even if that is less than the registry expects of it."""
    for row in unit.rows:
        given = [name for name in received.facts if registry.fits(name, row.path)]
        if not given or not all((target / name).is_file() for name in given):
            return False
        if len(given) < (row.files or 1):
            log.warning("%s: %s gave %d files, not %d", target / row.path, unit.path, len(given), row.files)
    return True


def _right(unit: Unit, target: Path, received: Received) -> bool:
    """Whether the file or archive lies there and is, as far as is known, the one meant."""
    path = target / unit.path
    known = unit.sha256 or received.sha256(unit.path)
    size_fits = path.is_file() and unit.bytes in (None, path.stat().st_size)
    return size_fits and known in ("", sources.sha256(path))


def _bring(
    client: Client, unit: Unit, target: Path, urls: Sequence[str], received: Received, progress: Progress
) -> None:
    """Bring one file, or one archive and take out its files."""
    goal = target / unit.path
    if not _right(unit, target, received):
        known = unit.sha256 or received.sha256(unit.path)
        digest = download(client, urls, goal, sha256=known, size=unit.bytes, advance=progress.advance)
        received.add({unit.path: Fact(goal.stat().st_size, digest)})
    if unit.kind == "archive":
        patterns = [row.path for row in unit.rows]
        taken = archives.unpack(goal, target, patterns)
        if not taken:
            raise UgclError(f"{goal}: holds nothing like {', '.join(patterns)}; fix its row in sources.csv")
        received.add({path.as_posix(): records.fact(target / path) for path in taken})
        remove(goal)


def _list(
    target: Path,
    corpus: str,
    patterns: Sequence[str],
    rows: Sequence[Source],
    received: Received,
    parallel: int,
) -> Path:
    """Verify the files a corpus needs and write the file table."""
    own = (sources.FILE_TABLE, records.RECEIVED, ".partial")
    files = [path for path in sources.matches(target, patterns) if not path.name.endswith(own)]
    if not files:
        raise UgclError(
            f"{corpus}: nothing like {', '.join(patterns)} under {target};"
            " put the corpus there or set data.mirror"
        )
    for path in files:
        if is_pointer(path):
            raise UgclError(f"{path}: is a Git-LFS pointer, not media; run `git lfs pull` in its source")
    with ThreadPoolExecutor(parallel) as pool:
        facts = list(pool.map(records.fact, files))
    found = {path.relative_to(target).as_posix(): fact for path, fact in zip(files, facts, strict=True)}
    records.check(found, target, received)
    for row in rows:
        if row.sha256 and row.path in found and found[row.path].sha256 != row.sha256:
            log.warning("%s: not that of version %s", target / row.path, row.version)
    records.write(found, target / sources.FILE_TABLE)
    known = sources.file_table(corpus)
    # Where the root is elsewhere, the workflow looks for a copy here.
    if known.resolve() != (target / sources.FILE_TABLE).resolve():
        known.parent.mkdir(parents=True, exist_ok=True)
        records.write(found, known)
    return known
