"""Files of predictions that a page offers: one per format, a zip archive where a format has several."""

from __future__ import annotations

import zipfile
from collections.abc import Sequence
from pathlib import Path

from ugcl.data.recordings.files import file_name
from ugcl.inference.annotations import elan
from ugcl.inference.annotations.timeline import of_table
from ugcl.inference.annotations.write import write_timeline
from ugcl.inference.ensemble import Ensemble
from ugcl.inference.predictions import Prediction, write

TIMELINES = {"timeline CSV": ".timeline.csv", "TextGrid": ".TextGrid", "ELAN": ".eaf", "WebVTT": ".vtt"}
"""Formats of annotation tools and players → ending."""
FORMATS = ("CSV", "JSON", *TIMELINES)
"""Names of the formats, in the order of the page's buttons."""


def files(ensemble: Ensemble, found: Sequence[Prediction], folder: Path) -> dict[str, Path]:
    """Write predictions in every format.

    Args:
        found: predictions with their timelines; paths of media are written as they stand in them.
        folder: a new one, `predictions`, is made in it.

    Returns:
        Name of the format → its file; a format of timelines is missing where no clip has one.
    """
    folder = folder / "predictions"
    table, tree = write(ensemble, list(found), folder)
    made = {"CSV": [table], "JSON": [tree]}
    timed = [one for one in found if one.timeline is not None]
    for name, ending in TIMELINES.items():
        made[name] = [_annotation(one, folder / file_name(one.clip.name, ending)) for one in timed]
    return {name: _one(made[name], folder, name) for name in FORMATS if made[name]}


def _annotation(prediction: Prediction, path: Path) -> Path:
    """Write a timeline; the media that it names are those beside it, wherever a user puts both."""
    assert prediction.timeline is not None
    timeline = prediction.timeline.copy()
    media = [file.name for file in (prediction.clip.audio, prediction.clip.video) if file is not None]
    timeline.attrs = prediction.timeline.attrs | {"media": [str(Path("/") / name) for name in media]}
    if path.suffix == TIMELINES["ELAN"]:
        elan.write(of_table(timeline), path, Path("/") / path.name)
    else:
        write_timeline(timeline, path)
    return path


def _one(paths: Sequence[Path], folder: Path, name: str) -> Path:
    """The file itself, or a zip archive of several."""
    if len(paths) == 1:
        return paths[0]
    archive = folder / f"{name.replace(' ', '-')}.zip"
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as target:
        for path in paths:
            target.write(path, path.name)
    return archive
