"""A mirror is enough: a folder or an address, whole corpora or parts of them."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest

from tests.unit.data.fetching.http_server import POINTER, Server
from tests.unit.data.fetching.made_corpus import Project, digest, make_zip
from ugcl.config import parse, read
from ugcl.data import manifest, sources, tables
from ugcl.data.fetching import corpus as fetching
from ugcl.data.fetching.registry import fits
from ugcl.data.fetching.status import status
from ugcl.errors import UgclError

NAME = "Actor_01/03-01-01-01-01-01-01.wav"


@pytest.fixture
def mirrored(project_folder: Project) -> Project:
    project_folder.tree["data"]["mirror"] = str(project_folder.folder / "mirror")
    path = project_folder.folder / "mirror/ravdess" / NAME
    path.parent.mkdir(parents=True)
    path.write_bytes(b"sound")
    return project_folder


def test_a_part_of_a_corpus_is_enough_and_nothing_is_downloaded(mirrored: Project, server: Server) -> None:
    mirrored.register({"url": server.url("x.zip"), "path": "Actor_*/01-01-*.mp4", "files": 60})
    assert mirrored.fetch() == {NAME: digest(b"sound")}
    assert server.requests == []


def test_fetch_copies_once_and_mends_a_broken_copy(mirrored: Project) -> None:
    mirrored.fetch()
    copy = mirrored.root / NAME
    before = copy.stat().st_mtime_ns
    mirrored.fetch()
    assert copy.stat().st_mtime_ns == before
    copy.write_bytes(b"xxxxx")
    mirrored.fetch()
    assert copy.read_bytes() == b"sound"


def test_the_environment_sets_the_mirror_too(mirrored: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    mirrored.tree["data"]["mirror"] = None
    monkeypatch.setenv("UGCL_MIRROR", str(mirrored.folder / "mirror"))
    assert mirrored.fetch() == {NAME: digest(b"sound")}


def test_a_mirror_of_the_releases_archives_is_enough(mirrored: Project) -> None:
    films = {"Actor_01/01-01-01.mp4": b"film", "Actor_01/02-01-01.mp4": b"silent"}
    (mirrored.folder / "mirror/ravdess/Video_Speech_Actor_01.zip").write_bytes(make_zip(films))
    (mirrored.folder / "mirror/ravdess/other.zip").write_bytes(make_zip({"notes.txt": b"other"}))
    assert mirrored.fetch() == {NAME: digest(b"sound"), "Actor_01/01-01-01.mp4": digest(b"film")}


@pytest.mark.parametrize("place", ["mirror/ravdess", "data/raw/ravdess"])
def test_an_lfs_pointer_is_not_taken_for_media(project_folder: Project, place: str) -> None:
    path = project_folder.folder / place / NAME
    path.parent.mkdir(parents=True)
    path.write_bytes(POINTER)
    project_folder.tree["data"]["mirror"] = str(project_folder.folder / "mirror")
    with pytest.raises(UgclError, match=r"wav: is a Git-LFS pointer, not media; run `git lfs pull`"):
        project_folder.fetch()
    assert not (project_folder.root / sources.FILE_TABLE).exists()


def test_the_hashes_of_the_mirror_are_held_to(mirrored: Project) -> None:
    table = mirrored.folder / "mirror/ravdess/media_sha256.csv"
    table.write_text(f"path,sha256,bytes\n{NAME},{digest(b'noise')},5\n")
    with pytest.raises(UgclError, match=r"media_sha256\.csv says"):
        mirrored.fetch()


def serve_tree(server: Server, folder: Path, prefix: str) -> None:
    for path in folder.rglob("*"):
        if path.is_file():
            server.files[f"{prefix}/{path.relative_to(folder).as_posix()}"] = path.read_bytes()


def test_one_users_tree_serves_another(mirrored: Project, server: Server, tmp_path: Path) -> None:
    first = mirrored.fetch()
    serve_tree(server, mirrored.root, "shared/ravdess")
    mirrored.root.rename(tmp_path / "elsewhere")
    mirrored.tree["data"]["mirror"] = server.url("shared/")
    server.faults[f"shared/ravdess/{NAME}"] = [("drop", 2)]
    assert mirrored.fetch() == first
    assert (mirrored.root / NAME).read_bytes() == b"sound"
    server.requests.clear()
    assert mirrored.fetch() == first
    assert [path for path, _ in server.requests] == ["shared/ravdess/fetched.csv"]


def test_a_url_mirror_gives_what_the_adapter_needs_and_no_more(
    project_folder: Project, server: Server
) -> None:
    listing = "path,bytes,sha256\n" + "".join(
        f"{name},1,{digest(b'1')}\n" for name in (NAME, "notes.txt", "deep/Actor_01/03-01-01.wav")
    )
    server.files |= {"m/ravdess/fetched.csv": listing.encode(), f"m/ravdess/{NAME}": b"1"}
    project_folder.tree["data"]["mirror"] = server.url("m")
    assert project_folder.fetch() == {NAME: digest(b"1")}


@pytest.mark.parametrize("evil", ["../evil.wav", "/tmp/evil.wav", "Actor_01/../../evil.wav"])
def test_a_url_mirror_cannot_write_outside(project_folder: Project, server: Server, evil: str) -> None:
    server.files["m/ravdess/fetched.csv"] = f"path,bytes,sha256\n{evil},1,{digest(b'1')}\n".encode()
    project_folder.tree["data"]["mirror"] = server.url("m")
    with pytest.raises(UgclError, match="leads outside the folder"):
        project_folder.fetch()


def test_a_url_mirror_without_a_listing_may_hold_the_release_by_name(
    project_folder: Project, server: Server
) -> None:
    server.files["m/ravdess/sound.zip"] = make_zip({NAME: b"sound"})
    project_folder.tree["data"]["mirror"] = server.url("m")
    project_folder.register({"url": server.url("official/sound.zip"), "path": "Actor_*/03-01-*.wav"})
    assert project_folder.fetch() == {NAME: digest(b"sound")}
    assert "official/sound.zip" not in [path for path, _ in server.requests]


def test_a_url_mirror_that_is_down_is_named(project_folder: Project) -> None:
    project_folder.tree["data"]["mirror"] = "http://127.0.0.1:9"
    with pytest.raises(UgclError, match=r"http://127\.0\.0\.1:9/ravdess/fetched\.csv: .*fix data\.mirror"):
        project_folder.fetch()


@pytest.mark.parametrize(
    "pattern",
    [
        "a/*.wav",
        "*/*.wav",
        "**/*.wav",
        "a/**/*.wav",
        "*.wav",
        "**/*",
        "a/*/c.wav",
        "**/b/*",
        "a/?.wav",
        "a/[cd].wav",
    ],
)
def test_paths_fit_patterns_as_a_folder_would_have_it(tmp_path: Path, pattern: str) -> None:
    paths = ["c.wav", "a/c.wav", "a/d.wav", "a/b/c.wav", "a/b/d/c.wav", "b/c.wav", "a/c.flac"]
    for path in paths:
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).touch()
    globbed = {path.relative_to(tmp_path).as_posix() for path in sources.matches(tmp_path, [pattern])}
    assert {path for path in paths if fits(path, pattern)} == globbed


@pytest.mark.parametrize("corpus", ["ravdess", "crema_d"])
def test_the_shared_mirror_is_enough(
    project: Path, mirror: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, corpus: str
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("UGCL_MIRROR", str(mirror))
    tree = read(project / "params.yaml")
    tree["data"]["sources"] = str(project / "workflow/resources/sources.csv")
    patterns = manifest.adapter(tree["corpora"][corpus]["adapter"]).FILES
    listing = tables.read(fetching.fetch(parse(tree), corpus, patterns))
    assert len(listing) == len(sources.matches(mirror / corpus, patterns)) > 5
    for row in listing.sample(5, random_state=1).itertuples():
        assert hashlib.sha256((mirror / corpus / row.path).read_bytes()).hexdigest() == row.sha256


@pytest.mark.parametrize("mirror", ["mirror", None])
def test_of_a_corpus_without_media_the_tables_alone_are_brought(
    mirrored: Project, server: Server, mirror: str | None
) -> None:
    """MELD's clips are 10.9 GB, and a benchmark of its text needs none of them."""
    names = [f"{part}_sent_emo.csv" for part in ("train", "dev", "test")]
    clip = mirrored.folder / "mirror/meld/train_splits/dia0_utt0.mp4"
    clip.parent.mkdir(parents=True)
    for path in (clip, *(mirrored.folder / "mirror/meld" / name for name in names)):
        path.write_bytes(b"content")
        server.files[path.name] = b"content"
    rows = [{"corpus": "meld", "url": server.url(name), "path": name, "files": 1} for name in names]
    media = {"corpus": "meld", "url": server.url("MELD.Raw.tar.gz"), "path": "train_splits/dia*_utt*.mp4"}
    mirrored.register(*rows, media)
    mirrored.tree["data"]["mirror"] = mirror and str(mirrored.folder / mirror)
    config = parse(mirrored.tree)
    fetching.fetch(config, "meld", manifest.adapter("meld").FILES)
    assert set(tables.read(sources.file_table("meld"))["path"]) == set(names)
    assert not list(sources.root(config, "meld").rglob("*.mp4"))
    found = next(entry for entry in status(config) if entry.corpus == "meld")
    assert (found.state, found.files, found.missing) == ("present", 3, [])
    mirrored.tree["corpora"]["meld"]["media"] = True
    found = next(entry for entry in status(parse(mirrored.tree)) if entry.corpus == "meld")
    assert (found.state, found.missing) == ("partial", ["train_splits/dia*_utt*.mp4"])
