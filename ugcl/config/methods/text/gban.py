"""Settings of the gated bidirectional alignment network."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, Literal

from pydantic import Field

from ugcl.config.methods.base import MethodSettings, Origin, one_of

if TYPE_CHECKING:
    from ugcl.config.root import Run


class Gban(MethodSettings):
    """Gated bidirectional alignment network: LSTMs, attention both ways, group gated fusion."""

    network: ClassVar[str] = "ugcl.methods.text.gban:GBAN"
    origin: ClassVar[Origin] = Origin(
        "Liu, Li and Meng: Group gated fusion on attention-based bidirectional alignment for multimodal"
        " emotion recognition. Interspeech 2020, arXiv 2201.06309",
        grade="A",
        code="ppfliu/emotion-recognition@45addf9",
        deviations=(
            "Modalities in their order take the places of speech and text; of three, each pair is aligned and"
            " has its gates.",
            "The shared encoders take the place of the convolutions before the LSTMs.",
            "Padding is left out of attention, means and the LSTMs; the released code reads it.",
            "Decoupled weight decay takes the place of the L2 penalty.",
        ),
    )
    packable: ClassVar[bool] = False  # recurrent

    name: Literal["gban"] = "gban"
    fusion: Literal["ggf", "gmu", "tfl", "concat", "concat_attention", "concat_all"] = Field(
        "ggf",
        description="Group gated fusion, gated multimodal unit, tensor fusion, or concatenation of the last"
        " states, of the attended vectors, or of both.",
    )
    dropout: float = Field(0.5, ge=0, lt=1, description="Dropout before the last layer.")
    faults: list[Literal["last_step", "zero_pad"]] = Field(
        default=[],
        description="Released faults: last_step reads the backward LSTM where it has seen one frame; zero_pad"
        " appends 0 to the vectors of tfl, so that only products are left.",
    )

    def check(self, run: Run) -> None:
        """See `MethodSettings.check`."""
        super().check(run)
        one_of(run, 2, 2 if self.fusion == "tfl" else 3)  # products of three have (W + 1)³ columns
