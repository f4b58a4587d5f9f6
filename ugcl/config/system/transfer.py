"""Parameters of tests of trained systems on other corpora, and which of their classes are the same."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol

from pydantic import Field

from ugcl.config.base import Section, known
from ugcl.config.features import AnyEncoder
from ugcl.config.protocols import Protocol as Labels


class Transfer(Section):
    """A trained system that is tested on another corpus."""

    trained: str = Field(pattern=r"^[^/]+/[^/]+$", description="Benchmark/system that was trained.")
    target: str = Field(description="Key of `benchmarks` whose test clips it is tested on.")
    classes: dict[str, str | None] = Field(
        default_factory=dict,
        description="Class of the target → class of the trained system that means the same, such as fearful:"
        " fear; null for none. Classes of one name are the same unless they are named here; clips of a class"
        " without a counterpart are counted and left out.",
    )
    encoders: dict[str, str] = Field(
        default_factory=dict,
        description="Encoder that the system was trained on → encoder of the target that gives the same"
        " values, such as a file of features and the encoder that would compute them. Others are compared"
        " setting by setting.",
    )

    @property
    def source(self) -> str:
        """The benchmark on which the system was trained."""
        return self.trained.split("/")[0]

    @property
    def system(self) -> str:
        """The trained system."""
        return self.trained.split("/")[1]

    def counterparts(self, trained: list[str], target: list[str]) -> dict[str, str]:
        """Class of the target → class of the trained system, in the target's order, where it has one.

        Args:
            trained: classes of the trained system.
            target: classes of the target's protocol.
        """
        named = {name: self.classes.get(name, name) for name in target}
        return {name: own for name, own in named.items() if own in trained}


class Tree(Protocol):
    """What the checks read of the parameter tree (:class:`ugcl.config.Config`, which imports this module)."""

    benchmarks: Mapping[str, Any]
    encoders: Mapping[str, AnyEncoder]

    def protocol(self, benchmark: str) -> Labels:
        """The protocol of a benchmark."""
        ...

    def resolve(self, benchmark: str, system: str) -> Any:
        """The settings of a system on a benchmark."""
        ...


def check(pair: Transfer, config: Tree, where: str) -> None:
    """Refuse a test on another corpus that cannot be made, or that would mean nothing.

    Raises:
        ValueError: a name is unknown, both corpora are the same, fewer than two classes have a counterpart,
            or the target's features were made with other settings than those that the system reads.
    """
    known(pair.source, config.benchmarks, f"{where}.trained", "benchmarks")
    known(pair.target, config.benchmarks, f"{where}.target", "benchmarks")
    source, target = config.benchmarks[pair.source], config.benchmarks[pair.target]
    known(pair.system, source.systems, f"{where}.trained", f"benchmarks.{pair.source}.systems")
    if source.corpus == target.corpus:
        raise ValueError(
            f"{where}: {pair.trained} was trained on clips of {target.corpus}, the corpus of {pair.target};"
            " name a target of another corpus"
        )
    trained, classes = config.protocol(pair.source).classes, config.protocol(pair.target).classes
    for name, own in pair.classes.items():
        known(name, classes, f"{where}.classes", f"the classes of {pair.target}")
        if own is not None:
            known(own, trained, f"{where}.classes.{name}", f"the classes of {pair.source}")
    if len(set(pair.counterparts(trained, classes).values())) < 2:
        raise ValueError(
            f"{where}.classes: {pair.target} has {', '.join(classes)}, and {pair.source} has"
            f" {', '.join(trained)}; say of at least two which means which"
        )
    for name in (*pair.encoders, *pair.encoders.values()):
        known(name, config.encoders, f"{where}.encoders", "encoders")
    run = config.resolve(pair.source, pair.system)
    for modality in run.input.modalities:
        check_encoder(config, pair, modality, run.features[modality], run.encoders[run.features[modality]])


def check_encoder(config: Tree, pair: Transfer, modality: str, name: str, trained: AnyEncoder) -> None:
    """Refuse a target whose features of a modality are not what a system was trained on.

    Args:
        modality: that the system reads.
        name: key of `encoders` of what it was trained on.
        trained: that encoder's settings as they were.

    Raises:
        ValueError: the target has no such modality, or a setting differs.
    """
    where = f"benchmarks.{pair.target}.features"
    target = config.benchmarks[pair.target]
    corpus, features = target.corpus, target.features
    if modality not in features:
        lacks = f"{pair.trained} reads {modality}, which {pair.target} lacks"
        raise ValueError(f"{where}: {lacks}; add the encoder {name!r} for it")
    own = features[modality]
    if pair.encoders.get(name) == own:
        return
    wanted, found = (entry.model_dump(mode="json") for entry in (trained, config.encoders[own]))
    for key in wanted | found:
        if wanted.get(key) != found.get(key):
            raise ValueError(
                f"{where}.{modality}: encoder {own!r} has {key} {found.get(key)!r}, but {pair.trained} was"
                f" trained on {name!r} with {wanted.get(key)!r}; extract {corpus} with the same settings, or"
                " name both in the pair's encoders if their values are equal all the same"
            )
