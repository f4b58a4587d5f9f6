"""What jobs ask for: GPUs, processes, memory and run time, from the parameters."""

from __future__ import annotations

import shutil
from functools import cache

from ugcl.config import Config
from ugcl.plan import data, train


def rules(config: Config) -> dict[str, str]:
    """Rule of every job that has one of its own → the work it belongs to, by which a profile addresses it."""
    made = {f"make_{corpus}_{actor}": "make" for corpus, actor in data.made_actors(config)}
    trained = {job.rule: "train" for job in train.jobs(config)}
    tested = {f"{work}_{name}": work for work in ("predict", "perturb") for name in config.active}
    return made | trained | tested


@cache
def gpus(accelerator: str) -> int:
    """GPUs of a job: one where it uses one, so that the profile's `gpu` decides how many run at once."""
    seen = shutil.which("nvidia-smi") is not None
    return int(accelerator == "cuda" or (accelerator == "auto" and seen))


def encoder_gpus(config: Config, encoder: str) -> int:
    """GPUs of an encoder's job: none where it runs no network."""
    return gpus(config.extraction.accelerator) if config.encoders[encoder].runs_network else 0


def encoder_threads(config: Config, encoder: str) -> int:
    """Cores of an encoder's job: processes decode beside a network on a GPU; on a CPU shards share them."""
    return 1 + config.extraction.workers if encoder_gpus(config, encoder) else 1


def encode(config: Config, encoder: str, threads: int) -> tuple[int, int]:
    """MB and minutes of an encoder's job with so many threads."""
    needs = config.resources.encode
    entry = config.encoders[encoder]
    network = needs.network if entry.runs_network or entry.base else None  # a tokenizer's library is as large
    mem_mb, runtime = config.resources.need("encode", needs.encoders.get(encoder), network)
    return mem_mb + needs.worker_mb * (threads - 1), runtime


def perturb(config: Config, benchmark: str) -> dict[str, int]:
    """What the job asks for that encodes noisy sound: at least the memory and the GPU of that encoder."""
    encoder = config.benchmark(benchmark).features["audio"]
    asked = of_rule(config, "perturb")
    asked["mem_mb"] = max(asked["mem_mb"], encode(config, encoder, 1)[0])
    return {**asked, "gpu": encoder_gpus(config, encoder)}


def of_system(config: Config, rule: str, benchmark: str, system: str) -> tuple[int, int]:
    """MB and minutes of a job that trains a system or predicts with it (rule `train` or `predict`)."""
    base = config.mislabelled(benchmark).get(system, (system,))[0]
    return config.resources.need(rule, getattr(config.resources, rule).systems.get(base))


def of_rule(config: Config, rule: str) -> dict[str, int]:
    """Memory and run time of any other rule, by the names that Snakemake gives them."""
    return dict(zip(("mem_mb", "runtime"), config.resources.need(rule), strict=True))
