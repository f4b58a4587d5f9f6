"""Text encoders give the hidden states of the library for the manifest's transcript."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from ugcl.config.features import Text
from ugcl.errors import UgclError
from ugcl.features.encoder import info
from ugcl.features.encoders.text import TextEncoder
from ugcl.features.media.clip import Clip
from ugcl.features.media.failure import MediaError

WORDS = "it is eleven o'clock that is exactly what happened"


@pytest.fixture(scope="module")
def roberta(tmp_path_factory):
    """A small random RoBERTa with the tokenizer of the real one, trained on a few words."""
    import torch
    from tokenizers import ByteLevelBPETokenizer
    from tokenizers.processors import RobertaProcessing
    from transformers import PreTrainedTokenizerFast, RobertaConfig, RobertaModel

    torch.manual_seed(0)
    folder = tmp_path_factory.mktemp("roberta")
    bytes_pairs = ByteLevelBPETokenizer()
    special = ["<s>", "<pad>", "</s>", "<unk>"]
    bytes_pairs.train_from_iterator([WORDS] * 4, vocab_size=320, special_tokens=special)
    bytes_pairs.post_processor = RobertaProcessing(("</s>", 2), ("<s>", 0))
    marks = {"bos_token": "<s>", "pad_token": "<pad>", "eos_token": "</s>", "unk_token": "<unk>"}
    tokenizer = PreTrainedTokenizerFast(tokenizer_object=bytes_pairs._tokenizer, **marks)
    tokenizer.save_pretrained(folder)
    config = RobertaConfig(
        vocab_size=len(tokenizer),
        hidden_size=16,
        num_hidden_layers=3,
        num_attention_heads=2,
        intermediate_size=32,
        max_position_embeddings=34,
        type_vocab_size=1,
        pad_token_id=1,
    )
    RobertaModel(config).save_pretrained(folder)
    return folder


def make(folder, **settings) -> TextEncoder:
    return TextEncoder("t", Text(kind="text", weights="", **settings), folder)


def states_of(folder, text: str) -> list[np.ndarray]:
    """Every hidden state of the library's own forward pass, (tokens, 16) each."""
    import torch
    from transformers import PreTrainedTokenizerFast, RobertaModel

    batch = PreTrainedTokenizerFast.from_pretrained(folder)(text, return_tensors="pt")
    with torch.inference_mode():
        result = RobertaModel.from_pretrained(folder).eval()(
            batch["input_ids"], batch["attention_mask"], output_hidden_states=True
        )
    return [state[0].numpy() for state in result.hidden_states]


def test_token_states_are_those_of_the_library(roberta):
    states = states_of(roberta, WORDS)
    encoder = make(roberta, rate=4.0)
    vectors = encoder.encode(Clip("a", transcript=WORDS))
    assert (encoder.dim, encoder.layers, info(encoder, 2).rate) == (16, 1, 2.0)
    assert vectors.dtype == np.float32
    np.testing.assert_allclose(vectors, states[3], atol=1e-5)
    every = make(roberta, layers="all").encode(Clip("a", transcript=WORDS))
    np.testing.assert_allclose(every, np.hstack(states), atol=1e-5)
    some = make(roberta, layers=[2, 0]).encode(Clip("a", transcript=WORDS))
    np.testing.assert_allclose(some, np.hstack([states[2], states[0]]), atol=1e-5)


def test_a_sentence_is_the_mean_of_its_tokens(roberta):
    encoder = make(roberta, output="sentence")
    vector = encoder.encode(Clip("a", transcript=f"  {WORDS}\n"))
    assert encoder.rate == 0
    np.testing.assert_allclose(vector, states_of(roberta, WORDS)[3].mean(axis=0)[None], atol=1e-5)


def test_a_long_text_is_cut_at_the_last_position(roberta):
    """34 positions, of which RoBERTa leaves the first two to padding: 32 tokens, <s> and </s> included."""
    encoder = make(roberta)
    assert encoder.tokenizer.longest == 32
    assert len(encoder.encode(Clip("a", transcript=" ".join([WORDS] * 40)))) == 32


def test_a_clip_without_words_fails_by_that_name(roberta):
    for words in ("", "  \n"):
        with pytest.raises(MediaError) as caught:
            make(roberta).encode(Clip("a", transcript=words))
        assert caught.value.failure == "no_text"


def test_the_transcript_comes_from_the_manifest(tmp_path):
    row = {"clip": "a", "audio": "a.wav", "video": ""}
    assert Clip.from_row(pd.Series(row), tmp_path).transcript == ""
    assert Clip.from_row(pd.Series({**row, "transcript": WORDS}), tmp_path).transcript == WORDS


def test_faults_are_told(roberta, tmp_path):
    with pytest.raises(UgclError, match=r"choose from 0\.\.3"):
        make(roberta, layers=[4])
    with pytest.raises(UgclError, match=r"no config\.json"):
        make(tmp_path)
    for file in ("config.json", "model.safetensors"):
        (tmp_path / file).write_bytes((roberta / file).read_bytes())
    with pytest.raises(UgclError, match="no tokenizer"):
        make(tmp_path)


@pytest.mark.parametrize("output", ["tokens", "sentence"])
def test_texts_of_like_length_go_through_together_as_they_do_alone(roberta, output):
    """Behind the end of a short text stands padding, which nothing may read."""
    encoder, sizes = make(roberta, output=output, batch=40), []
    texts = [WORDS, "it is", "what happened", "", "that is exactly what happened", "it"]
    clips = [Clip(f"c{number}", transcript=text) for number, text in enumerate(texts)]
    real = encoder.states
    encoder.states = lambda pieces: (sizes.append(len(pieces)), real(pieces))[1]
    found = {clip.name: vectors for clip, vectors in encoder.encode_all(clips)}
    assert max(sizes) > 1 and found.pop("c3").failure == "no_text" and len(found) == 5
    for name, vectors in found.items():
        np.testing.assert_allclose(vectors, encoder.encode(clips[int(name[1:])]), atol=1e-5)
