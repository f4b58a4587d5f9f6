"""Pictures are decoded by their timestamps, and bad files are named for what they are."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ugcl.features.media.failure import MediaError
from ugcl.features.media.frame import Frame
from ugcl.features.media.video import frames, sample


def levels(path: Path, fps: float | None = None) -> list[int]:
    """Which of the made frames is shown, by its grey level."""
    pictures = (f for f in frames(path)) if fps is None else (f for _, f in sample(frames(path), fps))
    return [round((float(f.rgb().mean()) - 10) / 5) for f in pictures]


def test_every_frame_comes_once_with_its_time(tmp_path, write_video):
    path = write_video(tmp_path / "a.mp4", list(range(10)), Fraction(1, 25))
    times = [f.time for f in frames(path)]
    assert levels(path) == list(range(10))
    np.testing.assert_allclose(times, np.arange(10) / 25, atol=1e-6)


def test_ntsc_rate_keeps_its_clock(tmp_path, write_video):
    path = write_video(tmp_path / "a.mp4", list(range(30)), Fraction(1001, 30000))
    times = [f.time for f in frames(path)]
    np.testing.assert_allclose(times, np.arange(30) * 1001 / 30000, atol=2e-4)
    # 30 frames of 29.97 Hz last 1.001 s: the 25 Hz grid has 26 points, each shows the frame begun before it,
    # give or take half a millisecond.
    expected = [int(np.floor((k / 25 + 0.0005) * 30000 / 1001)) for k in range(26)]
    assert levels(path, 25) == expected


def test_variable_rate_repeats_and_drops(tmp_path, write_video):
    stamps = [0, 40, 80, 200, 210, 220, 280]  # milliseconds
    path = write_video(tmp_path / "a.mp4", stamps, Fraction(1, 1000))
    shown = levels(path, 25)
    assert shown[:8] == [0, 1, 2, 2, 2, 3, 5, 6]
    assert [f.index for f in frames(path)] == list(range(7))


def test_a_frame_is_shown_until_the_next_one(tmp_path, write_video):
    path = write_video(tmp_path / "a.mp4", [0, 1, 2], Fraction(1, 10))
    assert levels(path, 20) == [0, 0, 1, 1, 2, 2]


class Picture:
    """Stands in for pixels."""


@given(
    st.lists(st.integers(1, 400), min_size=1, max_size=30),
    st.integers(0, 100),
    st.sampled_from([5.0, 12.5, 25.0, 29.97, 60.0]),
)
def test_grid_shows_the_latest_frame_that_has_begun(steps, start, fps):
    times = (start + np.concatenate([[0], np.cumsum(steps)])) / 1000
    source = [Frame(i, float(t), 0.04, Picture()) for i, t in enumerate(times)]
    grid = list(sample(iter(source), fps))
    assert [t for t, _ in grid] == [k / fps for k in range(len(grid))]
    for time, frame in grid:
        begun = np.flatnonzero(times <= time + 0.0005 + 1e-6)
        assert frame.index == (begun[-1] if len(begun) else 0)
    end = times[-1] + 0.04
    assert (len(grid) - 1) / fps < end <= len(grid) / fps + 0.0005 + 2e-6


def test_pictures_are_converted_only_on_demand(tmp_path, write_video):
    path = write_video(tmp_path / "a.mp4", list(range(5)), Fraction(1, 25))
    source = frames(path)
    assert next(source).rgb().shape == (48, 64, 3)
    source.close()


def test_pictures_of_a_turned_phone_stand_upright(tmp_path):
    """The track header's matrix turns by 90° clockwise: what was left comes to lie on top."""
    path = tmp_path / "a.mp4"
    halves = np.zeros((48, 64, 3), np.uint8)
    halves[:, :32] = 255
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=25)
        stream.width, stream.height, stream.pix_fmt = 64, 48, "yuv420p"
        container.mux(stream.encode(av.VideoFrame.from_ndarray(halves)))
        container.mux(stream.encode(None))
    content, word = path.read_bytes(), lambda value: value.to_bytes(4, "big", signed=True)
    one, unit, zero = word(1 << 16), word(1 << 30), word(0)
    upright = one + 3 * zero + one + 3 * zero + unit
    turned = zero + one + zero + word(-(1 << 16)) + 4 * zero + unit
    start = content.index(upright, content.index(b"tkhd"))
    path.write_bytes(content[:start] + turned + content[start + len(upright) :])
    picture = next(frames(path)).rgb()
    assert picture.shape == (64, 48, 3)
    assert picture[:20].mean() > 250 and picture[-20:].mean() < 5


@pytest.mark.parametrize(
    ("content", "failure"),
    [(None, "missing"), (b"", "empty"), (bytes(range(256)) * 20, "unreadable")],
)
def test_files_that_are_no_video(tmp_path, content, failure):
    path = tmp_path / "a.mp4"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(MediaError) as caught:
        list(frames(path))
    assert caught.value.failure == failure


@pytest.mark.parametrize("faststart", [True, False])
def test_a_cut_video_is_truncated(tmp_path, faststart, write_video):
    path = write_video(tmp_path / "a.mp4", list(range(40)), Fraction(1, 25), faststart=faststart)
    path.write_bytes(path.read_bytes()[: path.stat().st_size * 6 // 10])
    with pytest.raises(MediaError) as caught:
        list(frames(path))
    assert caught.value.failure == "truncated"


def test_a_cut_flv_is_truncated(tmp_path, mirror):
    whole = (mirror / "clips/VideoFlash/1006_IWL_HAP_XX.flv").read_bytes()
    (tmp_path / "a.flv").write_bytes(whole[: len(whole) // 2])
    with pytest.raises(MediaError) as caught:
        list(frames(tmp_path / "a.flv"))
    assert caught.value.failure == "truncated"


def test_sound_alone_has_no_video(wav):
    with pytest.raises(MediaError) as caught:
        list(frames(wav))
    assert caught.value.failure == "no_video"


def test_real_flv_starts_where_its_sound_starts(mirror):
    found = list(frames(mirror / "clips/VideoFlash/1006_IWL_HAP_XX.flv"))
    assert len(found) == 70
    assert found[0].time == pytest.approx(0.025)  # the container's first picture stamp; its sound begins at 0
    np.testing.assert_allclose(np.diff([f.time for f in found]), 0.04, atol=1e-6)
