"""A small project on disk: two modalities, two emotions, six speakers; and a command line to train in it."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import yaml

from ugcl.data import tables
from ugcl.data.shards import FeatureInfo, write_index, write_shard
from ugcl.plan import paths

CLASSES = ["angry", "happy", "sad"]


def make_project(root: Path, **train: object) -> Path:
    """Write params.yaml, manifest, one split, features and an empty quarantine under a folder."""
    rng = np.random.default_rng(0)
    rows = [
        {"clip": f"s{s}_{label}_{i}", "speaker": f"s{s}", "intended": label}
        for s in range(6)
        for label in CLASSES
        for i in range(4)
    ]
    manifest = pd.DataFrame(rows).sort_values("clip", ignore_index=True)
    for column in ("audio", "video", "sex", "age", "sentence", "session", "level"):
        manifest[column] = ""
    manifest[["audio_sha256", "video_sha256"]] = ""
    manifest["duration"] = 1.0
    tables.write(manifest, root / paths.manifest("made"))
    part = manifest["speaker"].map({"s4": "dev", "s5": "test"}).fillna("train")
    tables.write(manifest[["clip"]].assign(part=part), root / paths.split("made", "intended", 1))
    for name, dim, shift, rate in (("sound", 6, 0.4, 25.0), ("face", 5, 0.8, 12.5)):
        features = {
            clip: rng.normal(0, 1, (int(rng.integers(4, 9)), dim))
            + shift * np.eye(3, dim)[CLASSES.index(label)]
            for clip, label in zip(manifest["clip"], manifest["intended"], strict=True)
        }
        folder = root / paths.features("made", name)
        write_shard(folder, 1, features, {}, FeatureInfo(name, dim, rate=rate), {})
        write_index(folder, 1)
    empty = pd.DataFrame(columns=["clip", "speaker", "label", "modality", "failure", "detail"])
    tables.write(empty, root / paths.quarantine("made"))
    params = {
        "active": ["made"],
        "benchmarks": {
            "made": {
                "corpus": "made",
                "protocol": "intended",
                "features": {"audio": "sound", "video": "face"},
                "systems": ["ugcl", "concat", "audio-only"],
                "reference": "ugcl",
                "seeds": [0],
            }
        },
        "corpora": {
            "made": {
                "adapter": "folder",
                "shards": 1,
                "protocols": {"intended": {"label": "intended", "classes": CLASSES}},
            }
        },
        "encoders": {
            "sound": {"kind": "table", "modality": "audio", "path": "sound.csv", "rate": 25.0},
            "face": {"kind": "table", "modality": "video", "path": "face.csv", "rate": 12.5},
        },
        "encoder": {"width": 16, "heads": 2},
        "method": {"tokens": 16},
        "train": {"epochs": 4, "batch": 16, "lr": 0.003, **train},
        "systems": {
            "ugcl": {},
            "concat": {"method": {"name": "concat"}},
            "audio-only": {"method": {"name": "concat"}, "input": {"modalities": ["audio"]}},
        },
    }
    (root / "params.yaml").write_text(yaml.safe_dump(params))
    return root
