"""Baseline: one modality alone."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ugcl.errors import UgclError
from ugcl.models.concat import Concat
from ugcl.models.system import Statistics

if TYPE_CHECKING:
    from ugcl.config.root import Run
    from ugcl.models.system import Infos


class Unimodal(Concat):
    """Encoder, pooling and classifier of one modality: concatenation of a single part."""

    def __init__(self, run: Run, infos: Infos, statistics: Statistics) -> None:
        if len(run.model.modalities) != 1:
            raise UgclError(
                f"systems.{run.system}: architecture unimodal reads one modality, model.modalities names"
                f" {len(run.model.modalities)}; keep one, or use architecture concat"
            )
        super().__init__(run, infos, statistics)
