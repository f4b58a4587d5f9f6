"""The shard loops: face tracks and features of a block of clips."""

from __future__ import annotations

import logging
import time
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from ugcl import paths
from ugcl.config import Config
from ugcl.data import shards, sources, tables
from ugcl.features.build import build
from ugcl.features.encoder import Encoder, info, pool
from ugcl.features.faces import table
from ugcl.features.faces.build import build as build_detector
from ugcl.features.faces.tracking import follow
from ugcl.features.failure import MediaError
from ugcl.features.media import Clip
from ugcl.features.progress import progress

log = logging.getLogger(__name__)


def faces_shard(config: Config, corpus: str, shard: int) -> Path:
    """Track the faces of one shard's clips and write the table and its summary.

    A clip that cannot be decoded, or shows no face, is a row of the summary with its failure.

    Returns:
        Path of the face table; the summary lies beside it.
    """
    settings, detect = config.faces, build_detector(config)
    rows, summary = [], []
    for clip in progress(_clips(config, corpus, shard, None), f"faces {corpus} {shard}"):
        try:
            track = follow(clip.frames(), detect, settings)
        except MediaError as error:
            track = table.Track.none(error.failure, error.detail)
        if track.failure:
            log.warning("%s: %s: %s", clip.name, track.failure, track.detail)
        rows.append(track.rows(clip.name))
        summary.append(track.summary(clip.name))
    target = paths.faces(corpus, shard)
    full = [part for part in rows if len(part)]
    frame = pd.concat(full, ignore_index=True) if full else pd.DataFrame(columns=table.COLUMNS)
    tables.write(pd.DataFrame(summary, columns=table.SUMMARY), table.summary_path(target))
    tables.write(frame, target)
    return target


def encode_shard(config: Config, corpus: str, encoder: str, shard: int) -> Path:
    """Encode one shard's clips and write the arrays and their books.

    Failed clips are rows of the books with their failure; they never stop the shard.

    Returns:
        Path of the shard.
    """
    model = build(config, corpus, encoder)
    window = config.encoders[encoder].pool
    faces = dict(table.read(paths.faces(corpus, shard))) if model.needs_faces else None
    features, failures = {}, {}
    start = time.monotonic()
    for clip in progress(_clips(config, corpus, shard, faces), f"{encoder} {corpus} {shard}"):
        try:
            features[clip.name] = vectors(model, clip, window)
        except MediaError as error:
            failures[clip.name] = (error.failure, error.detail)
            log.warning("%s: %s: %s", clip.name, error.failure, error.detail)
    settings: dict[str, Any] = dict(model.settings)
    if model.needs_faces:
        settings["faces"] = config.faces.model_dump(mode="json")
    folder = paths.features(corpus, encoder)
    shards.write_shard(folder, shard, features, failures, info(model, window), settings)
    seconds = time.monotonic() - start
    log.info(
        "%s %s %d: %d clips, %d failed, %.1f clips a second",
        encoder,
        corpus,
        shard,
        len(features),
        len(failures),
        (len(features) + len(failures)) / max(seconds, 1e-9),
    )
    return shards.tensors_path(folder, shard)


def build_index(config: Config, corpus: str, encoder: str) -> Path:
    """Check that an encoder's shards belong together and write the index of their clips."""
    return shards.write_index(paths.features(corpus, encoder), config.corpora[corpus].shards)


def vectors(model: Encoder, clip: Clip, window: int) -> np.ndarray:
    """A clip's features as they are stored: pooled over `window` frames, (frames, dim) float16.

    Raises:
        MediaError: the clip cannot be encoded, or its features are not finite.
    """
    raw = model.encode(clip)
    if len(raw) == 0 or raw.shape[1] != model.dim:
        raise MediaError("empty", f"the encoder gave an array of shape {raw.shape}")
    with np.errstate(over="ignore"):
        half = pool(raw, window).astype(np.float16)
    if not np.isfinite(half).all():
        raise MediaError("unreadable", "features are not finite in half precision")
    return half


def _clips(config: Config, corpus: str, shard: int, faces: dict[str, table.Track] | None) -> list[Clip]:
    manifest = tables.read_manifest(paths.manifest(corpus))
    names = shards.shard_clips(manifest["clip"].tolist(), config.corpora[corpus].shards, shard)
    root = sources.root(config, corpus)
    rows = manifest.set_index("clip", drop=False)
    return [Clip.from_row(rows.loc[name], root, (faces or {}).get(name)) for name in names]
