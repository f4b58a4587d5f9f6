"""The bust: MakeHuman mesh, identity targets and facial actions (CC0, see HEAD_LICENSE.md)."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np
from scipy.sparse import csr_matrix

FILE = Path(__file__).with_name("head.npz")
BODY, LEFT_EYE, RIGHT_EYE, UPPER_TEETH, LOWER_TEETH, TONGUE, LASHES, HAIR = range(8)


@dataclass(frozen=True)
class Head:
    """A triangle mesh with sparse offset targets, in decimetres; x to the model's left, y up, z forward.

    Attributes:
        targets: name -> (vertex indices (n,), offsets (n, 3)); names begin with macro-, shape- or action-.
    """

    vertices: np.ndarray  # (V, 3) float32 base positions
    triangles: np.ndarray  # (T, 3) int32 vertex indices
    parts: np.ndarray  # (T,) uint8, one of the part constants of this module
    targets: dict[str, tuple[np.ndarray, np.ndarray]]

    def move(self, vertices: np.ndarray, weights: dict[str, float]) -> np.ndarray:
        """Vertices (V, 3) displaced by the weighted sum of targets; the input stays as it is."""
        moved = vertices.copy()
        for name, weight in weights.items():
            if weight:
                indices, offsets = self.targets[name]
                moved[indices] += np.float32(weight) * offsets
        return moved

    def offsets(self, prefix: str, vertices: int) -> tuple[list[str], csr_matrix]:
        """All targets of a kind as one matrix, for faces that move often.

        Args:
            prefix: what the names of the targets begin with.
            vertices: rows for this many vertices; those past the mesh's own never move.

        Returns:
            The names without the prefix, and (3 × vertices, names) float32.
        """
        chosen = {name: target for name, target in self.targets.items() if name.startswith(prefix)}
        rows = np.concatenate([indices for indices, _ in chosen.values()])[:, None] * 3 + np.arange(3)
        columns = np.repeat(np.arange(len(chosen)), [3 * len(indices) for indices, _ in chosen.values()])
        values = np.concatenate([offsets for _, offsets in chosen.values()])
        shape = (3 * vertices, len(chosen))
        matrix = csr_matrix((values.ravel(), (rows.ravel(), columns)), shape=shape)
        return [name.removeprefix(prefix) for name in chosen], matrix

    def part_vertices(self, *parts: int) -> np.ndarray:
        """Indices of the vertices that the given parts use."""
        return np.unique(self.triangles[np.isin(self.parts, parts)])


@lru_cache(maxsize=1)
def load() -> Head:
    """The bust that ships with the package."""
    with np.load(FILE) as archive:
        step = np.float32(archive["step"])
        ends = np.cumsum(archive["counts"].astype(int))[:-1]
        indices = np.split(archive["indices"].astype(np.int32), ends)
        offsets = np.split(archive["offsets"].T.astype(np.float32) * (2 * step), ends)
        return Head(
            vertices=archive["vertices"].astype(np.float32) * step,
            triangles=archive["triangles"].astype(np.int32),
            parts=archive["parts"],
            targets=dict(zip(archive["labels"].tolist(), zip(indices, offsets, strict=True), strict=True)),
        )
