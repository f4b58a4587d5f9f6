"""What jobs ask for: defaults by rule, changed by the parameters, and no part of any lineage."""

from __future__ import annotations

import re
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from ugcl.config import Config, parse, read
from ugcl.plan import data, resources, train
from ugcl.provenance import lineage


@pytest.fixture
def tree(project: Path) -> dict[str, Any]:
    return read(project / "params.yaml")


def asked(tree: dict[str, Any], needs: dict[str, Any]) -> Config:
    return parse({**tree, "resources": needs})


def test_a_system_s_own_memory_wins_over_the_rule_s_and_keeps_its_run_time(tree: dict[str, Any]) -> None:
    config = asked(tree, {"train": {"runtime": 90, "systems": {"ugcl": {"mem_mb": 6000}}}})
    assert resources.of_system(config, "train", "demo", "ugcl") == (6000, 90)
    assert resources.of_system(config, "train", "demo", "concat") == (1500, 90)
    assert resources.of_system(config, "predict", "demo", "ugcl") == (1500, 60)


def test_wrong_labels_change_nothing_of_what_a_system_needs(tree: dict[str, Any]) -> None:
    tree["benchmarks"]["demo"]["label_noise"] = {"ugcl": [0.1]}
    config = asked(tree, {"train": {"systems": {"ugcl": {"mem_mb": 6000}}}})
    assert resources.of_system(config, "train", "demo", "ugcl+labels0.1") == (6000, 600)


def test_a_network_needs_more_than_a_computed_feature_and_each_worker_more(tree: dict[str, Any]) -> None:
    config = asked(tree, {"encode": {"encoders": {"vgg-face": {"mem_mb": 4000}}}})
    assert resources.encode(config, "logmel", 1) == (1000, 600)
    assert resources.encode(config, "whisper-tiny-en", 1) == (2000, 600)
    assert resources.encode(config, "whisper-tiny-en", 8) == (2000 + 7 * 500, 600)
    assert resources.encode(config, "vgg-face", 3) == (4000 + 2 * 500, 600)


def test_a_partial_entry_of_a_rule_keeps_the_default_of_the_rest(tree: dict[str, Any]) -> None:
    config = asked(tree, {"faces": {"runtime": 30}})
    assert resources.of_rule(config, "faces") == {"mem_mb": 1500, "runtime": 30}
    assert resources.of_rule(config, "score") == {"mem_mb": 1000, "runtime": 60}


def test_every_rule_that_works_asks_for_its_own_memory(project: Path, tree: dict[str, Any]) -> None:
    """Each field of the section is read by the rules, and each rule with a shell line reads one."""
    text = "".join(path.read_text() for path in sorted((project / "workflow/rules").glob("*.smk")))
    config = parse(tree)
    for rule in type(config.resources).model_fields:
        if rule not in ("train", "predict", "encode", "perturb"):
            assert f'needs.of_rule(params_tree, "{rule}")' in text, rule
    assert not re.findall(r"(?:mem_mb|runtime)=\d", text), "numbers stand in the parameters"
    asked, run = (len(re.findall(rf"^ +{word}:$", text, re.M)) for word in ("resources", "shell"))
    assert asked == run > 20


def test_the_lineages_are_the_same_whatever_jobs_ask_for(tree: dict[str, Any]) -> None:
    plain = parse(tree)
    other = asked(tree, {"train": {"mem_mb": 9, "systems": {"ugcl": {"mem_mb": 6}}}, "faces": {"runtime": 1}})
    assert lineage.train(plain, "demo", "ugcl") == lineage.train(other, "demo", "ugcl")
    assert lineage.report(plain) == lineage.report(other)


def test_every_rule_of_a_loop_belongs_to_a_work_that_a_profile_can_address(tree: dict[str, Any]) -> None:
    tree["active"] = ["demo", "ravdess"]
    config = parse(tree)
    found = resources.rules(config)
    assert {job.rule for job in train.jobs(config)} == {name for name in found if found[name] == "train"}
    assert found["train_demo_seed_0_fold_1_2_3_4_5_6"] == "train" and found["predict_ravdess"] == "predict"
    assert sum(work == "make" for work in found.values()) == len(data.made_actors(config)) == 12


def test_a_gpu_is_asked_for_where_one_is_used(tree: dict[str, Any]) -> None:
    assert [resources.gpus(word, there=False) for word in ("cpu", "auto", "cuda")] == [0, 0, 1]
    assert [resources.gpus(word, there=True) for word in ("cpu", "auto", "cuda")] == [0, 1, 1]
    assert resources.gpus("auto", there=True, devices=4) == 4


def test_every_rule_that_runs_networks_says_how_many_gpus_its_jobs_use(tree: dict[str, Any]) -> None:
    tree["active"] = ["ravdess"]
    tree["systems"]["concat"] |= {"train": {"accelerator": "cpu"}}
    tree["systems"]["audio-only"]["train"] = {"devices": 2}
    config = parse(tree)
    (job,) = {job.rule for job in train.jobs(config) if job.folds == (1,)}

    def asked(rule: str, there: bool = True, **wildcards: str) -> int:
        return resources.gpu_rules(config, there)[rule](SimpleNamespace(**wildcards))

    assert [asked(job, system=name) for name in ("ugcl", "concat", "audio-only")] == [1, 0, 2]
    assert asked(job, there=False, system="ugcl") == 0
    assert asked("encode", encoder="whisper-tiny-en") == asked("perturb_ravdess") == 1
    assert asked("encode", encoder="logmel") == 0, "it runs no network"
    assert all(asked(rule) for rule in ("predict_ravdess", "robustness", "cost", "represent"))
    assert resources.encoder_threads(config, "whisper-tiny-en", there=True) == 1 + config.extraction.workers
    assert resources.encoder_threads(config, "whisper-tiny-en", there=False) == 1
