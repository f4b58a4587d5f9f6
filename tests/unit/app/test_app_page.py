"""The page of `ugcl app` in a real browser: clips in, timelines and files out, on a desktop and a phone."""

from __future__ import annotations

import io
import json
import re
import zipfile
from pathlib import Path
from xml.etree import ElementTree

import pandas as pd
import pytest

from tests.fixtures.served import Served, served
from ugcl import load

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("app")]
PATIENCE = 120_000  # milliseconds
FIRST, SECOND = "1001_KEY_ANG_XX", "1002_KEY_HAP_XX"


def media(project: Path, *names: str) -> list[str]:
    """The sound and the video file of clips."""
    folder = project / "clips"
    return [str(folder / part) for n in names for part in (f"AudioWAV/{n}.wav", f"VideoMP4/{n}.mp4")]


def opened(browser, app: Served, width: int = 1280, scheme: str = "light"):
    """A page, with what it asked other hosts for and what it complained about."""
    size = {"width": width, "height": 900}
    page = browser.new_context(viewport=size, color_scheme=scheme).new_page()
    page.set_default_timeout(PATIENCE)
    faults: list[str] = []
    page.on("console", lambda m: faults.append(m.text) if m.type == "error" else None)
    page.on("pageerror", lambda error: faults.append(str(error)))
    known = (app.address, "data:", f"blob:{app.address}")
    page.on("request", lambda r: faults.append(r.url) if not r.url.startswith(known) else None)
    page.goto(app.address)
    return page, faults


def predict(page, files: list[str]) -> None:
    page.set_input_files("#files input[type=file]", files)
    page.wait_for_function("n => document.querySelectorAll('#files tr.file').length === n", arg=len(files))
    page.click("#predict")
    page.wait_for_selector("#result .ugcl-clip, #result .ugcl-error, #message .ugcl-error")


def download(page, name: str) -> bytes:
    page.wait_for_selector("#downloads a[href], #downloads button")
    with page.expect_download() as found:
        page.locator("#downloads").get_by_text(name, exact=True).click()
    return Path(found.value.path()).read_bytes()


@pytest.mark.parametrize(("width", "scheme"), [(1280, "light"), (390, "dark")])
def test_a_clip_gets_a_timeline_a_player_and_files(
    browser, app: Served, tiny_folder: Path, width: int, scheme: str
) -> None:
    page, faults = opened(browser, app, width, scheme)
    predict(page, media(tiny_folder, FIRST))
    expected = load("tiny/ugcl", project=tiny_folder).predict(*media(tiny_folder, FIRST))
    shown = dict(
        zip(page.locator(".ugcl-row[data-class] .ugcl-name").all_inner_texts(), values(page), strict=True)
    )
    assert shown == {name: f"{100 * p:.0f} %" for name, p in expected.probabilities.items()}
    assert next(iter(shown)) == expected.predicted and expected.predicted in page.inner_text(".ugcl-verdict")
    assert "SYNTHETIC" in page.inner_text(".ugcl-mark") and "SYNTHETIC" in page.inner_text(".ugcl-badge")
    assert (
        page.evaluate("[...document.querySelectorAll('.ugcl-faces img')].filter(i => i.naturalWidth).length")
        > 3
    )
    page.wait_for_function("document.querySelector('video.ugcl-player').readyState > 1")

    tree = json.loads(download(page, "JSON"))
    assert tree["marks"] == "SYNTHETIC" and tree["clips"][0]["predicted"] == expected.predicted
    table = pd.read_csv(io.BytesIO(download(page, "CSV")))
    assert table["clip"].tolist() == [FIRST] and table["video"].tolist() == [f"{FIRST}.mp4"]
    windows = pd.read_csv(io.BytesIO(download(page, "timeline CSV")))
    assert len(windows) > 5
    eaf = ElementTree.fromstring(download(page, "ELAN"))
    links = [link.attrib["RELATIVE_MEDIA_URL"] for link in eaf.iter("MEDIA_DESCRIPTOR")]
    assert links == [f"./{FIRST}.wav", f"./{FIRST}.mp4"]
    assert download(page, "WebVTT").startswith(b"WEBVTT")
    assert b'"emotion"' in download(page, "TextGrid")

    row = windows.iloc[(windows["time"] - 0.7 * expected.duration).abs().argmin()]
    over(page, 0.7, expected.duration, row["time"])
    assert values(page) == [f"{100 * row[f'p_{name}']:.0f} %" for name in shown]
    box = page.locator(".ugcl-plot").first.bounding_box()
    page.mouse.click(box["x"] + box["width"] / 2, box["y"] + 5)
    page.wait_for_function(
        f"Math.abs(document.querySelector('video').currentTime - {expected.duration / 2}) < 0.1"
    )
    page.locator(".ugcl-timeline").focus()
    page.keyboard.press("Home")
    page.keyboard.press("ArrowRight")
    page.wait_for_function("Math.abs(document.querySelector('video').currentTime - 0.2) < 0.05")
    assert page.get_attribute(".ugcl-timeline", "aria-valuenow") == "0.20"
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    assert faults == []


def values(page) -> list[str]:
    return page.locator(".ugcl-value").all_inner_texts()


def over(page, share: float, duration: float, time: float) -> None:
    """Move the pointer to a time of the timeline."""
    page.locator(".ugcl-timeline").scroll_into_view_if_needed()
    box = page.locator(".ugcl-plot").first.bounding_box()
    page.mouse.move(box["x"] + box["width"] * time / duration, box["y"] + 5)
    assert re.fullmatch(r"at \d+\.\d s", page.inner_text(".ugcl-reading"))


def test_several_clips_are_a_table_with_a_sentence_for_each_that_failed(
    browser, app: Served, tiny_folder: Path, tmp_path: Path
) -> None:
    (tmp_path / "broken.mp4").write_bytes(b"\0" * 4096)
    (tmp_path / "notes.pdf").write_bytes(b"%PDF-1.4")
    page, faults = opened(browser, app)
    predict(page, [*media(tiny_folder, FIRST, SECOND), *map(str, sorted(tmp_path.iterdir()))])
    rows = page.locator(".ugcl-clips tbody tr").all_inner_texts()
    assert [row.split("\t")[0] for row in rows] == [FIRST, SECOND, "broken", "notes"]
    assert "nothing but zeros" in rows[2] and "PDF document" in rows[3]
    assert page.locator(".ugcl-failed").count() == 2
    with zipfile.ZipFile(io.BytesIO(download(page, "ELAN"))) as archive:
        names = archive.namelist()
        annotations = "".join(archive.read(name).decode() for name in names)
    assert names == [f"{FIRST}.eaf", f"{SECOND}.eaf"]
    text = page.inner_text("body") + download(page, "JSON").decode() + download(page, "CSV").decode()
    assert "ugcl-app-" not in text + annotations and "unreadable" not in text
    assert FIRST in page.inner_text(".ugcl-verdict")
    page.click(f"button:text-is('{SECOND}')")
    page.wait_for_function(f"document.querySelector('.ugcl-verdict').innerText.includes('{SECOND}')")
    assert page.locator("[aria-pressed=true]").inner_text() == SECOND
    assert faults == []


def test_camera_and_microphone_are_recorded_and_predicted(browser, app: Served) -> None:
    page, faults = opened(browser, app)
    page.get_by_role("tab", name="Microphone").click()
    page.locator("#microphone button", has_text="Record").first.click()
    page.wait_for_timeout(2500)
    page.locator("#microphone button", has_text="Stop").first.click()
    page.wait_for_selector(
        "#microphone .waveform-container, #microphone audio, #microphone canvas", state="attached"
    )
    page.get_by_role("tab", name="Camera").click()
    page.locator("#camera button").first.click()
    page.locator("#camera button", has_text="Record").first.click()
    page.wait_for_timeout(2500)
    page.locator("#camera button", has_text="Stop").first.click()
    page.wait_for_selector("#camera video[src]")
    page.click("#predict")
    page.wait_for_selector("#result .ugcl-clips")
    rows = [row.split("\t") for row in page.locator(".ugcl-clips tbody tr").all_inner_texts()]
    assert [row[0] for row in rows] == ["camera", "microphone"]
    assert all(float(row[5].removesuffix(" s")) > 1 for row in rows), "recordings are as long as they were"
    assert "audio" in rows[0][4] and rows[1][4] == "audio"
    # What the browser recorded has no index; the player can seek in it all the same.
    page.wait_for_function("Number.isFinite(document.querySelector('video.ugcl-player')?.duration)")
    assert faults == []


def test_two_visitors_at_once_get_their_own_answers(browser, app: Served, tiny_folder: Path) -> None:
    pages = [opened(browser, app)[0] for _ in range(2)]
    for page, name in zip(pages, (FIRST, SECOND), strict=True):
        files = media(tiny_folder, name)
        page.set_input_files("#files input[type=file]", files)
        page.wait_for_function(
            "n => document.querySelectorAll('#files tr.file').length === n", arg=len(files)
        )
    for page in pages:
        page.click("#predict")
    for page, name in zip(pages, (FIRST, SECOND), strict=True):
        page.wait_for_selector("#result .ugcl-clip")
        assert name in page.inner_text(".ugcl-verdict")


def test_without_a_clip_the_page_says_what_to_do(browser, app: Served) -> None:
    page, faults = opened(browser, app)
    page.click("#predict")
    page.wait_for_selector("#message .ugcl-error")
    assert "drop or choose a file, or record one" in page.inner_text("#message")
    assert page.locator("#downloads button:visible").count() == 0
    page.get_by_text("What it was trained on, and its limits").click()
    about = page.inner_text(".ugcl-about")
    assert "corpus tiny (SYNTHETIC)" in about and "not to infer what a person feels" in about
    assert faults == []


def test_the_card_of_a_bundle_fits_a_phone(browser, tiny_folder: Path, tmp_path: Path, ugcl) -> None:
    bundle = tmp_path / "bundle"
    ugcl("export", "tiny/ugcl", "--out", str(bundle), "--project", str(tiny_folder))
    with served(tmp_path, tmp_path / "scratch", str(bundle)) as running:
        page, faults = opened(browser, running, width=390)
        for panel in ("What it was trained on, and its limits", "Model card"):
            page.get_by_text(panel, exact=True).click()
        page.wait_for_selector("#card table")
        assert "Not for decisions about people" in page.inner_text("#card")
        assert page.evaluate("document.documentElement.scrollWidth") <= 390
        assert faults == []
