"""The embedded synthetic corpora: rows from clip names, actors, and simulated raters or the script."""

from __future__ import annotations

from pathlib import Path

import pandas as pd

from ugcl.config.corpora import DemoCorpus
from ugcl.demo import actors, votes
from ugcl.demo.dialogues.script import turn
from ugcl.demo.performance import performance
from ugcl.errors import UgclError
from ugcl.plan import demo as names
from ugcl.plan.data import made_names
from ugcl.plan.demo.dialogues import session_of

FILES = ("VideoMP4/*.mp4", "AudioWAV/*.wav")


def rows(root: Path, corpus: DemoCorpus) -> pd.DataFrame:
    """One row per clip that has a sound or a video in the folder, sorted by clip.

    Raises:
        UgclError: the folder holds no clip, or a file that is not a clip of this corpus.
    """
    present = {path.stem for pattern in FILES for path in root.glob(pattern)}
    if not present:
        raise UgclError(f"{root}: no demo clips; make them with `ugcl data demo ACTOR` or `snakemake data`")
    known = made_names(corpus).clip_names(corpus.actors)
    strange = sorted(present - set(known))
    if strange:
        raise UgclError(
            f"{root}: {strange[0]} is not a clip of a demo corpus with {corpus.actors} actors; "
            "delete it or raise corpora.demo.actors"
        )
    facts = _said if corpus.form == "dialogues" else _acted
    rows = [{"clip": clip, **facts(clip, corpus.seed)} for clip in known if clip in present]
    for row in rows:
        actor = actors.actor(int(row["speaker"]) - names.FIRST + 1, corpus.seed)
        row["audio"] = _present(root, names.audio_path(row["clip"]))
        row["video"] = _present(root, names.video_path(row["clip"]))
        row |= {"sex": actor.sex, "age": actor.age}
    return pd.DataFrame(rows)


def _said(clip: str, seed: int) -> dict[str, object]:
    """A turn of a dialogue. `evidence` is what shows its emotion: words, voice, face or context."""
    said = turn(clip, seed)
    return {
        "speaker": str(said.actor),
        "session": str(session_of(said.actor)),
        "dialogue": said.dialogue,
        "turn": said.number,
        "transcript": said.transcript,
        "evidence": said.evidence,
        "intended": names.CLASSES[said.emotion],
    }


def _acted(clip: str, seed: int) -> dict[str, object]:
    """A sentence of the corpus without dialogues, with the votes of simulated raters."""
    act = performance(clip, seed)
    counts = votes.votes(act, seed)
    row: dict[str, object] = {
        "speaker": clip.split("_")[0],
        "sentence": act.sentence,
        "session": "",
        "level": act.level,
        "intended": names.CLASSES[act.emotion],
    }
    for channel in votes.CHANNELS:
        row[channel] = names.CLASSES.get(votes.majority(counts[channel]), "")  # pyright: ignore[reportCallIssue]
    for channel in votes.CHANNELS:
        for emotion, count in zip(names.EMOTIONS, counts[channel], strict=True):
            row[f"votes_{channel}_{emotion}"] = int(count)
    return row


def _present(root: Path, name: str) -> str:
    """The path if the file is there: a clip without one of its files is a fault for the features stage."""
    return name if (root / name).is_file() else ""
