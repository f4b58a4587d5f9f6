"""The feature store: shards of half-precision vectors or of token ids, with one table row per clip."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from ugcl.data import tables
from ugcl.errors import UgclError
from ugcl.files import nearby, whole
from ugcl.identity import compare

if TYPE_CHECKING:
    import torch

# safetensors writes several metadata keys in random order: everything goes under one key.
KEY = "ugcl"
COLUMNS = ["clip", "frames", "dim", "digest", "failure", "detail"]
INDEX = "index.csv"
DIGITS = 16
"""Hexadecimal digits of a clip's digest."""
TYPES = {"<f2": "F16", "<i4": "I32"}
"""NumPy's name of a type that arrays are stored in → that of safetensors."""


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
    identity: Mapping[str, str] | None = None,
) -> None:
    """Write one shard and its table; equal arguments give equal bytes.

    Args:
        features: clip → (frames, dim), written as :func:`stored` gives it; an array is asked for when its
            turn comes, and for its shape before that, so that a mapping may read them from elsewhere.
        failures: clip → (failure word, detail); no clip is in both.
        info: shape and rate of the features.
        settings: whatever else the features depend on (parameters, weights hash), for the metadata.
        identity: whose features they are (corpus, lineage; benchmark and condition of noisy sound).

    Raises:
        UgclError: the disk is full.
    """
    clips = sorted(features)
    forms = [_form(clip, features[clip]) for clip in clips]
    metadata = {**info.to_dict(), "settings": dict(settings)}
    metadata |= {"identity": dict(identity)} if identity else {}
    target, rows = tensors_path(folder, shard), []
    with whole(target) as partial:
        with partial.open("wb") as file:
            file.write(_header(forms, {KEY: json.dumps(metadata, sort_keys=True)}))
            for clip in clips:
                x = stored(features[clip])
                file.write(x.tobytes())
                rows.append((clip, *x.shape, digest(metadata, clip, x), "", ""))
        if target.is_file() and read_metadata(target) != metadata:
            (folder / INDEX).unlink(missing_ok=True)  # it speaks of features of other settings
    rows += [(clip, 0, info.dim, "", failure, detail) for clip, (failure, detail) in failures.items()]
    tables.write(pd.DataFrame(sorted(rows), columns=COLUMNS), table_path(folder, shard))


def stored(x: np.ndarray) -> np.ndarray:
    """An array in the type that it is stored in: whole numbers in 32 bits, others in half precision.

    Token ids need the 32 bits: half precision has no whole number above 2048 but even ones.
    """
    return np.ascontiguousarray(x, dtype="<i4" if np.issubdtype(x.dtype, np.integer) else "<f2")


def digest(metadata: Mapping[str, Any], clip: str, x: np.ndarray) -> str:
    """What a clip's features hash to, together with its name and all that its shard says of them.

    Args:
        metadata: of the shard (:func:`read_metadata`).
        x: (frames, dim).

    Returns:
        The first DIGITS hexadecimal digits of a SHA-256, which takes 0.05 s per 100 MB.
    """
    facts = json.dumps([metadata, clip, list(x.shape)], sort_keys=True)
    found = hashlib.sha256(facts.encode())
    found.update(stored(x))
    return found.hexdigest()[:DIGITS]


def _form(clip: str, x: np.ndarray) -> tuple[str, np.dtype, int, int]:
    """Name, type and shape of an array as it is stored."""
    return clip, stored(x[:0]).dtype, *x.shape


def _header(forms: Sequence[tuple[str, np.dtype, int, int]], metadata: dict[str, str]) -> bytes:
    """What a safetensors file begins with, for arrays of these names, types and shapes in this order.

    The library writes the same bytes, but wants all arrays in memory at once.
    """
    entries: dict[str, Any] = {"__metadata__": metadata}
    end = 0
    for clip, kind, frames, dim in forms:
        start, end = end, end + kind.itemsize * frames * dim
        entries[clip] = {"dtype": TYPES[kind.str], "shape": [frames, dim], "data_offsets": [start, end]}
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
    """The tables of all shards as one: clip, shard, frames, dim, digest, failure, detail, sorted by clip."""
    parts = []
    for shard in range(1, shards + 1):
        part = tables.read(table_path(folder, shard))
        if list(part) != COLUMNS:
            advice = f"its columns are not {', '.join(COLUMNS)}; encode the shard again"
            raise UgclError(f"{table_path(folder, shard)}: {advice}")
        part.insert(1, "shard", shard)
        parts.append(part)
    rows = pd.concat(parts, ignore_index=True)
    rows[["frames", "dim"]] = rows[["frames", "dim"]].astype(int)
    return rows.sort_values("clip", ignore_index=True)


def write_index(folder: Path, shards: int) -> Path:
    """Check that all shards belong together and write `index.csv` of their good clips.

    Its columns are clip, shard, frames, dim, digest.

    Raises:
        UgclError: a shard is missing, was made with other settings, lacks a clip of its table, or its arrays
            are not those that were written.
    """
    first = read_metadata(tensors_path(folder, 1))
    rows = read_tables(folder, shards)
    good = rows[rows.failure == ""]
    for shard in range(1, shards + 1):
        path = tensors_path(folder, shard)
        if read_metadata(path) != first:
            raise UgclError(f"{path}: made with other settings than shard 1; encode all shards again")
        own, arrays = good[good["shard"] == shard], Arrays(path)
        if arrays.clips != set(own["clip"]):
            raise UgclError(f"{path}: its clips are not those of its table; encode the shard again")
        for clip, expected in zip(own["clip"], own["digest"], strict=True):
            _verify(path, clip, digest(first, clip, arrays[clip]), expected)
    tables.write(good[["clip", "shard", "frames", "dim", "digest"]], folder / INDEX)
    return folder / INDEX


def _verify(shard: Path, clip: str, found: str, expected: str) -> None:
    """Refuse features that are not those that were encoded, such as after a fault of a disk or of a copy."""
    advice = f"its clip {clip!r} is not what was encoded; remove it and encode this shard again"
    compare(shard, {"digest": found}, {"digest": expected}, advice)


class Arrays:
    """The arrays of a shard, each read into memory of its own.

    The library maps the file instead: its pages then stay with the process, in the end those of all shards,
    and its memory seems as large as the corpus. A file is open only while it is read, so that there may be
    more shards than a process may have open files.
    """

    def __init__(self, path: Path) -> None:
        """Read where each array lies, of a file that :func:`read_metadata` can read."""
        self._path = path
        with path.open("rb") as file:
            size = int.from_bytes(file.read(8), "little")
            entries = json.loads(file.read(size))
        del entries["__metadata__"]
        kinds = {name: np.dtype(kind) for kind, name in TYPES.items()}
        self._places = {
            clip: (kinds[entry["dtype"]], *entry["shape"], 8 + size + entry["data_offsets"][0])
            for clip, entry in entries.items()
        }

    @property
    def clips(self) -> set[str]:
        """The clips that have an array."""
        return set(self._places)

    def __getitem__(self, clip: str) -> np.ndarray:
        """One clip's (frames, dim) array.

        Raises:
            UgclError: the file has none, or ends before it.
        """
        again = "encode this shard again"
        if clip not in self._places:
            raise UgclError(f"{self._path}: has no clip {clip!r}, which the index names; {again}")
        kind, frames, dim, start = self._places[clip]
        data = bytearray(kind.itemsize * frames * dim)
        with self._path.open("rb", buffering=0) as file:
            file.seek(start)
            if file.readinto(data) != len(data):
                raise UgclError(f"{self._path}: ends within clip {clip!r}; {again}")
        return np.frombuffer(data, kind).reshape(frames, dim)


class FeatureStore:
    """Reads an encoder's features clip by clip; a shard is opened when first asked and never read whole.

    A clip's features are compared with the digest in the index when they are first read.

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

    def __init__(self, folder: Path, identity: Mapping[str, str] | None = None) -> None:
        """Read the index.

        Args:
            folder: of the shards and their index.
            identity: whose features they have to be, as far as their shards name it (`write_shard`), and the
                name of their encoder.

        Raises:
            UgclError: a file is missing, or they are others.
        """
        self.folder = Path(folder)
        index = tables.read(self.folder / INDEX)
        if "digest" not in index:
            raise UgclError(f"{self.folder / INDEX}: has no digests; encode the shards and index them again")
        self.clips: list[str] = index["clip"].tolist()
        self.frames: dict[str, int] = dict(zip(self.clips, index["frames"].astype(int), strict=True))
        self._shard = dict(zip(self.clips, index["shard"].astype(int), strict=True))
        self.metadata = read_metadata(tensors_path(self.folder, min(self._shard.values(), default=1)))
        self.info = FeatureInfo.from_dict(self.metadata)
        own = {"encoder": self.info.encoder, **self.metadata.get("identity", {})}
        expected = {key: value for key, value in (identity or {}).items() if key in own}
        compare(self.folder, own, expected, "these are other features; encode the shards again")
        self._digest: dict[str, str] = dict(zip(self.clips, index["digest"], strict=True))
        self._open: dict[int, tuple[Arrays, dict[str, Any]]] = {}

    def __len__(self) -> int:
        return len(self.clips)

    def __contains__(self, clip: object) -> bool:
        return clip in self._shard

    def __getitem__(self, clip: str) -> torch.Tensor:
        """One clip's features, (frames, dim) float16, or int32 where they are token ids.

        Raises:
            UgclError: it has none, or not those that were encoded.
        """
        import torch

        if clip not in self._shard:
            raise UgclError(f"{self.folder}: no features of clip {clip!r}; see the failures in its tables")
        shard = self._shard[clip]
        path = tensors_path(self.folder, shard)
        if shard not in self._open:
            metadata = read_metadata(path)
            self._open[shard] = Arrays(nearby(path)), metadata
        arrays, metadata = self._open[shard]
        x = arrays[clip]
        if clip in self._digest:
            _verify(path, clip, digest(metadata, clip, x), self._digest[clip])
            del self._digest[clip]  # once is enough
        return torch.from_numpy(x)

    def __getstate__(self) -> dict[str, Any]:
        """A worker process opens the files itself."""
        return {**self.__dict__, "_open": {}}
