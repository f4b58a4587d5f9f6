"""From a shard's clips to its features."""

from __future__ import annotations

import logging
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np

from ugcl.config import Config
from ugcl.data import shards, sources
from ugcl.data.journal import Journal
from ugcl.features.build import build
from ugcl.features.encoder import Encoder, Vectors, info
from ugcl.features.faces import table
from ugcl.features.media.clip import Clip, with_faces
from ugcl.features.media.failure import MediaError
from ugcl.features.networks.network import Network
from ugcl.features.progress import progress
from ugcl.features.shard import clips_of, journal, remaining
from ugcl.plan import paths

log = logging.getLogger(__name__)
WORDS = {"audio": "media with sound", "video": "video", "text": "transcript"}
"""What a clip lacks of which the manifest names nothing of a modality."""


def encode_shard(
    config: Config, corpus: str, encoder: str, shard: int, lineage: str = "", workers: int = 0
) -> Path:
    """Encode one shard's clips and write the arrays and their table.

    Failed clips are rows of the table with their failure; they never stop the shard. What a killed run of the
    same lineage, settings and clips had done is taken over; the result is the same to the byte.

    Args:
        lineage: hash of the code and of the parameters, see :mod:`ugcl.provenance.lineage`.
        workers: processes that decode for a network; 0 = this one does. The bytes are the same.

    Returns:
        Path of the shard.
    """
    model = build(config, corpus, encoder)
    window, folder = config.encoders[encoder].pool, paths.features(corpus, encoder)
    target, start = shards.tensors_path(folder, shard), time.monotonic()
    clips = clips_of(config, corpus, shard)
    settings: dict[str, Any] = dict(model.settings)
    depends: list[Any] = [asdict(info(model, window)), settings]
    source = None
    if model.needs_faces:
        source = paths.faces(corpus, shard)
        settings["faces"] = config.faces.model_dump(mode="json")
        depends += [sources.sha256(file) for file in (source, table.summary_path(source))]
    if isinstance(model, Network):
        depends.append(model.device.type)  # a shard that another kind of device began would be a mix
    title = f"{encoder} {corpus} {shard}"
    with journal(target, clips, lineage, depends) as done:
        left = remaining(clips, done, title, getattr(model, "TOGETHER", 1))
        for clip, half in progress(encoded(model, left, window, source, workers), title, len(left)):
            if isinstance(half, MediaError):
                warn(clip, half)
                done.add(clip.name, {"failure": half.failure, "detail": half.detail})
            else:
                facts = {"shape": half.shape, "type": half.dtype.str}
                done.add(clip.name, facts, memoryview(np.ascontiguousarray(half)).cast("B"))
        failures = {n: (f["failure"], f["detail"]) for n, f in done.facts.items() if "failure" in f}
        facts, of = info(model, window), {"corpus": corpus, "lineage": lineage}
        shards.write_shard(folder, shard, _Arrays(done), failures, facts, settings, of)
        done.discard()
    seconds, words = max(time.monotonic() - start, 1e-9), [word for word, _ in failures.values()]
    lacking, speed = words.count("absent"), len(left) / seconds
    faults = len(words) - lacking
    log.info("%s: %d clips, %d failed, %d absent, %.1f clips/s", title, len(clips), faults, lacking, speed)
    return target


def build_index(config: Config, corpus: str, encoder: str) -> Path:
    """Check that an encoder's shards belong together and write the index of their clips."""
    return shards.write_index(paths.features(corpus, encoder), config.corpora[corpus].shards)


def vectors(model: Encoder, clip: Clip, window: int) -> np.ndarray:
    """A clip's features as they are stored: pooled over `window` frames, (frames, dim).

    Raises:
        MediaError: the clip cannot be encoded, or its features are not finite.
    """
    kept = Vectors(window, getattr(model, "stored", np.float16))
    for block in model.blocks(clip) if hasattr(model, "blocks") else [model.encode(clip)]:
        kept.add(block)
    return _stored(kept.array(), model.dim)


def _stored(half: np.ndarray, dim: int) -> np.ndarray:
    if half.ndim != 2 or len(half) == 0 or half.shape[1] != dim:
        raise MediaError("empty", f"the encoder gave an array of shape {half.shape}")
    if not np.isfinite(half).all():
        raise MediaError("unreadable", "features are not finite in half precision")
    return half


def encoded(
    model: Encoder, clips: Sequence[Clip], window: int, faces: Path | None = None, workers: int = 0
) -> Iterator[tuple[Clip, np.ndarray | MediaError]]:
    """Each clip with its features as they are stored, or with why it has none, in any order.

    Where the manifest names nothing of a modality that the encoder reads (`reads`, default its own), that is
    the failure (absent), whatever the encoder says of it. Precomputed features need no file.

    Args:
        clips: in the order of their names.
        window: frames that are pooled.
        faces: table of the clips' face tracks; None where the clips have them, or need none.
        workers: processes that decode for a network; 0 = this one does.
    """
    reads = getattr(model, "reads", (model.modality,))
    for clip, half in _encoded(model, clips, window, faces, workers):
        lacking = [modality for modality in reads if not clip.names(modality)]
        if lacking and isinstance(half, MediaError):
            half = MediaError("absent", f"the manifest names no {WORDS[lacking[0]]}")
        yield clip, half


def warn(clip: Clip, error: MediaError) -> None:
    """Log why a clip has no features, unless nothing was to be read."""
    if error.failure != "absent":
        log.warning("%s: %s: %s", clip.name, error.failure, error.detail)


def _encoded(
    model: Encoder, clips: Sequence[Clip], window: int, faces: Path | None, workers: int
) -> Iterator[tuple[Clip, np.ndarray | MediaError]]:
    if not isinstance(model, Network):
        for clip in with_faces(clips, faces):
            try:
                yield clip, vectors(model, clip, window)
            except MediaError as error:
                yield clip, error
        return
    for clip, half in model.encode_all(clips, faces, workers, lambda: Vectors(window, np.float16)):
        try:
            yield clip, half if isinstance(half, MediaError) else _stored(half, model.dim)
        except MediaError as error:
            yield clip, error


class _Arrays(Mapping[str, np.ndarray]):
    """The features in a journal, read when they are asked for."""

    def __init__(self, done: Journal) -> None:
        self.done, self.good = done, [name for name, facts in done.facts.items() if "shape" in facts]

    def __getitem__(self, clip: str) -> np.ndarray:
        facts = self.done.facts[clip]
        return np.frombuffer(self.done.content(clip), facts["type"]).reshape(facts["shape"])

    def __iter__(self) -> Iterator[str]:
        return iter(self.good)

    def __len__(self) -> int:
        return len(self.good)
