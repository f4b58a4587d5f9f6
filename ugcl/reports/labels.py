"""What the labels of a benchmark name, in words."""

from __future__ import annotations

from collections.abc import Iterable

from ugcl.config import Config

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
