"""CEN gives the numbers of the released code; its 3×3 convolution stands in for ours over frames."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import torch
from torch import Tensor, nn

from ugcl.methods.audiovisual.cen import ExchangeBlock, exchange

if TYPE_CHECKING:
    from tests.golden.conftest import Golden

CLOSE = {"rtol": 0, "atol": 1e-5}


class OverPictures(nn.Module):
    """A convolution of pictures whose points stand in one row."""

    def __init__(self, convolution: nn.Conv2d, shape: tuple[int, int]) -> None:
        super().__init__()
        self.convolution, self.shape = convolution, shape

    def forward(self, x: Tensor) -> Tensor:
        return self.convolution(x.unflatten(-1, self.shape)).flatten(2)


def rows(x: Tensor) -> Tensor:
    return x.flatten(2).mT


def test_exchange_blocks_and_penalty(peer: Callable[[str], Golden]) -> None:
    golden = peer("cen")
    have, sizes, weights = golden.tensors, golden.arguments, golden.part("weight.")
    count = sizes["num_parallel"]
    streams = [have[f"input.x{m}"] for m in range(count)]
    shape, streams = tuple(streams[0].shape[2:]), [rows(x) for x in streams]
    mask = torch.ones(streams[0].shape[:2], dtype=torch.bool)
    penalties, taken = [], set()
    for k in range(sizes["blocks"]):
        block = ExchangeBlock(sizes["inplanes"], sizes["planes"], count, sizes["bn_threshold"]).eval()
        block.conv2 = OverPictures(
            nn.Conv2d(sizes["planes"], sizes["planes"], 3, padding=1, bias=False), shape
        )
        state = {}
        for name in block.state_dict():
            layer, *rest = name.split(".")
            if rest[-1] == "num_batches_tracked":
                state[name] = block.state_dict()[name]
                continue
            own = "module.weight" if layer.startswith("conv") else f"bn_{rest[0]}.{rest[1]}"
            theirs = f"block{k}.{layer}.{own}"
            taken.add(theirs)
            state[name] = weights[theirs].reshape(block.state_dict()[name].shape)
        block.load_state_dict(state)
        before = block.before(streams, mask)
        after = exchange(before, [norm.weight for norm in block.bn2], block.threshold)
        streams = block(streams, mask)
        for m in range(count):
            for name, value in (("ex_in", before), ("ex_out", after), ("out", streams)):
                expected = have[f"activation.block{k}_{name}{m}"]
                torch.testing.assert_close(value[m], rows(expected), **CLOSE, msg=f"{k} {name}{m}")
        penalties.append(block.penalty())
    torch.testing.assert_close(penalties[0], have["output.loss_l1_block0"], **CLOSE)
    torch.testing.assert_close(sum(penalties), have["output.loss_l1"], **CLOSE)
    for m in range(count):
        torch.testing.assert_close(streams[m], rows(have[f"output.out{m}"]), **CLOSE)
    assert weights.keys() == taken
