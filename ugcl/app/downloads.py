"""Files of predictions that a page offers: one per format, a zip archive where a format has several."""

from __future__ import annotations

import zipfile
from collections.abc import Sequence
from pathlib import Path

from ugcl.inference.ensemble import Ensemble
from ugcl.inference.predictions import Prediction, write

FORMATS = ("CSV", "JSON", "timeline CSV")
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
    table, tree, *timelines = write(ensemble, list(found), folder)
    made = {"CSV": [table], "JSON": [tree], "timeline CSV": timelines}
    return {name: _one(made[name], folder, name) for name in FORMATS if made[name]}


def _one(paths: Sequence[Path], folder: Path, name: str) -> Path:
    """The file itself, or a zip archive of several."""
    if len(paths) == 1:
        return paths[0]
    archive = folder / f"{name.replace(' ', '-')}.zip"
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as target:
        for path in paths:
            target.write(path, path.name)
    return archive
