"""What a run leaves beside its weights: its card and its table of epochs. Needs no torch."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pandas as pd
from pydantic import BaseModel, ConfigDict, ValidationError

from ugcl.data import tables
from ugcl.data.shards import FeatureInfo
from ugcl.errors import UgclError

CARD = "card.json"
HISTORY = "history.csv"
FIRST = ("epoch", "lr", "loss", "classification")
LAST = ("dev_uar", "dev_war", "dev_loss", "test_uar", "seconds")
"""Between these columns come the method's own: its terms, then its facts. `test_uar` is there to report what
selection on test would have given; nothing selects by it."""


class Selected(BaseModel):
    """The epoch that dev selected, and its scores."""

    model_config = ConfigDict(frozen=True)

    epoch: int
    dev_uar: float


class Card(BaseModel):
    """A run's card: the system, its data, its software and its result.

    Attributes:
        benchmark, system, seed, fold: which run.
        lineage: hash of the code and parameters upstream.
        synthetic: whether the clips show no people, so that no prediction says anything about them.
        run: the resolved parameters (:class:`ugcl.config.Run`), as they were when it was trained.
        features: modality → what the network knows of its features.
        clips: part → how many clips it has.
        parameters: how many numbers the network trains.
        selected: the epoch that dev selected.
        epochs: how many were trained.
        seconds, memory_mib, device: of the training.
        commit, versions, data: of the code, the packages and the tables it read; empty where not known.
    """

    model_config = ConfigDict(frozen=True)

    benchmark: str
    system: str
    seed: int
    fold: int
    lineage: str
    synthetic: bool
    run: dict[str, Any]
    features: dict[str, FeatureInfo]
    clips: dict[str, int]
    parameters: int
    selected: Selected
    epochs: int
    seconds: float
    memory_mib: float
    device: str
    commit: str = ""
    versions: dict[str, str] = {}
    data: dict[str, str] = {}


def read_card(folder: Path) -> Card:
    """Read the card of a run.

    Raises:
        UgclError: the card is missing or damaged.
    """
    path = folder / CARD
    try:
        return Card.model_validate_json(path.read_bytes())
    except FileNotFoundError:
        raise UgclError(f"{path}: not found; train this run first (`ugcl train`)") from None
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(map(str, first["loc"]))
        text = f"{place}: {first['msg']}" if place else first["msg"]
        raise UgclError(f"{path}: not a card of a run ({text}); train this run again") from None


def write_history(rows: Sequence[Mapping[str, float]], path: Path) -> None:
    """Write the history; what the rows lack has no column."""
    names = dict.fromkeys(name for row in rows for name in row)
    own = [name for name in names if name not in (*FIRST, *LAST)]
    columns = [name for name in (*FIRST, *own, *LAST) if name in names]
    frame = pd.DataFrame(rows, columns=columns).astype({"epoch": int})
    frame["lr"] = frame["lr"].map("{:.9f}".format)
    tables.write(frame, path)
