"""Every figure of the active benchmarks, from the summary's tables to files."""

from __future__ import annotations

import logging
from collections.abc import Callable
from pathlib import Path

from matplotlib.figure import Figure

from ugcl.config import Config
from ugcl.plan.evaluation import marks
from ugcl.plan.reports import contact_sheet, contact_sheet_corpora, figure, kinds
from ugcl.reports import theme
from ugcl.reports.figures import calibration as calibration_figures
from ugcl.reports.figures import comparisons as comparison_figures
from ugcl.reports.figures import conditions as condition_figures
from ugcl.reports.figures import data as data_figures
from ugcl.reports.figures import errors as error_figures
from ugcl.reports.figures import groups as group_figures
from ugcl.reports.figures import inside as inside_figures
from ugcl.reports.figures import ranks as rank_figures
from ugcl.reports.figures import scores
from ugcl.reports.tables.read import read

log = logging.getLogger(__name__)


def title(config: Config, benchmark: str, text: str) -> str:
    """A figure's title: benchmark, what is shown, and the benchmark's marks."""
    mark = marks(config, benchmark)
    return f"{benchmark}: {text}" + (f"  [{mark}]" if mark else "")


def draw(config: Config, benchmark: str, kind: str) -> Figure:
    """Draw one kind of figure of a benchmark from results/tables.

    The kinds are those of :func:`ugcl.plan.reports.kinds`, and cost, whose times differ from machine to
    machine and so is shown in a notebook and is no file of its own.
    """
    palette, classes = theme.colours(config), config.protocol(benchmark).classes
    entry = config.benchmark(benchmark)
    systems, reference = entry.systems, entry.reference

    def table(name: str):
        return read(name, benchmark)

    def named(text: str) -> str:
        return title(config, benchmark, text)

    def inside(text: str) -> str:
        return named(f"{text}, {config.benchmark(benchmark).reference}")

    drawings: dict[str, Callable[[], Figure]] = {
        "data": lambda: data_figures.overview(table("clips"), table("parts"), classes, named("data")),
        "forest": lambda: scores.forest(
            table("summary"), table("per_fold"), palette, title=named("unweighted average recall")
        ),
        "comparisons": lambda: comparison_figures.differences(
            table("comparisons"), palette, title=named("difference from the reference")
        ),
        "ablations": lambda: comparison_figures.differences(
            table("ablations"), palette, title=named("what an ablation changes")
        ),
        "confusion": lambda: scores.confusion(
            table("confusion"), classes, systems, named("per cent of the label's clips")
        ),
        "classes": lambda: scores.classes(
            table("per_class"), table("summary"), palette, named("classes and calibration")
        ),
        "pairs": lambda: error_figures.pairs(
            table("pairs"), palette, reference, named(f"classes that {reference} takes for each other")
        ),
        "subgroups": lambda: group_figures.subgroups(
            table("subgroups"), palette, reference, named(f"groups of clips, {reference}")
        ),
        "speakers": lambda: group_figures.speakers(table("per_speaker"), palette, named("speakers")),
        "reliability": lambda: calibration_figures.reliability(
            table("calibration"), table("summary"), palette, named("confidence and accuracy")
        ),
        "calibration": lambda: calibration_figures.scores(
            table("summary"), palette, named("scores of probabilities")
        ),
        "critical_difference": lambda: rank_figures.critical_difference(
            table("friedman"), table("nemenyi"), palette, named("mean ranks over folds")
        ),
        "optimism": lambda: scores.optimism(
            table("optimism"), palette, named("optimism of choosing the epoch on test")
        ),
        "learning_curves": lambda: scores.learning_curves(
            table("learning_curves"), palette, named("learning curves")
        ),
        "robustness": lambda: condition_figures.robustness(
            table("robustness"), palette, 1 / len(classes), title=named("bad conditions")
        ),
        "cost": lambda: condition_figures.cost(
            table("cost"), table("summary"), palette, named("score and cost")
        ),
        "tokens": lambda: inside_figures.tokens(
            table("tokens"), table("token_usage"), inside("use of the codebook")
        ),
        "token_map": lambda: inside_figures.token_map(table("token_map"), classes, inside("token map")),
        "retrieval": lambda: inside_figures.retrieval(
            table("retrieval"), inside("finding the other half of a clip")
        ),
        "hard_negatives": lambda: inside_figures.hard_negatives(
            table("hard_negatives"), classes, inside("clips taken for alike")
        ),
        "attention": lambda: inside_figures.attention(
            table("attention"), classes, inside("attention over time")
        ),
    }
    return drawings[kind]()


def figures_of_all(config: Config) -> list[Path]:
    """Draw and write every figure of the active benchmarks (`ugcl report figures`)."""
    written: list[Path] = []
    for benchmark in config.active:
        for kind in kinds(config, benchmark):
            stem = figure(benchmark, kind, "")
            written += theme.save(draw(config, benchmark, kind), stem, config.report.dpi)
        log.info("%s: figures drawn", benchmark)
    for corpus in contact_sheet_corpora(config):
        from ugcl.data import sources
        from ugcl.demo.contact_sheet import contact_sheet as make

        make(sources.root(config, corpus), contact_sheet(corpus))
        written.append(contact_sheet(corpus))
    return written
