"""Clips with features, padded batches, and the statistics of the training part."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from typing import Literal
from typing import Protocol as Interface

import numpy as np
import pandas as pd
import torch
from torch import Tensor
from torch.nn.utils.rnn import pad_sequence

from ugcl.data.moments import moments, standardised
from ugcl.data.shards import FeatureInfo
from ugcl.errors import UgclError

Context = Literal["clip", "dialogue", "past"]
"""What a clip is judged from: itself, or the clips of its dialogue, all or those up to itself. For the last
two a group is a dialogue; the method leaves out what comes later."""

ATTRIBUTE = "attribute_"
"""Prefix of the columns of attributes."""


class Store(Interface):
    """What a dataset reads features from; see :class:`ugcl.data.shards.FeatureStore`."""

    info: FeatureInfo

    def __contains__(self, clip: object) -> bool: ...

    def __getitem__(self, clip: str) -> Tensor: ...


@dataclass
class Batch:
    """Padded clips.

    Attributes:
        present: modality → (B,), False = the clip lacks the modality (its mask is False throughout).
        attributes: name → (B,), 0..1, NaN = unknown; of training clips, where the method asks for them.
        group: (B,) number of the clip's group in the dataset: the clip itself, or its dialogue, of which the
            batch then has all clips. Default: every clip is a group.
    """

    features: dict[str, Tensor]  # modality → (B, T, D) float32, or int32 token ids; 0 where padded
    masks: dict[str, Tensor]  # modality → (B, T), True = valid frame
    present: dict[str, Tensor]
    labels: Tensor  # (B,) class numbers
    clips: list[str]  # names of the clips
    speakers: list[str]  # their speakers
    targets: Tensor | None = None  # (B, C) shares of the raters' votes, where the protocol has a soft target
    group: Tensor = None  # pyright: ignore[reportAssignmentType]
    turn: Tensor = None  # (B,) place of the clip among those of its group, from 0  # pyright: ignore[reportAssignmentType]
    speaker: Tensor = None  # (B,) number of the clip's speaker in the dataset  # pyright: ignore[reportAssignmentType]
    attributes: dict[str, Tensor] = field(default_factory=dict)

    def __post_init__(self) -> None:
        alone = torch.arange(len(self), device=self.labels.device)
        self.group = alone if self.group is None else self.group
        self.turn = torch.zeros_like(alone) if self.turn is None else self.turn
        if self.speaker is None:
            self.speaker = torch.from_numpy(pd.factorize(np.array(self.speakers))[0]).to(alone.device)

    def __len__(self) -> int:
        return len(self.clips)

    def to(self, device: torch.device | str) -> Batch:
        """The same batch on a device."""

        def moved(value: object) -> object:
            if isinstance(value, dict):
                return {name: moved(x) for name, x in value.items()}
            return value.to(device, non_blocking=True) if isinstance(value, Tensor) else value

        return replace(self, **{part.name: moved(getattr(self, part.name)) for part in fields(self)})


def by_dialogue(rows: pd.DataFrame) -> tuple[pd.DataFrame, np.ndarray]:
    """Bring the clips of each dialogue together, in the order of its turns.

    A dialogue comes where its first clip was. A clip without a dialogue is a group of its own.

    Args:
        rows: clip, dialogue ("" = none), and turn or, where that column is absent, start.

    Returns:
        The rows in their new order, and the number of each row's group, from 0 in that order.

    Raises:
        UgclError: the column dialogue is missing, or the order of the clips of a dialogue is not known.
    """
    if "dialogue" not in rows:
        raise UgclError("the manifest has no column dialogue; add it, or use clips without context")
    rows = rows.reset_index(drop=True)
    alone = rows["clip"].where(rows["dialogue"] == "", "")
    groups = rows.assign(alone=alone).groupby(["dialogue", "alone"], sort=False)
    column = next((name for name in ("turn", "start") if name in rows), None)
    keys = pd.DataFrame({"group": groups.ngroup(), "place": rows[column] if column else None})
    unknown = (groups["clip"].transform("size") > 1) & (keys["place"].isna() | keys.duplicated(keep=False))
    if unknown.any():
        clip, name = rows.loc[unknown, ["clip", "dialogue"]].iloc[0]
        raise UgclError(
            f"dialogue {name!r}: the place of clip {clip} in it is not known; give each of its clips another"
            f" value in the manifest's column {column or 'turn'}"
        )
    order = keys.sort_values(["group", "place"]).index
    return rows.loc[order], keys.loc[order, "group"].to_numpy()


def filled(sizes: Sequence[int], limit: int, least: int = 1) -> list[range]:
    """Divide a sequence of groups into batches that keep groups whole.

    Args:
        sizes: clips of each group.
        limit: most clips of a batch; a batch of `least` groups may have more.
        least: fewest groups of a batch; the last may have fewer.

    Returns:
        Places of the groups of each batch.
    """
    batches, start, clips = [], 0, 0
    for place, size in enumerate(sizes):
        if place - start >= least and clips + size > limit:
            batches.append(range(start, place))
            start, clips = place, 0
        clips += size
    return [*batches, range(start, len(sizes))] if sizes else []


class Room:
    """How much memory there is for features that are kept; the parts of a fold share it."""

    def __init__(self, mib: int = 2048) -> None:
        self.left = mib * 2**20

    def take(self, size: int) -> bool:
        """Take so many bytes, if they are left."""
        fits = size <= self.left
        self.left -= size if fits else 0
        return fits


class ClipDataset:
    """One part of a split, with its features.

    The order is that of the rows; where dialogues are the context, their clips are brought together. Features
    stay as they are stored; they are kept in memory up to a limit and read from their shards beyond it.

    Attributes:
        rows: the table of the clips, in the order of the dataset.
        groups: the clip numbers of each group, a clip or a dialogue; they follow one another.
    """

    def __init__(
        self,
        rows: pd.DataFrame,
        stores: Mapping[str, Store],
        classes: Sequence[str],
        room: Room | None = None,
        by_speaker: bool = False,
        context: Context = "clip",
    ) -> None:
        """Hold the clips.

        Args:
            rows: columns clip, speaker, label (class name) and, with a soft target, q_<class>; with dialogues
                those of :func:`by_dialogue`; attributes as attribute_<name>.
            stores: modality → features.
            room: for the features to keep in memory; default one of its own.
            by_speaker: standardise the frames of each speaker by those of all the clips here of that speaker
                (speaker normalisation, Schuller et al. 2010); labels have no part in it.
            context: what a group is.

        Raises:
            UgclError: dialogues are the context, and the rows do not say how they go.
        """
        numbers = np.arange(len(rows))
        if context != "clip":
            rows, numbers = by_dialogue(rows)
        self.groups: list[list[int]] = []
        for clip, number in enumerate(numbers.tolist()):
            if number == len(self.groups):
                self.groups.append([])
            self.groups[-1].append(clip)
        self._group = torch.tensor(numbers)
        turns = [turn for group in self.groups for turn in range(len(group))]
        self._turn = torch.tensor(turns, dtype=torch.long)
        self._speaker = torch.from_numpy(pd.factorize(rows["speaker"])[0])
        self.rows = rows.reset_index(drop=True)
        self.clips: list[str] = rows["clip"].tolist()
        self.speakers: list[str] = rows["speaker"].tolist()
        self.stores = dict(stores)
        self.classes = list(classes)
        self.labels = torch.tensor([self.classes.index(label) for label in rows["label"]], dtype=torch.long)
        shares = [f"q_{name}" for name in self.classes]
        self.targets = torch.tensor(rows[shares].to_numpy("float32")) if shares[0] in rows else None
        self.attributes = {
            column.removeprefix(ATTRIBUTE): torch.tensor(rows[column].to_numpy("float32"))
            for column in rows
            if column.startswith(ATTRIBUTE)
        }
        self._room = Room() if room is None else room
        self._kept: dict[tuple[str, str], Tensor] = {}
        self._by_speaker = by_speaker
        self._moments: dict[tuple[str, str], tuple[Tensor, Tensor]] = {}

    def __len__(self) -> int:
        return len(self.clips)

    def features(self, modality: str, index: int) -> Tensor | None:
        """One clip's (T, D) features as they are stored, or None where the clip lacks the modality.

        Raises:
            UgclError: `by_speaker`, and the speaker has no other clip here.
        """
        clip = self.clips[index]
        if clip not in self.stores[modality]:
            return None
        key = (modality, clip)
        if key not in self._kept:
            x = self.stores[modality][clip]
            if self._by_speaker and x.is_floating_point():
                x = standardised(x, *self._moments_of(modality, self.speakers[index]))
            if not self._room.take(x.nbytes):
                return x
            self._kept[key] = x
        return self._kept[key]

    def batch(self, indices: Sequence[int]) -> Batch:
        """Collate clips, padded to the longest of each modality."""
        features, masks, present = {}, {}, {}
        for modality, store in self.stores.items():
            clips = [self.features(modality, i) for i in indices]
            lengths = torch.tensor([0 if x is None else len(x) for x in clips])
            kind = next((x.dtype for x in clips if x is not None), torch.float16)
            absent = torch.zeros(1, store.info.dim, dtype=kind)
            padded = pad_sequence([absent if x is None else x for x in clips], batch_first=True)
            features[modality] = padded.float() if kind.is_floating_point else padded
            masks[modality] = torch.arange(padded.shape[1]) < lengths[:, None]
            present[modality] = lengths > 0
        at = list(indices)
        clips, speakers = [self.clips[i] for i in at], [self.speakers[i] for i in at]
        targets = None if self.targets is None else self.targets[at]
        places = self._group[at], self._turn[at], self._speaker[at]
        attributes = {name: values[at] for name, values in self.attributes.items()}
        labels = self.labels[at]
        return Batch(features, masks, present, labels, clips, speakers, targets, *places, attributes)

    def batches(self, size: int) -> Iterator[Batch]:
        """Batches of at most so many clips in the dataset's order; a larger group is one batch."""
        for places in filled([len(group) for group in self.groups], size):
            yield self.batch([clip for group in self.groups[places.start : places.stop] for clip in group])

    def counts(self) -> Tensor:
        """Clips of each class, (C,)."""
        return torch.bincount(self.labels, minlength=len(self.classes))

    def statistics(self) -> dict[str, tuple[Tensor, Tensor]]:
        """Mean and standard deviation (D,) over all frames of all clips, one modality at a time, one pass."""
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
