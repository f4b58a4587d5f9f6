"""Arrays in memory as clips: what a user passes as X, checked, scaled and turned into datasets."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, get_args

import numpy as np
import pandas as pd
import torch

from ugcl.config.features import Modality
from ugcl.data.dataset import ClipDataset
from ugcl.data.shards import FeatureInfo
from ugcl.data.stores import Held
from ugcl.errors import UgclError

if TYPE_CHECKING:
    from ugcl.config import Run

MODALITIES: tuple[str, ...] = get_args(Modality)
NAME = "arrays"
"""What stands for the benchmark, the corpus and the encoder of clips that come from no file."""
LARGEST = 6e4
"""Half precision, in which features are held, ends at 65504."""


def clips_of(X: Any, modality: str = "audio") -> list[dict[str, np.ndarray]]:
    """The features of each clip.

    Args:
        X: modality → features of N clips, as a dict or a DataFrame with a column per modality; or the
            features of one modality alone. Features are an (N, D) or (N, T, D) array, or a list of (T, D) or
            (D,) arrays, None for a clip that lacks the modality.
        modality: which one features without a name are of.

    Returns:
        Of each clip, modality → (T, D) float32, without the modalities that it lacks.

    Raises:
        UgclError: lengths or widths differ, a value is not finite, or a clip has no modality.
    """
    named = _by_modality(X, modality)
    counts = {name: len(values) for name, values in named.items()}
    if len(set(counts.values())) != 1:
        raise UgclError(f"X: modalities differ in their number of clips ({counts}); give each clip to all")
    clips: list[dict[str, np.ndarray]] = [{} for _ in range(next(iter(counts.values())))]
    for name, values in named.items():
        for number, value in enumerate(values):
            x = _frames(value, f"X: clip {number}, {name}")
            if x is not None:
                clips[number][name] = x
        widths = {clip[name].shape[1] for clip in clips if name in clip}
        if len(widths) > 1:
            raise UgclError(f"X: {name} has {sorted(widths)} columns; give every clip the same features")
    empty = next((number for number, clip in enumerate(clips) if not clip), None)
    if empty is not None:
        raise UgclError(f"X: clip {empty} has no modality; leave it out")
    return clips


def _by_modality(X: Any, modality: str) -> dict[str, Sequence[Any]]:
    if isinstance(X, pd.DataFrame):
        if set(X.columns) <= set(MODALITIES):
            return {name: X[name].tolist() for name in MODALITIES if name in X}
        X = X.to_numpy()
    if not isinstance(X, Mapping):
        X = {modality: X}
    strange = [name for name in X if name not in MODALITIES]
    if strange or not X:
        found = repr(strange[0]) if strange else "nothing"
        raise UgclError(f"X: {found} is not a modality; choose from {', '.join(MODALITIES)}")
    return {name: X[name] for name in MODALITIES if name in X}


def _frames(value: Any, where: str) -> np.ndarray | None:
    """(T, D) float32, None where there is nothing."""
    if value is None or (np.ndim(value) == 0 and pd.isna(value)):
        return None
    try:
        x = np.asarray(value, dtype=np.float32)
    except (TypeError, ValueError):
        raise UgclError(f"{where}: is not an array of numbers; give (T, D) or (D,)") from None
    if x.ndim not in (1, 2):
        raise UgclError(f"{where}: has the shape {x.shape}; give (T, D) or (D,)")
    x = np.atleast_2d(x)
    if not np.isfinite(x).all():
        raise UgclError(f"{where}: a value is not finite; replace it, or give None for the modality")
    return x if x.size else None


@dataclass(frozen=True)
class Scale:
    """Mean and standard deviation (1, D) of a modality's training frames.

    The network standardises too; this comes before half precision, which holds neither 70000 nor the
    difference of 2024.1 and 2024.2.
    """

    mean: np.ndarray
    std: np.ndarray

    @classmethod
    def of(cls, clips: Sequence[np.ndarray]) -> Scale:
        """Those of the frames of some clips; the deviation is 1 where a column is constant."""
        x = np.concatenate(clips).astype(np.float64)
        mean, std = x.mean(axis=0, keepdims=True), x.std(axis=0, keepdims=True)
        return cls(mean, np.where(std > 1e-12 * np.maximum(1.0, np.abs(mean)), std, 1.0))

    def __call__(self, x: np.ndarray) -> torch.Tensor:
        """Frames (T, D) after scaling, float16."""
        z = np.clip((x - self.mean) / self.std, -LARGEST, LARGEST)
        return torch.from_numpy(z.astype(np.float16))


class ArrayData:
    """Clips in memory, in the place of a benchmark's (:class:`ugcl.data.parts.BenchmarkData`).

    Attributes:
        infos: modality → what a network knows of its features.
        scales: modality → how they are scaled, learnt from the training clips.
    """

    def __init__(
        self,
        clips: Sequence[Mapping[str, np.ndarray]],
        labels: Sequence[str],
        parts: Mapping[str, np.ndarray],
        rates: Mapping[str, float],
    ) -> None:
        """Hold the clips.

        Args:
            clips: of :func:`clips_of`.
            labels: class name of each.
            parts: `train` and `dev` → numbers of their clips.
            rates: modality → frames per second; 1 where it is not named. One vector per clip has none.

        Raises:
            UgclError: no training clip has a modality.
        """
        self.clips, self.labels, self.parts = clips, np.asarray(labels), parts
        self.infos: dict[str, FeatureInfo] = {}
        self.scales: dict[str, Scale] = {}
        for m in (name for name in MODALITIES if any(name in clip for clip in clips)):
            own = [clips[number][m] for number in parts["train"] if m in clips[number]]
            if not own:
                raise UgclError(f"X: no training clip has {m}; leave the modality out")
            timed = any(len(clip[m]) > 1 for clip in clips if m in clip)
            self.infos[m] = FeatureInfo(NAME, own[0].shape[1], rate=rates.get(m, 1.0) if timed else 0.0)
            self.scales[m] = Scale.of(own)

    def fold(
        self, run: Run, fold: int, names: Sequence[str], cache: int = 0, dev_is_train: bool = False
    ) -> dict[str, ClipDataset]:
        """Parts by name; see :meth:`ugcl.data.parts.BenchmarkData.fold`. There is one fold."""
        numbers = dict(self.parts)
        if dev_is_train:
            numbers["train"] = np.sort(np.concatenate([numbers["train"], numbers["dev"]]))
        return {
            name: dataset(
                [self.clips[number] for number in numbers[name]],
                self.infos,
                self.scales,
                run.protocol.classes,
                self.labels[numbers[name]],
            )
            for name in names
        }


def dataset(
    clips: Sequence[Mapping[str, np.ndarray]],
    infos: Mapping[str, FeatureInfo],
    scales: Mapping[str, Scale],
    classes: Sequence[str],
    labels: Sequence[str] | None = None,
) -> ClipDataset:
    """Clips as a network reads them; without labels each has the first class, which no network sees.

    Raises:
        UgclError: a modality has other columns than the network was trained on.
    """
    names = [f"clip {number}" for number in range(len(clips))]
    stores = {}
    for m, info in infos.items():
        own = {name: clip[m] for name, clip in zip(names, clips, strict=True) if m in clip}
        width = next((x.shape[1] for x in own.values()), info.dim)
        if width != info.dim:
            raise UgclError(f"X: {m} has {width} columns, {info.dim} were trained on; give the same features")
        stores[m] = Held(info, {name: scales[m](x) for name, x in own.items()})
    rows = pd.DataFrame({"clip": names, "speaker": names, "label": classes[0] if labels is None else labels})
    return ClipDataset(rows, stores, classes)
