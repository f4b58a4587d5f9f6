"""Tables about a benchmark's data: clips, parts with their leak audit, what is left out, votes."""

from __future__ import annotations

import pandas as pd

from ugcl.config import Config
from ugcl.data import tables
from ugcl.data.labels import labelled, merged
from ugcl.data.splits.left_out import left_out
from ugcl.evaluation.schemas.summary import CLIPS, LEFT_OUT, PARTS, VOTES
from ugcl.evaluation.statistics.baselines import vote_channels
from ugcl.plan import paths
from ugcl.plan.names import BLANK


def read_splits(config: Config, benchmark: str) -> dict[int, pd.DataFrame]:
    """Fold → its split table without quarantined clips."""
    entry = config.benchmarks[benchmark]
    bad = set(read_quarantine(benchmark)["clip"])
    folds = {}
    for fold in config.folds(benchmark):
        split = tables.read_split(paths.split(entry.corpus, entry.protocol, fold))
        folds[fold] = split[~split["clip"].isin(bad)]
    return folds


def read_quarantine(benchmark: str) -> pd.DataFrame:
    """The excluded clips of a benchmark with their reasons."""
    return tables.set_aside(tables.read(paths.quarantine(benchmark)))


def clips(config: Config, benchmark: str, manifest: pd.DataFrame) -> pd.DataFrame:
    """One row per clip of the protocol.

    Returns:
        clip, speaker, sex, session, level, label, duration, fold (where it is tested, "" if in none),
        failure ("" if good; the first where several encoders failed), absent (modalities that a clip of the
        parts lacks, spaces between).
    """
    protocol = config.protocol(benchmark)
    frame = labelled(manifest, protocol)
    where: dict[str, str] = {}
    for fold, split in read_splits(config, benchmark).items():
        for clip in split.loc[split["part"] == "test", "clip"]:
            where.setdefault(clip, str(fold))
    failures = read_quarantine(benchmark).drop_duplicates("clip").set_index("clip")["failure"]
    found = {"fold": frame["clip"].map(where).fillna(""), "failure": frame["clip"].map(failures).fillna("")}
    table = tables.read(paths.quarantine(benchmark))
    kept = table.drop(tables.set_aside(table).index).groupby("clip")["modality"].agg(" ".join)
    found["absent"] = frame["clip"].map(kept).fillna("")
    return frame.assign(**found)[list(CLIPS)]


def parts(config: Config, benchmark: str, manifest: pd.DataFrame) -> pd.DataFrame:
    """Sizes of every part of every fold, and the speakers it shares with the other parts.

    Returns:
        fold, part, clips, speakers, seconds (NaN where no duration is known), shared (names of speakers that
        another part has too, spaces between; "" when the split is clean). Where dev is dialogues of the
        training speakers, train and dev count as one here.
    """
    speaker = manifest.set_index("clip")["speaker"]
    seconds = manifest.set_index("clip")["duration"]
    rows, by_dialogue = [], config.protocol(benchmark).dev_shares_speakers
    for fold, split in read_splits(config, benchmark).items():
        members = {part: split.loc[split["part"] == part, "clip"] for part in tables.PARTS}
        names = {part: set(speaker.loc[clips]) for part, clips in members.items()}
        for part, clip_names in members.items():
            same = ("train", "dev") if by_dialogue and part != "test" else (part,)
            others = set().union(*(names[other] for other in tables.PARTS if other not in same))
            length = float(seconds.loc[clip_names].sum(min_count=1))
            # A blank inside a name is made one that does not break: blanks separate names.
            shared = " ".join(name.replace(" ", BLANK) for name in sorted(names[part] & others))
            rows.append((fold, part, len(clip_names), len(names[part]), length, shared))
    return pd.DataFrame(rows, columns=PARTS)


def clips_left_out(config: Config, benchmark: str, manifest: pd.DataFrame) -> pd.DataFrame:
    """Clips of the corpus in no part of a fold, by reason.

    Returns:
        fold, reason, clips, speakers; see :func:`ugcl.data.splits.left_out.left_out`.
    """
    entry, protocol = config.benchmark(benchmark), config.protocol(benchmark)
    quarantine, parts = read_quarantine(benchmark), []
    for fold in config.folds(benchmark):
        split = tables.read_split(paths.split(entry.corpus, entry.protocol, fold))
        parts.append(left_out(manifest, protocol, split, quarantine).assign(fold=fold))
    return pd.concat(parts, ignore_index=True)[list(LEFT_OUT)]


def votes(config: Config, benchmark: str, manifest: pd.DataFrame) -> pd.DataFrame:
    """How often raters' majority equals the label target, by channel.

    Returns:
        channel, clips, ties, agreement (ties wrong), agreement_untied.
    """
    protocol = config.protocol(benchmark)
    frame = labelled(manifest, protocol)
    rows = []
    for channel in vote_channels(manifest, protocol.label):
        equal = merged(frame[channel], protocol.merge) == frame["label"]
        tied = frame[channel] == ""
        rows.append((channel, len(frame), int(tied.sum()), equal.mean(), equal[~tied].mean()))
    return pd.DataFrame(rows, columns=VOTES)
