"""What a bundle only names has to be on the other machine: pretrained encoders, a user's own method."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
import yaml

import ugcl as package
from tests.fixtures import trained
from tests.fixtures.small_networks import speech_model
from ugcl import config as configuration
from ugcl.config import Config
from ugcl.errors import UgclError
from ugcl.evaluation.networks.predict import predict
from ugcl.features import extract
from ugcl.features.networks.weights import weights_hash
from ugcl.features.quarantine import quarantine

SOUND = "clips/AudioWAV/1001_KEY_ANG_XX.wav"
OWN = """
from ugcl.config.methods.base import MethodSettings
from ugcl.methods.concat import Concat


class Settings(MethodSettings):
    pass


class Own(Concat):
    Settings = Settings
"""


def again(**changes: dict) -> Config:
    """The tiny project with other parameters."""
    tree = yaml.safe_load(Path("params.yaml").read_text())
    for section, values in changes.items():
        tree[section] = tree[section] | values
    Path("params.yaml").write_text(yaml.safe_dump(tree))
    return configuration.load()


def finish(config: Config, system: str) -> None:
    """Runs of a system and their predictions."""
    trained.untrained(config, system)
    predict(config, "tiny", system)


def leave(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Another machine: a folder with a bundle and a clip, and no project."""
    other = tmp_path / "other"
    other.mkdir()
    shutil.move("bundle", other / "bundle")
    shutil.copy(SOUND, other / "clip.wav")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.chdir(other)
    shutil.rmtree(tmp_path / "project")
    return other


@pytest.fixture
def spoken(
    tiny: Config, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, ugcl
) -> tuple[Path, dict[str, float]]:
    """A bundle of a system on a pretrained network's states, and what the project predicted."""
    weights = speech_model("wav2vec2", tmp_path / "elsewhere" / "small-wav2vec2")
    entry = {"kind": "speech", "weights": str(weights), "layers": [1, 2], "pool": 4}
    config = again(encoders={"small": entry})
    benchmark = config.benchmarks["tiny"].model_dump(mode="json", exclude_unset=True)
    benchmark |= {"features": {"audio": "small", "video": "hog"}}
    config = again(benchmarks={"tiny": benchmark})
    extract.encode_shard(config, "tiny", "small", 1)
    extract.build_index(config, "tiny", "small")
    quarantine(config, "tiny")
    finish(config, "audio-only")
    expected = package.load("tiny/audio-only").predict(SOUND).probabilities
    ugcl("export", "tiny/audio-only", "--out", "bundle")
    leave(tmp_path, monkeypatch)
    return weights, expected


def test_weights_are_found_by_name_and_compared_with_their_digest(spoken, tmp_path, monkeypatch) -> None:
    weights, expected = spoken
    index = json.loads(Path("bundle/bundle.json").read_text())
    assert index["weights"] == {"small": weights_hash(weights)}
    assert index["parameters"]["encoders"]["small"]["weights"] == "small-wav2vec2"
    assert f"| `{weights_hash(weights)}` |" in Path("bundle/README.md").read_text()
    monkeypatch.setenv("UGCL_MIRROR", "../elsewhere")  # relative to where the model is loaded
    assert package.load("bundle").predict("clip.wav").probabilities == pytest.approx(expected, abs=1e-6)
    monkeypatch.delenv("UGCL_MIRROR")
    shutil.copytree(weights, "small-wav2vec2")
    model = package.load("bundle")
    assert model.predict("clip.wav").probabilities == pytest.approx(expected, abs=1e-6)
    speech_model("wav2vec2", Path("small-wav2vec2"), layers=3)
    with pytest.raises(UgclError, match=r"weights of small: sha256 is .* trained with others"):
        package.load("bundle").predict("clip.wav")


def test_weights_that_are_nowhere_are_named(spoken, monkeypatch) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise OSError("no network")

    monkeypatch.setattr("huggingface_hub.snapshot_download", refuse)
    with pytest.raises(UgclError, match=r"encoders.small.weights: 'small-wav2vec2' is not a folder here"):
        package.load("bundle").predict("clip.wav")


def test_an_own_method_is_loaded_where_its_file_is(tiny: Config, tmp_path, monkeypatch, ugcl) -> None:
    Path("own_of_bundle.py").write_text(OWN)
    config = again(systems={"mine": {"method": {"name": "own_of_bundle:Own"}}})
    benchmark = config.benchmarks["tiny"].model_dump(mode="json", exclude_unset=True)
    benchmark["systems"] = ["ugcl", "mine"]
    finish(again(benchmarks={"tiny": benchmark}), "mine")
    expected = package.load("tiny/mine").predict(SOUND).probabilities
    result = ugcl("export", "tiny/mine", "--out", "bundle")
    assert "whoever loads it needs own_of_bundle.py in the working folder" in result.stderr
    leave(tmp_path, monkeypatch)
    with pytest.raises(UgclError, match=r"its method is in own_of_bundle.py, which no bundle holds"):
        package.load("bundle")
    Path("own_of_bundle.py").write_text(OWN)
    assert package.load("bundle").predict("clip.wav").probabilities == pytest.approx(expected, abs=1e-6)
