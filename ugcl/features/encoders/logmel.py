"""Audio encoders that need no weights."""

from __future__ import annotations

from typing import Any

import numpy as np

from ugcl.config.features import LogMel
from ugcl.features.media.clip import Clip
from ugcl.features.media.sound import RATE

FLOOR = 1e-10  # power below which the logarithm is cut, -100 dB


class LogMelEncoder:
    """Natural logarithm of mel band energies of 16 kHz sound (HTK mel scale, power spectrum).

    Frame i is centred at i × hop; the clip's ends are mirrored. dim = bands.
    """

    modality = "audio"
    layers = 1
    needs_faces = False

    def __init__(self, name: str, config: LogMel) -> None:
        from torchaudio.transforms import MelSpectrogram

        self.name, self.dim, self.rate = name, config.bands, 1 / config.hop
        self.settings: dict[str, Any] = config.model_dump(mode="json")
        self.window = round(config.window * RATE)
        self.transform = MelSpectrogram(
            sample_rate=RATE,
            n_fft=2 ** int(np.ceil(np.log2(self.window))),
            win_length=self.window,
            hop_length=round(config.hop * RATE),
            n_mels=config.bands,
            f_min=20.0,
            f_max=RATE / 2,
        )

    def encode(self, clip: Clip) -> np.ndarray:
        """Log-mel energies, (frames, bands) float32."""
        import torch

        samples = clip.sound()
        shortest = self.transform.n_fft
        if len(samples) < shortest:  # mirroring needs half a window of samples
            samples = np.pad(samples, (0, shortest - len(samples)))
        with torch.inference_mode():
            power = self.transform(torch.from_numpy(samples))
            return power.clamp(min=FLOOR).log().T.contiguous().numpy()
