"""Pretrained weights: where they lie and what they are."""

from __future__ import annotations

import hashlib
from pathlib import Path

from ugcl.config import Config
from ugcl.data import sources
from ugcl.errors import UgclError

# Formats in the order of preference; older models of the hub have only the second. Libraries read it as
# tensors alone, so that no code of a pickle runs.
FORMATS = ("*.safetensors", "pytorch_model*.bin")


def weights_folder(config: Config, encoder: str, weights: str) -> Path:
    """Where an encoder's weights lie: a local folder, a folder of the mirror, or the hub's cache.

    Raises:
        UgclError: none of the three has them.
    """
    if Path(weights).is_dir():
        return Path(weights)
    mirror = sources.mirror(config)
    if mirror and (Path(mirror) / weights).is_dir():
        return Path(mirror) / weights
    from huggingface_hub import snapshot_download

    try:
        for form in FORMATS:
            folder = Path(snapshot_download(weights, allow_patterns=["*.json", "*.txt", form]))
            if any(folder.glob(form)):
                break
        return folder
    except Exception as error:  # the hub raises many kinds: no such name, no network, no disk
        raise UgclError(
            f"encoders.{encoder}.weights: {weights!r} is not a folder here, none in data.mirror ({mirror}),"
            f" and the hub gave {type(error).__name__}; set a folder or a hub name"
        ) from error


def weights_hash(folder: Path) -> str:
    """SHA-256 over a model folder's weights in the format that is read, in the order of their names."""
    files = next((found for form in FORMATS if (found := sorted(folder.glob(form)))), None)
    if not files:
        raise UgclError(f"{folder}: no weights in it; put safetensors or pytorch_model.bin there")
    digest = hashlib.sha256()
    for path in files:
        with path.open("rb") as stream:
            while block := stream.read(1 << 20):
                digest.update(block)
    return digest.hexdigest()
