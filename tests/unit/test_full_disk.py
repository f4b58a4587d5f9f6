"""A full disk is one line with the file and what to do; what was there before stays whole."""

from __future__ import annotations

import errno
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest
from safetensors import SafetensorError

from ugcl.cli import main
from ugcl.config import Config
from ugcl.data import tables
from ugcl.errors import UgclError
from ugcl.files import ADVICE, is_full, whole
from ugcl.plan import evaluation as outputs
from ugcl.plan import paths

RUN = paths.MODELS / paths.run("tiny", "ugcl", 0, 1)
COMMANDS = (
    ("data/faces/tiny", r"shard-1\.csv\.journal\.partial", "features faces tiny 1", "24k"),
    (
        "data/features/tiny/hog",
        r"shard-1\.safetensors\.journal\.partial",
        "features encode tiny hog 1",
        "24k",
    ),
    (str(RUN), r"resume/state\.safetensors", "train tiny ugcl --fold 1", "24k"),
    ("results/predictions/tiny/ugcl", r"seed0/fold\d\.csv", "evaluate predict tiny ugcl", "4k"),
    ("results/scores/tiny", r"[a-z_]+\.csv", "evaluate score tiny", "12k"),
)


def in_small_disk(folder: str, size: str, command: list[str]) -> subprocess.CompletedProcess[str]:
    """Run a command for which a folder is a file system of some kilobytes, filled but for one page."""
    mount = f'mount -t tmpfs -o size={size} none {folder} && exec "$@"'
    line = ["unshare", "--user", "--map-root-user", "--mount", "sh", "-c", mount, "sh", *command]
    return subprocess.run(line, capture_output=True, text=True, check=False)


@pytest.fixture(scope="module")
def small_disks() -> None:
    if not shutil.which("unshare") or in_small_disk("/mnt", "4k", ["true"]).returncode:
        pytest.skip("a small file system needs `unshare --user --mount`, which this system does not allow")


@pytest.mark.parametrize(("folder", "file", "command", "size"), COMMANDS, ids=lambda part: part)
def test_each_stage_names_the_file_that_found_no_room(
    tiny: Config, small_disks: None, folder: str, file: str, command: str, size: str
) -> None:
    shutil.rmtree(folder, ignore_errors=True)
    Path(folder).mkdir(parents=True)
    result = in_small_disk(folder, size, [sys.executable, "-m", "ugcl", *command.split()])
    lines = [line for line in result.stderr.splitlines() if "error" in line.lower() or "Traceback" in line]
    assert result.returncode == 1, result.stderr
    assert len(lines) == 1, result.stderr
    assert re.fullmatch(rf"error: {folder}/{file}: no space left on its disk; {ADVICE}", lines[0]), lines


@pytest.mark.parametrize("code", [errno.ENOSPC, errno.EDQUOT])
def test_a_table_on_a_full_disk_leaves_the_old_one(tmp_path: Path, code: int) -> None:
    """A link to the device that is always full stands for the new file."""
    path = tmp_path / "a.csv"
    tables.write(pd.DataFrame({"x": [1]}), path)
    before = path.read_bytes()
    with pytest.raises(UgclError, match=r"a\.csv: no space left"), whole(path) as partial:
        partial.write_text("half")
        raise OSError(code, os.strerror(code))
    assert [p.name for p in tmp_path.iterdir()] == ["a.csv"] and path.read_bytes() == before


def test_other_faults_stay_what_they_are(tmp_path: Path) -> None:
    with pytest.raises(PermissionError), whole(tmp_path / "a") as partial:
        partial.write_text("half")
        raise PermissionError(errno.EACCES, "no")
    assert not is_full(ValueError("disk")) and not is_full(OSError(errno.EIO, "broken"))
    assert is_full(SafetensorError("I/O error: No space left on device (os error 28)"))


@pytest.mark.parametrize("name", ["figures.svg", None])
def test_where_no_writer_looks_the_command_says_it(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], name: str | None
) -> None:
    def app() -> None:
        raise OSError(errno.ENOSPC, "No space left on device", name)

    monkeypatch.setattr(main, "app", app)
    with pytest.raises(SystemExit) as ended:
        main.main()
    text = capsys.readouterr().err
    assert ended.value.code == 1 and text.count("\n") == 1
    assert text.startswith(f"error: {name or 'a file of the project'}") and "no space left" in text


def test_what_a_full_disk_stopped_goes_on_when_there_is_room(
    tiny: Config, small_disks: None, ugcl: Callable
) -> None:
    path = outputs.prediction("tiny", "ugcl", 0, 1)
    before = path.read_bytes()
    result = in_small_disk(
        path.parent.as_posix(), "4k", [sys.executable, "-m", "ugcl", "evaluate", "predict", "tiny", "ugcl"]
    )
    assert "no space left" in result.stderr and path.read_bytes() == before
    ugcl("evaluate", "predict", "tiny", "ugcl")
    assert path.read_bytes() == before
