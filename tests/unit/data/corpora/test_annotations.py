"""Corpora whose clips are segments that people marked in Praat or ELAN."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import soundfile

from ugcl import config as configuration
from ugcl.data.annotations.tiers import read
from ugcl.errors import UgclError
from ugcl.features.build import build as build_encoder
from ugcl.features.extract import encoded
from ugcl.features.media.clip import Clip

Intervals = list[tuple[float, float, str]]
NAMES = {"speaker": r"^(\w+?)_"}
SAD = {"emotion": [(0.0, 0.5, "Sad"), (0.5, 0.8, ""), (0.8, 1.2, "happy")]}


def textgrid(path: Path, tiers: dict[str, Intervals], end: float = 1.2) -> Path:
    """A long text TextGrid as Praat's manual describes it."""
    lines = ['File type = "ooTextFile"', 'Object class = "TextGrid"', "", "xmin = 0", f"xmax = {end}"]
    lines += ["tiers? <exists>", f"size = {len(tiers)}", "item []:"]
    for number, (name, intervals) in enumerate(tiers.items(), 1):
        lines += [f"    item [{number}]:", '        class = "IntervalTier"', f'        name = "{name}"']
        lines += ["        xmin = 0", f"        xmax = {end}", f"        intervals: size = {len(intervals)}"]
        for i, (start, stop, text) in enumerate(intervals, 1):
            lines += [
                f"        intervals [{i}]:",
                f"            xmin = {start}",
                f"            xmax = {stop}",
            ]
            lines += ['            text = "' + text.replace('"', '""') + '"']
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("\n".join(lines) + "\n", encoding="utf-16" if path.parent.name == "wide" else "utf-8")
    return path


@pytest.mark.parametrize("how", ["text", "short text"])
def test_what_praat_saves_is_read(tmp_path: Path, how: str) -> None:
    from parselmouth.praat import call

    grid = call("Create TextGrid...", -0.5, 2.0, 'the"tier points', "points")
    call(grid, "Insert boundary...", 1, 0.7)
    call(grid, "Set interval text...", 1, 1, 'a "x" ! [1] 5')
    call(grid, "Insert point...", 2, 0.3, "7")
    call(grid, f"Save as {how} file...", str(tmp_path / "a.TextGrid"))
    call(grid, "Save as binary file...", str(tmp_path / "b.TextGrid"))
    ((name, tier),) = read(tmp_path / "a.TextGrid").tiers.items()
    assert name == 'the"tier' and [(s.start, s.end, s.text) for s in tier.segments] == [
        (-0.5, 0.7, 'a "x" ! [1] 5')
    ]
    with pytest.raises(UgclError, match="a binary TextGrid; save it as a text file"):
        read(tmp_path / "b.TextGrid")


EAF = """<?xml version="1.0" encoding="UTF-8"?>
<ANNOTATION_DOCUMENT AUTHOR="" DATE="2026-01-01T00:00:00+00:00" FORMAT="3.0" VERSION="3.0">
<HEADER MEDIA_FILE="" TIME_UNITS="milliseconds">
<MEDIA_DESCRIPTOR MEDIA_URL="file:///D:/study/talk%20one.avi" MIME_TYPE="video/avi"
 RELATIVE_MEDIA_URL="./film/talk%20one.avi"/></HEADER>
<TIME_ORDER><TIME_SLOT TIME_SLOT_ID="ts1" TIME_VALUE="200"/><TIME_SLOT TIME_SLOT_ID="ts2" TIME_VALUE="600"/>
<TIME_SLOT TIME_SLOT_ID="ts3" TIME_VALUE="400"/><TIME_SLOT TIME_SLOT_ID="ts4" TIME_VALUE="1000"/>
<TIME_SLOT TIME_SLOT_ID="ts5"/></TIME_ORDER>
<TIER LINGUISTIC_TYPE_REF="t" PARTICIPANT="Ann" TIER_ID="emotion@A"><ANNOTATION>
<ALIGNABLE_ANNOTATION ANNOTATION_ID="a1" TIME_SLOT_REF1="ts1" TIME_SLOT_REF2="ts2">
<ANNOTATION_VALUE>sad</ANNOTATION_VALUE></ALIGNABLE_ANNOTATION></ANNOTATION></TIER>
<TIER LINGUISTIC_TYPE_REF="t" PARTICIPANT="Ben" TIER_ID="emotion@B"><ANNOTATION>
<ALIGNABLE_ANNOTATION ANNOTATION_ID="a2" TIME_SLOT_REF1="ts3" TIME_SLOT_REF2="ts4">
<ANNOTATION_VALUE>happy</ANNOTATION_VALUE></ALIGNABLE_ANNOTATION></ANNOTATION></TIER>
<TIER LINGUISTIC_TYPE_REF="r" PARENT_REF="emotion@A" TIER_ID="words@A"><ANNOTATION>
<REF_ANNOTATION ANNOTATION_ID="a3" ANNOTATION_REF="a1"><ANNOTATION_VALUE>oh
no</ANNOTATION_VALUE></REF_ANNOTATION></ANNOTATION></TIER>
<TIER LINGUISTIC_TYPE_REF="r" PARENT_REF="emotion@B" TIER_ID="words@B"/>
<TIER LINGUISTIC_TYPE_REF="t" TIER_ID="loose"><ANNOTATION>
<ALIGNABLE_ANNOTATION ANNOTATION_ID="a4" TIME_SLOT_REF1="ts1" TIME_SLOT_REF2="ts5">
<ANNOTATION_VALUE>x</ANNOTATION_VALUE></ALIGNABLE_ANNOTATION></ANNOTATION></TIER>
</ANNOTATION_DOCUMENT>
"""


def made(build, root: Path, **annotations) -> pd.DataFrame:
    settings = {"columns": {"emotion": "emotion"}, "names": NAMES} | annotations
    return build("mine", root, "emotion", ["sad", "happy"], adapter="folder", annotations=settings)


@pytest.mark.parametrize("folder", ["plain", "wide"])
def test_each_interval_with_a_text_is_a_clip(build, wav, tmp_path: Path, folder: str) -> None:
    wav(tmp_path / f"{folder}/s1_talk.wav", 1.2)
    words = [(0.0, 0.3, 'he said "oh"'), (0.3, 0.7, "well"), (0.7, 1.2, "yes")]
    textgrid(tmp_path / f"{folder}/s1_talk.TextGrid", SAD | {"words": words})
    names = {"speaker": r"(s\d)_", "session": r"^(\w+)/"}
    columns = {"emotion": "emotion", "transcript": "words"}
    frame = made(build, tmp_path, columns=columns, segments="emotion", names=names)
    assert frame.index.tolist() == [f"{folder}_s1_talk_0-500", f"{folder}_s1_talk_800-1200"]
    assert frame["emotion"].tolist() == ["sad", "happy"] and set(frame["speaker"]) == {"s1"}
    assert frame["transcript"].tolist() == ['he said "oh"', "yes"] and set(frame["session"]) == {folder}
    assert set(frame["audio"]) == {f"{folder}/s1_talk.wav"} and set(frame["video"]) == {""}
    assert frame[["start", "end"]].to_numpy().tolist() == [[0, 0.5], [0.8, 1.2]]
    assert frame["duration"].tolist() == pytest.approx([0.5, 0.4])
    assert frame["turn"].tolist() == [0, 1] and set(frame["dialogue"]) == {f"{folder}_s1_talk"}


def test_elan_s_tiers_of_several_speakers(build, film, tmp_path: Path) -> None:
    film(tmp_path / "film/talk one.avi", 1.2)
    (tmp_path / "pair 1.eaf").write_text(EAF)
    columns = {"emotion": "emotion@{speaker}", "transcript": "words@{speaker}"}
    frame = made(build, tmp_path, columns=columns, segments="emotion@{speaker}", names={})
    assert frame.index.tolist() == ["pair_1_A_200-600", "pair_1_B_400-1000"]
    assert frame["speaker"].tolist() == ["A", "B"] and frame["emotion"].tolist() == ["sad", "happy"]
    assert frame["transcript"].tolist() == ["oh no", ""] and frame["turn"].tolist() == [0, 1]
    assert set(frame["video"]) == {"film/talk one.avi"} and set(frame["audio"]) == {""}


def test_elan_s_participant_is_the_speaker_where_nothing_else_is(build, tmp_path: Path) -> None:
    (tmp_path / "a.eaf").write_text(EAF)
    (tmp_path / "b.eaf").write_text(EAF.replace(">sad<", ">happy<"))
    frame = made(build, tmp_path, columns={"emotion": "emotion@A"}, names={})
    assert frame["speaker"].tolist() == ["Ann", "Ann"] and frame["emotion"].tolist() == ["sad", "happy"]
    found = read(tmp_path / "a.eaf")
    assert found.tier("emotion@A").speaker == "Ann"
    assert [(s.start, s.end, s.text) for s in found.tier("words@A").segments] == [(0.2, 0.6, "oh no")]
    with pytest.raises(UgclError, match="tier 'loose': 'x' has no time; align it"):
        found.tier("loose")


def test_a_transcript_has_all_words_of_its_clip(build, wav, tmp_path: Path) -> None:
    """Words of a forced alignment; a word that two clips share belongs to the one that has its middle."""
    wav(tmp_path / "s1_a.wav", 1.2)
    words = [(0.0, 0.1, "I"), (0.1, 0.2, "am"), (0.2, 0.45, "so"), (0.45, 0.7, "very"), (0.7, 1.2, "glad")]
    mood = {"emotion": [(0.0, 0.5, "Sad"), (0.5, 0.6, "sad"), (0.6, 1.2, "happy")], "words": words}
    textgrid(tmp_path / "s1_a.TextGrid", mood | {"note": [(0.0, 0.2, "low"), (0.2, 0.5, "loud")]})
    columns = {"emotion": "emotion", "transcript": "words", "note": "note"}
    frame = made(build, tmp_path, columns=columns, segments="emotion")
    assert frame["transcript"].tolist() == ["I am so", "very", "glad"]
    assert frame["note"].tolist() == ["loud", "", ""]


def test_a_sentence_of_several_clips_is_that_of_each(build, wav, tmp_path: Path) -> None:
    wav(tmp_path / "s1_a.wav", 1.2)
    textgrid(tmp_path / "s1_a.TextGrid", SAD | {"words": [(0.0, 1.1, "all of it")]})
    frame = made(build, tmp_path, columns={"emotion": "emotion", "transcript": "words"}, segments="emotion")
    assert frame["transcript"].tolist() == ["all of it", "all of it"]


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ('"milliseconds"', '"NTSC-frames"', "times in NTSC-frames, not in milliseconds"),
        ('MIME_TYPE="', 'TIME_ORIGIN="1500" MIME_TYPE="', "begins 1500 ms into its recording"),
        ('ANNOTATION_REF="a1"', 'ANNOTATION_REF="a3"', "'a3' refers to none with times"),
        ('ANNOTATION_REF="a1"', 'ANNOTATION_REF="a9"', "'a3' refers to none with times"),
    ],
)  # fmt: skip
def test_what_elan_s_times_are_not_is_refused(tmp_path: Path, old: str, new: str, words: str) -> None:
    (tmp_path / "a.eaf").write_text(EAF.replace(old, new, 1))
    with pytest.raises(UgclError, match=words) as caught:
        read(tmp_path / "a.eaf")
    assert "\n" not in str(caught.value)


def test_features_are_those_of_the_segment_alone(build, film, tmp_path: Path) -> None:
    """The clip of a marked segment, and a file that holds the same samples and no more."""
    rng, time = np.random.default_rng(0), np.arange(19200) / 16000
    samples = (0.3 * np.sin(2 * np.pi * (200 + 300 * time) * time) + 0.01 * rng.normal(size=19200)).astype(
        np.float32
    )
    soundfile.write(tmp_path / "s1_a.wav", samples, 16000, "PCM_16")
    textgrid(tmp_path / "s1_a.TextGrid", SAD)
    read_back, _ = soundfile.read(tmp_path / "s1_a.wav", dtype="int16")
    soundfile.write(tmp_path / "alone.wav", read_back[round(0.8 * 16000) :], 16000, "PCM_16")
    frame = made(build, tmp_path).reset_index()
    row = frame.set_index("clip", drop=False).loc["s1_a_800-1200"]
    model = build_encoder(configuration.load(), "demo", "logmel")
    clips = [Clip.from_row(row, tmp_path), Clip("b", tmp_path / "alone.wav")]
    (_, marked), (_, alone) = encoded(model, clips, 1)
    assert len(alone) == pytest.approx(0.4 * model.rate, abs=2)
    np.testing.assert_array_equal(marked, alone)


def test_a_segment_beyond_the_recording_is_quarantined(build, wav, film, tmp_path: Path) -> None:
    wav(tmp_path / "s1_a.wav", 0.6)
    film(tmp_path / "s2_b.avi", 0.6)
    for name in ("s1_a", "s2_b"):
        textgrid(tmp_path / f"{name}.TextGrid", SAD)
    frame = made(build, tmp_path).reset_index().set_index("clip", drop=False)
    assert len(frame) == 4
    model = build_encoder(configuration.load(), "demo", "logmel")
    found = dict(
        encoded(model, [Clip.from_row(frame.loc[name], tmp_path) for name in sorted(frame.index)], 1)
    )
    failures = {clip.name: getattr(half, "failure", "") for clip, half in found.items()}
    assert failures == {
        "s1_a_0-500": "", "s1_a_800-1200": "truncated", "s2_b_0-500": "", "s2_b_800-1200": "truncated"
    }  # fmt: skip
    late = Clip.from_row(frame.loc["s2_b_800-1200"], tmp_path)
    with pytest.raises(UgclError, match=r"truncated: .*s2_b\.avi"):
        list(late.frames())


def test_a_recording_that_is_not_there_is_named(build, wav, tmp_path: Path) -> None:
    textgrid(tmp_path / "s1_a.TextGrid", SAD)
    frame = made(build, tmp_path)
    assert set(frame["audio"]) == {"s1_a.wav"} and frame["duration"].tolist() == pytest.approx([0.5, 0.4])
    for folder in ("x", "y"):
        wav(tmp_path / folder / "s1_a.wav", 1.2)
    with pytest.raises(UgclError, match=r"several recordings have its name \(x/s1_a.wav, y/s1_a.wav\)"):
        made(build, tmp_path)


@pytest.mark.parametrize(
    ("tiers", "words"),
    [
        ({"mood": [(0, 1, "sad")]}, r"no tier 'emotion' with intervals \(it has 'mood'\)"),
        (
            {"emotion": [(0, 0.6, "sad"), (0.5, 1, "happy")]},
            r"'sad' ends at 0.600 s, after 'happy' begins at 0.500",
        ),
        ({"emotion": [(0.6, 0.5, "sad")]}, "goes from 0.600 to 0.500 s; fix its times"),
        ({"emotion": [(-0.5, 0.5, "sad")]}, "goes from -0.500 to 0.500 s"),
        ({"emotion": [(0, 1, "")]}, "no labelled segment in 1 files"),
        ({"emotion": [(0, 1, "sad")]}, "no clip has the label 'happy'"),
    ],
)
def test_faults_of_annotations_are_one_line(build, wav, tmp_path: Path, tiers, words: str) -> None:
    wav(tmp_path / "s1_a.wav", 1.2)
    textgrid(tmp_path / "s1_a.TextGrid", tiers)
    with pytest.raises(UgclError, match=words) as caught:
        made(build, tmp_path)
    assert "\n" not in str(caught.value)


def test_a_label_of_no_class_is_counted_and_left_out(build, wav, tmp_path: Path, caplog) -> None:
    wav(tmp_path / "s1_a.wav", 1.2)
    textgrid(tmp_path / "s1_a.TextGrid", {"emotion": [*SAD["emotion"], (0.6, 0.7, "bored")]})
    assert made(build, tmp_path)["emotion"].tolist() == ["sad", "bored", "happy"]
    assert "clips of no class, left out: 'bored' 1" in caplog.text


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ("", "a file of Praat, but not a TextGrid"),
        (
            'File type = "ooTextFile"\nObject class = "TextGrid"\n\nxmin = 0\n',
            "the file ends before its last tier does",
        ),
    ],
)
def test_a_broken_file_is_one_line(build, tmp_path: Path, content: str, words: str) -> None:
    (tmp_path / "s1_a.TextGrid").write_text(content)
    with pytest.raises(UgclError, match=words) as caught:
        made(build, tmp_path)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"columns": {"emotion": "a", "transcript": "b"}}, "segments: several tiers are read"),
        ({"files": ["/elsewhere/*.TextGrid"]}, "files: '/elsewhere/*.TextGrid' is not below the root"),
        ({"files": ["../*.eaf"]}, "files: '../*.eaf' is not below the root"),
        ({"columns": {"start": "a"}}, "start: it follows from the segment"),
        ({"columns": {"emotion": "a@{speaker}"}}, "remove the other source of speaker"),
        ({"columns": {"speaker": "a"}}, "names.speaker: columns has it too"),
        (
            {"columns": {"emotion": "a", "x": "b@{speaker}"}, "segments": "a"},
            "needs to be in the name of the tier",
        ),
    ],
)
def test_settings_that_contradict_each_other(build, tmp_path: Path, settings: dict, words: str) -> None:
    with pytest.raises(UgclError, match=re.escape(words)):
        made(build, tmp_path, **settings)


def test_the_workflow_reads_annotation_files_without_a_table(build, tmp_path: Path, project: Path) -> None:
    from ugcl.plan import check, data

    tree = configuration.read(project / "params.yaml")
    protocols = {"p": {"label": "emotion", "classes": ["sad", "happy"]}}
    corpus = {"adapter": "folder", "root": str(tmp_path), "protocols": protocols}
    tree["corpora"]["mine"] = corpus | {"annotations": {"columns": {"emotion": "emotion"}}}
    tree["benchmarks"]["mine"] = tree["benchmarks"]["demo"] | {"corpus": "mine", "protocol": "p"}
    tree["active"] = ["mine"]
    path = textgrid(tmp_path / "s1_a.TextGrid", SAD)
    config = configuration.parse(tree)
    assert data.raw_files(config, "mine") == [path]
    check.check(config)
    (tmp_path / "db.yaml").touch()
    del tree["corpora"]["mine"]["annotations"]
    tree["corpora"]["mine"]["database"] = {"tables": ["t"], "columns": {"emotion": "e"}}
    config = configuration.parse(tree)
    assert data.raw_files(config, "mine") == [tmp_path / "db.yaml", path]
    check.check(config)
