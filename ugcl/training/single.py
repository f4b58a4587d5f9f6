"""Training on one CPU in single precision, without Fabric, whose loading takes a second in every process."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from types import SimpleNamespace
from typing import Any

import torch
from torch import Tensor, nn
from torch.optim import Optimizer


class Plain(nn.Module):
    """A network under the name by which Fabric's wrapper knows it."""

    def __init__(self, module: nn.Module) -> None:
        super().__init__()
        self.module = module

    def forward(self, *inputs: Any) -> Any:
        """What the network gives."""
        return self.module(*inputs)


class OneCpu:
    """What the loop asks of Fabric (:mod:`ugcl.training.loop`), where it has nothing to add."""

    device = torch.device("cpu")
    global_rank, world_size, is_global_zero = 0, 1, True
    strategy = SimpleNamespace(precision=None)

    def setup(self, model: nn.Module, optimizer: Optimizer) -> tuple[Plain, Optimizer]:
        """The network and its optimiser, ready to be trained."""
        return Plain(model), optimizer

    def backward(self, loss: Tensor) -> None:
        """Add up gradients."""
        loss.backward()

    def autocast(self) -> nullcontext[None]:
        """A context of full precision."""
        return nullcontext()

    @contextmanager
    def no_backward_sync(self, model: nn.Module, enabled: bool = True) -> Iterator[None]:
        """A context in which devices do not exchange gradients: there is one device."""
        yield

    def clip_gradients(
        self, model: nn.Module, optimizer: Optimizer, max_norm: float, error_if_nonfinite: bool
    ) -> Tensor:
        """Scale the gradients down to a norm; returns the norm that they had."""
        learnt = [p for group in optimizer.param_groups for p in group["params"]]  # as Fabric: the same sum
        return nn.utils.clip_grad_norm_(learnt, max_norm, error_if_nonfinite=error_if_nonfinite)
