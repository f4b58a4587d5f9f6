"""SVG in fewer bytes: what matplotlib writes has more digits and blanks than any screen or printer shows."""

from __future__ import annotations

import re
from urllib.parse import quote

LONG = re.compile(r"(-?\d+\.\d\d)\d+")
PLACES = re.compile(r'(?<=\s)(?:d|x|y|width|height)="[^"]*"|translate\([^)]*\)')
"""Lengths in points, or in units of glyphs, which are smaller; a scale is none of them."""
SAFE = " ='/:;,.()-+*!~@$?[]|{}^"


def compact(text: str) -> str:
    """An SVG with places to a hundredth of a point and without the blanks between its elements."""
    text = PLACES.sub(lambda found: _places(found[0]), text)
    return re.sub(r">\s+<", "><", text)


def _places(text: str) -> str:
    text = LONG.sub(lambda found: f"{float(found[0]):.2f}".rstrip("0").rstrip("."), text)
    return (
        re.sub(r"\s*\n\s*|(?<=[MLQCHVz])\s+|\s+(?=[MLQCHVz\"])", "", text) if text.startswith("d=") else text
    )


def data_uri(svg: str) -> str:
    """An SVG as the address of a picture, for an attribute in double quotes; base64 is a third longer."""
    return "data:image/svg+xml," + quote(svg.replace("'", "&apos;").replace('"', "'"), safe=SAFE)
