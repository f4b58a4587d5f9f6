"""The surest mistakes can be played where the project made the corpus, and are only named elsewhere."""

from __future__ import annotations

import base64
import io
import re
from pathlib import Path

import av
import numpy as np
import pandas as pd
import pytest
from bs4 import BeautifulSoup
from IPython.core.displaypub import CapturingDisplayPublisher
from IPython.core.interactiveshell import InteractiveShell
from PIL import Image

from ugcl.config import Config
from ugcl.data import sources
from ugcl.reports.pages.media import gallery
from ugcl.reports.pages.notebook import rows
from ugcl.reports.tables.read import read


def write_clip(path: Path, frames: int = 9) -> bytes:
    """A clip that is dark at its ends and bright in its middle frame."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with av.open(str(path), "w") as container:
        stream = container.add_stream("mpeg4", rate=25)
        stream.width, stream.height, stream.pix_fmt = 256, 128, "yuv420p"
        for i in range(frames):
            level = 230 if i == frames // 2 else 20
            picture = av.VideoFrame.from_ndarray(np.full((128, 256, 3), level, np.uint8), format="rgb24")
            container.mux(stream.encode(picture))
        container.mux(stream.encode())
    return path.read_bytes()


@pytest.fixture
def played(summarised: Config) -> dict[str, bytes]:
    """The clips of two actors of the demo, which hold the media of their speaker's number."""
    root = sources.root(summarised, "demo")
    speakers = list(dict.fromkeys(read("errors", "demo")["speaker"]))[:2]
    return {speaker: write_clip(root / f"video/{speaker}.mp4") for speaker in speakers}


def test_cards_hold_the_clip_its_middle_and_what_was_said(summarised: Config, played) -> None:
    errors = read("errors", "demo")
    page = gallery.mistakes(summarised, "demo", errors, most=len(errors))
    shown = errors[errors["speaker"].isin(played)]
    clips = re.findall(r'aria-label="clip (\S+), label (\w+)"', page)
    assert clips == list(zip(shown["clip"], shown["label"], strict=True))
    sound = re.findall(r'src="data:video/mp4;base64,([^"]+)"', page)
    assert [base64.b64decode(each) for each in sound] == [played[s] for s in shown["speaker"]]
    still = Image.open(io.BytesIO(base64.b64decode(re.search(r"image/jpeg;base64,([^\"]+)", page).group(1))))
    assert still.size == (gallery.SIDE, gallery.SIDE // 2) and np.asarray(still).mean() > 180
    first = shown.iloc[0]
    assert f"predicted <b>{first['predicted']}</b> ({100 * first['probability']:.0f} %)" in page


def test_the_first_mistakes_are_shown_and_large_clips_are_not(
    summarised: Config, played, monkeypatch
) -> None:
    errors = read("errors", "demo")
    errors = errors[errors["speaker"].isin(played)]
    assert gallery.mistakes(summarised, "demo", errors, most=1).count("<video") == 1
    monkeypatch.setattr(gallery, "LARGEST", 100)
    assert gallery.mistakes(summarised, "demo", errors) == ""


def test_clips_of_other_corpora_are_never_embedded(summarised: Config) -> None:
    errors = read("errors", "ravdess")
    for speaker in set(errors["speaker"]):
        write_clip(sources.root(summarised, "ravdess") / f"video/{speaker}.mp4")
    assert len(errors) and gallery.mistakes(summarised, "ravdess", errors) == ""


def test_without_media_or_raters_mistakes_are_named(summarised: Config) -> None:
    errors = read("errors", "demo")
    assert gallery.mistakes(summarised, "demo", errors) == ""
    table = gallery.mistake_table(errors)
    assert table["clip"].tolist() == errors["clip"].tolist()
    assert table["sure"].iloc[0] == f"{errors['probability'].iloc[0]:.1%}"
    assert "raters for the label" in table
    silent = gallery.mistake_table(errors.assign(votes_label=np.nan))
    assert not any("raters" in column for column in silent)


def test_sentences_may_break_and_numbers_with_intervals_may_not() -> None:
    shell = InteractiveShell.instance()
    before, shell.display_pub = shell.display_pub, CapturingDisplayPublisher()
    long = "epoch chosen on the test fold; no dev part"
    try:
        rows(pd.DataFrame({"UAR": ["73.1 [66.2, 80.4]"], "p": ["< 0.001"], "caveat": [long]}))
        page = shell.display_pub.outputs[0]["data"]["text/html"]
    finally:
        shell.display_pub = before
        InteractiveShell.clear_instance()
    kinds = {cell.text: cell.get("class", []) for cell in BeautifulSoup(page, "html.parser").select("td")}
    assert kinds == {"73.1 [66.2, 80.4]": ["number"], "< 0.001": ["number"], long: ["long"]}
