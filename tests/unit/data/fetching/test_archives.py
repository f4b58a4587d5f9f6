"""Archives give the files that are wanted, and nothing outside the root."""

from __future__ import annotations

import io
import tarfile
import zipfile
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.unit.data.fetching.made_corpus import make_tar, make_zip
from ugcl.data.fetching import archives
from ugcl.errors import UgclError

MAKERS = {
    "a.zip": make_zip,
    "a.tar.gz": make_tar,
    "a.tgz": make_tar,
    "a.tar": lambda files: make_tar(files, "w"),
}
makers = pytest.mark.parametrize("name", MAKERS)


def put(folder: Path, name: str, files: dict[str, bytes]) -> Path:
    path = folder / name
    path.write_bytes(MAKERS[name](files))
    return path


def held(folder: Path) -> dict[str, bytes]:
    files = (path for path in folder.rglob("*") if path.is_file())
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in files}


@makers
def test_only_what_fits_is_taken_whatever_folders_surround_it(tmp_path: Path, name: str) -> None:
    files = {"top/in/Actor_01/a.wav": b"1", "Actor_02/b.wav": b"2", "Actor_02/b.txt": b"3", "c.wav": b"4"}
    taken = archives.unpack(put(tmp_path, name, files), tmp_path / "root", ["Actor_*/*.wav"])
    assert sorted(path.as_posix() for path in taken) == ["Actor_01/a.wav", "Actor_02/b.wav"]
    assert held(tmp_path / "root") == {"Actor_01/a.wav": b"1", "Actor_02/b.wav": b"2"}


@makers
def test_files_that_are_there_stay_and_those_that_are_cut_are_mended(tmp_path: Path, name: str) -> None:
    archive = put(tmp_path, name, {"d/a.wav": b"12345", "d/b.wav": b"67890"})
    root = tmp_path / "root"
    archives.unpack(archive, root, ["d/*.wav"])
    before = (root / "d/a.wav").stat().st_mtime_ns
    (root / "d/b.wav").write_bytes(b"67")
    (root / "d/a.wav.partial").write_bytes(b"1")
    archives.unpack(archive, root, ["d/*.wav"])
    assert (root / "d/a.wav").stat().st_mtime_ns == before
    assert (root / "d/b.wav").read_bytes() == b"67890"


@makers
@pytest.mark.parametrize(
    "evil",
    ["../evil.wav", "/tmp/evil.wav", "d/../../evil.wav", "C:/evil.wav", "..\\evil.wav", "d\\..\\evil.wav"],
)
def test_an_entry_that_leads_outside_condemns_the_archive(tmp_path: Path, name: str, evil: str) -> None:
    archive = put(tmp_path, name, {evil: b"evil", "d/a.wav": b"good"})
    (tmp_path / "in").mkdir()
    with pytest.raises(UgclError, match=r"leads outside the folder") as caught:
        archives.unpack(archive, tmp_path / "in/root", ["*.wav", "d/*.wav"])
    assert "\n" not in str(caught.value)
    assert held(tmp_path / "in") == {}


@given(st.lists(st.sampled_from(["..", ".", "a", "b.wav", "", "c d", "..x"]), min_size=1, max_size=6))
def test_no_accepted_name_climbs(parts: list[str]) -> None:
    name = "/".join(parts)
    root = Path("a corpus").absolute()
    try:
        archives.check_name(name, "x.zip")
    except UgclError:
        assert ".." in parts or name.startswith("/")
        return
    assert (root / name).resolve().is_relative_to(root)
    goal = archives.place(name, ["*/*", "*"])
    assert goal is None or (root / goal).resolve().is_relative_to(root)


def test_links_are_refused(tmp_path: Path) -> None:
    memory = io.BytesIO()
    with tarfile.open(fileobj=memory, mode="w") as archive:
        link = tarfile.TarInfo("d")
        link.type, link.linkname = tarfile.SYMTYPE, "/tmp"
        archive.addfile(link)
    (tmp_path / "a.tar").write_bytes(memory.getvalue())
    entry = zipfile.ZipInfo("d")
    entry.create_system, entry.external_attr = 3, 0o120777 << 16
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
        archive.writestr(entry, "/tmp")
    for name in ("a.tar", "a.zip"):
        with pytest.raises(UgclError, match="is a link"):
            archives.unpack(tmp_path / name, tmp_path / "root", ["d/*"])


def test_tars_inside_a_tar_are_read_on_the_fly(tmp_path: Path) -> None:
    inner = make_tar({"train_splits/dia0_utt0.mp4": b"film", "train_splits/._dia0_utt0.mp4": b"shadow"})
    outer = {
        "MELD.Raw/train.tar.gz": inner,
        "MELD.Raw/._train.tar.gz": b"shadow",
        "MELD.Raw/dev_sent_emo.csv": b"not asked for",
    }
    archive = put(tmp_path, "a.tar.gz", outer)
    taken = archives.unpack(archive, tmp_path / "root", ["train_splits/dia*.mp4"])
    assert taken == [Path("train_splits/dia0_utt0.mp4")]
    assert held(tmp_path / "root") == {"train_splits/dia0_utt0.mp4": b"film"}


def test_an_evil_tar_inside_a_tar_is_refused(tmp_path: Path) -> None:
    archive = put(tmp_path, "a.tar", {"x/in.tar": make_tar({"../evil.wav": b""}, "w")})
    with pytest.raises(UgclError, match=r"in\.tar.*leads outside"):
        archives.unpack(archive, tmp_path / "root", ["*.wav"])


@makers
def test_a_damaged_archive_is_one_line_and_leaves_no_broken_file(tmp_path: Path, name: str) -> None:
    archive = put(tmp_path, name, {"d/a.wav": bytes(range(256)) * 4000})
    data = bytearray(archive.read_bytes())
    archive.write_bytes(data[: len(data) // 2])
    with pytest.raises(UgclError, match=r"damaged archive .*delete it and fetch again") as caught:
        archives.unpack(archive, tmp_path / "root", ["d/*.wav"])
    assert "\n" not in str(caught.value)
    assert not (tmp_path / "root/d/a.wav").exists()


def test_changed_bytes_in_a_zip_are_noticed(tmp_path: Path) -> None:
    archive = put(tmp_path, "a.zip", {"d/a.wav": b"0123456789"})
    archive.write_bytes(archive.read_bytes().replace(b"0123456789", b"0123456x89"))
    with pytest.raises(UgclError, match="damaged archive"):
        archives.unpack(archive, tmp_path / "root", ["d/*.wav"])
    assert not (tmp_path / "root/d/a.wav").exists()


def test_a_full_disk_is_noticed_before_anything_is_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    archive = put(tmp_path, "a.zip", {"d/a.wav": b"0123456789"})
    monkeypatch.setattr("shutil.disk_usage", lambda path: type("Usage", (), {"free": 5}))
    with pytest.raises(UgclError, match="GB are needed"):
        archives.unpack(archive, tmp_path / "root", ["d/*.wav"])
    assert held(tmp_path / "root") == {}
