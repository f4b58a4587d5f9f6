# The parameter tree, and the file lists that several stages share.

import hashlib
import os
from pathlib import Path

import yaml
from snakemake.exceptions import WorkflowError
from snakemake.utils import min_version

from ugcl import paths
from ugcl.config import parse as parse_parameters
from ugcl.config.load import PARAMS
from ugcl.errors import UgclError
from ugcl.evaluation import outputs as evaluation
from ugcl.provenance import lineage

min_version("9.0")


def checked_parameters():
    """The validated tree. Commands read the same parameters, also where --config changed some."""
    try:
        tree = parse_parameters(config)
    except UgclError as error:
        raise WorkflowError(str(error)) from None
    text = yaml.safe_dump(dict(config))
    if yaml.safe_load(text) != yaml.safe_load(Path(PARAMS).read_text()):
        merged = Path(
            ".snakemake",
            f"params-{hashlib.sha256(text.encode()).hexdigest()[:12]}.yaml",
        )
        merged.parent.mkdir(exist_ok=True)
        merged.write_text(text)
        os.environ["UGCL_PARAMS"] = str(merged)
    return tree


params_tree = checked_parameters()
benchmarks = {name: params_tree.benchmark(name) for name in params_tree.active}
active_corpora = list(dict.fromkeys(entry.corpus for entry in benchmarks.values()))


wildcard_constraints:
    corpus=r"[^/]+",
    benchmark=r"[^/]+",
    system=r"[^/]+",
    encoder=r"[^/]+",
    protocol=r"[^/]+",
    shard=r"\d+",
    seed=r"\d+",
    fold=r"\d+",


def shard_numbers(corpus):
    return range(1, params_tree.corpus(corpus).shards + 1)


def shard_files(corpus, encoder, suffix):
    folder = paths.features(corpus, encoder)
    return [folder / f"shard-{shard}{suffix}" for shard in shard_numbers(corpus)]


def benchmark_features(benchmark, suffix):
    """One kind of shard file of every encoder that a benchmark uses."""
    entry = params_tree.benchmark(benchmark)
    return [
        file
        for encoder in entry.features.values()
        for file in shard_files(entry.corpus, encoder, suffix)
    ]


def benchmark_splits(benchmark):
    entry = params_tree.benchmark(benchmark)
    return [
        paths.split(entry.corpus, entry.protocol, fold)
        for fold in params_tree.folds(benchmark)
    ]
