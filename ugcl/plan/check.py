"""Whether every result can be made, before any job runs.

Where a job's input is missing and no rule makes it, Snakemake drops the job and takes its old output for a
source file: old results would stand under new parameters.
"""

from __future__ import annotations

import ast
import re
import subprocess
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

from ugcl.config import Config
from ugcl.config.features import Files, Sequences, Table
from ugcl.config.methods.foreign import Foreign
from ugcl.config.protocols import Partitions, SplitFiles
from ugcl.devices import gpu_is_here
from ugcl.errors import UgclError
from ugcl.plan import data, evaluation, features, paths, reports, transfer

SLURM_ASKED_EVERY = 180
"""Longest time between two questions of snakemake-executor-plugin-slurm for its jobs, seconds."""


def check(config: Config) -> None:
    """Check that what users bring is there, and that `resources` names known systems and encoders.

    Raises:
        UgclError: the first file, folder or name that is missing.
    """
    for problem in _missing(config):
        raise UgclError(problem)
    asked = config.resources
    names = [("train.systems", name, config.systems) for name in asked.train.systems]
    names += [("predict.systems", name, config.systems) for name in asked.predict.systems]
    names += [("encode.encoders", name, config.encoders) for name in asked.encode.encoders]
    for where, name, known in names:
        if name not in known:
            raise UgclError(f"resources.{where}: {name!r} is unknown; choose from {', '.join(known)}")


def check_gpu(config: Config, here: Callable[[], bool] = gpu_is_here) -> None:
    """Check that there is a GPU where a parameter demands one; only for jobs that run on this machine.

    Args:
        here: whether there is one; asked only if it matters.

    Raises:
        UgclError: the first parameter that asks for `cuda` in vain.
    """
    asked = next(_gpus_asked_for(config), None)
    if asked and not here():
        fix = "set it to auto or cpu, or let a cluster run the jobs (`snakemake --executor`)"
        raise UgclError(f"{asked}: cuda, but this machine has no GPU that can be used; {fix}")


def slurm_status_command(settings: str | None = None) -> str:
    """The command by which Snakemake can learn how a job on Slurm ended.

    Without accounting `sacct` fails each time, and `squeue` forgets a job `MinJobAge` seconds after its end.

    Args:
        settings: what `scontrol show config` says; None asks it.

    Raises:
        UgclError: neither command can be relied on, or Slurm does not answer.
    """
    if settings is None:
        command = ["scontrol", "show", "config"]
        try:
            settings = subprocess.run(command, capture_output=True, text=True, check=True, timeout=60).stdout
        except (OSError, subprocess.SubprocessError) as error:
            text = getattr(error, "stderr", None) or str(error)
            raise UgclError(f"{text.strip()}; start Snakemake where Slurm's commands work") from None
    found = dict(re.findall(r"^(\w+)\s*=\s*(\S+)", settings, flags=re.M))
    if found["AccountingStorageType"] not in ("accounting_storage/none", "(null)"):
        return "sacct"
    age = int(found["MinJobAge"])
    if age < SLURM_ASKED_EVERY + 60:
        raise UgclError(
            f"Slurm: no accounting, and jobs are forgotten {age} s after their end (MinJobAge): Snakemake"
            " might wait for one for ever; ask for MinJobAge=300 in slurm.conf, or for accounting (slurmdbd)"
        )
    return "squeue"


def _gpus_asked_for(config: Config) -> Iterator[str]:
    for name in config.active:
        for system in config.trained(name):
            if config.resolve(name, system).train.accelerator == "cuda":
                yield f"train.accelerator of {name}/{system}"
        encoders = config.benchmark(name).features.values()
        networks = any(config.encoders[encoder].runs_network for encoder in encoders)
        if networks and config.extraction.accelerator == "cuda":
            yield "extraction.accelerator"
    if config.evaluate.accelerator == "cuda":
        yield "evaluate.accelerator"


def wanted(config: Config) -> Iterator[Path]:
    """Files that rules with wildcards make for the active benchmarks."""
    for corpus in data.corpora(config):
        yield from (paths.faces(corpus, n) for n in range(1, config.corpus(corpus).shards + 1))
    yield from [*data.manifests(config), *data.all_splits(config), *data.checks(config)]
    yield from features.outputs(config)
    for benchmark in config.active:
        for suffix in (features.TENSORS, features.TABLE):
            yield from features.benchmark_files(config, benchmark, suffix)
    for benchmark in config.active:
        yield from evaluation.table_inputs(config, benchmark)
    for target in transfer.targets(config):
        yield from transfer.inputs(config, target)
    yield from reports.site_inputs(config)


def check_makers(files: Iterable[Path], made: Callable[[str], bool]) -> None:
    """Check that some rule makes every file that is not there as a source.

    Args:
        files: such as of :func:`wanted`.
        made: whether a rule makes a file of this name.

    Raises:
        UgclError: the first file without a rule.
    """
    sources = {paths.PUBLISHED}
    for file in files:
        if file not in sources and not made(file.as_posix()):
            raise UgclError(f"{file}: no rule makes it; use names of letters, digits and _ . + - alone")


def _missing(config: Config) -> Iterator[str]:
    for corpus in data.corpora(config):
        yield from _missing_of_corpus(config, corpus)
    for benchmark in config.active:
        for system in config.trained(benchmark):
            method = config.resolve(benchmark, system).method
            if isinstance(method, Foreign):
                yield from _own_module(system, method.target.partition(":")[0])
    for name in reports.notebooks(config):
        if not (source := reports.notebook_source(name)).is_file():
            yield f"report.notebooks: {source} not found; correct the name or remove it from the list"
    if not Path(config.data.sources).is_file():
        yield f"data.sources: {config.data.sources} not found; correct the path"


def _missing_of_corpus(config: Config, corpus: str) -> Iterator[str]:
    entry, root, where = config.corpus(corpus), data.root(config, corpus), f"corpora.{corpus}"
    if entry.adapter != "folder":
        # Otherwise the corpus is fetched into its root, which may be new.
        fetched = entry.root is not None and data.raw_files(config, corpus)[0].is_file()
        if fetched and not root.is_dir():
            yield f"{where}.root: folder {root} not found; correct the path, or mount its disk"
        return
    if not root.is_dir():
        yield f"{where}.root: folder {root} not found; correct the path, or mount its disk"
    if entry.annotations is None:
        key = "table" if entry.database is None else "database"
        yield from _absent(f"{where}.{key}", root / entry.wanted[0])
    for name in config.active:
        benchmark = config.benchmark(name)
        if benchmark.corpus != corpus:
            continue
        if isinstance(scheme := config.protocol(name).folds, SplitFiles | Partitions):
            for file in scheme.files:
                yield from _absent(f"{where}.protocols.{benchmark.protocol}.folds.files", root / file)
        for encoder in benchmark.features.values():
            own = config.encoders[encoder]
            for table in (own, *own.inner):
                if isinstance(table, Table | Sequences):
                    key = "path" if table is own else "units.path"
                    yield from _absent(f"encoders.{encoder}.{key}", root / table.path)
            if isinstance(own, Files) and not (folder := root / own.folder).is_dir():
                yield f"encoders.{encoder}.path: folder {folder} not found; correct the path"


def _own_module(system: str, module: str) -> Iterator[str]:
    """The code of a method outside the package, which every lineage of its system reads."""
    base = Path(*module.split("."))
    found = [path for path in (base.with_suffix(".py"), base / "__init__.py") if path.is_file()]
    if not found:
        yield f"systems.{system}.method.name: no {base.with_suffix('.py')} in the project's root; correct it"
        return
    try:
        ast.parse(found[0].read_bytes())
    except (SyntaxError, ValueError) as error:
        line = f", line {error.lineno}" if isinstance(error, SyntaxError) else ""
        yield f"systems.{system}.method.name: {found[0]}{line}: {error}; fix it"


def _absent(where: str, file: Path) -> Iterator[str]:
    if not file.is_file():
        yield f"{where}: file {file} not found; correct the name or put the file there"
