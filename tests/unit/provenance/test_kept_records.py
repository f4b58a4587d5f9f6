"""Snakemake's records are kept with the results and come back to the files that they are of."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from snakemake.persistence.file import FilePersistence

from ugcl.provenance import records

LONG = "results/models/" + "a_rather_long_name_of_a_system/" * 12 + "model.safetensors"


@pytest.fixture(autouse=True)
def _project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def made(path: str, text: str = "x", params: str = "'1'") -> None:
    Path(path).parent.mkdir(parents=True, exist_ok=True)
    Path(path).write_text(text)
    records.write(path, {"rule": "r", "params": [params], "input": [], "record_format_version": 6})


@pytest.mark.parametrize("path", ["data/manifests/demo.csv", LONG])
def test_records_lie_where_snakemake_reads_them(path: str) -> None:
    store = FilePersistence.__new__(FilePersistence)
    store._max_len = 255
    made(path)
    assert Path(store._record_path(".snakemake/metadata", path)).is_file()
    assert records.known() == {path}


def test_kept_records_come_back_with_the_size_of_their_file() -> None:
    made("data/a.csv", "four")
    made("data/b.csv", "five!", params="'2'")
    records.keep()
    kept = records.read(records.KEPT)
    assert kept["data/a.csv"] == {
        "rule": "r",
        "params": ["'1'"],
        "input": [],
        "record_format_version": 6,
        "bytes": 4,
    }
    assert kept["data/b.csv"]["params"] == ["'2'"]


def test_an_absent_output_and_one_of_unknown_origin_are_not_kept() -> None:
    made("data/a.csv")
    made("data/b.csv")
    Path("data/b.csv").unlink()
    Path("data/c.csv").write_text("c")
    records.write("data/c.csv", records.UNKNOWN)
    records.keep()
    assert set(records.read(records.KEPT)) == {"data/a.csv"}


def test_records_are_kept_again_only_when_one_is_newer() -> None:
    made("data/a.csv")
    records.keep()
    written = records.KEPT.stat().st_mtime_ns
    records.keep()
    assert records.KEPT.stat().st_mtime_ns == written
    made("data/b.csv")
    records.keep()
    assert set(records.read(records.KEPT)) == {"data/a.csv", "data/b.csv"}


def test_a_cut_record_is_left_out() -> None:
    made("data/a.csv")
    made("data/b.csv")
    next(Path(".snakemake/metadata").iterdir()).write_text('{"rule": "r"')
    records.keep()
    assert len(records.read(records.KEPT)) == 1
    assert [json.loads(line) for line in records.KEPT.read_text().splitlines()]
