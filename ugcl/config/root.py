"""The whole parameter tree and the merging of a system's overrides."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Field, NonNegativeInt, ValidationError, model_validator

from ugcl.config.base import Distinct, Name, Section, first_fault, known
from ugcl.config.corpora import AnyCorpus
from ugcl.config.data import AnyFaces, Data, Extraction, Faces
from ugcl.config.features import AnyEncoder, Modality
from ugcl.config.methods import AnyMethod
from ugcl.config.methods.ugcl import Ugcl
from ugcl.config.protocols import Protocol
from ugcl.config.report import Evaluate, Report
from ugcl.config.resources import Resources
from ugcl.config.system.encoder import ModalityEncoder
from ugcl.config.system.grids import AnyGrid, expand
from ugcl.config.system.input import Input
from ugcl.config.system.loss import Loss
from ugcl.config.system.overrides import SECTIONS, Overrides, System, SystemName, change
from ugcl.config.system.sections import ADAPTERS
from ugcl.config.system.train import Train
from ugcl.config.system.transfer import Transfer, check
from ugcl.config.tune import Tune, check_space
from ugcl.errors import UgclError


class Benchmark(Section):
    """Corpus, protocol, features, seeds and systems that are compared on the same folds."""

    corpus: str = Field(description="Key of `corpora`.")
    protocol: str = Field(description="Key of the corpus's `protocols`.")
    features: dict[Modality, str] = Field(min_length=1, description="Modality → key of `encoders`.")
    absent: Literal["quarantine", "keep"] = Field(
        "quarantine",
        description="A clip of which the manifest names no file or transcript of a modality: set it aside, or"
        " keep it without that modality where it has another one. Media that cannot be read are set aside.",
    )
    systems: Annotated[list[str], Distinct] = Field(
        default_factory=list, description="Keys of `systems`, in table order; those of `grid` follow."
    )
    grid: Annotated[list[str], Distinct] = Field(
        default_factory=list, description="Keys of `grids`, whose systems are compared too."
    )
    reference: str = Field(description="The system that the others are compared with.")
    planned: list[str] = Field(
        default_factory=list,
        description="Systems whose comparison with the reference was planned before anything was trained: one"
        " family for Holm's correction; all others are another, exploratory one.",
    )
    seeds: Annotated[list[NonNegativeInt], Distinct] = Field(min_length=1, description="Training seeds.")
    folds: Annotated[list[int], Distinct] | None = Field(
        None, min_length=1, description="Folds to run; default all of the protocol."
    )
    folds_per_job: int = Field(
        1,
        ge=1,
        description="Folds that one training job of Snakemake does, in turn or in step (`train.pack`). More"
        " save the start of a process, some seconds per run; fewer spread over more GPUs or machines.",
    )
    seeds_per_job: int = Field(1, ge=1, description="Seeds per training job, for each of its folds.")
    overrides: Overrides = Overrides()
    search: str | None = Field(None, description="Key of `searches`; null = the section `tune`.")
    label_noise: dict[str, Annotated[list[Annotated[float, Field(gt=0, le=1)]], Distinct]] = Field(
        default_factory=dict,
        description="System → shares of wrong labels in training. Each share trains the system once more, for"
        " the robustness table and figure alone.",
    )


class Run(Section):
    """Everything a system's training on a benchmark depends on, after merging."""

    benchmark: str
    system: str
    corpus: str
    protocol: Protocol
    features: dict[Modality, str]
    encoders: dict[str, AnyEncoder]
    input: Input
    encoder: ModalityEncoder
    method: AnyMethod
    loss: Loss
    train: Train


class Config(Section):
    """The parameter tree."""

    active: Annotated[list[str], Distinct] = Field(min_length=1, description="Benchmarks that `all` runs.")
    data: Data = Data()
    benchmarks: dict[Name, Benchmark] = Field(
        description="What is compared: a corpus, features, systems, seeds."
    )
    corpora: dict[Name, AnyCorpus] = Field(description="Clips with labels, and the protocols on them.")
    faces: AnyFaces = Faces()
    encoders: dict[Name, AnyEncoder] = Field(description="What turns a clip into features.")
    extraction: Extraction = Extraction()
    input: Input = Input()
    encoder: ModalityEncoder = ModalityEncoder()
    method: AnyMethod = Field(Ugcl(), description="The network with its loss terms; `name` chooses it.")
    loss: Loss = Loss()
    train: Train = Train()
    systems: dict[SystemName, System] = Field(description="System → what it changes in the base.")
    grids: dict[Name, AnyGrid] = Field(
        default_factory=dict, description="Named lists of systems, such as the rows of a table of ablations."
    )
    tune: Tune = Tune()
    searches: dict[Name, Tune] = Field(default_factory=dict, description="Searches that benchmarks name.")
    tuned: dict[Name, dict[SystemName, Overrides]] = Field(
        default_factory=dict,
        description="Benchmark → system → the settings that `ugcl tune --keep` found for it there; those of a"
        " system do not pass to what extends it.",
    )
    evaluate: Evaluate = Evaluate()
    transfer: list[Transfer] = Field(
        default_factory=list,
        description="Trained systems that are tested on other corpora, where both benchmarks are active.",
    )
    report: Report = Report()
    resources: Resources = Resources()

    @model_validator(mode="after")
    def names_exist(self) -> Config:
        """Grids become lists of systems, and every name that a section uses is defined by another."""
        for name in self.active:
            known(name, self.benchmarks, "active", "benchmarks")
        places = expand(self.grids, self.systems)
        for name, place in places.items():
            self._check_system(name, place)
        base = {name: getattr(self, name).model_dump() for name in SECTIONS}
        check_space(self.tune.space, base, "tune.space")
        for name, found in self.tuned.items():
            known(name, self.benchmarks, "tuned", "benchmarks")
            for system in found:
                known(system, self.systems, f"tuned.{name}", "systems")
        for name, search in self.searches.items():
            check_space(search.space, base, f"searches.{name}.space")
        for name in self.benchmarks:
            self.benchmarks[name] = self._with_grid(name)
            self._check_benchmark(name)
        for number, pair in enumerate(self.transfer):
            check(pair, self, f"transfer.{number}")
        return self

    def _check_system(self, name: str, place: str) -> None:
        """Refuse a system with unknown keys or wrong values, also where no benchmark trains it."""
        parent = self.systems[name].extends
        if parent is not None:
            known(parent, self.systems, f"{place}.extends", "systems")
        merged = self._merged(self._ancestry(name))
        for section in SECTIONS:
            try:
                ADAPTERS[section].validate_python(merged[section])
            except ValidationError as error:
                # A check of several keys at once may hold only with what a benchmark changes.
                if any(fault["type"] != "value_error" for fault in error.errors()):
                    raise ValueError(first_fault(error, f"{place}.{section}")) from None

    def _check_benchmark(self, name: str) -> None:
        """Refuse a benchmark that uses what is not defined, or a system that does not fit it."""
        benchmark, where = self.benchmarks[name], f"benchmarks.{name}"
        if benchmark.search is not None:
            known(benchmark.search, self.searches, f"{where}.search", "searches")
        known(benchmark.corpus, self.corpora, f"{where}.corpus", "corpora")
        corpus = self.corpora[benchmark.corpus]
        protocols = corpus.protocols
        known(benchmark.protocol, protocols, f"{where}.protocol", f"corpora.{benchmark.corpus}.protocols")
        for modality, encoder in benchmark.features.items():
            known(encoder, self.encoders, f"{where}.features.{modality}", "encoders")
            if self.encoders[encoder].modality != modality:
                raise ValueError(
                    f"{where}.features.{modality}: encoder {encoder!r} is for"
                    f" {self.encoders[encoder].modality}; choose one for {modality}"
                )
            if set(self.encoders[encoder].reads) - {"text"} and not getattr(corpus, "media", True):
                raise ValueError(
                    f"{where}.features.{modality}: corpora.{benchmark.corpus}.media is off, so that there are"
                    " no clips to encode; set it to true"
                )
        for key in ("systems", "planned"):
            for system in getattr(benchmark, key):
                known(system, self.systems, f"{where}.{key}", "systems")
        known(benchmark.reference, benchmark.systems, f"{where}.reference", f"{where}.systems")
        folds = protocols[benchmark.protocol].fold_numbers
        for fold in benchmark.folds or []:
            if fold not in folds:
                raise ValueError(
                    f"{where}.folds: fold {fold} does not exist in protocol {benchmark.protocol!r};"
                    f" choose from {folds[0]}..{folds[-1]}"
                )
        for system in benchmark.label_noise:
            known(system, benchmark.systems, f"{where}.label_noise", f"{where}.systems")
        for system in self.mislabelled(name):
            if system in self.systems:
                raise ValueError(f"{where}.label_noise: {system!r} is a system too; rename that system")
        for system in self.trained(name):
            try:
                self.resolve(name, system)
            except ValidationError as error:
                raise ValueError(f"{where}: system {system}: {first_fault(error)}") from None

    def _with_grid(self, name: str) -> Benchmark:
        """A benchmark whose systems are its own and, after them, those of its grid."""
        benchmark = self.benchmarks[name]
        systems = list(benchmark.systems)
        for grid in benchmark.grid:
            known(grid, self.grids, f"benchmarks.{name}.grid", "grids")
            systems += self.grids[grid].systems
        if not systems:
            raise ValueError(f"benchmarks.{name}: has no systems; name some, or a grid of them")
        return benchmark.model_copy(update={"systems": list(dict.fromkeys(systems))})

    def _ancestry(self, system: str) -> list[System]:
        """A system's changes in the order in which they are made: those of what it extends come first."""
        chain = [system]
        while (parent := self.systems[chain[0]].extends) is not None:
            known(parent, self.systems, f"systems.{chain[0]}.extends", "systems")
            if parent in chain:
                raise ValueError(f"systems.{parent}.extends: in the end it extends itself; break the circle")
            chain.insert(0, parent)
        return [self.systems[name] for name in chain]

    def _merged(self, changes: list[Overrides]) -> dict[str, dict[str, Any]]:
        """The base sections, changed in turn; not validated."""
        merged = {}
        for section in SECTIONS:
            merged[section] = getattr(self, section).model_dump()
            for overrides in changes:
                merged[section] = change(section, merged[section], getattr(overrides, section))
        return merged

    def folds(self, benchmark: str) -> list[int]:
        """Fold numbers that a benchmark runs."""
        entry = self.benchmark(benchmark)
        return entry.folds or self.corpora[entry.corpus].protocols[entry.protocol].fold_numbers

    def training_jobs(self, benchmark: str) -> list[tuple[list[int], list[int]]]:
        """Seeds and folds of each training job; every system of a benchmark has the same jobs."""
        entry, folds = self.benchmark(benchmark), self.folds(benchmark)
        return [
            (entry.seeds[seed : seed + entry.seeds_per_job], folds[fold : fold + entry.folds_per_job])
            for seed in range(0, len(entry.seeds), entry.seeds_per_job)
            for fold in range(0, len(folds), entry.folds_per_job)
        ]

    def mislabelled(self, benchmark: str) -> dict[str, tuple[str, float]]:
        """What a benchmark trains on partly wrong labels: name → system, share of wrong labels."""
        wanted = self.benchmark(benchmark).label_noise
        return {f"{s}+labels{share:g}": (s, share) for s, shares in wanted.items() for share in shares}

    def trained(self, benchmark: str) -> list[str]:
        """All that a benchmark trains: its systems, then those with wrong labels in training."""
        return [*self.benchmark(benchmark).systems, *self.mislabelled(benchmark)]

    def corpus(self, name: str) -> AnyCorpus:
        """A corpus by name.

        Raises:
            UgclError: the corpus does not exist.
        """
        return _entry(self.corpora, name, "corpora")

    def benchmark(self, name: str) -> Benchmark:
        """A benchmark by name.

        Raises:
            UgclError: the benchmark does not exist.
        """
        return _entry(self.benchmarks, name, "benchmarks")

    def corpus_protocol(self, corpus: str, protocol: str) -> Protocol:
        """A protocol of a corpus.

        Raises:
            UgclError: the corpus or the protocol does not exist.
        """
        return _entry(self.corpus(corpus).protocols, protocol, f"corpora.{corpus}.protocols")

    def protocol(self, benchmark: str) -> Protocol:
        """The protocol of a benchmark."""
        entry = self.benchmark(benchmark)
        return self.corpora[entry.corpus].protocols[entry.protocol]

    def resolve(self, benchmark: str, system: str) -> Run:
        """Merge base ← benchmark ← what the system extends ← system ← `tuned`, and validate the result.

        Args:
            system: key of `systems`, or a name of :meth:`mislabelled`.

        Raises:
            ValueError: an override names an unknown key or has a wrong value.
        """
        entry = self.benchmark(benchmark)
        base, share = self.mislabelled(benchmark).get(system, (system, None))
        _entry(self.systems, base, "systems")
        found = self.tuned.get(benchmark, {}).get(base, Overrides())
        merged: dict[str, Any] = self._merged([entry.overrides, *self._ancestry(base), found])
        if share is not None:
            merged["train"]["label_noise"] = {"share": share}
        merged |= {"corpus": entry.corpus, "protocol": self.protocol(benchmark), "features": entry.features}
        if merged["input"].get("context", "clip") == "clip":
            merged["encoder"]["dialogue"] = None  # settings that nothing reads make no run stale
        encoders = {name: self.encoders[name] for name in entry.features.values()}
        run = Run(benchmark=benchmark, system=system, encoders=encoders, **merged)
        if run.protocol.soft and run.loss.kind != "cross_entropy":
            raise ValueError(
                f"systems.{system}: loss.kind {run.loss.kind} cannot learn the"
                f" soft target of benchmarks.{benchmark}; use cross_entropy"
            )
        try:
            run.method.check(run)
        except ValueError as error:
            raise ValueError(f"systems.{system}: {error}") from None
        missing = [m for m in run.input.modalities if m not in entry.features]
        if missing:
            raise ValueError(
                f"systems.{system}: reads {missing[0]}, which benchmarks.{benchmark}.features lacks;"
                " add an encoder for it or drop the system from the benchmark"
            )
        return run


def _entry(entries: dict[str, Any], name: str, section: str) -> Any:
    if name not in entries:
        raise UgclError(f"{name!r} is not in {section} of the parameters; choose from {', '.join(entries)}")
    return entries[name]
