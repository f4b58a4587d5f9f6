"""Settings of the trained text network."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, Literal

from ugcl.config.methods.base import MethodSettings, Origin

if TYPE_CHECKING:
    from ugcl.config.root import Run


class TextClassifier(MethodSettings):
    """A pretrained text network, trained on what clips say; `encoder.networks.text` says how."""

    network: ClassVar[str] = "ugcl.methods.finetuned.text_classifier:TextClassifier"
    origin: ClassVar[Origin] = Origin("Baseline of this project", grade="own")
    packable: ClassVar[bool] = False
    raw: ClassVar[frozenset[str]] = frozenset({"text"})

    name: Literal["text_classifier"] = "text_classifier"

    def check(self, run: Run) -> None:
        """See `MethodSettings.check`."""
        if run.input.modalities != ["text"]:
            raise ValueError("method text_classifier reads text alone; set input.modalities [text]")
        encoder = run.features.get("text")
        if encoder is not None and not run.encoders[encoder].base:
            raise ValueError(
                f"method text_classifier reads token ids, features.text is {encoder}, whose network is not"
                " trained; use an encoder of kind tokens"
            )
        if "text" not in (run.encoder.networks or {}):
            raise ValueError(
                "method text_classifier trains a network: set encoder.networks.text, such as {mode: all}"
            )
        super().check(run)
