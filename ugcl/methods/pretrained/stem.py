"""What systems with transformer layers of their own have of the shared encoders."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ugcl.methods.base import EncodedMethod, Statistics

if TYPE_CHECKING:
    from ugcl.config.root import Run
    from ugcl.methods.base import Infos


class StemMethod(EncodedMethod):
    """A method whose shared encoders have no self-attention: they give tokens, as patch embeddings would.

    Standardised features are projected, get the code of time and pass one temporal convolution.
    """

    def __init__(self, run: Run, infos: Infos, statistics: Statistics) -> None:
        encoder = run.encoder.model_copy(update={"layers": 0})
        super().__init__(run.model_copy(update={"encoder": encoder}), infos, statistics)
        self.timed = {m: infos[m].rate > 0 for m in self.modalities}
