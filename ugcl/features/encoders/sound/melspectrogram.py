"""Mel spectrograms in decibels, as much published code computes them with librosa."""

from __future__ import annotations

from typing import Any

import numpy as np

from ugcl.config.features import MelSpectrogram
from ugcl.features.media.clip import Clip
from ugcl.features.media.failure import MediaError

FLOOR = 1e-10  # power below which the logarithm is cut


class MelspectrogramEncoder:
    """Mel band power in dB below the clip's loudest, standardised over all values of the clip.

    The power spectrum of a Hann window goes through Slaney's mel filters, scaled to equal area, from 0 Hz to
    half the rate. Frame i is centred at i × hop, with zeros beyond the clip's ends; the sound is cut or
    padded with zeros to `seconds`. dim = bands, frames = 1 + seconds × rate / hop, rounded down.

    Source: librosa's `feature.melspectrogram` and `power_to_db(ref=max)` (McFee et al., SciPy 2015).
    """

    modality = "audio"
    layers = 1
    needs_faces = False

    def __init__(self, name: str, config: MelSpectrogram) -> None:
        from torchaudio.transforms import MelSpectrogram as Transform

        self.name, self.dim, self.rate = name, config.bands, config.sampling / config.hop
        self.config = config
        self.settings: dict[str, Any] = config.model_dump(mode="json")
        slaney = {"norm": "slaney", "mel_scale": "slaney", "pad_mode": "constant"}
        frames = {"n_fft": config.window, "hop_length": config.hop, "n_mels": config.bands}
        self.transform = Transform(config.sampling, **frames, f_min=0.0, f_max=config.sampling / 2, **slaney)

    def encode(self, clip: Clip) -> np.ndarray:
        """The clip's spectrogram, (frames, bands) float32 of mean 0 and deviation 1.

        Raises:
            MediaError: the sound cannot be read, or is silent as far as it is used.
        """
        import torch

        size, parts, held = round(self.config.seconds * self.config.sampling), [], 0
        for samples in clip.stretches(self.config.sampling):  # all of it: a fault may show at the end
            if held < size:
                parts.append(samples[: size - held])
                held += len(parts[-1])
        used = np.pad(np.concatenate(parts), (0, size - held))
        with torch.inference_mode():
            power = self.transform(torch.from_numpy(used)).T.numpy()
        decibels = 10 * np.log10(np.maximum(power, FLOOR))
        decibels = np.maximum(decibels, decibels.max() - self.config.depth)
        spread = decibels.std(dtype=np.float64)
        if not spread:
            raise MediaError("silent", f"{clip.name}: no sound in the first {self.config.seconds:g} s")
        return ((decibels - decibels.mean(dtype=np.float64)) / spread).astype(np.float32)
