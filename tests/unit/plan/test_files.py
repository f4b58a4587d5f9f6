"""Which files the stages read and write."""

from __future__ import annotations

from pathlib import Path

import pytest

from ugcl.config import Config, parse, read
from ugcl.plan import data, evaluation, features, paths, reports, train


@pytest.fixture
def config(project: Path) -> Config:
    tree = read(project / "params.yaml")
    tree["active"] = ["demo", "demo_ablations"]
    tree["benchmarks"]["demo"] |= {"seeds": [0, 3], "folds_per_job": 4}
    return parse(tree)


def test_training_jobs_cover_every_run_once_and_say_so_to_the_command(config: Config) -> None:
    jobs = [job for job in train.jobs(config) if job.benchmark == "demo"]
    assert [job.rule for job in jobs] == [
        f"train_demo_seed_{seed}_fold_{folds}" for seed in (0, 3) for folds in ("1_2_3_4", "5_6")
    ]
    assert jobs[1].options == ["--seed", "0", "--fold", "5", "--fold", "6"]
    made = [path for job in jobs for path in job.outputs("ugcl")]
    assert len(made) == len(set(made)) == 2 * 6 * 3
    assert set(train.weights(config, "demo", "ugcl")) <= set(made)
    assert Path("results/models/demo/ugcl/seed3/fold6/history.csv") in made


def test_a_job_reads_the_splits_of_its_folds_and_all_features(config: Config) -> None:
    read = train.jobs(config)[1].inputs(config)
    assert [path for path in read if path.is_relative_to(paths.SPLITS)] == [
        paths.split("demo", "intended", 5),
        paths.split("demo", "intended", 6),
    ]
    assert sum(path.suffix == ".safetensors" for path in read) == 4 * 2
    assert paths.quarantine("demo") in read and paths.manifest("demo") in read


def test_benchmarks_that_share_a_corpus_share_its_files(config: Config) -> None:
    assert data.corpora(config) == ["demo"]
    assert len(data.all_splits(config)) == 6
    assert features.outputs(config) == [
        Path("data/features/demo/logmel/index.csv"),
        Path("data/features/demo/hog/index.csv"),
        Path("data/quarantine/demo.csv"),
        Path("data/quarantine/demo_ablations.csv"),
    ]


def test_only_encoders_of_faces_wait_for_face_tracks(config: Config) -> None:
    assert features.encode_inputs(config, "demo", "hog", 2) == [
        paths.manifest("demo"),
        paths.faces("demo", 2),
    ]
    assert features.encode_inputs(config, "demo", "logmel", 2) == [paths.manifest("demo")]


def test_a_user_s_manifest_waits_for_the_table_and_each_medium(
    project: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    for name in ("clips/b.wav", "clips/deep/a.mp4", "clips/clips.csv"):
        Path(name).parent.mkdir(parents=True, exist_ok=True)
        Path(name).write_text("x")
    tree = read(project / "params.yaml")
    tree["corpora"]["mine"] = {"adapter": "folder", "root": "clips", "protocols": {}}
    own = parse(tree)
    assert [path.as_posix() for path in data.raw_files(own, "mine")] == [
        "clips/clips.csv",
        "clips/b.wav",
        "clips/deep/a.mp4",
    ]
    assert data.raw_files(own, "ravdess") == [Path("data/raw/ravdess/fetched.csv")]
    assert len(data.raw_files(own, "demo")) == 12 * 24 * 2


def test_a_benchmark_s_tables_wait_for_its_own_scores_alone(config: Config) -> None:
    read = evaluation.table_inputs(config, "demo_ablations")
    scores = [path for path in read if path.is_relative_to(paths.SCORES)]
    assert {path.parent for path in scores} == {paths.SCORES / "demo_ablations"}
    assert len(scores) == len(evaluation.SCORES) + len(evaluation.REPRESENTATION) + 1
    assert {path.parent.name for path in evaluation.tables(config)} == {"demo", "demo_ablations"}
    assert evaluation.predict_inputs(config, "demo", "{system}")[-1] == (
        paths.MODELS / "demo/{system}/seed3/fold6/model.safetensors"
    )


def test_each_list_of_benchmarks_has_report_folders_of_its_own(project: Path) -> None:
    tree = read(project / "params.yaml")
    long = [f"benchmark_of_a_rather_long_name_{n}" for n in range(5)]
    for name in ("a+b", "a", "b", "c", "b+c", *long):
        tree["benchmarks"][name] = tree["benchmarks"]["demo"]

    def folder(*active: str) -> str:
        return reports.report_set(parse(tree | {"active": list(active)}))

    assert folder("demo") == "demo"
    assert folder("demo", "ravdess") == "demo+ravdess"
    assert folder("a+b") == "a+b"
    assert len({folder("a", "b", "c"), folder("a+b", "c"), folder("a", "b+c")}) == 3
    assert len(folder(*long)) == 100 and folder(*long) == folder(*long)
    assert len({folder(*long), folder(*long[:4]), folder(*reversed(long))}) == 3
    files = [*reports.site_outputs(parse(tree)), *reports.evidence(parse(tree))]
    own = {path for path in files if path.is_relative_to(paths.REPORTS) or path.is_relative_to(paths.FIGURES)}
    assert own and {path.parts[2] for path in own} == {"demo"}
