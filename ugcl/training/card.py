"""The card beside a run's weights: what was trained, on what, with what, and how it went. Needs no torch."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, ValidationError

from ugcl.data.shards import FeatureInfo
from ugcl.errors import UgclError

NAME = "card.json"


class Selected(BaseModel):
    """The epoch that dev selected, and its scores."""

    model_config = ConfigDict(frozen=True)

    epoch: int
    dev_uar: float


class Card(BaseModel):
    """A run's card.

    Attributes:
        benchmark, system, seed, fold: which run.
        lineage: hash of the code and parameters upstream.
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

    Args:
        folder: the run's folder.

    Raises:
        UgclError: there is none, or it is damaged.
    """
    path = folder / NAME
    try:
        return Card.model_validate_json(path.read_bytes())
    except FileNotFoundError:
        raise UgclError(f"{path}: not found; train this run first (`ugcl train`)") from None
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(map(str, first["loc"]))
        text = f"{place}: {first['msg']}" if place else first["msg"]
        raise UgclError(f"{path}: not a card of a run ({text}); train this run again") from None
