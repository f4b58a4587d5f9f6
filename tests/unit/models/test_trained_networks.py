"""A pretrained text network in a method: what is trained, how fast, and what a checkpoint keeps."""

from __future__ import annotations

import sys

import pytest
import torch
from pydantic import ValidationError
from transformers import AutoModel, RobertaConfig, RobertaModel

from tests.fixtures.small_networks import bert_model
from ugcl.config.features import Text
from ugcl.config.system.networks import TrainedNetwork as Settings
from ugcl.errors import UgclError
from ugcl.features.encoders.text import TextEncoder
from ugcl.features.media.clip import Clip
from ugcl.features.networks.weights import weights_hash
from ugcl.models.layers.pooling import masked_mean
from ugcl.models.networks.text import TextNetwork

WORDS = "it is eleven o'clock that is exactly what happened"
CLOSE = {"rtol": 1e-4, "atol": 1e-5}
LORA = {"mode": "lora"}


@pytest.fixture(scope="module")
def bert(tmp_path_factory):
    return bert_model(tmp_path_factory.mktemp("bert"), WORDS, layers=3)


def make(folder, **settings) -> TextNetwork:
    torch.manual_seed(0)
    model = AutoModel.from_pretrained(folder, dtype=torch.float32)
    return TextNetwork(model, Settings(**settings), weights_hash(folder), "encoder.networks.text")


def made_texts(count: int = 20, longest: int = 9, pad: int = 0):
    """Token ids (B, T) with anything behind their ends, and the valid ones."""
    generator = torch.Generator().manual_seed(1)
    lengths = torch.randint(1, longest + 1, (count,), generator=generator)
    ids = torch.randint(4, 12, (count, longest), generator=generator, dtype=torch.int32)
    ids = torch.nn.functional.pad(ids, (0, pad), value=7)
    return ids, torch.arange(longest + pad) < lengths[:, None]


def learnt(network) -> set[str]:
    return {name.removeprefix("network.") for name, _ in network.trained()}


def test_states_do_not_depend_on_padding_or_other_texts(bert):
    network = make(bert).eval()
    ids, mask = made_texts()
    with torch.no_grad():
        whole = network(ids, mask)
        padded = network(*made_texts(pad=7))
        alone = torch.cat([network(ids[i : i + 1], mask[i : i + 1]) for i in range(len(ids))])
    torch.testing.assert_close(padded[:, :9], whole, **CLOSE)
    torch.testing.assert_close(alone, whole, **CLOSE)
    assert (whole[~mask] == 0).all() and whole[mask].std() > 0.1


def test_roberta_counts_positions_of_words_alone():
    torch.manual_seed(0)
    small = {"hidden_size": 16, "num_hidden_layers": 2, "num_attention_heads": 2, "intermediate_size": 32}
    config = RobertaConfig(
        vocab_size=20, pad_token_id=1, max_position_embeddings=30, initializer_range=0.2, **small
    )
    network = TextNetwork(RobertaModel(config), Settings(), "0" * 64, "x").eval()
    with torch.no_grad():
        padded = network(*made_texts(pad=5))[:, :9]
        torch.testing.assert_close(padded, network(*made_texts()), **CLOSE)


@pytest.mark.parametrize(
    ("settings", "layers"),
    [({"mode": "last", "layers": 1}, {2}), ({"mode": "last", "layers": 2}, {1, 2}), ({}, {-1, 0, 1, 2})],
)
def test_a_mode_says_which_parts_are_trained(bert, settings, layers):
    network = make(bert, **settings)
    own = {name for name, _ in network.network.named_parameters() if network.depth(name) in layers}
    assert learnt(network) == own and {network.depth(name) for name in own} == layers


def test_frozen_trains_nothing_and_lora_adds_to_every_linear_map(bert):
    assert learnt(make(bert, mode="frozen")) == set()
    network = make(bert, mode="lora", rank=4)
    names = learnt(network)
    assert (
        all("lora_" in name for name in names) and len(names) == 3 * 6 * 2
    )  # q, k, v, out, up, down; A and B
    sizes = {p.shape for name, p in network.trained() if "lora_A" in name}
    assert sizes == {(4, 16), (4, 32)}
    top = make(bert, mode="lora", layers=1)
    assert {top.depth(name) for name in learnt(top)} == {2}
    ids, mask = made_texts()
    with torch.no_grad():  # LoRA begins at the network that it adds to
        torch.testing.assert_close(network.eval()(ids, mask), make(bert).eval()(ids, mask))


def test_the_learning_rate_falls_from_layer_to_layer(bert):
    rates = make(bert, lr=1e-3, decay=0.5).rates()
    by_depth = {make(bert).depth(name.removeprefix("network.")): rate for name, rate in rates.items()}
    assert by_depth == {2: 1e-3, 1: 5e-4, 0: 2.5e-4, -1: 1.25e-4}
    assert make(bert, mode="frozen").rates() == {}


def test_what_lora_adds_has_the_rate_of_its_layer(bert):
    rates = make(bert, mode="lora", layers=2, lr=1e-3, decay=0.5).rates()
    assert len(rates) == 2 * 6 * 2 and set(rates.values()) == {1e-3, 5e-4}


@pytest.mark.parametrize("mode", [{"mode": "all"}, {"mode": "last", "layers": 1}, LORA])
def test_a_state_has_what_is_trained_and_brings_it_back(bert, mode):
    network = make(bert, **mode)
    with torch.no_grad():
        for _, parameter in network.trained():
            parameter.add_(0.1)
    state = network.state_dict()
    assert state.keys() == {name for name, _ in network.trained()} | {"base"}
    assert bytes(state["base"].tolist()).hex() == weights_hash(bert)
    other = make(bert, **mode)
    other.load_state_dict(state)
    ids, mask = made_texts()
    with torch.no_grad():
        torch.testing.assert_close(other.eval()(ids, mask), network.eval()(ids, mask), rtol=0, atol=0)


def test_a_state_that_lacks_a_part_or_began_elsewhere_is_refused(bert, tmp_path):
    network = make(bert, mode="last", layers=1)
    state = network.state_dict()
    elsewhere = bert_model(tmp_path, WORDS, layers=3, seed=1)
    with pytest.raises(UgclError, match="was trained from weights with sha256"):
        make(elsewhere, mode="last", layers=1).load_state_dict(state)
    state.pop(next(name for name in state if "layer.2" in name))
    with pytest.raises(RuntimeError, match="Missing key"):
        network.load_state_dict(state)


@pytest.mark.parametrize("mode", [{"mode": "frozen"}, {"mode": "last", "layers": 1}])
def test_frozen_layers_have_no_dropout(bert, mode):
    network, (ids, mask) = make(bert, dropout=0.5, **mode).train(), made_texts()
    found = []
    network.layers[1].register_forward_hook(lambda *given: found.append(given[2]))
    first, second = network(ids, mask), network(ids, mask)
    half = len(found) // 2
    for a, b in zip(found[:half], found[half:], strict=True):
        torch.testing.assert_close(a, b, rtol=0, atol=0)
    frozen = mode["mode"] == "frozen"
    assert torch.equal(first, second) == torch.equal(first, network.eval()(ids, mask)) == frozen


def test_checkpointing_gives_the_same_gradients(bert):
    found = []
    for checkpointing in (False, True):
        network = make(bert, checkpointing=checkpointing).train()
        torch.manual_seed(5)
        network(*made_texts()).square().sum().backward()
        found.append({name: p.grad for name, p in network.trained()})
    for name, gradient in found[0].items():
        torch.testing.assert_close(found[1][name], gradient)


def test_a_frozen_network_gives_the_vectors_of_the_cached_encoder(bert):
    compare(bert, [WORDS, "it is", "what happened", "exactly"])


def test_the_same_of_a_real_network(mirror):
    folder = mirror / "models" / "all-minilm-l6-v2"
    if not folder.is_dir():
        pytest.skip(f"the mirror has no {folder.name}, a network that the project does not pass on")
    compare(
        folder,
        ["You must've had your hands full.", "What?", "Oh my God, he's lost it. He's totally lost it!"],
    )


def compare(folder, texts):
    """The sentences of `kind: text` in half precision, and those of a frozen network on the same ids."""
    encoder = TextEncoder("t", Text(kind="text", weights="", output="sentence"), folder)
    cached = [torch.tensor(encoder.encode(Clip("a", transcript=text))).half().float() for text in texts]
    ids = [torch.tensor(encoder.tokenizer(Clip("a", transcript=text))) for text in texts]
    mask = torch.nn.utils.rnn.pad_sequence([torch.ones(len(x)) for x in ids], batch_first=True).bool()
    network = make(folder, mode="frozen").train()
    states = network(torch.nn.utils.rnn.pad_sequence(ids, batch_first=True), mask)
    torch.testing.assert_close(masked_mean(states, mask), torch.cat(cached), rtol=0, atol=1e-3)


def test_faults_are_named(bert, monkeypatch):
    with pytest.raises(UgclError, match=r"the network has 3 layers; choose 1\.\.3"):
        make(bert, mode="last", layers=4)
    with pytest.raises(ValidationError, match="mode last needs layers"):
        Settings(mode="last")
    with pytest.raises(ValidationError, match="mode all has no layers to choose"):
        Settings(layers=2)
    monkeypatch.setitem(sys.modules, "peft", None)
    with pytest.raises(UgclError, match=r"pip install -e '.\[lora\]'"):
        make(bert, mode="lora")
