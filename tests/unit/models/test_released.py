"""The released network has the faults that were measured in its code, and each switch repairs its own."""

from __future__ import annotations

import math

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor

from tests.unit.models.made_systems import CONFIG, INFOS, make_batch, take
from ugcl.config import Run
from ugcl.losses.classification import double_softmax_focal, focal
from ugcl.losses.contrast import attraction
from ugcl.losses.matching import nearest
from ugcl.methods.build import build
from ugcl.models.crossmodal import hidden_keys, hidden_keys_of_clips
from ugcl.models.released_fusion import ReleasedFusion
from ugcl.training.objective import objective

CLIPS, AUDIO, VIDEO = 4, 9, 6


def made(**switches: bool) -> ReleasedFusion:
    torch.manual_seed(0)
    return ReleasedFusion(12, 20, 4, tokens=32, layers=2, **switches).eval()


@pytest.fixture
def clips() -> tuple[Tensor, Tensor]:
    generator = torch.Generator().manual_seed(1)
    audio = torch.randn(CLIPS, AUDIO, 12, generator=generator)
    return audio, torch.randn(CLIPS, VIDEO, 20, generator=generator)


def auxiliary(model: ReleasedFusion, audio: Tensor, video: Tensor) -> Tensor:
    """The auxiliary audio vectors (B, W), caught at the similarity's input."""
    coded = model.UGT(model.conv_1d_a(audio.transpose(1, 2)).transpose(1, 2), video)[1]
    lengths = torch.full((len(audio),), audio.shape[1])
    return model._auxiliary(coded, lengths, "a")


def changed(model: ReleasedFusion, clips: tuple[Tensor, Tensor], victim: int) -> list[bool]:
    """Whose auxiliary vectors move when one clip is replaced."""
    audio, video = clips
    other = audio.clone()
    other[victim] = torch.randn(AUDIO, 12, generator=torch.Generator().manual_seed(2))
    moved = (auxiliary(model, audio, video) - auxiliary(model, other, video)).abs().amax(dim=1)
    return (moved > 1e-5).tolist()


@torch.no_grad()
def test_auxiliary_branch_attends_over_the_batch(clips: tuple[Tensor, Tensor]) -> None:
    assert changed(made(), clips, 0) == [True, True, True, True]
    assert changed(made(), clips, 2) == [False, False, True, True]
    assert changed(made(batch_attention=False), clips, 0) == [True, False, False, False]


@torch.no_grad()
def test_auxiliary_branch_is_blind_to_time(clips: tuple[Tensor, Tensor]) -> None:
    audio, video = clips
    shuffled = audio[:, [5, 2, 7, 0, 4, 1, 3, 6, 8]]  # the last frame stays
    for fault, blind in ((True, True), (False, False)):
        model = made(batch_attention=fault)
        same = torch.allclose(auxiliary(model, audio, video), auxiliary(model, shuffled, video), atol=1e-6)
        assert same is blind


@torch.no_grad()
def test_logits_of_a_clip_never_depend_on_others(clips: tuple[Tensor, Tensor]) -> None:
    audio, video = clips
    whole = made()(audio, video).logits
    torch.testing.assert_close(made()(audio[1:2], video[1:2]).logits, whole[1:2])


@torch.no_grad()
@pytest.mark.parametrize("more_audio, more_video", [(3, 0), (0, 5), (4, 2)])
@pytest.mark.parametrize("batch_attention", [True, False])
def test_frames_beyond_a_clip_are_read_unless_its_length_is_told(
    clips: tuple[Tensor, Tensor], more_audio: int, more_video: int, batch_attention: bool
) -> None:
    audio, video = clips
    padded = F.pad(audio, (0, 0, 0, more_audio)), F.pad(video, (0, 0, 0, more_video))
    valid = torch.full((CLIPS,), AUDIO), torch.full((CLIPS,), VIDEO)
    model = made(batch_attention=batch_attention, live_dropout=False)
    expected = model(audio, video)
    assert (model(*padded).logits - expected.logits).abs().max() > 1e-3
    torch.testing.assert_close(model(*padded, *valid), expected)


@pytest.mark.parametrize("audio_frames", [[9, 4, 7, 9], [7], [8] * CLIPS])
@pytest.mark.parametrize("video_frames", [[2, 6, 6, 1], [5]])
def test_steps_that_no_clip_reads_change_nothing(
    clips: tuple[Tensor, Tensor], audio_frames: list[int], video_frames: list[int]
) -> None:
    frames = torch.tensor(audio_frames), torch.tensor(video_frames)
    expected = made(live_dropout=False, every_step=True)(*clips, *(x.expand(CLIPS) for x in frames))
    torch.testing.assert_close(made(live_dropout=False)(*clips, *frames), expected)


@torch.no_grad()
def test_matching_loss_is_random_in_evaluation_unless_repaired(clips: tuple[Tensor, Tensor]) -> None:
    torch.manual_seed(3)
    fault, repaired = made(), made(live_dropout=False)
    first, second = fault(*clips), fault(*clips)
    assert first.matching != second.matching
    assert torch.equal(first.logits, second.logits)
    assert repaired(*clips).matching == repaired(*clips).matching


def test_every_parameter_is_taught(clips: tuple[Tensor, Tensor]) -> None:
    model = made().train()
    out = model(*clips)
    (double_softmax_focal(out.logits, torch.tensor([0, 1, 2, 3])) + out.contrast + out.matching).backward()
    assert [name for name, p in model.named_parameters() if p.grad is None or not p.grad.abs().sum()] == []


@pytest.mark.parametrize("queries, keys", [(3, 3), (2, 4), (4, 2)])
def test_keys_of_the_future_are_hidden(queries: int, keys: int) -> None:
    hidden = hidden_keys(queries, keys)
    assert all(hidden[i, j] == (j > i + abs(keys - queries)) for i in range(queries) for j in range(keys))
    own = hidden_keys_of_clips(torch.tensor([queries]), torch.tensor([keys]), queries + 2, keys + 3)[0]
    assert torch.equal(own[:queries, :keys], hidden)
    assert own[:, keys:].all() and not own[:, 0].any()


def test_double_softmax_keeps_a_floor() -> None:
    """A sure and right clip has p = e / (e + C − 1) and no less loss: 0.2047 for 4 classes, 0.438 for 6."""
    for classes, floor in ((4, 0.2047), (6, 0.438)):
        sure = torch.full((1, classes), -50.0)
        sure[0, 0] = 50.0
        p = math.e / (math.e + classes - 1)
        value = double_softmax_focal(sure, torch.tensor([0])).item()
        assert value == pytest.approx(-((1 - p) ** 2) * math.log(p), rel=1e-5)
        assert value == pytest.approx(floor, abs=5e-4)


def test_double_softmax_hardly_teaches_a_wrong_clip() -> None:
    """Four classes, a wrong one at p = .99: gradient 0.0091, where focal loss has 1.449."""
    p = torch.tensor([[0.99, 0.01 / 3, 0.01 / 3, 0.01 / 3]])
    for loss, size in ((double_softmax_focal, 0.0091), (focal, 1.449)):
        logits = p.log().requires_grad_()
        loss(logits, torch.tensor([1])).backward()
        assert logits.grad.norm().item() == pytest.approx(size, rel=0.01)


def test_attraction_by_hand() -> None:
    u = torch.tensor([[[3.0, 0.0], [0.0, 2.0], [7.0, 7.0]]])  # mean of unit vectors (½, ½), and padding
    v = torch.tensor([[[0.0, 5.0]]], requires_grad=True)  # (0, 1)
    value = attraction(u, v, torch.tensor([[True, True, False]]), torch.tensor([[True]]))
    assert value.item() == pytest.approx(0.5)
    value.backward()  # only the half in which v is not stopped: ½ · d⟨v̂, ū⟩/dv = ½ · (½, 0) / 5
    torch.testing.assert_close(v.grad, torch.tensor([[[0.05, 0.0]]]))


def test_a_lone_clip_is_its_own_negative() -> None:
    assert nearest(torch.tensor([[0.3]])).tolist() == [0]
    assert nearest(torch.tensor([[9.0, 1.0, 2.0], [3.0, 9.0, 1.0], [0.0, 1.0, 9.0]])).tolist() == [2, 0, 1]


def system(**switches: bool | str) -> tuple[Run, torch.nn.Module]:
    run = CONFIG.resolve("demo", "ugcl-as-released")
    run = run.model_copy(update={"method": run.method.model_copy(update={"layers": 2, **switches})})
    torch.manual_seed(0)
    return run, build(run, INFOS["frames"])


@torch.no_grad()
@pytest.mark.parametrize("trunk", ["linear", "vit_b_16"])
def test_longer_clips_of_the_batch_move_a_prediction_unless_repaired(trunk: str) -> None:
    for fault in (True, False):
        run, model = system(last_step=fault, trunk=trunk)
        model.eval()
        batch = make_batch(run, INFOS["frames"])
        together = model(batch)["logits"]
        short = [m.sum(dim=1) < m.sum(dim=1).max() for m in batch.masks.values()]
        shorter = (short[0] | short[1]).tolist()
        assert any(shorter)
        for i, moves in enumerate(shorter):
            lengths = {m: int(mask[i].sum()) for m, mask in batch.masks.items()}
            one = take(batch, [i])
            one.features = {m: x[:, : lengths[m]] for m, x in one.features.items()}
            one.masks = {m: x[:, : lengths[m]] for m, x in one.masks.items()}
            alone = model(one)["logits"][0]
            assert torch.allclose(alone, together[i], rtol=1e-4, atol=1e-5) is not (fault and moves)


@torch.no_grad()
@pytest.mark.parametrize("trunk", ["linear", "vit_b_16"])
def test_padding_beyond_the_longest_clip_is_not_read(trunk: str) -> None:
    """So that runs whose batches are of different lengths can go in step."""
    run, model = system(trunk=trunk, live_dropout=False)
    model.eval()
    outputs = []
    for pad in (0, 7):
        batch = make_batch(run, INFOS["frames"], pad=pad)
        for modality, mask in batch.masks.items():
            batch.features[modality] = batch.features[modality].masked_fill(~mask[..., None], 3.0)
        out = model(batch)
        outputs.append([out["logits"], *model.terms(out, batch).values()])
    torch.testing.assert_close(outputs[0], outputs[1], rtol=1e-4, atol=1e-5)


@torch.no_grad()
@pytest.mark.parametrize("fault", [True, False])
def test_clips_share_one_pass_of_the_auxiliary_stacks_where_all_end_at_one_step(fault: bool) -> None:
    """As in the released code, so that they share its dropout; repaired, each clip has a step of its own."""
    run, model = system(last_step=fault)
    batch, steps = make_batch(run, INFOS["frames"], clips=8), []
    for first in (model.fusion.a_mem_1, model.fusion.v_mem_1):
        first.register_forward_pre_hook(lambda _, inputs: steps.append(inputs[0].shape[:2]))
    model.train()(batch)
    assert steps == [(8, 1 if fault else 8)] * 2  # clips stand where time should


@torch.no_grad()
def test_the_trunk_loses_the_last_frame_unless_repaired() -> None:
    for fault in (True, False):
        run, model = system(off_by_one=fault, trunk="vit_b_16")
        frames = torch.randn(1, 5, INFOS["frames"]["video"].dim, generator=torch.Generator().manual_seed(4))
        mapped = model.trunk.eval()(frames)
        assert mapped.shape == (1, 5, run.method.width)
        # Without attention every place would map its own frame; at the input of the stack it still does.
        model.trunk.encoder.layers = torch.nn.Identity()
        last = frames.clone()
        last[:, -1] += 1.0
        moved = (model.trunk(last) - model.trunk(frames)).abs().amax(dim=-1)[0] > 1e-6
        assert moved.tolist() == ([False] * 5 if fault else [False] * 4 + [True])


def test_the_system_is_taught_by_its_total_loss() -> None:
    run, model = system()
    batch = make_batch(run, INFOS["frames"], clips=8)
    losses = objective(model, model.train()(batch), batch)
    expected = 0.7 * losses["classification"] + 0.15 * losses["contrast"] + 0.15 * losses["matching"]
    torch.testing.assert_close(losses["loss"], expected)
    losses["loss"].backward()
    assert [n for n, p in model.named_parameters() if p.requires_grad and p.grad is None] == []
