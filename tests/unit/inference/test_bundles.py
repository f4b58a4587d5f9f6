"""Bundles: `ugcl export` in a project, `ugcl predict --model` and `ugcl.load` in a folder without one."""

from __future__ import annotations

import json
import os
import shutil
import zipfile
from contextlib import chdir
from pathlib import Path

import pytest
import yaml
from typer.testing import CliRunner

import ugcl as package
from ugcl.cli.main import app
from ugcl.config import Config
from ugcl.data import sources
from ugcl.errors import UgclError
from ugcl.inference.bundles import contents
from ugcl.inference.bundles.contents import Bundle
from ugcl.plan.evaluation import table

CLIP = "1001_KEY_ANG_XX"
EVIL = ["../evil.txt", "/tmp/evil.txt", "a/../../evil.txt", "C:evil.txt", "..\\evil.txt"]
FILES = (f"clips/AudioWAV/{CLIP}.wav", f"clips/VideoMP4/{CLIP}.mp4")


@pytest.fixture(scope="session")
def exported(tiny_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A bundle of three runs beside two files of a clip, and what the project said of it; read it only."""
    folder = tmp_path_factory.mktemp("exported")
    for name in FILES:
        shutil.copy(tiny_folder / name, folder)
    runner = CliRunner()
    with chdir(tiny_folder):
        done = runner.invoke(app, ["export", "tiny/ugcl", "--out", str(folder / "bundle")])
        assert "tiny/ugcl, 3 runs" in done.output
        found = runner.invoke(app, ["predict", *FILES, "--json"]).stdout
    (folder / "expected.json").write_text(found)
    return folder


@pytest.fixture
def alone(exported: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of it in a folder with nothing else, now the working folder."""
    folder = tmp_path / "alone"
    shutil.copytree(exported, folder)
    (folder / "expected.json").rename(tmp_path / "expected.json")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.chdir(folder)
    return folder


def change(folder: Path, **fields: object) -> None:
    """Change fields of bundle.json, and its digest with them."""
    path = folder / contents.NAME
    tree = json.loads(path.read_text()) | fields
    path.write_text(Bundle.model_validate(tree).text())


def test_a_bundle_predicts_without_the_project_as_the_project_did(alone: Path, ugcl) -> None:
    expected = json.loads((alone.parent / "expected.json").read_text())
    found = json.loads(ugcl("predict", ".", "--model", "bundle", "--json").stdout)
    for part in ("benchmark", "system", "marks", "runs", "calibrated", "classes"):
        assert found[part] == expected[part], part
    assert found["calibrated"] and found["marks"] == "SYNTHETIC"
    assert found["clips"][0]["probabilities"] == expected["clips"][0]["probabilities"]
    model = package.load("bundle")
    one = model.predict(f"{CLIP}.wav", f"{CLIP}.mp4")
    assert one.probabilities == pytest.approx(found["clips"][0]["probabilities"], abs=1e-6)
    assert len(model.timeline(f"{CLIP}.wav", step=0.5)) > 1 and model.embed(".").shape[0] == 1
    assert sorted(path.name for path in alone.iterdir()) == [f"{CLIP}.mp4", f"{CLIP}.wav", "bundle"]


def test_outputs_come_to_the_folder_of_the_user(alone: Path, ugcl) -> None:
    ugcl("predict", ".", "--model", "bundle", "--timeline", "--out", "found")
    assert (alone / "found" / f"{CLIP}.timeline.png").is_file()
    assert ugcl("predict", ".", "--model", "bundle", "--system", "ugcl", code=2)


def test_a_zip_file_is_the_same_and_equal_systems_give_equal_bytes(tiny: Config, ugcl, tmp_path) -> None:
    ugcl("export", "tiny/concat/fold2", "--out", "a.zip")
    ugcl("export", "results/models/tiny/concat/seed0/fold2", "--out", "b.zip")
    ugcl("export", "tiny/concat/fold2", "--out", "folder")
    first, second = (zipfile.ZipFile(name) for name in ("a.zip", "b.zip"))
    assert first.namelist() == ["README.md", "bundle.json"] + [
        f"runs/seed0-fold2/{name}" for name in ("card.json", "model.safetensors")
    ]
    for name in first.namelist()[2:]:
        assert first.read(name) == second.read(name) == (Path("folder") / name).read_bytes()
    ugcl("export", "tiny/concat/fold2", "--out", "again/a.zip")
    assert Path("again/a.zip").read_bytes() == Path("a.zip").read_bytes()
    expected = package.load("folder").predict(*FILES).probabilities
    assert package.load("a.zip").predict(*FILES).probabilities == expected
    shutil.make_archive("outer", "zip", ".", "folder")  # packed again by hand, with its folder
    assert package.load("outer.zip").predict(*FILES).probabilities == expected


@pytest.mark.parametrize(
    "name", ["runs/seed0-fold1/model.safetensors", "runs/seed0-fold3/card.json", "README.md"]
)
def test_one_changed_byte_is_refused(alone: Path, name: str) -> None:
    path = alone / "bundle" / name
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)
    with pytest.raises(UgclError, match=rf"bundle: {name}: sha256 is .* damaged or was changed"):
        package.load("bundle")


def test_every_field_of_the_index_is_sealed(alone: Path) -> None:
    path = alone / "bundle/bundle.json"
    text = path.read_text()
    for old, new in (
        ('"fold": 1,', '"fold": 2,'),
        ('"temperature": ', '"temperature": 1'),
        ("SYNTHETIC", ""),
    ):
        assert old in text
        path.write_text(text.replace(old, new))
        with pytest.raises(UgclError, match="digest is"):
            package.load("bundle")
    path.write_text(text[:-40])
    with pytest.raises(UgclError, match=r"bundle.json is not that of a bundle"):
        package.load("bundle")
    path.write_bytes(b"\xff\xfe")
    with pytest.raises(UgclError, match=r"bundle.json is not text"):
        package.load("bundle")


def test_a_missing_file_and_another_format_are_one_line(alone: Path, ugcl) -> None:
    (alone / "bundle/runs/seed0-fold1/model.safetensors").unlink()
    with pytest.raises(UgclError, match=r"runs/seed0-fold1/model.safetensors is missing"):
        package.load("bundle")
    change(alone / "bundle", format=2, version="9.0")
    message = ugcl("predict", ".", "--model", "bundle", code=1).error
    assert message.startswith("bundle: has format 2 and this version of ugcl reads 1; ") and "9.0" in message
    assert "not found" in ugcl("predict", ".", "--model", "absent.zip", code=1).error


@pytest.mark.parametrize(
    "name", ["../evil.txt", "/tmp/evil.txt", "a/../../evil.txt", "C:evil.txt", "..\\evil.txt"]
)
def test_no_file_outside_of_a_bundle_is_named_or_written(alone: Path, tmp_path: Path, name: str) -> None:
    index = json.loads((alone / "bundle/bundle.json").read_text())
    change(alone / "bundle", files=index["files"] | {name: "0" * 64})
    with zipfile.ZipFile("evil.zip", "w") as archive:
        for path in sorted((alone / "bundle").rglob("*.*")):
            archive.write(path, path.relative_to(alone / "bundle"))
        archive.writestr(name, "evil")
    before = {path for path in tmp_path.rglob("*")}
    for source in ("bundle", "evil.zip"):
        with pytest.raises(UgclError, match="outside of it; do not use this bundle"):
            package.load(source)
    assert {path for path in tmp_path.rglob("*")} == before and not Path("/tmp/evil.txt").exists()


def test_files_that_the_index_does_not_name_are_not_unpacked(
    alone: Path, tmp_path: Path, monkeypatch
) -> None:
    monkeypatch.setenv("TMPDIR", str(tmp_path / "scratch"))
    (tmp_path / "scratch").mkdir()
    monkeypatch.setattr("tempfile.tempdir", None)
    shutil.make_archive("more", "zip", "bundle")
    with zipfile.ZipFile("more.zip", "a") as archive:
        archive.writestr("../../evil.txt", "evil")
        archive.writestr("more.py", "evil")
    model = package.load("more.zip")
    assert not [path for path in tmp_path.rglob("*") if path.name in ("evil.txt", "more.py")]
    assert list((tmp_path / "scratch").iterdir())
    del model
    assert not list((tmp_path / "scratch").iterdir()), "what was unpacked goes with the model"


def test_other_files_are_no_bundles(alone: Path) -> None:
    Path("junk.zip").write_bytes(b"junk")
    shutil.make_archive("clips", "zip", ".", f"{CLIP}.wav")
    cut = Path("cut.zip")
    shutil.make_archive("cut", "zip", "bundle")
    with zipfile.ZipFile("part.zip", "w") as archive:
        archive.write("bundle/bundle.json", "bundle.json")
    for name, message in (
        ("junk", "not a whole zip file"),
        ("clips", "has no bundle.json"),
        ("part", "damaged"),
    ):
        with pytest.raises(UgclError, match=message):
            package.load(f"{name}.zip")
    cut.write_bytes(cut.read_bytes()[:-3000])
    with pytest.raises(UgclError, match="not a whole zip file"):
        package.load("cut.zip")


def test_a_bundle_is_not_written_over_something_and_not_exported_again(tiny: Config, ugcl) -> None:
    Path("there").mkdir()
    Path("there/file").write_text("kept")
    Path("a.zip").write_text("kept")
    for name in ("there", "a.zip"):
        assert "is there already" in ugcl("export", "tiny/concat", "--out", name, code=1).error
    assert Path("there/file").read_text() == Path("a.zip").read_text() == "kept"
    ugcl("export", "tiny/concat", "--out", "new")
    assert "came from a bundle" in ugcl("export", "new", "--out", "newer", code=1).error
    assert ugcl("export", "tiny/concat", code=2)
    assert not [path for path in Path().iterdir() if path.name.startswith(".") and "bundle" in str(path)]


def test_nothing_in_a_bundle_is_pickled_or_names_this_machine(alone: Path, tmp_path: Path) -> None:
    for path in (alone / "bundle").rglob("*"):
        if path.is_file():
            content = path.read_bytes()
            assert path.suffix in (".json", ".md", ".safetensors", ".csv")
            assert not content.startswith(b"\x80") and str(tmp_path).encode() not in content


def test_the_card_has_the_header_of_the_hub(alone: Path) -> None:
    text = (alone / "bundle/README.md").read_text()
    _, header, body = text.split("---\n", 2)
    tree = yaml.safe_load(header)
    assert (
        tree["library_name"] == "ugcl" and tree["license"] == "other" and tree["license_name"] == "your own"
    )
    assert tree["datasets"] == ["tiny"] and {"emotion-recognition", "audio", "video"} <= set(tree["tags"])
    assert "model-index" not in tree and "Not evaluated where it was exported." in body
    assert "SYNTHETIC" not in body or "synthetic" in tree["tags"]
    assert "ugcl predict CLIP --model bundle" in body and "| audio | `logmel` |" in body


def test_the_card_has_the_results_of_the_tables_with_intervals(tiny: Config, ugcl) -> None:
    path = table("tiny", "summary")
    path.parent.mkdir(parents=True, exist_ok=True)
    columns = (
        "benchmark,corpus,protocol,label_target,system,modalities,metric,value,ci_low,ci_high,folds,seeds"
    )
    row = "tiny,tiny,three,emotion,{},audio+video,{},{},{},{},3,1,12,6,abc"
    lines = [row.format("concat", "war", 0.5, 0.4, 0.6), row.format("concat", "uar", 0.512, 0.401, 0.623)]
    lines.append(row.format("ugcl", "uar", 0.9, 0.8, 1.0))
    path.write_text("\n".join([f"{columns},clips,speakers,lineage", *lines]) + "\n")
    ugcl("export", "tiny/concat", "--out", "b")
    text = Path("b/README.md").read_text()
    tree = yaml.safe_load(text.split("---\n")[1])
    (found,) = tree["model-index"]
    metrics = found["results"][0]["metrics"]
    assert [m["type"] for m in metrics] == ["uar", "war"] and metrics[0]["value"] == 0.512
    assert metrics[0]["name"] == "UAR (95 % interval 0.401 to 0.623, over speakers)"
    assert "| UAR | 51.2 [40.1, 62.3] |" in text and "90.0" not in text


def precomputed(modality: str) -> None:
    """Make a modality of all runs one that comes from a table."""
    for path in Path("results/models/tiny").rglob("card.json"):
        tree = json.loads(path.read_text())
        name = tree["run"]["features"][modality]
        entry = {"kind": "table", "modality": modality, "path": "x.csv", "key": "clip", "drop": [], "pool": 1}
        tree["run"]["encoders"][name] = entry | {"last_fields": 0, "rate": 0.0}
        rewrite(path, tree)


def rewrite(path: Path, tree: dict) -> None:
    """A run whose card and weights agree on other parameters."""
    from safetensors.torch import load_file

    from ugcl.training.state.checkpoint import save_run

    weights = load_file(path.with_name("model.safetensors"))
    save_run(path.parent, weights, {key: value for key, value in tree.items() if key != "files"})


def test_a_precomputed_modality_is_named_as_missing(tiny: Config, ugcl) -> None:
    precomputed("video")
    shutil.rmtree("results/predictions")
    result = ugcl("export", "tiny/ugcl", "--out", "b")
    assert "video is missing in every clip: its features are precomputed" in result.stderr
    assert "The features of video come from a table" in Path("b/README.md").read_text()
    found = package.load("b").predict(*FILES)
    assert found.modalities == ("audio",) and found.notes[0].startswith(
        "no video used: its features are precomputed"
    )
    precomputed("audio")
    ugcl("export", "tiny/ugcl", "--out", "none")
    assert "all its features are precomputed" in ugcl("predict", FILES[0], "--model", "none", code=1).error


def test_weights_of_an_encoder_have_to_be_those_of_the_training(alone: Path) -> None:
    change(alone / "bundle", weights={"logmel": "0" * 64})
    with pytest.raises(UgclError, match="weights of logmel: sha256 is not known instead of 000000000000…"):
        package.load("bundle").predict(f"{CLIP}.wav")


def test_a_method_of_the_users_own_has_to_be_here_and_the_same(alone: Path) -> None:
    index = json.loads((alone / "bundle/bundle.json").read_text())
    index["parameters"]["systems"]["ugcl"]["method"] = {"name": "own_method:Own"}
    change(alone / "bundle", parameters=index["parameters"])
    Path("own_method.py").write_text("raise SystemExit('must not run')")
    with pytest.raises(UgclError, match="does not say which file has its method own_method:Own"):
        package.load("bundle")
    change(alone / "bundle", code={"own_method.py": "0" * 64})
    with pytest.raises(UgclError, match=r"own_method.py is not the file it was exported with"):
        package.load("bundle")
    os.remove("own_method.py")
    with pytest.raises(UgclError, match=r"its method is in own_method.py, which no bundle holds"):
        package.load("bundle")


def test_addresses_of_weights_travel_with_a_bundle(tiny: Config, ugcl, monkeypatch, tmp_path) -> None:
    """A face detector with a file of weights: the row of the registry that has it is in the bundle."""
    tree = yaml.safe_load(Path("params.yaml").read_text())
    weights = "models/face_detection_yunet_2023mar.onnx"
    tree["faces"] = {"detector": "yunet", "weights": weights}
    header = "corpus,version,kind,url,path,sha256,bytes,files,licence,note"
    rows = ["models,1,primary,http://127.0.0.1:9/a.onnx,face_detection_yunet_2023mar.onnx,,,1,MIT,"]
    rows.append("models,1,primary,http://127.0.0.1:9/b.pth,other.pth,,,1,MIT,")
    Path("own.csv").write_text("\n".join([header, *rows]) + "\n")
    tree["data"] = {"sources": "own.csv", "retries": 0}
    Path("params.yaml").write_text(yaml.safe_dump(tree))
    ugcl("export", "tiny/ugcl", "--out", "b")
    assert (
        sources.sha256(Path("b/sources.csv"))
        == json.loads(Path("b/bundle.json").read_text())["files"]["sources.csv"]
    )
    text = Path("b/sources.csv").read_text()
    assert "a.onnx" in text and "other.pth" not in text
    model = package.load("b")
    assert model.config.faces.weights == weights and Path(model.config.data.sources).is_absolute()
