"""Auto-encoders against their formulae, and the reversed gradient."""

from __future__ import annotations

import torch
import torch.nn.functional as F

from ugcl.models.layers.latent import (
    AutoEncoder,
    Discriminator,
    ResidualAutoEncoder,
    Variational,
    reverse_gradient,
)


def test_an_auto_encoder_codes_each_frame_by_itself():
    torch.manual_seed(0)
    model, x = AutoEncoder(6, 3), torch.randn(2, 4, 6)
    code, back = model(x)
    assert code.shape == (2, 4, 3) and back.shape == x.shape
    torch.testing.assert_close(model(x[1, 2])[1], back[1, 2])


def test_residual_auto_encoder_against_a_computation_by_hand():
    torch.manual_seed(0)
    model, x = ResidualAutoEncoder(4, (3, 2), blocks=2), torch.randn(5, 4)
    linear = lambda layer, h: h @ layer.weight.T + layer.bias  # noqa: E731
    h, latents = x, []
    for encoder, decoder in zip(model.encoders, model.decoders, strict=True):
        code = linear(encoder[2], F.leaky_relu(linear(encoder[0], h), 0.01))
        h = h + linear(decoder[2], linear(decoder[0], code).clamp_min(0))
        latents.append(code)
    expected = linear(model.transition[2], linear(model.transition[0], h).clamp_min(0))
    out, found = model(x)
    torch.testing.assert_close(out, expected)
    torch.testing.assert_close(found, torch.cat(latents, dim=1))
    assert found.shape == (5, 4)


def test_a_variational_code_is_drawn_in_training_only():
    torch.manual_seed(0)
    model, x = Variational(5, 8, 3), torch.randn(1, 5).expand(20000, 5)
    z, mean, log_variance = model.eval()(x)
    assert torch.equal(z, mean)
    z, mean, log_variance = model.train()(x)
    torch.testing.assert_close(z.mean(dim=0), mean[0], atol=0.05, rtol=0)
    torch.testing.assert_close(z.var(dim=0), log_variance[0].exp(), atol=0.05, rtol=0.05)


def test_a_reversed_gradient_leaves_the_value():
    x = torch.tensor([1.5, -2.0], requires_grad=True)
    y = reverse_gradient(x, 0.3)
    torch.testing.assert_close(y, x)
    (torch.tensor([2.0, 5.0]) * y).sum().backward()
    torch.testing.assert_close(x.grad, torch.tensor([-0.6, -1.5]))


def test_a_reversed_gradient_can_be_vmapped():
    x = torch.randn(3, 4)
    gradient = torch.func.vmap(torch.func.grad(lambda row: reverse_gradient(row, 2.0).square().sum()))(x)
    torch.testing.assert_close(gradient, -2.0 * 2 * x)


def test_a_discriminator_learns_to_separate_two_clouds():
    torch.manual_seed(0)
    model = Discriminator(2, 8)
    optimiser = torch.optim.Adam(model.parameters(), 0.05)
    real, made = torch.randn(64, 2) + 2, torch.randn(64, 2) - 2
    for _ in range(60):
        optimiser.zero_grad()
        (F.softplus(-model(real)).mean() + F.softplus(model(made)).mean()).backward()
        optimiser.step()
    assert (model(real) > 0).float().mean() > 0.9 and (model(made) < 0).float().mean() > 0.9
