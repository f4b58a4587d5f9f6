"""Clips with features, padded batches, and the statistics of the training part."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol as Interface

import numpy as np
import pandas as pd
import torch
from torch import Tensor
from torch.nn.utils.rnn import pad_sequence

from ugcl.config.protocols import Protocol
from ugcl.data.labels import labelled, vote_shares
from ugcl.data.moments import moments, standardised
from ugcl.data.shards import FeatureInfo
from ugcl.errors import UgclError


class Store(Interface):
    """What a dataset reads features from; see :class:`ugcl.data.shards.FeatureStore`."""

    info: FeatureInfo

    def __contains__(self, clip: object) -> bool: ...

    def __getitem__(self, clip: str) -> Tensor: ...


@dataclass
class Batch:
    """Padded clips.

    Attributes:
        features: modality → (B, T, D) float32, 0 where padded.
        masks: modality → (B, T), True = valid frame.
        present: modality → (B,), False = the clip lacks the modality (its mask is False throughout).
        labels: (B,) class numbers.
        clips: names of the clips.
        speakers: their speakers.
        targets: (B, C) shares of the raters' votes, where the protocol has a soft target.
    """

    features: dict[str, Tensor]
    masks: dict[str, Tensor]
    present: dict[str, Tensor]
    labels: Tensor
    clips: list[str]
    speakers: list[str]
    targets: Tensor | None = None

    def __len__(self) -> int:
        return len(self.clips)

    def to(self, device: torch.device | str) -> Batch:
        """The same batch on a device."""
        move = lambda tree: {m: x.to(device, non_blocking=True) for m, x in tree.items()}  # noqa: E731
        return Batch(
            move(self.features),
            move(self.masks),
            move(self.present),
            self.labels.to(device, non_blocking=True),
            self.clips,
            self.speakers,
            None if self.targets is None else self.targets.to(device, non_blocking=True),
        )


class ClipDataset:
    """One part of a split, with its features.

    The order is that of the split file. Features stay half-precision; they are kept in memory up to a limit
    and read from their shards beyond it.
    """

    def __init__(
        self,
        rows: pd.DataFrame,
        stores: Mapping[str, Store],
        classes: Sequence[str],
        cache: int = 2048,
        by_speaker: bool = False,
    ) -> None:
        """Hold the clips.

        Args:
            rows: columns clip, speaker, label (class name) and, with a soft target, q_<class>.
            stores: modality → features.
            classes: class names in column order.
            cache: most features to keep in memory, MiB.
            by_speaker: standardise the frames of each speaker by those of all the clips here of that speaker
                (speaker normalisation, Schuller et al. 2010); labels have no part in it.
        """
        self.clips: list[str] = rows["clip"].tolist()
        self.speakers: list[str] = rows["speaker"].tolist()
        self.stores = dict(stores)
        self.classes = list(classes)
        self.labels = torch.tensor([self.classes.index(label) for label in rows["label"]], dtype=torch.long)
        shares = [f"q_{name}" for name in self.classes]
        self.targets = torch.tensor(rows[shares].to_numpy("float32")) if shares[0] in rows else None
        self._room = cache * 2**20
        self._kept: dict[tuple[str, str], Tensor] = {}
        self._by_speaker = by_speaker
        self._moments: dict[tuple[str, str], tuple[Tensor, Tensor]] = {}

    def __len__(self) -> int:
        return len(self.clips)

    def features(self, modality: str, index: int) -> Tensor | None:
        """One clip's (T, D) float16 features, or None where the clip lacks the modality.

        Raises:
            UgclError: `by_speaker`, and the speaker has no other clip here.
        """
        clip = self.clips[index]
        if clip not in self.stores[modality]:
            return None
        key = (modality, clip)
        if key not in self._kept:
            x = self.stores[modality][clip]
            if self._by_speaker:
                x = standardised(x, *self._moments_of(modality, self.speakers[index]))
            if x.nbytes > self._room:
                return x
            self._room -= x.nbytes
            self._kept[key] = x
        return self._kept[key]

    def batch(self, indices: Sequence[int]) -> Batch:
        """Collate clips, padded to the longest of each modality."""
        features, masks, present = {}, {}, {}
        for modality, store in self.stores.items():
            clips = [self.features(modality, i) for i in indices]
            lengths = torch.tensor([0 if x is None else len(x) for x in clips])
            absent = torch.zeros(1, store.info.dim, dtype=torch.float16)
            padded = pad_sequence([absent if x is None else x for x in clips], batch_first=True).float()
            features[modality] = padded
            masks[modality] = torch.arange(padded.shape[1]) < lengths[:, None]
            present[modality] = lengths > 0
        return Batch(
            features,
            masks,
            present,
            self.labels[list(indices)],
            [self.clips[i] for i in indices],
            [self.speakers[i] for i in indices],
            None if self.targets is None else self.targets[list(indices)],
        )

    def batches(self, size: int, order: Sequence[int] | None = None) -> Iterator[Batch]:
        """Batches in an order of clip numbers; default the dataset's own."""
        order = range(len(self)) if order is None else order
        for start in range(0, len(order), size):
            yield self.batch(order[start : start + size])

    def counts(self) -> Tensor:
        """Clips of each class, (C,)."""
        return torch.bincount(self.labels, minlength=len(self.classes))

    def statistics(self) -> dict[str, tuple[Tensor, Tensor]]:
        """Mean and standard deviation (D,) over all frames of all clips, a modality at a time, one pass."""
        return {modality: self._statistics(modality) for modality in self.stores}

    def _statistics(self, modality: str) -> tuple[Tensor, Tensor]:
        every = (self.features(modality, index) for index in range(len(self)))
        return moments((x for x in every if x is not None), self.stores[modality].info.dim)

    def _moments_of(self, modality: str, speaker: str) -> tuple[Tensor, Tensor]:
        """Mean and deviation (D,) of a speaker's frames."""
        key = (modality, speaker)
        if key not in self._moments:
            store = self.stores[modality]
            pairs = zip(self.clips, self.speakers, strict=True)
            own = [clip for clip, other in pairs if other == speaker and clip in store]
            if len(own) < 2:
                raise UgclError(
                    f"speaker {speaker!r} has one clip alone with {modality} ({own[0]}), and standardised by"
                    " itself it says nothing; add clips of that speaker, or set"
                    " input.standardise training"
                )
            self._moments[key] = moments((store[clip] for clip in own), store.info.dim)
        return self._moments[key]


def part_rows(
    manifest: pd.DataFrame,
    split: pd.DataFrame,
    part: str,
    protocol: Protocol,
    quarantined: Sequence[str] = (),
) -> pd.DataFrame:
    """The clips of one part of a split.

    Args:
        manifest: clip, speaker and the protocol's label column.
        split: clip, part.
        part: `train`, `dev` or `test`.
        protocol: label target and classes.
        quarantined: clips to leave out.

    Returns:
        Columns clip, speaker, label, in the split's order; with a soft target also q_<class>, the shares of
        the votes, all on the label where nobody voted for a class.

    Raises:
        UgclError: the part is empty, a clip is unknown or unlabelled, or a class has no clip.
    """
    rows = split.loc[(split["part"] == part) & ~split["clip"].isin(list(quarantined)), ["clip"]]
    if rows.empty:
        raise UgclError(f"part {part} of the split is empty; mend the split or the quarantined clips")
    clips = labelled(manifest, protocol)
    columns = ["clip", "speaker", "label"]
    if protocol.soft:
        shares = [f"q_{name}" for name in protocol.classes]
        columns += shares
        q = vote_shares(clips, protocol.soft, protocol.classes, protocol.merge)
        q = np.where(np.isnan(q), clips["label"].to_numpy()[:, None] == np.array(protocol.classes), q)
        clips = clips.assign(**dict(zip(shares, q.T, strict=True)))
    rows = rows.merge(clips[columns], on="clip", how="left")
    wrong = rows.loc[~rows["label"].isin(protocol.classes), "clip"]
    if len(wrong):
        raise UgclError(
            f"part {part} of the split: {len(wrong)} clips have no label of the protocol in the manifest"
            f" (first: {wrong.iloc[0]}); make the splits again"
        )
    absent = [name for name in protocol.classes if name not in set(rows["label"])]
    if absent:
        raise UgclError(
            f"part {part} of the split has no clip of class {absent[0]!r}; use fewer folds or mend the split"
        )
    return rows
