"""From a shard's clips to its table of face tracks."""

from __future__ import annotations

import logging
from pathlib import Path

import pandas as pd

from ugcl.config import Config
from ugcl.data import tables
from ugcl.features.faces import table
from ugcl.features.faces.build import build
from ugcl.features.faces.tracking import follow
from ugcl.features.media.failure import MediaError
from ugcl.features.progress import progress
from ugcl.features.shard import clips_of, journal, remaining
from ugcl.files import whole
from ugcl.plan import paths

log = logging.getLogger(__name__)


def faces_shard(config: Config, corpus: str, shard: int, lineage: str = "") -> Path:
    """Track the faces of one shard's clips and write the table and its summary.

    A clip that cannot be decoded, or shows no face, is a row of the summary with its failure. What a killed
    run of the same lineage, settings and clips had done is taken over.

    Args:
        lineage: hash of the code and of the parameters, see :mod:`ugcl.provenance.lineage`.

    Returns:
        Path of the face table; the summary lies beside it.
    """
    settings, detect, target = config.faces, build(config), paths.faces(corpus, shard)
    clips = clips_of(config, corpus, shard)
    title = f"faces {corpus} {shard}"
    with journal(target, clips, lineage, settings.model_dump(mode="json")) as done:
        left = remaining(clips, done, title)
        for clip in progress(left, title, len(left)):
            try:
                track = follow(clip.frames(), detect, settings)
            except MediaError as error:
                track = table.Track.none(error.failure, error.detail)
            if track.failure and clip.video is not None:
                log.warning("%s: %s: %s", clip.name, track.failure, track.detail)
            content = table.text(track.rows(clip.name)).encode()
            done.add(clip.name, track.summary(clip.name, content, target), content)
        summary = [done.facts[clip.name] for clip in clips]
        tables.write(pd.DataFrame(summary, columns=table.SUMMARY), table.summary_path(target))
        with whole(target) as partial, partial.open("wb") as file:
            file.write(table.text(pd.DataFrame(columns=table.COLUMNS), header=True).encode())
            file.writelines(done.content(clip.name) for clip in clips)
        done.discard()
    return target
