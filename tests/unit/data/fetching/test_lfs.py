"""Media behind Git-LFS pointers come from a real repository through git-lfs, and pointers never pass."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.unit.data.fetching.made_corpus import Project, digest
from ugcl.data import sources
from ugcl.data.fetching import lfs, records
from ugcl.errors import UgclError

needs_lfs = pytest.mark.skipif(shutil.which("git-lfs") is None, reason="git-lfs is not installed")
WAVS = {f"Actor_01/03-01-0{k}.wav": bytes([65 + k]) * (2000 + k) for k in range(4)}
FILMS = {"Actor_01/01-01-01.mp4": b"film" * 5000}
OTHER = {"Actor_01/notes.txt": b"notes", "AudioMP3/a.wav": b"not asked for"}
IDENTITY = {
    "GIT_AUTHOR_NAME": "A",
    "GIT_AUTHOR_EMAIL": "a@example.org",
    "GIT_COMMITTER_NAME": "A",
    "GIT_COMMITTER_EMAIL": "a@example.org",
    "GIT_CONFIG_GLOBAL": os.devnull,
    "GIT_CONFIG_SYSTEM": os.devnull,
}


class Upstream:
    """A repository whose wav and mp4 files are pointers, with the objects beside it."""

    def __init__(self, folder: Path, lfs: bool = True) -> None:
        self.folder = folder
        folder.mkdir()
        self.git("init", "--quiet", "--initial-branch=main")
        if lfs:
            self.git("lfs", "install", "--local")
            (folder / ".gitattributes").write_text("*.wav filter=lfs -text\n*.mp4 filter=lfs -text\n")
        self.commit({**WAVS, **FILMS, **OTHER})

    def git(self, *arguments: str) -> str:
        outer = {key: value for key, value in os.environ.items() if not key.startswith("GIT_")}
        command = ["git", *arguments]
        done = subprocess.run(
            command, cwd=self.folder, env=outer | IDENTITY, check=True, capture_output=True, text=True
        )
        return done.stdout.strip()

    def commit(self, files: dict[str, bytes]) -> str:
        for name, data in files.items():
            (self.folder / name).parent.mkdir(exist_ok=True)
            (self.folder / name).write_bytes(data)
        self.git("add", "--all")
        self.git("commit", "--quiet", "--message=x")
        return self.git("rev-parse", "HEAD")

    def object(self, data: bytes) -> Path:
        name = digest(data)
        return self.folder / ".git/lfs/objects" / name[:2] / name[2:4] / name

    @property
    def url(self) -> str:
        return f"git+file://{self.folder}"


@pytest.fixture
def upstream(tmp_path: Path) -> Upstream:
    return Upstream(tmp_path / "upstream")


def register(project: Project, *urls: str) -> None:
    kinds = ["primary", *["mirror"] * (len(urls) - 1)]
    paths = {"Actor_*/03-01-*.wav": len(WAVS), "Actor_*/01-01-*.mp4": len(FILMS)}
    project.register(
        *(
            {"url": url, "kind": kind, "path": path, "files": count}
            for url, kind in zip(urls, kinds, strict=True)
            for path, count in paths.items()
        )
    )


def expected() -> dict[str, str]:
    return {name: digest(data) for name, data in {**WAVS, **FILMS}.items()}


@needs_lfs
def test_media_arrive_with_the_hashes_of_their_pointers(project_folder: Project, upstream: Upstream) -> None:
    register(project_folder, upstream.url)
    assert project_folder.fetch() == expected()
    bookkeeping = {sources.FILE_TABLE, records.RECEIVED, records.KNOWN}
    assert project_folder.held() == {*WAVS, *FILMS, *bookkeeping}  # no clone, no other file
    known = records.read(project_folder.root / records.KNOWN)
    assert {name: fact.sha256 for name, fact in known.items()} == expected()


@needs_lfs
def test_many_files_are_asked_for_by_their_patterns(
    project_folder: Project, upstream: Upstream, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lfs, "FEW", 1)
    register(project_folder, upstream.url)
    upstream.object(OTHER["AudioMP3/a.wav"]).unlink()  # a pointer that nobody asks for
    assert project_folder.fetch() == expected()


@needs_lfs
def test_progress_tells_new_bytes_from_those_that_are_there(upstream: Upstream, tmp_path: Path) -> None:
    counts: list[tuple[int, bool]] = []
    patterns = ["Actor_*/*.wav"]
    (tmp_path / "root/Actor_01").mkdir(parents=True)
    (tmp_path / "root/Actor_01/03-01-02.wav").write_bytes(WAVS["Actor_01/03-01-02.wav"])
    lfs.checkout(
        [upstream.url], tmp_path / "root", patterns, lambda count, moved: counts.append((count, moved))
    )
    assert sum(count for count, moved in counts if not moved) == 2002
    assert sum(count for count, moved in counts if moved) == 2000 + 2001 + 2003


@needs_lfs
def test_a_second_run_needs_no_repository(project_folder: Project, upstream: Upstream) -> None:
    register(project_folder, upstream.url)
    project_folder.fetch()
    shutil.rmtree(upstream.folder)
    assert project_folder.fetch() == expected()


@needs_lfs
def test_the_commit_that_is_named_is_the_one_that_comes(project_folder: Project, upstream: Upstream) -> None:
    first = upstream.git("rev-parse", "HEAD")
    upstream.commit({"Actor_01/03-01-00.wav": b"newer", "Actor_01/03-01-99.wav": b"added"})
    register(project_folder, f"{upstream.url}@{first}")
    assert project_folder.fetch() == expected()


@needs_lfs
def test_what_is_lacking_comes_and_what_is_there_stays(project_folder: Project, upstream: Upstream) -> None:
    register(project_folder, upstream.url)
    project_folder.fetch()
    gone, kept = project_folder.root / "Actor_01/03-01-01.wav", project_folder.root / "Actor_01/03-01-02.wav"
    gone.unlink()
    before = kept.stat().st_mtime_ns
    upstream.object(WAVS["Actor_01/03-01-02.wav"]).unlink()  # asking for it again would fail
    assert project_folder.fetch() == expected()
    assert kept.stat().st_mtime_ns == before


@needs_lfs
def test_a_broken_off_transfer_goes_on(project_folder: Project, upstream: Upstream) -> None:
    register(project_folder, upstream.url)
    lost = upstream.object(WAVS["Actor_01/03-01-03.wav"])
    lost.rename(upstream.folder / "lost")
    with pytest.raises(UgclError, match=r"not fetched .*run it again") as caught:
        project_folder.fetch()
    assert "\n" not in str(caught.value)
    assert sources.FILE_TABLE not in project_folder.held()
    (upstream.folder / "lost").rename(lost)
    for name in ("Actor_01/03-01-00.wav", "Actor_01/03-01-01.wav"):  # came with the first run
        upstream.object(WAVS[name]).unlink()
    assert project_folder.fetch() == expected()


@needs_lfs
def test_the_mirror_is_asked_when_the_primary_fails(project_folder: Project, upstream: Upstream) -> None:
    register(project_folder, "git+file:///nowhere/gone.git", upstream.url)
    assert project_folder.fetch() == expected()


def test_a_mirror_without_lfs_needs_no_git_lfs(
    project_folder: Project, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    plain = Upstream(tmp_path / "plain", lfs=False)
    which = shutil.which
    monkeypatch.setattr(shutil, "which", lambda name: None if name == "git-lfs" else which(name))
    register(project_folder, plain.url)
    assert project_folder.fetch() == expected()


@needs_lfs
def test_absent_git_lfs_is_named_with_its_remedy(
    project_folder: Project, upstream: Upstream, monkeypatch: pytest.MonkeyPatch
) -> None:
    which = shutil.which
    monkeypatch.setattr(shutil, "which", lambda name: None if name == "git-lfs" else which(name))
    register(project_folder, upstream.url)
    with pytest.raises(UgclError, match=r"git-lfs is not installed \(apt-get install git-lfs\)") as caught:
        project_folder.fetch()
    assert "\n" not in str(caught.value)
    assert not list(project_folder.root.rglob("Actor_01/*.wav")) or all(
        lfs.CLONE in path.parts for path in project_folder.root.rglob("*.wav")
    )


@needs_lfs
def test_the_repository_around_the_corpus_is_not_touched(
    project_folder: Project, upstream: Upstream, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The corpus root lies inside the project, a repository itself, which a hook names in the environment."""
    around = Upstream.__new__(Upstream)
    around.folder = tmp_path
    around.git("init", "--quiet", "--initial-branch=main")
    (tmp_path / "own.txt").write_text("own")
    around.git("add", "own.txt")
    around.git("commit", "--quiet", "--message=own")
    before = (around.git("rev-parse", "HEAD"), around.git("config", "--list"), around.git("ls-files"))
    (tmp_path / "own.txt").write_text("edited")
    monkeypatch.setenv("GIT_DIR", str(tmp_path / ".git"))
    register(project_folder, upstream.url)
    assert project_folder.fetch() == expected()
    monkeypatch.delenv("GIT_DIR")
    after = (around.git("rev-parse", "HEAD"), around.git("config", "--list"), around.git("ls-files"))
    assert after == before
    assert (tmp_path / "own.txt").read_text() == "edited"


def test_a_repository_without_such_files_is_named(project_folder: Project, tmp_path: Path) -> None:
    plain = Upstream(tmp_path / "plain", lfs=False)
    project_folder.register({"url": plain.url, "path": "Actor_*/nothing-*.wav"})
    with pytest.raises(UgclError, match=r"no files like Actor_\*/nothing-\*\.wav"):
        project_folder.fetch()


@pytest.mark.parametrize(
    ("url", "address", "commit"),
    [
        ("git+https://host/a.git@0123abc", "https://host/a.git", "0123abc"),
        ("git+https://host/a.git", "https://host/a.git", "HEAD"),
        ("git+ssh://git@host/a.git", "ssh://git@host/a.git", "HEAD"),
        ("git+file:///a@b/c", "file:///a@b/c", "HEAD"),
    ],
)
def test_addresses_may_name_a_commit(url: str, address: str, commit: str) -> None:
    assert lfs.split(url) == (address, commit)


@given(st.binary(max_size=300))
def test_content_is_never_mistaken_for_a_pointer(data: bytes) -> None:
    assert lfs.read_pointer(data) is None or data.startswith(b"version https://git-lfs")


@given(st.binary(max_size=50), st.integers(0, 10**12))
def test_pointers_are_read(data: bytes, size: int) -> None:
    text = f"version https://git-lfs.github.com/spec/v1\noid sha256:{digest(data)}\nsize {size}\n"
    assert lfs.read_pointer(text.encode()) == lfs.Pointer(digest(data), size)


@pytest.mark.parametrize("text", ["", "oid sha256:12\nsize 3\n", f"oid md5:{'a' * 64}\nsize 3\n", "size x\n"])
def test_a_broken_pointer_is_none(text: str) -> None:
    assert lfs.read_pointer(f"version https://git-lfs.github.com/spec/v1\n{text}".encode()) is None
