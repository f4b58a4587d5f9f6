"""The trained text network as a method: dialogues, missing transcripts, settings, and its learning rates."""

from __future__ import annotations

import contextlib

import pytest
import torch
import yaml

from tests.fixtures.small_networks import bert_model
from tests.unit.training.made_text import CLASSES, WORDS, make_text_project
from ugcl import config
from ugcl.config.load import parse
from ugcl.config.system.train import Train
from ugcl.data.dataset import Batch
from ugcl.data.parts import open_fold
from ugcl.data.shards import FeatureInfo
from ugcl.errors import UgclError
from ugcl.methods.build import build
from ugcl.training.objective import objective
from ugcl.training.optim import adamw, optimiser, set_rate

CLOSE = {"rtol": 1e-4, "atol": 1e-5}
INFOS = {"text": FeatureInfo("ids", 1)}
LORA = {"mode": "lora"}


@pytest.fixture(scope="module")
def project(tmp_path_factory):
    root = tmp_path_factory.mktemp("project")
    with contextlib.chdir(root):
        make_text_project(root)
        yield root


def resolved(project, **changes):
    """The run of the project's system after changes in its sections."""
    tree = yaml.safe_load((project / "params.yaml").read_text())
    tree["systems"]["finetuned"] = changes
    return parse(tree).resolve("made", "finetuned")


def network(project, **changes):
    torch.manual_seed(0)
    return build(resolved(project, **changes), INFOS)


def dialogues(project, context="dialogue") -> Batch:
    """Three dialogues of four turns each, of the training part."""
    run = resolved(project, input={"context": context})
    return open_fold(config.load(), run, 1, ["train"])["train"].batch(list(range(12)))


def logits(model, batch):
    with torch.no_grad():
        return model.eval()(batch)["logits"]


def test_neither_padding_nor_other_clips_matter_and_the_order_of_words_does(project):
    model, batch = network(project), dialogues(project, "clip")
    before = logits(model, batch)
    padded = dialogues(project, "clip")
    padded.features["text"] = torch.nn.functional.pad(padded.features["text"], (0, 0, 0, 5), value=6)
    padded.masks["text"] = torch.nn.functional.pad(padded.masks["text"], (0, 5))
    torch.testing.assert_close(logits(model, padded), before, **CLOSE)
    part = open_fold(config.load(), resolved(project), 1, ["train"])["train"]
    alone = torch.cat([logits(model, part.batch([i])) for i in range(12)])
    torch.testing.assert_close(alone, before, **CLOSE)
    long = int(batch.masks["text"].sum(dim=1).argmax())
    batch.features["text"] = batch.features["text"].clone()
    batch.features["text"][long, 1:4] = batch.features["text"][long, [3, 1, 2]]
    assert (logits(model, batch) - before)[long].abs().max() > 1e-4


@pytest.mark.parametrize("kind", ["transformer", "recurrent"])
def test_a_clip_depends_on_its_dialogue_and_on_nothing_later_where_only_the_past_is_read(project, kind):
    batch, changed = dialogues(project), dialogues(project)
    changed.features["text"] = batch.features["text"].clone()
    changed.features["text"][6, 1] = 4 + (batch.features["text"][6, 1] - 3) % 8  # of dialogue 1, turn 2
    own = {"encoder": {"dialogue": {"kind": kind}}}
    for context, moved in (("dialogue", [4, 5, 6, 7]), ("past", [6, 7])):
        model = network(project, input={"context": context}, **own)
        change = (logits(model, changed) - logits(model, batch)).abs().amax(dim=1)
        assert (change > 1e-6).nonzero().flatten().tolist() == moved
    model = network(project)
    change = (logits(model, changed) - logits(model, batch)).abs().amax(dim=1)
    assert change.nonzero().flatten().tolist() == [6]


def test_a_turn_without_words_is_a_learnt_vector_that_others_do_not_read(project):
    model, batch = network(project, input={"context": "dialogue"}), dialogues(project)
    batch.present["text"] = torch.ones(12, dtype=torch.bool)
    batch.present["text"][5] = False
    batch.masks["text"] = batch.masks["text"].clone()
    batch.masks["text"][5] = False
    before = logits(model, batch)
    batch.features["text"] = batch.features["text"].clone()
    batch.features["text"][5] = 9
    torch.testing.assert_close(logits(model, batch), before, **CLOSE)
    with torch.no_grad():
        model.missing.add_(1.0)
    change = (logits(model, batch) - before).abs().amax(dim=1)
    assert change.nonzero().flatten().tolist() == [5], "the other turns do not attend to it"


@pytest.mark.parametrize("mode", [{"mode": "all"}, {"mode": "last", "layers": 1}, LORA])
def test_every_parameter_gets_a_gradient(project, mode):
    changes = {"input": {"context": "dialogue"}, "encoder": {"networks": {"text": {"layers": None, **mode}}}}
    model, batch = network(project, **changes).train(), dialogues(project)
    with torch.no_grad():
        for parameter in model.parameters():
            if not parameter.any():
                parameter.add_(0.1 * torch.randn_like(parameter))
    batch.present["text"] = torch.arange(12) > 0
    objective(model, model(batch), batch)["loss"].backward()
    idle = [n for n, p in model.named_parameters() if p.requires_grad and not (p.grad.abs().max() > 0)]
    assert idle == []


def test_groups_have_their_share_of_the_learning_rate(project):
    model = network(project, encoder={"networks": {"text": {"lr": 3e-4, "decay": 0.5}}})
    made = optimiser(model, Train(lr=3e-3, weight_decay=0.1))
    shares = [group.get("share") for group in made.param_groups]
    assert shares == [None, None, *([pytest.approx(0.1)] * 2), *([pytest.approx(0.05)] * 2), *shares[6:]]
    assert shares[6:] == [pytest.approx(0.025)] * 2  # the embeddings
    held = [p for group in made.param_groups for p in group["params"]]
    assert {id(p) for p in held} == {id(p) for p in model.parameters() if p.requires_grad}
    assert len(held) == len(set(map(id, held)))
    assert {group["weight_decay"] for group in made.param_groups} == {0.1, 0.0}
    set_rate(made, 1e-3)
    assert [group["lr"] for group in made.param_groups][::2] == pytest.approx([1e-3, 1e-4, 5e-5, 2.5e-5])


def test_a_network_without_rates_of_its_own_learns_as_before():
    torch.manual_seed(0)
    weights = []
    for make in (optimiser, lambda model, train: adamw(list(model.parameters()), train)):
        torch.manual_seed(0)
        model = torch.nn.Sequential(torch.nn.Linear(5, 4), torch.nn.LayerNorm(4))
        made = make(model, Train(lr=1e-2))
        for step in range(5):
            set_rate(made, 1e-2 / (step + 1))
            model(torch.ones(3, 5)).square().sum().backward()
            made.step()
            made.zero_grad()
        assert [group.keys() for group in made.param_groups] == [made.param_groups[0].keys()] * 2
        weights.append(torch.cat([p.detach().flatten() for p in model.parameters()]))
    assert torch.equal(*weights)


FAULTS = {
    "train.pack 1": {"train": {"pack": 2}},
    "set them null": {"train": {"mixup": {"alpha": 0.2}}},
    "reads text alone": {"input": {"modalities": ["audio", "text"]}},
    "encoder.networks.text": {"encoder": {"networks": None}},
    "reads vectors, features.text .ids. has none": {"method": {"name": "concat"}},
}


@pytest.mark.parametrize("fault", FAULTS)
def test_settings_that_cannot_work_are_refused_in_one_line(project, fault):
    with pytest.raises((UgclError, ValueError), match=fault) as caught:
        resolved(project, **FAULTS[fault])
    assert "\n" not in str(caught.value)


def test_vectors_are_refused_where_token_ids_are_read(project):
    tree = yaml.safe_load((project / "params.yaml").read_text())
    tree["encoders"]["ids"] = {"kind": "ngrams"}
    with pytest.raises(UgclError, match="use an encoder of kind tokens"):
        parse(tree)


def test_absent_weights_are_named(project, tmp_path, monkeypatch):
    run = resolved(project)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("UGCL_PARAMS", str(project / "params.yaml"))
    monkeypatch.setenv("UGCL_MIRROR", str(tmp_path))
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    with pytest.raises(UgclError, match=r"encoders\.ids\.weights: 'bert' is not a folder here"):
        build(run, INFOS)
    bert_model(tmp_path / "mirror" / "bert", WORDS)
    monkeypatch.setenv("UGCL_MIRROR", str(tmp_path / "mirror"))
    assert build(run, INFOS).network.width == 16 and len(CLASSES) == 3
