"""Bundles on the hub: uploaded and downloaded through huggingface_hub, from a server on this machine."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

from tests.fixtures import hub
from ugcl.config import Config

CLIP = "clips/VideoMP4/1001_KEY_ANG_XX.mp4"


def command(root: Path, address: str, tmp_path: Path, *arguments: str, code: int = 0) -> tuple[str, str]:
    """What the command prints; the library reads its settings once, so that it needs its own process."""
    own = {"HF_ENDPOINT": address, "HF_HOME": str(tmp_path / "hf"), "HF_TOKEN": "hf_none"}
    own |= {"HF_HUB_DISABLE_XET": "1", "XDG_CACHE_HOME": str(tmp_path / "cache")}
    own |= {"PYTHONPATH": str(Path(__file__).parents[3])}
    call = [sys.executable, "-m", "ugcl", *arguments]
    done = subprocess.run(call, cwd=root, env=os.environ | own, capture_output=True, text=True, check=False)
    assert done.returncode == code, done.stdout + done.stderr
    return done.stdout, done.stderr


def test_a_bundle_goes_to_the_hub_and_to_another_machine(tiny: Config, tmp_path: Path, ugcl) -> None:
    project, other = Path.cwd(), tmp_path / "other"
    other.mkdir()
    shutil.copy(CLIP, other / "clip.mp4")
    expected = json.loads(ugcl("predict", str(other / "clip.mp4"), "--system", "concat", "--json").stdout)
    with hub.running() as server:
        ask = lambda root, *arguments, **code: command(root, server.address, tmp_path, *arguments, **code)  # noqa: E731
        printed, _ = ask(project, "export", "tiny/concat", "--push", "someone/emotions", "--private")
        assert printed.strip() == f"{server.address}/someone/emotions"
        files = server.repositories["someone/emotions"]
        assert server.private == {"someone/emotions"}
        assert {"README.md", "bundle.json", "runs/seed0-fold1/model.safetensors"} <= set(files)
        assert b"ugcl predict CLIP --model someone/emotions" in files["README.md"]
        files["more.py"] = b"raise SystemExit"  # what others add to a repository is not fetched
        printed, _ = ask(other, "predict", "clip.mp4", "--model", "someone/emotions", "--json")
        found = json.loads(printed)
        assert found["clips"][0]["probabilities"] == expected["clips"][0]["probabilities"]
        assert found["runs"] == expected["runs"] and found["calibrated"]
        assert not [line for line in server.asked if "more.py" in line]
        files["runs/seed0-fold1/model.safetensors"] = files["runs/seed0-fold2/model.safetensors"]
        shutil.rmtree(tmp_path / "hf")
        _, error = ask(other, "predict", "clip.mp4", "--model", "someone/emotions", code=1)
        assert "sha256 is" in error and "the bundle is damaged or was changed" in error
        _, error = ask(other, "predict", "clip.mp4", "--model", "someone/nothing", code=1)
        last = error.strip().splitlines()[-1]
        assert last.startswith("error: someone/nothing: no system or bundle here, and the hub gave Repos")
