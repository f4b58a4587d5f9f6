"""The embedded synthetic corpus: rows from clip names, the actors' cards and the simulated raters."""

from __future__ import annotations

from pathlib import Path

import pandas as pd

from ugcl.config.corpora import DemoCorpus
from ugcl.demo import actors, votes
from ugcl.demo.performance import performance
from ugcl.errors import UgclError
from ugcl.plan import demo as names

FILES = ("VideoMP4/*.mp4", "AudioWAV/*.wav")


def rows(root: Path, corpus: DemoCorpus) -> pd.DataFrame:
    """One row a clip that has a sound or a video in the folder, sorted by clip.

    Raises:
        UgclError: the folder holds no clip, or a file that is not a clip of this corpus.
    """
    present = {path.stem for pattern in FILES for path in root.glob(pattern)}
    if not present:
        raise UgclError(f"{root}: no demo clips; make them with `ugcl data demo ACTOR` or `snakemake data`")
    known = names.clip_names(corpus.actors)
    strange = sorted(present - set(known))
    if strange:
        raise UgclError(
            f"{root}: {strange[0]} is not a clip of a demo corpus with {corpus.actors} actors; "
            "delete it or raise corpora.demo.actors"
        )
    return pd.DataFrame([_row(root, clip, corpus.seed) for clip in known if clip in present])


def _row(root: Path, clip: str, seed: int) -> dict[str, object]:
    act = performance(clip, seed)
    speaker = clip.split("_")[0]
    actor = actors.actor(int(speaker) - names.FIRST + 1, seed)
    counts = votes.votes(act, seed)
    row: dict[str, object] = {
        "clip": clip,
        "audio": _present(root, names.audio_path(clip)),
        "video": _present(root, names.video_path(clip)),
        "speaker": speaker,
        "sex": actor.sex,
        "age": actor.age,
        "sentence": act.sentence,
        "session": "",
        "level": act.level,
        "intended": names.CLASSES[act.emotion],
    }
    for channel in votes.CHANNELS:
        row[channel] = names.CLASSES.get(votes.majority(counts[channel]), "")
    for channel in votes.CHANNELS:
        for emotion, count in zip(names.EMOTIONS, counts[channel], strict=True):
            row[f"votes_{channel}_{emotion}"] = int(count)
    return row


def _present(root: Path, name: str) -> str:
    """The path if the file is there: a clip without one of its files is a fault for the features stage."""
    return name if (root / name).is_file() else ""
