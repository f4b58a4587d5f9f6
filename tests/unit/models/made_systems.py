"""Made-up features and the systems of params.yaml on them."""

from __future__ import annotations

from pathlib import Path

import torch
from torch import nn

from ugcl import config
from ugcl.config import Run
from ugcl.config.methods.text import TEXT
from ugcl.data.dataset import Batch
from ugcl.data.shards import FeatureInfo

PARAMS = Path(__file__).resolve().parents[3] / "params.yaml"
CONFIG = config.load(PARAMS)

VARIANTS = {
    "all-granularities": {"method": {"granularities": ["frame", "segment", "clip"], "segments": 3}},
    "cooled-sparsemax": {
        "method": {"assignment": "sparsemax", "token_temperature": 2.0, "token_temperature_end": 0.1}
    },
    "rotary-gated": {"encoder": {"positions": "rotary", "feed_forward": "gated"}},
    "no-positions": {
        "encoder": {"positions": "none"},
        "method": {"weights": {"matching": 0, "auxiliary": 0}},
    },
    "one-way": {"method": {"readers": ["audio"]}},
    "no-codebook": {"method": {"assignment": "none", "token_pool": "mean"}},
    "queues": {
        "method": {"contrast": {"queue": 12}, "matching": {"queue": 12, "negatives": "sample", "top": 4}}
    },
}
"""Switches of the main system that no benchmark has, tested like systems of the demo."""


STREAMS = (["text", "audio", "video"], ["text", "audio"], ["text", "video"])
"""Modalities on which every method that was published for text is tested, beside audio and video."""

REFUSED = {"gban-tfl": STREAMS[0]}
"""System → those of them that it refuses."""

CONTEXTS = ("dialogue", "past")
"""Contexts in which it is tested, on the first of them that it takes."""

ALONE = ("m2fnet-like", "cberl-like")
"""Systems that read one modality too where there are dialogues."""


def _textual() -> dict[str, dict]:
    names, changes = {settings.model_fields["name"].default for settings in TEXT}, {}
    for system, entry in CONFIG.systems.items():
        if entry.extends is None and entry.method.get("name") in names:
            streams = [modalities for modalities in STREAMS if modalities != REFUSED.get(system)]
            inputs = {"-".join(modalities): {"modalities": modalities} for modalities in streams}
            inputs |= {context: {"modalities": streams[0], "context": context} for context in CONTEXTS}
            if system in ALONE:
                inputs["text-past"] = {"modalities": ["text"], "context": "past"}
            changes |= {f"{system}:{key}": {"extends": system, "input": x} for key, x in inputs.items()}
    return changes


TEXTUAL = _textual()
"""Name → changes, of each system of a method that was published for text: `drkf:text-audio`, `drkf:past`."""

SMALLER = {"released": {"layers": 1, "tokens": 64}}
"""Method → sizes at which its tests are quick; the wiring is that of the large network."""


def of_network(run: Run) -> str:
    """What decides a network and its terms, but for the number of classes."""
    return run.model_dump_json(include={"input": {"modalities", "context"}, "encoder": True, "method": True})


def _systems() -> list[tuple[str, str]]:
    different = {}
    for name, entry in CONFIG.benchmarks.items():
        for system in entry.systems:
            run = CONFIG.resolve(name, system)
            if run.encoder.networks:  # needs weights: tests/unit/training/test_text_classifier.py
                continue
            different.setdefault((of_network(run), run.loss.model_dump_json()), (name, system))
    textual = [("demo_peers", name) for name in TEXTUAL]
    return sorted(different.values()) + [("demo", name) for name in VARIANTS] + textual


SYSTEMS = _systems()
"""Benchmark and system, once each network and loss: benchmarks may share them."""

FRAMES = {
    "audio": FeatureInfo("made", dim=24, layers=3, rate=25.0),
    "video": FeatureInfo("made", dim=10, layers=1, rate=12.5),
    "text": FeatureInfo("made", dim=14, layers=2, rate=3.0),
}
VECTOR = {
    **FRAMES,
    "video": FeatureInfo("made", dim=10, layers=1, rate=0.0),
    "text": FeatureInfo("made", dim=14, layers=2, rate=0.0),
}
INFOS = {"frames": FRAMES, "vector": VECTOR}


def resolve(benchmark: str, system: str) -> Run:
    """The resolved parameters of a system, or of a variant of the main one or of one for text."""
    if system in VARIANTS:
        return with_changes(benchmark, **VARIANTS[system])
    run = (
        with_changes(benchmark, **TEXTUAL[system]) if system in TEXTUAL else CONFIG.resolve(benchmark, system)
    )
    method = run.method.model_copy(update=SMALLER.get(run.method.name, {}))
    return run.model_copy(update={"method": method})


def with_changes(benchmark: str, **changes: dict) -> Run:
    """The resolved parameters of a system that changes some sections, on features of every modality."""
    made, entry = type(CONFIG.systems["ugcl"])(**changes), CONFIG.benchmarks[benchmark]
    entry = entry.model_copy(update={"features": dict.fromkeys(FRAMES, "logmel") | entry.features})
    update = {"systems": CONFIG.systems | {"made": made}, "benchmarks": {benchmark: entry}}
    return CONFIG.model_copy(update=update).resolve(benchmark, "made")


NETWORKS = list({of_network(resolve(*names)): names for names in reversed(SYSTEMS)}.values())
"""One of the systems of each network, for what no loss has a part in."""


def make_batch(run: Run, infos: dict[str, FeatureInfo], clips: int = 6, seed: int = 0, pad: int = 0) -> Batch:
    """Clips of unequal length; the same seed gives the same clips whatever the padding.

    Where the context is a dialogue, those of 3, 1 and 2 turns follow one another; two people speak in each.
    """
    generator = torch.Generator().manual_seed(seed)
    features, masks, present = {}, {}, {}
    for modality in run.input.modalities:
        info = infos[modality]
        longest = 12 if info.rate else 1
        lengths = (
            torch.randint(5, longest + 1, (clips,), generator=generator) if info.rate else torch.ones(clips)
        )
        x = torch.randn(clips, longest, info.dim, generator=generator)
        x = torch.nn.functional.pad(x, (0, 0, 0, pad))
        mask = torch.arange(longest + pad) < lengths[:, None]
        features[modality], masks[modality] = x * mask[..., None], mask
        present[modality] = torch.ones(clips, dtype=torch.bool)
    labels = torch.arange(clips) % len(run.protocol.classes)
    attributes = {name: torch.rand(clips, generator=generator) for name in run.method.reads_attributes}
    names = [f"c{i}" for i in range(clips)]
    batch = Batch(features, masks, present, labels, names, ["s"] * clips, attributes=attributes)
    if run.input.context != "clip":
        turns = [(group, turn) for group in range(clips) for turn in range((3, 1, 2)[group % 3])][:clips]
        batch.group, batch.turn = torch.tensor(turns).T
        batch.speaker = batch.group + batch.turn.eq(1)  # the first speaks again in the third turn
    return batch


def groups(batch: Batch) -> list[list[int]]:
    """The clips of each group: clips that may depend on one another."""
    numbers = batch.group.tolist()
    return [[i for i, n in enumerate(numbers) if n == number] for number in dict.fromkeys(numbers)]


def take(batch: Batch, index: list[int]) -> Batch:
    """Some clips of a batch, padding and groups as they were."""
    pick = lambda tree: {m: x[index] for m, x in tree.items()}  # noqa: E731
    return Batch(
        pick(batch.features),
        pick(batch.masks),
        pick(batch.present),
        batch.labels[index],
        [batch.clips[i] for i in index],
        [batch.speakers[i] for i in index],
        group=batch.group[index],
        turn=batch.turn[index],
        speaker=batch.speaker[index],
        attributes=pick(batch.attributes),
    )


@torch.no_grad()
def awake(model: nn.Module) -> nn.Module:
    """Nudge parameters that are all zero: a gate that starts shut gives no gradient to what it lets in."""
    for p in model.parameters():
        if p.requires_grad and not p.any():
            p.add_(0.1 * torch.randn_like(p))
    return model


def without(batch: Batch, modality: str, index: list[int]) -> Batch:
    """The batch with a modality taken from some clips."""
    batch = take(batch, list(range(len(batch))))
    batch.present[modality] = batch.present[modality].clone()
    batch.masks[modality] = batch.masks[modality].clone()
    batch.present[modality][index] = False
    batch.masks[modality][index] = False
    return batch
