"""Pretrained weights: where they lie and what they are."""

from __future__ import annotations

import hashlib
from pathlib import Path

from ugcl.config import Config
from ugcl.data import sources
from ugcl.errors import UgclError


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
        return Path(snapshot_download(weights, allow_patterns=["*.json", "*.safetensors"]))
    except Exception as error:  # the hub raises many kinds: no such name, no network, no disk
        raise UgclError(
            f"encoders.{encoder}.weights: {weights!r} is no folder here, none in data.mirror ({mirror}),"
            f" and the hub gave {type(error).__name__}; set a folder or a hub name"
        ) from error


def weights_hash(folder: Path) -> str:
    """SHA-256 over a model folder's safetensors files, in the order of their names."""
    files = sorted(folder.glob("*.safetensors"))
    if not files:
        raise UgclError(f"{folder}: no safetensors file; weights are read from safetensors only")
    digest = hashlib.sha256()
    for path in files:
        with path.open("rb") as stream:
            while block := stream.read(1 << 20):
                digest.update(block)
    return digest.hexdigest()
