"""Make a shard's faces and features in processes that are killed again and again, as a script.

    python killed_shards.py FOLDER

FOLDER holds params.yaml and the manifest of corpus c. The files are first made undisturbed, and moved to the
folder's `whole`, then once more in `data` by processes that are killed, with others that read for their
networks. Prints a JSON object: for each step, the bytes of its journal at each kill.
"""

from __future__ import annotations

import json
import os
import random
import shutil
import signal
import sys
import time
from pathlib import Path

from ugcl.threads import set_threads

set_threads(1)

import cv2  # noqa: E402, F401
import torch  # noqa: E402, F401
from transformers import AutoModel  # noqa: E402, F401

from ugcl import config as parameters  # noqa: E402
from ugcl.features import extract  # noqa: E402
from ugcl.features.faces.extract import faces_shard  # noqa: E402
from ugcl.features.networks.sequences import SequenceNetwork  # noqa: E402
from ugcl.plan import paths  # noqa: E402

SequenceNetwork.TOGETHER = 4
STEPS, KILLS = ("faces", "hog", "network"), 2
EMPTY = 200  # bytes of a journal that holds no clip, or fewer


def step(name: str, workers: int) -> None:
    """One step of the features, in this process and in others that read for its network."""
    config = parameters.load()
    if name == "faces":
        faces_shard(config, "c", 1, "lineage")
    else:
        extract.encode_shard(config, "c", name, 1, "lineage", workers)


def child(name: str, workers: int = 0) -> int:
    """A process that takes the step and ends at once; its number."""
    number = os.fork()
    if number == 0:
        try:
            step(name, workers)
        finally:
            os._exit(0)
    return number


def size(path: Path) -> int:
    return path.stat().st_size if path.is_file() else 0


def killed(name: str, rng: random.Random) -> list[int]:
    """Take the step in processes of which the first ones are killed; the journal's bytes at each kill.

    Each is killed a random time after it has added something to the journal.
    """
    target = paths.faces("c", 1) if name == "faces" else paths.features("c", name) / "shard-1.safetensors"
    begun, sizes = target.with_name(target.name + ".journal.partial"), []
    for _ in range(KILLS):
        before, number = size(begun), child(name, workers=2)
        while size(begun) <= max(before, EMPTY) and not os.waitpid(number, os.WNOHANG)[0]:
            time.sleep(0.0005)
        time.sleep(rng.uniform(0, 0.02))
        if not begun.is_file():  # it came to its end
            break
        os.kill(number, signal.SIGKILL)
        os.waitpid(number, 0)
        sizes.append(size(begun))
    os.waitpid(child(name, workers=1), 0)
    return sizes


def main() -> None:
    Path("whole").mkdir()
    for name in STEPS:
        os.waitpid(child(name), 0)
    for part in ("faces", "features"):
        shutil.move(f"data/{part}", f"whole/{part}")
    rng = random.Random(0)
    print(json.dumps({name: killed(name, rng) for name in STEPS}))


if __name__ == "__main__":
    os.chdir(sys.argv[1])
    main()
