"""How many clips a second each pretrained network encodes, and for what share of that time it is at work.

    python perf/encoders.py [--clips 3] [--repeat 1] [--accelerator cpu] [--workers 0] [--only NAME …]

Networks have the size of the real ones and random weights, which are as fast. Each runs in a process of its
own over the same clips, decoded anew, as in the workflow; loading is left out. Sound is encoded by groups of
clips, faces by blocks of one. `busy` is the share of the wall time that the network computes: on a GPU the
sum of its kernels' times (torch's profiler), on a CPU the time inside the network. `--repeat` takes the clips
several times, for a GPU is too quick for a few. Memory is the process's peak, the loaded network included;
the processes of `--workers` have their own.
"""

from __future__ import annotations

import argparse
import multiprocessing
import os
import platform
import resource
import tempfile
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any
from unittest.mock import patch

from ugcl.threads import set_threads

set_threads(1)

PROJECT = Path(__file__).resolve().parent.parent


def wav2vec2_large(folder: Path) -> None:
    from transformers import Wav2Vec2Config, Wav2Vec2FeatureExtractor, Wav2Vec2Model

    # The 12 of 24 layers that the paper keeps; those above would be cut off and not run.
    size = {
        "hidden_size": 1024,
        "num_hidden_layers": 12,
        "num_attention_heads": 16,
        "intermediate_size": 4096,
    }
    norms = {"feat_extract_norm": "layer", "conv_bias": True, "do_stable_layer_norm": True}
    Wav2Vec2Model(Wav2Vec2Config(**size, **norms)).save_pretrained(folder)
    Wav2Vec2FeatureExtractor().save_pretrained(folder)


def wavlm_base(folder: Path) -> None:
    from transformers import WavLMConfig, WavLMModel

    WavLMModel(WavLMConfig()).save_pretrained(folder)


def whisper_tiny(folder: Path) -> None:
    from transformers import WhisperConfig, WhisperFeatureExtractor
    from transformers.models.whisper.modeling_whisper import WhisperEncoder

    config = WhisperConfig(d_model=384, encoder_layers=4, encoder_attention_heads=6, encoder_ffn_dim=1536)
    config.architectures = ["WhisperEncoder"]
    WhisperEncoder(config).save_pretrained(folder)
    WhisperFeatureExtractor().save_pretrained(folder)


def vgg_face(folder: Path) -> None:
    from safetensors.torch import save_file
    from torchvision.models import vgg16

    folder.mkdir()
    save_file(vgg16(weights=None, init_weights=False).state_dict(), folder / "vgg.safetensors")


def pictures(kind: str) -> Callable[[Path], None]:
    def save(folder: Path) -> None:
        import transformers

        configs = {
            "clip": transformers.CLIPVisionConfig(),  # ViT-B/32
            "dinov2": transformers.Dinov2Config(hidden_size=384, num_attention_heads=6, patch_size=14),
            "efficientnet": transformers.EfficientNetConfig(
                image_size=224, width_coefficient=1.0, depth_coefficient=1.0, hidden_dim=1280
            ),
        }
        transformers.AutoModel.from_config(configs[kind]).save_pretrained(folder)
        transformers.ViTImageProcessor().save_pretrained(folder)

    return save


SPEECH, IMAGE = {"kind": "speech"}, {"kind": "image"}
NETWORKS: dict[str, tuple[dict[str, Any], Callable[[Path], None]]] = {
    "wav2vec2-large-robust": (SPEECH | {"layers": [12], "final_norm": True}, wav2vec2_large),
    "wavlm-base-plus": (SPEECH, wavlm_base),
    "whisper-tiny": ({"kind": "whisper"}, whisper_tiny),
    "vgg-face": ({"kind": "vgg_face"}, vgg_face),
    "clip-vit-base-patch32": (IMAGE | {"output": "pooled"}, pictures("clip")),
    "dinov2-small": (IMAGE, pictures("dinov2")),
    "efficientnet-b0": (IMAGE | {"output": "pooled"}, pictures("efficientnet")),
}


@dataclass(frozen=True)
class Measured:
    """Seconds of the wall and of the network, and the process's peak memory in MiB."""

    wall: float
    busy: float
    peak: float


@contextmanager
def network_time(network: Any) -> Iterator[Callable[[], float]]:
    """Measure how long a network computes; what comes gives the seconds, once the block is left."""
    import torch

    if network.device.type == "cuda":
        with torch.profiler.profile(activities=[torch.profiler.ProfilerActivity.CUDA]) as profile:
            yield lambda: sum(event.self_device_time_total for event in profile.key_averages()) / 1e6
        return
    spent, running = [], type(network).running

    @contextmanager
    def timed(self: Any) -> Iterator[None]:
        start = time.perf_counter()
        with running(self):
            yield
        spent.append(time.perf_counter() - start)

    with patch.object(type(network), "running", timed):
        yield lambda: sum(spent)


def save(name: str, folder: Path) -> None:
    """Write a network with random weights."""
    from transformers.utils import logging

    logging.disable_progress_bar()
    NETWORKS[name][1](folder)


def measure(name: str, folder: Path, clips: list[Any], options: argparse.Namespace) -> Measured:
    """Load a network, warm it up on a clip, and encode all clips."""
    from ugcl import config as configuration
    from ugcl.features.build import build

    multiprocessing.set_start_method(None, force=True)  # of those that read: the platform's, not this one's
    weights = folder / "vgg.safetensors" if name == "vgg-face" else folder
    tree = configuration.load().model_dump(mode="json")
    tree["extraction"] = {"accelerator": options.accelerator, "workers": options.workers}
    tree["encoders"][name] = NETWORKS[name][0] | {"weights": str(weights), "precision": options.precision}
    network = build(configuration.parse(tree), "demo", name)
    network.encode(clips[0])
    with network_time(network) as busy:
        start = time.perf_counter()
        for _ in network.encode_all(clips, workers=options.workers):
            pass
        wall = time.perf_counter() - start
    return Measured(wall, busy(), resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024)


def alone(work: Callable[..., Any], *arguments: Any) -> Any:
    """What some work gives in a process of its own."""
    with ProcessPoolExecutor(1, mp_context=multiprocessing.get_context("spawn")) as process:
        return process.submit(work, *arguments).result()


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--root", type=Path, help="default: clips/ of the mirror, else the demo corpus")
    parser.add_argument("--clips", type=int, default=3)
    parser.add_argument("--repeat", type=int, default=1)
    parser.add_argument("--accelerator", choices=("cpu", "cuda"), default="cpu")
    parser.add_argument("--precision", choices=("32-true", "bf16-mixed", "16-mixed"), default="32-true")
    parser.add_argument("--workers", type=int, default=0)
    parser.add_argument("--only", nargs="+", choices=NETWORKS, default=list(NETWORKS))
    options = parser.parse_args()
    os.chdir(PROJECT)
    import torch
    from features import found_clips, media_root

    from ugcl import config as configuration
    from ugcl.features.faces.build import build as build_detector
    from ugcl.features.faces.tracking import follow

    config = configuration.load()
    clips = found_clips(options.root or media_root(config), options.clips)
    detector = build_detector(config)
    clips = [replace(clip, faces=follow(clip.frames(), detector, config.faces)) for clip in clips]
    length = sum(len(clip.sound()) / 16_000 for clip in clips) * options.repeat
    clips = [replace(c, name=f"{turn:04d}-{c.name}") for turn in range(options.repeat) for c in clips]
    machine = platform.processor() or platform.machine()
    where = torch.cuda.get_device_name() if options.accelerator == "cuda" else f"one thread of {machine}"
    print(f"{where}, {options.precision}, {options.workers} reading; {len(clips)} clips, {length:.1f} s")
    print(f"{'network':24s}{'clips/s':>9s}{'× real time':>13s}{'busy':>7s}{'peak MiB':>10s}")
    for name in options.only:
        with tempfile.TemporaryDirectory() as place:
            folder = Path(place) / name
            alone(save, name, folder)
            found = alone(measure, name, folder, clips, options)
        rate = f"{len(clips) / found.wall:9.2f}{length / found.wall:13.1f}"
        print(f"{name:24s}{rate}{found.busy / found.wall:7.0%}{found.peak:10.0f}", flush=True)


if __name__ == "__main__":
    main()
