"""A clip in words: action units by degree, prosody of known sounds, and a reader of the sentences."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
import soundfile
from pydantic import TypeAdapter, ValidationError

from ugcl.config.features import AnyEncoder
from ugcl.errors import UgclError
from ugcl.features.encoders.language import face, voice
from ugcl.features.encoders.language.textual import TextualEncoder
from ugcl.features.encoders.language.tokens import TokensEncoder
from ugcl.features.encoders.ngrams import NgramsEncoder
from ugcl.features.encoders.table import TableEncoder
from ugcl.features.media.clip import Clip
from ugcl.features.media.failure import MediaError

RATE = 16_000


def tone(hertz: float, seconds: float = 2.0, syllables: float = 3.0, peak: float = 0.3) -> np.ndarray:
    """A voice-like sound of six harmonics that swells so many times per second, after 0.3 s of silence."""
    t = np.arange(round(seconds * RATE)) / RATE
    phase = 2 * np.pi * np.cumsum(np.broadcast_to(hertz, t.shape)) / RATE
    sound = sum(np.sin(k * phase) / k for k in range(1, 7)) * np.sin(np.pi * syllables * t) ** 2
    sound = peak * sound / np.abs(sound).max()
    return np.concatenate([np.zeros(round(0.3 * RATE)), sound]).astype(np.float32)


@pytest.mark.parametrize("hertz", [90.0, 140.0, 215.0, 333.0, 480.0])
def test_pitch_is_that_of_the_sound(hertz):
    found = voice.prosody(tone(hertz))
    assert found.pitch == pytest.approx(hertz, rel=0.01) and found.variation < 0.3


def test_variation_is_in_semitones():
    """From 150 to 300 Hz evenly in the logarithm, 80 % of which lie within 0.8 octaves."""
    glide = 150 * 2 ** np.linspace(0, 1, 2 * RATE)
    assert voice.prosody(tone(glide)).variation == pytest.approx(0.8 * 12, abs=0.7)


@pytest.mark.parametrize("syllables", [2.0, 4.0, 6.0])
def test_each_swelling_is_a_syllable(syllables):
    sound = tone(150.0, 3.0, syllables)
    pitch = voice.pitches(sound)
    power = np.square(voice._frames(sound)).mean(axis=1)
    assert voice._syllables(power, pitch) == pytest.approx(3 * syllables, abs=1)


def test_half_the_amplitude_is_six_decibels_less():
    loud, quiet = (voice.prosody(tone(150.0, peak=peak)).level for peak in (0.4, 0.2))
    assert loud - quiet == pytest.approx(20 * np.log10(2), abs=0.1)


def test_noise_and_silence_have_no_pitch():
    noise = np.random.default_rng(0).normal(0, 0.1, RATE).astype(np.float32)
    for sound in (noise, np.zeros(RATE, np.float32), np.zeros(100, np.float32)):
        found = voice.prosody(sound)
        assert np.isnan(found.pitch) or (voice.pitches(sound) > 0).mean() < 0.05
    assert voice.in_words(voice.prosody(np.zeros(RATE, np.float32))).startswith("The voice is without pitch")


def test_prosody_in_words():
    words = voice.in_words(voice.Prosody(pitch=250.0, variation=3.0, level=-30.0, rate=6.0))
    assert words == "The voice is high, monotonous, of medium loudness and fast."
    words = voice.in_words(voice.Prosody(pitch=301.0, variation=12.0, level=-20.0, rate=2.0))
    assert words == "The voice is very high, lively, loud and slow."


def test_a_face_in_words():
    """Degrees begin at 0.5, 1.5 and 2.5; a unit with an intensity has no second word from its presence."""
    known = face.units(["AU12_r", " AU04_r", "AU12_c", "AU28_c", "AU45_r", "pose_Tx", "AU99_r"])
    assert known == {12: (0, True), 4: (1, True), 28: (3, False), 45: (4, True)}
    words = face.in_words(np.array([0.5, 2.5, 1.0, 0.6, 1.5, 9.0, 5.0]), known)
    assert words == (
        "The face shows strongly lowered brows, clearly blinking eyes, slightly pulled up lip corners,"
        " sucked lips."
    )
    nothing = face.in_words(np.array([0.49, 0.0, 1.0, 0.49, 0.0, 9.0, 5.0]), known)
    assert nothing == "The face shows no movement."


@pytest.fixture
def clip(tmp_path):
    soundfile.write(tmp_path / "a.wav", tone(150.0, peak=0.3), RATE)
    table = pd.DataFrame({"name": ["a", "b"], "AU04_r": [1.0, 3.0], "AU12_r": [0.0, 2.0], "frame": [1, 2]})
    table.to_csv(tmp_path / "units.csv", index=False)
    return Clip("a", tmp_path / "a.wav", transcript="Kids are talking")


def textual(folder, reader, units=True, **settings) -> TextualEncoder:
    part = {"kind": "table", "path": "units.csv", "key": "name"} if units else None
    entry = TypeAdapter(AnyEncoder).validate_python(
        {"kind": "textual", "units": part, "reader": reader, **settings}
    )
    made = NgramsEncoder("t", entry.reader) if reader["kind"] == "ngrams" else None
    made = made or TokensEncoder("t", entry.reader, folder / "bert")
    table = TableEncoder("t", entry.units, folder / "units.csv") if units else None
    return TextualEncoder("t", entry, made, table)


def test_all_parts_are_one_text_that_the_reader_reads(clip, tmp_path):
    encoder = textual(tmp_path, {"kind": "ngrams"})
    text = (
        "The face shows slightly lowered brows. The voice is low, monotonous, loud and of medium speed."
        " The words are: Kids are talking"
    )
    assert encoder.describe(clip) == text
    read = NgramsEncoder("n", encoder.config.reader).encode(Clip("x", transcript=text))
    np.testing.assert_array_equal(encoder.encode(clip), read)
    assert (encoder.dim, encoder.rate) == (512, 0.0)


def test_token_ids_of_the_text_stay_whole_numbers(clip, tmp_path):
    from tests.fixtures.small_networks import bert_model

    bert_model(tmp_path / "bert", "The face shows lowered brows. slightly")
    encoder = textual(tmp_path, {"kind": "tokens", "weights": "bert"}, voice=False, words=False)
    assert encoder.stored is np.int32 and encoder.config.base == "bert"
    assert encoder.encode(clip).flatten().tolist() == [2, 4, 5, 6, 9, 7, 8, 3]


def test_a_part_that_is_not_there_fails_the_clip(clip, tmp_path):
    encoder = textual(tmp_path, {"kind": "ngrams"})
    lacking = {
        "missing": Clip("c", clip.audio, transcript="Kids"),
        "no_audio": Clip("a", transcript="Kids"),
        "no_text": Clip("a", clip.audio),
    }
    for failure, other in lacking.items():
        with pytest.raises(MediaError) as caught:
            encoder.encode(other)
        assert caught.value.failure == failure


def test_only_a_text_of_what_a_clip_itself_has_can_be_made_of_other_clips(clip, tmp_path):
    assert textual(tmp_path, {"kind": "ngrams"}).config.precomputed
    own = textual(tmp_path, {"kind": "ngrams"}, units=False)
    assert not own.config.precomputed and not own.config.runs_network
    assert own.describe(clip).startswith("The voice is low")


def test_faults_are_named(clip, tmp_path):
    with pytest.raises(ValidationError, match="the text would be empty"):
        textual(tmp_path, {"kind": "ngrams"}, units=False, voice=False, words=False)
    pd.DataFrame({"name": ["a"], "frown": [1.0]}).to_csv(tmp_path / "units.csv", index=False)
    with pytest.raises(UgclError, match="no column such as AU04_r"):
        textual(tmp_path, {"kind": "ngrams"})


def test_settings_say_what_the_text_is_made_of(clip, tmp_path):
    before = textual(tmp_path, {"kind": "ngrams"}).settings
    assert before != textual(tmp_path, {"kind": "ngrams"}, words=False).settings
    pd.DataFrame({"name": ["a"], "AU04_r": [1.0]}).to_csv(tmp_path / "units.csv", index=False)
    assert before != textual(tmp_path, {"kind": "ngrams"}).settings
