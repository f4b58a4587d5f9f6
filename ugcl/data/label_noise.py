"""Wrong labels in a training part, to see what they cost."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch

from ugcl.data.dataset import ClipDataset


def flip(clips: ClipDataset, share: float, seed: int | Sequence[int]) -> None:
    """Give a share of the clips the label of another class, each as likely ("symmetric" label noise).

    A higher share with the same seed flips the same clips to the same classes, and more. Where the protocol
    has a soft target, the votes for the two classes change places.

    Args:
        clips: changed in place; features stay.
        share: of the clips, 0..1; rounded to whole clips.
        seed: of the choice of clips and classes.
    """
    random = np.random.default_rng(seed)
    order = random.permutation(len(clips))
    steps = random.integers(1, len(clips.classes), len(clips))
    chosen = torch.from_numpy(order[: round(share * len(clips))])
    old = clips.labels[chosen]
    new = (old + torch.from_numpy(steps)[chosen]) % len(clips.classes)
    clips.labels[chosen] = new
    if clips.targets is not None:
        before = clips.targets[chosen, old]
        clips.targets[chosen, old] = clips.targets[chosen, new]
        clips.targets[chosen, new] = before
