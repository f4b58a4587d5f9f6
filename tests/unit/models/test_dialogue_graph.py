"""The graph of the turns of a dialogue: who is whose neighbour, and what is read of them."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from ugcl.models.dialogue.graph import GraphLayer, TurnGraph, window_edges
from ugcl.models.dialogue.turns import Turns

GROUP = torch.tensor([0, 0, 0, 0, 1, 1, 2])
TURN = torch.tensor([0, 1, 2, 3, 0, 1, 0])
SPEAKER = torch.tensor([0, 1, 1, 0, 2, 2, 3])


@pytest.mark.parametrize("past", [False, True])
@pytest.mark.parametrize("reach", [1, 2, 9])
def test_neighbours_are_other_turns_of_the_dialogue_in_the_window(past, reach):
    turns = Turns(GROUP, TURN, SPEAKER, past)
    edges = window_edges(turns, reach)
    for dialogue, length in enumerate((4, 2, 1)):
        for i in range(4):
            expected = [j for j in range(i - reach, i if past else i + reach + 1) if j != i]
            expected = [j for j in expected if 0 <= j < length] if i < length else []
            assert edges[dialogue, i].nonzero().flatten().tolist() == expected, (dialogue, i)


@pytest.mark.parametrize("aggregation", ["mean", "attention"])
def test_a_layer_reads_neighbours_of_the_same_speaker_and_of_others_by_weights_of_their_own(aggregation):
    torch.manual_seed(0)
    layer, x = GraphLayer(6, aggregation, 0.0), torch.randn(7, 6)
    turns = Turns(GROUP, TURN, SPEAKER)
    with torch.no_grad():
        found = turns.clips(layer(turns.rows(x), window_edges(turns, 2), turns.same)).numpy()
        x, weights = x.numpy(), {name: p.numpy() for name, p in layer.named_parameters()}
    for i in range(7):
        near = [j for j in range(7) if GROUP[j] == GROUP[i] and 0 < abs(TURN[j] - TURN[i]) <= 2]
        read = weights["own.weight"] @ x[i] + weights["own.bias"]
        kin = {j: bool(SPEAKER[j] == SPEAKER[i]) for j in near}
        if aggregation == "attention":
            query = weights["query.weight"] @ x[i] + weights["query.bias"]
            scores = np.exp([query @ weights["key.weight"] @ x[j] / np.sqrt(6) for j in near])
            shares = dict(zip(near, scores / scores.sum(), strict=True))
        else:
            shares = {j: 1 / sum(other == kin[j] for other in kin.values()) for j in near}
        for j in near:
            read = read + shares[j] * (weights["same.weight" if kin[j] else "other.weight"] @ x[j])
        np.testing.assert_allclose(found[i], x[i] + np.maximum(read, 0), rtol=1e-5, atol=1e-5)


def test_a_node_without_edges_is_as_a_dialogue_of_one_turn():
    torch.manual_seed(0)
    graph, x = TurnGraph(2, 6, "attention", 0.0), torch.randn(7, 6)
    turns = Turns(GROUP, TURN, SPEAKER)
    whole = turns.clips(graph(turns.rows(x), window_edges(turns, 2), turns.same))
    torch.testing.assert_close(graph.alone(x)[6], whole[6])
    assert (graph.alone(x)[:6] - whole[:6]).abs().amax(dim=1).min() > 1e-4
