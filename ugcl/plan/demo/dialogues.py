"""Clip names and media paths of the corpus of dialogues. Imports nothing heavy: the workflow reads it.

A session is a pair of actors, 1001 and 1002 the first. They have seven dialogues of 6 to 10 turns, which they
take in turn. A name is session, dialogue, turn and actor: s1d3t05_1002.
"""

from __future__ import annotations

import re

from ugcl.plan.demo import FIRST, audio_path, video_path

TURNS = (6, 7, 8, 9, 10, 6, 7)
"""Turns of a session's dialogues; the next session begins with the next number."""

EVIDENCE = ("words", "voice", "face", "context")
"""What shows a turn's emotion; `context` = only the turns before it."""

_NAME = re.compile(r"s(\d+)d(\d+)t(\d+)_(\d+)")


def sessions(actors: int = 12) -> list[int]:
    """The numbers of the sessions, from 1: one per pair of actors."""
    return list(range(1, actors // 2 + 1))


def session_of(actor_id: int) -> int:
    """The session that an actor is in."""
    return (actor_id - FIRST) // 2 + 1


def dialogues(session: int) -> list[list[str]]:
    """The clip names of each dialogue of a session, in the order of the turns, which count from 1."""
    pair = (FIRST + 2 * (session - 1), FIRST + 2 * session - 1)
    result = []
    for number in range(1, len(TURNS) + 1):
        turns = TURNS[(number + session - 2) % len(TURNS)]
        names = [
            f"s{session}d{number}t{turn:02d}_{pair[(number + turn) % 2]}" for turn in range(1, turns + 1)
        ]
        result.append(names)
    return result


def parse(clip: str) -> tuple[int, int, int, int]:
    """Session, dialogue, turn and actor of a clip name of this form."""
    session, dialogue, turn, actor = map(int, _NAME.fullmatch(clip).groups())  # pyright: ignore[reportOptionalMemberAccess]
    return session, dialogue, turn, actor


def actor_clips(actor_id: int) -> list[str]:
    """The clips in which an actor speaks, sorted."""
    return [
        name for names in dialogues(session_of(actor_id)) for name in names if name.endswith(f"_{actor_id}")
    ]


def clip_names(actors: int = 12) -> list[str]:
    """All clip names of a corpus with this many actors, sorted."""
    return [name for session in sessions(actors) for names in dialogues(session) for name in names]


def media_paths(actor_id: int) -> list[str]:
    """The files that one actor's job writes, under the corpus root: videos, then sounds."""
    clips = actor_clips(actor_id)
    return [video_path(clip) for clip in clips] + [audio_path(clip) for clip in clips]
