"""What the labels of a benchmark name, by what it is judged, and who is in several parts, in words."""

from __future__ import annotations

from collections.abc import Iterable

import pandas as pd

from ugcl.config import Config
from ugcl.plan.names import BLANK, TITLES
from ugcl.reports.tables.read import read

ASKED = "intended"
"""Label target of what actors were asked to show; corpora of actors have no other name for it."""


def label_source(config: Config, benchmark: str) -> str:
    """What a benchmark's labels name, such as `what actors were asked to show`."""
    label = config.protocol(benchmark).label
    if config.corpora[config.benchmark(benchmark).corpus].adapter == "folder":
        return f"the column {label} of your own table"
    if label == ASKED:
        return "what actors were asked to show"
    return f"what raters perceived (label target {label})"


def label_notes(config: Config, benchmarks: Iterable[str]) -> list[str]:
    """Sentences on the labels of some benchmarks; those that name the same share one."""
    named: dict[str, list[str]] = {}
    for benchmark in benchmarks:
        named.setdefault(label_source(config, benchmark), []).append(benchmark)
    sentences = [f"Labels of {', '.join(names)}: {source}." for source, names in named.items()]
    return [*sentences, "A label is not what a person felt."]


def units(config: Config, benchmark: str) -> str:
    """What a benchmark's intervals draw: speakers or dialogues."""
    return f"{config.protocol(benchmark).intervals}s"


def basis(config: Config, benchmark: str) -> str:
    """A benchmark's primary metric if it is not UAR, and its intervals if they are by dialogue; else ""."""
    protocol, found = config.protocol(benchmark), []
    if protocol.primary != "uar":
        found.append(f"Primary metric: {TITLES[protocol.primary]}.")
    if protocol.intervals == "dialogue":
        found.append(by_dialogue(benchmark))
    return " ".join(found)


def by_dialogue(benchmark: str) -> str:
    """What intervals by dialogue say, and do not."""
    recurring = read("dialogues", benchmark)["recurring"].max() > 0
    who = "speakers recur in all parts" if recurring else "speakers are not drawn"
    return f"Intervals by dialogue; {who}: they are of new dialogues, not of new people."


def shared_speakers(parts: pd.DataFrame) -> list[str]:
    """The speakers of a benchmark that several parts of a fold have, sorted.

    Args:
        parts: its rows of the table `parts`.
    """
    names = {name for cell in parts["shared"] for name in cell.split(" ") if name}
    return sorted(name.replace(BLANK, " ") for name in names)
