"""From a corpus adapter's rows to the manifest: durations, hashes and a checked table."""

from __future__ import annotations

import importlib
import logging
import math
from pathlib import Path
from types import ModuleType

import pandas as pd

from ugcl.config import Config
from ugcl.data import sources, tables
from ugcl.data.corpora import release
from ugcl.data.recordings import length
from ugcl.data.recordings.content import described
from ugcl.errors import UgclError

log = logging.getLogger(__name__)
TEXT = ("audio", "video", "sex", "sentence", "session", "level")
LEADING = ("clip", "audio", "video", "speaker", "sex", "age", "sentence", "session", "level")
TRAILING = ("duration", "audio_sha256", "video_sha256")


def adapter(name: str) -> ModuleType:
    """The adapter module of a kind of corpus: `ugcl.data.corpora.<name>`."""
    return importlib.import_module(f"ugcl.data.corpora.{name}")


def build(config: Config, corpus: str) -> pd.DataFrame:
    """Make the manifest of a corpus from its raw tree.

    A file that cannot be opened keeps its row, with an empty duration: the features stage quarantines it.
    An utterance of a longer file lasts from its `start` to its `end`.

    Raises:
        UgclError: the adapter refuses the tree, its counts are not the release's, or a protocol's label
            column or classes do not fit.
    """
    entry = config.corpora[corpus]
    root = sources.root(config, corpus)
    module = adapter(entry.adapter)
    frame = module.rows(root, entry)
    if hasattr(module, "RELEASE"):
        release.check(frame, module.RELEASE, corpus)
    for column in TEXT:
        if column not in frame:
            frame[column] = ""
    if "age" not in frame:
        frame["age"] = ""
    frame = tables.typed(frame, f"manifest of {corpus}")
    frame["duration"] = _durations(root, frame)
    for kind in ("audio", "video"):
        # Many utterances may share a dialog's file: it is read once.
        files = {name: root / name for name in frame[kind].unique()}
        hashes = {name: sources.sha256(path) if path.is_file() else "" for name, path in files.items()}
        frame[f"{kind}_sha256"] = frame[kind].map(hashes)
    middle = [column for column in frame if column not in LEADING + TRAILING]
    frame = frame[[*LEADING, *middle, *TRAILING]].sort_values("clip", ignore_index=True)
    for name, protocol in entry.protocols.items():
        _check_labels(frame, corpus, name, protocol.label, protocol.classes)
    return tables.validate(frame, tables.MANIFEST, f"manifest of {corpus}")


def _check_labels(frame: pd.DataFrame, corpus: str, protocol: str, label: str, classes: list[str]) -> None:
    where = f"corpora.{corpus}.protocols.{protocol}"
    if label not in frame:
        raise UgclError(f"{where}.label: the manifest has no column {label!r}; choose a label column of it")
    absent = [name for name in classes if not (frame[label] == name).any()]
    if absent:
        raise UgclError(f"{where}.classes: no clip has the label {absent[0]!r}; fix the class list")


def _durations(root: Path, frame: pd.DataFrame) -> pd.Series:
    media = frame["audio"].where(frame["audio"] != "", frame["video"])
    absent = pd.Series(math.nan, frame.index)
    start, end = (frame.get(name, absent).astype(float) for name in ("start", "end"))
    wrong = frame.loc[end <= start.fillna(0.0), "clip"]
    if len(wrong):
        raise UgclError(f"{root}: {wrong.iloc[0]} ends before it starts; fix its times in the label files")
    # An end alone begins with the file, a start alone reaches to its end.
    whole = {name: _duration(root, name) for name in media[end.isna()].unique()}
    return (end.where(end.notna(), media.map(whole)) - start.fillna(0.0)).astype(float)


def _duration(root: Path, name: str) -> float:
    """Seconds of a file; NaN when it is missing or cannot be opened."""
    if not name:
        return math.nan
    path, reason = root / name, "no such file"
    try:
        if path.is_file():
            return length.seconds(path)
    except Exception as error:  # libraries raise exceptions of many kinds of what they cannot read
        reason = described(path) or " ".join(str(error).split())
    log.warning("%s: cannot be opened (%s); the features stage will quarantine it", path, reason)
    return math.nan
