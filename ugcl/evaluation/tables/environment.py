"""What the runs of a benchmark were made of and with: code, software, devices, and the data they read."""

from __future__ import annotations

import json
from collections import Counter

import pandas as pd

from ugcl.config import Config
from ugcl.errors import UgclError
from ugcl.plan.evaluation import cards

COLUMNS = ("kind", "item", "content", "runs")
KINDS = ("code", "software", "device", "data")
"""Kinds of items, in the order of the rows."""


def environment(config: Config, benchmark: str) -> pd.DataFrame:
    """Count what the cards of all runs of a benchmark say; an item with two rows differed between runs.

    Returns:
        The columns COLUMNS. kind `code`: item commit; `software`: a package and its version; `device`: item
        train, the device; `data`: a file and its SHA-256. runs is how many runs say so.

    Raises:
        UgclError: a card is missing or damaged.
    """
    found: Counter[tuple[str, str, str]] = Counter()
    for system in config.benchmark(benchmark).systems:
        for path in cards(config, benchmark, system):
            try:
                card = json.loads(path.read_text())
            except (OSError, ValueError) as error:
                text = f"{type(error).__name__} {error}"
                raise UgclError(f"{path}: not a whole card ({text}); train this run again") from None
            found["code", "commit", str(card.get("commit") or "not known")] += 1
            found["device", "train", str(card.get("device") or "not known")] += 1
            found.update(("software", name, value) for name, value in card.get("versions", {}).items())
            found.update(("data", name, value) for name, value in card.get("data", {}).items())
    order = sorted(found.items(), key=lambda item: (KINDS.index(item[0][0]), *item[0][1:]))
    return pd.DataFrame([(*key, runs) for key, runs in order], columns=list(COLUMNS))
