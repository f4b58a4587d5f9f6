"""RAVDESS speech clips: 24 actors × 60, eight emotions (Livingstone and Russo, PLoS ONE 2018).

A file name is modality-channel-emotion-intensity-statement-repetition-actor; odd actors are male.
"""

from __future__ import annotations

import re
from pathlib import Path

import pandas as pd

from ugcl.config.corpora import RavdessCorpus
from ugcl.data.corpora.release import Release
from ugcl.errors import UgclError

MEDIA = (  # the archives of the Zenodo record, unpacked in one place or each in a folder of its name
    "Actor_*/03-01-*.wav",
    "Audio_Speech_Actors_01-24/Actor_*/03-01-*.wav",
    "audio/03-01-*.flac",
    "Actor_*/01-01-*.mp4",
    "Video_Speech_Actor_*/Actor_*/01-01-*.mp4",
    "Actor_*/02-01-*.mp4",
    "Video_Speech_Actor_*/Actor_*/02-01-*.mp4",
)
FILES = (*MEDIA, "au_mean_openface.csv", "posteriors_5fold.csv.gz")
WORDS = ("neutral", "calm", "happy", "sad", "angry", "fearful", "disgust", "surprised")
EMOTIONS = {f"{number:02}": word for number, word in enumerate(WORDS, 1)}
STATEMENTS = {"01": "kids", "02": "dogs"}
NAME = re.compile(r"0[123]-01-0[1-8]-0[12]-0[12]-0[12]-(?:0[1-9]|1\d|2[0-4])")
LEVELS = {"01": "normal", "02": "strong"}
RELEASE = Release(
    1440,
    tuple(({"intended": (name,)}, 96 if name == "neutral" else 192) for name in EMOTIONS.values()),
    "Livingstone and Russo 2018",
)


def rows(root: Path, corpus: RavdessCorpus) -> pd.DataFrame:
    """One row a speech clip; the video of the same performance joins its audio (modality 03).

    The video is the one with sound (01) or, where that is absent, the one without (02): the same pictures.

    Raises:
        UgclError: the folder holds no speech clip, or a file name breaks the scheme.
    """
    media: dict[str, dict[str, str]] = {}
    for pattern in MEDIA:
        for path in sorted(root.glob(pattern)):
            if NAME.fullmatch(path.stem) is None:
                raise UgclError(f"{path}: not a RAVDESS name (seven fields of two known digits); remove it")
            fields = path.stem.split("-")
            kind = "audio" if fields[0] == "03" else "video"
            media.setdefault("-".join(fields[1:]), {}).setdefault(kind, path.relative_to(root).as_posix())
    if not media:
        raise UgclError(f"{root}: no RAVDESS speech clips (looked for {', '.join(MEDIA)}); put them there")
    return pd.DataFrame([_row(key, files) for key, files in sorted(media.items())])


def _row(key: str, files: dict[str, str]) -> dict[str, object]:
    _, emotion, intensity, statement, repetition, actor = key.split("-")
    return {
        "clip": f"03-{key}",
        "audio": files.get("audio", ""),
        "video": files.get("video", ""),
        "speaker": actor,
        "sex": "male" if int(actor) % 2 else "female",
        "sentence": STATEMENTS[statement],
        "level": LEVELS[intensity],
        "repetition": repetition,
        "intended": EMOTIONS[emotion],
    }
