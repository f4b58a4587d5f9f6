"""Timelines as files of other tools, opened by readers that had no part in writing them."""

from __future__ import annotations

import xml.etree.ElementTree as ElementTree
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import webvtt

import ugcl as package
from ugcl.config import Config
from ugcl.errors import UgclError
from ugcl.features.media.clip import Clip
from ugcl.inference.observation import Observation
from ugcl.inference.predictions import predictions

CLIP = "1001_KEY_ANG_XX"
FILES = (f"clips/AudioWAV/{CLIP}.wav", f"clips/VideoMP4/{CLIP}.mp4")
CLASSES = ["happy & <glad>", 'the "sad" one']


def line(tmp_path: Path, marks: str = "SYNTHETIC") -> pd.DataFrame:
    """Four steps of half a second; nothing is in the third window."""
    table = pd.DataFrame({"time": [0.25, 0.75, 1.75], "start": [0.0, 0.25, 1.25], "end": [0.75, 1.25, 2.0]})
    table["modalities"] = "audio"
    p = np.array([0.9, 0.6, 0.2])
    table = table.assign(**{f"p_{CLASSES[0]}": p, f"p_{CLASSES[1]}": 1 - p})
    table.attrs = {
        "clip": "a clip",
        "media": [str(tmp_path / "media/a clip.wav"), str(tmp_path / "out/a clip.mp4")],
        "duration": 2.0,
        "model": "demo/ugcl",
        "marks": marks,
        "window": 1.0,
        "step": 0.5,
    }
    return table


def intervals(path: Path) -> dict[str, list[tuple[float, float, str]]]:
    """Tiers as Praat reads them."""
    from parselmouth import praat

    grid = praat.call("Read from file...", str(path))
    found = {}
    for tier in range(1, int(praat.call(grid, "Get number of tiers")) + 1):
        count = int(praat.call(grid, "Get number of intervals...", tier))
        rows = []
        for i in range(1, count + 1):
            start = praat.call(grid, "Get start time of interval...", tier, i)
            end = praat.call(grid, "Get end time of interval...", tier, i)
            rows.append((start, end, praat.call(grid, "Get label of interval...", tier, i)))
        found[praat.call(grid, "Get tier name...", tier)] = rows
    return found


def test_praat_opens_a_textgrid_without_gaps(tmp_path: Path) -> None:
    tiers = intervals(package.write_timeline(line(tmp_path), tmp_path / "a.TextGrid"))
    assert list(tiers) == ["emotion", "confidence", f"p_{CLASSES[0]}", f"p_{CLASSES[1]}", "source"]
    assert tiers["emotion"] == [(0, 1, CLASSES[0]), (1, 1.5, ""), (1.5, 2, CLASSES[1])]
    assert tiers["confidence"] == [(0, 1, "0.75"), (1, 1.5, ""), (1.5, 2, "0.80")]
    assert tiers[f"p_{CLASSES[1]}"] == [(0, 0.5, "0.10"), (0.5, 1, "0.40"), (1, 1.5, ""), (1.5, 2, "0.80")]
    ((start, end, text),) = tiers["source"]
    assert (start, end) == (0, 2) and text.startswith("SYNTHETIC: ") and "demo/ugcl" in text


ORDER = ["HEADER", "TIME_ORDER", "TIER", "LINGUISTIC_TYPE", "LANGUAGE", "CONSTRAINT", "CONTROLLED_VOCABULARY"]


def test_an_elan_file_has_the_structure_of_eaf_3(tmp_path: Path) -> None:
    """Elements, their order and their references, as EAFv3.0.xsd has them."""
    path = package.write_timeline(line(tmp_path), tmp_path / "out/a.eaf")
    assert path.read_bytes().startswith(b'<?xml version="1.0" encoding="UTF-8"?>')
    root = ElementTree.parse(path).getroot()
    assert root.find("HEADER").get("TIME_UNITS") == "milliseconds"
    assert root.tag == "ANNOTATION_DOCUMENT" and root.get("FORMAT") == root.get("VERSION") == "3.0"
    assert {"AUTHOR", "DATE"} <= set(root.keys())
    assert list(dict.fromkeys(child.tag for child in root)) == ORDER
    slots = {s.get("TIME_SLOT_ID"): int(s.get("TIME_VALUE")) for s in root.iter("TIME_SLOT")}
    assert list(slots.values()) == sorted(slots.values()) and max(slots.values()) == 2000
    tiers = {tier.get("TIER_ID"): tier for tier in root.iter("TIER")}
    kinds = {kind.get("LINGUISTIC_TYPE_ID"): kind for kind in root.iter("LINGUISTIC_TYPE")}
    assert list(tiers) == ["emotion", "confidence", *(f"p_{name}" for name in CLASSES)]
    assert all(tier.get("LINGUISTIC_TYPE_REF") in kinds for tier in tiers.values())

    def aligned(tier: str) -> list[tuple[int, int, str]]:
        found = tiers[tier].findall("ANNOTATION/ALIGNABLE_ANNOTATION")
        ends = [(slots[a.get("TIME_SLOT_REF1")], slots[a.get("TIME_SLOT_REF2")]) for a in found]
        return [(*pair, a.findtext("ANNOTATION_VALUE")) for pair, a in zip(ends, found, strict=True)]

    assert aligned("emotion") == [(0, 1000, CLASSES[0]), (1500, 2000, CLASSES[1])]
    assert aligned(f"p_{CLASSES[0]}") == [(0, 500, "0.90"), (500, 1000, "0.60"), (1500, 2000, "0.20")]
    owners = [a.get("ANNOTATION_ID") for a in tiers["emotion"].iter("ALIGNABLE_ANNOTATION")]
    held = [(a.get("ANNOTATION_REF"), a.findtext("ANNOTATION_VALUE")) for a in root.iter("REF_ANNOTATION")]
    assert held == list(zip(owners, ["0.75", "0.80"], strict=True))
    assert tiers["confidence"].get("PARENT_REF") == "emotion"
    assert kinds["confidence"].get("CONSTRAINTS") == "Symbolic_Association"
    assert kinds["confidence"].get("TIME_ALIGNABLE") == "false"
    assert "Symbolic_Association" in {c.get("STEREOTYPE") for c in root.iter("CONSTRAINT")}
    (vocabulary,) = root.iter("CONTROLLED_VOCABULARY")
    assert vocabulary.get("CV_ID") == kinds["emotion"].get("CONTROLLED_VOCABULARY_REF")
    assert [v.text for v in vocabulary.findall("CV_ENTRY_ML/CVE_VALUE")] == CLASSES
    assert {v.get("LANG_REF") for v in vocabulary.iter("CVE_VALUE")} == {root.find("LANGUAGE").get("LANG_ID")}


def test_an_elan_file_links_its_media_and_names_its_maker(tmp_path: Path) -> None:
    root = ElementTree.parse(package.write_timeline(line(tmp_path), tmp_path / "out/a.eaf")).getroot()
    media = [dict(m.attrib) for m in root.findall("HEADER/MEDIA_DESCRIPTOR")]
    assert [m["MEDIA_URL"] for m in media] == [
        f"file://{tmp_path}/media/a clip.wav", f"file://{tmp_path}/out/a clip.mp4"
    ]  # fmt: skip
    assert [m["RELATIVE_MEDIA_URL"] for m in media] == ["../media/a clip.wav", "./a clip.mp4"]
    assert [m["MIME_TYPE"] for m in media] == ["audio/x-wav", "video/mp4"]
    facts = {p.get("NAME"): p.text for p in root.findall("HEADER/PROPERTY")}
    assert facts["ugcl.model"] == "demo/ugcl" and facts["ugcl.marks"] == "SYNTHETIC"


@pytest.mark.parametrize("kind", ["vtt", "srt"])
def test_players_read_the_subtitles(tmp_path: Path, kind: str) -> None:
    path = package.write_timeline(line(tmp_path), tmp_path / f"a.{kind}")
    cues = list(webvtt.read(path) if kind == "vtt" else webvtt.from_srt(path))
    assert [(c.start, c.end) for c in cues] == [
        ("00:00:00.000", "00:00:01.000"), ("00:00:01.500", "00:00:02.000")
    ]  # fmt: skip
    first, second = (cue.lines[0] for cue in cues)
    escaped = {"vtt": "happy &amp; &lt;glad&gt;", "srt": CLASSES[0]}[kind]  # WebVTT, section 4.2.2
    assert first == f"{escaped} 75 % [SYNTHETIC]" and second == f"{CLASSES[1]} 80 % [SYNTHETIC]"
    comments = path.read_text() if kind == "vtt" else cues[0].text
    assert "demo/ugcl" in comments and "SYNTHETIC: " in comments
    if kind == "vtt":
        assert (
            path.read_text().startswith("WEBVTT\n\nNOTE a clip: SYNTHETIC")
            and "-->" not in comments.split("\n\n")[1]
        )


def test_a_file_that_is_there_is_kept(tmp_path: Path) -> None:
    path = tmp_path / "a.eaf"
    path.write_text("corrected by hand")
    with pytest.raises(UgclError, match="exists already"):
        package.write_timeline(line(tmp_path), path)
    assert path.read_text() == "corrected by hand"
    package.write_timeline(line(tmp_path, marks=""), path, overwrite=True)
    assert "SYNTHETIC" not in path.read_text()


def test_what_cannot_be_written_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UgclError, match=r"unknown ending; choose from \.textgrid"):
        package.write_timeline(line(tmp_path), tmp_path / "a.txt")
    table = line(tmp_path)
    table.attrs = {}
    with pytest.raises(UgclError, match="attrs have no clip, media"):
        package.write_timeline(table, tmp_path / "a.eaf")


def test_the_command_writes_what_is_asked_for_and_nothing_twice(tiny: Config, ugcl) -> None:
    kinds = "textgrid,eaf,vtt,srt,csv"
    more = "clips/AudioWAV/1001_KEY_HAP_XX.wav"
    written = ugcl("predict", *FILES, more, "--export", kinds, "--step", "0.5", "--out", "found").stderr
    assert "written: " in written and f"{CLIP}.TextGrid" in written and "and 8 more" in written
    assert not list(Path("found").glob("*.png"))
    made = {path.name for path in Path("found").glob("1001*")}
    endings = (".TextGrid", ".eaf", ".vtt", ".srt", ".timeline.csv")
    assert made == {f"{clip}{end}" for clip in (CLIP, "1001_KEY_HAP_XX") for end in endings}
    table = package.load("tiny/ugcl").timeline(*FILES, step=0.5)
    for ending in (".TextGrid", ".eaf", ".vtt", ".srt"):
        own = package.write_timeline(table, f"own{ending}").read_text()
        for text in {"tiny/ugcl", "SYNTHETIC", table.filter(like="p_").iloc[0].idxmax()[2:]}:
            assert text in own
    assert Path("own.TextGrid").read_text() == Path(f"found/{CLIP}.TextGrid").read_text()
    tiers = intervals(Path(f"found/{CLIP}.TextGrid"))
    assert tiers["emotion"][-1][1] == pytest.approx(table.attrs["duration"])
    root = ElementTree.parse(f"found/{CLIP}.eaf").getroot()
    assert [Path(m.get("MEDIA_URL").removeprefix("file://")) for m in root.iter("MEDIA_DESCRIPTOR")] == [
        Path(name).absolute() for name in FILES
    ]
    Path(f"found/{CLIP}.eaf").write_text("mine")
    failed = ugcl("predict", *FILES, "--export", "eaf,vtt", "--out", "found", code=1)
    assert "exists already" in failed.error and "and 1 others" in failed.error
    assert Path(f"found/{CLIP}.eaf").read_text() == "mine"
    ugcl("predict", *FILES, "--export", "eaf", "--out", "found", "--overwrite")
    assert Path(f"found/{CLIP}.eaf").read_text() != "mine"
    assert "praat is not a format" in ugcl("predict", *FILES, "--export", "praat", code=1).error
    Path(f"found/{CLIP}.timeline.csv").write_text("mine")
    ugcl("predict", *FILES, "--export", "srt", "--out", "found", "--overwrite")
    failed = ugcl("predict", *FILES, "--timeline", "--out", "found", code=1)
    assert f"{CLIP}.timeline.csv: exists already" in failed.error
    assert Path(f"found/{CLIP}.timeline.csv").read_text() == "mine"


def test_a_clip_of_words_alone_has_no_timeline(tiny: Config) -> None:
    """Its length is not known."""
    model = package.load("tiny/ugcl")
    width = model.ensemble.infos["audio"].dim
    clip = Clip("words", transcript="hello")
    seen = Observation(clip, {"audio": np.zeros((3, width), np.float16)}, {}, heard=None, track=None)
    (found,) = predictions(model.config, model.ensemble, [clip], (1.0, 0.2), observer=lambda _: seen)
    assert found.timeline is None and found.failure == "" and "no timeline: " in found.notes[-1]
