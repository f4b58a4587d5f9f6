"""Long recordings are read in stretches that give what the whole gives."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import soundfile
from hypothesis import given
from hypothesis import strategies as st

from tests.unit.features.made_sound import RATE, noise
from ugcl.config.features import LogMel
from ugcl.features.encoders import logmel
from ugcl.features.encoders.logmel import LogMelEncoder
from ugcl.features.media.clip import Clip
from ugcl.features.media.sound import sound
from ugcl.features.networks.face_frames import Grid


@pytest.mark.parametrize("rate", [16000, 44100])
def test_stretches_are_the_whole_to_the_bit(tmp_path: Path, rate: int) -> None:
    samples = np.random.default_rng(0).normal(0, 0.1, (7 * rate + 13, 2))
    soundfile.write(tmp_path / "a.wav", samples, rate)
    parts = list(Clip("a", tmp_path / "a.wav").stretches(seconds=2.0))
    assert [len(part) for part in parts[:3]] == [2 * RATE] * 3 and len(parts) == 4
    np.testing.assert_array_equal(np.concatenate(parts), sound(tmp_path / "a.wav"))


def test_an_hour_of_sound_needs_no_more_memory_than_a_minute(tmp_path: Path) -> None:
    """Peak memory of a process that goes through the sound, as `ugcl predict` does."""
    program = (
        "import resource, sys; from pathlib import Path; from ugcl.features.media.activity import listen;"
        "from ugcl.features.media.clip import Clip; heard = listen(Clip('a', Path(sys.argv[1])).stretches());"
        "print(heard.seconds, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024)"
    )
    peaks = []
    for minutes in (1, 60):
        with soundfile.SoundFile(tmp_path / "a.wav", "w", 8000, 1, "PCM_16") as file:
            for second in range(minutes * 60):
                file.write(noise(0.5, second))
        run = subprocess.run(
            [sys.executable, "-c", program, tmp_path / "a.wav"], capture_output=True, check=True
        )
        seconds, peak = map(float, run.stdout.split())
        assert seconds == pytest.approx(60 * minutes, abs=0.01)
        peaks.append(peak)
    assert peaks[1] - peaks[0] < 40, "an hour in float32 is 230 MB"


def test_a_long_sound_has_the_energies_of_the_whole(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    soundfile.write(tmp_path / "a.wav", noise(7.3), RATE)
    clip, encoder = Clip("a", tmp_path / "a.wav"), LogMelEncoder("logmel", LogMel(kind="logmel"))
    whole = encoder.encode(clip)
    for seconds in (0.5, 1.0, 3.0):
        monkeypatch.setattr(logmel, "LONGEST", seconds)
        blocks = list(encoder.blocks(clip))
        assert len(blocks) > 2
        np.testing.assert_allclose(np.concatenate(blocks), whole, atol=1e-3)


@given(st.data())
def test_a_grid_in_blocks_is_the_grid_at_once(data: st.DataObject) -> None:
    """Each point without a face takes the vector of the nearest with one, the earlier of two."""
    crops = data.draw(st.lists(st.integers(1, 4), min_size=1, max_size=12))  # points of each crop
    gaps = data.draw(st.lists(st.integers(0, 5), min_size=len(crops) + 1, max_size=len(crops) + 1))
    shown = [-1] * gaps[0]
    for number, (points, gap) in enumerate(zip(crops, gaps[1:], strict=True)):
        shown += [number] * points + [-1] * gap
    known = [i for i, number in enumerate(shown) if number >= 0]
    expected = [shown[min(known, key=lambda k: (abs(k - i), k))] for i in range(len(shown))]
    grid, found, begun = Grid(), [], 0
    for size in data.draw(st.lists(st.integers(1, 3), min_size=len(crops), max_size=len(crops))):
        if begun == len(crops):
            break
        own = list(range(begun, min(begun + size, len(crops))))
        first = 0 if begun == 0 else shown.index(own[0])
        last = shown.index(own[-1] + 1) if own[-1] + 1 < len(crops) else len(shown)
        found.append(grid.add(np.array(shown[first:last]), np.array(own, float)[:, None]))
        begun += len(own)
    np.testing.assert_array_equal(np.concatenate([*found, grid.rest()])[:, 0], expected)
