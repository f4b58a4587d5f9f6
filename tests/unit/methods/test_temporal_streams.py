"""LFAN and CAN by their formulae, written out for one frame at a time."""

from __future__ import annotations

import torch
import torch.nn.functional as F

from ugcl.methods.audiovisual.can import ChannelNetwork
from ugcl.methods.audiovisual.lfan import LeaderFollower

WIDTHS, CHANNELS = (6, 5), ((7, 8), (4, 3))
MASK = torch.arange(9) < torch.tensor([[9], [4]])


def made(network):
    """The network with random parameters and statistics, in evaluation; and its streams."""
    torch.manual_seed(0)
    for name, x in network.state_dict().items():
        x.uniform_(0.5, 1.5) if name.endswith("running_var") else x.normal_(std=0.5)
    return network.eval(), [torch.randn(2, 9, width) for width in WIDTHS]


def test_followers_of_each_frame():
    network, streams = made(LeaderFollower(WIDTHS, CHANNELS, follower=4, heads=2, classes=3))
    x = [u[0] for u in network.temporal(streams, MASK)]
    parts = network.followers
    for t in range(9):
        # Per modality and head: queries, keys and values are the thirds of the head's six columns.
        own = [linear(u[t]).reshape(2, 3, 2) for linear, u in zip(parts.linears, x, strict=True)]
        read = []
        for head in range(2):
            for m in range(2):
                scores = torch.stack([own[m][head, 0] @ own[n][head, 1] for n in range(2)]) / 2**0.5
                shares = scores.exp() / scores.exp().sum()
                mixed = shares[0] * own[0][head, 2] + shares[1] * own[1][head, 2]
                read.append(mixed + own[m][head, 2])
        followers = F.layer_norm(parts.out(torch.cat(read)), (8,), parts.norm.weight, parts.norm.bias)
        expected = network.classifier(torch.cat([x[0][t], followers]))
        torch.testing.assert_close(network(streams, MASK)[0, t], expected)


def test_channel_attention_of_each_frame():
    network, streams = made(ChannelNetwork(WIDTHS, CHANNELS, columns=4, classes=3))
    x = [u[0] for u in network.temporal(streams, MASK)]
    norm = network.norm
    for t in range(9):
        h = torch.cat([linear(u[t]) for linear, u in zip(network.attention.linears, x, strict=True)])
        shares = network.attention.attention(h).exp()
        h = network.linear(shares / shares.sum() * h)
        h = (h - norm.running_mean) / (norm.running_var + norm.eps).sqrt() * norm.weight + norm.bias
        expected = network.classifier(torch.where(h > 0, h, 0.01 * h))
        torch.testing.assert_close(network(streams, MASK)[0, t], expected)


def test_later_frames_and_padding_change_no_frame():
    for network in (
        LeaderFollower(WIDTHS, CHANNELS, follower=4, heads=2, classes=3),
        ChannelNetwork(WIDTHS, CHANNELS, columns=4, classes=3),
    ):
        network, streams = made(network)
        for stream in range(2):
            changed = [x.clone() for x in streams]
            changed[stream][:, 4:] += 1.0
            moved = (network(changed, MASK) - network(streams, MASK)).abs().amax(dim=2) > 1e-6
            assert not moved[:, :4].any() and moved[:, 4].all()
