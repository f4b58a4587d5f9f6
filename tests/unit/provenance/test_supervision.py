"""A stage of DVC that is told to end leaves no process behind, also none that starts at that moment."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest

# Ends at Ctrl-C, and starts one more job while it does, which hears no Ctrl-C.
WORK = """
import signal, subprocess, sys, time
from pathlib import Path

def end(*_):
    job = subprocess.Popen(["sleep", "300"])
    Path("late").write_text(str(job.pid))
    sys.exit(1)

signal.signal(signal.SIGINT, end)
Path("started").touch()
time.sleep(300)
"""
STAGE = """
import os, signal, sys
from ugcl.provenance import stages

# As in a terminal: what runs behind one, or under nohup, ignores these, and so does all that it starts.
signal.signal(signal.SIGINT, signal.default_int_handler)
signal.signal(signal.SIGHUP, signal.SIG_DFL)

stages.GRACE = 2
sys.exit(stages._supervise([sys.executable, "work.py"], dict(os.environ), []))
"""


def wait_for(path: Path) -> str:
    deadline = time.monotonic() + 60
    while not path.exists() or (path.name == "late" and not path.read_text()):
        assert time.monotonic() < deadline, f"no {path.name} after a minute"
        time.sleep(0.05)
    return path.read_text()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_job_that_starts_at_the_last_moment_ends_too(tmp_path: Path, number: int) -> None:
    (tmp_path / "work.py").write_text(WORK)
    stage = subprocess.Popen([sys.executable, "-c", STAGE], cwd=tmp_path, start_new_session=True)
    wait_for(tmp_path / "started")
    stage.send_signal(number)
    assert stage.wait(timeout=60) == 1
    late = int(wait_for(tmp_path / "late"))
    assert not psutil.pid_exists(late) or psutil.Process(late).status() == psutil.STATUS_ZOMBIE
