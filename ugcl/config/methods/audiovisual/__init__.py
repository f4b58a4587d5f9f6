"""Settings of systems that were published for sound and faces."""

from __future__ import annotations

from ugcl.config.methods.audiovisual.gap_penalty import GapPenalty
from ugcl.config.methods.audiovisual.jmt import Jmt
from ugcl.config.methods.audiovisual.ogm_ge import OgmGe
from ugcl.config.methods.audiovisual.unimod import Unimod
from ugcl.config.methods.base import MethodSettings

AUDIOVISUAL: tuple[type[MethodSettings], ...] = (Jmt, Unimod, OgmGe, GapPenalty)
"""In the order of the table of methods."""
