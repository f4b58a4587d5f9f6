"""Which files evaluation reads and writes; light, so that the Snakefile may import it."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from ugcl.config import Config
from ugcl.errors import UgclError
from ugcl.plan import data, features, paths, train

TABLES = (
    *("summary", "per_fold", "per_class", "confusion", "comparisons", "ablations", "friedman", "nemenyi"),
    "system_pairs",
    *("subgroups", "per_speaker", "calibration", "pairs", "errors", "disagreement", "published", "optimism"),
    *("optimism_by_system", "learning_curves", "runs", "clips", "parts", "votes"),
    *("quarantine", "left_out", "dialogues", "turns", "shifts"),
)
"""Stems of the CSV tables of results that a benchmark has in results/tables/<benchmark>."""

REPRESENTATION = ("tokens", "token_usage", "retrieval", "hard_negatives", "token_map", "attention")
"""Stems of the tables on the inside of a benchmark's reference system."""

NETWORK_TABLES = ("robustness", "temperature", *REPRESENTATION)
"""Stems of those on trained networks: robustness, temperature and representation."""

UNSTABLE = ("cost", "environment")
"""Tables of times, devices and commits: not the same bytes each time, so they lie in results/scores."""

SCORES = ("metrics", "confusion", "per_class", "subgroups", "per_speaker", "calibration", "pairs")
"""Stems of the CSV tables that scoring writes into results/scores/<benchmark>."""


def table(benchmark: str, name: str) -> Path:
    """One of a benchmark's tables of results."""
    return (paths.SCORES if name in UNSTABLE else paths.TABLES) / benchmark / f"{name}.csv"


def table_record(benchmark: str) -> Path:
    """What a benchmark's tables were made from, see :mod:`ugcl.provenance.kept`."""
    return paths.TABLES / benchmark / "lineage.json"


def summary() -> Path:
    """The summary over benchmarks, a public interface."""
    return paths.TABLES / "summary.csv"


def metrics_json() -> Path:
    """The scores that `dvc metrics` reads."""
    return paths.TABLES / "metrics.json"


def score(benchmark: str, name: str) -> Path:
    """One of a benchmark's score tables; its first column is the system."""
    return paths.SCORES / benchmark / f"{name}.csv"


def prediction(benchmark: str, system: str, seed: int, fold: int) -> Path:
    """The predictions of one run's test clips."""
    return paths.PREDICTIONS / paths.run(benchmark, system, seed, fold).with_suffix(".csv")


def temperature(benchmark: str, system: str) -> Path:
    """The temperatures of a system's runs, beside their predictions."""
    return paths.PREDICTIONS / benchmark / system / "temperature.csv"


def noise_conditions(config: Config, benchmark: str) -> list[str]:
    """The noise conditions that the benchmark's audio encoder can do: none where features are precomputed."""
    encoder = config.benchmarks[benchmark].features.get("audio")
    if encoder is None or config.encoders[encoder].precomputed:
        return []
    return [name for name in config.evaluate.robustness if name.startswith("noise:")]


def chosen(config: Config, benchmark: str, systems: Iterable[str] | None) -> list[str]:
    """Some systems of a benchmark by name, or all.

    Raises:
        UgclError: the benchmark lacks one.
    """
    known = config.benchmark(benchmark).systems
    names = list(systems or known)
    for name in names:
        if name not in known:
            raise UgclError(f"{benchmark} has no system {name!r}; choose from {', '.join(known)}")
    return names


def clip_inputs(config: Config, benchmark: str) -> list[Path]:
    """What is read to run trained systems of a benchmark on its clips, beside their weights."""
    return [*clean_clips(config, benchmark), *features.benchmark_files(config, benchmark, features.TENSORS)]


def clean_clips(config: Config, benchmark: str) -> list[Path]:
    """What names the clips of a benchmark's folds: manifest, splits, and the quarantine."""
    manifest = paths.manifest(config.benchmark(benchmark).corpus)
    return [manifest, *data.splits(config, benchmark), paths.quarantine(benchmark)]


def predict_inputs(config: Config, benchmark: str, system: str) -> list[Path]:
    """What `ugcl evaluate predict` reads for a system, or for the wildcard {system}."""
    return [*clip_inputs(config, benchmark), *train.weights(config, benchmark, system)]


def run_inputs(config: Config, benchmark: str, systems: Iterable[str] | None = None) -> list[Path]:
    """What is read to run some trained systems of a benchmark, or all, on its test clips."""
    return [*clip_inputs(config, benchmark), *predicted(config, benchmark, systems)]


def robustness_inputs(config: Config, benchmark: str) -> list[Path]:
    """What `ugcl evaluate robustness` reads."""
    return [
        *run_inputs(config, benchmark),
        *perturb_outputs(config, benchmark),
        *mislabelled_outputs(config, benchmark),
    ]


def perturb_outputs(config: Config, benchmark: str) -> list[Path]:
    """What `ugcl evaluate perturb` writes: a feature store per noise condition."""
    shards = config.corpora[config.benchmarks[benchmark].corpus].shards
    files = [f"shard-{n}{suffix}" for n in range(1, shards + 1) for suffix in (".safetensors", ".csv")]
    return [
        paths.perturbed(benchmark, condition) / file
        for condition in noise_conditions(config, benchmark)
        for file in (*files, "index.csv")
    ]


def mislabelled(config: Config, benchmark: str, system: str) -> dict[str, str]:
    """Conditions of wrong labels in training, such as `labels:0.1` → the name of what was trained so."""
    found = config.mislabelled(benchmark).items()
    return {f"labels:{share:g}": name for name, (base, share) in found if base == system}


def mislabelled_outputs(config: Config, benchmark: str) -> list[Path]:
    """Predictions of what a benchmark trains on partly wrong labels."""
    names = config.mislabelled(benchmark)
    return [path for name in names for path in predict_outputs(config, benchmark, name)]


def under_conditions(config: Config, benchmark: str) -> list[str]:
    """Systems of a benchmark that are looked at under some condition."""
    entry = config.benchmarks[benchmark]
    return [s for s in entry.systems if config.evaluate.robustness or entry.label_noise.get(s)]


def robustness_outputs(config: Config, benchmark: str) -> list[Path]:
    """What `ugcl evaluate robustness` writes: nothing without conditions."""
    return [score(benchmark, "robustness")] if under_conditions(config, benchmark) else []


def represent_outputs(benchmark: str) -> list[Path]:
    """What `ugcl evaluate tokens` writes, of the reference system."""
    return [score(benchmark, name) for name in REPRESENTATION]


def _runs(config: Config, benchmark: str, system: str) -> list[tuple[str, str, int, int]]:
    seeds = config.benchmarks[benchmark].seeds
    return [(benchmark, system, seed, fold) for seed in seeds for fold in config.folds(benchmark)]


def predict_outputs(config: Config, benchmark: str, system: str) -> list[Path]:
    """What `ugcl evaluate predict` writes: one CSV per seed and fold."""
    return [prediction(*run) for run in _runs(config, benchmark, system)]


def score_outputs(benchmark: str) -> list[Path]:
    """What `ugcl evaluate score` writes."""
    return [score(benchmark, name) for name in SCORES]


def histories(config: Config, benchmark: str, system: str) -> list[Path]:
    """The training histories of a system, one per seed and fold."""
    return [paths.MODELS / paths.run(*run) / "history.csv" for run in _runs(config, benchmark, system)]


def cards(config: Config, benchmark: str, system: str) -> list[Path]:
    """The cards of a system's runs, one per seed and fold."""
    return [path.with_name("card.json") for path in histories(config, benchmark, system)]


def predicted(config: Config, benchmark: str, systems: Iterable[str] | None = None) -> list[Path]:
    """One file per system that is there when its runs are trained and have predicted.

    What comes after them names it in place of each run's files, which the same jobs write: Snakemake's time
    grows with the number of inputs, and a benchmark may have a thousand runs.
    """
    return [temperature(benchmark, system) for system in systems or config.benchmarks[benchmark].systems]


def table_inputs(config: Config, benchmark: str) -> list[Path]:
    """What `ugcl evaluate tables` waits for; published.csv if there."""
    entry = config.benchmark(benchmark)
    files = [paths.PUBLISHED] if paths.PUBLISHED.is_file() else []
    files += [paths.manifest(entry.corpus), paths.quarantine(benchmark), *data.splits(config, benchmark)]
    files += [*predicted(config, benchmark), *score_outputs(benchmark), *represent_outputs(benchmark)]
    return [*files, *robustness_outputs(config, benchmark)]


def table_outputs(benchmark: str) -> list[Path]:
    """What `ugcl evaluate tables` writes."""
    names = (*TABLES, *NETWORK_TABLES, "environment")
    return [*(table(benchmark, name) for name in names), table_record(benchmark)]


def tables(config: Config) -> list[Path]:
    """The tables of the active benchmarks, which reports show."""
    each = [[*table_outputs(name), table(name, "cost")] for name in config.active]
    return [path for files in each for path in files]


def summary_outputs() -> list[Path]:
    """What `ugcl evaluate summary` writes."""
    return [summary(), metrics_json()]


def ablations(config: Config, benchmark: str) -> list[str]:
    """Systems of the reference's method that differ from it in some setting."""
    entry = config.benchmarks[benchmark]
    method = config.resolve(benchmark, entry.reference).method.name
    return [
        system
        for system in entry.systems
        if system != entry.reference and config.resolve(benchmark, system).method.name == method
    ]


def marks(config: Config, benchmark: str) -> str:
    """The warnings that every table of a benchmark carries: SYNTHETIC, LEAKY, both, or nothing."""
    corpus = config.corpora[config.benchmarks[benchmark].corpus]
    leaky = getattr(config.protocol(benchmark).folds, "allow_leak", False) is True
    return " ".join(["SYNTHETIC"] * corpus.synthetic + ["LEAKY"] * leaky)


def by_speaker(config: Config, benchmark: str) -> list[str]:
    """The systems that read a test speaker's other clips, unlabelled (`input.standardise: speaker`)."""
    systems = config.benchmark(benchmark).systems
    return [name for name in systems if config.resolve(benchmark, name).input.by_speaker]
