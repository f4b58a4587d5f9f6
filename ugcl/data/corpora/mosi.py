"""CMU-MOSI as vectors per utterance: 93 reviews of 2,199 utterances, in the published train and test parts.

Videos and labels are those of Zadeh et al. (IEEE Intelligent Systems 31(6), 2016), features those of Poria et
al. (ACL 2017).
"""

from __future__ import annotations

import zipfile
from pathlib import Path

import numpy as np
import pandas as pd

from ugcl.config.corpora import MosiCorpus
from ugcl.data import tables
from ugcl.data.corpora.release import Release
from ugcl.errors import UgclError

ARCHIVE, TRANSCRIPTS = "mosi_utt.npz", "transcripts.csv"
FILES = (ARCHIVE, TRANSCRIPTS)
COLUMNS = ("video_id", "pos", "split", "label")
POLARITY = {0: "negative", 1: "positive"}
RELEASE = Release(
    2199,
    (
        ({"part": ("train",), "polarity": ("negative",)}, 738),
        ({"part": ("train",), "polarity": ("positive",)}, 709),
        ({"part": ("test",), "polarity": ("negative",)}, 285),
        ({"part": ("test",), "polarity": ("positive",)}, 467),
    ),
    "declare-lab/multimodal-deep-learning",
)


def rows(root: Path, corpus: MosiCorpus) -> pd.DataFrame:
    """One row per utterance, named by its video and its place there: 1DmNV9C1hbY_10.

    One person speaks in a video, and the archive does not say who: each video counts as a speaker, and is a
    dialogue of one. No media belong to the clips.

    Raises:
        UgclError: a file is absent or unreadable, a column has another length than the others, a label is
            neither 0 nor 1, or an utterance has no transcript.
    """
    path = root / ARCHIVE
    try:
        with np.load(path, allow_pickle=False) as archive:
            frame = pd.DataFrame({name: archive[name] for name in COLUMNS})
    except (OSError, ValueError, KeyError, zipfile.BadZipFile) as error:
        names = ", ".join(COLUMNS)
        raise UgclError(f"{path}: not an archive with {names} ({error}); take the release's") from None
    strange = frame.loc[~frame["label"].isin(POLARITY), "label"]
    if len(strange):
        raise UgclError(f"{path}: label {strange.iloc[0]} is neither 0 nor 1; take the release's archive")
    clip = frame["video_id"] + "_" + frame["pos"].astype(str)
    return pd.DataFrame(
        {
            "clip": clip,
            "speaker": frame["video_id"],
            "part": frame["split"],
            "dialogue": frame["video_id"],
            "turn": frame["pos"].astype("Int64"),
            "transcript": clip.map(_transcripts(root / TRANSCRIPTS, clip)),
            "polarity": frame["label"].map(POLARITY),
        }
    )


def _transcripts(path: Path, clips: pd.Series) -> pd.Series:
    """Clip → its words, in small letters: the release's capitals are unknown to networks that read case."""
    table = tables.read(path)
    for column in ("utt_id", "text"):
        if column not in table:
            raise UgclError(f"{path}: no column {column!r}; take the release's table")
    found = table.drop_duplicates("utt_id").set_index("utt_id")["text"].str.lower()
    absent = clips[~clips.isin(found.index[found != ""])]
    if len(absent):
        raise UgclError(f"{path}: no transcript of {absent.iloc[0]}; take the release's table")
    return found
