"""SVG in fewer bytes: what matplotlib writes has more digits, names and blanks than any picture needs."""

from __future__ import annotations

import re
from urllib.parse import quote

LONG = re.compile(r"(-?\d+\.\d\d)\d+")
PLACES = re.compile(r'(?<=\s)(?:d|x|y|width|height)="[^"]*"|translate\([^)]*\)')
"""Lengths in points, or in units of glyphs, which are smaller; a scale is none of them."""
GLYPH = re.compile(r'(<use xlink:href="#[^"]+") transform="translate\(([-\d.]+) ([-\d.]+)\)"/>')
SAFE = " ='/:;,.()-+*!~@$?[]|{}^"


def compact(text: str) -> str:
    """The same picture with places to a hundredth of a point, short names, and no blanks between elements."""
    text = PLACES.sub(lambda found: _places(found[0]), text)
    text = re.sub(r">\s+<", "><", re.sub(r"\s*<!--.*?-->", "", text, flags=re.S))
    text = GLYPH.sub(r'\1 x="\2" y="\3"/>', text).replace(' y="0"/>', "/>")
    used = dict.fromkeys(re.findall(r'(?:"|\()#([\w.-]+)(?:"|\))', text))
    names = {name: f"i{number}" for number, name in enumerate(used)}
    text = re.sub(r'((?:"|\()#)([\w.-]+)(?="|\))', lambda found: found[1] + names[found[2]], text)
    return re.sub(r' id="([^"]*)"', lambda found: _name(names.get(found[1])), text)


def _places(text: str) -> str:
    text = LONG.sub(lambda found: f"{float(found[0]):.2f}".rstrip("0").rstrip("."), text)
    return (
        re.sub(r"\s*\n\s*|(?<=[MLQCHVz])\s+|\s+(?=[MLQCHVz\"])", "", text) if text.startswith("d=") else text
    )


def _name(short: str | None) -> str:
    return f' id="{short}"' if short else ""


def data_uri(svg: str) -> str:
    """An SVG as the address of a picture, for an attribute in double quotes; base64 is a third longer."""
    return "data:image/svg+xml," + quote(svg.replace("'", "&apos;").replace('"', "'"), safe=SAFE)
