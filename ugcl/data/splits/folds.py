"""Schemes that cut a corpus into folds by speakers or by groups of them."""

from __future__ import annotations

from collections.abc import Collection
from itertools import cycle

import numpy as np
import pandas as pd

from ugcl.config.protocols import Groups, SpeakerBlocks
from ugcl.data.splits.leaks import listed
from ugcl.errors import UgclError

LEFT_OUT = ""


def speaker_blocks(clips: pd.DataFrame, scheme: SpeakerBlocks, fold: int) -> pd.Series:
    """Parts by consecutive blocks of the sorted speakers.

    Fold k tests block k. Dev is the next block (cyclically), or `dev_speakers` of the others.

    Args:
        clips: the protocol's clips: speaker, sex.

    Returns:
        train, dev or test, one per clip.

    Raises:
        UgclError: the blocks do not fit the number of speakers.
    """
    speakers = sorted(clips["speaker"].unique())
    blocks = _cut(speakers, scheme.folds)
    parts = dict.fromkeys(speakers, "train") | dict.fromkeys(blocks[fold - 1], "test")
    if scheme.dev_speakers is None:
        parts |= dict.fromkeys(blocks[fold % len(blocks)], "dev")
    else:
        parts |= dict.fromkeys(balanced(clips, parts, scheme.dev_speakers), "dev")
    return clips["speaker"].map(parts)


def groups(clips: pd.DataFrame, scheme: Groups, fold: int) -> pd.Series:
    """Parts by the values of a column, such as the session.

    Fold k tests the k-th group of `test`. Dev is the next group in sorted order (cyclically); with `within`,
    the next of the larger groups, and what shares the larger group with the test is left out or is dev. With
    `dev_dialogues`, dev is a share of the dialogues of all other groups.

    Args:
        clips: the protocol's clips: speaker, sex and the scheme's columns; label and dialogue for
            `dev_dialogues`.

    Returns:
        train, dev, test or "" (left out), one per clip.

    Raises:
        UgclError: a column is not there or is empty, or it has no such group, or none is left to train on.
    """
    for column in filter(None, (scheme.column, scheme.within)):
        if column not in clips or (clips[column] == "").any():
            raise UgclError(f"folds: a clip has no {column!r} in the manifest; name a column that is filled")
    tested = scheme.test[fold - 1]
    test = clips[scheme.column] == tested
    if not test.any():
        known = listed(sorted(clips[scheme.column].unique()))
        raise UgclError(f"folds.test: no clip has the {scheme.column} {tested!r}; the manifest has {known}")
    larger = clips[scheme.within or scheme.column]
    around = larger.isin(larger[test].unique())
    parts = pd.Series(np.where(around, LEFT_OUT, "train"), index=clips.index, dtype=object)
    if scheme.rest == "dev":
        parts[around] = "dev"
    elif scheme.dev_speakers is None and scheme.dev_dialogues is None:
        following = _after(sorted(larger.unique()), larger[test].max())
        others = [name for name in following if name not in set(larger[around])]
        if len(others) < 2:
            raise UgclError(f"folds: testing {tested!r} leaves no two groups for train and dev")
        parts[larger == others[0]] = "dev"
    parts[test] = "test"
    if scheme.dev_speakers is not None:
        by_speaker = dict(zip(clips["speaker"], parts, strict=True))
        parts[clips["speaker"].isin(balanced(clips, by_speaker, scheme.dev_speakers))] = "dev"
    if scheme.dev_dialogues is not None:
        dev = whole_dialogues(clips[parts == "train"], scheme.dev_dialogues)
        parts[clips["dialogue"].isin(dev)] = "dev"
    return parts


def whole_dialogues(clips: pd.DataFrame, share: float) -> list[str]:
    """Dialogues for a dev part, spread evenly over the sorted names.

    They are every (1 / share)-th dialogue, from the first place at which both the chosen ones and the others
    have every class; from the first place where there is none.

    Args:
        clips: the clips to choose from: clip, dialogue and label.
        share: of the dialogues.

    Raises:
        UgclError: a clip has no dialogue, or there is one dialogue only.
    """
    if "dialogue" not in clips or (clips["dialogue"] == "").any():
        raise UgclError("folds.dev_dialogues: a clip has no dialogue in the manifest; use dev_speakers")
    names = sorted(clips["dialogue"].unique())
    if len(names) < 2:
        raise UgclError("folds.dev_dialogues: one dialogue cannot both train and be dev; use dev_speakers")
    count = min(max(1, round(share * len(names))), len(names) - 1)
    step, classes = len(names) / count, clips["label"].nunique()
    choices = [[names[int(start + i * step)] for i in range(count)] for start in range(int(step))]
    for chosen in choices:
        inside = clips["dialogue"].isin(chosen)
        if all(clips.loc[rows, "label"].nunique() == classes for rows in (inside, ~inside)):
            return chosen
    return choices[0]


def balanced(clips: pd.DataFrame, parts: dict[str, str], count: int) -> list[str]:
    """Training speakers for a dev part: equally many of each sex, one more of the first where odd.

    Speakers are taken in sorted order, cyclically, from the one after the last test speaker, so that every
    fold has other ones. Where the corpus has no sexes at all, the order alone decides.

    Args:
        clips: speaker, sex.
        parts: speaker → part so far.
        count: number of speakers.

    Raises:
        UgclError: too few speakers of a sex, or a sex is known of some speakers only.
    """
    sexes = clips.drop_duplicates("speaker").set_index("speaker")["sex"]
    order = _after(sorted(parts), max(name for name, part in parts.items() if part == "test"))
    queues = {
        sex: [name for name in order if parts[name] == "train" and sexes[name] == sex]
        for sex in sorted(sexes.unique())
    }
    if "" in queues and len(queues) > 1:
        unknown = sexes.index[sexes == ""][0]
        raise UgclError(f"dev_speakers: speaker {unknown!r} has no sex in the manifest; fill the column in")
    chosen: list[str] = []
    for sex in cycle(queues):
        if len(chosen) == count:
            break
        # one of each sex must stay to train on
        if len(queues[sex]) < 2:
            raise UgclError(
                f"dev_speakers: {count} speakers balanced by sex leave no {sex or 'training'} speaker"
                " to train on; use fewer"
            )
        chosen.append(queues[sex].pop(0))
    return chosen


def unseen_sentences(clips: pd.DataFrame, parts: pd.Series, blocks: int, fold: int) -> pd.Series:
    """Make a fold text-independent: test has one block of sentences, train and dev have only others.

    Args:
        clips: the protocol's clips: sentence.
        parts: their parts so far.
        blocks: number of blocks of sorted sentences; fold k tests block k, cyclically.

    Returns:
        The parts, "" for clips left out.

    Raises:
        UgclError: a clip has no sentence, or there are fewer sentences than blocks.
    """
    if (clips["sentence"] == "").any():
        raise UgclError("text_independent: a clip has no sentence in the manifest; drop the option")
    sentences = _cut(sorted(clips["sentence"].unique()), blocks, "text_independent", "sentences")
    tested = clips["sentence"].isin(sentences[(fold - 1) % blocks])
    return parts.where(tested == (parts == "test"), LEFT_OUT)


def _cut(
    names: list[str], blocks: int | Collection[int], key: str = "folds", what: str = "speakers"
) -> list[list[str]]:
    if isinstance(blocks, int):
        if len(names) < blocks:
            raise UgclError(f"{key}: {blocks} blocks, but the corpus has {len(names)} {what}; use fewer")
        return [block.tolist() for block in np.array_split(np.array(names, dtype=object), blocks)]
    if sum(blocks) != len(names):
        raise UgclError(f"{key}: blocks of {sum(blocks)} {what}, but the corpus has {len(names)}; fix them")
    ends = np.cumsum(list(blocks))
    return [names[end - size : end] for end, size in zip(ends, blocks, strict=True)]


def _after(names: list[str], last: str) -> list[str]:
    """The names in cyclic order from the one after `last`."""
    start = names.index(last) + 1
    return [*names[start:], *names[:start]]
