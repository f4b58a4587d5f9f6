"""Settings of systems that were published for speech and text."""

from __future__ import annotations

from ugcl.config.methods.base import MethodSettings
from ugcl.config.methods.text.cberl import Cberl
from ugcl.config.methods.text.deepmsi import DeepMsi
from ugcl.config.methods.text.drkf import Drkf
from ugcl.config.methods.text.gban import Gban
from ugcl.config.methods.text.gia_mic import GiaMic
from ugcl.config.methods.text.hct_dmg import HctDmg
from ugcl.config.methods.text.m2fnet import M2FNet
from ugcl.config.methods.text.mcihn import Mcihn
from ugcl.config.methods.text.mcn_cl import McnCl
from ugcl.config.methods.text.wavfusion import Wavfusion

TEXT: tuple[type[MethodSettings], ...] = (
    Gban,
    M2FNet,
    McnCl,
    Mcihn,
    GiaMic,
    DeepMsi,
    Wavfusion,
    HctDmg,
    Cberl,
    Drkf,
)
"""In the order of the table of methods."""
