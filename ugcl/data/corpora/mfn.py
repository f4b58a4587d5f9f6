"""MMMO as features in official parts: reviews in front of a camera, 220, 40 and 80 clips.

Features and parts are those of Memory Fusion Network (Zadeh et al., AAAI 2018), the videos those of Wöllmer
et al. (IEEE Intelligent Systems 2013).
"""

from __future__ import annotations

import zipfile
from pathlib import Path

import numpy as np
import pandas as pd

from ugcl.config.corpora import MfnCorpus
from ugcl.data.corpora.release import Release
from ugcl.errors import UgclError

FILES = ("mmmo.npz",)
PARTS = {"train": "train", "valid": "dev", "test": "test"}
"""The archive's word for each part."""
RELEASE = Release(
    340,
    tuple(({"part": (part,)}, count) for part, count in zip(PARTS.values(), (220, 40, 80), strict=True)),
    "pliang279/MFN",
)


def rows(root: Path, corpus: MfnCorpus) -> pd.DataFrame:
    """One row per clip of the archive, named by its part there and its place in it: train-0007.

    Nobody says who speaks, so every clip counts as a speaker of its own. No media belong to the clips.

    Raises:
        UgclError: the archive is absent or unreadable, or does not have one number per clip.
    """
    path = root / corpus.file
    try:
        with np.load(path, allow_pickle=False) as archive:
            values = {part: archive[f"y_{part}"] for part in PARTS}
    except (OSError, ValueError, KeyError, zipfile.BadZipFile) as error:
        names = ", ".join(f"y_{part}" for part in PARTS)
        raise UgclError(f"{path}: not an archive with {names} ({error}); take the release's") from None
    parts = []
    for word, part in PARTS.items():
        if values[word].ndim != 1 or not np.isfinite(values[word]).all():
            raise UgclError(
                f"{path}: y_{word} has the shape {values[word].shape}; it must be a number per clip"
            )
        clips = [f"{word}-{number:04d}" for number in range(len(values[word]))]
        positive = values[word] > corpus.threshold
        parts.append(
            pd.DataFrame(
                {
                    "clip": clips,
                    "speaker": clips,
                    "part": part,
                    "opinion": np.where(positive, "positive", "negative"),
                    "score": [f"{value:g}" for value in values[word]],
                }
            )
        )
    return pd.concat(parts, ignore_index=True)
