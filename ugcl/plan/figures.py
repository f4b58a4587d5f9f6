"""The kinds of figures: the tables, function, title and caption of each, and which benchmarks have it.

A new figure is one entry here and one function in `ugcl/reports/figures`. This module is light, so that the
Snakefile may import it: a function is named and not imported.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from ugcl.config import Config
from ugcl.plan import evaluation, transfer
from ugcl.plan.names import LONG_TITLES, TITLES

Condition = Callable[[Config, str], bool]
"""Whether a benchmark has a figure."""


def always(config: Config, benchmark: str) -> bool:
    """Every benchmark has it."""
    return True


def several_systems(config: Config, benchmark: str) -> bool:
    """There is something to compare the reference with."""
    return len(config.benchmark(benchmark).systems) > 1


def can_be_ranked(config: Config, benchmark: str) -> bool:
    """Ranks over folds can be tested: at least three systems and two folds."""
    return len(config.benchmark(benchmark).systems) > 2 and len(config.folds(benchmark)) > 1


def has_ablations(config: Config, benchmark: str) -> bool:
    """Some systems are ablations of the reference."""
    return bool(evaluation.ablations(config, benchmark))


def has_conditions(config: Config, benchmark: str) -> bool:
    """Some systems are tested under bad conditions."""
    return bool(evaluation.under_conditions(config, benchmark))


def has_transfers(config: Config, benchmark: str) -> bool:
    """Some systems of other active benchmarks are tested on its clips."""
    return bool(transfer.pairs(config, benchmark))


def has_tokens(config: Config, benchmark: str) -> bool:
    """Whether a benchmark's reference has a codebook of tokens to look into."""
    reference = config.benchmarks[benchmark].reference
    return config.resolve(benchmark, reference).method.has_tokens


@dataclass(frozen=True)
class Kind:
    """A kind of figure.

    Attributes:
        function: module.function below `ugcl.reports.figures`. It gets the tables in order, and those of
            palette, classes, systems, system (the reference), chance and title that are its parameters.
    """

    name: str  # in file names, pages and `ugcl.reports.pages.notebook.figure`
    function: str
    tables: tuple[str, ...]  # stems of the benchmark's tables
    title: str  # what is shown, see `worded`
    caption: str = ""  # on the front page; "" for a figure that is shown in notebooks only
    when: Condition = always  # which benchmarks have it
    open: bool = False  # whether the front page shows it without unfolding

    @property
    def is_file(self) -> bool:
        """Whether it is written to a file: not if its numbers differ from machine to machine."""
        return not set(self.tables) & set(evaluation.UNSTABLE)


KINDS = (
    Kind(
        "forest",
        "scores.forest",
        ("summary", "per_fold"),
        "{metric_in_full}",
        "Systems with 95 % intervals over {units}. Small dots are folds; grey rows are references.",
        open=True,
    ),
    Kind(
        "comparisons",
        "comparisons.differences",
        ("comparisons",),
        "difference from the reference",
        "Difference from the reference on identical clips, and p after Holm's correction within its family."
        " Differences inside the pale band would be missed more than once in five times.",
        when=several_systems,
        open=True,
    ),
    Kind(
        "critical_difference",
        "ranks.critical_difference",
        ("friedman", "nemenyi"),
        "mean ranks over folds",
        "Mean ranks over folds. A bar joins systems that do not differ by Nemenyi's test.",
        when=can_be_ranked,
    ),
    Kind(
        "ablations",
        "comparisons.differences",
        ("ablations",),
        "what an ablation changes",
        "What taking a part away changes. Left of zero, the part helps.",
        when=has_ablations,
    ),
    Kind(
        "confusion",
        "scores.confusion",
        ("confusion",),
        "per cent of the label's clips",
        "Per cent of each label's clips, clips in brackets, over all folds and seeds.",
    ),
    Kind(
        "classes",
        "scores.classes",
        ("per_class", "summary"),
        "classes and calibration",
        "Recall of each class, and how far confidence is from accuracy.",
    ),
    Kind(
        "pairs",
        "errors.pairs",
        ("pairs",),
        "classes that {reference} takes for each other",
        "Classes that the reference takes for each other, with 95 % intervals over {units}.",
    ),
    Kind(
        "subgroups",
        "groups.subgroups",
        ("subgroups",),
        "groups of clips, {reference}",
        "The reference on groups of clips, and how far each is from the others; small: grey.",
    ),
    Kind(
        "speakers",
        "groups.speakers",
        ("per_speaker",),
        "speakers",
        "One dot per test speaker; the number names each system's hardest one.",
    ),
    Kind(
        "reliability",
        "calibration.reliability",
        ("calibration", "summary"),
        "confidence and accuracy",
        "Accuracy in bins of confidence. Below the diagonal a system is surer than right.",
    ),
    Kind(
        "calibration",
        "calibration.scores",
        ("summary",),
        "scores of probabilities",
        "Scores of the probabilities, the smaller the better.",
    ),
    Kind(
        "optimism",
        "scores.optimism",
        ("optimism",),
        "optimism of choosing the epoch on test",
        "What choosing the epoch on the test fold would have added. It is never done here.",
    ),
    Kind(
        "learning_curves",
        "scores.learning_curves",
        ("learning_curves",),
        "learning curves",
        "Mean over runs; bands reach from the 10th to the 90th percentile.",
    ),
    Kind(
        "robustness",
        "conditions.robustness",
        ("robustness",),
        "bad conditions",
        "{metric} on test clips with a fault, for systems that were trained without it.",
        when=has_conditions,
    ),
    Kind(
        "transfer",
        "conditions.transfer",
        ("transfer",),
        "systems of other corpora",
        "{metric} of systems that were trained on another corpus, among the classes that both have.",
        when=has_transfers,
    ),
    Kind(
        "data",
        "data.overview",
        ("clips", "parts"),
        "data",
        "Clips by class, speaker and part, and their durations.",
    ),
    *(
        Kind(name, f"inside.{name}", tuple(tables.split()), title + ", {reference}", when=has_tokens)
        for name, tables, title in (
            ("tokens", "tokens token_usage", "use of the codebook"),
            ("token_map", "token_map", "token map"),
            ("retrieval", "retrieval", "finding the other half of a clip"),
            ("hard_negatives", "hard_negatives", "similar negatives"),
            ("attention", "attention", "attention over time"),
        )
    ),
    Kind("cost", "conditions.cost", ("cost", "summary"), "score and cost"),
)
"""Every kind of figure, in the order of the front page."""


def worded(text: str, config: Config, benchmark: str) -> str:
    """A title or caption for a benchmark: its reference, primary metric and what its intervals draw."""
    protocol = config.protocol(benchmark)
    return text.format(
        reference=config.benchmark(benchmark).reference,
        metric=TITLES[protocol.primary],
        metric_in_full=LONG_TITLES[protocol.primary],
        units=f"{protocol.intervals}s",
    )


def kinds(config: Config, benchmark: str) -> list[Kind]:
    """The kinds of figures that a benchmark has as files, in order."""
    return [kind for kind in KINDS if kind.is_file and kind.when(config, benchmark)]
