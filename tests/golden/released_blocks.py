"""Weights of released transformer blocks under this project's names; HiCMAE and AVF-MAE++ share the code."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor, nn


class Weights:
    """The weights of a file; remembers which were taken."""

    def __init__(self, tensors: dict[str, Tensor]) -> None:
        self.tensors, self.taken = tensors, set()

    def __call__(self, name: str) -> Tensor:
        """One tensor."""
        self.taken.add(name)
        return self.tensors[name]

    def pair(self, ours: str, theirs: str) -> dict[str, Tensor]:
        """Weight and bias of a linear layer or a normalisation."""
        return {f"{ours}.{kind}": self(f"{theirs}.{kind}") for kind in ("weight", "bias")}

    def attention(self, ours: str, theirs: str) -> dict[str, Tensor]:
        """Attention; queries, keys and values are in one matrix, or queries in one of their own."""
        if f"{theirs}.qkv.weight" in self.tensors:
            query, key, value = self(f"{theirs}.qkv.weight").chunk(3)
        else:
            query, (key, value) = self(f"{theirs}.q.weight"), self(f"{theirs}.kv.weight").chunk(2)
        return {
            f"{ours}.query.weight": query,
            f"{ours}.key.weight": key,
            f"{ours}.value.weight": value,
            f"{ours}.query.bias": self(f"{theirs}.q_bias"),
            f"{ours}.value.bias": self(f"{theirs}.v_bias"),
            **self.pair(f"{ours}.out", f"{theirs}.proj"),
        }

    def feed_forward(self, ours: str, norm: str, mlp: str) -> dict[str, Tensor]:
        """Normalisation and perceptron."""
        return (
            self.pair(f"{ours}.0", norm)
            | self.pair(f"{ours}.1", f"{mlp}.fc1")
            | self.pair(f"{ours}.3", f"{mlp}.fc2")
        )

    def self_block(self, ours: str, theirs: str) -> dict[str, Tensor]:
        """A pre-normalised transformer layer."""
        return (
            self.pair(f"{ours}.norm", f"{theirs}.norm1")
            | self.attention(f"{ours}.attention", f"{theirs}.attn")
            | self.feed_forward(f"{ours}.feed_forward", f"{theirs}.norm2", f"{theirs}.mlp")
        )

    def cross_read(self, ours: str, attention: str, norm: str, other: str) -> dict[str, Tensor]:
        """Attention to another sequence, with its two normalisations."""
        return (
            self.pair(f"{ours}.norm", norm)
            | self.pair(f"{ours}.norm_other", other)
            | self.attention(f"{ours}.attention", attention)
        )

    def cross_self_block(self, ours: str, theirs: str) -> dict[str, Tensor]:
        """A block that reads another stream, then itself."""
        read = (f"{theirs}.{name}" for name in ("cross_attn", "cross_norm1", "cross_norm2"))
        return self.cross_read(f"{ours}.read", *read) | self.self_block(f"{ours}.block", theirs)


def eps_as(module: nn.Module, arguments: dict, released: Callable[[str], bool] = lambda _: True) -> nn.Module:
    """Give the layer normalisations the ε of the released arguments, a size like any other."""
    eps = float(arguments["norm_layer"].partition("eps=")[2].rstrip(")"))
    for name, layer in module.named_modules():
        if isinstance(layer, nn.LayerNorm) and released(name):
            layer.eps = eps
    return module.eval()


def patches(x: Tensor, weights: Weights, name: str) -> Tensor:
    """The released patch embedding, which comes before what this project has: tokens (B, N, W)."""
    kernel = weights(f"{name}.weight")
    convolve = torch.conv3d if kernel.dim() == 5 else torch.conv2d
    x = convolve(x, kernel, weights(f"{name}.bias"), stride=kernel.shape[2:])
    return x.flatten(2).transpose(1, 2)
