"""Settings of systems that were published for sound and faces."""

from __future__ import annotations

from ugcl.config.methods.audiovisual.auxformer import AuxFormer
from ugcl.config.methods.audiovisual.avt_ca import AvtCa
from ugcl.config.methods.audiovisual.can import Can
from ugcl.config.methods.audiovisual.cen import Cen
from ugcl.config.methods.audiovisual.gap_penalty import GapPenalty
from ugcl.config.methods.audiovisual.hypca import Hypca
from ugcl.config.methods.audiovisual.jmt import Jmt
from ugcl.config.methods.audiovisual.lfan import Lfan
from ugcl.config.methods.audiovisual.ogm_ge import OgmGe
from ugcl.config.methods.audiovisual.unimod import Unimod
from ugcl.config.methods.audiovisual.vavl import Vavl
from ugcl.config.methods.base import MethodSettings

AUDIOVISUAL: tuple[type[MethodSettings], ...] = (
    Jmt,
    Lfan,
    Can,
    AuxFormer,
    Vavl,
    AvtCa,
    Cen,
    Hypca,
    Unimod,
    OgmGe,
    GapPenalty,
)
"""In the order of the table of methods."""
