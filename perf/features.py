"""How many clips one second of a processor turns into pictures, faces and features.

    python perf/features.py [--root ../shared/data/clips] [--clips 3] [--growth 20]

Every step runs alone on one thread over the same clips, files read and decoded anew each time as in the
workflow; imports and loading of weights are left out. `dense` is the plain way, which released code takes:
MTCNN on the whole of every picture, one clip at a time. The other ways to find faces are compared with it:
how much faster, and the mean overlap (intersection over union) of their boxes with its own. `dense, 5 px
on` is the plain way again on pictures moved by five pixels: no way can be expected to agree with the
detector better than it does itself. `whole rule` is what the workflow's rules do: shards of face tracks, of
`hog` and of `logmel`, written; its plain way is dense detection, the crops' `hog`, and `logmel`, nothing
written. Large networks have a script of their own, `encoders.py`.

`--growth` also makes the shards of that many clips and of ten times as many (the same files again under other
names), as the workflow's rules do, and says what grew: processor seconds, and memory.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import platform
import resource
import tempfile
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from ugcl.threads import set_threads

set_threads(1)

import numpy as np  # noqa: E402
import pandas as pd  # noqa: E402

from ugcl import config as configuration  # noqa: E402
from ugcl.config import Config  # noqa: E402
from ugcl.data import sources, tables  # noqa: E402
from ugcl.data.recordings.files import VIDEO  # noqa: E402
from ugcl.features import extract  # noqa: E402
from ugcl.features.build import build  # noqa: E402
from ugcl.features.faces.build import build as build_detector  # noqa: E402
from ugcl.features.faces.detector import overlap  # noqa: E402
from ugcl.features.faces.extract import faces_shard  # noqa: E402
from ugcl.features.faces.tracking import follow  # noqa: E402
from ugcl.features.media.clip import Clip  # noqa: E402
from ugcl.features.networks.face_frames import face_blocks  # noqa: E402
from ugcl.plan import paths  # noqa: E402

PROJECT = Path(__file__).resolve().parent.parent
EVERY = (1, 5, 10)
MOVE = (5, 5)  # pixels
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


def media_root(config: Config) -> Path:
    """Clips of the mirror, or the demo corpus."""
    mirror = sources.mirror(config)
    return Path(mirror) / "clips" if mirror else sources.root(config, "demo")


def agreement(tracks: Sequence[Iterable[np.ndarray]], dense: list[list[np.ndarray]]) -> float:
    """Mean overlap of each clip's boxes with the best of the dense boxes, over frames that have any."""
    shares = [
        max(overlap(box, other) for other in boxes)
        for track, frames in zip(tracks, dense, strict=True)
        for box, boxes in zip(track, frames, strict=True)
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

    def moved(clip: Clip) -> list[np.ndarray]:
        """The likeliest box of each picture, looked for five pixels to the right and below."""
        found = [detector(np.roll(frame.rgb(), MOVE, (0, 1))) for frame in clip.frames()]
        likely = [max(faces, key=lambda face: face.score, default=None) for faces in found]
        return [np.full(4, np.nan) if face is None else face.box - [*MOVE, 0, 0] for face in likely]

    again, seconds = timed(moved, clips)
    rows.append((f"faces, dense, {MOVE[0]} px on", seconds, agreement(again, boxes), peak()))
    for every in EVERY:
        chosen = settings.model_copy(update={"every": every})
        tracks, seconds = timed(lambda clip, s=chosen: follow(clip.frames(), detector, s), clips)
        rows.append((f"faces, every {every}", seconds, agreement([t.boxes for t in tracks], boxes), peak()))
        if every == settings.every:
            clips = [replace(clip, faces=track) for clip, track in zip(clips, tracks, strict=True)]
    _, cropping = timed(lambda clip: sum(len(b.crops) for b in face_blocks(clip, 25.0, 224, 0.0, 64)), clips)
    rows.append(("aligned crops of 224 px", cropping, None, peak()))
    taken = {}
    for name in (*PICTURES, *SOUND):
        if name == "whisper-tiny-en" and sources.mirror(config) is None:
            continue
        encoder = build(config, "demo", name)
        encoder.encode(clips[0])
        _, taken[name] = timed(encoder.encode, clips)
        rows.append((name, taken[name], None, peak()))
    naive = next(seconds for name, seconds, _, _ in rows if name == "faces, dense")
    rows.append(("whole rule, the plain way", naive + taken["hog"] + taken["logmel"], None, peak()))
    made = shard_costs(config, clips, len(clips), ["faces", "hog", "logmel"])
    rows.append(("whole rule", sum(seconds for seconds, _ in made.values()), None, peak()))
    return rows


def shard_costs(
    config: Config, clips: list[Clip], count: int, names: list[str]
) -> dict[str, tuple[float, float]]:
    """Make one shard of some number of clips: each step's processor seconds, and the peak memory after it.

    The clips are taken again under other names until there are enough.
    """
    tree = config.model_dump(mode="json")
    label = {"p": {"label": "intended", "classes": ["x", "y"]}}
    tree["corpora"]["grown"] = {"adapter": "folder", "shards": 1, "root": "/", "protocols": label}
    if mirror := sources.mirror(config):
        tree["data"]["mirror"] = str(Path(mirror).resolve())
    config, told = configuration.parse(tree), {}
    with tempfile.TemporaryDirectory() as folder, contextlib.chdir(folder):
        rows = [{"clip": f"c{i:06d}", **media(clips[i % len(clips)])} for i in range(count)]
        frame = pd.DataFrame(rows).reindex(columns=[*tables.MANIFEST.columns], fill_value="")
        frame["speaker"], frame["duration"], frame["turn"] = "s", 1.0, 0
        tables.write(frame.assign(age="", start=np.nan, end=np.nan), paths.manifest("grown"))
        for name in names:
            start = time.process_time()
            if name == "faces":
                faces_shard(config, "grown", 1)
            else:
                extract.encode_shard(config, "grown", name, 1)
            told[name] = time.process_time() - start, peak()
    return told


def growth(config: Config, clips: list[Clip], count: int) -> list[tuple[str, list[float], list[float]]]:
    """Name of each step of the features, its processor seconds and peak memory, for count and 10 × count."""
    names = ["faces", *PICTURES, *(name for name in SOUND if name == "logmel" or sources.mirror(config))]
    shard_costs(config, clips, 1, names)  # loads code and buffers
    few, many = (shard_costs(config, clips, number, names) for number in (count, 10 * count))
    return [(name, *map(list, zip(few[name], many[name], strict=True))) for name in names]


def media(clip: Clip) -> dict[str, str]:
    """A clip's files as a manifest names them under the root /."""
    files = {"audio": clip.audio, "video": clip.video}
    return {kind: str(path.resolve().relative_to("/")) for kind, path in files.items() if path}


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--root", type=Path, help="default: clips/ of the mirror, else the demo corpus")
    parser.add_argument("--clips", type=int, default=3)
    parser.add_argument("--growth", type=int, default=0, help="clips of the smaller of two shards")
    options = parser.parse_args()
    os.chdir(PROJECT)
    config = configuration.load()
    root = options.root or media_root(config)
    clips = found_clips(root, options.clips)
    length = sum(len(clip.sound()) / 16_000 for clip in clips)
    frames = sum(1 for clip in clips for _ in clip.frames())
    print(f"{platform.processor() or platform.machine()}, {os.cpu_count()} cores, one thread used;", end=" ")
    print(f"{len(clips)} clips of {root}: {length:.1f} s, {frames} frames")
    rows = steps(config, clips)
    base = next(seconds for name, seconds, _, _ in rows if name == "faces, dense")
    print(f"{'step':26s}{'clips/s':>9s}{'× real time':>13s}{'of dense':>10s}{'overlap':>9s}{'peak MiB':>10s}")
    for name, seconds, same, memory in rows:
        plain = rows[-2][1] if name.startswith("whole rule") else base
        ratio = f"{plain / seconds:.1f} ×" if same is not None or name.startswith("whole rule") else ""
        share = f"{same:.3f}" if same is not None else ""
        rate = f"{len(clips) / seconds:9.2f}{length / seconds:13.1f}"
        print(f"{name:26s}{rate}{ratio:>10s}{share:>9s}{memory:10.0f}")
    if options.growth:
        few, many = (f"{number} clips" for number in (options.growth, 10 * options.growth))
        print(f"{'shard':24s}{few:>17s}{many:>17s}{'ratio':>8s}{'MiB':>14s}")
        for name, (few, many), memory in growth(config, clips, options.growth):
            held = " → ".join(f"{mib:.0f}" for mib in memory)
            print(f"{name:24s}{few:15.1f} s{many:15.1f} s{many / few:8.2f}{held:>14s}")


if __name__ == "__main__":
    main()
