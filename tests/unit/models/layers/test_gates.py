"""Gates mix two streams as their formulae say."""

from __future__ import annotations

import numpy as np
import torch

from ugcl.models.layers.gates import ConvexGate, GatedUnit, GroupGate, TensorLayer, TwoSigmoidGate


def sigmoid(x):
    return 1 / (1 + np.exp(-x))


def vectors(*shapes):
    torch.manual_seed(0)
    return [torch.randn(*shape) for shape in shapes]


def numbers(layer):
    return {name: p.detach().numpy() for name, p in layer.named_parameters()}


def close(found, expected):
    torch.testing.assert_close(found, torch.as_tensor(expected, dtype=torch.float32), rtol=1e-5, atol=1e-6)


def test_convex_gate_on_vectors_and_frames():
    a, b = vectors((2, 3, 4), (2, 3, 4))
    gate = ConvexGate(4)
    p, both = numbers(gate), np.concatenate([a, b], axis=-1)
    share = sigmoid(both @ p["gate.weight"].T + p["gate.bias"])
    close(gate(a, b), share * a.numpy() + (1 - share) * b.numpy())
    close(gate(a[:, 0], b[:, 0]), gate(a, b)[:, 0].detach())


def test_an_open_convex_gate_gives_the_first_stream_and_a_closed_one_the_second():
    a, b = vectors((2, 4), (2, 4))
    gate = ConvexGate(4)
    torch.nn.init.zeros_(gate.gate.weight)
    for bias, expected in ((100.0, a), (-100.0, b), (0.0, (a + b) / 2)):
        torch.nn.init.constant_(gate.gate.bias, bias)
        close(gate(a, b), expected)


def test_two_sigmoid_gate_has_weights_of_their_own():
    a, b = vectors((5, 3), (5, 3))
    gate = TwoSigmoidGate(3)
    p, both = numbers(gate), np.concatenate([a, b], axis=-1)
    first, second = (
        sigmoid(both @ p[f"{name}.weight"].T + p[f"{name}.bias"]) for name in ("first", "second")
    )
    close(gate(a, b), first * a.numpy() + second * b.numpy())


def unit_by_hand(p, a, b, prefix=""):
    share = sigmoid(np.concatenate([a, b], axis=-1) @ p[f"{prefix}gate.weight"].T)
    first, second = np.tanh(a @ p[f"{prefix}first.weight"].T), np.tanh(b @ p[f"{prefix}second.weight"].T)
    return share * first + (1 - share) * second


def test_gated_unit_of_unequal_widths():
    a, b = vectors((5, 3), (5, 2))
    unit = GatedUnit(3, 2, 4)
    close(unit(a, b), unit_by_hand(numbers(unit), a.numpy(), b.numpy()))


def test_group_gate_is_the_sum_of_its_units():
    a, b, c, d = vectors((5, 3), (5, 2), (5, 4), (5, 6))
    gate = GroupGate([(3, 2), (4, 6)], 7)
    p = numbers(gate)
    expected = unit_by_hand(p, a.numpy(), b.numpy(), "units.0.")
    expected = expected + unit_by_hand(p, c.numpy(), d.numpy(), "units.1.")
    close(gate([(a, b), (c, d)]), expected)


def test_tensor_layer_holds_both_vectors_and_their_products():
    a, b = torch.tensor([[2.0, 3.0]]), torch.tensor([[5.0, 7.0, 11.0]])
    close(TensorLayer()(a, b), [[10, 14, 22, 2, 15, 21, 33, 3, 5, 7, 11, 1]])
    close(TensorLayer(0.0)(a, b), [[10, 14, 22, 0, 15, 21, 33, 0, 0, 0, 0, 0]])
