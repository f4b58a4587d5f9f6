"""The take: light and background, drawn anew for each clip around the actor's set."""

from __future__ import annotations

import cv2
import numpy as np

from ugcl.demo.face.bust import Scene


def scene(rng: np.random.Generator, size: int, vee: float, shine: float) -> Scene:
    """A lit set for one clip.

    Args:
        size: side of the video, pixels; the set is a quarter larger.
        vee, shine: the actor's neckline depth and skin gloss.
    """
    wide = size * 5 // 4
    azimuth, elevation = rng.uniform(-0.8, 0.8), rng.uniform(0.3, 0.75)
    across = np.cos(elevation)
    key = np.array([np.sin(azimuth) * across, np.sin(elevation), np.cos(azimuth) * across])
    warmth = rng.uniform(-0.07, 0.09)
    strength = rng.uniform(0.75, 1.0)
    fill = rng.uniform(0.38, 0.55)
    tint = np.array([1 + warmth, 1.0, 1 - warmth])
    light = np.array([key, strength * tint, fill * tint[::-1], [5.78, vee, shine]], np.float32)

    hue = rng.uniform(0.1, 0.5, 3) * 0.5 + rng.uniform(0.05, 0.35)
    y, x = np.mgrid[0:wide, 0:wide].astype(np.float32) / wide
    glow = 1.15 - 0.9 * ((x - rng.uniform(0.2, 0.8)) ** 2 + (y - rng.uniform(0.1, 0.6)) ** 2)
    backdrop = glow[..., None] * hue.astype(np.float32)
    for _ in range(rng.integers(0, 4)):  # blurred furniture
        left, top = rng.uniform(-0.2, 0.9), rng.uniform(0.0, 0.8)
        shade = rng.uniform(0.65, 1.3)
        inside = ((x > left) & (x < left + rng.uniform(0.1, 0.4)) & (y > top)).astype(np.float32)
        backdrop *= 1 + (shade - 1) * cv2.GaussianBlur(inside, (0, 0), wide * 0.02)[..., None]
    span, centre = rng.uniform(3.1, 3.5), rng.uniform(6.98, 7.08)
    picture = np.uint8(255 * np.sqrt(np.clip(backdrop, 0.01, 0.9)))
    return Scene(light, picture, float(span), float(centre))
