"""The feature store: shards of half-precision arrays with one table row per clip."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from ugcl.data import tables
from ugcl.errors import UgclError

if TYPE_CHECKING:
    import torch

# safetensors writes several metadata keys in random order: everything goes under one key.
KEY = "ugcl"
COLUMNS = ["clip", "frames", "dim", "failure", "detail"]
INDEX = "index.csv"


@dataclass(frozen=True)
class FeatureInfo:
    """What a model has to know about an encoder's features."""

    encoder: str  # key of `encoders` in params.yaml
    dim: int  # length of one frame's vector
    layers: int = 1  # stacked hidden states; dim = layers × width, layer after layer
    rate: float = 0.0  # frames per second after pooling, Hz; 0 for one vector per clip
    offset: float = 0.0  # time of the first frame's centre, seconds; frame i is centred at offset + i / rate

    def to_dict(self) -> dict[str, Any]:
        """The fields, ready for JSON."""
        return asdict(self)

    @classmethod
    def from_dict(cls, fields: Mapping[str, Any]) -> FeatureInfo:
        """Rebuild from :meth:`to_dict`; other keys are ignored."""
        return cls(**{key: fields[key] for key in cls.__dataclass_fields__ if key in fields})


def shard_clips(clips: Sequence[str], shards: int, shard: int) -> list[str]:
    """The clips of one shard: contiguous blocks whose sizes differ by one at most.

    Args:
        clips: all clips of the corpus; they are sorted first.
        shards: number of shards.
    """
    if not 1 <= shard <= shards:
        raise UgclError(f"shard {shard}: the corpus has 1..{shards}; fix the number or corpora.*.shards")
    ordered = sorted(clips)
    block, extra = divmod(len(ordered), shards)
    start = (shard - 1) * block + min(shard - 1, extra)
    return ordered[start : start + block + (shard <= extra)]


def tensors_path(folder: Path, shard: int) -> Path:
    """The arrays of a shard."""
    return folder / f"shard-{shard}.safetensors"


def table_path(folder: Path, shard: int) -> Path:
    """The table of a shard: every clip with its size or its failure."""
    return folder / f"shard-{shard}.csv"


def write_shard(
    folder: Path,
    shard: int,
    features: Mapping[str, np.ndarray],
    failures: Mapping[str, tuple[str, str]],
    info: FeatureInfo,
    settings: Mapping[str, Any],
) -> None:
    """Write one shard and its table; equal arguments give equal bytes.

    Args:
        features: clip → (frames, dim), written as float16; an array is asked for when its turn comes, and for
            its shape before that, so that a mapping may read them from elsewhere.
        failures: clip → (failure word, detail); no clip is in both.
        info: shape and rate of the features.
        settings: whatever else the features depend on (parameters, weights hash), for the metadata.
    """
    clips = sorted(features)
    rows: list[tuple[Any, ...]] = [(clip, *features[clip].shape, "", "") for clip in clips]
    metadata = {**info.to_dict(), "settings": dict(settings)}
    target = tensors_path(folder, shard)
    folder.mkdir(parents=True, exist_ok=True)
    partial = target.with_name(target.name + ".partial")
    with partial.open("wb") as file:
        file.write(_header(rows, {KEY: json.dumps(metadata, sort_keys=True)}))
        for clip in clips:
            file.write(np.ascontiguousarray(features[clip], dtype="<f2").tobytes())
    if target.is_file() and read_metadata(target) != metadata:
        (folder / INDEX).unlink(missing_ok=True)  # it speaks of features of other settings
    partial.replace(target)
    rows += [(clip, 0, info.dim, failure, detail) for clip, (failure, detail) in failures.items()]
    tables.write(pd.DataFrame(sorted(rows), columns=COLUMNS), table_path(folder, shard))


def _header(rows: list[tuple[Any, ...]], metadata: dict[str, str]) -> bytes:
    """What a safetensors file of half-precision arrays begins with, for arrays that follow in this order.

    The library writes the same bytes, but wants all arrays in memory at once.
    """
    entries: dict[str, Any] = {"__metadata__": metadata}
    end = 0
    for clip, frames, dim, *_ in rows:
        start, end = end, end + 2 * frames * dim
        entries[clip] = {"dtype": "F16", "shape": [frames, dim], "data_offsets": [start, end]}
    text = json.dumps(entries, separators=(",", ":"), ensure_ascii=False).encode()
    text += b" " * (-len(text) % 8)
    return len(text).to_bytes(8, "little") + text


def read_metadata(path: Path) -> dict[str, Any]:
    """The metadata of a shard: the fields of :class:`FeatureInfo`, and `settings`.

    Raises:
        UgclError: the file is missing or is not a shard.
    """
    from safetensors import SafetensorError, safe_open

    try:
        with safe_open(path, framework="np") as file:
            return json.loads(file.metadata()[KEY])
    except FileNotFoundError:
        raise UgclError(f"{path}: not found; run `ugcl features encode` for this shard") from None
    except (SafetensorError, KeyError, TypeError) as error:
        raise UgclError(f"{path}: no feature shard ({error}); remove it and encode again") from None


def read_tables(folder: Path, shards: int) -> pd.DataFrame:
    """The tables of all shards as one: clip, shard, frames, dim, failure, detail, sorted by clip."""
    parts = []
    for shard in range(1, shards + 1):
        part = tables.read(table_path(folder, shard))
        part.insert(1, "shard", shard)
        parts.append(part)
    rows = pd.concat(parts, ignore_index=True)
    rows[["frames", "dim"]] = rows[["frames", "dim"]].astype(int)
    return rows.sort_values("clip", ignore_index=True)


def write_index(folder: Path, shards: int) -> Path:
    """Check that all shards belong together and write `index.csv` (clip, shard, frames, dim) of good clips.

    Raises:
        UgclError: a shard is missing, was made with other settings, or lacks a clip of its table.
    """
    from safetensors import safe_open

    first = read_metadata(tensors_path(folder, 1))
    rows = read_tables(folder, shards)
    good = rows[rows.failure == ""]
    for shard in range(1, shards + 1):
        path = tensors_path(folder, shard)
        if read_metadata(path) != first:
            raise UgclError(f"{path}: made with other settings than shard 1; encode all shards again")
        with safe_open(path, framework="np") as file:
            if set(file.keys()) != set(good.loc[good["shard"] == shard, "clip"]):
                raise UgclError(f"{path}: its clips are not those of its table; encode the shard again")
    tables.write(good[["clip", "shard", "frames", "dim"]], folder / INDEX)
    return folder / INDEX


class FeatureStore:
    """Reads an encoder's features clip by clip; a shard is opened when first asked and never read whole.

    Example:
        >>> store = FeatureStore(paths.features("demo", "logmel"))  # doctest: +SKIP
        >>> store["1001_IEO_ANG_HI"].shape                          # doctest: +SKIP
        torch.Size([52, 80])



    Attributes:
        folder: the encoder's folder.
        info: shape and rate of the features.
        clips: the clips that have features, sorted.
        frames: clip → number of frames.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = Path(folder)
        index = tables.read(self.folder / INDEX)
        self.clips: list[str] = index["clip"].tolist()
        self.frames: dict[str, int] = dict(zip(self.clips, index["frames"].astype(int), strict=True))
        self._shard = dict(zip(self.clips, index["shard"].astype(int), strict=True))
        self.metadata = read_metadata(tensors_path(self.folder, min(self._shard.values(), default=1)))
        self.info = FeatureInfo.from_dict(self.metadata)
        self._open: dict[int, Any] = {}

    def __len__(self) -> int:
        return len(self.clips)

    def __contains__(self, clip: object) -> bool:
        return clip in self._shard

    def __getitem__(self, clip: str) -> torch.Tensor:
        """One clip's features, (frames, dim) float16."""
        from safetensors import safe_open

        if clip not in self._shard:
            raise UgclError(f"{self.folder}: no features of clip {clip!r}; see the failures in its tables")
        shard = self._shard[clip]
        if shard not in self._open:
            self._open[shard] = safe_open(tensors_path(self.folder, shard), framework="pt")
        return self._open[shard].get_tensor(clip)

    def __getstate__(self) -> dict[str, Any]:
        """A worker process opens the files itself."""
        return {**self.__dict__, "_open": {}}
