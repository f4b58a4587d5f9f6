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
        """What the job reads."""
        entry = config.benchmark(self.benchmark)
        return [
            paths.manifest(entry.corpus),
            *(paths.split(entry.corpus, entry.protocol, fold) for fold in self.folds),
            paths.quarantine(self.benchmark),
            *features.indices(config, self.benchmark),
            *features.benchmark_files(config, self.benchmark, features.TENSORS),
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
