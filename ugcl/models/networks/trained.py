"""Which part of a pretrained network is trained, how fast, and what of it a checkpoint keeps."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor, nn

from ugcl.errors import UgclError

if TYPE_CHECKING:
    from ugcl.config.system.networks import TrainedNetwork as Settings

DIGEST = "base"
"""Buffer with the SHA-256 of the weights that training began from."""


class TrainedNetwork(nn.Module):
    """A pretrained network of transformer layers in a method, whatever it reads; a subclass calls it.

    Its state has what is trained and the SHA-256 of the weights that it started from; the rest is read from
    those again when a state is loaded.

    Attributes:
        network: of transformers.
    """

    def __init__(self, network: nn.Module, settings: Settings, digest: str, where: str) -> None:
        """Take a pretrained network.

        Args:
            network: with its weights.
            settings: which part is trained.
            digest: SHA-256 of the weights, 64 hexadecimal digits.
            where: place of the network in the parameters, for messages.

        Raises:
            UgclError: the network has fewer layers than are asked for, or mode is lora without peft.
        """
        super().__init__()
        self.settings, self.where = settings, where
        # None of the layers reads it, and a part that gives nothing cannot learn.
        if getattr(network, "pooler", None) is not None:
            network.pooler = None
        self.network, self._place = network, _layers(network, where)
        count = len(self.layers)
        wanted = settings.layers or count
        if wanted > count:
            raise UgclError(f"{where}.layers: the network has {count} layers; choose 1..{count}")
        self.first = count - wanted  # the lowest layer that is trained
        for module in network.modules():
            if isinstance(module, nn.Dropout):
                module.p = settings.dropout
        self._choose()
        if settings.checkpointing:
            network.activation_checkpointing_enable({"use_reentrant": False})
        self.register_buffer(DIGEST, torch.tensor(list(bytes.fromhex(digest)), dtype=torch.uint8))
        self.register_state_dict_post_hook(_without_the_rest)
        self.register_load_state_dict_pre_hook(_with_the_rest)

    @property
    def layers(self) -> nn.ModuleList:
        """The transformer layers, the lowest first."""
        return self.network.get_submodule(self._place)  # pyright: ignore[reportReturnType]

    def _choose(self) -> None:
        """Say which parameters are trained; with LoRA, add them."""
        mode = self.settings.mode
        if mode == "lora":
            add_adapters(self.network, self._place, range(self.first, len(self.layers)), self.settings)
            return
        for name, parameter in self.network.named_parameters():
            depth = self.depth(name)
            parameter.requires_grad_(mode == "all" or (mode == "last" and depth >= self.first))

    def depth(self, name: str) -> int:
        """Layer of a parameter of `network`, from 0; −1 below the layers, their number above them."""
        inside = f"{self._place}."
        if name.startswith(inside):
            return int(name.removeprefix(inside).partition(".")[0])
        # What the network has after its layers, such as a last norm, is read after them.
        order = [part for part, _ in self.network.named_modules()]
        above = order.index(name.rpartition(".")[0]) > order.index(self._place)
        return len(self.layers) if above else -1

    def trained(self) -> Iterator[tuple[str, nn.Parameter]]:
        """The parameters that are trained, by their names in this module."""
        return ((name, p) for name, p in self.named_parameters() if p.requires_grad)

    def rates(self) -> dict[str, float]:
        """Peak learning rate of each trained parameter by its name in this module.

        Layer l of L has lr · decay^(L − 1 − l); what is below all layers counts as layer −1 (layer-wise
        decay: Clark et al. 2020, ELECTRA, appendix A).
        """
        lr, decay, top = self.settings.lr, self.settings.decay, len(self.layers) - 1
        depths = {name: self.depth(name.removeprefix("network.")) for name, _ in self.trained()}
        return {name: lr * decay ** (top - min(depth, top)) for name, depth in depths.items()}

    def train(self, mode: bool = True) -> TrainedNetwork:
        """Switch dropout, which frozen parts never have, so that they give what a frozen encoder gives."""
        super().train(mode)
        if mode and self.settings.mode in ("frozen", "last"):
            self.network.eval()
            for layer in self.layers[self.first :] if self.settings.mode == "last" else ():
                layer.train()
        return self


def _layers(network: nn.Module, where: str) -> str:
    """Name of the list of a network's transformer layers.

    Raises:
        UgclError: it has no list of as many layers as its configuration says.
    """
    count = network.config.num_hidden_layers
    for name, module in network.named_modules():
        if isinstance(module, nn.ModuleList) and len(module) == count:
            return name
    kind = type(network).__name__
    raise UgclError(f"{where}: {kind} has no list of {count} layers; choose a network of transformer layers")


def add_adapters(network: nn.Module, layers: str, chosen: range, settings: Settings) -> None:
    """Add LoRA (Hu et al. 2022, section 4) to every linear map of some layers, in place.

    Args:
        network: its own parameters are frozen by this.
        layers: name of the list of layers.
        chosen: which of them.
        settings: rank and scale.

    Raises:
        UgclError: peft is not installed.
    """
    try:
        from peft import LoraConfig, inject_adapter_in_model
    except ImportError:
        raise UgclError(
            "encoder.networks: mode lora needs the package peft; run pip install -e '.[lora]', or choose"
            " another mode"
        ) from None
    targets = [
        name
        for name, module in network.named_modules()
        if isinstance(module, nn.Linear) and any(name.startswith(f"{layers}.{i}.") for i in chosen)
    ]
    own = LoraConfig(
        r=settings.rank,
        lora_alpha=settings.alpha,
        lora_dropout=settings.dropout,
        target_modules=targets,
    )
    inject_adapter_in_model(own, network)
    for name, parameter in network.named_parameters():
        parameter.requires_grad_("lora_" in name)


def _without_the_rest(module: TrainedNetwork, state: dict[str, Tensor], prefix: str, _: Any) -> None:
    """Leave out of a state what is not trained."""
    kept = {f"{prefix}{name}" for name, _ in module.trained()} | {prefix + DIGEST}
    for name in [name for name in state if name.startswith(prefix) and name not in kept]:
        del state[name]


def _with_the_rest(module: TrainedNetwork, state: dict[str, Tensor], prefix: str, *_: Any) -> None:
    """Put into a state what is not trained, after a check that the state began from the same weights."""
    own, found = getattr(module, DIGEST), state.get(prefix + DIGEST)
    if found is not None and found.tolist() != own.tolist():
        was, now = (bytes(digest.tolist()).hex()[:12] for digest in (found, own))
        raise UgclError(
            f"{module.where}: the network was trained from weights with sha256 {was}…, those here have"
            f" {now}…; put the first ones back, or train again"
        )
    trained = {prefix + name for name, _ in module.trained()}
    for name, value in module.network.state_dict(prefix=f"{prefix}network.").items():
        if name not in trained:
            state.setdefault(name, value)
