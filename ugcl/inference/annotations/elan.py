"""A timeline as an ELAN annotation file (EAF 3.0; Max Planck Institute for Psycholinguistics)."""

from __future__ import annotations

import mimetypes
import os
from pathlib import Path
from typing import Any

from ugcl.data.recordings.files import printable
from ugcl.inference.annotations.timeline import Stretch, Timeline

VERSION = "3.0"
SCHEMA = "http://www.mpi.nl/tools/elan/EAFv3.0.xsd"
TYPES = {".wav": "audio/x-wav", ".mkv": "video/x-matroska", ".flac": "audio/flac", ".m4a": "audio/mp4"}


def write(timeline: Timeline, path: Path, place: Path) -> None:
    """Write tiers: emotion, confidence (one value per annotation of emotion), and p_<class>.

    The clip's files are linked by their absolute path and relative to the file. The classes are a controlled
    vocabulary of the tier emotion, so that they can be chosen when an annotation is corrected. What made the
    file is in its properties and its author.

    Args:
        path: the file to write.
        place: where it will lie.
    """
    from pympi import Elan

    eaf = Elan.Eaf(author=f"UGCL, {timeline.model}")
    eaf.adocument |= {"VERSION": VERSION, "FORMAT": VERSION, "xsi:noNamespaceSchemaLocation": SCHEMA}
    eaf.header = {"MEDIA_FILE": "", "TIME_UNITS": "milliseconds"}
    eaf.remove_tier("default")
    for file in timeline.media:
        near = os.path.relpath(file, place.absolute().parent)
        near = near if near.startswith("../") else f"./{near}"
        address = f"file://{printable(file.as_posix())}"  # XML has no bytes that are not UTF-8
        eaf.add_linked_file(address, printable(near), _type(file))
    for name in ("model", "marks", "source"):
        if value := getattr(timeline, name):
            eaf.add_property(f"ugcl.{name}", value)
    _types(eaf, timeline.classes)
    emotions = timeline.emotions()
    _tier(eaf, "emotion", emotions, "emotion")
    eaf.add_tier("confidence", "confidence", parent="emotion")
    for stretch in emotions:
        middle = (_milliseconds(stretch.start) + _milliseconds(stretch.end)) // 2
        eaf.add_ref_annotation("confidence", "emotion", middle, f"{stretch.probability:.2f}")
    for name in timeline.classes:
        _tier(eaf, f"p_{name}", timeline.of_class(name), "default-lt")
    _in_time_order(eaf)
    declaration = '<?xml version="1.0" encoding="UTF-8"?>\n'
    path.write_text(declaration + Elan.to_string(eaf), encoding="utf-8")


def _type(file: Path) -> str:
    known = TYPES.get(file.suffix.lower()) or mimetypes.guess_type(file.name)[0]
    return known or "unknown"


def _types(eaf: Any, classes: Any) -> None:
    eaf.add_language("eng", "http://cdb.iso.org/lg/CDB-00138502-001", "English (eng)")
    eaf.add_controlled_vocabulary("emotions")
    for number, name in enumerate(classes):
        eaf.add_cv_entry("emotions", f"emotion{number}", [(name, "eng", None)])
    eaf.add_linguistic_type("emotion")
    eaf.linguistic_types["emotion"]["CONTROLLED_VOCABULARY_REF"] = "emotions"
    eaf.add_linguistic_type("confidence", "Symbolic_Association", timealignable=False)


def _tier(eaf: Any, name: str, stretches: list[Stretch], kind: str) -> None:
    eaf.add_tier(name, kind)
    for stretch in stretches:
        start, end = _milliseconds(stretch.start), _milliseconds(stretch.end)
        if start < end:
            eaf.add_annotation(name, start, end, stretch.text)


def _in_time_order(eaf: Any) -> None:
    """Number the time slots in the order of their values, which pympi leaves in that of their making."""
    order = sorted(eaf.timeslots.items(), key=lambda slot: (slot[1], int(slot[0].removeprefix("ts"))))
    names = {old: f"ts{number}" for number, (old, _) in enumerate(order, 1)}
    eaf.timeslots = {names[old]: value for old, value in order}
    for aligned, _, _, _ in eaf.tiers.values():
        for key, (start, end, *rest) in aligned.items():
            aligned[key] = (names[start], names[end], *rest)


def _milliseconds(seconds: float) -> int:
    return round(1000 * seconds)
