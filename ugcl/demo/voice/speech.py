"""Speech of one actor: Praat's synthesizer speaks, then pitch, rate, formants and voice quality are changed.

The synthesizer has hidden state: each utterance changes the next one in the same process. `speak` therefore
runs this module as a fresh process that speaks the sentences in a fixed order.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from ugcl.demo import actors, performance
from ugcl.demo.voice.prosody import Prosody, prosody
from ugcl.errors import UgclError
from ugcl.plan import demo as names

RATE = 16000
LANGUAGES = ("English (Great Britain)", "English (America)", "English (Scotland)")
VOICES = {
    "female": ("Female1", "Female2", "Female3", "Female4"),
    "male": ("Male1", "Male3", "Male5", "Male7"),
}


@dataclass(frozen=True)
class Utterance:
    """Sound (n,) float32 at 16 kHz in -1..1 and its phonemes (start, end, IPA symbol), seconds."""

    sound: np.ndarray
    phonemes: list[tuple[float, float, str]]


def speak(number: int, seed: int, clips: list[str]) -> dict[str, Utterance]:
    """The utterances of some clips of one actor, by clip name; the same in every process and selection.

    Raises:
        UgclError: praat-parselmouth is absent, or the synthesizer failed.
    """
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "speech.npz"
        command = [sys.executable, "-m", "ugcl.demo.voice.speech", str(number), str(seed), str(path), *clips]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode:
            reason = (done.stderr.strip().splitlines() or ["no message"])[-1]
            raise UgclError(f"demo speech of actor {number}: {reason}; run pip install -e '.[demo]'")
        with np.load(path) as archive:
            phonemes = json.loads(str(archive["phonemes"]))
            return {
                clip: Utterance(archive[clip], [(start, end, symbol) for start, end, symbol in table])
                for clip, table in phonemes.items()
            }


def synthesise(number: int, seed: int, clips: list[str]) -> dict[str, Utterance]:
    """As `speak`, but in this process: only the first call of a process is reproducible."""
    who = actors.actor(number, seed)
    spoken = {sentence: plain(who, text) for sentence, text in names.SENTENCES.items()}
    result = {}
    for clip in clips:
        act = performance.performance(clip, seed)
        rng = actors.stream(seed, "speech", clip)
        sound, pitch, phonemes = spoken[act.sentence]
        result[clip] = perform(sound, pitch, phonemes, who, prosody(who, act.voice, rng), rng)
    return result


def plain(who: actors.Actor, text: str):
    """Neutral speech with the actor's vocal tract: Praat sound, its pitch, and phonemes."""
    from parselmouth.praat import call

    voice = VOICES[who.sex][(who.number - 1) // 2 % 4]
    language = LANGUAGES[(who.number - 1) // 4 % 3]
    synthesizer = call("Create SpeechSynthesizer", language, voice)
    grid, sound = call(synthesizer, "To Sound", text, "yes")
    tiers = range(1, call(grid, "Get number of tiers") + 1)
    tier = next(k for k in tiers if call(grid, "Get tier name", k) == "phoneme")
    phonemes = []
    for k in range(1, call(grid, "Get number of intervals", tier) + 1):
        symbol = call(grid, "Get label of interval", tier, k)
        if symbol:
            start, end = (call(grid, f"Get {edge} time of interval", tier, k) for edge in ("start", "end"))
            phonemes.append((start, end, symbol))
    pitch = call(call(sound, "Resample", RATE, 20), "To Pitch", 0.01, 60, 420)
    return sound, pitch, phonemes


def perform(sound, pitch, phonemes, who: actors.Actor, how: Prosody, rng: np.random.Generator) -> Utterance:
    """Neutral speech, as :func:`plain` gives it, with a prosody and the noise of a recording."""
    from parselmouth.praat import call, run

    # Overlap-add draws voiceless periods at random when it changes their length.
    run(f"random_initializeWithSeedUnsafelyButPredictably ({rng.integers(1, 2**31)})")
    # Played faster, all formants rise; pitch and duration are then set anew.
    tract = who.tract * how.formants
    shifted = sound.copy()
    call(shifted, "Override sampling frequency", sound.sampling_frequency * tract)
    shifted = call(shifted, "Resample", RATE, 20)
    duration = shifted.get_total_duration()
    hertz = pitch.selected_array["frequency"]
    voiced = hertz > 0
    times, hertz = pitch.xs()[voiced] / tract, hertz[voiced]
    median = float(np.median(hertz)) if len(hertz) else 120.0

    manipulation = call(shifted, "To Manipulation", 0.01, 60 * tract, 420 * tract)
    tier = call(manipulation, "Extract pitch tier")
    call(tier, "Remove points between", 0, duration)
    phase = rng.uniform(0, 2 * np.pi)
    for time, value in zip(times, hertz, strict=True):
        semitones = how.span * 1.4 * 12 * np.log2(value / median) + how.slope * (time / duration - 0.5)
        jitter = rng.normal(0, 0.1 + 0.3 * how.creak)
        semitones += how.tremor * np.sin(2 * np.pi * 6.0 * time + phase) + jitter
        frequency = who.pitch * 2 ** ((np.clip(semitones, -9, 11) + how.pitch) / 12)
        call(tier, "Add point", float(time), float(np.clip(frequency, 60, 500)))
    call([tier, manipulation], "Replace pitch tier")
    lengths = call("Create DurationTier", "rate", 0, duration)
    call(lengths, "Add point", 0.0, tract / how.rate)
    call([lengths, manipulation], "Replace duration tier")
    wave = call(manipulation, "Get resynthesis (overlap-add)").values[0].astype(np.float64)
    stretch = len(wave) / RATE / sound.get_total_duration()

    wave = _quality(wave, how, rng)
    before, after = rng.uniform(0.12, 0.3), rng.uniform(0.12, 0.3)
    wave = np.concatenate([np.zeros(int(before * RATE)), wave, np.zeros(int(after * RATE))])
    timed = [(before + start * stretch, before + end * stretch, symbol) for start, end, symbol in phonemes]
    return Utterance(_record(wave, how.gain, rng), timed)


def _quality(wave: np.ndarray, how: Prosody, rng: np.random.Generator) -> np.ndarray:
    """Spectral tilt, breath and creak; the level stays the same."""
    from scipy.signal import butter, sosfilt

    level = np.sqrt(np.mean(wave**2)) + 1e-9
    spectrum = np.fft.rfft(wave)
    octaves = np.log2(np.maximum(np.fft.rfftfreq(len(wave), 1 / RATE), 1) / 500)
    wave = np.fft.irfft(spectrum * 10 ** (how.tilt * np.clip(octaves, 0, 4) / 20), len(wave))
    envelope = np.sqrt(np.convolve(wave**2, np.ones(320) / 320, mode="same"))
    hiss = sosfilt(butter(2, 1500, "highpass", fs=RATE, output="sos"), rng.standard_normal(len(wave)))
    wave = wave * (1 - 0.3 * how.breath) + 0.55 * how.breath * envelope * hiss
    if how.creak > 0.02:  # irregular pulses at a low rate
        drift = np.repeat(rng.standard_normal(len(wave) // 400 + 1), 400)[: len(wave)]
        clock = np.cumsum(24 + 7 * drift) / RATE
        wave = wave * (1 - 0.75 * how.creak * (0.5 + 0.5 * np.cos(2 * np.pi * clock)))
    return wave * (level / (np.sqrt(np.mean(wave**2)) + 1e-9))


def _record(wave: np.ndarray, gain: float, rng: np.random.Generator) -> np.ndarray:
    """The take as a microphone records it: level and pinkish room noise, 16 to 30 dB below plain speech."""
    level = np.sqrt(np.mean(wave**2)) + 1e-9
    loud = 0.05 * 10 ** ((gain + rng.normal(0, 2.0)) / 20)
    noise = np.fft.rfft(rng.standard_normal(len(wave)))
    noise = np.fft.irfft(noise / np.sqrt(np.arange(len(noise)) + 20.0), len(wave))
    noise *= 0.05 * 10 ** (-rng.uniform(16, 30) / 20) / np.sqrt(np.mean(noise**2))
    return np.clip(np.tanh(wave / level * loud + noise), -0.99, 0.99).astype(np.float32)


def _main() -> None:
    number, seed, path, *clips = sys.argv[1:]
    utterances = synthesise(int(number), int(seed), clips)
    phonemes = json.dumps({clip: utterance.phonemes for clip, utterance in utterances.items()})
    np.savez(path, phonemes=phonemes, **{clip: utterance.sound for clip, utterance in utterances.items()})


if __name__ == "__main__":
    _main()
