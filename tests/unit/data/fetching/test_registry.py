"""The table of sources says what it can prove, and wrong rows are named."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest

from tests.unit.data.fetching.made_corpus import Project
from ugcl.data import sources, tables
from ugcl.data.fetching import registry
from ugcl.errors import UgclError


@pytest.fixture(scope="module")
def rows(project: Path) -> list[registry.Source]:
    return registry.read(project / "workflow/resources/sources.csv")


def of(rows: list[registry.Source], corpus: str) -> list[registry.Source]:
    return [row for row in rows if row.corpus == corpus]


def test_every_row_has_a_licence_and_a_safe_address(rows: list[registry.Source]) -> None:
    assert {row.corpus for row in rows} == {
        "crema_d",
        "ravdess",
        "meld",
        "iemocap",
        "mmmo",
        "mosi",
        "msp_improv",
        "models",
    }
    for row in rows:
        assert row.licence
        assert row.url.startswith(("https://", "git+https://"))
        assert row.version


def test_ravdess_is_one_archive_of_sound_and_24_of_video(rows: list[registry.Source]) -> None:
    units = registry.units(of(rows, "ravdess"))
    assert Counter(unit.kind for unit in units) == {"archive": 25}
    assert sum(unit.rows[0].files for unit in units) == 2 * 1440
    names = {unit.path for unit in units}
    assert names == {
        "Audio_Speech_Actors_01-24.zip",
        *(f"Video_Speech_Actor_{k:02d}.zip" for k in range(1, 25)),
    }
    assert sum(unit.bytes for unit in units) == pytest.approx(13.56e9, rel=0.01)


def test_meld_is_one_archive_of_three_folders_and_three_tables(rows: list[registry.Source]) -> None:
    units = registry.units(of(rows, "meld"))
    assert Counter(unit.kind for unit in units) == {"archive": 1, "file": 3}
    [archive] = [unit for unit in units if unit.kind == "archive"]
    assert len(archive.rows) == 3
    assert len(archive.urls) == 2
    assert all(unit.sha256 for unit in units)


def test_crema_d_is_pinned_and_its_sizes_are_those_of_the_release(
    rows: list[registry.Source], mirror: Path
) -> None:
    units = registry.units(of(rows, "crema_d"))
    assert Counter(unit.kind for unit in units) == {"git": 1, "file": 10}
    [media] = [unit for unit in units if unit.kind == "git"]
    facts = tables.read(mirror / "crema_d/media_sha256.csv")
    assert media.bytes == facts["bytes"].astype(int).sum()
    assert sum(row.files for row in media.rows) == len(facts) == 14884
    for unit in units:
        local = mirror / "crema_d" / unit.path
        if unit.kind == "file" and local.is_file():
            assert unit.sha256 == sources.sha256(local)
            assert unit.bytes == local.stat().st_size
    assert sum((mirror / "crema_d" / unit.path).is_file() for unit in units) == 9  # all but partition 5


@pytest.mark.parametrize("corpus", ["iemocap", "msp_improv"])
def test_licensed_corpora_have_no_download(rows: list[registry.Source], corpus: str) -> None:
    assert registry.units(of(rows, corpus)) == []
    assert {row.kind for row in of(rows, corpus)} == {"request"}


@pytest.mark.parametrize(
    ("row", "words"),
    [
        ({"url": "https://x/a", "path": "../a"}, "path: .*inside the corpus root"),
        ({"url": "https://x/a", "path": "/a"}, "inside the corpus root"),
        ({"url": "https://x/a", "path": "a", "sha256": "12"}, "sha256"),
        ({"url": "https://x/a", "path": "a", "kind": "other"}, "kind"),
        ({"url": "", "path": "a"}, "url"),
        ({"url": "https://x/a", "path": "a", "bytes": "many"}, "bytes"),
    ],
)
def test_a_wrong_row_is_named_by_its_line(project_folder: Project, row: dict, words: str) -> None:
    project_folder.register({"url": "https://x/good", "path": "good"}, row)
    with pytest.raises(UgclError, match=rf"sources\.csv: line 3: .*{words}") as caught:
        registry.read(project_folder.sources)
    assert "\n" not in str(caught.value)


def test_an_absent_registry_is_named(tmp_path: Path) -> None:
    with pytest.raises(UgclError, match=r"sources\.csv: not found"):
        registry.read(tmp_path / "sources.csv")
