"""Clip names and media paths of the demo corpus. Imports nothing heavy: the workflow reads it when it parses.

A name is actor_sentence_EMOTION_LEVEL, as in CREMA-D: 1001_TBL_ANG_LO.
"""

from __future__ import annotations

EMOTIONS = ("ANG", "DIS", "FEA", "HAP", "NEU", "SAD")
CLASSES = dict(zip(EMOTIONS, ("angry", "disgust", "fear", "happy", "neutral", "sad"), strict=True))
SENTENCES = {
    "TBL": "The cups are on the table.",
    "RVR": "We walked along the river.",
    "BUS": "The bus will leave at nine.",
    "KEY": "My keys are in the drawer.",
}
LEVELS = ("LO", "MD", "HI")


FIRST = 1001


def actor_ids(actors: int = 12) -> list[int]:
    """The ids of the first actors: 1001, 1002, …"""
    return list(range(FIRST, FIRST + actors))


def actor_clips(actor_id: int) -> list[str]:
    """The 24 clip names of one actor, sorted.

    As in CREMA-D, one sentence is played at a marked level and the others (and all neutral clips) at XX.
    """
    names = []
    for sentence in SENTENCES:
        for order, emotion in enumerate(EMOTIONS):
            marked = sentence == "TBL" and emotion != "NEU"
            level = LEVELS[(actor_id + order) % 3] if marked else "XX"
            names.append(f"{actor_id}_{sentence}_{emotion}_{level}")
    return sorted(names)


def clip_names(actors: int = 12) -> list[str]:
    """All clip names of a corpus with this many actors, sorted."""
    return [name for actor_id in actor_ids(actors) for name in actor_clips(actor_id)]


def audio_path(clip: str) -> str:
    """Path of a clip's sound under the corpus root."""
    return f"AudioWAV/{clip}.wav"


def video_path(clip: str) -> str:
    """Path of a clip's video under the corpus root."""
    return f"VideoMP4/{clip}.mp4"


def media_paths(actor_id: int) -> list[str]:
    """The files that one actor's job writes, under the corpus root: videos, then sounds."""
    clips = actor_clips(actor_id)
    return [video_path(clip) for clip in clips] + [audio_path(clip) for clip in clips]
