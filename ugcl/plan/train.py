"""Which files training reads and writes, and which runs share a job."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from ugcl.config import Config
from ugcl.plan import features, paths

FILES = ("model.safetensors", "card.json", "history.csv")
"""What a run writes into its folder."""


@dataclass(frozen=True)
class Job:
    """Some seeds and folds of a benchmark that one job trains, for one system at a time."""

    benchmark: str
    seeds: tuple[int, ...]
    folds: tuple[int, ...]

    @property
    def runs(self) -> str:
        """The runs in a name: seed_0_fold_1_2."""
        return "_".join(["seed", *map(str, self.seeds), "fold", *map(str, self.folds)])

    @property
    def rule(self) -> str:
        """The name of the job's rule."""
        return f"train_{self.benchmark}_{self.runs}"

    @property
    def options(self) -> list[str]:
        """The runs as options of `ugcl train`, word by word."""
        named = [("--seed", seed) for seed in self.seeds] + [("--fold", fold) for fold in self.folds]
        return [word for option, number in named for word in (option, str(number))]

    def inputs(self, config: Config) -> list[Path]:
        """What the job reads, less the manifest, which quarantine and splits are made from, and the shards.

        Snakemake's time grows with the inputs of all jobs, of which there may be ten thousand. An index is
        made from its shards, so that it is newer than they are; see also :func:`orphans`.
        """
        entry = config.benchmark(self.benchmark)
        return [
            *(paths.split(entry.corpus, entry.protocol, fold) for fold in self.folds),
            paths.quarantine(self.benchmark),
            *features.indices(config, self.benchmark),
        ]

    def outputs(self, system: str) -> list[Path]:
        """What the job writes for a system, or for the wildcard {system}."""
        return [
            paths.MODELS / paths.run(self.benchmark, system, seed, fold) / name
            for seed in self.seeds
            for fold in self.folds
            for name in FILES
        ]


def jobs(config: Config) -> list[Job]:
    """The training jobs of the active benchmarks; every system of a benchmark has the same."""
    return [
        Job(name, tuple(seeds), tuple(folds))
        for name in config.active
        for seeds, folds in config.training_jobs(name)
    ]


def orphans(config: Config) -> list[Path]:
    """Inputs of training whose own inputs are missing, though a training that is to come reads those as well.

    Snakemake does not look for what an existing file was made from. Without these files it does: a job that
    needs one makes it again, and what is missing before it.
    """
    found = []
    for name in config.active:
        entry = config.benchmark(name)
        if not paths.manifest(entry.corpus).is_file():
            found.append(paths.quarantine(name))
        for index, encoder in zip(features.indices(config, name), entry.features.values(), strict=True):
            shards = features.shard_files(config, entry.corpus, encoder, features.TENSORS)
            if not all(path.is_file() for path in shards):
                found.append(index)
    return [path for path in dict.fromkeys(found) if path.is_file()]


def weights(config: Config, benchmark: str, system: str) -> list[Path]:
    """The weights of a system's runs on a benchmark."""
    return [
        paths.MODELS / paths.run(benchmark, system, seed, fold) / FILES[0]
        for seed in config.benchmark(benchmark).seeds
        for fold in config.folds(benchmark)
    ]


def outputs(config: Config) -> list[Path]:
    """The weights of everything that the active benchmarks train."""
    return [
        path
        for name in config.active
        for system in config.trained(name)
        for path in weights(config, name, system)
    ]
