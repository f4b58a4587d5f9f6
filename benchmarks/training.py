"""What training costs at the size of RAVDESS, against the way of the released code, as ratios within one run.

    python benchmarks/training.py [--clips 1440] [--encoded 64] [--accelerator cpu]

Features are made up, of the sizes of whisper-tiny.en and OpenFace action units. The released way learns from
two clips a step and encodes each clip again in every step; a network of the encoder's cost (four layers of
width 384 over 375 frames of sound) stands for that. Runs in step (`train.pack`) have their weights stacked.
Times are of the loop's own epoch, without start-up.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from pathlib import Path

import numpy as np
import pandas as pd
import torch
from torch import Tensor, nn
from ugcl.losses.total import TotalLoss
from ugcl.models.build import build

from ugcl.config import load
from ugcl.config.root import Run
from ugcl.data.dataset import Batch, ClipDataset
from ugcl.data.shards import FeatureInfo
from ugcl.training import seeding
from ugcl.training.devices import launch
from ugcl.training.loop import fit
from ugcl.training.packed.together import Member, fit_together

INFOS = {
    "audio": FeatureInfo("whisper-tiny-en", 5 * 384, rate=50 / 12, layers=5),
    "video": FeatureInfo("openface-au", 17, rate=30.0),
}
SECONDS = 3.7
ENCODED = 375
"""Frames that the encoder works on: fifty a second of a sound of seven and a half seconds."""


class Made(dict):
    """Random features by clip."""

    def __init__(self, info: FeatureInfo, clips: list[str]) -> None:
        frames = max(1, round(SECONDS * info.rate))
        super().__init__({clip: torch.randn(frames, info.dim).half() for clip in clips})
        self.info = info


class Encoding(ClipDataset):
    """Clips whose sound is encoded whenever they are read."""

    def __init__(self, *arguments: object, device: torch.device) -> None:
        super().__init__(*arguments)
        layer = nn.TransformerEncoderLayer(384, 6, 1536, batch_first=True, norm_first=True)
        self.encoder = nn.TransformerEncoder(layer, 4, enable_nested_tensor=False).to(device).eval()
        self.device = device

    @torch.no_grad()
    def batch(self, indices: list[int]) -> Batch:
        sound: Tensor = torch.randn(len(indices), ENCODED, 384, device=self.device)
        self.encoder(sound).sum().item()  # the step waits for it, as it would for its features
        return super().batch(indices)


def epoch_seconds(run: Run, part: ClipDataset, dev: ClipDataset, accelerator: str) -> tuple[float, float]:
    """Wall seconds of the second epoch, the first of which makes all ready, and processor seconds of one."""
    train = run.train.model_copy(update={"epochs": 2, "accelerator": accelerator})
    seeding.deterministic()
    seeding.seed(0)
    model = build(run, INFOS, part.statistics())
    parts = {"train": part, "dev": dev}
    start = time.process_time()
    outcome = fit(launch(train), model, TotalLoss(run.loss, part.counts()), train, parts, (0, 1))
    return outcome.history[-1]["seconds"], (time.process_time() - start) / 2


def packed_seconds(run: Run, part: ClipDataset, dev: ClipDataset, runs: int) -> tuple[float, float]:
    """As `epoch_seconds`, of one epoch of several runs in step."""
    train = run.train.model_copy(update={"epochs": 2})
    seeding.deterministic()
    models = []
    for number in range(runs):
        seeding.seed(number)
        models.append(build(run, INFOS, part.statistics()))
    start = time.process_time()
    with tempfile.TemporaryDirectory() as folder:
        members = []
        for number, model in enumerate(models):
            loss, parts = TotalLoss(run.loss, part.counts()), {"train": part, "dev": dev}
            members.append(Member(model, loss, parts, (number, 1), Path(folder, str(number)), "benchmark"))
        outcomes = fit_together(launch(train), members, train)
    seconds = sum(outcome.history[-1]["seconds"] for outcome in outcomes or [])
    return seconds, (time.process_time() - start) / 2


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--clips", type=int, default=1440, help="clips of the corpus")
    parser.add_argument("--encoded", type=int, default=64, help="clips of an epoch that encodes them")
    parser.add_argument("--accelerator", default="auto", choices=["auto", "cpu", "cuda"])
    options = parser.parse_args()
    config = load()
    protocol = config.protocol("ravdess")
    random = np.random.default_rng(0)
    names = [f"c{number:05d}" for number in range(options.clips)]
    rows = pd.DataFrame({"clip": names, "speaker": "s", "label": random.choice(protocol.classes, len(names))})
    stores = {name: Made(info, names) for name, info in INFOS.items()}
    device = torch.device("cuda" if torch.cuda.is_available() and options.accelerator != "cpu" else "cpu")

    few = rows[: options.encoded]
    part_of_all = ClipDataset(rows, stores, protocol.classes)
    dev = ClipDataset(rows[:2], stores, protocol.classes)  # judged after each epoch, in no time
    ways: dict[str, tuple[str, int, bool]] = {
        "ugcl, batch 32, features kept": ("ugcl", 32, False),
        "ugcl, batch 2, features kept": ("ugcl", 2, False),
        "ugcl, batch 2, sound encoded each step": ("ugcl", 2, True),
        "released network, batch 2, features kept": ("ugcl-as-released", 2, False),
        "released network, batch 2, sound encoded each step": ("ugcl-as-released", 2, True),
    }
    first: tuple[float, float] | None = None
    print(f"{'':52s}{'clips/s':>9s}{'ratio':>9s}{'CPU ms/clip':>14s}{'ratio':>9s}")
    for words, (system, batch, encoded) in ways.items():
        run = config.resolve("ravdess", system)
        run = run.model_copy(update={"train": run.train.model_copy(update={"batch": batch})})
        if encoded:
            part = Encoding(few, stores, protocol.classes, device=device)
        else:
            part = part_of_all if batch > 2 else ClipDataset(few, stores, protocol.classes)
        wall, processor = epoch_seconds(run, part, dev, options.accelerator)
        rate, work = len(part) / wall, 1000 * processor / len(part)
        first = first or (rate, work)
        print(f"{words:52s}{rate:9.1f}{first[0] / rate:9.1f}{work:14.1f}{work / first[1]:9.1f}")
    run = config.resolve("ravdess", "ugcl")
    train = run.train.model_copy(update={"accelerator": options.accelerator})
    run = run.model_copy(update={"train": train})
    for runs in (2, 6):
        wall, processor = packed_seconds(run, part_of_all, dev, runs)
        rate, work = runs * len(part_of_all) / wall, 1000 * processor / len(part_of_all) / runs
        words = f"ugcl, batch {train.batch}, {runs} runs in step"
        print(f"{words:52s}{rate:9.1f}{first[0] / rate:9.1f}{work:14.1f}{work / first[1]:9.1f}")


if __name__ == "__main__":
    main()
