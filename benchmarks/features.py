"""How many seconds of media one second of a processor turns into pictures, faces and features.

    python benchmarks/features.py [--root ../shared/data/clips] [--clips 3]

Every step runs alone on one thread over the same clips, files read and decoded anew each time as in the
workflow; imports and loading of weights are left out. `dense` is the plain way: MTCNN on the whole of every
picture. The other ways to find faces are compared with it: how much faster, and the mean overlap
(intersection over union) of their boxes with its own.
"""

from __future__ import annotations

import argparse
import os
import platform
import resource
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ugcl.threads import set_threads

set_threads(1)

import numpy as np  # noqa: E402

from ugcl import config as configuration  # noqa: E402
from ugcl.config import Config  # noqa: E402
from ugcl.data import sources  # noqa: E402
from ugcl.features.build import build  # noqa: E402
from ugcl.features.faces.build import build as build_detector  # noqa: E402
from ugcl.features.faces.detector import overlap  # noqa: E402
from ugcl.features.faces.tracking import follow  # noqa: E402
from ugcl.features.media import Clip  # noqa: E402
from ugcl.features.media_files import VIDEO  # noqa: E402

if TYPE_CHECKING:
    from ugcl.features.faces.table import Track

PROJECT = Path(__file__).resolve().parent.parent
EVERY = (1, 5, 10)
SOUND, PICTURES = ("logmel", "whisper-tiny-en"), ("hog",)


def peak() -> float:
    """Most memory this process has held so far, MiB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def timed(work: Callable[[Clip], Any], clips: list[Clip]) -> tuple[list[Any], float]:
    """What some work gives for each clip, and the processor seconds of all of them."""
    start = time.process_time()
    results = [work(clip) for clip in clips]
    return results, time.process_time() - start


def found_clips(root: Path, count: int) -> list[Clip]:
    """The first clips of a tree with AudioWAV/ and a folder of videos."""
    videos = sorted(path for path in root.rglob("*") if path.suffix.lower() in VIDEO)[:count]
    if not videos:
        raise SystemExit(f"{root}: no videos; give --root a tree with AudioWAV/ and videos")
    return [Clip(path.stem, root / "AudioWAV" / f"{path.stem}.wav", path) for path in videos]


def agreement(tracks: list[Track], dense: list[list[np.ndarray]]) -> float:
    """Mean overlap of the tracks' boxes with the best of the dense boxes, over frames that have any."""
    shares = [
        max(overlap(box, other) for other in boxes)
        for track, frames in zip(tracks, dense, strict=True)
        for box, boxes in zip(track.boxes, frames, strict=True)
        if boxes
    ]
    return float(np.nan_to_num(shares).mean())


def steps(config: Config, clips: list[Clip]) -> list[tuple[str, float, float | None, float]]:
    """Name, processor seconds, overlap with dense (faces alone) and peak memory of every step."""
    rows: list[tuple[str, float, float | None, float]] = []
    detector, settings = build_detector(config), config.faces

    def dense(clip: Clip) -> list[list[np.ndarray]]:
        return [
            [face.box for face in detector(frame.rgb()) if face.score >= settings.min_score]
            for frame in clip.frames()
        ]

    detector(next(clips[0].frames()).rgb())  # the network's buffers are made on first use
    _, seconds = timed(lambda clip: sum(1 for frame in clip.frames() if frame.rgb().size), clips)
    rows.append(("decode every picture", seconds, None, peak()))
    boxes, seconds = timed(dense, clips)
    rows.append(("faces, dense", seconds, 1.0, peak()))
    for every in EVERY:
        chosen = settings.model_copy(update={"every": every})
        tracks, seconds = timed(lambda clip, s=chosen: follow(clip.frames(), detector, s), clips)
        rows.append((f"faces, every {every}", seconds, agreement(tracks, boxes), peak()))
        if every == settings.every:
            clips = [replace(clip, faces=track) for clip, track in zip(clips, tracks, strict=True)]
    for name in (*PICTURES, *SOUND):
        if name == "whisper-tiny-en" and sources.mirror(config) is None:
            continue
        encoder = build(config, "demo", name)
        encoder.encode(clips[0])
        _, seconds = timed(encoder.encode, clips)
        rows.append((name, seconds, None, peak()))
    return rows


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--root", type=Path, help="default: clips/ of the mirror, else the demo corpus")
    parser.add_argument("--clips", type=int, default=3)
    options = parser.parse_args()
    os.chdir(PROJECT)
    config = configuration.load()
    mirror = sources.mirror(config)
    root = options.root or (Path(mirror) / "clips" if mirror else sources.root(config, "demo"))
    clips = found_clips(root, options.clips)
    media = sum(len(clip.sound()) / 16_000 for clip in clips)
    frames = sum(1 for clip in clips for _ in clip.frames())
    print(f"{platform.processor() or platform.machine()}, {os.cpu_count()} cores, one thread used;", end=" ")
    print(f"{len(clips)} clips of {root}: {media:.1f} s, {frames} frames")
    rows = steps(config, clips)
    base = next(seconds for name, seconds, _, _ in rows if name == "faces, dense")
    print(f"{'step':24s}{'media s per CPU s':>18s}{'of dense':>10s}{'overlap':>9s}{'peak MiB':>10s}")
    for name, seconds, same, memory in rows:
        ratio = f"{base / seconds:.1f} ×" if same is not None else ""
        share = f"{same:.3f}" if same is not None else ""
        print(f"{name:24s}{media / seconds:18.1f}{ratio:>10s}{share:>9s}{memory:10.0f}")


if __name__ == "__main__":
    main()
