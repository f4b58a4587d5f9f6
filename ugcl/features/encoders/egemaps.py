"""Acoustic parameters by openSMILE.

openSMILE is no dependency of this package but its extra `egemaps`: audEERING's licence allows research and
teaching, and no commercial use (https://github.com/audeering/opensmile-python/blob/main/LICENSE).
"""

from __future__ import annotations

from typing import Any

import numpy as np

from ugcl.config.features import Egemaps
from ugcl.errors import UgclError
from ugcl.features.media import Clip
from ugcl.features.sound import RATE

RATES = {"functionals": 0.0, "descriptors": 100.0}
LONGEST_WINDOW = 0.060  # of the analysis windows of eGeMAPS, that of F0, seconds
LIMIT = 60_000.0  # the store holds half precision; a deviation over a mean near zero may be any number


class EgemapsEncoder:
    """eGeMAPS v02 (Eyben et al. 2016, IEEE Transactions on Affective Computing 7(2)) of 16 kHz sound.

    88 functionals of the whole clip (rate 0), or the 25 low-level descriptors every 10 ms. Values beyond
    ±60000 are cut there. ComParE 2016 is not offered: some of its 6373 values reach 10^11, beyond half
    precision.

    Args:
        name: key of `encoders`.
        config: functionals or descriptors.

    Raises:
        UgclError: the extra is not installed.
    """

    modality = "audio"
    layers = 1
    needs_faces = False

    def __init__(self, name: str, config: Egemaps) -> None:
        try:
            import opensmile
        except ImportError as error:
            raise UgclError(
                f"encoders.{name}: openSMILE is not installed ({error}); pip install 'ugcl[egemaps]'"
                " (its licence: research and teaching only)"
            ) from None
        levels = {
            "functionals": opensmile.FeatureLevel.Functionals,
            "descriptors": opensmile.FeatureLevel.LowLevelDescriptors,
        }
        self.smile = opensmile.Smile(opensmile.FeatureSet.eGeMAPSv02, levels[config.level])
        self.name, self.rate, self.dim = name, RATES[config.level], len(self.smile.feature_names)
        self.settings: dict[str, Any] = {
            **config.model_dump(mode="json"),
            "features": list(self.smile.feature_names),
            "opensmile": opensmile.__version__,
        }

    def encode(self, clip: Clip) -> np.ndarray:
        """The parameters, (1, 88) or (frames, 25) float32."""
        samples = clip.sound()
        samples = np.pad(samples, (0, max(0, round(2 * LONGEST_WINDOW * RATE) - len(samples))))
        values = self.smile.process_signal(samples, RATE).to_numpy(np.float32)
        return np.clip(values, -LIMIT, LIMIT)
