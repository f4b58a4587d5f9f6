"""CREMA-D: 7,442 clips, 91 actors, six emotions, crowd votes (Cao et al., IEEE TAC 5(4), 2014).

A clip's name is actor_sentence_EMOTION_LEVEL. The official repository has the vote tables in
`processedResults/` and the other two at its top; a tree with all of them in `labels/` is read as well.
"""

from __future__ import annotations

import logging
import re
from pathlib import Path

import pandas as pd

from ugcl.config.corpora import CremaDCorpus
from ugcl.data import tables
from ugcl.data.corpora.release import Release
from ugcl.errors import UgclError

log = logging.getLogger(__name__)
FILES = (
    "labels/*.csv",
    "processedResults/summaryTable.csv",
    "processedResults/tabulatedVotes.csv",
    "SentenceFilenames.csv",
    "VideoDemographics.csv",
    "partitions/*/*.csv",
    "partitions/*/*.json",
    "AudioWAV/*.wav",
    "VideoFlash/*.flv",
    "logmel128x130_int8.npz",
)
TABLE_FOLDERS = ("labels", "processedResults", ".")
CONSENSUS_FILES = "partitions/mspl_consensus/label_consensus_*.csv"
NAME = re.compile(r"^(?P<speaker>\d{4})_(?P<sentence>[A-Z]{3})_(?P<emotion>[A-Z]{3})_(?P<level>LO|MD|HI|XX)$")
EMOTIONS = {"ANG": "angry", "DIS": "disgust", "FEA": "fear", "HAP": "happy", "NEU": "neutral", "SAD": "sad"}
LETTERS = {code[0]: word for code, word in EMOTIONS.items()}
CHANNELS = {"voice": ("VoiceVote", 1), "face": ("FaceVote", 2), "multimodal": ("MultiModalVote", 3)}
"""Channel → its column in summaryTable, and the leading digit of its row ids in tabulatedVotes."""
RELEASE = Release(
    7442,
    tuple(({"intended": (word,)}, 1087 if word == "neutral" else 1271) for word in EMOTIONS.values()),
    "Cao et al. 2014",
)


def rows(root: Path, corpus: CremaDCorpus) -> pd.DataFrame:
    """One row a clip of summaryTable, with its media where they are.

    A majority vote that is tied is "" (no label); its counts stay in the `votes_*` columns.

    Raises:
        UgclError: a table is absent or disagrees with another one, or `consensus` is wanted and the
            partitions are absent.
    """
    summary = _table(root, "summaryTable.csv", ["FileName", *(column for column, _ in CHANNELS.values())])
    frame = _names(summary["FileName"], root)
    _check_stimuli(root, frame["clip"])
    frame = frame.merge(_actors(root, frame["speaker"]), on="speaker", how="left", validate="many_to_one")
    for channel, (column, _) in CHANNELS.items():
        frame[channel] = summary[column].map(LETTERS).fillna("").to_numpy()
    frame["consensus"] = frame["clip"].map(_consensus(root, corpus)).fillna("")
    votes = _votes(root)
    for channel, (column, _) in CHANNELS.items():
        counts = votes[channel].reindex(frame["clip"])
        _check_votes(root, channel, counts, summary[column].to_list())
        for word in EMOTIONS.values():
            frame[f"votes_{channel}_{word}"] = counts[word].astype("Int64").to_numpy()
    for kind, pattern in (("audio", "AudioWAV/{}.wav"), ("video", "VideoFlash/{}.flv")):
        present = {path.name for path in (root / pattern).parent.glob("*")}
        paths = frame["clip"].map(pattern.format)
        frame[kind] = paths.where([Path(path).name in present for path in paths], "")
    return frame


def _table(root: Path, name: str, needed: list[str]) -> pd.DataFrame:
    path = next((root / f / name for f in TABLE_FOLDERS if (root / f / name).is_file()), None)
    if path is None:
        raise UgclError(
            f"{root}: no {name} (looked in {', '.join(TABLE_FOLDERS)}); "
            "fetch the label tables with `ugcl data fetch`, or put them there"
        )
    frame = tables.read(path)
    for column in needed:
        if column not in frame:
            raise UgclError(f"{path}: no column {column!r}; take the table of the official repository")
    return frame


def _names(clips: pd.Series, root: Path) -> pd.DataFrame:
    fields = clips.str.extract(NAME)
    wrong = clips[~fields["emotion"].isin(EMOTIONS)]
    if len(wrong):
        raise UgclError(
            f"{root}: summaryTable.csv has {wrong.iloc[0]!r}, not a CREMA-D name; take the official one"
        )
    intended = fields.pop("emotion").map(EMOTIONS)
    return pd.concat([clips.rename("clip"), fields, intended.rename("intended")], axis=1)


def _check_stimuli(root: Path, clips: pd.Series) -> None:
    stimuli = _table(root, "SentenceFilenames.csv", ["Stimulus_Number", "Filename"])["Filename"]
    odd = sorted(set(stimuli) ^ set(clips))
    if odd:
        raise UgclError(
            f"{root}: SentenceFilenames.csv and summaryTable.csv differ in {len(odd)} clips, first {odd[0]};"
            " take both from one version of the corpus"
        )


def _actors(root: Path, speakers: pd.Series) -> pd.DataFrame:
    columns = ["ActorID", "Age", "Sex", "Race", "Ethnicity"]
    frame = _table(root, "VideoDemographics.csv", columns)
    unknown = sorted(set(speakers) - set(frame["ActorID"]))
    if unknown:
        raise UgclError(f"{root}: VideoDemographics.csv has no actor {unknown[0]}; take the official table")
    actors = frame[columns].set_axis(["speaker", "age", "sex", "race", "ethnicity"], axis=1)
    return actors.assign(sex=actors["sex"].str.lower())


def _votes(root: Path) -> dict[str, pd.DataFrame]:
    """Channel → counts of votes, one row per clip, one column per class.

    The first column numbers the rows as channel × 100,000 + stimulus.
    """
    frame = _table(root, "tabulatedVotes.csv", ["fileName", *LETTERS])
    digit = pd.to_numeric(frame.iloc[:, 0], errors="coerce") // 100_000
    counts = frame[list(LETTERS)].apply(pd.to_numeric, errors="coerce").astype("Int64")
    counts = counts.rename(columns=LETTERS).set_index(frame["fileName"])
    votes = {channel: counts[(digit == number).to_numpy()] for channel, (_, number) in CHANNELS.items()}
    for channel, part in votes.items():
        if part.index.has_duplicates:
            clip = part.index[part.index.duplicated()][0]
            raise UgclError(
                f"{root}: tabulatedVotes.csv has {clip} twice for {channel}; take the official one"
            )
    return votes


def _check_votes(root: Path, channel: str, counts: pd.DataFrame, summary: list[str]) -> None:
    """Warn of clips whose winner in tabulatedVotes is not the one of summaryTable, which gives the label."""
    letters = {word: letter for letter, word in LETTERS.items()}
    highest = counts.max(axis=1)
    leaders = counts.eq(highest, axis=0).fillna(False).to_numpy()
    words = [letters[word] for word in counts.columns]
    winners = [{word for word, leads in zip(words, row, strict=True) if leads} for row in leaders]
    rows = zip(counts.index, winners, summary, strict=True)
    wrong = [clip for clip, won, named in rows if won != set(named.split(":"))]
    if wrong:
        text = "%s: the %s votes of %d clips differ from summaryTable.csv, whose label is used; first %s"
        log.warning(text, root, channel, len(wrong), wrong[0])


def _consensus(root: Path, corpus: CremaDCorpus) -> dict[str, str]:
    """MSP-Lab's label of each clip it kept: the class with the highest share in the partition files."""
    files = sorted(root.glob(CONSENSUS_FILES))
    if not files:
        wanted = [name for name, protocol in corpus.protocols.items() if protocol.label == "consensus"]
        if wanted:
            raise UgclError(
                f"{root}: no {CONSENSUS_FILES}, which protocol {wanted[0]!r} needs; fetch the partitions with"
                " `ugcl data fetch`, or remove the protocols whose label is consensus"
            )
        return {}
    labels: dict[str, str] = {}
    for path in files:
        frame = tables.read(path)
        absent = [name for name in ("FileName", *EMOTIONS.values()) if name not in frame]
        if absent:
            raise UgclError(f"{path}: no column {absent[0]!r}; take the published partition")
        shares = frame[list(EMOTIONS.values())].astype(float)
        clips = frame["FileName"].str.removesuffix(".wav")
        for clip, label in zip(clips, shares.idxmax(axis=1), strict=True):
            if labels.setdefault(clip, label) != label:
                other = f"{labels[clip]} in another partition"
                raise UgclError(f"{path}: {clip} is {label} here and {other}; take one version")
    return labels
