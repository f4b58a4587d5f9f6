"""From an `encoders` entry of params.yaml to an encoder."""

from __future__ import annotations

from pathlib import Path

from ugcl.config import Config
from ugcl.config.features import Hog, LogMel, Table, Whisper
from ugcl.data import sources
from ugcl.errors import UgclError
from ugcl.features.encoder import Encoder


def build(config: Config, corpus: str, encoder: str) -> Encoder:
    """Make an encoder ready for a corpus.

    Args:
        config: the parameters.
        corpus: key of `corpora`; tables are read from its root.
        encoder: key of `encoders`.

    Raises:
        UgclError: an unknown name, or weights or a table that are not there.
    """
    for name, section in ((corpus, "corpora"), (encoder, "encoders")):
        if name not in getattr(config, section):
            known = ", ".join(getattr(config, section))
            raise UgclError(f"{section}: no entry {name!r} in params.yaml; choose from {known}")
    entry = config.encoders[encoder]
    match entry:
        case LogMel():
            from ugcl.features.audio import LogMelEncoder

            return LogMelEncoder(encoder, entry)
        case Hog():
            from ugcl.features.face_hog import HogEncoder

            return HogEncoder(encoder, entry)
        case Whisper():
            from ugcl.features.whisper import WhisperEncoder

            return WhisperEncoder(encoder, entry, weights_folder(config, encoder, entry.weights))
        case Table():
            from ugcl.features.table import TableEncoder

            return TableEncoder(encoder, entry, sources.root(config, corpus) / entry.path)
    raise UgclError(f"encoders.{encoder}.kind: {entry.kind!r} has no encoder; see ugcl/features/build.py")


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
