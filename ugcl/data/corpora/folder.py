"""A user's own clips: one CSV with clip, speaker, label columns, and media paths or transcripts."""

from __future__ import annotations

import logging
import os
import re
from pathlib import Path

import pandas as pd

from ugcl.config.corpora import FolderCorpus
from ugcl.data import tables
from ugcl.data.annotations import database, segments
from ugcl.data.labels import folded, spelling
from ugcl.data.splits.leaks import listed
from ugcl.data.splits.speakers import variants
from ugcl.errors import UgclError

log = logging.getLogger(__name__)
NAME = re.compile(r"[\w.+-]+")
SEXES = {"f": "female", "w": "female", "woman": "female", "m": "male", "man": "male"}


def rows(root: Path, corpus: FolderCorpus) -> pd.DataFrame:
    """The rows of the user's table, annotation files or database; media paths are relative to the root.

    Blanks around headers and cells do not count. Labels that differ from a class in case or blanks are
    written as the class, which the log counts.

    Raises:
        UgclError: the table lacks a needed column or value, names a file outside the root, a clip twice or
            with characters that a name cannot have, a speaker in two spellings, or turns of a dialogue whose
            order is not known; or what :mod:`ugcl.data.annotations` refuses.
    """
    path = root / corpus.table
    if corpus.annotations is not None:
        path, frame = root, segments.rows(root, corpus.annotations)
    elif corpus.database is not None:
        path, frame = root, database.rows(root, corpus.database)
    else:
        frame = _stripped(tables.read(path), path)
    labels = sorted({protocol.label for protocol in corpus.protocols.values()})
    needed = ["clip", "speaker", *labels]
    for column in needed:
        if column not in frame:
            found = f"needed: {', '.join(needed)}; found: {', '.join(frame)}"
            raise UgclError(f"{path}: no column {column!r}; add it ({found})")
    if not {"audio", "video", "transcript"} & set(frame):
        raise UgclError(f"{path}: no column audio, video or transcript; add paths of media, or the words")
    _check_names(frame, path)
    _check_turns(frame, path)
    for column in sorted({"audio", "video"} & set(frame)):
        frame[column] = [_inside(root, name, f"{path}: {column}") for name in frame[column]]
    for column in labels:
        _fold(frame, column, corpus, path)
    if "sex" in frame:
        frame["sex"] = frame["sex"].map(spelling).replace(SEXES)
    return frame


def _stripped(frame: pd.DataFrame, path: Path) -> pd.DataFrame:
    """A table without blanks around its cells and without columns that have neither header nor cells."""
    plain = frame.apply(lambda column: column.str.strip().str.strip("\ufeff\u200b"))
    changed = (plain != frame).sum()
    changed = changed[changed > 0]
    if len(changed):
        log.info("%s: blanks around cells are left out, by column: %s", path, _counted(changed))
    unnamed = [name for name in plain if name.startswith("Unnamed: ") and (plain[name] == "").all()]
    return plain.drop(columns=unnamed).rename(columns=str.strip)


def _place(frame: pd.DataFrame, row: int, path: Path) -> str:
    """What a user looks for: the line of a table, the clip where rows come from annotation files."""
    return f"clip {frame['clip'][row]!r}" if path.is_dir() else f"line {row + 2}"


def _check_names(frame: pd.DataFrame, path: Path) -> None:
    for column in ("clip", "speaker"):
        empty = frame.index[frame[column] == ""]
        if len(empty):
            raise UgclError(f"{path}: {_place(frame, empty[0], path)} has no {column}; fill it in")
    odd = frame.index[[NAME.fullmatch(name) is None for name in frame["clip"]]]
    if len(odd):
        raise UgclError(
            f"{path}: {len(odd)} clips have names with blanks or other characters than letters, digits"
            f" and _ . + - (first in {_place(frame, odd[0], path)}: {frame['clip'][odd[0]]!r}); rename them"
        )
    twice = frame.index[frame["clip"].duplicated()]
    if len(twice):
        first = f"{_place(frame, twice[0], path)}: {frame['clip'][twice[0]]!r}"
        raise UgclError(
            f"{path}: {len(twice)} rows have the clip of another row (first in {first}); give each a name of"
            " its own"
        )
    counts = frame["speaker"].value_counts()
    groups = variants(counts.index)
    if groups:
        texts = [" and ".join(f"{name!r} ({counts[name]} clips)" for name in group) for group in groups]
        raise UgclError(
            f"{path}: {len(groups)} speakers seem to have several spellings: {listed(texts)}; write one id"
            " per person, or ids that differ in more than zeros and case"
        )


def _check_turns(frame: pd.DataFrame, path: Path) -> None:
    """Each clip of a dialogue has a place in it: a turn, or a start in its recording."""
    if "dialogue" not in frame:
        return
    column = "turn" if "turn" in frame or "start" not in frame else "start"
    places = frame.get(column, pd.Series("", frame.index))
    inside = frame["dialogue"] != ""
    lost = frame.index[inside & (places == "")]
    if len(lost):
        name = frame["dialogue"][lost[0]]
        where = _place(frame, lost[0], path)
        raise UgclError(f"{path}: {where} is in dialogue {name!r} and has no {column}; number it")
    numbers = pd.to_numeric(places, errors="coerce").astype(object).where(lambda n: n.notna(), places)
    twice = frame.index[inside & pd.DataFrame({"d": frame["dialogue"], "n": numbers}).duplicated()]
    if len(twice):
        where, name = _place(frame, twice[0], path), frame["dialogue"][twice[0]]
        raise UgclError(
            f"{path}: {where} is a second clip with {column} {places[twice[0]]} of dialogue {name!r}; give"
            f" each a {column} of its own"
        )


def _inside(root: Path, name: str, where: str) -> str:
    """A path below the root as the table means it; a linked folder of the user's counts as below."""
    if "\\" in name and not (root / name).exists():
        name = name.replace("\\", "/")
    lexical = Path(os.path.normpath(root / name)).is_relative_to(os.path.normpath(root))
    if name and not (lexical or (root / name).resolve().is_relative_to(root.resolve())):
        raise UgclError(f"{where} {name!r} lies outside {root}; use a path inside the root")
    return name


def _fold(frame: pd.DataFrame, column: str, corpus: FolderCorpus, path: Path) -> None:
    """Write labels as the protocols do, and log what was changed and what belongs to no class."""
    protocols = [protocol for protocol in corpus.protocols.values() if protocol.label == column]
    names = {name for protocol in protocols for name in (*protocol.classes, *protocol.merge)}
    frame[column], changed = folded(frame[column], names)
    if len(changed):
        log.info("%s: column %s: labels changed to the class's spelling: %s", path, column, _counted(changed))
    others = frame.loc[~frame[column].isin([*names, ""]), column].value_counts()
    empty = int((frame[column] == "").sum())
    if len(others) or empty:
        texts = [*([_counted(others)] if len(others) else []), *([f"no label {empty}"] if empty else [])]
        log.warning("%s: column %s: clips of no class, left out: %s", path, column, ", ".join(texts))


def _counted(counts: pd.Series) -> str:
    return listed([f"{name!r} {count}" for name, count in counts.items()])
