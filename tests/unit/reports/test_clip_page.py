"""The page of clips shows what was predicted, and plays one's own clips alone; the archive is whole."""

from __future__ import annotations

import json
import posixpath
import zipfile
from pathlib import Path
from urllib.parse import unquote

import pandas as pd
import pytest
from bs4 import BeautifulSoup

from tests.fixtures import finished
from ugcl import config as configuration
from ugcl.config import Config
from ugcl.data import sources, tables
from ugcl.errors import UgclError
from ugcl.plan import evaluation, paths
from ugcl.plan import reports as outputs
from ugcl.reports.pages import archive, model_card, site
from ugcl.reports.pages.media import clip_table
from ugcl.reports.tables import papers


def shown(config: Config, benchmark: str) -> dict:
    """The data of a page that was written."""
    soup = BeautifulSoup(outputs.clip_page(config, benchmark).read_text(), "html.parser")
    return json.loads(soup.select_one("script#data").string)


def test_a_clip_has_the_class_that_the_seeds_find_most_probable(summarised: Config) -> None:
    clip_table.build_all(summarised)
    data, classes = shown(summarised, "demo"), summarised.protocol("demo").classes
    assert data["classes"] == classes
    seeds, folds = summarised.benchmark("demo").seeds, summarised.folds("demo")
    for system in summarised.benchmark("demo").systems:
        files = [evaluation.prediction("demo", system, s, f) for s in seeds for f in folds]
        means = pd.concat(map(pd.read_csv, files)).groupby("clip")[[f"p_{name}" for name in classes]].mean()
        text = data["said"][system]
        assert len(text) == 3 * len(data["clips"]) == 3 * len(means)
        for n, clip in enumerate(data["clips"]):
            best = means.loc[clip[0]].to_numpy().argmax()
            assert text[3 * n] == chr(65 + best)
            assert int(text[3 * n + 1 : 3 * n + 3]) == pytest.approx(
                100 * means.loc[clip[0]].max(), abs=1.001
            )


def place(config: Config, corpus: str) -> pd.DataFrame:
    """Put files where the manifest says that the clips' media lie; the manifest."""
    manifest, root = tables.read_manifest(paths.manifest(corpus)), sources.root(config, corpus)
    for name in {*manifest["video"], *manifest["audio"]} - {""}:
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_bytes(b"media")
    return manifest.set_index("clip")


def test_own_clips_are_played_from_where_they_lie_and_others_never(summarised: Config) -> None:
    manifest, _ = place(summarised, "demo"), place(summarised, "ravdess")
    clip_table.build_all(summarised)
    for clip, *_, address, player in shown(summarised, "demo")["clips"]:
        file = outputs.clip_page(summarised, "demo").parent / unquote(address)
        assert file.resolve() == (sources.root(summarised, "demo") / manifest.loc[clip, "video"]).resolve()
        assert player == "video" and file.is_file()
    assert {len(clip) for clip in shown(summarised, "ravdess")["clips"]} == {5}, (
        "an actor's clip has no address"
    )


def test_a_player_starts_where_the_clip_does_in_the_file_that_it_plays(summarised: Config) -> None:
    """A long video and a sound file per clip: the times of the clip are places in the video alone."""
    path = paths.manifest("demo")
    manifest = tables.read_manifest(path)
    manifest = manifest.assign(video="talk.avi", start=63.2, end=65.1, cut="video")
    manifest.loc[manifest.index % 2 == 0, "video"] = "talk.mp4"
    tables.write(manifest, path)
    place(summarised, "demo")
    clip_table.build_all(summarised)
    films = dict(zip(manifest["clip"], manifest["video"], strict=True))
    clips = shown(summarised, "demo")["clips"]
    assert {films[clip] for clip, *_ in clips} == {"talk.avi", "talk.mp4"}
    for clip, *_, address, player in clips:
        if films[clip] == "talk.mp4":
            assert player == "video" and address.endswith("talk.mp4#t=63.2,65.1")
        else:
            assert player == "audio" and address.endswith(".wav"), "browsers do not play AVI"


def test_words_of_own_clips_are_on_the_page_and_not_in_what_is_passed_on(
    summarised: Config, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = paths.manifest("demo")
    tables.write(tables.read_manifest(path).assign(transcript="in private"), path)
    page = outputs.clip_page(summarised, "demo")

    def words(play: bool) -> set[str]:
        clips = clip_table.context(summarised, "demo", page, play)["data"]["clips"]
        return {clip[4] for clip in clips}

    assert words(play=True) == words(play=False) == {"in private"}, "the demo's are nobody's"
    monkeypatch.setattr(outputs, "may_show", lambda config, corpus: False)  # as of a user's folder
    assert words(play=True) == {"in private"} and words(play=False) == {""}


def test_names_of_clips_are_text_in_the_page(summarised: Config) -> None:
    page = outputs.clip_page(summarised, "demo")
    context = clip_table.context(summarised, "demo", page)
    context["data"]["clips"][0][0] = "</script><script>alert(1)</script>"
    text = clip_table.fill("clips.html.j2", context)
    assert "<script>alert" not in text


@pytest.fixture
def packed(summarised: Config) -> Path:
    place(summarised, "demo")
    finished.stand_in_figures(summarised)
    papers.tables_of_all(summarised)
    model_card.cards_of_all(summarised)
    clip_table.build_all(summarised)
    for path in (*outputs.notebook_outputs(summarised), outputs.workflow_report(summarised)):
        path.write_text('<!doctype html><title>a page</title><a href="index.html">Report</a>')
    site.build(summarised)
    Path("results/README.md").write_text("The columns.")
    return archive.pack(summarised)


def test_the_archive_has_every_file_that_its_pages_link_to(packed: Path, summarised: Config) -> None:
    with zipfile.ZipFile(packed) as found:
        names = set(found.namelist())
        for page in (name for name in names if name.endswith(".html")):
            soup = BeautifulSoup(found.read(page), "html.parser")
            links = [tag[key] for tag in soup.find_all() for key in ("href", "src") if tag.get(key)]
            outside = [link for link in links if not link.startswith(("data:", "#"))]
            targets = {posixpath.normpath(posixpath.join(posixpath.dirname(page), link)) for link in outside}
            assert targets <= names, page
            assert "data/raw" not in found.read(page).decode(), "clips stay where they are"
        assert {"index.html", "README.md", "parameters/params.yaml"} <= names
        tables_of_all = {path.relative_to("results").as_posix() for path in evaluation.tables(summarised)}
        assert tables_of_all <= names
        assert not [name for name in names if name.endswith((".safetensors", ".mp4", ".wav", ".zip"))]


def test_the_same_report_makes_the_same_archive(packed: Path, summarised: Config) -> None:
    before = packed.read_bytes()
    assert archive.pack(summarised).read_bytes() == before


def test_an_archive_is_made_whole_or_not_at_all(packed: Path, summarised: Config) -> None:
    before = packed.read_bytes()
    outputs.workflow_report(summarised).unlink()
    with pytest.raises(UgclError, match=r"workflow\.html: not found; .* makes the report"):
        archive.pack(summarised)
    assert packed.read_bytes() == before


def test_parameters_from_elsewhere_are_packed_by_their_own_name(
    packed: Path, summarised: Config, monkeypatch
) -> None:
    monkeypatch.setenv("UGCL_PARAMS", str(Path("params.yaml").absolute()))
    archive.pack(configuration.load())
    with zipfile.ZipFile(packed) as found:
        assert "parameters/params.yaml" in found.namelist()
        assert not [name for name in found.namelist() if name.startswith("/") or ".." in name]
