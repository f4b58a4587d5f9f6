"""The cost of a system: size, operations, training time and memory, speed on this device.

Times depend on the machine and its load, so they stay out of results/tables: see
:data:`ugcl.plan.evaluation.UNSTABLE`. Encoders are not counted, for all systems of a benchmark share them,
but for pretrained networks that a method trains (`encoder.networks`), which are a part of it.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import torch
from torch import nn
from torch.nn.attention import SDPBackend, sdpa_kernel

from ugcl.config import Config
from ugcl.data.dataset import Batch, ClipDataset, Context
from ugcl.data.parts import BenchmarkData
from ugcl.devices import choose_device
from ugcl.evaluation.schemas import schema
from ugcl.evaluation.schemas.networks import COST
from ugcl.plan.evaluation import cards, score
from ugcl.training.devices import describe
from ugcl.training.state.checkpoint import load_run
from ugcl.training.state.records import Card, read_card

BATCH = 32
REPEATS = 15
LONGEST = 0.5
"""Seconds that one measurement may take, once each is repeated three times."""


def flops(model: nn.Module, batch: Batch) -> int:
    """Floating-point operations of one forward pass (a multiplication and an addition are two).

    Matrix products, convolutions and attention count, as torch.utils.flop_counter counts them; element-wise
    work does not.
    """
    from torch.utils.flop_counter import FlopCounterMode

    fast = torch.backends.mha.get_fastpath_enabled()
    torch.backends.mha.set_fastpath_enabled(False)  # the counter cannot see into fused layers
    try:
        with torch.no_grad(), sdpa_kernel(SDPBackend.MATH), FlopCounterMode(display=False) as counter:
            model(batch)
    finally:
        torch.backends.mha.set_fastpath_enabled(fast)
    return int(counter.get_total_flops())


def seconds(work: Callable[[], Any], device: torch.device) -> float:
    """Median time of some work after a warm-up, seconds."""
    taken: list[float] = []
    for repeat in range(REPEATS + 1):
        start = time.perf_counter()
        work()
        if device.type == "cuda":
            torch.cuda.synchronize(device)
        if repeat:
            taken.append(time.perf_counter() - start)
        if len(taken) >= 3 and sum(taken) > LONGEST:
            break
    return float(np.median(taken))


def trained(cards: list[Card]) -> dict[str, Any]:
    """What the cards of a system's runs say: runs, parameters, and their training.

    Returns:
        runs, parameters, train_seconds (mean of runs), train_seconds_total, train_memory_mib (largest),
        train_device.
    """
    times = [card.seconds for card in cards]
    return {
        "runs": len(cards),
        "parameters": cards[0].parameters,
        "train_seconds": float(np.mean(times)),
        "train_seconds_total": float(np.sum(times)),
        "train_memory_mib": max(card.memory_mib for card in cards),
        "train_device": " / ".join(sorted({card.device for card in cards})),
    }


def measured(model: nn.Module, clips: ClipDataset, device: torch.device) -> dict[str, Any]:
    """Work and speed of a network on real clips, from features on the device to probabilities.

    A network that reads context needs all turns of a dialogue for one of them.

    Args:
        clips: at least one group of clips; the middle one by the frames it has is the one at batch 1.
        device: where to measure.

    Returns:
        flops (of a clip of that group), latency_ms (of that group), throughput (clips per second of all
        groups together), device.
    """
    model = model.to(device)
    features = ([clips.features(m, i) for m in clips.stores] for i in range(len(clips)))
    frames = [sum(len(x) for x in of_clip if x is not None) for of_clip in features]
    sizes = [sum(frames[i] for i in group) for group in clips.groups]
    middle = clips.groups[int(np.argsort(sizes, kind="stable")[len(sizes) // 2])]
    one = clips.batch(middle).to(device)
    many = clips.batch(range(len(clips))).to(device)

    def work(batch: Batch) -> Callable[[], Any]:
        return lambda: model(batch)["logits"].softmax(dim=1)

    with torch.inference_mode():
        latency, whole = seconds(work(one), device), seconds(work(many), device)
    return {
        "flops": flops(model, one) // len(middle),
        "latency_ms": 1000 * latency,
        "throughput": len(clips) / whole,
        "device": describe(device),
    }


def cost(config: Config, benchmark: str) -> Path:
    """Measure the systems of a benchmark on this device and write cost.csv, one row per system.

    Columns: system, parameters, flops, latency_ms, throughput, device (here); train_seconds,
    train_seconds_total, train_memory_mib, train_device, runs (from the cards). See :func:`measured` and
    :func:`trained`.
    """
    entry = config.benchmark(benchmark)
    device, data = choose_device(config.evaluate.accelerator, "evaluate"), BenchmarkData(config, benchmark)
    measurements = []
    for system in entry.systems:
        folders = [path.parent for path in cards(config, benchmark, system)]
        run = config.resolve(benchmark, system)
        model, _ = load_run(folders[0], data=data.hashes(run, config.folds(benchmark)[0]))
        reads = run.input.context
        clips = ClipDataset(_rows(config, data, reads), data.stores(run), run.protocol.classes, context=reads)
        row = {"system": system, **trained([read_card(folder) for folder in folders])}
        measurements.append(row | measured(model, clips, device))
    path = score(benchmark, "cost")
    schema.write(pd.DataFrame(measurements), COST.between("system"), path)
    return path


def _rows(config: Config, data: BenchmarkData, context: Context) -> pd.DataFrame:
    """Test clips from all folds and speakers: :data:`BATCH` of them, or dialogues of about as many."""
    run = config.resolve(data.benchmark, config.benchmark(data.benchmark).reference)
    tests = [data.fold(run, fold, ["test"])["test"].rows for fold in config.folds(data.benchmark)]
    rows = pd.concat(tests).drop_duplicates("clip").sort_values("clip")
    if context == "clip":
        return rows[:: max(1, len(rows) // BATCH)][:BATCH]
    names = rows["dialogue"].where(rows["dialogue"] != "", rows["clip"])
    sizes = rows.groupby(names).size()[:: max(1, len(rows) // BATCH)]
    return rows[names.isin(sizes.index[(sizes.cumsum() - sizes) < BATCH])]
