"""Test features of noisy sound, encoded once per benchmark for all its systems."""

from __future__ import annotations

import logging
import zlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from ugcl.config import Config
from ugcl.data import shards, sources, tables
from ugcl.data.parts import BenchmarkData
from ugcl.data.shards import FeatureStore
from ugcl.errors import UgclError
from ugcl.evaluation.tables import audit
from ugcl.features.build import build
from ugcl.features.encoder import info
from ugcl.features.extract import encoded, warn
from ugcl.features.media.clip import Clip
from ugcl.features.media.failure import MediaError
from ugcl.features.media.sound import RATE, STRETCH
from ugcl.features.progress import progress
from ugcl.plan import paths
from ugcl.plan.evaluation import noise_conditions, perturb_outputs

log = logging.getLogger(__name__)


def generator(seed: int, clip: str) -> np.random.Generator:
    """Random numbers of a clip: the same whatever the other clips, levels and systems."""
    return np.random.default_rng([seed, zlib.crc32(clip.encode())])


def add_noise(samples: np.ndarray, snr: float, random: np.random.Generator) -> np.ndarray:
    """Add white Gaussian noise at a signal-to-noise ratio over the whole clip, pauses included.

    Args:
        samples: (samples,) float32.
        snr: 10 · log10(signal power / noise power), dB.
        random: where the noise comes from.
    """
    noise = random.standard_normal(len(samples))
    power = np.mean(np.square(samples, dtype=np.float64))
    return (samples + noise * np.sqrt(power / 10 ** (snr / 10))).astype(np.float32)


@dataclass(frozen=True)
class NoisyClip(Clip):
    """A clip whose sound has noise in it; another level scales the same noise.

    Attributes:
        snr: signal-to-noise ratio, dB.
        seed: of the noise.
    """

    snr: float = np.inf
    seed: int = 0

    def sound(self, rate: int = RATE) -> np.ndarray:
        """Mono samples with noise, (samples,) float32 at `rate` Hz."""
        return add_noise(super().sound(rate), self.snr, generator(self.seed, self.name))

    def stretches(
        self, rate: int = RATE, notes: list[str] | None = None, seconds: float = STRETCH
    ) -> Iterator[np.ndarray]:
        """The same in one piece: the noise depends on the power of all of it."""
        yield self.sound(rate)


def test_clips(config: Config, benchmark: str) -> list[str]:
    """Every clip that some fold tests, without quarantined ones, sorted."""
    folds = audit.read_splits(config, benchmark).values()
    return sorted({clip for split in folds for clip in split.loc[split["part"] == "test", "clip"]})


def stores(config: Config, data: BenchmarkData) -> dict[str, FeatureStore]:
    """Noise condition → its features; a test clip that is not among them could not be encoded.

    Raises:
        UgclError: they are missing, of another condition, or of other test clips than the folds now have.
    """
    found, count = {}, config.corpora[config.benchmark(data.benchmark).corpus].shards
    for condition in noise_conditions(config, data.benchmark):
        found[condition] = data.perturbed(condition)
        tried = set(shards.read_tables(found[condition].folder, count)["clip"])
        lost = [clip for clip in test_clips(config, data.benchmark) if clip not in tried]
        if lost:
            again = f"run `ugcl evaluate perturb {data.benchmark}` again"
            raise UgclError(f"{found[condition].folder}: has no test clip {lost[0]}; {again}")
    return found


def perturb(config: Config, benchmark: str, conditions: Iterable[str] | None = None) -> list[Path]:
    """Encode a benchmark's test clips with noise, one feature store per condition.

    Args:
        conditions: such as `noise:10`; default the benchmark's.

    Raises:
        UgclError: an input is missing.
    """
    entry = config.benchmark(benchmark)
    conditions = list(noise_conditions(config, benchmark) if conditions is None else conditions)
    if not conditions:
        return []
    encoder = entry.features["audio"]
    model, window = build(config, entry.corpus, encoder), config.encoders[encoder].pool
    rows = tables.read_manifest(paths.manifest(entry.corpus)).set_index("clip", drop=False)
    root, count = sources.root(config, entry.corpus), config.corpora[entry.corpus].shards
    names = test_clips(config, benchmark)
    for condition in conditions:
        snr, folder = float(condition.removeprefix("noise:")), paths.perturbed(benchmark, condition)
        settings = {**model.settings, "snr": snr, "seed": config.evaluate.seed}
        for shard in range(1, count + 1):
            features, failures = {}, {}
            chosen = (NoisyClip.from_row(rows.loc[n], root) for n in shards.shard_clips(names, count, shard))
            clips = [replace(clip, snr=snr, seed=config.evaluate.seed) for clip in chosen]
            title = f"{condition} {shard}/{count}"
            for clip, half in progress(encoded(model, clips, window), title, len(clips)):
                if isinstance(half, MediaError):
                    failures[clip.name] = (half.failure, half.detail)
                    warn(clip, half)
                else:
                    features[clip.name] = half
            of = {"corpus": entry.corpus, "benchmark": benchmark, "condition": condition}
            shards.write_shard(folder, shard, features, failures, info(model, window), settings, of)
        shards.write_index(folder, count)
        log.info("%s %s: %d clips", benchmark, condition, len(names))
    return perturb_outputs(config, benchmark)
