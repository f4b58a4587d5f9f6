"""By which endings media files are known in a folder."""

from __future__ import annotations

SOUND = frozenset(
    {".wav", ".flac", ".ogg", ".oga", ".opus", ".mp3", ".m4a", ".aac", ".wma"} | {".aif", ".aiff", ".au"}
)
VIDEO = frozenset(
    {".mp4", ".m4v", ".mov", ".flv", ".avi", ".mkv", ".webm", ".mpg", ".mpeg", ".wmv", ".3gp", ".ogv"}
)
