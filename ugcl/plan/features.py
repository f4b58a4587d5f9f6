"""Which files the features stage reads and writes."""

from __future__ import annotations

from pathlib import Path

from ugcl.config import Config
from ugcl.plan import paths

TENSORS = ".safetensors"
TABLE = ".csv"


def shard_files(config: Config, corpus: str, encoder: str, suffix: str) -> list[Path]:
    """One kind of file (TENSORS or TABLE) of every shard of an encoder."""
    folder, count = paths.features(corpus, encoder), config.corpus(corpus).shards
    return [folder / f"shard-{shard}{suffix}" for shard in range(1, count + 1)]


def benchmark_files(config: Config, benchmark: str, suffix: str) -> list[Path]:
    """One kind of shard file of every encoder that a benchmark uses."""
    entry = config.benchmark(benchmark)
    return [
        file
        for encoder in entry.features.values()
        for file in shard_files(config, entry.corpus, encoder, suffix)
    ]


def encode_inputs(config: Config, corpus: str, encoder: str, shard: int) -> list[Path]:
    """What a shard of an encoder is made from: the manifest, and the face tracks if it reads faces."""
    faces = [paths.faces(corpus, shard)] if config.encoders[encoder].needs_faces else []
    return [paths.manifest(corpus), *faces]


def indices(config: Config, benchmark: str) -> list[Path]:
    """The index of every encoder that a benchmark uses."""
    entry = config.benchmark(benchmark)
    return [paths.features(entry.corpus, encoder) / "index.csv" for encoder in entry.features.values()]


def outputs(config: Config) -> list[Path]:
    """What the features stage makes for the active benchmarks: indices and quarantines."""
    files = [path for name in config.active for path in indices(config, name)]
    return list(dict.fromkeys([*files, *map(paths.quarantine, config.active)]))
