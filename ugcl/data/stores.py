"""Feature stores that are not files: features held in memory, and features changed on their way."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from torch import Tensor

from ugcl.data.dataset import Store
from ugcl.data.shards import FeatureInfo


@dataclass(frozen=True)
class Held:
    """Features in memory: clip → (frames, dim); a clip without an entry lacks the modality."""

    info: FeatureInfo
    features: Mapping[str, Tensor]

    def __contains__(self, clip: object) -> bool:
        return clip in self.features

    def __getitem__(self, clip: str) -> Tensor:
        return self.features[clip]


@dataclass(frozen=True)
class Changed:
    """Another store's features after a change that keeps their number: `change(clip, features)`."""

    source: Store
    change: Callable[[str, Tensor], Tensor]

    @property
    def info(self) -> FeatureInfo:
        """Shape and rate: those of the source."""
        return self.source.info

    def __contains__(self, clip: object) -> bool:
        return clip in self.source

    def __getitem__(self, clip: str) -> Tensor:
        return self.change(clip, self.source[clip])
