"""What clip names of well-known corpora contain: speaker, sentence, session."""

from __future__ import annotations

import re

import pandas as pd

from ugcl.errors import UgclError

PATTERNS = {
    "CREMA-D": r"^(?P<speaker>\d{4})_(?P<sentence>[A-Z]{3})_(?P<label>[A-Z]{3})_[A-Z]{2}$",
    "RAVDESS": r"^\d\d-\d\d-(?P<label>\d\d)-\d\d-(?P<sentence>\d\d)-\d\d-(?P<speaker>\d\d)$",
    "IEMOCAP": r"^(?P<session>Ses\d\d)[FM]_(?:impro|script)\w*_(?P<speaker>[FM])\d{3}$",
}
"""Corpus → the pattern of its clip names; a group is the fact of its name."""


def facts(clips: pd.Series, pattern: str | None = None) -> pd.DataFrame:
    r"""Speaker and more from clip names, by the pattern that all of them fit.

    Args:
        clips: clip names without folder and suffix.
        pattern: a regular expression whose first group is the speaker, such as `^(\d{4})_`; default the
            patterns of known corpora.

    Returns:
        Those of the columns speaker, sentence, session and label that the names have; none where no pattern
        fits.

    Raises:
        UgclError: the given pattern is not valid, has no group or does not fit a name.
    """
    if pattern is not None:
        return pd.DataFrame({"speaker": by_pattern(clips, pattern)})
    for known in PATTERNS.values():
        found = clips.str.extract(known)
        if found["speaker"].notna().all():
            if "session" in found:  # IEMOCAP names a speaker by session and sex
                found["speaker"] = found["session"] + found["speaker"]
            return found
    return pd.DataFrame(index=clips.index)


def by_pattern(names: pd.Series, pattern: str, what: str = "speaker") -> pd.Series:
    """What the first group of a regular expression finds in each name.

    Args:
        what: it is, for the message.

    Raises:
        UgclError: the pattern is not valid, has no group or does not fit a name.
    """
    try:
        compiled = re.compile(pattern)
    except re.error as error:
        raise UgclError(f"{what} pattern {pattern!r}: {error}; fix the regular expression") from None
    if compiled.groups < 1:
        raise UgclError(f"{what} pattern {pattern!r}: has no group; put the {what} in parentheses")
    found = names.str.extract(compiled, expand=True)[0]
    if found.isna().any():
        first = names[found.isna()].iloc[0]
        raise UgclError(f"{what} pattern {pattern!r}: does not match clip {first!r}; fix the pattern")
    return found
