"""The columns of the tables about trained systems on another corpus; see ugcl.evaluation.transfer.tables."""

from __future__ import annotations

from ugcl.evaluation.schemas.schema import Columns

TRANSFER = {
    "transfer": Columns(
        "trained system kind of scored metric value ci_low ci_high seeds clips speakers classes left_out"
        " left_out_clips unmatched",
        text="trained system kind of scored metric classes left_out unmatched",
    ),
    "transfer_confusion": Columns(
        "trained system label predicted count", text="trained system label predicted"
    ),
}
"""Stem → columns, after the benchmark whose clips were judged; `of` and `scored` are benchmark and system of
the runs that a row scores."""
