"""A shard's clips, and what a killed run had done of them."""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from ugcl.config import Config
from ugcl.data import shards, sources, tables
from ugcl.data.journal import Journal
from ugcl.features.media.clip import Clip
from ugcl.plan import paths

log = logging.getLogger(__name__)


def clips_of(config: Config, corpus: str, shard: int) -> list[Clip]:
    """The clips of one shard of a corpus, in the order of their names."""
    manifest = tables.read_manifest(paths.manifest(corpus))
    names = shards.shard_clips(manifest["clip"].tolist(), config.corpora[corpus].shards, shard)
    root = sources.root(config, corpus)
    rows = manifest.set_index("clip", drop=False)
    return [Clip.from_row(rows.loc[name], root) for name in names]


def journal(target: Path, clips: Sequence[Clip], lineage: str, depends: Any) -> Journal:
    """The journal beside a file in the making; what it was begun for is all that the file depends on.

    Args:
        clips: that it is made from; their files' sizes and times count.
        lineage: hash of the code and of the parameters, see :mod:`ugcl.provenance.lineage`.
        depends: whatever else counts, with a repr that identifies it.
    """
    media = [_state(path) for clip in clips for path in (clip.audio, clip.video)]
    purpose = repr((lineage, depends, clips, media)).encode()
    return Journal(target.with_name(target.name + ".journal.partial"), hashlib.sha256(purpose).hexdigest())


def remaining(clips: Sequence[Clip], done: Journal, title: str, together: int = 1) -> list[Clip]:
    """The clips to go through: those that are not done, with those that go through a network with them.

    Args:
        clips: of the shard.
        done: what was done before.
        together: clips that go through a network together.
    """
    rest = [clip for group in _groups(clips, together) if _open(group, done) for clip in group]
    if len(rest) < len(clips):
        log.info("%s: %d of %d clips were done before", title, len(clips) - len(rest), len(clips))
    return rest


def _state(path: Path | None) -> tuple[int, int] | None:
    if path is None or not path.is_file():
        return None
    facts = path.stat()
    return facts.st_size, facts.st_mtime_ns


def _groups(clips: Sequence[Clip], size: int) -> Iterator[Sequence[Clip]]:
    return (clips[start : start + size] for start in range(0, len(clips), size))


def _open(group: Sequence[Clip], done: Journal) -> bool:
    return any(clip.name not in done for clip in group)
