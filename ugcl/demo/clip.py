"""From an actor to files: speech, face and both muxed, one mp4 and one wav per clip."""

from __future__ import annotations

from collections.abc import Iterable
from fractions import Fraction
from pathlib import Path

import numpy as np

from ugcl.errors import UgclError
from ugcl.plan import demo as names

FPS = 25


def make_actor(
    actor_id: int,
    root: Path,
    *,
    actors: int = 12,
    seed: int = 2026,
    size: int = 256,
    clips: Iterable[str] | None = None,
) -> list[Path]:
    """Make all clips of one actor; the same arguments give the same bytes.

    Args:
        actor_id: 1001 … 1000 + actors.
        root: the corpus root; VideoMP4/ and AudioWAV/ are made in it.
        actors: number of actors in the corpus (only checks the id).
        size: width and height of the video, pixels, even.
        clips: make only these of the actor's clips.

    Returns:
        The paths written, videos then sounds.

    Raises:
        UgclError: an id outside the corpus, an odd size, a foreign clip name, or no speech synthesizer.
    """
    wanted = checked(actor_id, actors, size, names.actor_clips(actor_id), clips)
    try:
        from ugcl.demo import actors as cast
        from ugcl.demo.face import bust
        from ugcl.demo.voice import speech
    except ImportError as error:
        raise UgclError(f"demo corpus: {error}; install the extra: pip install -e '.[demo]'") from None
    who = cast.actor(actor_id - names.FIRST + 1, seed)
    utterances = speech.speak(who.number, seed, wanted)
    model = bust.Bust(who, seed)
    videos, sounds = [], []
    for clip in wanted:
        video, sound = root / names.video_path(clip), root / names.audio_path(clip)
        for path in (video, sound):
            path.parent.mkdir(parents=True, exist_ok=True)
        samples = np.round(utterances[clip].sound * 32767).astype(np.int16)
        write_wav(sound, samples)
        write_mp4(video, draw(who, model, clip, utterances[clip].phonemes, len(samples), seed, size), samples)
        videos.append(video)
        sounds.append(sound)
    return videos + sounds


def checked(actor_id: int, actors: int, size: int, own: list[str], clips: Iterable[str] | None) -> list[str]:
    """The clips to make of an actor: those named, or all; see :func:`make_actor`.

    Args:
        own: all clips of the actor.

    Raises:
        UgclError: an id outside the corpus, an odd size, or a foreign clip name.
    """
    if actor_id not in names.actor_ids(actors):
        raise UgclError(f"demo actor {actor_id}: not in 1001..{1000 + actors}; choose one of these")
    if size % 2:
        raise UgclError(f"demo size {size}: H.264 needs an even number of pixels; use {size + 1}")
    wanted = own if clips is None else sorted(clips)
    if foreign := sorted(set(wanted) - set(own)):
        raise UgclError(f"demo clip {foreign[0]}: not a clip of actor {actor_id}; see ugcl/plan/demo")
    return wanted


def draw(who, model, clip: str, phonemes, samples: int, seed: int, size: int) -> Iterable[np.ndarray]:
    """Yield the frames of a clip, (size, size, 3) uint8 RGB, as many as its sound lasts."""
    from ugcl.demo import performance
    from ugcl.demo.actors import stream
    from ugcl.demo.face import expressions
    from ugcl.demo.face.scene import scene
    from ugcl.demo.voice import speech

    act = performance.performance(clip, seed)
    backdrop = scene(stream(seed, "scene", clip), size, who.vee, who.shine)
    rng = stream(seed, "face", clip)
    for frame in expressions.frames(who, act.face, phonemes, samples / speech.RATE, FPS, rng):
        yield model.draw(frame.actions, frame.folds, frame.pose, backdrop, size)


def write_wav(path: Path, samples: np.ndarray) -> None:
    """Write 16 kHz mono PCM16."""
    import soundfile

    soundfile.write(path, samples, 16000, subtype="PCM_16")


def write_mp4(path: Path, frames: Iterable[np.ndarray], samples: np.ndarray, crf: int = 27) -> None:
    """Write H.264 and AAC whose bytes depend on the input alone (one thread, no time stamps in the header).

    Args:
        frames: (S, S, 3) uint8 RGB at 25 per second.
        samples: (n,) int16 at 16 kHz.
        crf: H.264 constant rate factor.
    """
    import av

    frames = iter(frames)
    first = next(frames)
    options = {"fflags": "+bitexact", "movflags": "+faststart"}
    with av.open(str(path), "w", format="mp4", options=options) as out:
        video = out.add_stream("libx264", rate=FPS)
        video.width, video.height, video.pix_fmt = first.shape[1], first.shape[0], "yuv420p"
        video.codec_context.options = {"preset": "veryfast", "crf": str(crf), "threads": "1"}
        video.codec_context.thread_count = 1
        video.codec_context.flags |= av.codec.context.Flags.bitexact  # pyright: ignore[reportAttributeAccessIssue]
        audio = out.add_stream("aac", rate=16000, layout="mono")
        audio.bit_rate = 48000
        audio.codec_context.flags |= av.codec.context.Flags.bitexact  # pyright: ignore[reportAttributeAccessIssue]
        for index, image in enumerate((first, *frames)):
            frame = av.VideoFrame.from_ndarray(image, format="rgb24")
            frame.pts, frame.time_base = index, Fraction(1, FPS)
            out.mux(video.encode(frame))
        out.mux(video.encode())
        for start in range(0, len(samples), 1024):
            piece = samples[None, start : start + 1024]
            block = av.AudioFrame.from_ndarray(piece, format="s16", layout="mono")
            block.sample_rate, block.pts, block.time_base = 16000, start, Fraction(1, 16000)
            out.mux(audio.encode(block))
        out.mux(audio.encode())
