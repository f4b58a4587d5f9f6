"""IEMOCAP: five sessions of two actors, dialogs cut to 10,039 utterances (Busso et al., LRE 42(4), 2008).

An utterance's name is Ses<session><F|M>_<scenario>_<F|M><number>. The first letter says who wore the motion
capture's markers during the dialog, the second one who speaks.
"""

from __future__ import annotations

import re
from pathlib import Path

import pandas as pd

from ugcl.config.corpora import IemocapCorpus
from ugcl.data.corpora import emo_evaluation
from ugcl.data.corpora.release import Release
from ugcl.errors import UgclError

TOP = "IEMOCAP_full_release"
FILES = tuple(
    f"{top}Session[1-5]/{name}"
    for top in ("", f"{TOP}/")
    for name in (
        "dialog/EmoEvaluation/Ses*.txt",
        "dialog/transcriptions/Ses*.txt",
        "dialog/avi/DivX/Ses*.avi",
        "sentences/wav/Ses*/Ses*.wav",
    )
)
NAME = re.compile(
    r"^Ses0(?P<session>[1-5])(?P<markers>[FM])_(?P<scenario>(?:impro|script)\w*?)_(?P<sex>[FM])\w+$"
)
SPOKEN = re.compile(r"^(?P<name>Ses\w+)\s+\[[\d.]+\s*-\s*[\d.]+\]\s*:\s*(?P<words>.*)$")
SEXES = {"F": "female", "M": "male"}
FOUR = ("angry", "happy", "excited", "sad", "neutral")
BY_SESSION = {"1": 1085, "2": 1023, "3": 1151, "4": 1031, "5": 1241}
BY_LABEL = {"angry": 1103, "happy": 595, "excited": 1041, "sad": 1084, "neutral": 1708, "frustrated": 1849}
BY_LABEL |= {"surprise": 107, "fear": 40, "disgust": 2, "other": 3, "": 2507}
RELEASE = Release(
    10_039,
    (
        *(({"categorical": (label,)}, count) for label, count in BY_LABEL.items()),
        *(({"categorical": FOUR, "session": (session,)}, count) for session, count in BY_SESSION.items()),
    ),
    "Busso et al. 2008 and every list made of it since",
)


def rows(root: Path, corpus: IemocapCorpus) -> pd.DataFrame:
    """One row an utterance that the rating files name, with its media where they are.

    Raises:
        UgclError: there are no rating files, or one is broken.
    """
    top = root / TOP if (root / TOP).is_dir() else root
    files = sorted(top.glob("Session[1-5]/dialog/EmoEvaluation/Ses*.txt"))
    if not files:
        raise UgclError(
            f"{root}: no Session1/dialog/EmoEvaluation/Ses*.txt; put the release there"
            " (`ugcl data fetch` says where to apply)"
        )
    return pd.DataFrame([row for path in files for row in _dialog(root, path, corpus.speaker_side)])


def _dialog(root: Path, path: Path, side: str) -> list[dict[str, object]]:
    session, dialog = path.parents[2], path.stem
    video = _present(root, session / f"dialog/avi/DivX/{dialog}.avi")
    words = _transcripts(session / f"dialog/transcriptions/{dialog}.txt")
    rated = sorted(emo_evaluation.read(path), key=lambda item: (item.start, item.name))
    found = []
    for turn, item in enumerate(rated, 1):
        match = NAME.match(item.name)
        if match is None or not item.name.startswith(f"{dialog}_"):
            raise UgclError(f"{path}: {item.name!r} is not of this dialog; take the file from the release")
        fields = match.groupdict()
        valence, activation, dominance = item.attributes
        found.append(
            {
                "clip": item.name,
                "audio": _present(root, session / f"sentences/wav/{dialog}/{item.name}.wav"),
                "video": video,
                "start": item.start,
                "end": item.end,
                "cut": "video",
                "region": _region(fields["sex"], fields["markers"], side),
                "speaker": f"Ses0{fields['session']}{fields['sex']}",
                "sex": SEXES[fields["sex"]],
                "session": fields["session"],
                "dialogue": dialog,
                "turn": turn,
                "scenario": fields["scenario"],
                "style": "improvised" if fields["scenario"].startswith("impro") else "scripted",
                "markers": "yes" if fields["sex"] == fields["markers"] else "no",
                "transcript": words.get(item.name, ""),
                "categorical": item.label,
                "valence": valence,
                "arousal": activation,
                "dominance": dominance,
                **{f"votes_categorical_{name}": item.observers[name] for name in emo_evaluation.CLASSES},
                **{f"votes_self_{name}": item.self_report[name] for name in emo_evaluation.CLASSES},
                "ratings": "; ".join(item.ratings),
            }
        )
    return found


def _region(speaker: str, markers: str, side: str) -> str:
    """The half of the frame that shows the speaker; one avi shows both actors, one in each half.

    The actor with the markers is on the left: so says AIM3-RUC/MEmoBert (preprocess/iemocap/cut_video.sh),
    and other public preprocessors cut so too. One takes the woman to be on the left in every dialog:
    hence the switch. Look at the first face tables of your copy.
    """
    if side == "whole":
        return ""
    left = markers if side == "markers_left" else "F"
    return "left" if speaker == left else "right"


def _transcripts(path: Path) -> dict[str, str]:
    """Utterance → words. Lines without a name or a time (overlapping talk) belong to no utterance."""
    if not path.is_file():
        return {}
    lines = path.read_text("utf-8", errors="replace").splitlines()
    return {match["name"]: match["words"].strip() for line in lines if (match := SPOKEN.match(line.strip()))}


def _present(root: Path, path: Path) -> str:
    return path.relative_to(root).as_posix() if path.is_file() else ""
