"""The shard loops: face tracks and features of a block of clips."""

from __future__ import annotations

import hashlib
import logging
import time
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict, replace
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from ugcl import paths
from ugcl.config import Config
from ugcl.data import shards, sources, tables
from ugcl.data.journal import Journal
from ugcl.features.build import build
from ugcl.features.encoder import Encoder, info, pool
from ugcl.features.faces import table
from ugcl.features.faces.build import build as build_detector
from ugcl.features.faces.tracking import follow
from ugcl.features.failure import MediaError
from ugcl.features.media import Clip
from ugcl.features.progress import progress
from ugcl.features.sound_network import SoundNetwork

log = logging.getLogger(__name__)


def faces_shard(config: Config, corpus: str, shard: int, lineage: str = "") -> Path:
    """Track the faces of one shard's clips and write the table and its summary.

    A clip that cannot be decoded, or shows no face, is a row of the summary with its failure. What a killed
    run of the same lineage, settings and clips had done is taken over.

    Args:
        config: the parameters.
        corpus: key of `corpora`.
        shard: number of the shard, from 1.
        lineage: hash of the code and of the parameters, see :mod:`ugcl.provenance.lineage`.

    Returns:
        Path of the face table; the summary lies beside it.
    """
    settings, detect, target = config.faces, build_detector(config), paths.faces(corpus, shard)
    clips = _clips(config, corpus, shard)
    title = f"faces {corpus} {shard}"
    with _journal(target, clips, lineage, settings.model_dump(mode="json")) as done:
        for clip in progress(_left(clips, done, title), title):
            try:
                track = follow(clip.frames(), detect, settings)
            except MediaError as error:
                track = table.Track.none(error.failure, error.detail)
            if track.failure:
                log.warning("%s: %s: %s", clip.name, track.failure, track.detail)
            done.add(clip.name, track.summary(clip.name), table.text(track.rows(clip.name)).encode())
        summary = [done.facts[clip.name] for clip in clips]
        tables.write(pd.DataFrame(summary, columns=table.SUMMARY), table.summary_path(target))
        partial = target.with_name(target.name + ".partial")
        with partial.open("wb") as file:
            file.write(table.text(pd.DataFrame(columns=table.COLUMNS), header=True).encode())
            file.writelines(done.content(clip.name) for clip in clips)
        partial.replace(target)
        done.discard()
    return target


def encode_shard(config: Config, corpus: str, encoder: str, shard: int, lineage: str = "") -> Path:
    """Encode one shard's clips and write the arrays and their books.

    Failed clips are rows of the books with their failure; they never stop the shard. What a killed run of the
    same lineage, settings and clips had done is taken over; the result is the same to the byte.

    Args:
        config: the parameters.
        corpus: key of `corpora`.
        encoder: key of `encoders`.
        shard: number of the shard, from 1.
        lineage: hash of the code and of the parameters, see :mod:`ugcl.provenance.lineage`.

    Returns:
        Path of the shard.
    """
    model = build(config, corpus, encoder)
    window, folder = config.encoders[encoder].pool, paths.features(corpus, encoder)
    target, clips, start = shards.tensors_path(folder, shard), _clips(config, corpus, shard), time.monotonic()
    settings: dict[str, Any] = dict(model.settings)
    depends: list[Any] = [asdict(info(model, window)), settings]
    tracks: Iterator[tuple[str, table.Track]] = iter(())
    if model.needs_faces:
        source = paths.faces(corpus, shard)
        settings["faces"], tracks = config.faces.model_dump(mode="json"), table.read(source)
        depends += [sources.sha256(file) for file in (source, table.summary_path(source))]
    title = f"{encoder} {corpus} {shard}"
    with _journal(target, clips, lineage, depends) as done:
        left = _left(clips, done, title, getattr(model, "TOGETHER", 1))
        for clip, half in encoded(model, progress(left, title), tracks, window):
            if isinstance(half, MediaError):
                log.warning("%s: %s: %s", clip.name, half.failure, half.detail)
                done.add(clip.name, {"failure": half.failure, "detail": half.detail})
            else:
                done.add(clip.name, {"shape": half.shape}, half.tobytes())
        failures = {n: (f["failure"], f["detail"]) for n, f in done.facts.items() if "failure" in f}
        shards.write_shard(folder, shard, _Arrays(done), failures, info(model, window), settings)
        done.discard()
    seconds = max(time.monotonic() - start, 1e-9)
    told = (title, len(clips), len(failures), len(left) / seconds)
    log.info("%s: %d clips, %d failed, %.1f clips a second", *told)
    return target


def build_index(config: Config, corpus: str, encoder: str) -> Path:
    """Check that an encoder's shards belong together and write the index of their clips."""
    return shards.write_index(paths.features(corpus, encoder), config.corpora[corpus].shards)


def vectors(model: Encoder, clip: Clip, window: int) -> np.ndarray:
    """A clip's features as they are stored: pooled over `window` frames, (frames, dim) float16.

    Raises:
        MediaError: the clip cannot be encoded, or its features are not finite.
    """
    return _stored(model.encode(clip), model.dim, window)


def _stored(raw: np.ndarray, dim: int, window: int) -> np.ndarray:
    if len(raw) == 0 or raw.shape[1] != dim:
        raise MediaError("empty", f"the encoder gave an array of shape {raw.shape}")
    with np.errstate(over="ignore"):
        half = pool(raw, window).astype(np.float16)
    if not np.isfinite(half).all():
        raise MediaError("unreadable", "features are not finite in half precision")
    return half


def encoded(
    model: Encoder, clips: Iterable[Clip], tracks: Iterable[tuple[str, table.Track]], window: int
) -> Iterator[tuple[Clip, np.ndarray | MediaError]]:
    """Each clip with its features as they are stored, or with why it has none, in any order.

    Args:
        model: the encoder.
        clips: in the order of their names.
        tracks: name and face track of clips, in the same order; others may be between.
        window: frames that are pooled.
    """
    if isinstance(model, SoundNetwork):
        for group in _groups(clips, model.TOGETHER):
            for clip, raw in model.encode_all(group):
                try:
                    yield clip, raw if isinstance(raw, MediaError) else _stored(raw, model.dim, window)
                except MediaError as error:
                    yield clip, error
        return
    tracks = iter(tracks)
    name, track = next(tracks, ("", None))
    for clip in clips:
        while track is not None and name < clip.name:
            name, track = next(tracks, ("", None))
        try:
            yield clip, vectors(model, replace(clip, faces=track if name == clip.name else None), window)
        except MediaError as error:
            yield clip, error


class _Arrays(Mapping[str, np.ndarray]):
    """The features in a journal, read when they are asked for."""

    def __init__(self, done: Journal) -> None:
        self.done, self.good = done, [name for name, facts in done.facts.items() if "shape" in facts]

    def __getitem__(self, clip: str) -> np.ndarray:
        return np.frombuffer(self.done.content(clip), np.float16).reshape(self.done.facts[clip]["shape"])

    def __iter__(self) -> Iterator[str]:
        return iter(self.good)

    def __len__(self) -> int:
        return len(self.good)


def _clips(config: Config, corpus: str, shard: int) -> list[Clip]:
    manifest = tables.read_manifest(paths.manifest(corpus))
    names = shards.shard_clips(manifest["clip"].tolist(), config.corpora[corpus].shards, shard)
    root = sources.root(config, corpus)
    rows = manifest.set_index("clip", drop=False)
    return [Clip.from_row(rows.loc[name], root) for name in names]


def _journal(target: Path, clips: list[Clip], lineage: str, depends: Any) -> Journal:
    """The journal beside a file in the making; what it was begun for is all that the file depends on."""
    media = [_state(path) for clip in clips for path in (clip.audio, clip.video)]
    purpose = repr((lineage, depends, clips, media)).encode()
    return Journal(target.with_name(target.name + ".journal.partial"), hashlib.sha256(purpose).hexdigest())


def _state(path: Path | None) -> tuple[int, int] | None:
    if path is None or not path.is_file():
        return None
    facts = path.stat()
    return facts.st_size, facts.st_mtime_ns


def _left(clips: list[Clip], done: Journal, title: str, together: int = 1) -> list[Clip]:
    """The clips to go through: those that are not done, with those that go through the network with them."""
    groups = list(_groups(clips, together))
    left = [clip for group in groups if any(clip.name not in done for clip in group) for clip in group]
    if len(left) < len(clips):
        log.info("%s: %d of %d clips were done before", title, len(clips) - len(left), len(clips))
    return left


def _groups(clips: Iterable[Clip], size: int) -> Iterator[list[Clip]]:
    clips = iter(clips)
    while group := list(islice(clips, size)):
        yield group
