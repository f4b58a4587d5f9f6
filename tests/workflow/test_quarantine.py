"""Bad media in a user's folder are set aside with their reasons; too many of them stop the run."""

from __future__ import annotations

import shutil
from pathlib import Path

import av
import numpy as np
import pandas as pd
import pytest

from tests.workflow.conftest import Workplace

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("workflow")]
GOOD = "1001_KEY_ANG_XX"


def write_video(path: Path, frames: int = 25) -> None:
    """A grey picture without a face and without sound."""
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=25)
        stream.width = stream.height = 144
        stream.pix_fmt = "yuv420p"
        for _ in range(frames):
            frame = av.VideoFrame.from_ndarray(np.full((144, 144, 3), 90, np.uint8), format="rgb24")
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))


def add_bad_clips(root: Path) -> None:
    """Four clips, each bad in its own way, of a speaker who has good ones too."""
    clips = root / "clips"
    good_sound = clips / f"AudioWAV/{GOOD}.wav"
    good_video = clips / f"VideoMP4/{GOOD}.mp4"
    (clips / "VideoMP4/corrupt.mp4").write_bytes(b"\x00\x01" * 2000)
    write_video(clips / "VideoMP4/mute.mp4")
    write_video(clips / "VideoMP4/faceless.mp4")
    shutil.copy(good_video, clips / "VideoMP4/zero.mp4")
    for name in ("corrupt", "faceless"):
        shutil.copy(good_sound, clips / f"AudioWAV/{name}.wav")
    (clips / "AudioWAV/zero.wav").write_bytes(b"")
    rows = [
        "corrupt,AudioWAV/corrupt.wav,VideoMP4/corrupt.mp4,1001,angry",
        "mute,,VideoMP4/mute.mp4,1001,angry",
        "faceless,AudioWAV/faceless.wav,VideoMP4/faceless.mp4,1001,happy",
        "zero,AudioWAV/zero.wav,VideoMP4/zero.mp4,1001,neutral",
    ]
    with (clips / "clips.csv").open("a") as table:
        table.write("\n".join(rows) + "\n")


def test_too_many_bad_clips_stop_with_the_reasons(fresh: Workplace) -> None:
    add_bad_clips(fresh.root)
    output = fresh.snakemake("features", code=1)
    assert "4 of 16" in output
    assert "max_quarantined" in output


def test_bad_clips_are_set_aside_and_the_rest_is_computed(fresh: Workplace) -> None:
    add_bad_clips(fresh.root)
    fresh.set_parameters(lambda t: t["data"].update(max_quarantined=0.5))
    fresh.set_parameters(lambda t: t["benchmarks"]["tiny"].update(systems=["ugcl", "audio-only"], folds=[1]))
    fresh.set_parameters(lambda t: t["report"].update(notebooks=["01_data"]))
    fresh.snakemake("all")
    table = pd.read_csv(fresh.root / "data/quarantine/tiny.csv")
    failures = table.groupby("clip")["failure"].agg(set).to_dict()
    assert set(failures) == {"corrupt", "mute", "faceless", "zero"}
    assert failures["corrupt"] <= {"unreadable", "truncated"}
    assert "no_audio" in failures["mute"]
    assert "no_face" in failures["faceless"]
    assert failures["zero"] == {"empty"}
    assert table["detail"].str.len().gt(0).all()
    page = (fresh.root / "results/reports/tiny/01_data.html").read_text()
    for clip in failures:
        assert clip in page
    predictions = pd.read_csv(fresh.root / "results/predictions/tiny/ugcl/seed0/fold1.csv")
    assert not set(predictions["clip"]) & set(failures)
