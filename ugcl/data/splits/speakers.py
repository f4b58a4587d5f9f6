"""Whether two ids name one speaker: spreadsheets drop zeros, add `.0`, and keep blanks."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable

import pandas as pd

from ugcl.data.labels import spelling


def identity(name: str) -> str:
    """An id without case, leading zeros of its numbers and a final `.0`, and with one kind of separator."""
    plain = re.sub(r"[\s_-]+", "-", re.sub(r"^(\d+)\.0+$", r"\1", spelling(name)))
    return re.sub(r"\d+", lambda digits: str(int(digits.group())), plain)


def variants(names: Iterable[str]) -> list[list[str]]:
    """Ids that seem to name one speaker in several spellings, each group sorted."""
    groups: dict[str, set[str]] = defaultdict(set)
    for name in names:
        if name:
            groups[identity(name)].add(name)
    return sorted(sorted(group) for group in groups.values() if len(group) > 1)


def people(speakers: pd.Series) -> pd.Series:
    """Speakers, where all spellings of one id are replaced by their list, such as '001' = '1'."""
    same = {
        name: " = ".join(map(repr, group))
        for group in variants(map(str, speakers.dropna().unique()))
        for name in group
    }
    return speakers.replace(same) if same else speakers
