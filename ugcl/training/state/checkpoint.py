"""Checkpoints: weights as safetensors beside a JSON card that describes them."""

from __future__ import annotations

import json
from importlib.metadata import version
from pathlib import Path
from typing import Any, Literal

from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from torch import Tensor, nn

from ugcl.config import Run
from ugcl.errors import UgclError
from ugcl.methods.build import build
from ugcl.training.state.records import CARD, Card, read_card

WEIGHTS = "model.safetensors"
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
        card: the fields of :class:`ugcl.training.state.records.Card`, and others worth keeping.
        selected: weights of the network that dev selected, where the one to keep learnt from dev clips too.
    """
    Card.model_validate(card)  # what is written can be read
    weights = weights | {SELECTED + name: value for name, value in (selected or {}).items()}
    folder.mkdir(parents=True, exist_ok=True)
    partial = folder / f"{WEIGHTS}.partial"
    save_file({name: value.contiguous() for name, value in weights.items()}, partial)
    partial.replace(folder / WEIGHTS)
    partial = folder / f"{CARD}.partial"
    partial.write_text(json.dumps(card, indent=2, ensure_ascii=False) + "\n")
    partial.replace(folder / CARD)


def load_run(folder: Path, unseen: Literal["dev", "test"] = "test") -> tuple[nn.Module, Card]:
    """Rebuild a trained system from its folder alone.

    Args:
        folder: holds model.safetensors and card.json.
        unseen: `dev` asks for the network that was not trained on dev clips, which is another one after
            `train.refit`.

    Returns:
        The network in eval mode on the CPU, and the card.

    Raises:
        UgclError: a file is missing, damaged, or does not fit the code.
    """
    folder = Path(folder)
    card = read_card(folder)
    path = folder / WEIGHTS
    try:
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
