# The parameter tree, and the file lists that several stages share.

import hashlib
import os
import shutil
from functools import cache
from pathlib import Path

import yaml
from snakemake.exceptions import WorkflowError
from snakemake.utils import min_version

from ugcl.plan import paths
from ugcl.config import parse as parse_parameters
from ugcl.config.load import read_parts
from ugcl.demo import names as demo
from ugcl.errors import UgclError
from ugcl.plan import evaluation
from ugcl.provenance import contract, ledger, lineage
from ugcl.plan import reports

min_version("9.0")


def one_line(function, *arguments):
    """Call a function of the package; its error as Snakemake shows errors."""
    try:
        return function(*arguments)
    except UgclError as error:
        raise WorkflowError(str(error)) from None


one_line(contract.check_parameter_files, Path("dvc.yaml"))
# Read before Snakemake reads them, so that a fault is named with its file and line.
parts = one_line(read_parts)
for part in parts:

    configfile: str(part)


def checked_parameters():
    """The validated tree. Commands read the same parameters, also where --config changed some."""
    tree = one_line(parse_parameters, config, parts)
    if config != {key: value for part in parts.values() for key, value in part.items()}:
        text = yaml.safe_dump(dict(config), sort_keys=False)  # systems have an order
        merged = Path(
            ".snakemake",
            f"params-{hashlib.sha256(text.encode()).hexdigest()[:12]}.yaml",
        )
        merged.parent.mkdir(exist_ok=True)
        merged.write_text(text)
        os.environ.update(UGCL_PARAMS=str(merged))
    return tree


params_tree = checked_parameters()
# DVC refuses a stage whose out or raw tree is absent; a benchmark may need no raw tree, or no faces.
for folder in contract.folders(Path("dvc.yaml")):
    folder.mkdir(parents=True, exist_ok=True)
if workflow.is_main_process:
    ledger.begin(params_tree)
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


def run_files(benchmark, systems=None):
    """What is read to run some trained systems of a benchmark, or all, on its test clips."""
    return [
        paths.manifest(params_tree.benchmark(benchmark).corpus),
        paths.quarantine(benchmark),
        *benchmark_splits(benchmark),
        *benchmark_features(benchmark, ".safetensors"),
        *evaluation.predicted(params_tree, benchmark, systems),
    ]


def raw_files(wildcards):
    """What a manifest is made from: the demo corpus's media, a listing, or a user's table and media."""
    entry = params_tree.corpus(wildcards.corpus)
    root = Path(entry.root or paths.RAW / wildcards.corpus)
    if entry.adapter == "demo":
        return [
            root / name
            for actor in demo.actor_ids(entry.actors)
            for name in demo.media_paths(actor)
        ]
    if entry.adapter == "folder":
        files = sorted(file for file in root.rglob("*") if file.is_file())
        return [
            root / entry.table,
            *(file for file in files if file != root / entry.table),
        ]
    return paths.RAW / wildcards.corpus / "fetched.csv"


def demo_actors():
    """Corpus and id of every synthetic actor: one job each."""
    return [
        (corpus, actor)
        for corpus in active_corpora
        if params_tree.corpus(corpus).adapter == "demo"
        for actor in demo.actor_ids(params_tree.corpus(corpus).actors)
    ]


def encoder_inputs(wildcards):
    """A shard of an encoder needs the manifest, and the face tracks if it reads faces."""
    files = {"manifest": paths.manifest(wildcards.corpus)}
    if params_tree.encoders[wildcards.encoder].needs_faces:
        files["faces"] = paths.faces(wildcards.corpus, int(wildcards.shard))
    return files


@cache
def gpus(accelerator):
    """One GPU a job where it uses one, so that the profile's `gpu` decides how many go at once."""
    seen = shutil.which("nvidia-smi") is not None
    return int(accelerator == "cuda" or (accelerator == "auto" and seen))


@cache
def training_gpus(benchmark, system):
    return gpus(params_tree.resolve(benchmark, system).train.accelerator)


def encoder_gpus(encoder):
    runs_network = params_tree.encoders[encoder].runs_network
    return gpus(params_tree.extraction.accelerator) if runs_network else 0


def encoder_threads(encoder):
    """A network on a GPU has processes beside it that decode; on a CPU the shards share the cores."""
    return 1 + params_tree.extraction.workers if encoder_gpus(encoder) else 1


def encoder_memory(encoder, threads):
    """MB of an encoder's job: the paper's large network takes 1.8 GiB, what needs no weights 0.7."""
    own = 2000 if params_tree.encoders[encoder].runs_network else 1000
    return own + 500 * (threads - 1)


@cache
def train_lineage(benchmark, system):
    """The lineage that all runs of a system share, worked out once."""
    return lineage.train(params_tree, benchmark, system)


def shown(file):
    """Mark a file that `snakemake --report` shows, by benchmark."""
    if file.suffix != ".svg":
        return str(file)
    owner = next(
        name
        for name in (*benchmarks, *active_corpora)
        if file.stem.startswith(f"{name}_")
    )
    kind = file.stem.removeprefix(f"{owner}_")
    return report(
        str(file),
        caption="../report/figure.rst",
        category="Figures",
        subcategory=owner,
        labels={"figure": kind.replace("_", " ")},
    )
