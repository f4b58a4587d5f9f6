"""Which clips of a corpus are in no part of a fold, and why."""

from __future__ import annotations

import pandas as pd

from ugcl.config.protocols import Groups, Protocol, SpeakerBlocks, Stratified
from ugcl.data.labels import labelled, merged

COLUMNS = ("reason", "clips", "speakers")


def left_out(
    manifest: pd.DataFrame, protocol: Protocol, fold: pd.DataFrame, quarantine: pd.DataFrame | None = None
) -> pd.DataFrame:
    """Count the clips that are in no part of a fold, each under the first reason that holds.

    Args:
        manifest: all clips of the corpus: clip, speaker, and the protocol's label column.
        fold: the split table of the fold: clip, part.
        quarantine: clips that a benchmark sets aside, with the column failure; None where that is not known.

    Returns:
        One row per reason: reason, clips, speakers (of those clips). Reasons are, in this order: an exclusion
        by the protocol, a label outside its classes, its fold scheme, and bad media.
    """
    label = merged(manifest[protocol.label], protocol.merge)
    reason = pd.Series("", manifest.index, dtype=object)
    if quarantine is not None:
        failures = (
            ("quarantined: " + quarantine["failure"].astype(object)).groupby(quarantine["clip"]).first()
        )
        reason = manifest["clip"].map(failures).astype(object).fillna("")
    absent = ~manifest["clip"].isin(fold["clip"])
    reason[absent] = _by_scheme(manifest, protocol)[absent]
    foreign = ~label.isin(protocol.classes)
    reason[foreign] = ("label '" + label[foreign] + "' is not a class").where(
        label[foreign] != "", "no label"
    )
    reason[manifest["clip"].isin(protocol.exclude)] = "excluded by the protocol"
    found = manifest.assign(reason=reason)[reason != ""].groupby("reason", sort=False)
    table = found.agg(clips=("clip", "size"), speakers=("speaker", "nunique")).reset_index()
    return table.sort_values(["clips", "reason"], ascending=[False, True], ignore_index=True)[list(COLUMNS)]


def _by_scheme(manifest: pd.DataFrame, protocol: Protocol) -> pd.Series:
    """Why the fold scheme uses a labelled clip in no part."""
    scheme, reason = protocol.folds, "not in the published partition"
    if isinstance(scheme, SpeakerBlocks | Stratified | Groups):
        within = getattr(scheme, "within", None)
        reasons = ["sentence of another part (text_independent)" if protocol.text_independent else ""]
        reasons.append(f"same {within} as the test part" if within else "")
        reason = " or ".join(filter(None, reasons)) or "not in the split table"
    found = pd.Series(reason, manifest.index, dtype=object)
    if isinstance(scheme, Stratified) and scheme.fewest_clips > 1:
        clips = manifest["speaker"].map(labelled(manifest, protocol)["speaker"].value_counts()).fillna(0)
        found[clips < scheme.fewest_clips] = f"speaker with fewer than {scheme.fewest_clips} clips"
    return found


def described(table: pd.DataFrame) -> str:
    """The counts of :func:`left_out` as one line, "none" where there are none."""
    rows = table.itertuples(index=False, name=None)
    parts = [f"{clips} {reason} (of {speakers} speakers)" for reason, clips, speakers in rows]
    return ", ".join(parts) or "none"
