"""The graph of the turns of a dialogue: who is whose neighbour, and what is read of them."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from ugcl.models.dialogue.graph import Edges, GraphLayer
from ugcl.models.dialogue.turns import Turns

GROUP = torch.tensor([0, 0, 0, 0, 1, 1, 2])
TURN = torch.tensor([0, 1, 2, 3, 0, 1, 0])
SPEAKER = torch.tensor([0, 1, 1, 0, 2, 2, 3])


@pytest.mark.parametrize("past", [False, True])
@pytest.mark.parametrize("reach", [1, 2, 9])
def test_neighbours_are_other_turns_of_the_dialogue_in_the_window(past, reach):
    turns = Turns(GROUP, TURN, SPEAKER, past)
    near = Edges.within(turns, reach).near
    for dialogue, length in enumerate((4, 2, 1)):
        for i in range(4):
            expected = [j for j in range(i - reach, i if past else i + reach + 1) if j != i]
            expected = [j for j in expected if 0 <= j < length] if i < length else []
            assert near[dialogue, i].nonzero().flatten().tolist() == expected, (dialogue, i)


@pytest.mark.parametrize("past", [False, True])
@pytest.mark.parametrize("aggregation", ["mean", "attention"])
def test_a_layer_reads_neighbours_by_weights_of_their_speaker_and_direction(aggregation, past):
    torch.manual_seed(0)
    layer, x = GraphLayer(6, 2, aggregation, 0.0, past), torch.randn(7, 6)
    if aggregation == "attention":
        torch.nn.init.normal_(layer.place)
    turns = Turns(GROUP, TURN, SPEAKER, past)
    with torch.no_grad():
        found = turns.clips(layer(turns.rows(x), Edges.within(turns, 2))).numpy()
        x, weights = x.numpy(), {name: p.numpy() for name, p in layer.named_parameters()}
    for i in range(7):
        apart = {j: int(TURN[j] - TURN[i]) for j in range(7) if GROUP[j] == GROUP[i]}
        apart = {j: d for j, d in apart.items() if d and -2 <= d <= (0 if past else 2)}
        kind = {
            j: ("same" if SPEAKER[j] == SPEAKER[i] else "other") + ("_before" if d < 0 else "_after")
            for j, d in apart.items()
        }
        if aggregation == "attention":
            query = weights["query.weight"] @ x[i] + weights["query.bias"]
            scores = {
                j: np.exp(query @ weights["key.weight"] @ x[j] / np.sqrt(6) + weights["place"][d + 2])
                for j, d in apart.items()
            }
            shares = {j: score / sum(scores.values()) for j, score in scores.items()}
        else:
            shares = {j: 1 / list(kind.values()).count(kind[j]) for j in kind}
        read = weights["own.weight"] @ x[i] + weights["own.bias"]
        for j, share in shares.items():
            read = read + share * (weights[f"relations.{kind[j]}.weight"] @ x[j])
        np.testing.assert_allclose(found[i], x[i] + np.maximum(read, 0), rtol=1e-5, atol=1e-5)


def test_a_node_without_edges_is_as_a_dialogue_of_one_turn():
    torch.manual_seed(0)
    layer, x = GraphLayer(6, 2, "attention", 0.0, past=False), torch.randn(7, 6)
    turns = Turns(GROUP, TURN, SPEAKER)
    whole = turns.clips(layer(turns.rows(x), Edges.within(turns, 2)))
    alone = layer(x[:, None], Edges.none(x[:, None]))[:, 0]
    torch.testing.assert_close(alone[6], whole[6])
    assert (alone[:6] - whole[:6]).abs().amax(dim=1).min() > 1e-4
