"""Precomputed sequences or vectors read from one .npz in place of an encoder."""

from __future__ import annotations

import zipfile
from pathlib import Path
from typing import Any

import numpy as np
from numpy.lib import format as npy

from ugcl.config.features import Sequences
from ugcl.data.sources import sha256
from ugcl.errors import UgclError
from ugcl.features.media.clip import Clip
from ugcl.features.media.failure import MediaError


class SequencesEncoder:
    """Sequences of equal length computed before by other software, such as log-mels; no media are read.

    The archive holds `name` (N,) and `x` (N, D, T) of integers or floats, under these or other names
    (`names`, `array`), or arrays of numbered clips (`arrays`), and maybe `scale`, by which values are
    divided. With rate 0 arrays are (N, D), one vector per clip. Arrays stay in the archive: rows are read
    from the stream as clips ask for them. A shard's clips are sorted, so that an archive whose names are
    sorted is unpacked once per shard, a row in memory. An array in Fortran's order is held whole.

    Args:
        config: the archive's modality, rate and arrays.

    Raises:
        UgclError: the archive is missing, or has no such arrays, or names a clip twice.
    """

    layers = 1
    needs_faces = False

    def __init__(self, name: str, config: Sequences, path: Path) -> None:
        self.name, self.modality, self.rate, self.config = name, config.modality, config.rate, config
        if not path.is_file():
            raise UgclError(f"{path}: not found; put the sequences of encoder {name!r} there, or fix path")
        keys = list(config.arrays.values()) or [config.array]
        try:
            with np.load(path, allow_pickle=False) as archive:
                wanted = keys if config.arrays else [*config.names, *keys]
                missing = sorted(set(wanted) - set(archive.files))
                if missing:
                    raise UgclError(
                        f"{path}: no array {missing[0]!r}; encoders.{name} needs {' and '.join(wanted)}"
                    )
                columns = [] if config.arrays else [archive[name].astype(str) for name in config.names]
                names = None if config.arrays else ["_".join(row) for row in zip(*columns, strict=True)]
                self.scale = float(archive["scale"]) if "scale" in archive.files else 1.0
            self.archive = zipfile.ZipFile(path)
            self.arrays = {key: _Array(self.archive.open(f"{key}.npy")) for key in keys}
        except (OSError, ValueError, zipfile.BadZipFile) as error:
            raise UgclError(f"{path}: not a readable .npz ({error}); make it again") from None
        for key, array in self.arrays.items():
            self._check(f"{path}: {key}", array, names)
        self.frames, self.dim = self._sizes(self.arrays[keys[0]])
        if names is not None:
            self.row = {clip: (keys[0], number) for number, clip in enumerate(names)}
            if len(self.row) < len(names):
                raise UgclError(f"{path}: a clip is named twice; keep one row per clip")
        else:
            self.row = {
                f"{prefix}-{number:04d}": (key, number)
                for prefix, key in config.arrays.items()
                for number in range(self.arrays[key].shape[0])
            }
        self.settings: dict[str, Any] = {**config.model_dump(mode="json"), "sha256": sha256(path)}

    def encode(self, clip: Clip) -> np.ndarray:
        """The clip's sequence, (T, D) float32; T = 1 where it has one vector."""
        if clip.name not in self.row:
            raise MediaError("missing", f"{clip.name}: {self.config.path} has no sequence of this clip")
        key, number = self.row[clip.name]
        values = self.arrays[key].read(number)
        if values is None:
            raise MediaError("truncated", f"{clip.name}: {self.config.path} ends before its row {number}")
        values = values[None] if not self.rate else values if self.config.frames_first else values.T
        x = values.astype(np.float32) / np.float32(self.scale)
        if not np.isfinite(x).all():
            raise MediaError("unreadable", f"{clip.name}: the sequence has values that are not finite")
        if np.ptp(x) == 0:
            raise MediaError("silent", f"{clip.name}: the sequence never changes")
        return x

    def _sizes(self, array: _Array) -> tuple[int, int]:
        """Frames and columns of an array's rows."""
        if not self.rate:
            return 1, array.shape[1]
        return array.shape[1:] if self.config.frames_first else array.shape[:0:-1]  # pyright: ignore[reportReturnType]

    def _check(self, where: str, array: _Array, names: list[str] | None) -> None:
        form = "(N, T, D)" if self.config.frames_first else "(N, D, T)"
        form, axes = (form, 3) if self.rate else ("(N, D), for its rate is 0", 2)
        if len(array.shape) != axes or (names is not None and len(names) != array.shape[0]):
            count = "" if names is None else f" for {len(names)} names"
            raise UgclError(f"{where} has the shape {array.shape}{count}; it must be {form}")
        if not self.scale or array.dtype.kind not in "iuf":
            raise UgclError(f"{where} is {array.dtype} with scale {self.scale}; give numbers and a scale")
        first = next(iter(self.arrays.values()))
        if self._sizes(array)[1] != self._sizes(first)[1]:
            raise UgclError(
                f"{where} has {self._sizes(array)[1]} columns, the first array"
                f" {self._sizes(first)[1]}; give all the same"
            )


class _Array:
    """An array in an archive, read by rows, or held where its order is Fortran's."""

    def __init__(self, stream: Any) -> None:
        self.stream = stream
        self.shape, fortran, self.dtype = _header(stream)
        self.start = stream.tell()
        self.held = None
        if fortran and self.dtype.kind in "iuf":
            self.held = np.frombuffer(stream.read(), self.dtype).reshape(self.shape, order="F")

    def read(self, number: int) -> np.ndarray | None:
        """A row, or None where the stream ends before it."""
        if self.held is not None:
            return self.held[number]
        count = int(np.prod(self.shape[1:]))
        # Going forward reads on; going back unpacks from the start again.
        self.stream.seek(self.start + number * count * self.dtype.itemsize)
        values = np.frombuffer(self.stream.read(count * self.dtype.itemsize), self.dtype)
        return values.reshape(self.shape[1:]) if values.size == count else None


def _header(stream: Any) -> tuple[tuple[int, ...], bool, np.dtype]:
    """Shape, order and type of an .npy stream, which then stands at its first value."""
    version = npy.read_magic(stream)
    read = npy.read_array_header_1_0 if version == (1, 0) else npy.read_array_header_2_0
    return read(stream)
