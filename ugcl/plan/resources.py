"""What jobs ask for: GPUs, processes, memory and run time, from the parameters."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any

from ugcl.config import Config
from ugcl.plan import data, train


def rules(config: Config) -> dict[str, str]:
    """Rule of every job that has one of its own → the work it belongs to, by which a profile addresses it."""
    made = {f"make_{corpus}_{actor}": "make" for corpus, actor in data.made_actors(config)}
    trained = {job.rule: "train" for job in train.jobs(config)}
    tested = {f"{work}_{name}": work for work in ("predict", "perturb") for name in config.active}
    return made | trained | tested


def gpus(accelerator: str, there: bool, devices: int = 1) -> int:
    """GPUs of a job: `devices` where it uses them, so that the profile's `gpu` decides how many run at once.

    Args:
        there: whether `auto` finds a GPU where the job runs.
    """
    return devices if accelerator == "cuda" or (accelerator == "auto" and there) else 0


def encoder_gpus(config: Config, encoder: str, there: bool) -> int:
    """GPUs of an encoder's job: none where it runs no network."""
    return gpus(config.extraction.accelerator, there) if config.encoders[encoder].runs_network else 0


def encoder_threads(config: Config, encoder: str, there: bool) -> int:
    """Cores of an encoder's job: processes decode beside a network on a GPU; on a CPU shards share them."""
    return 1 + config.extraction.workers if encoder_gpus(config, encoder, there) else 1


def gpu_rules(config: Config, there: bool) -> dict[str, Callable[[Any], int]]:
    """Rule → GPUs of its job with some wildcards, for every rule whose jobs may run a network.

    Args:
        there: see :func:`gpus`.
    """

    @cache
    def training(benchmark: str, system: str) -> int:
        settings = config.resolve(benchmark, system).train
        return gpus(settings.accelerator, there, settings.devices)

    tests = gpus(config.evaluate.accelerator, there)
    named = ["robustness", "cost", "represent", "transfer", *(f"predict_{name}" for name in config.active)]
    found: dict[str, Callable[[Any], int]] = {rule: lambda wildcards: tests for rule in named}
    found["encode"] = lambda wildcards: encoder_gpus(config, wildcards.encoder, there)
    for name in config.active:
        if encoder := config.benchmark(name).features.get("audio"):
            asked = encoder_gpus(config, encoder, there)
            found[f"perturb_{name}"] = lambda wildcards, asked=asked: asked
    for job in train.jobs(config):
        found[job.rule] = lambda wildcards, name=job.benchmark: training(name, wildcards.system)
    return found


def encode(config: Config, encoder: str, threads: int) -> tuple[int, int]:
    """MB and minutes of an encoder's job with so many threads."""
    needs = config.resources.encode
    entry = config.encoders[encoder]
    network = needs.network if entry.runs_network or entry.base else None  # a tokenizer's library is as large
    mem_mb, runtime = config.resources.need("encode", needs.encoders.get(encoder), network)
    return mem_mb + needs.worker_mb * (threads - 1), runtime


def perturb(config: Config, benchmark: str) -> dict[str, int]:
    """What the job asks for that encodes noisy sound: at least the memory of that encoder."""
    asked = of_rule(config, "perturb")
    encoder = config.benchmark(benchmark).features["audio"]
    return {**asked, "mem_mb": max(asked["mem_mb"], encode(config, encoder, 1)[0])}


def of_system(config: Config, rule: str, benchmark: str, system: str) -> tuple[int, int]:
    """MB and minutes of a job that trains a system or predicts with it (rule `train` or `predict`)."""
    base = config.mislabelled(benchmark).get(system, (system,))[0]
    return config.resources.need(rule, getattr(config.resources, rule).systems.get(base))


def of_rule(config: Config, rule: str) -> dict[str, int]:
    """Memory and run time of any other rule, by the names that Snakemake gives them."""
    return dict(zip(("mem_mb", "runtime"), config.resources.need(rule), strict=True))
