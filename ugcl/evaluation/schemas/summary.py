"""The columns of a benchmark's tables; light, because reports read them and need no statistics."""

from __future__ import annotations

from ugcl.evaluation.schemas.dialogues import DIALOGUES, SHIFTS, TURNS
from ugcl.evaluation.schemas.networks import COST, REPRESENTATION, ROBUSTNESS
from ugcl.evaluation.schemas.schema import Columns
from ugcl.evaluation.schemas.scores import DISAGREEMENT, ERRORS, SCORES
from ugcl.evaluation.schemas.transfer import TRANSFER
from ugcl.inference import temperature

SUMMARY = Columns(
    "benchmark corpus protocol label_target system modalities metric value ci_low ci_high folds seeds clips"
    " speakers lineage",
    text="benchmark corpus protocol label_target system modalities metric lineage",
)
"""Columns of summary.csv, of each benchmark and over all; a public interface."""

PUBLISHED = Columns(
    "method year modalities family metric value spread comparable reason caveat source grade",
    text="method modalities family metric comparable reason caveat source grade",
)
QUARANTINE = Columns(
    "clip speaker label modality failure detail", text="clip speaker label modality failure detail"
)
CLIPS = Columns(
    "clip speaker sex session level label duration fold failure absent",
    text="clip speaker sex session level label failure absent",
)
PARTS = Columns("fold part clips speakers seconds shared", text="part shared")
LEFT_OUT = Columns("fold reason clips speakers", text="reason")
VOTES = Columns("channel clips ties agreement agreement_untied", text="channel")
ENVIRONMENT = Columns("kind item content runs", text="kind item content")
PER_FOLD = Columns("seed fold metric value clips speakers", text="metric")
OPTIMISM = Columns("seed fold epoch {primary} best_epoch best_{primary} optimism")
OPTIMISM_BY_SYSTEM = Columns("runs tied_runs {primary} best_{primary} optimism ci_low ci_high")
COMPARED = Columns(
    "metric value reference_value difference ci_low ci_high p p_holm family family_size covers detectable"
    " effect effect_low effect_high p_permutation p_error p_smallest p_mcnemar",
    text="metric family covers",
)
SYSTEM_PAIRS = Columns(
    "other metric value other_value difference ci_low ci_high p p_holm covers both only_system only_other"
    " neither",
    text="other metric covers",
)

OF_BENCHMARK = {
    "clips": CLIPS,
    "parts": PARTS,
    "votes": VOTES,
    "quarantine": QUARANTINE,
    "left_out": LEFT_OUT,
    "published": PUBLISHED,
    "environment": ENVIRONMENT,
    "dialogues": DIALOGUES,
    "friedman": Columns("systems folds statistic p critical_difference"),
}
OF_SYSTEM = {
    **{name: columns for name, columns in SCORES.items() if name != "metrics"},
    **REPRESENTATION,
    "robustness": ROBUSTNESS,
    "temperature": Columns(temperature.COLUMNS),
    "per_fold": PER_FOLD,
    "comparisons": COMPARED.between("reference"),
    "ablations": COMPARED.between("reference changes"),
    "system_pairs": SYSTEM_PAIRS,
    "nemenyi": Columns("other rank other_rank p", text="other"),
    "errors": ERRORS,
    "disagreement": DISAGREEMENT,
    "turns": TURNS,
    "shifts": SHIFTS,
    "runs": Columns("seed fold epoch epochs dev_{primary} parameters lineage tied_epochs", text="lineage"),
    "learning_curves": Columns("seed fold epoch", more="epoch"),
    "optimism": OPTIMISM,
    "optimism_by_system": OPTIMISM_BY_SYSTEM,
}
TABLES = (
    {"summary": SUMMARY}
    | {name: columns.between("benchmark", "marks") for name, columns in (OF_BENCHMARK | TRANSFER).items()}
    | {name: columns.between("benchmark system", "marks") for name, columns in OF_SYSTEM.items()}
    | {"cost": COST.between("system")}
)
"""Stem → columns of a benchmark's tables; `marks` holds SYNTHETIC, LEAKY, both or nothing."""
