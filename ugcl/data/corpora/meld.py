"""MELD: 13,708 utterances of a television series in three official parts (Poria et al., ACL 2019)."""

from __future__ import annotations

import io
from pathlib import Path

import pandas as pd

from ugcl.config.corpora import MeldCorpus
from ugcl.data.corpora.release import Release
from ugcl.errors import UgclError

TOPS = ("", "MELD.Raw/", "data/MELD/")
FOLDERS = {"train": "train_splits", "dev": "dev_splits_complete", "test": "output_repeated_splits_test"}
FILES = tuple(
    f"{top}{inner}{name}"
    for top in TOPS
    for part, folder in FOLDERS.items()
    for inner in ("", f"{part}/")
    for name in (f"{part}_sent_emo.csv", f"{folder}/dia*_utt*.mp4")
)
EMOTIONS = dict(anger="angry", disgust="disgust", fear="fear", joy="happy", neutral="neutral")
EMOTIONS |= dict(sadness="sad", surprise="surprise")
SENTIMENTS = ("negative", "neutral", "positive")
COUNTS = {  # in the order of EMOTIONS
    "train": (1109, 271, 268, 1743, 4710, 683, 1205),
    "dev": (153, 22, 40, 163, 470, 111, 150),
    "test": (345, 68, 50, 402, 1256, 208, 281),
}
RELEASE = Release(
    13_708,
    tuple(
        ({"part": (part,), "emotion": (word,)}, count)
        for part, counts in COUNTS.items()
        for word, count in zip(EMOTIONS.values(), counts, strict=True)
    ),
    "declare-lab/MELD",
)
COLUMNS = ("Utterance", "Speaker", "Emotion", "Sentiment", "Dialogue_ID", "Utterance_ID", "Season", "Episode")


def rows(root: Path, corpus: MeldCorpus) -> pd.DataFrame:
    """One row per utterance of the three tables, with its video where it is and `media` is on.

    A clip has no sound file: its sound is the video's. Times in the tables are those of the episode, not of
    the clip, and are left out. Numbers of dialogues begin again in each part, number 60 of train does not
    exist, and numbers of utterances have gaps: a turn is an order, not a count.

    Raises:
        UgclError: a table is absent, or has an unknown emotion or sentiment.
    """
    return pd.concat([_part(root, part, corpus.media) for part in FOLDERS], ignore_index=True)


def _part(root: Path, part: str, media: bool) -> pd.DataFrame:
    places = [f"{top}{inner}" for top in TOPS for inner in ("", f"{part}/")]
    name = f"{part}_sent_emo.csv"
    path = next((root / place / name for place in places if (root / place / name).is_file()), None)
    if path is None:
        raise UgclError(f"{root}: no {name}; fetch it with `ugcl data fetch`, or put it there")
    table = _table(path)
    number = table["Dialogue_ID"].str.strip(), table["Utterance_ID"].str.strip()
    for column in number:
        wrong = column.index[~column.str.fullmatch(r"\d+")]
        if len(wrong):
            raise UgclError(
                f"{path} line {wrong[0] + 2}: {column.name} {column[wrong[0]]!r} is not a number; take the"
                " table of the official repository"
            )
    clips = "dia" + number[0] + "_utt" + number[1]
    videos = {
        file.stem: file.relative_to(root).as_posix()
        for place in reversed(places)
        for file in (root / place / FOLDERS[part]).glob("dia*_utt*.mp4")
        if media
    }
    emotions = table["Emotion"].str.strip().str.lower()
    sentiments = table["Sentiment"].str.strip().str.lower()
    _known(emotions, tuple(EMOTIONS), "emotion", path)
    _known(sentiments, SENTIMENTS, "sentiment", path)
    return pd.DataFrame(
        {
            "clip": f"{part}_" + clips,
            "audio": "",
            "video": clips.map(videos).fillna(""),
            "speaker": table["Speaker"].map(_clean),
            "part": part,
            "dialogue": f"{part}_dia" + number[0],
            "turn": pd.to_numeric(number[1]).astype("Int64"),
            "season": table["Season"].str.strip(),
            "episode": table["Episode"].str.strip(),
            "transcript": table["Utterance"].map(_clean),
            "emotion": emotions.map(EMOTIONS),
            "sentiment": sentiments,
        }
    )


def _table(path: Path) -> pd.DataFrame:
    content = path.read_bytes()
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError:
        text = content.decode("cp1252", errors="replace")
    frame = pd.read_csv(io.StringIO(text), dtype=str, keep_default_na=False)
    for column in COLUMNS:
        if column not in frame:
            raise UgclError(f"{path}: no column {column!r}; take the table of the official repository")
    return frame


def _known(values: pd.Series, words: tuple[str, ...], what: str, path: Path) -> None:
    strange = values[~values.isin(words)]
    if len(strange):
        raise UgclError(
            f"{path} line {strange.index[0] + 2}: unknown {what} {strange.iloc[0]!r}"
            f" (known: {', '.join(words)}); take the table of the official repository"
        )


def _clean(text: str) -> str:
    """Text without its encoding faults: Windows' apostrophes are control characters (\\x92) in it, or â€™."""
    import ftfy

    # Only the encoding is repaired; quotes, ligatures and the like are the writer's.
    keep = {"uncurl_quotes": False, "fix_latin_ligatures": False, "fix_character_width": False}
    return " ".join(ftfy.fix_text(text, unescape_html=False, normalization=None, **keep).split())
