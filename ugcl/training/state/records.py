"""What a run leaves beside its weights: its card and its table of epochs. Needs no torch."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pandas as pd
from pydantic import BaseModel, ConfigDict, ValidationError

from ugcl.config.protocols import PRIMARIES
from ugcl.data import sources, tables
from ugcl.data.shards import FeatureInfo
from ugcl.errors import UgclError
from ugcl.identity import compare

CARD = "card.json"
WEIGHTS = "model.safetensors"
HISTORY = "history.csv"
FIRST = ("epoch", "lr", "loss", "classification")
DEV, TEST = ([f"{part}_{name}" for name in PRIMARIES] for part in ("dev", "test"))
LAST = (*DEV, "dev_loss", *TEST, "seconds")
"""Between these columns come the method's own: its terms, then its facts. Of dev there are UAR, WAR, and the
protocol's primary metric; of test the primary metric alone, to report what selection on test would have
given; nothing selects by it."""
NAMES = ("benchmark", "system", "seed", "fold", "lineage")
TRAINED_FROM = {*NAMES, "run", "features", "clips", "parameters", "data"}
"""Fields of a card that were known before the training."""
AGAIN = "train this run again, or put back its own file"


class Selected(BaseModel):
    """The epoch that dev selected, and its scores: UAR, WAR, and the primary metric where it is another."""

    model_config = ConfigDict(frozen=True)

    epoch: int
    dev_uar: float
    dev_war: float | None = None
    dev_macro_f1: float | None = None
    dev_weighted_f1: float | None = None


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
        files: SHA-256 of the weights and the history by name.
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
    files: dict[str, str] = {}

    @property
    def names(self) -> dict[str, Any]:
        """Which run it is, by NAMES."""
        return {name: getattr(self, name) for name in NAMES}

    @property
    def fingerprint(self) -> str:
        """SHA-256 of what was known before the training."""
        return hashlib.sha256(self.model_dump_json(include=TRAINED_FROM).encode()).hexdigest()


def read_card(folder: Path) -> Card:
    """Read the card of a run.

    Raises:
        UgclError: the card is missing or damaged, or is that of another run than its folder's.
    """
    path = folder / CARD
    try:
        card = Card.model_validate_json(path.read_bytes())
    except FileNotFoundError:
        raise UgclError(f"{path}: not found; train this run first (`ugcl train`)") from None
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(map(str, first["loc"]))
        text = f"{place}: {first['msg']}" if place else first["msg"]
        raise UgclError(f"{path}: not a card of a run ({text}); train this run again") from None
    compare(path, card.names, _of_folder(folder), AGAIN)
    return card


def check_file(folder: Path, name: str, card: Card) -> None:
    """Refuse a file of a run that is not the one written with its card.

    Raises:
        UgclError: its bytes are others, or it is missing.
    """
    try:
        found = sources.sha256(folder / name)
    except FileNotFoundError:
        raise UgclError(f"{folder / name}: not found; train this run again") from None
    compare(folder / name, {"sha256": found}, {"sha256": card.files.get(name, "")}, AGAIN)


def read_history(folder: Path) -> pd.DataFrame:
    """Read the history of a run, all columns as text.

    Raises:
        UgclError: it is missing, or not the one written with the card.
    """
    check_file(folder, HISTORY, read_card(folder))
    return tables.read(folder / HISTORY)


def _of_folder(folder: Path) -> dict[str, Any]:
    """What a run's folder says of the run, by its place among the results; nothing of a folder elsewhere."""
    *_, benchmark, system, seed, fold = ("", "", "", "", *folder.parts)
    if not re.fullmatch(r"seed\d+", seed) or not re.fullmatch(r"fold\d+", fold):
        return {}
    numbers = {"seed": int(seed.removeprefix("seed")), "fold": int(fold.removeprefix("fold"))}
    return {"benchmark": benchmark, "system": system, **numbers}


def write_history(rows: Sequence[Mapping[str, float]], path: Path) -> None:
    """Write the history; what the rows lack has no column."""
    names = dict.fromkeys(name for row in rows for name in row)
    own = [name for name in names if name not in (*FIRST, *LAST)]
    columns = [name for name in (*FIRST, *own, *LAST) if name in names]
    frame = pd.DataFrame(rows, columns=columns).astype({"epoch": int})
    frame["lr"] = frame["lr"].map("{:.9f}".format)
    tables.write(frame, path)
