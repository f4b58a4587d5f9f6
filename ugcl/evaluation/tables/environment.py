"""Code, software, devices and data of the runs of a benchmark."""

from __future__ import annotations

from collections import Counter

import pandas as pd

from ugcl.config import Config
from ugcl.evaluation.schemas.summary import ENVIRONMENT
from ugcl.plan.evaluation import cards
from ugcl.training.state.records import read_card

KINDS = ("code", "software", "device", "data")
"""Kinds of items, in the order of the rows."""


def environment(config: Config, benchmark: str) -> pd.DataFrame:
    """Count the entries of the cards of all runs of a benchmark; an item with two rows differed between runs.

    Returns:
        The columns ENVIRONMENT. kind `code`: item commit; `software`: a package and its version; `device`:
        item train, the device; `data`: a file and its SHA-256. runs: how many runs have it.

    Raises:
        UgclError: a card is missing or damaged.
    """
    found: Counter[tuple[str, str, str]] = Counter()
    for system in config.benchmark(benchmark).systems:
        for path in cards(config, benchmark, system):
            card = read_card(path.parent)
            found["code", "commit", card.commit or "not known"] += 1
            found["device", "train", card.device] += 1
            found.update(("software", *item) for item in card.versions.items())
            found.update(("data", *item) for item in card.data.items())
    order = sorted(found.items(), key=lambda item: (KINDS.index(item[0][0]), *item[0][1:]))
    return pd.DataFrame([(*key, runs) for key, runs in order], columns=ENVIRONMENT)
