"""What every method is: a network on features, its loss terms, and the facts that are reported."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, ClassVar

import torch
from torch import Tensor, nn

from ugcl.models.criterion import Criterion
from ugcl.models.dialogue.layers import Context
from ugcl.models.dialogue.turns import Turns
from ugcl.models.encoders import ModalityEncoder

if TYPE_CHECKING:
    from ugcl.config.methods.base import MethodSettings
    from ugcl.config.root import Run
    from ugcl.data.dataset import Batch
    from ugcl.data.shards import FeatureInfo

    Infos = dict[str, FeatureInfo]
    """Modality → what its features are."""

Tensors = dict[str, Tensor]
"""Modality → tensor."""
Statistics = dict[str, tuple[Tensor, Tensor]]
"""Modality → mean and standard deviation (D,) of the training frames; empty for a network to be loaded."""
Outputs = dict[str, Any]
"""`logits` (B, C) and what the method's terms, and those who look into it, read."""


class Method(nn.Module, ABC):
    """A network with its loss terms, from one paper.

    loss = weight · classification(logits, labels) + Σ weights[k] · terms[k]; see `training.objective`.

    Attributes:
        Settings: of a method outside the package, its class of settings; others are in `config.methods`.
        settings: the run's.
        criterion: the run's classification loss, also for auxiliary classifiers.
    """

    Settings: ClassVar[type[MethodSettings] | None] = None

    def __init__(self, run: Run, infos: Infos, statistics: Statistics) -> None:
        """Make the network.

        Args:
            run: the resolved parameters.
            infos: modality → what its features are.
            statistics: modality → mean and deviation of the fold's TRAINING frames; empty for a network whose
                weights will be loaded.
        """
        super().__init__()
        self.settings, self.modalities = run.method, list(run.input.modalities)
        self.criterion = Criterion(run.loss)
        self.recording = True
        self._recorded: dict[str, list[Tensor]] = {}

    @abstractmethod
    def forward(self, batch: Batch) -> Outputs:
        """Classify clips. The logits of a clip depend on its group alone; labels are never read.

        Returns:
            `logits` (B, C), and what `terms` needs.
        """

    def terms(self, outputs: Outputs, batch: Batch) -> dict[str, Tensor]:
        """Unweighted loss terms, scalars; the names are those keys of `settings.weights` that are positive.

        Args:
            outputs: of `forward` in training mode, in full precision.
            batch: labels choose positives and negatives.
        """
        return {}

    def facts(self) -> dict[str, float]:
        """What was recorded since the last call, means over batches; reported, never summed."""
        recorded, self._recorded = self._recorded, {}
        return {name: float(torch.stack(values).nanmean()) for name, values in recorded.items()}

    def rates(self) -> dict[str, float]:
        """Peak learning rates of parameters by name, where they have one of their own beside `train.lr`."""
        return {}

    def record(self, name: str, value: Tensor) -> None:
        """Note a scalar of a batch for `facts`."""
        if self.recording:
            self._recorded.setdefault(name, []).append(value.detach())

    @contextmanager
    def silenced(self) -> Iterator[None]:
        """Context without recording, for a second pass over the same batch."""
        self.recording = False
        try:
            yield
        finally:
            self.recording = True

    def losses_of(self, logits: Mapping[str, Tensor], batch: Batch) -> Tensor:
        """Classification losses of modalities by themselves, each of the clips that have it.

        Args:
            logits: modality → (B, C).

        Returns:
            (N,), a loss for each of the N modalities that a clip of the batch has.
        """
        losses = []
        for m, own in logits.items():
            if (here := batch.present[m]).any():
                targets = None if batch.targets is None else batch.targets[here]
                losses.append(self.criterion(own[here], batch.labels[here], targets))
        return torch.stack(losses)

    def advance(self, progress: float) -> None:
        """Set what depends on the share of the training that is done, 0..1; called before each epoch."""


class EncodedMethod(Method):
    """A method with the shared encoders, one per modality, so that methods differ in what comes after.

    Attributes:
        own_dialogue: whether the method reads the turns of a dialogue in its own way. Otherwise, where
            `input.context` is not clip, `encode` adds to each modality what the other turns say of it.
        past: whether no turn may read a later one.
    """

    own_dialogue: ClassVar[bool] = False

    def __init__(self, run: Run, infos: Infos, statistics: Statistics) -> None:
        super().__init__(run, infos, statistics)
        self.encoders = nn.ModuleDict(
            {m: ModalityEncoder(run.encoder, infos[m], statistics.get(m)) for m in self.modalities}
        )
        self.past = run.input.context == "past"
        shared = run.input.context != "clip" and not self.own_dialogue
        self.contexts = nn.ModuleDict({m: Context(run.encoder, self.past) for m in self.modalities if shared})

    def encode(self, batch: Batch) -> tuple[Tensors, Tensors]:
        """Encode each modality: frames (B, T_m, W) and their masks (B, T_m), with a valid frame per clip."""
        frames, valid = {}, {}
        for m in self.modalities:
            frames[m], valid[m] = self.encoders[m](batch.features[m], batch.masks[m], batch.present[m])
        if self.contexts:
            turns = Turns.of(batch, self.past)
            for m, context in self.contexts.items():
                frames[m] = context(frames[m], valid[m], turns, batch.present[m])
        return frames, valid


def both(present: Mapping[str, Tensor], a: str, b: str) -> Tensor:
    """The clips that have both modalities, (B,)."""
    return present[a] & present[b]
