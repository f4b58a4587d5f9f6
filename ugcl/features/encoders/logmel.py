"""Audio encoders that need no weights."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from ugcl.config.features import LogMel
from ugcl.features.media.clip import Clip
from ugcl.features.media.sound import RATE

LONGEST = 60.0  # seconds of sound that are transformed at a time
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
        self.window, self.hop = round(config.window * RATE), round(config.hop * RATE)
        length = 2 ** int(np.ceil(np.log2(self.window)))
        frames = {"n_fft": length, "win_length": self.window, "hop_length": self.hop}
        self.transform = MelSpectrogram(RATE, **frames, n_mels=config.bands, f_min=20.0, f_max=RATE / 2)

    def blocks(self, clip: Clip) -> Iterator[np.ndarray]:
        """Log-mel energies stretch by stretch, (frames, bands) float32 each; a short clip is one."""
        held, begin, first = np.zeros(0, np.float32), 0, 0  # samples, number of the first, next frame
        size, context = round(LONGEST * RATE) // self.hop, -(-self.transform.n_fft // self.hop)
        for samples in clip.stretches():
            held = np.concatenate([held, samples]) if len(held) else samples
            while begin + len(held) > (first + size + 2 * context) * self.hop:
                # Frames whose windows lie in what is held, with the ones before the first new one as context.
                skip = min(first, context)
                end = (first + size + context) * self.hop - begin
                start = (first - skip) * self.hop - begin
                yield self._energies(held[start:end])[skip : skip + size]
                first += size
                drop = max(0, (first - context) * self.hop - begin)
                held, begin = held[drop:], begin + drop
        skip = min(first, context)
        yield self._energies(held[(first - skip) * self.hop - begin :])[skip:]

    def encode(self, clip: Clip) -> np.ndarray:
        """Log-mel energies, (frames, bands) float32."""
        return np.concatenate(list(self.blocks(clip)))

    def _energies(self, samples: np.ndarray) -> np.ndarray:
        import torch

        shortest = self.transform.n_fft
        if len(samples) < shortest:  # mirroring needs half a window of samples
            samples = np.pad(samples, (0, shortest - len(samples)))
        with torch.inference_mode():
            power = self.transform(torch.from_numpy(samples))
            return power.clamp(min=FLOOR).log().T.contiguous().numpy()
