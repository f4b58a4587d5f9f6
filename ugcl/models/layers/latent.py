"""Latent codes: auto-encoders, a variational one, and what an adversarial term needs."""

from __future__ import annotations

import itertools

import torch
from torch import Tensor, nn


class AutoEncoder(nn.Module):
    """A code of every vector and the vector made from it again: s = E(x), x' = D(s)."""

    def __init__(self, width: int, hidden: int) -> None:
        """Make perceptrons with a hidden layer: width → width → hidden, and back."""
        super().__init__()
        self.encoder = nn.Sequential(nn.Linear(width, width), nn.GELU(), nn.Linear(width, hidden))
        self.decoder = nn.Sequential(nn.Linear(hidden, width), nn.GELU(), nn.Linear(width, width))

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """(…, W) → code (…, H) and reconstruction (…, W)."""
        code = self.encoder(x)
        return code, self.decoder(code)


class ResidualAutoEncoder(nn.Module):
    """A cascade of auto-encoders, each on its input plus what the one before made (Zhao et al. 2021, MMIN).

    x_1 = x,  x_{k+1} = x_k + D_k(E_k(x_k));  out = transition(x_{K+1}),  latent = [E_1(x_1); …; E_K(x_K)].
    """

    def __init__(self, width: int, sizes: tuple[int, ...], blocks: int = 3) -> None:
        """Make `blocks` auto-encoders whose encoders have layers of these sizes, width → … → sizes[-1]."""
        super().__init__()
        down, up = (width, *sizes), (*reversed(sizes), width)
        self.encoders = nn.ModuleList(_perceptron(down, nn.LeakyReLU) for _ in range(blocks))
        self.decoders = nn.ModuleList(_perceptron(up, nn.ReLU) for _ in range(blocks))
        self.transition = nn.Sequential(nn.Linear(width, width), nn.ReLU(), nn.Linear(width, width))

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """(…, W) → output (…, W) and the latents (…, blocks · sizes[-1])."""
        latents = []
        for encoder, decoder in zip(self.encoders, self.decoders, strict=True):
            latents.append(encoder(x))
            x = x + decoder(latents[-1])
        return self.transition(x), torch.cat(latents, dim=-1)


def _perceptron(sizes: tuple[int, ...], activation: type[nn.Module]) -> nn.Sequential:
    """Linear layers of these sizes with an activation between them."""
    layers: list[nn.Module] = []
    for size, following in itertools.pairwise(sizes):
        layers += [nn.Linear(size, following), activation()]
    return nn.Sequential(*layers[:-1])


class Variational(nn.Module):
    """The encoder of a variational auto-encoder (Kingma and Welling 2014, §2.4): z = μ(x) + σ(x) ⊙ ε.

    ε ~ N(0, I) is drawn in training only; in evaluation z = μ.
    """

    def __init__(self, size: int, hidden: int, latent: int) -> None:
        super().__init__()
        self.body = nn.Sequential(nn.Linear(size, hidden), nn.GELU())
        self.mean = nn.Linear(hidden, latent)
        self.log_variance = nn.Linear(hidden, latent)

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """(…, size) → z, μ and log σ², each (…, latent)."""
        h = self.body(x)
        mean, log_variance = self.mean(h), self.log_variance(h)
        if not self.training:
            return mean, mean, log_variance
        return mean + (log_variance / 2).exp() * torch.randn_like(mean), mean, log_variance


def reverse_gradient(x: Tensor, scale: float = 1.0) -> Tensor:
    """x with its gradient times −κ: R(x) = −κ x + (1 + κ) · stopgrad(x) (Ganin and Lempitsky 2015, §3.2).

    Written as a sum, so that it needs no autograd function of its own and can be vmapped.

    Args:
        x: any shape.
        scale: κ ≥ 0.
    """
    return (1 + scale) * x.detach() - scale * x


class Discriminator(nn.Sequential):
    """Logits of whether codes are real, or of which class they are, (…, W) → (…, outputs)."""

    def __init__(self, width: int, hidden: int, outputs: int = 1) -> None:
        super().__init__(nn.Linear(width, hidden), nn.LeakyReLU(0.2), nn.Linear(hidden, outputs))
