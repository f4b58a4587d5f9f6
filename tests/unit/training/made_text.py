"""A small project on disk whose clips are turns of dialogues with transcripts, and no media."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import yaml

from tests.fixtures.small_networks import bert_model
from ugcl import config
from ugcl.config import Config
from ugcl.data import tables
from ugcl.features.extract import build_index, encode_shard
from ugcl.plan import paths

CLASSES = ["angry", "happy", "sad"]
TELLING = {"angry": "hate", "happy": "love", "sad": "miss"}
FILLERS = ["i", "you", "this", "that", "day", "house", "it", "so", "much", "now"]
WORDS = " ".join([*TELLING.values(), *FILLERS])


def make_text_project(root: Path, system: dict[str, Any] | None = None, **train: Any) -> Config:
    """Write parameters, manifest, split and token ids under the working folder `root`.

    Each transcript has one word that says its class; dialogues have 4 turns of two speakers.

    Args:
        system: changes of the one system, `finetuned`.
        train: section `train`.
    """
    rng = np.random.default_rng(0)
    rows = []
    for dialogue in range(24):
        for turn in range(4):
            label = CLASSES[int(rng.integers(3))]
            words = [*rng.choice(FILLERS, int(rng.integers(1, 9))), TELLING[label]]
            rows.append(
                {
                    "clip": f"d{dialogue:02}t{turn}",
                    "speaker": f"d{dialogue:02}s{turn % 2}",
                    "dialogue": f"d{dialogue:02}",
                    "turn": turn,
                    "transcript": " ".join(rng.permutation(words)),
                    "intended": label,
                }
            )
    manifest = pd.DataFrame(rows)
    for column in ("audio", "video", "sex", "age", "sentence", "session", "level"):
        manifest[column] = ""
    manifest[["audio_sha256", "video_sha256"]] = ""
    manifest["duration"] = 1.0
    tables.write(manifest, root / paths.manifest("made"))
    number = manifest["dialogue"].str[1:].astype(int)
    part = np.where(number < 16, "train", np.where(number < 20, "dev", "test"))
    tables.write(manifest[["clip"]].assign(part=part), root / paths.split("made", "intended", 1))
    empty = pd.DataFrame(columns=["clip", "speaker", "label", "modality", "failure", "detail"])
    tables.write(empty, root / paths.quarantine("made"))
    bert_model(root / "bert", WORDS)
    params = {
        "active": ["made"],
        "benchmarks": {
            "made": {
                "corpus": "made",
                "protocol": "intended",
                "features": {"text": "ids"},
                "systems": ["finetuned"],
                "reference": "finetuned",
                "seeds": [0],
                "folds": [1],
            }
        },
        "corpora": {
            "made": {
                "adapter": "folder",
                "shards": 1,
                "protocols": {"intended": {"label": "intended", "classes": CLASSES}},
            }
        },
        "encoders": {"ids": {"kind": "tokens", "weights": "bert"}},
        "input": {"modalities": ["text"]},
        "encoder": {"width": 16, "heads": 2, "networks": {"text": {"mode": "all", "lr": 0.002}}},
        "method": {"name": "text_classifier"},
        "train": {"epochs": 4, "batch": 16, "lr": 0.003, **train},
        "systems": {"finetuned": system or {}},
    }
    (root / "params.yaml").write_text(yaml.safe_dump(params))
    made = config.load(root / "params.yaml")
    encode_shard(made, "made", "ids", 1, "l")
    build_index(made, "made", "ids")
    return made
