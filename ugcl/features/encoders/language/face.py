"""Facial action units in words."""

from __future__ import annotations

import re
from collections.abc import Mapping

import numpy as np

NAMES = {
    1: "raised inner brows",
    2: "raised outer brows",
    4: "lowered brows",
    5: "raised upper eyelids",
    6: "raised cheeks",
    7: "tightened eyelids",
    9: "wrinkled nose",
    10: "raised upper lip",
    11: "deepened nasolabial folds",
    12: "pulled up lip corners",
    13: "puffed cheeks",
    14: "dimpled cheeks",
    15: "lowered lip corners",
    16: "lowered lower lip",
    17: "raised chin",
    18: "puckered lips",
    20: "stretched lips",
    22: "funnelled lips",
    23: "tightened lips",
    24: "pressed lips",
    25: "parted lips",
    26: "dropped jaw",
    27: "stretched mouth",
    28: "sucked lips",
    43: "closed eyes",
    45: "blinking eyes",
}
"""Action units (Ekman, Friesen and Hager 2002, Facial Action Coding System), as what a face shows."""
COLUMN = re.compile(r"AU0*(\d+)_([rc])")
DEGREES = ((2.5, "strongly"), (1.5, "clearly"), (0.5, "slightly"))
"""Least mean intensity over the clip, 0..5 as OpenFace has it (1 = a trace, 5 = maximum) → degree. A mean is
lower than the peak; the bounds are this project's."""
PRESENT = 0.5
"""Least share of frames with a unit that has no intensity; this project's."""


def units(columns: list[str]) -> dict[int, tuple[int, bool]]:
    """The action units of a table in OpenFace's naming (AU04_r intensity, AU28_c presence).

    Returns:
        Number of the unit → place of its column, and whether that is an intensity; a presence is left out
        where there is an intensity, and so are units without a name.
    """
    found: dict[int, tuple[int, bool]] = {}
    for place, column in enumerate(columns):
        match = COLUMN.fullmatch(column.strip())
        if match is not None and int(match[1]) in NAMES:
            number, intensity = int(match[1]), match[2] == "r"
            if intensity or number not in found:
                found[number] = place, intensity
    return found


def in_words(values: np.ndarray, known: Mapping[int, tuple[int, bool]]) -> str:
    """What a face shows, the strongest first, and of equal degrees in the order of the units.

    Args:
        values: (columns,) means over the clip.
        known: of :func:`units`.

    Returns:
        Such as "The face shows strongly lowered brows, slightly parted lips."
    """
    shown = []
    for number, (place, intensity) in sorted(known.items()):
        value = float(values[place])
        if intensity:
            rank = next((i for i, (least, _) in enumerate(DEGREES) if value >= least), None)
            if rank is not None:
                shown.append((rank, number, f"{DEGREES[rank][1]} {NAMES[number]}"))
        elif value >= PRESENT:
            shown.append((len(DEGREES), number, NAMES[number]))
    phrases = ", ".join(phrase for *_, phrase in sorted(shown))
    return f"The face shows {phrases}." if phrases else "The face shows no movement."
