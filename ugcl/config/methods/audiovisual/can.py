"""Settings of the channel attention network."""

from __future__ import annotations

from typing import ClassVar, Literal

from pydantic import Field

from ugcl.config.methods.audiovisual.lfan import CITATION, CODE, DEVIATIONS, Temporal
from ugcl.config.methods.base import Origin


class Can(Temporal):
    """Channel attention: a softmax over the columns of all modalities weighs them at each frame."""

    network: ClassVar[str] = "ugcl.methods.audiovisual.can:CAN"
    origin: ClassVar[Origin] = Origin(
        CITATION,
        grade="B",
        code=CODE,
        deviations=(
            *DEVIATIONS,
            "Shares are multiplied by the number of columns, by which the next layer's weights are smaller.",
            "All modalities are read at the times of the first one's frames.",
        ),
    )

    name: Literal["can"] = "can"
    columns: int = Field(128, ge=1, description="Columns of each modality.")
