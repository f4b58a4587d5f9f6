"""The columns of the tables about trained networks; see the functions that make them. Needs no torch."""

from __future__ import annotations

from ugcl.evaluation.schemas.schema import Columns

ROBUSTNESS = Columns(
    "condition level metric value ci_low ci_high difference difference_low difference_high clips speakers"
    " reason",
    text="condition level metric reason",
)
COST = Columns(
    "parameters flops latency_ms throughput device train_seconds train_seconds_total train_memory_mib"
    " train_device runs",
    text="device train_device",
)
REPRESENTATION = {
    "tokens": Columns("fold modality token share first", text="modality"),
    "token_usage": Columns(
        "fold modality tokens entropy perplexity clip_perplexity dead never_first", text="modality"
    ),
    "retrieval": Columns(
        "fold query target clips recall_at_1 recall_at_5 mean_rank chance_at_1 chance_at_5 chance_rank"
        " same_label_at_1",
        text="query target",
    ),
    "hard_negatives": Columns(
        "fold clip label other other_label similarity own_similarity", text="clip label other other_label"
    ),
    "token_map": Columns("fold clip speaker label modality x y", text="clip speaker label modality"),
    "attention": Columns(
        "fold clip label predicted modality frame time weight", text="clip label predicted modality"
    ),
}
