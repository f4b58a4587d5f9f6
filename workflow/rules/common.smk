# The parameter tree, and the file lists that several stages share.

import hashlib
import os
import re
import sys
from functools import cache
from pathlib import Path

import yaml
from snakemake.exceptions import WorkflowError
from snakemake.utils import min_version

from ugcl.config import parse as parse_parameters
from ugcl.config.load import read_parts
from ugcl.errors import UgclError
from ugcl.plan import data as data_plan
from ugcl.plan import check, evaluation, paths, reports
from ugcl.plan import features as features_plan
from ugcl.plan import resources as needs
from ugcl.plan import train as train_plan
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


def share_overrides(resources, threads):
    """Let overrides of `make`, `train`, `predict` or `perturb` reach every rule of that work.

    A job of several outputs needs a rule of its own, and Snakemake looks `--set-resources` and `--set-threads`
    up by the rule's name. What is given for one rule by its own name wins.
    """
    for name, work in needs.rules(params_tree).items():
        if work in resources:
            shared = resources[work].copy()
            shared.update(resources.get(name, {}))
            resources[name] = shared
        if work in threads:
            threads.setdefault(name, threads[work])


# Before the first rule: Snakemake reads the overrides once.
share_overrides(
    workflow.resource_settings.overwrite_resources,
    workflow.resource_settings.overwrite_threads,
)


@cache
def training_gpus(benchmark, system):
    return needs.gpus(params_tree.resolve(benchmark, system).train.accelerator)


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
