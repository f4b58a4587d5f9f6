"""How long a large manifest takes to read, to split and to audit.

    python perf/manifest.py [--clips 1000000]

Every step runs alone and once; the table gives wall and processor seconds.
"""

from __future__ import annotations

import argparse
import resource
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from ugcl.config.protocols import Groups, Protocol, SpeakerBlocks
from ugcl.data import tables
from ugcl.data.labels import labelled
from ugcl.data.splits import build as splits
from ugcl.data.splits.audit import audit

CLASSES = ["angry", "disgust", "fear", "happy", "neutral", "sad"]


def made_manifest(clips: int, speakers: int = 1000, sentences: int = 60, sessions: int = 5) -> pd.DataFrame:
    """A manifest with every column, hashes and votes included."""
    random = np.random.default_rng(0)
    speaker = np.arange(clips) % speakers
    digits = np.frombuffer(random.bytes(32 * clips), np.uint8).reshape(clips, 32)
    hashes = pd.Series([row.tobytes().hex() for row in digits])
    names = pd.Series([f"{s:05d}_{i:07d}" for i, s in enumerate(speaker)])
    frame = pd.DataFrame(
        {
            "clip": names,
            "audio": "AudioWAV/" + names + ".wav",
            "video": "VideoFlash/" + names + ".flv",
            "speaker": [f"{s:05d}" for s in speaker],
            "sex": np.where(speaker % 2, "female", "male"),
            "age": 20 + speaker % 50,
            "sentence": [f"S{n:02d}" for n in random.integers(0, sentences, clips)],
            "session": (speaker * sessions // speakers + 1).astype(str),
            "level": "",
            "intended": random.choice(CLASSES, clips),
        }
    )
    for name in CLASSES:
        frame[f"votes_multimodal_{name}"] = random.integers(0, 9, clips)
    frame["duration"] = random.uniform(1, 5, clips).round(3)
    frame["audio_sha256"] = hashes
    frame["video_sha256"] = hashes.str[::-1]
    return frame.sort_values("clip", ignore_index=True)


def timed(work: Callable[[], Any]) -> tuple[Any, float, float]:
    """What some work gives, its wall and its processor seconds."""
    wall, cpu = time.perf_counter(), time.process_time()
    result = work()
    return result, time.perf_counter() - wall, time.process_time() - cpu


def main() -> None:
    """Make the table in a temporary folder, time every step and print the times."""
    parser = argparse.ArgumentParser(description="Times of a large manifest.")
    parser.add_argument("--clips", type=int, default=1_000_000)
    clips = parser.parse_args().clips
    blocks = Protocol(classes=CLASSES, folds=SpeakerBlocks(folds=[200] * 5, dev_speakers=100))
    sessions = Protocol(
        classes=CLASSES, folds=Groups(scheme="groups", column="session", test=["1", "2", "3", "4", "5"])
    )
    unseen = blocks.model_copy(update={"text_independent": 5})
    rows: list[tuple[str, float, float]] = []
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "manifest.csv"
        made_manifest(clips).to_csv(path, index=False)
        size = path.stat().st_size / 1e6
        manifest, *seconds = timed(lambda: tables.read_manifest(path))
        rows.append(("read and validate", *seconds))
        first = None
        for name, protocol in (
            ("speaker blocks", blocks),
            ("sessions", sessions),
            ("unseen sentences", unseen),
        ):
            fold, *seconds = timed(lambda p=protocol: splits.make_fold(manifest, p, Path(), 1))
            rows.append((f"split: {name}", *seconds))
            first = fold if first is None else first
        target = Path(folder) / "fold1.csv"
        _, *seconds = timed(lambda: tables.write(first, target))
        rows.append(("write the split", *seconds))
        split, *seconds = timed(lambda: tables.read_split(target))
        rows.append(("read the split", *seconds))
        known, *seconds = timed(lambda: split.merge(labelled(manifest, blocks), on="clip", how="left"))
        rows.append(("join", *seconds))
        found, *seconds = timed(lambda: audit(known, "fold 1", CLASSES))
        rows.append(("audit", *seconds))
    if found.leaks:
        raise SystemExit(f"the made split leaks: {found.leaks[0]}")
    table = pd.DataFrame(rows, columns=["step", "seconds", "cpu seconds"])
    table["share"] = table["seconds"] / table["seconds"].sum()
    table["µs a clip"] = 1e6 * table["seconds"] / clips
    steps = ["read and validate", "split: speaker blocks", "join", "audit"]
    needed = table[table["step"].isin(steps)][["seconds", "cpu seconds"]].sum()
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(f"{clips} clips, {size:.0f} MB, peak {peak:.0f} MiB")
    print(table.round(3).to_string(index=False))
    print(f"read + split + audit: {needed['seconds']:.1f} s, {needed['cpu seconds']:.1f} s of processor")


if __name__ == "__main__":
    main()
