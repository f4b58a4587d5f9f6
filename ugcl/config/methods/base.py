"""What the settings of every method have."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, Literal

from pydantic import Field

from ugcl.config.base import Section

if TYPE_CHECKING:
    from ugcl.config.root import Run

INVARIANTS = frozenset({"clips", "batch", "padding", "order"})
"""What a method may claim: a clip's logits do not depend on other groups, the batch's size and the padding,
and they do depend on the order of frames."""


Grade = Literal["A", "B", "C", "own"]
"""How faithful a method is to its publication, see :class:`Origin`."""


@dataclass(frozen=True)
class Origin:
    """Where a method comes from and how close it is to that.

    Attributes:
        citation: authors, title, venue and year, identifier.
        grade: A = equals released code on golden vectors, B = formulae read in code or full text,
            C = reconstruction from an abstract, own = of this project.
        code: repository@commit that the golden vectors were made from or the formulae were read in.
        deviations: what differs from the publication, a sentence each.
    """

    citation: str
    grade: Grade
    code: str | None = None
    deviations: tuple[str, ...] = ()


class Weights(Section):
    """Weights of a method's loss terms; the keys are the names of the terms."""

    def positive(self) -> dict[str, float]:
        """The terms that count: name → weight."""
        return {name: weight for name, weight in self.model_dump().items() if weight > 0}


class MethodSettings(Section):
    """Settings of one method, and what the rest of the project has to know of it without torch."""

    network: ClassVar[str]  # `module:Class` of the network
    origin: ClassVar[Origin | None] = None  # None: a user's own
    packable: ClassVar[bool] = True  # whether runs can be trained in step (`train.pack`)
    invariants: ClassVar[frozenset[str]] = INVARIANTS  # those of :data:`INVARIANTS` that it claims
    in_dialogue: ClassVar[bool] = True  # whether it can read the other turns of a dialogue
    raw: ClassVar[frozenset[str]] = frozenset()  # modalities whose networks it trains (`encoder.networks`)

    name: str = Field(description="Which method.")
    weights: Weights = Weights()

    @property
    def module(self) -> str:
        """Dotted name of the module with the network."""
        return self.target.partition(":")[0]

    @property
    def target(self) -> str:
        """`module:Class` of the network."""
        return self.network

    @property
    def has_tokens(self) -> bool:
        """Whether the network expresses clips in a codebook of tokens that can be looked into."""
        return False

    @property
    def reads_attributes(self) -> tuple[str, ...]:
        """Attributes of training clips that its terms read; see `data.parts.attribute_values`."""
        return ()

    def check(self, run: Run) -> None:
        """Refuse what this method cannot do.

        Raises:
            ValueError: one line that says what, and how to fix it.
        """
        if run.train.pack > 1 and not self.packable:
            raise ValueError(f"method {self.name} cannot be trained in step; set train.pack 1")
        if run.input.context != "clip" and not self.in_dialogue:
            raise ValueError(f"method {self.name} judges each clip by itself; set input.context clip")
        if run.train.pack > 1 and run.input.context != "clip":
            raise ValueError("batches of dialogues differ from run to run; set train.pack 1")
        self._check_raw(run)

    def _check_raw(self, run: Run) -> None:
        """Refuse features that are not vectors where the method, or the training, reads vectors."""
        names = {m: run.features[m] for m in run.input.modalities if m in run.features}
        raw = {m: name for m, name in names.items() if name in run.encoders and run.encoders[name].base}
        for modality, name in raw.items():
            if modality not in self.raw:
                raise ValueError(
                    f"method {self.name} reads vectors, features.{modality} ({name}) has none; choose a"
                    " method that trains the network (text_classifier), or another encoder"
                )
        if raw and (run.train.mixup or run.train.spec_augment):
            raise ValueError(
                "train.mixup and train.spec_augment change vectors, which"
                f" features.{next(iter(raw))} has not; set them null"
            )


def one_of(run: Run, least: int, most: int | None = None) -> None:
    """Refuse too few or too many modalities.

    Raises:
        ValueError: the count of `input.modalities` is not in least..most.
    """
    count = len(run.input.modalities)
    if count < least or (most is not None and count > most):
        wanted = f"{least} or more" if most is None else str(least) if least == most else f"{least} to {most}"
        raise ValueError(
            f"method {run.method.name} reads {wanted} modalities, input.modalities names {count};"
            " change them or the method"
        )
