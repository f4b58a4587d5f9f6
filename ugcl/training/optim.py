"""Optimiser, learning rate and averaged weights."""

from __future__ import annotations

import inspect
import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor, nn
from torch.optim import Optimizer
from torch.optim.swa_utils import get_ema_multi_avg_fn

if TYPE_CHECKING:
    from ugcl.config.system.train import Train


class AdamW(torch.optim.AdamW):
    """torch's AdamW (Loshchilov and Hutter 2019) without torch's compiler.

    The decorators of torch's optimisers load the compiler, a second in every process, only to say that these
    methods are not to be compiled. The methods below are the ones under the decorators.
    """

    add_param_group = inspect.unwrap(Optimizer.add_param_group)
    zero_grad = inspect.unwrap(Optimizer.zero_grad)
    state_dict = inspect.unwrap(Optimizer.state_dict)
    load_state_dict = inspect.unwrap(Optimizer.load_state_dict)

    @torch.no_grad()
    def step(self, closure: Callable[[], float] | None = None) -> float | None:
        """One step; arguments and value as of torch's."""
        return inspect.unwrap(torch.optim.AdamW.step)(self, closure)


def optimiser(model: nn.Module, train: Train) -> AdamW:
    """AdamW over what a model learns.

    Parameters with a learning rate of their own (`Method.rates`) are in groups of their own, whose `share` is
    that rate over `train.lr`; :func:`set_rate` keeps it through the schedule.
    """
    own = getattr(model, "rates", dict)()
    learnt = {name: p for name, p in model.named_parameters() if p.requires_grad}
    groups = _groups([p for name, p in learnt.items() if name not in own], train.weight_decay)
    for rate in sorted(set(own.values()), reverse=True):
        chosen = [learnt[name] for name, other in own.items() if other == rate]
        groups += [group | {"share": rate / train.lr} for group in _groups(chosen, train.weight_decay)]
    return AdamW(groups, lr=train.lr, fused=True)


def adamw(learnt: Sequence[Tensor], train: Train, dimensions: int = 2) -> AdamW:
    """AdamW; gains, biases and single vectors, of fewer dimensions than a matrix, do not decay."""
    return AdamW(_groups(learnt, train.weight_decay, dimensions), lr=train.lr, fused=True)


def _groups(learnt: Sequence[Tensor], decay: float, dimensions: int = 2) -> list[dict[str, Any]]:
    return [
        {"params": [p for p in learnt if p.ndim >= dimensions], "weight_decay": decay},
        {"params": [p for p in learnt if p.ndim < dimensions], "weight_decay": 0.0},
    ]


def set_rate(optimizer: torch.optim.Optimizer, lr: float) -> None:
    """Give each group the learning rate of a step, or its share of it."""
    for group in optimizer.param_groups:
        group["lr"] = lr * group.get("share", 1.0)


def learning_rate(train: Train, step: int, steps: int) -> float:
    """Learning rate of one step: linear warm-up, then cosine to 0 or constant.

    Args:
        train: peak, share of warm-up, schedule.
        step: number of the step, from 0.
        steps: number of steps of the whole run.
    """
    warmup = round(train.warmup * steps)
    if step < warmup:
        return train.lr * (step + 1) / (warmup + 1)
    if train.schedule == "constant":
        return train.lr
    done = (step - warmup) / max(1, steps - warmup)
    return train.lr * 0.5 * (1 + math.cos(math.pi * done))


@contextmanager
def uphill(model: nn.Module, radius: float) -> Iterator[None]:
    """Sharpness-aware minimisation (Foret et al. 2021, eq. 2): a context with the worst nearby weights.

    On entry the weights w become w + radius · g / ‖g‖ by the gradients g of all of them, which are then
    emptied; on leaving they are w again, to the bit, and the gradients are those of the neighbour.
    `radius` is ρ, the length of the step.
    """
    moved = [p for p in model.parameters() if p.grad is not None]
    before = [p.detach().clone() for p in moved]
    with torch.no_grad():
        norm = torch.nn.utils.get_total_norm([p.grad for p in moved])
        for p in moved:
            p.add_(p.grad * (radius / norm.clamp(min=1e-12)))
            p.grad = None
    try:
        yield
    finally:
        with torch.no_grad():
            for p, old in zip(moved, before, strict=True):
                p.copy_(old)


class Average:
    """Exponential moving average of a model's weights, evaluated and saved instead of them.

    Its decay rises from 0 as (1 + t) / (10 + t), so that early steps are forgotten (TensorFlow's rule).
    """

    def __init__(self, weights: Mapping[str, Tensor], decay: float) -> None:
        self.decay = decay
        self.step = 0
        self.weights = {name: value.detach().clone() for name, value in weights.items()}

    @torch.no_grad()
    def update(self, weights: Mapping[str, Tensor]) -> None:
        """Take in the weights after a step."""
        decay = min(self.decay, (1 + self.step) / (10 + self.step))
        self.step += 1
        averaged = [name for name, value in weights.items() if value.is_floating_point()]
        pairs = [self.weights[name] for name in averaged], [weights[name] for name in averaged]
        get_ema_multi_avg_fn(decay)(*pairs, None)
        for name in weights.keys() - set(averaged):
            self.weights[name].copy_(weights[name])

    def state(self) -> dict[str, Tensor]:
        """The averaged weights, named as the model's."""
        return self.weights
