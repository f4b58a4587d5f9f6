"""Which clips of a benchmark are left out, and why."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pandas as pd

from ugcl.config import Config
from ugcl.data import shards, tables
from ugcl.data.labels import labelled
from ugcl.errors import UgclError
from ugcl.plan import paths

COLUMNS = ["clip", "speaker", "label", "modality", "failure", "detail", tables.KEPT]


def quarantine(config: Config, benchmark: str) -> Path:
    """Write the table of a benchmark's clips that one of its encoders failed on.

    All systems of the benchmark leave out the same clips, whatever modalities they read. With `absent: keep`
    a clip stays of which the manifest names nothing of a modality, if it has another one.

    Returns:
        Path of the table, one row per clip × modality; it has no rows where all is well. `kept` is "yes" in
        the rows of clips that stay, see :func:`ugcl.data.tables.set_aside`.

    Raises:
        UgclError: more clips failed than `data.max_quarantined` allows, or a clip is in no shard table.
    """
    entry, protocol = config.benchmarks[benchmark], config.protocol(benchmark)
    manifest = tables.read_manifest(paths.manifest(entry.corpus))
    clips = labelled(manifest, protocol)[["clip", "speaker", "label"]]
    count = config.corpora[entry.corpus].shards
    encoded = {
        modality: shards.read_tables(paths.features(entry.corpus, encoder), count)
        for modality, encoder in entry.features.items()
    }
    table = failures(clips, encoded)
    if entry.absent == "keep":
        table[tables.KEPT] = np.where(stays(table, len(encoded)), "yes", "")
    check(tables.set_aside(table), len(clips), config.data.max_quarantined, benchmark)
    tables.write(table, paths.quarantine(benchmark))
    return paths.quarantine(benchmark)


def failures(clips: pd.DataFrame, encoded: Mapping[str, pd.DataFrame]) -> pd.DataFrame:
    """The failed clips.

    Args:
        clips: clip, speaker and label of the protocol's clips.
        encoded: modality → tables of its shards, see :func:`ugcl.data.shards.read_tables`.

    Raises:
        UgclError: a clip has no row in the tables of a modality.
    """
    parts = []
    for modality, found in encoded.items():
        merged = clips.merge(found[["clip", "failure", "detail"]], on="clip", how="left")
        unknown = merged.loc[merged["failure"].isna(), "clip"]
        if len(unknown):
            raise UgclError(
                f"{modality} features: {len(unknown)} clips of the manifest are in no shard, first"
                f" {unknown.iloc[0]!r}; encode the shards again"
            )
        parts.append(merged[merged["failure"] != ""].assign(modality=modality))
    table = pd.concat(parts, ignore_index=True).assign(**{tables.KEPT: ""})[COLUMNS]
    return table.sort_values(["clip", "modality"], ignore_index=True)


def stays(table: pd.DataFrame, modalities: int) -> pd.Series:
    """Which rows are of clips that only lack a modality and have another one.

    Args:
        table: of :func:`failures`.
        modalities: number of modalities of the benchmark.
    """
    rows = (table["failure"] == "absent").groupby(table["clip"])
    return rows.transform("all") & (rows.transform("size") < modalities)


def check(table: pd.DataFrame, clips: int, limit: float, benchmark: str) -> None:
    """Refuse a benchmark that lost too many clips.

    Raises:
        UgclError: the share of failed clips is above `limit`; the text counts them and names reasons.
    """
    lost = table["clip"].nunique()
    if clips == 0:
        raise UgclError(f"{benchmark}: no clip has one of the protocol's classes; fix the label column")
    if lost > limit * clips:
        counts = table["failure"].value_counts().sort_index().sort_values(ascending=False, kind="stable")
        reasons = ", ".join(f"{count} {failure}" for failure, count in counts.items())
        first = table.iloc[0]
        raise UgclError(
            f"{benchmark}: {lost} of {clips} clips ({lost / clips:.1%}) have bad media, the limit is"
            f" {limit:.1%} ({reasons}; first {first['clip']}: {first['detail']}); fix the media or raise"
            " data.max_quarantined"
        )
