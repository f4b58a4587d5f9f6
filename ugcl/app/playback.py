"""A clip's media as browsers play them: MP4 with H.264 and AAC, or a sound file."""

from __future__ import annotations

import logging
import shutil
from fractions import Fraction
from pathlib import Path
from typing import Any

from ugcl.features.media.clip import Clip
from ugcl.features.media.sound import RATE

log = logging.getLogger(__name__)
SOUNDS = frozenset({".wav", ".mp3", ".flac", ".ogg", ".oga", ".opus", ".m4a"})
"""Endings of sound files that browsers play as they are."""
FILM = ("h264", "yuv420p")
"""Codec and pixel format of pictures in MP4 that browsers play as they are."""
PLAYERS = "players"
"""Folder of the converted files, which have the full names of what they were made of."""
COMMON_AUDIO = frozenset({"aac", "mp3"})
TALLEST = 480  # pixels of a converted picture
CLOCK = 1000  # ticks per second of its time stamps


def playable(clip: Clip, folder: Path) -> Path | None:
    """A file with a clip's pictures and sound for the browser.

    MP4 files of the usual codecs and plain sound files are taken as they are. All others are converted:
    containers that browsers do not read, recordings of a browser (which lack an index, so that nothing can
    be sought in them), and a video whose sound is a file of its own.

    Args:
        clip: its files.
        folder: where a converted file is written.

    Returns:
        None where the clip has no media, or ffmpeg cannot convert them; the page then shows no player.
    """
    source = clip.video or clip.audio
    if source is None:
        return None
    try:
        if clip.video is None:
            return (
                source
                if source.suffix.lower() in SOUNDS
                else _converted(clip, folder / PLAYERS / f"{source.name}.m4a")
            )
        if clip.audio is None and _plays(source):
            return source
        return _converted(clip, folder / PLAYERS / f"{source.name}.mp4")
    except Exception as error:  # of many kinds, from ffmpeg; the prediction does not depend on it
        log.info("%s: no player: %s", clip.name, error)
        return None


def _plays(path: Path) -> bool:
    import av

    with av.open(str(path), metadata_errors="replace") as container:
        film, sounds = next(iter(container.streams.video), None), container.streams.audio
        pictures = film is not None and (film.codec_context.name, film.codec_context.pix_fmt) == FILM
        heard = all(stream.codec_context.name in COMMON_AUDIO for stream in sounds)
        return path.suffix.lower() in (".mp4", ".m4v") and pictures and heard


def _converted(clip: Clip, target: Path) -> Path:
    """Write a clip's pictures and sound into an MP4 file, on one time axis as the features are."""
    import av

    target.parent.mkdir(exist_ok=True)
    partial = target.with_name(f"partial-{target.name}")
    with av.open(str(partial), "w", format="mp4", options={"movflags": "faststart"}) as container:
        sound = None
        if clip.audio is not None or _has_sound(clip.video):
            sound = container.add_stream("aac", rate=RATE, layout="mono")
        if clip.video is not None:
            _pictures(clip, container)
        if sound is not None:
            _sound(clip, container, sound)
    shutil.move(partial, target)
    return target


def _has_sound(path: Path | None) -> bool:
    import av

    with av.open(str(path), metadata_errors="replace") as container:
        return bool(container.streams.audio)


def _pictures(clip: Clip, container: Any) -> None:
    import av

    stream, last = None, -1
    for frame in clip.frames():
        picture = av.VideoFrame.from_ndarray(frame.rgb(), format="rgb24")
        if stream is None:
            scale = min(1.0, TALLEST / picture.height)
            stream = container.add_stream("libx264", rate=30, options={"preset": "veryfast", "crf": "25"})
            stream.width, stream.height = (
                max(2, round(n * scale / 2) * 2) for n in (picture.width, picture.height)
            )
            stream.pix_fmt, stream.time_base = FILM[1], Fraction(1, CLOCK)
            stream.codec_context.time_base = Fraction(1, CLOCK)
        time = max(last + 1, round(frame.time * CLOCK))
        picture.pts, picture.time_base, last = time, Fraction(1, CLOCK), time
        container.mux(stream.encode(picture.reformat(stream.width, stream.height, FILM[1])))
    if stream is not None:
        container.mux(stream.encode())


def _sound(clip: Clip, container: Any, stream: Any) -> None:
    import av

    count = 0
    for samples in clip.stretches(RATE):
        frame = av.AudioFrame.from_ndarray(samples[None], format="fltp", layout="mono")
        frame.sample_rate, frame.pts, frame.time_base = RATE, count, Fraction(1, RATE)
        count += len(samples)
        container.mux(stream.encode(frame))
    container.mux(stream.encode())
