"""The one word that says why a clip has no features: a fault of its media, or that it has none (absent)."""

from __future__ import annotations

from typing import Literal, get_args

from ugcl.errors import UgclError

Failure = Literal[
    "missing",
    "empty",
    "no_video",
    "no_audio",
    "truncated",
    "unreadable",
    "silent",
    "no_face",
    "several_faces",
    "no_text",
    "absent",
]
FAILURES: tuple[str, ...] = get_args(Failure)


class MediaError(UgclError):
    """A clip that cannot be turned into features.

    Attributes:
        failure: one word of :data:`FAILURES`, as it stands in the shard and quarantine tables.
        detail: what was found, one line without the clip's name.
    """

    def __init__(self, failure: Failure, detail: str) -> None:
        if failure not in FAILURES:
            raise ValueError(f"{failure!r} is not a failure; choose from {', '.join(FAILURES)}")
        self.failure = failure
        # A file's name may hold bytes that are not UTF-8.
        text = str(detail).encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")
        self.detail = " ".join(text.split())
        super().__init__(f"{failure}: {self.detail}")

    def __reduce__(self) -> tuple[type[MediaError], tuple[Failure, str]]:
        """What another process makes the error from."""
        return MediaError, (self.failure, self.detail)  # pyright: ignore[reportReturnType]
