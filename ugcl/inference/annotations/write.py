"""Timelines into files: which file, in which format, and never over one that is there."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Literal, get_args

import pandas as pd

from ugcl.data import tables
from ugcl.data.recordings.files import file_name, printable
from ugcl.errors import UgclError
from ugcl.files import whole
from ugcl.inference.annotations import elan, subtitles, textgrid
from ugcl.inference.annotations.timeline import of_table

Format = Literal["textgrid", "eaf", "vtt", "srt", "csv"]
FORMATS: tuple[Format, ...] = get_args(Format)
ENDINGS: dict[Format, str] = {
    "textgrid": ".TextGrid",
    "eaf": ".eaf",
    "vtt": ".vtt",
    "srt": ".srt",
    "csv": ".timeline.csv",
}


def write_timeline(timeline: pd.DataFrame, path: str | Path, overwrite: bool = False) -> Path:
    """Write a clip's timeline into a file that annotation tools or players open.

    The ending of the name says the format: .TextGrid (Praat), .eaf (ELAN), .vtt, .srt (subtitles), .csv.
    TextGrid and ELAN files have a tier with the most probable class, equal neighbours as one, its confidence,
    and a tier of probabilities per class. Every file names the model, and says SYNTHETIC where the model was
    trained on clips that show no people.

    Args:
        timeline: what :meth:`ugcl.Model.timeline` returned.
        path: the file.
        overwrite: whether a file that is there may be replaced.

    Returns:
        The path.

    Raises:
        UgclError: the ending is unknown, the file is there already, or the table has lost its `attrs`.
    """
    path = Path(path)
    by_ending: dict[str, Format] = {f".{kind}": kind for kind in FORMATS}
    kind = by_ending.get(path.suffix.lower())
    if kind is None:
        raise UgclError(f"{path}: unknown ending; choose from {', '.join(by_ending)}")
    if not overwrite:
        refuse_existing([path])
    found = of_table(timeline)
    if kind == "csv":
        tables.write(timeline.assign(marks=found.marks, model=found.model), path)
        return path
    with whole(path) as partial:
        match kind:
            case "textgrid":
                textgrid.write(found, partial)
            case "eaf":
                elan.write(found, partial, path)
            case "vtt" | "srt":
                subtitles.write(found, partial, kind)
    return path


def formats(text: str) -> list[Format]:
    """The formats of a list with commas, each once.

    Raises:
        UgclError: a name is unknown.
    """
    names = dict.fromkeys(name.strip().lower() for name in text.split(",") if name.strip())
    unknown = [name for name in names if name not in FORMATS]
    if unknown or not names:
        what = ", ".join(unknown) or "nothing"
        raise UgclError(f"--export {text!r}: {what} is not a format; choose from {', '.join(FORMATS)}")
    return [kind for kind in FORMATS if kind in names]


def export_paths(folder: Path, clips: Sequence[str], export: str, overwrite: bool) -> dict[str, list[Path]]:
    """Clip → the files of its timeline, one per format.

    Args:
        export: the formats, with commas; "" for none.
        overwrite: whether files that are there may be replaced.

    Raises:
        UgclError: a format is unknown, two clips would share a file, or a file is there.
    """
    kinds = formats(export) if export else []
    found = {clip: [folder / file_name(clip, ENDINGS[kind]) for kind in kinds] for clip in clips}
    owners: dict[Path, str] = {}
    for clip, files in found.items():
        for path in files:
            other = owners.setdefault(path, clip)
            if other != clip:
                raise UgclError(
                    f"clips {other} and {clip} would share the file {path.name}; export them apart"
                )
    if not overwrite:
        refuse_existing(owners)
    return found


def refuse_existing(paths: Iterable[Path]) -> None:
    """Refuse to replace files.

    Raises:
        UgclError: one is there; it may hold somebody's corrections.
    """
    there = [path for path in paths if path.exists() or path.is_symlink()]
    if there:
        others = f" (and {len(there) - 1} others)" if len(there) > 1 else ""
        raise UgclError(
            f"{printable(there[0])}{others}: exists already; move it, choose another folder, or allow it with"
            " --overwrite (in Python overwrite=True)"
        )
