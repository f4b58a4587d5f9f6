"""A user's split, in whatever files it is published, as tables that can be audited."""

from __future__ import annotations

import json
import logging
from collections.abc import Sequence
from pathlib import Path

import pandas as pd

from ugcl.data import tables
from ugcl.data.splits import clip_names
from ugcl.data.splits.leaks import listed
from ugcl.data.splits.partitions import WORDS, part_names
from ugcl.data.splits.partitions import clip_names as bare_names
from ugcl.data.splits.speakers import identity
from ugcl.errors import UgclError

log = logging.getLogger(__name__)
HEADERS = {
    "clip": ("clip", "filename", "file_name", "file", "name", "path", "utterance", "wav", "audio"),
    "part": ("part", "split_set", "split", "subset", "partition", "set", "fold_part"),
    "speaker": ("speaker", "spkrid", "speaker_id", "spkr", "actor", "actorid", "actor_id", "subject"),
    "fold": ("fold", "split_id", "cv"),
    "sentence": ("sentence", "statement"),
    "session": ("session",),
    "dialogue": ("dialogue", "dialogue_id", "dialog"),
    "label": ("label", "emotion", "emo", "class"),
    "model": ("model",),
}
"""What a column means → the headers it is known by, in lower case."""

SOFT = ("angry", "disgust", "fear", "happy", "neutral", "sad", "surprise", "contempt")
"""Headers of soft labels: the column with the highest share names the label."""


def read(
    arguments: Sequence[str], pattern: str | None = None, manifest: pd.DataFrame | None = None
) -> dict[str, pd.DataFrame]:
    """Read a published split.

    A file with a column of parts is a split of its own (one for each fold it numbers); a JSON names the
    speakers of each part; files without such a column are one part each, named in front (`train=a.csv`) or
    in the file's own name.

    Args:
        arguments: files, each maybe with a part and "=" in front.
        pattern: regular expression for the speaker in clip names; see
            :func:`ugcl.data.splits.clip_names.facts`.
        manifest: of the corpus, which then gives speakers, sentences and labels.

    Returns:
        Name → a table for :func:`ugcl.data.splits.audit.audit`.

    Raises:
        UgclError: a file cannot be read, or it lacks parts, clips or speakers.
    """
    found: dict[str, pd.DataFrame] = {}
    single: list[pd.DataFrame] = []
    for argument in arguments:
        word, _, rest = argument.rpartition("=")
        path = Path(rest)
        if path.suffix == ".json":
            found[str(path)] = _speakers(path, manifest)
            continue
        frame = _columns(path)
        if "part" in frame and not word:
            frame = frame.assign(part=_parts(frame["part"], path))
            for name, rows in _folds(frame, str(path)):
                found[name] = _with_facts(rows, name, pattern, manifest)
        else:
            part = WORDS.get(word.lower()) if word else _part_of(path)
            if part is None:
                raise UgclError(f"{argument}: part unknown; write train={path}, dev={path} or test={path}")
            single.append(frame.assign(part=part))
    if single:
        name = str(Path(arguments[0].rpartition("=")[2]).parent)
        found[name] = _with_facts(pd.concat(single, ignore_index=True), name, pattern, manifest)
    return found


def _columns(path: Path) -> pd.DataFrame:
    """A CSV with the columns of :data:`HEADERS` it has; without a header, clip and label."""
    frame = tables.read(path)
    meanings: dict[str, str] = {}
    for meaning, known in HEADERS.items():
        header = next((h for name in known for h in frame if h.strip().lower() == name), None)
        if header is not None:
            meanings.setdefault(header, meaning)
    if "clip" not in meanings.values():
        if meanings:
            raise UgclError(f"{path}: no column of clips among {listed(list(frame))}; name it clip")
        body = pd.read_csv(path, header=None, dtype=str, keep_default_na=False).iloc[:, :2]
        body = body.set_axis(["clip", "label"][: body.shape[1]], axis=1)
        return body.assign(clip=bare_names(body["clip"]))
    kept = frame[list(meanings)].rename(columns=meanings).apply(lambda column: column.str.strip())
    shares = [column for column in frame if column in SOFT]
    if "label" not in kept and len(shares) > 1:
        kept["label"] = frame[shares].apply(pd.to_numeric, errors="coerce").fillna(0).idxmax(axis=1)
    return kept.assign(clip=bare_names(kept["clip"]))


def _parts(column: pd.Series, path: Path) -> pd.Series:
    parts = part_names(column)
    if parts.isna().any():
        raise UgclError(f"{path}: {column[parts.isna()].iloc[0]!r} is not a part; known: {', '.join(WORDS)}")
    return parts


def _part_of(path: Path) -> str | None:
    words = path.name.lower().replace("-", ".").replace("_", ".").split(".")
    return next((WORDS[word] for word in words if word in WORDS), None)


def _folds(frame: pd.DataFrame, name: str) -> list[tuple[str, pd.DataFrame]]:
    keys = [key for key in ("model", "fold") if key in frame]
    if not keys:
        return [(name, frame)]
    groups = frame.groupby(keys, sort=True)
    return [
        (f"{name} " + " ".join(f"{key} {value}" for key, value in zip(keys, values, strict=True)), rows)
        for values, rows in groups
    ]


def _with_facts(
    frame: pd.DataFrame, name: str, pattern: str | None, manifest: pd.DataFrame | None
) -> pd.DataFrame:
    nameless = int((frame["clip"] == "").sum())
    if nameless:
        log.warning("%s: %d rows name no clip; they are left out", name, nameless)
    frame = frame[frame["clip"] != ""].reset_index(drop=True)
    if manifest is not None:
        absent = frame.loc[~frame["clip"].isin(manifest["clip"]), "clip"]
        if len(absent):
            raise UgclError(
                f"{name}: {len(absent)} clips are not in the manifest (first: {absent.iloc[0]});"
                " choose the corpus of the split"
            )
        known = manifest.drop(columns=[c for c in manifest if c in frame and c != "clip"])
        return frame.merge(known, on="clip", how="left")
    for column, values in clip_names.facts(frame["clip"], pattern).items():
        if column not in frame or (column == "speaker" and pattern is not None):
            frame[column] = values
    if "speaker" not in frame:
        raise UgclError(
            f"{name}: no column of speakers, and clip names such as {frame['clip'].iloc[0]!r} are of no known"
            r" corpus; give --corpus, or --speaker-pattern '^(\d{4})_'"
        )
    return frame


def _speakers(path: Path, manifest: pd.DataFrame | None) -> pd.DataFrame:
    """A JSON that names the speakers of each part; with a manifest, their clips."""
    try:
        tree = json.loads(path.read_text())
    except FileNotFoundError:
        raise UgclError(f"{path}: not found; fix the path") from None
    except (json.JSONDecodeError, UnicodeDecodeError) as error:
        raise UgclError(f"{path}: not valid JSON ({error}); fix the file") from None
    if not isinstance(tree, dict) or not all(isinstance(names, list) for names in tree.values()):
        raise UgclError(f"{path}: must map each part to a list of speakers; fix the file")
    pairs = [(part, str(name)) for part, names in tree.items() for name in names]
    frame = pd.DataFrame(pairs, columns=["part", "speaker"])
    frame["part"] = _parts(frame["part"], path)
    if manifest is None:
        return frame
    frame = frame.assign(identity=frame["speaker"].map(identity))
    known = manifest.assign(identity=manifest["speaker"].map(identity))
    unknown = frame.loc[~frame["identity"].isin(known["identity"]), "speaker"].tolist()
    if unknown:
        log.warning("%s: %d speakers are not in the manifest: %s", path, len(unknown), listed(unknown))
    return frame.drop(columns="speaker").merge(known, on="identity", how="inner").drop(columns="identity")
