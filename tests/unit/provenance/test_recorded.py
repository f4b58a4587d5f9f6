"""The recorded copy holds what a stage made, and gives it back without touching anything else."""

from __future__ import annotations

from pathlib import Path

import pytest

from ugcl.provenance import recorded, records
from ugcl.provenance.contract import Stage

STAGE = Stage("train", "", (), ("results/models", "results/scores", ".ledger/train"), (".ledger/train",))
WEIGHTS = Path("results/models/run/model.safetensors")
SCORE = Path("results/scores/score.csv")
COPY = Path(".ledger/train/files")


@pytest.fixture(autouse=True)
def _project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for path, inputs in ((SCORE, [WEIGHTS.as_posix()]), (WEIGHTS, ["data/features/x.csv"])):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(path.name)
        record = {"params": [f"'{path.stem}'"], "input": inputs, "record_format_version": 6}
        records.write(path.as_posix(), record)
    recorded.save(STAGE)


def forget() -> None:
    for path in Path(".snakemake/metadata").iterdir():
        path.unlink()


def test_the_copy_takes_no_space_and_follows_what_is_made_and_removed() -> None:
    assert (COPY / WEIGHTS).samefile(WEIGHTS)
    WEIGHTS.unlink()
    WEIGHTS.write_text("trained again")
    SCORE.unlink()
    recorded.save(STAGE)
    assert (COPY / WEIGHTS).read_text() == "trained again"
    assert not (COPY / SCORE).exists()


def test_empty_folders_are_filled_with_times_in_the_order_of_the_jobs() -> None:
    for path in (WEIGHTS, SCORE):
        path.unlink()
    forget()
    assert recorded.lay_out(STAGE) == []
    assert (WEIGHTS.read_text(), SCORE.read_text()) == (WEIGHTS.name, SCORE.name)
    assert WEIGHTS.stat().st_mtime < SCORE.stat().st_mtime
    assert records.known() == {WEIGHTS.as_posix(), SCORE.as_posix()}


def test_what_was_removed_from_a_folder_in_use_stays_removed() -> None:
    WEIGHTS.unlink()
    other = WEIGHTS.with_name("card.json")
    other.write_text("{}")
    recorded.lay_out(STAGE)
    assert not WEIGHTS.exists()
    assert other.read_text() == "{}"


def test_a_different_result_is_replaced_only_with_leave() -> None:
    WEIGHTS.unlink()
    WEIGHTS.write_text("newer")
    assert recorded.lay_out(STAGE, may_replace=lambda path: False) == [WEIGHTS]
    assert WEIGHTS.read_text() == "newer"
    assert recorded.lay_out(STAGE, may_replace=lambda path: path == WEIGHTS) == []
    assert WEIGHTS.read_text() == WEIGHTS.name


def test_a_file_system_without_links_gets_copies(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise OSError("no links here")

    monkeypatch.setattr("os.link", refuse)
    WEIGHTS.write_text("trained again")
    (COPY / WEIGHTS).unlink()
    recorded.save(STAGE)
    assert (COPY / WEIGHTS).read_text() == "trained again"
    assert not (COPY / WEIGHTS).samefile(WEIGHTS)
