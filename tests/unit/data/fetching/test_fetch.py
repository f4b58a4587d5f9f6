"""`ugcl data fetch`: what comes from where, once, verified, with one clear line when it cannot be had."""

from __future__ import annotations

import shutil
import threading
from pathlib import Path

import pytest

from tests.unit.data.fetching.http_server import Server
from tests.unit.data.fetching.made_corpus import Project, digest, make_tar, make_zip
from ugcl.data import sources
from ugcl.data.fetching import records
from ugcl.errors import UgclError

WAVS = {f"Actor_01/03-01-0{k}.wav": bytes([k]) * 1000 for k in range(1, 4)}
FILMS = {f"Actor_0{k}/01-01-01.mp4": bytes([k]) * 5000 for k in (1, 2)}
SILENT = {"Actor_01/02-01-01.mp4": b"no sound"}


@pytest.fixture
def release(project_folder: Project, server: Server) -> Project:
    """A release like RAVDESS: one archive of sound, one of video an actor, and a table with a known hash."""
    server.files["sound.zip"] = make_zip(WAVS)
    for k in (1, 2):
        films = {name: data for name, data in FILMS.items() if name.startswith(f"Actor_0{k}/")}
        server.files[f"video_{k}.zip"] = make_zip(films | (SILENT if k == 1 else {}))
    server.files["table.csv"] = b"a,b\n"
    table = {"url": server.url("table.csv?download=1"), "path": "table.csv", "sha256": digest(b"a,b\n")}
    video = [
        {
            "url": server.url(f"video_{k}.zip"),
            "path": f"Actor_0{k}/01-01-*.mp4",
            "files": 1,
            "bytes": len(server.files[f"video_{k}.zip"]),
        }
        for k in (1, 2)
    ]
    sound = {"url": server.url("sound.zip"), "path": "Actor_*/03-01-*.wav", "files": 3}
    project_folder.register(table, sound, *video)
    return project_folder


def expected(*groups: dict[str, bytes]) -> dict[str, str]:
    return {name: digest(data) for group in groups for name, data in group.items()}


def test_a_corpus_arrives_unpacked_listed_and_recorded(release: Project, server: Server) -> None:
    assert release.fetch() == expected(WAVS, FILMS, {"table.csv": b"a,b\n"})
    assert release.held() == {*WAVS, *FILMS, "table.csv", sources.FILE_TABLE, records.RECEIVED}
    received = records.read(release.root / records.RECEIVED)
    assert received["sound.zip"].sha256 == digest(server.files["sound.zip"])
    assert received["Actor_02/01-01-01.mp4"] == records.Fact(5000, digest(FILMS["Actor_02/01-01-01.mp4"]))


def test_a_second_run_downloads_nothing_even_without_its_listing(release: Project, server: Server) -> None:
    first = release.fetch()
    server.requests.clear()
    assert release.fetch() == first
    (release.root / sources.FILE_TABLE).unlink()  # as Snakemake does before it runs the rule again
    assert release.fetch() == first
    assert server.requests == []


def test_what_was_deleted_comes_back_and_the_rest_is_left_alone(release: Project, server: Server) -> None:
    first = release.fetch()
    (release.root / "Actor_02/01-01-01.mp4").unlink()
    server.requests.clear()
    assert release.fetch() == first
    assert [path for path, _ in server.requests] == ["video_2.zip"]


def test_one_file_that_cannot_be_had_does_not_cost_the_others(release: Project, server: Server) -> None:
    server.forever["video_1.zip"] = 404
    with pytest.raises(UgclError, match=r"video_1\.zip: not fetched .*HTTP 404"):
        release.fetch()
    assert {*WAVS, "Actor_02/01-01-01.mp4", "table.csv"} <= release.held()
    assert sources.FILE_TABLE not in release.held()
    del server.forever["video_1.zip"]
    server.requests.clear()
    assert release.fetch() == expected(WAVS, FILMS, {"table.csv": b"a,b\n"})
    assert [path for path, _ in server.requests] == ["video_1.zip"]


def test_a_broken_off_run_goes_on(release: Project, server: Server) -> None:
    half = len(server.files["video_2.zip"]) // 2
    server.etags["video_2.zip"] = '"v"'
    server.forever["video_2.zip"] = ("drop", half)
    server.ranges = False
    with pytest.raises(UgclError, match="not fetched"):
        release.fetch()
    server.ranges = True
    del server.forever["video_2.zip"]
    server.requests.clear()
    assert release.fetch() == expected(WAVS, FILMS, {"table.csv": b"a,b\n"})
    [(path, span)] = server.requests
    assert (path, span) == ("video_2.zip", f"bytes={half}-")


def test_a_file_without_a_published_hash_is_held_to_its_first_arrival(
    release: Project, server: Server
) -> None:
    release.fetch()
    (release.root / "Actor_01/03-01-01.wav").unlink()
    server.files["sound.zip"] = make_zip({name: b"other" for name in WAVS})
    with pytest.raises(UgclError, match=r"sound\.zip: not fetched .*sha256"):
        release.fetch()


def test_a_file_that_changed_since_it_came_is_named(release: Project) -> None:
    release.fetch()
    (release.root / "Actor_01/03-01-02.wav").write_bytes(b"rot")
    with pytest.raises(UgclError, match=r"Actor_01/03-01-02\.wav: 3 bytes.*received\.csv.*fetch again"):
        release.fetch()


def test_a_table_that_changed_is_fetched_again(release: Project) -> None:
    first = release.fetch()
    (release.root / "table.csv").write_bytes(b"x,y\n")
    assert release.fetch() == first
    assert (release.root / "table.csv").read_bytes() == b"a,b\n"


def test_a_tree_of_ones_own_is_taken_as_it_is(release: Project, server: Server) -> None:
    (release.root / "Actor_01").mkdir(parents=True)
    (release.root / "Actor_01/03-01-01.wav").write_bytes(b"mine")
    assert release.fetch() == {"Actor_01/03-01-01.wav": digest(b"mine")}
    assert server.requests == []
    completed = release.fetch(complete=True)
    assert set(completed) == {*WAVS, *FILMS, "table.csv"}
    # A file of the same size as the release's would stay; this one has another, so it is replaced.
    assert completed["Actor_01/03-01-01.wav"] == digest(WAVS["Actor_01/03-01-01.wav"])


def test_archives_of_ones_own_are_unpacked(release: Project, server: Server) -> None:
    release.root.mkdir(parents=True)
    (release.root / "sound.zip").write_bytes(server.files["sound.zip"])
    assert release.fetch() == expected(WAVS)
    assert server.requests == []


def test_a_tree_in_a_tar_in_a_tar_comes_out_in_one_pass(project_folder: Project, server: Server) -> None:
    inner = make_tar({"Actor_01/01-01-01.mp4": b"film", "Actor_02/03-01-01.wav": b"sound"})
    server.files["raw.tar.gz"] = make_tar({"Raw/train.tar.gz": inner})
    known = {"url": server.url("raw.tar.gz"), "sha256": digest(server.files["raw.tar.gz"]), "files": 1}
    mirror = known | {"kind": "mirror", "url": server.url("copy/raw.tar.gz")}
    paths = ("Actor_*/01-01-*.mp4", "Actor_*/03-01-*.wav")
    project_folder.register(*({**row, "path": path} for row in (known, mirror) for path in paths))
    listing = project_folder.fetch()
    assert listing == {"Actor_01/01-01-01.mp4": digest(b"film"), "Actor_02/03-01-01.wav": digest(b"sound")}
    assert [path for path, _ in server.requests] == ["raw.tar.gz"]


def test_an_archive_with_fewer_files_than_expected_comes_once(
    project_folder: Project, server: Server, caplog: pytest.LogCaptureFixture
) -> None:
    server.files["sound.zip"] = make_zip(WAVS)
    row = {"url": server.url("sound.zip"), "path": "Actor_*/03-01-*.wav", "files": 4}
    project_folder.register(row)
    assert project_folder.fetch() == expected(WAVS)
    assert project_folder.fetch() == expected(WAVS)
    assert len(server.requests) == 1
    assert "sound.zip gave 3 files, not 4" in caplog.text


def test_an_evil_archive_writes_nothing(project_folder: Project, server: Server) -> None:
    server.files["x.zip"] = make_zip({"Actor_01/../../../../evil.wav": b"evil"})
    project_folder.register({"url": server.url("x.zip"), "path": "Actor_*/*.wav"})
    with pytest.raises(UgclError, match="leads outside the folder"):
        project_folder.fetch()
    assert not list(project_folder.folder.rglob("evil.wav"))


def test_the_mirror_row_is_used_when_the_primary_fails(project_folder: Project, server: Server) -> None:
    server.files["copy.csv"] = b"a\n"
    row = {"path": "table.csv", "sha256": digest(b"a\n")}
    project_folder.register(
        row | {"url": server.url("gone.csv")}, row | {"url": server.url("copy.csv"), "kind": "mirror"}
    )
    assert project_folder.fetch() == {"table.csv": digest(b"a\n")}


def test_a_full_disk_is_noticed_before_the_first_byte(
    release: Project, server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    usage = shutil.disk_usage(".")
    monkeypatch.setattr(shutil, "disk_usage", lambda path: usage._replace(free=3000))
    with pytest.raises(UgclError, match=r"GB are needed, 0\.00 GB are free; make room"):
        release.fetch()
    assert server.requests == []


def test_files_come_side_by_side(project_folder: Project, server: Server) -> None:
    """Each request waits for the other: one after the other would never end."""
    both = threading.Barrier(2, timeout=5)

    class Meeting(bytes):
        pass

    class Files(dict):
        def get(self, name: str, default: object = None) -> object:
            both.wait()
            return super().get(name, default)

    server.files = Files({"1.zip": make_zip(WAVS), "2.zip": make_zip(FILMS)})
    project_folder.register(
        {"url": server.url("1.zip"), "path": "Actor_*/03-01-*.wav"},
        {"url": server.url("2.zip"), "path": "Actor_*/01-01-*.mp4"},
    )
    assert project_folder.fetch() == expected(WAVS, FILMS)


def test_an_interrupt_stops_all_transfers(
    release: Project, server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    release.tree["data"]["parallel"] = 1

    def interrupt(*arguments: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("ugcl.data.fetching.corpus.archives.unpack", interrupt)
    with pytest.raises(KeyboardInterrupt):
        release.fetch()
    assert len({path for path, _ in server.requests}) <= 3


def test_nowhere_to_be_had_says_where_to_put_it(project_folder: Project, tmp_path: Path) -> None:
    with pytest.raises(
        UgclError, match=r"no files under data/raw/ravdess and no mirror is set.*data\.mirror"
    ) as caught:
        project_folder.fetch()
    assert "\n" not in str(caught.value)
    project_folder.tree["data"]["mirror"] = str(tmp_path / "gone")
    with pytest.raises(UgclError, match=r"data\.mirror \(.*gone\) has no ravdess/"):
        project_folder.fetch()


def test_a_gated_corpus_stops_with_where_to_apply_and_what_to_put(
    project_folder: Project, caplog: pytest.LogCaptureFixture
) -> None:
    asked = {"kind": "request", "url": "https://owner.example/apply", "licence": "release form"}
    project_folder.register(asked | {"path": "Actor_*/*.wav"}, asked | {"path": "table.csv"})
    with pytest.raises(UgclError) as caught:
        project_folder.fetch()
    line = str(caught.value)
    assert "\n" not in line
    for words in (
        "release form",
        "https://owner.example/apply",
        "data/raw/ravdess",
        "Actor_*/*.wav",
        "table.csv",
    ):
        assert words in line
    (project_folder.root / "Actor_01").mkdir(parents=True)
    (project_folder.root / "Actor_01/03-01-01.wav").write_bytes(b"1")
    assert project_folder.fetch() == {"Actor_01/03-01-01.wav": digest(b"1")}
    assert "nothing like table.csv" in caplog.text


def test_media_are_held_to_the_releases_own_hashes(project_folder: Project) -> None:
    (project_folder.root / "Actor_01").mkdir(parents=True)
    (project_folder.root / "Actor_01/03-01-01.wav").write_bytes(b"good")
    known = project_folder.root / records.KNOWN
    known.write_text(f"path,sha256,bytes\nActor_01/03-01-01.wav,{digest(b'good')},4\n")
    assert project_folder.fetch() == {"Actor_01/03-01-01.wav": digest(b"good")}
    (project_folder.root / "Actor_01/03-01-01.wav").write_bytes(b"evil")
    with pytest.raises(UgclError, match=r"03-01-01\.wav: .* media_sha256\.csv says"):
        project_folder.fetch()


def test_a_root_elsewhere_leaves_the_listing_where_the_workflow_looks(release: Project) -> None:
    release.tree["corpora"]["ravdess"]["root"] = "disk/ravdess"
    release.root = release.folder / "disk/ravdess"
    assert release.fetch() == expected(WAVS, FILMS) | {"table.csv": digest(b"a,b\n")}
    elsewhere, here = (
        release.root / sources.FILE_TABLE,
        release.folder / "data/raw/ravdess" / sources.FILE_TABLE,
    )
    assert here.read_bytes() == elsewhere.read_bytes()
