"""Acoustic parameters by openSMILE.

openSMILE is not a dependency of this package but its extra `opensmile`: audEERING's licence allows research
and teaching, and no commercial use (https://github.com/audeering/opensmile-python/blob/main/LICENSE).
"""

from __future__ import annotations

from typing import Any

import numpy as np

from ugcl.config.features import OpenSmile
from ugcl.errors import UgclError
from ugcl.features.media.clip import Clip
from ugcl.features.media.sound import RATE

SETS = {"egemaps": "eGeMAPSv02", "compare": "ComParE_2016"}
RATES = {"functionals": 0.0, "descriptors": 100.0}
LONGEST_WINDOW = 0.060  # of the analysis windows of both sets, that of F0, seconds
LIMIT = 60_000.0  # the store holds half precision; a deviation over a mean near zero may be any number


class OpensmileEncoder:
    """One of openSMILE's sets, of 16 kHz sound: of the whole clip (rate 0), or descriptors every 10 ms.

    eGeMAPS v02 (Eyben et al. 2016, IEEE Transactions on Affective Computing 7(2)): 88 functionals, or 25
    descriptors. Values beyond ±60000 are cut there.

    ComParE 2016 (Schuller et al. 2016, Interspeech): 6373 functionals, or 65 descriptors. Some reach 10^11,
    beyond half precision: what is stored is sign(x) · log(1 + |x|).

    Args:
        config: set, and functionals or descriptors.

    Raises:
        UgclError: the extra is not installed.
    """

    modality = "audio"
    layers = 1
    needs_faces = False

    def __init__(self, name: str, config: OpenSmile) -> None:
        try:
            import opensmile
        except ImportError as error:
            raise UgclError(
                f"encoders.{name}: openSMILE is not installed ({error}); pip install -e '.[opensmile]'"
                " (its licence: research and teaching only)"
            ) from None
        levels = {
            "functionals": opensmile.FeatureLevel.Functionals,
            "descriptors": opensmile.FeatureLevel.LowLevelDescriptors,
        }
        self.config, self.name, self.rate = config, name, RATES[config.level]
        self.smile = opensmile.Smile(opensmile.FeatureSet[SETS[config.set]], levels[config.level])
        self.dim = len(self.smile.feature_names)
        facts = {"features": list(self.smile.feature_names), "opensmile": opensmile.__version__}
        self.settings: dict[str, Any] = config.model_dump(mode="json") | facts

    def encode(self, clip: Clip) -> np.ndarray:
        """The parameters, (1, dim) or (frames, dim) float32."""
        samples = clip.sound()
        samples = np.pad(samples, (0, max(0, round(2 * LONGEST_WINDOW * RATE) - len(samples))))
        values = self.smile.process_signal(samples, RATE).to_numpy(np.float32)
        if self.config.set == "compare":
            return np.sign(values) * np.log1p(np.abs(values))
        return np.clip(values, -LIMIT, LIMIT)
