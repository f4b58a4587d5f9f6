# The parameter tree, and the file lists that several stages share.

import hashlib
import os
import re
import shutil
import sys
from functools import cache
from pathlib import Path

import yaml
from snakemake.exceptions import WorkflowError
from snakemake.resources import Resource, Resources
from snakemake.utils import min_version

from ugcl.config import parse as parse_parameters
from ugcl.config.load import read_parts
from ugcl.errors import UgclError
from ugcl.plan import data as data_plan
from ugcl.plan import check, evaluation, paths, reports
from ugcl.plan import features as features_plan
from ugcl.plan import resources as needs
from ugcl.plan import train as train_plan
from ugcl.plan import transfer as transfer_plan
from ugcl.provenance import contract, kept, ledger, lineage

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
    one_line(check.check, tree)
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
# Jobs of a cluster run on other machines; only with one is there a number of nodes (`--jobs`). Some commands
# run no job at all.
NO_JOBS = {"--touch", "--unlock", "--report", "--lint"}
if (
    workflow.is_main_process
    and workflow.resource_settings.nodes is None
    and not NO_JOBS.intersection(sys.argv)
):
    one_line(check.check_gpu, params_tree)
# DVC refuses a stage whose out or raw tree is absent; a benchmark may need no raw tree, or no faces.
for folder in contract.folders(Path("dvc.yaml")):
    folder.mkdir(parents=True, exist_ok=True)
if workflow.is_main_process:
    ledger.begin(params_tree)
active_corpora = data_plan.corpora(params_tree)
NAME = r"[A-Za-z0-9][\w.+-]*"


wildcard_constraints:
    corpus=NAME,
    # The tables of other benchmarks are files that lie there: no job makes them.
    benchmark="|".join(map(re.escape, params_tree.active)),
    system=NAME,
    encoder=NAME,
    protocol=NAME,
    notebook=NAME,
    shard=r"\d+",
    seed=r"\d+",
    fold=r"\d+",


overrides = workflow.resource_settings.overwrite_resources
# Of the machine, or of the cluster: there a profile says what jobs that use a GPU ask for, see share_overrides. A job
# that was sent to a node may use what it asked for, whatever else is there.
gpus_are_there = "gpu" in overrides or (
    shutil.which("nvidia-smi") is not None
    if workflow.is_main_process
    else bool(workflow.global_resources.get("gpu").value)
)
gpus_of = needs.gpu_rules(params_tree, gpus_are_there)


def encoder_threads(encoder):
    return needs.encoder_threads(params_tree, encoder, gpus_are_there)


def share_overrides(threads):
    """Let overrides of `make`, `train`, `predict`, `perturb` or `gpu` reach every rule of that work.

    A job of several outputs needs a rule of its own, and Snakemake looks `--set-resources` and `--set-threads`
    up by the rule's name. What is given for one rule by its own name wins, then what is given for its work. `gpu`
    stands for the jobs that ask for one, of any rule.
    """
    for name, work in needs.rules(params_tree).items():
        if work in overrides:
            shared = overrides[work].copy()
            shared.update(overrides.get(name, {}))
            overrides[name] = shared
        if work in threads:
            threads.setdefault(name, threads[work])
    for key, resource in overrides.get("gpu", {}).items():
        if key in ("gpu", "mem_mb", "runtime"):
            raise WorkflowError(
                f"set-resources gpu: {key}: each rule has its own; set it for train, predict, encode, … instead"
            )
        for name, asked in gpus_of.items():
            own = overrides.setdefault(name, Resources())
            if key not in own:
                own[key] = with_gpu(resource, asked)


def with_gpu(resource, asked):
    """A resource for jobs that ask for a GPU; others keep the default."""
    defaults = workflow.resource_settings.default_resources or Resources()
    # The Slurm plugin looks for a word in `gres`, and passes on any other text, also an empty one.
    nothing = Resource(resource.name, "" if resource.name == "gres" else None)
    other = defaults.get(resource.name) if resource.name in defaults else nothing

    def value(wildcards, input, attempt, threads, rulename, async_run):
        chosen = resource if asked(wildcards) else other
        return chosen.evaluate(
            wildcards,
            input=input,
            attempt=attempt,
            threads=threads,
            rulename=rulename,
            async_run=async_run,
        ).value

    return Resource(resource.name, value, raw=resource.raw)


# Before the first rule: Snakemake reads the overrides once.
share_overrides(workflow.resource_settings.overwrite_threads)


@cache
def train_lineage(benchmark, system):
    """The lineage that all runs of a system share, worked out once."""
    return lineage.train(params_tree, benchmark, system)


def shown(file):
    """Mark a file that `snakemake --report` shows, by benchmark."""
    if file.suffix != ".svg":
        return str(file)
    names = (*params_tree.active, *active_corpora)  # demo_ablations begins as demo does
    owner = max((n for n in names if file.stem.startswith(f"{n}_")), key=len)
    kind = file.stem.removeprefix(f"{owner}_")
    return report(
        str(file),
        caption="../report/figure.rst",
        category="Figures",
        subcategory=owner,
        labels={"figure": kind.replace("_", " ")},
    )
