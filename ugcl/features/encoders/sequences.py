"""Precomputed sequences read from one .npz in place of an encoder."""

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

    The archive holds `name` (N,), `x` (N, D, T) of integers or floats, and maybe `scale`, by which x is
    divided. The array stays in the archive: rows are read from the stream as clips ask for them. A shard's
    clips are sorted, so that an archive whose names are sorted is unpacked once per shard, a row in memory.

    Args:
        config: the archive's modality and rate.

    Raises:
        UgclError: the archive is missing, or has no such arrays, or names a clip twice.
    """

    layers = 1
    needs_faces = False

    def __init__(self, name: str, config: Sequences, path: Path) -> None:
        self.name, self.modality, self.rate, self.config = name, config.modality, config.rate, config
        if not path.is_file():
            raise UgclError(f"{path}: not found; put the sequences of encoder {name!r} there, or fix path")
        try:
            with np.load(path, allow_pickle=False) as archive:
                missing = sorted({"name", "x"} - set(archive.files))
                if missing:
                    raise UgclError(f"{path}: no array {missing[0]!r}; encoders.{name} needs name and x")
                names = archive["name"]
                self.scale = float(archive["scale"]) if "scale" in archive.files else 1.0
            self.archive = zipfile.ZipFile(path)
            self.stream = self.archive.open("x.npy")
            shape, fortran, self.dtype = _header(self.stream)
        except (OSError, ValueError, zipfile.BadZipFile) as error:
            raise UgclError(f"{path}: not a readable .npz ({error}); make it again") from None
        if len(shape) != 3 or fortran or len(names) != shape[0]:
            raise UgclError(f"{path}: x has the shape {shape} for {len(names)} names; it must be (N, D, T)")
        if not self.scale or self.dtype.kind not in "iuf":
            raise UgclError(f"{path}: x is {self.dtype} with scale {self.scale}; give numbers and a scale")
        self.row = {str(clip): number for number, clip in enumerate(names)}
        if len(self.row) < len(names):
            raise UgclError(f"{path}: a clip is named twice; keep one row per clip")
        _, self.dim, self.frames = shape
        self.start = self.stream.tell()
        self.settings: dict[str, Any] = {**config.model_dump(mode="json"), "sha256": sha256(path)}

    def encode(self, clip: Clip) -> np.ndarray:
        """The clip's sequence, (T, D) float32."""
        number = self.row.get(clip.name)
        if number is None:
            raise MediaError("missing", f"{clip.name}: {self.config.path} has no sequence of this clip")
        size = self.dim * self.frames * self.dtype.itemsize
        # Going forward reads on; going back unpacks from the start again.
        self.stream.seek(self.start + number * size)
        values = np.frombuffer(self.stream.read(size), self.dtype)
        if values.size < self.dim * self.frames:
            raise MediaError("truncated", f"{clip.name}: {self.config.path} ends before its row {number}")
        x = values.reshape(self.dim, self.frames).T.astype(np.float32) / np.float32(self.scale)
        if not np.isfinite(x).all():
            raise MediaError("unreadable", f"{clip.name}: the sequence has values that are not finite")
        if np.ptp(x) == 0:
            raise MediaError("silent", f"{clip.name}: the sequence never changes")
        return x


def _header(stream: Any) -> tuple[tuple[int, ...], bool, np.dtype]:
    """Shape, order and type of an .npy stream, which then stands at its first value."""
    version = npy.read_magic(stream)
    read = npy.read_array_header_1_0 if version == (1, 0) else npy.read_array_header_2_0
    return read(stream)
