"""From the script to files: speech, face and both muxed, one mp4 and one wav per turn.

The synthesizer speaks the transcript, so that a turn lasts as long as its words; acoustic features hardly say
which words they are. Emotions are in the prosody and in facial actions, as in the demo corpus.
"""

from __future__ import annotations

from collections.abc import Iterable
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from ugcl.demo.clip import FPS, checked, write_mp4, write_wav
from ugcl.demo.dialogues.script import turn
from ugcl.errors import UgclError
from ugcl.plan import demo
from ugcl.plan.demo import dialogues as names

if TYPE_CHECKING:
    from ugcl.demo.voice.speech import Utterance


def make_actor(
    actor_id: int,
    root: Path,
    *,
    actors: int = 12,
    seed: int = 2026,
    size: int = 192,
    clips: Iterable[str] | None = None,
) -> list[Path]:
    """Make the turns of one actor; the same arguments give the same bytes.

    Args:
        actor_id: 1001 … 1000 + actors.
        root: the corpus root; VideoMP4/ and AudioWAV/ are made in it.
        actors: number of actors in the corpus (only checks the id).
        size: width and height of the video, pixels, even.
        clips: make only these of the actor's clips.

    Returns:
        The paths written, a video and a sound per turn.

    Raises:
        UgclError: an id outside the corpus, an odd size, a foreign clip name, or no speech synthesizer.
    """
    wanted = checked(actor_id, actors, size, names.actor_clips(actor_id), clips)
    try:
        from ugcl.demo.actors import actor, stream
        from ugcl.demo.face.bust import Bust
        from ugcl.demo.face.expressions import frames
        from ugcl.demo.face.scene import scene

        # The synthesizer has hidden state: only the first use of a process is reproducible.
        with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as process:
            utterances = process.submit(speak, actor_id, seed, wanted).result()
    except ImportError as error:
        raise UgclError(f"demo corpus: {error}; install the extra: pip install -e '.[demo]'") from None
    who = actor(actor_id - demo.FIRST + 1, seed)
    head = Bust(who, seed)
    written = []
    for clip in wanted:
        video, sound = root / names.video_path(clip), root / names.audio_path(clip)
        for path in (video, sound):
            path.parent.mkdir(parents=True, exist_ok=True)
        said, face = utterances[clip], turn(clip, seed).face
        samples = np.round(said.sound * 32767).astype(np.int16)
        write_wav(sound, samples)
        backdrop = scene(stream(seed, "scene", clip), size, who.vee, who.shine)
        rng = stream(seed, "face", clip)
        acted = frames(who, face, said.phonemes, len(samples) / 16000, FPS, rng)
        write_mp4(video, (head.draw(f.actions, f.folds, f.pose, backdrop, size) for f in acted), samples)
        written += [video, sound]
    return written


def speak(actor_id: int, seed: int, clips: list[str]) -> dict[str, Utterance]:
    """The utterances of some clips of one actor, by clip name, the same in every selection of clips.

    It must be the first use of the synthesizer in its process.
    """
    from ugcl.demo.actors import actor, stream
    from ugcl.demo.voice.prosody import prosody
    from ugcl.demo.voice.speech import perform, plain

    who = actor(actor_id - demo.FIRST + 1, seed)
    spoken = {clip: plain(who, turn(clip, seed).transcript) for clip in names.actor_clips(actor_id)}
    result = {}
    for clip in clips:
        rng = stream(seed, "speech", clip)
        how = prosody(who, turn(clip, seed).voice, rng)
        result[clip] = perform(*spoken[clip], who, how, rng)
    return result
