"""Checkpoints: weights as safetensors beside a JSON card that describes them."""

from __future__ import annotations

import json
from collections.abc import Mapping
from importlib.metadata import version
from pathlib import Path
from typing import Any, Literal

from safetensors import SafetensorError, safe_open
from safetensors.torch import load_file, save_file
from torch import Tensor, nn

from ugcl.config import Run
from ugcl.data import sources
from ugcl.errors import UgclError
from ugcl.files import whole
from ugcl.identity import compare
from ugcl.methods.build import build
from ugcl.training.state.records import AGAIN, CARD, HISTORY, WEIGHTS, Card, check_file, read_card

KEY = "ugcl"
"""The key of the metadata of weights: which run they are of, as JSON."""
SELECTED = "selected/"
"""What the names of a second network's weights begin with; see `save_run`."""
PACKAGES = ("ugcl", "torch", "lightning-fabric", "numpy", "safetensors")


def versions() -> dict[str, str]:
    """Versions of the packages that a run's numbers depend on."""
    return {name: version(name) for name in PACKAGES}


def save_run(
    folder: Path, weights: dict[str, Tensor], card: dict[str, Any], selected: dict[str, Tensor] | None = None
) -> None:
    """Write weights and card; the card comes last, so that a folder with a card is whole.

    Args:
        folder: the run's folder.
        weights: by name, of the network to keep.
        card: the fields of :class:`ugcl.training.state.records.Card`, and others worth keeping; `files` are
            added here, of the weights, and of the history where it is there.
        selected: weights of the network that dev selected, where the one to keep learnt from dev clips too.

    Raises:
        UgclError: the disk is full.
    """
    known = Card.model_validate(card)  # what is written can be read
    weights = weights | {SELECTED + name: value for name, value in (selected or {}).items()}
    header = {KEY: json.dumps({**known.names, "card": known.fingerprint}, sort_keys=True)}
    with whole(folder / WEIGHTS) as partial:
        save_file({name: value.contiguous() for name, value in weights.items()}, partial, header)
    files = {name: sources.sha256(folder / name) for name in (WEIGHTS, HISTORY) if (folder / name).is_file()}
    with whole(folder / CARD) as partial:
        partial.write_text(json.dumps(card | {"files": files}, indent=2, ensure_ascii=False) + "\n")


def load_run(
    folder: Path, unseen: Literal["dev", "test"] = "test", data: Mapping[str, str] | None = None
) -> tuple[nn.Module, Card]:
    """Rebuild a trained system from its folder alone.

    Args:
        folder: holds model.safetensors and card.json.
        unseen: `dev` asks for the network that was not trained on dev clips, which is another one after
            `train.refit`.
        data: what the tables hash to on whose clips the network is to be judged
            (:meth:`ugcl.data.parts.BenchmarkData.hashes`); they have to be those it was trained with. None
            for other clips.

    Returns:
        The network in eval mode on the CPU, and the card.

    Raises:
        UgclError: a file is missing, damaged, of another run, or does not fit the code; or split, quarantine
            or features have changed since.
    """
    folder = Path(folder)
    card = read_card(folder)
    path = folder / WEIGHTS
    since = "it has changed since this run was trained; train it again"
    compare(folder / CARD, card.data, data or {}, since)
    try:
        compare(path, _owner(path), card.names | {"card": card.fingerprint}, AGAIN)
        check_file(folder, WEIGHTS, card)
        model = build(Run.model_validate(card.run), card.features)
        saved = load_file(path)
        second = {k.removeprefix(SELECTED): saved.pop(k) for k in list(saved) if k.startswith(SELECTED)}
        model.load_state_dict(second if second and unseen == "dev" else saved)
    except FileNotFoundError:
        raise UgclError(f"{path}: not found; train this run again") from None
    except (SafetensorError, RuntimeError, KeyError, ValueError) as error:
        text = " ".join(str(error).split())[:200]
        raise UgclError(f"{folder}: does not fit this version of the code ({text}); train it again") from None
    return model.eval(), card


def _owner(path: Path) -> dict[str, Any]:
    """Which run weights say they are of; nothing where they do not say it."""
    with safe_open(path, framework="pt") as file:
        return json.loads((file.metadata() or {}).get(KEY, "{}"))
