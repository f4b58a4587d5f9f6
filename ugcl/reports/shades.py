"""Colours of systems: one hue per family, one shade of it per member, enough for fifty ablations."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import numpy as np
from matplotlib.colors import to_hex, to_rgb

FAMILIES = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#6B4800", "#332288")
"""Colours of the first families, which people with colour-blindness can distinguish.

Sources: Okabe and Ito, Color Universal Design, 2008 (the fifth, orange, is darker than there: it had little
contrast with white); Tol, Colour Schemes, SRON/EPS/TN/09-002, 2021 (the last).
"""

BAND = 10.0
"""Degrees that the hues of a family's shades reach to both sides."""

CONTRAST = 3.0
"""Least contrast with white (WCAG 2.2, success criterion 1.4.11, graphical objects)."""

TO_CONES = np.array(
    [
        [0.4122214708, 0.5363325363, 0.0514459929],
        [0.2119034982, 0.6806995451, 0.1073969566],
        [0.0883024619, 0.2817188376, 0.6299787005],
    ]
)
TO_OKLAB = np.array(
    [
        [0.2104542553, 0.7936177850, -0.0040720468],
        [1.9779984951, -2.4285922050, 0.4505937099],
        [0.0259040371, 0.7827717662, -0.8086757660],
    ]
)
"""Linear sRGB → cones → OKLab, where distances are differences that are seen (Ottosson 2020)."""


def shades(parents: Mapping[str, str | None]) -> dict[str, str]:
    """A colour for every system, in the hue of the family that it descends from.

    Families take hues, and members of a family shades, in the order of the systems, so that one added at the
    end changes no other. Each shade is as far as possible from those before it.

    Args:
        parents: system → the system that it extends, or None; in order.

    Returns:
        System → colour such as #0072b2. A family of up to 130 has as many shades.
    """
    roots = [system for system, parent in parents.items() if parent is None]
    streams = dict(zip(roots, map(_stream, _firsts(len(roots))), strict=True))
    found: dict[str, str] = {}
    for system in sorted(parents, key=lambda name: parents[name] is not None):
        root = system
        while (parent := parents[root]) is not None:
            root = parent
        own = (colour for colour in streams[root] if colour not in found.values())
        found[system] = next(own, found.get(root, FAMILIES[0]))
    return {system: found[system] for system in parents}


def oklab(colour: str) -> np.ndarray:
    """Lightness, green–red and blue–yellow of a colour, (3,)."""
    rgb = np.array(to_rgb(colour))
    linear = np.where(rgb <= 0.04045, rgb / 12.92, ((rgb + 0.055) / 1.055) ** 2.4)
    return TO_OKLAB @ np.cbrt(TO_CONES @ linear)


def _stream(first: np.ndarray) -> Iterator[str]:
    """The colour of a family, then its shades, each the farthest from all before."""
    candidates = _shades_of(float(np.arctan2(first[2], first[1])))
    nearest, latest = np.full(len(candidates), np.inf), first
    while nearest.max() > 0:
        yield to_hex(_srgb(latest[None])[1][0].clip(0, 1))
        nearest = np.minimum(nearest, np.linalg.norm(candidates - latest, axis=1))
        latest = candidates[nearest.round(6).argmax()]  # rounded: ties are the same everywhere


def _firsts(count: int) -> list[np.ndarray]:
    """The colours of families in OKLab; after the fixed ones each has its hue in the widest gap."""
    firsts = [oklab(colour) for colour in FAMILIES][:count]
    while len(firsts) < count:
        around = np.sort([np.arctan2(b, a) for _, a, b in firsts])
        gaps = np.diff(around, append=around[0] + 2 * np.pi).round(6)
        hue = around[gaps.argmax()] + gaps.max() / 2
        candidates = _shades_of(hue, band=0)
        vivid = np.array([0.55, 0.2 * np.cos(hue), 0.2 * np.sin(hue)])
        firsts.append(candidates[np.linalg.norm(candidates - vivid, axis=1).round(6).argmin()])
    return firsts


def _shades_of(hue: float, band: float = BAND) -> np.ndarray:
    """Colours near a hue that a screen can show, saturated and dark enough on white, (N, 3) in OKLab."""
    hues = hue + np.deg2rad(np.linspace(-band, band, 5))
    axes = np.meshgrid(np.arange(0.30, 0.70, 0.02), np.arange(0.06, 0.25, 0.02), hues, indexing="ij")
    lightness, chroma, angle = (axis.ravel() for axis in axes)
    colours = np.stack([lightness, chroma * np.cos(angle), chroma * np.sin(angle)], axis=1)
    linear = _srgb(colours)[0]
    luminance = linear @ [0.2126, 0.7152, 0.0722]
    shown = ((linear >= 0) & (linear <= 1)).all(axis=1) & (1.05 / (luminance + 0.05) >= CONTRAST)
    return colours[shown]


def _srgb(colours: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Linear and displayed sRGB of OKLab colours, (N, 3) each."""
    cones = (colours @ np.linalg.inv(TO_OKLAB).T) ** 3
    linear = cones @ np.linalg.inv(TO_CONES).T
    displayed = 1.055 * np.clip(linear, 0, None) ** (1 / 2.4) - 0.055
    return linear, np.where(linear <= 0.0031308, 12.92 * linear, displayed)
