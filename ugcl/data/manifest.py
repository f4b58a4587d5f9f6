"""From a corpus adapter's rows to the manifest: durations, hashes and a checked table."""

from __future__ import annotations

import importlib
import logging
from pathlib import Path
from types import ModuleType

import pandas as pd

from ugcl.config import Config
from ugcl.data import sources, tables
from ugcl.data.corpora import release
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
        frame[f"{kind}_sha256"] = frame[kind].map({name: _hash(root, name) for name in frame[kind].unique()})
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
        raise UgclError(f"{where}.classes: no clip has the label {absent[0]!r}; mend the class list")


def _hash(root: Path, name: str) -> str:
    return sources.sha256(root / name) if name and (root / name).is_file() else ""


def _durations(root: Path, frame: pd.DataFrame) -> pd.Series:
    media = frame["audio"].where(frame["audio"] != "", frame["video"])
    if not {"start", "end"} <= set(frame):
        return media.map({name: _duration(root, name) for name in media.unique()})
    inside = frame["end"] - frame["start"]
    wrong = frame.loc[~(inside > 0) & frame["start"].notna(), "clip"]
    if len(wrong):
        raise UgclError(f"{root}: {wrong.iloc[0]} ends before it starts; mend its times in the label files")
    whole = {name: _duration(root, name) for name in media[inside.isna()].unique()}
    return inside.where(inside.notna(), media.map(whole)).astype(float)


def _duration(root: Path, name: str) -> float:
    """Seconds by the file's own header; NaN when the file is missing or cannot be opened."""
    import av
    import soundfile

    if not name:
        return float("nan")
    path = root / name
    try:
        if path.suffix.lower() in (".wav", ".flac", ".ogg"):
            return float(soundfile.info(path).duration)
        with av.open(str(path)) as container:
            return container.duration / av.time_base if container.duration else float("nan")
    except (OSError, av.error.FFmpegError, soundfile.LibsndfileError) as error:
        log.warning("%s: cannot be opened (%s); the features stage will quarantine it", path, error)
        return float("nan")
