"""What a result depends on: its parameters and its code, as one short hash per stage, cumulative from the
data.

Snakemake carries these hashes as rule parameters, so that content and not file times decides what is computed
again. Where files lie (`root`, `mirror`) and how many processes share the work never count.
"""

from __future__ import annotations

import hashlib
import json
from functools import cache
from typing import Any

from ugcl.config import Config
from ugcl.config.base import Section
from ugcl.config.protocols import Protocol
from ugcl.config.system.overrides import SECTIONS
from ugcl.plan.evaluation import marks
from ugcl.plan.transfer import pairs, targets
from ugcl.provenance.code import IRRELEVANT, NAME, PACKAGE, REGISTRIES, code_hash, files_hash, module_exists

DIGITS = 12
JUDGING = {"primary": "uar", "intervals": "speaker"}
"""Keys of a protocol that decide nothing about clips, with their defaults, which no hash contains."""

ENCODERS = ("features.encoders", "features.encoders.language", "features.encoders.sound")
PLACES = {"detector": ("features.faces",), "encoder": ENCODERS}


def entry_module(kind: str, name: str) -> str:
    """The module that holds a face detector or an encoder kind: it bears its name.

    Raises:
        ModuleNotFoundError: no module of that name is in the rooms of that kind.
    """
    for place in PLACES[kind]:
        module = f"{NAME}.{place}.{name.replace('-', '_')}"
        if module_exists(module):
            return module
    raise ModuleNotFoundError(f"{kind} {name!r}: no module {name}.py in {', '.join(PLACES[kind])}")


def raw(config: Config, corpus: str) -> str:
    """A corpus's raw tree: the generator of a synthetic corpus, or the fetching of the others."""
    entry = config.corpus(corpus)
    if entry.adapter == "demo":
        maker = f"{NAME}.demo.dialogues.clip" if entry.form == "dialogues" else f"{NAME}.demo.clip"
        return _lineage("raw", [maker], [entry.actors, entry.seed, entry.size])
    return _lineage("raw", [f"{NAME}.data.sources"], [corpus])


def manifest(config: Config, corpus: str) -> str:
    """A corpus's manifest."""
    entry = config.corpus(corpus)
    code = [f"{NAME}.data.manifest", f"{NAME}.data.corpora.{entry.adapter}"]
    own = entry.model_dump(exclude={"root", "shards", "protocols", "synthetic"})
    return _lineage("manifest", code, [raw(config, corpus), own])


def splits(config: Config, corpus: str, protocol: str) -> str:
    """The folds of a protocol."""
    scheme = _clips_of(config.corpus_protocol(corpus, protocol))
    return _lineage("splits", [f"{NAME}.data.splits.build"], [manifest(config, corpus), scheme])


def faces(config: Config, corpus: str) -> str:
    """The face tracks of a corpus."""
    params = [manifest(config, corpus), config.corpus(corpus).shards, _settings(config.faces)]
    # What only looks at tracks, as `ugcl faces` does, lies in the same folder and makes none of them stale.
    code = [f"{NAME}.features.faces.extract", entry_module("detector", config.faces.detector)]
    return _lineage("faces", code, params)


def features(config: Config, corpus: str, encoder: str) -> str:
    """The shards of one encoder."""
    entry = config.encoders[encoder]
    source = faces if entry.needs_faces else manifest
    params = [source(config, corpus), config.corpus(corpus).shards, _settings(entry)]
    kinds = [used.kind for used in (entry, *entry.inner)]
    code = [f"{NAME}.features.extract", *(entry_module("encoder", kind) for kind in kinds)]
    return _lineage("features", code, params)


def quarantine(config: Config, benchmark: str) -> str:
    """The clips that a benchmark sets aside, and with them the features that its systems read."""
    entry = config.benchmark(benchmark)
    encoders = {kind: features(config, entry.corpus, name) for kind, name in entry.features.items()}
    params = [encoders, _clips_of(config.protocol(benchmark)), config.data.max_quarantined]
    params += [entry.absent] if entry.absent != "quarantine" else []
    return _lineage("quarantine", [f"{NAME}.features.quarantine"], params)


def train(config: Config, benchmark: str, system: str) -> str:
    """The runs of a system on a benchmark."""
    run = config.resolve(benchmark, system)
    upstream = [
        splits(config, run.corpus, config.benchmark(benchmark).protocol),
        quarantine(config, benchmark),
    ]
    params: list[Any] = [_settings(getattr(run, section)) for section in SECTIONS]
    if run.train.pack > 1:  # the random draws of runs in step depend on which they are
        params.append(config.training_jobs(benchmark))
    params += _judged_by(config, benchmark, "primary")
    unused = {f"{NAME}.training.packed": run.train.pack == 1}
    unused |= {f"{NAME}.models.dialogue": run.input.context == "clip"}
    stop = frozenset(module for module, never in unused.items() if never)
    return _lineage("train", [f"{NAME}.training.run", run.method.module], [upstream, params], stop)


def predict(config: Config, benchmark: str, system: str) -> str:
    """The predictions of a system on a benchmark."""
    params = [train(config, benchmark, system), config.benchmark(benchmark).seeds, config.folds(benchmark)]
    return _lineage("predict", [f"{NAME}.evaluation.networks.predict"], params)


def score(config: Config, benchmark: str, system: str) -> str:
    """The scores of a system on a benchmark; this is the lineage that tables print."""
    params = [predict(config, benchmark, system), config.evaluate.model_dump(exclude={"robustness"})]
    params += _judged_by(config, benchmark, "intervals")
    return _lineage("score", [f"{NAME}.evaluation.tables.score"], params)


def perturb(config: Config, benchmark: str) -> str:
    """The test features of noisy sound, which all systems of a benchmark share."""
    entry = config.benchmark(benchmark)
    levels = [name for name in config.evaluate.robustness if name.startswith("noise:")]
    kinds = [config.encoders[name].kind for kind, name in entry.features.items() if kind == "audio"]
    code = [f"{NAME}.evaluation.networks.perturb", *(entry_module("encoder", kind) for kind in kinds)]
    upstream = [quarantine(config, benchmark), splits(config, entry.corpus, entry.protocol)]
    return _lineage("perturb", code, [upstream, config.folds(benchmark), levels, config.evaluate.seed])


def robustness(config: Config, benchmark: str) -> str:
    """The scores of all systems of a benchmark under bad conditions."""
    params = [_runs(config, benchmark), perturb(config, benchmark), config.evaluate.model_dump()]
    params += [predict(config, benchmark, system) for system in config.mislabelled(benchmark)]
    params += _judged_by(config, benchmark, "intervals")
    return _lineage("robustness", [f"{NAME}.evaluation.networks.robustness"], params)


def cost(config: Config, benchmark: str) -> str:
    """The cost of all systems of a benchmark."""
    params = [_runs(config, benchmark), config.evaluate.accelerator]
    return _lineage("cost", [f"{NAME}.evaluation.networks.cost"], params)


def represent(config: Config, benchmark: str) -> str:
    """The inside of a benchmark's reference system."""
    entry = config.benchmark(benchmark)
    params = [train(config, benchmark, entry.reference), entry.seeds[0], config.folds(benchmark)]
    params.append(config.evaluate.seed)
    return _lineage("represent", [f"{NAME}.evaluation.networks.tokens"], params)


def tables(config: Config, benchmark: str) -> str:
    """The tables of a benchmark."""
    entry = config.benchmark(benchmark)
    runs = [score(config, benchmark, system) for system in entry.systems]
    looks = [look(config, benchmark) for look in (robustness, represent)]
    shown = [benchmark, entry.corpus, entry.protocol, entry.reference, entry.planned]
    params = [shown, marks(config, benchmark), runs, looks]
    return _lineage("tables", [f"{NAME}.evaluation.tables.benchmark"], params)


def transfer(config: Config, target: str) -> str:
    """The scores of other benchmarks' systems on a benchmark's clips."""
    named = pairs(config, target)
    own = [score(config, target, system) for system in config.benchmark(target).systems]
    others = [score(config, pair.source, pair.system) for pair in named]
    shown = [marks(config, name) for name in (target, *(pair.source for pair in named))]
    named = [pair.model_dump() for pair in named]
    return _lineage("transfer", [f"{NAME}.evaluation.transfer.tables"], [named, own, others, shown])


def summary(included: dict[str, str]) -> str:
    """The summary over benchmarks.

    Args:
        included: benchmark → lineage of its tables, of :func:`ugcl.provenance.kept.included`.
    """
    return _lineage("summary", [f"{NAME}.evaluation.tables.summary"], list(included.items()))


def report(config: Config) -> str:
    """Figures, notebooks, model cards and the front page."""
    templates = files_hash(PACKAGE / "reports" / "pages" / "templates")
    settings = config.report.model_dump()
    shown = [[tables(config, name), cost(config, name)] for name in config.active]
    shown += [[transfer(config, name)] for name in targets(config)]
    return _lineage("report", [f"{NAME}.reports"], [shown, settings, templates])


def _runs(config: Config, benchmark: str) -> list[Any]:
    entry = config.benchmark(benchmark)
    trained = [train(config, benchmark, system) for system in entry.systems]
    return [trained, entry.systems, entry.seeds, config.folds(benchmark)]


def _clips_of(protocol: Protocol) -> dict[str, Any]:
    """What of a protocol decides labels and parts."""
    return {key: value for key, value in _settings(protocol).items() if key not in JUDGING}


def _judged_by(config: Config, benchmark: str, key: str) -> list[str]:
    """A key of a benchmark's protocol that is not at its default."""
    value = getattr(config.protocol(benchmark), key)
    return [] if value == JUDGING[key] else [f"{key}: {value}"]


def _settings(section: Section) -> dict[str, Any]:
    """A section by value. What is null is off and left out: a new option makes no result stale."""
    return section.model_dump(exclude_none=True)


@cache
def _code(entries: tuple[str, ...], stop: frozenset[str]) -> str:
    return code_hash(entries, IRRELEVANT | REGISTRIES | stop)


def _lineage(stage: str, code: list[str], params: list[Any], stop: frozenset[str] = frozenset()) -> str:
    text = json.dumps([stage, _code(tuple(code), stop), params], sort_keys=True, default=str)
    return hashlib.sha256(text.encode()).hexdigest()[:DIGITS]
