"""Colour of each seen pixel: materials, light, and the background behind."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numba import njit

from ugcl.demo.face.skin import LEFT, SPAN, TOP

SKIN, EYE, TEETH, TONGUE, LASH, HAIR, CAVITY, HAIRLINE = range(8)  # HAIRLINE: skin and hair meet inside
EYE_X, EYE_Y, EYE_Z, EYE_RADIUS = 0.312, 7.285, 1.245, 0.146


class Surface(NamedTuple):
    """A posed bust of T triangles and V vertices."""

    triangles: np.ndarray  # (T, 3) vertices
    materials: np.ndarray  # (T,) of the constants above
    normals: np.ndarray  # (V, 3) in the view
    base: np.ndarray  # (V, 3) coordinates before identity and pose
    openness: np.ndarray  # (V,) to ambient light, 0..1


class Paint(NamedTuple):
    """An actor's colours."""

    texture: np.ndarray  # (R, R, 3 + K) front paint, linear RGB, and the masks of K folds
    tile: np.ndarray  # (N, N) noise in 0..1
    folds: np.ndarray  # (K,) how deep each fold is now
    colours: np.ndarray  # (5, 3) skin, iris, hair, cloth, collar; linear RGB
    hairstyle: np.ndarray  # (4,) hairline height, temple recession, strand frequency, has hair (0 or 1)


@njit(cache=True, fastmath=True, error_model="numpy")
def _hairline(x: float, y: float, z: float, height: float, recede: float) -> float:
    """Signed height (dm) above the hairline at a base position; positive is hair."""
    side = abs(x)
    angle = np.arctan2(side, z - 0.35)  # 0 front, pi back
    if angle < 0.62:
        line = height + recede * np.exp(-(((angle - 0.55) / 0.28) ** 2))
    elif angle < 1.25:
        line = height + recede - (angle - 0.62) / 0.63 * (height + recede - 7.2)
    elif angle < 1.9:
        line = 7.2 - (angle - 1.25) / 0.65 * 0.25
    else:
        line = 6.95 - min(1.0, (angle - 1.9) / 0.8) * 0.5
    distance = y - line
    if side > 0.70 and 6.85 < y < 7.56:  # the ears stay bare
        distance = min(distance, (0.74 - side) * 2)
    return distance


@njit(cache=True)
def hairlines(base: np.ndarray, height: float, recede: float) -> np.ndarray:
    """Signed height (V,) above the hairline of every base vertex."""
    result = np.zeros(base.shape[0], np.float32)
    for v in range(base.shape[0]):
        result[v] = _hairline(base[v, 0], base[v, 1], base[v, 2], height, recede)
    return result


@njit(cache=True, fastmath=True, error_model="numpy")
def _noise(tile: np.ndarray, u: float, v: float) -> float:
    """Bilinear look-up in a square tile that repeats, one cell per unit; its side is a power of two."""
    last = tile.shape[0] - 1
    fu, fv = np.floor(u), np.floor(v)
    a, b = u - fu, v - fv
    i, j = int(fu) & last, int(fv) & last
    k, m = (i + 1) & last, (j + 1) & last
    low = tile[i, j] + a * (tile[k, j] - tile[i, j])
    high = tile[i, m] + a * (tile[k, m] - tile[i, m])
    return low + b * (high - low)


@njit(cache=True, fastmath=True, error_model="numpy")
def _display(value: float) -> int:
    """Linear light to an 8-bit value: soft shoulder, then a gamma of 2."""
    return np.uint8(255 * np.sqrt(min(1.0, max(0.0, value / (1 + 0.18 * value)))))  # pyright: ignore[reportReturnType]


@njit(cache=True, fastmath=True, error_model="numpy")
def _skin(texture: np.ndarray, depths: np.ndarray, plain: np.ndarray, x: float, y: float, z: float) -> tuple:
    """Painted skin where the face looks forward, plain skin elsewhere."""
    resolution = texture.shape[0]
    u, v = int((x - LEFT) / SPAN * resolution), int((TOP - y) / SPAN * resolution)
    if z < 0.55 or u < 0 or v < 0 or u >= resolution or v >= resolution:
        return plain[0], plain[1], plain[2]
    crease = np.float32(0)
    for k in range(depths.shape[0]):
        crease += depths[k] * texture[v, u, 3 + k]
    left = 1 - min(np.float32(0.6), crease)
    return texture[v, u, 0] * left, texture[v, u, 1] * left, texture[v, u, 2] * left


@njit(cache=True, fastmath=True, error_model="numpy")
def _eye(tile: np.ndarray, iris: np.ndarray, x: float, y: float, z: float) -> tuple:
    """White, iris with a dark rim, and pupil, by the distance from the eye's axis."""
    ex, ey = (abs(x) - EYE_X) / EYE_RADIUS, (y - EYE_Y) / EYE_RADIUS
    radius = np.sqrt(ex * ex + ey * ey)
    if z < EYE_Z or radius > 0.43:
        return 0.72, 0.68, 0.66
    if radius < 0.17:
        return 0.006, 0.006, 0.006
    bright = (1.0 if radius < 0.37 else 0.35) * (0.75 + 0.5 * _noise(tile, ex * 30, ey * 30))
    return iris[0] * bright, iris[1] * bright, iris[2] * bright


@njit(cache=True, fastmath=True, error_model="numpy")
def _strands(tile: np.ndarray, frequency: float, x: float, y: float, z: float) -> float:
    """Brightness of hair: coarse and fine strands that run down the head."""
    along = y * 2.2 + z * 1.1
    coarse = _noise(tile, (x + 0.6 * z) * frequency, along)
    return 0.55 + 0.6 * coarse + 0.3 * _noise(tile, (x - 0.7 * z) * frequency * 2.7, along * 2)


@njit(cache=True, fastmath=True, error_model="numpy")
def _point(
    corners: tuple, wb: float, wc: float, base: np.ndarray, normals: np.ndarray, openness: np.ndarray
) -> tuple:
    """Base position (x, y, z), unit normal (x, y, z) and openness at a place in a triangle."""
    a, b, c = corners
    wa = 1 - wb - wc
    x = wa * base[a, 0] + wb * base[b, 0] + wc * base[c, 0]
    y = wa * base[a, 1] + wb * base[b, 1] + wc * base[c, 1]
    z = wa * base[a, 2] + wb * base[b, 2] + wc * base[c, 2]
    nx = wa * normals[a, 0] + wb * normals[b, 0] + wc * normals[c, 0]
    ny = wa * normals[a, 1] + wb * normals[b, 1] + wc * normals[c, 1]
    nz = wa * normals[a, 2] + wb * normals[b, 2] + wc * normals[c, 2]
    scale = 1 / (np.sqrt(nx * nx + ny * ny + nz * nz) + 1e-9)
    open_sky = wa * openness[a] + wb * openness[b] + wc * openness[c]
    return x, y, z, nx * scale, ny * scale, nz * scale, open_sky


@njit(cache=True, fastmath=True, error_model="numpy")
def _detail(
    material: int, tile: np.ndarray, colours: np.ndarray, frequency: float, place: tuple, open_sky: float
) -> tuple:
    """Colour (red, green, blue), gloss and openness of what is neither skin nor cloth."""
    x, y, z = place
    gloss = 0.0
    if material == EYE:
        red, green, blue = _eye(tile, colours[1], x, y, z)
        gloss = 1.2
        open_sky *= 0.55 + 0.45 * min(1.0, max(0.0, (7.40 - y) / 0.14))  # the upper lid's shadow
    elif material == HAIR:
        bright = _strands(tile, frequency, x, y, z)
        red, green, blue = colours[2, 0] * bright, colours[2, 1] * bright, colours[2, 2] * bright
        gloss = 0.2 * (bright - 0.5)
        open_sky *= 0.85
    elif material == TEETH:
        gap = 0.7 if abs((x * 16) % 1 - 0.5) > 0.44 else 1.0
        red, green, blue = 0.62 * gap, 0.62 * gap, 0.52 * gap
        open_sky = max(0.12, 1 - 3.6 * abs(x)) * min(1.0, max(0.25, (z - 0.9) / 0.45))
        gloss = 0.2
    elif material == TONGUE:
        red, green, blue = 0.28, 0.07, 0.06
        open_sky = 0.35
    elif material == CAVITY:
        red, green, blue = 0.09, 0.018, 0.016
        open_sky = 0.5
    else:
        red, green, blue = 0.01, 0.01, 0.01
    return red, green, blue, gloss, open_sky


@njit(cache=True, fastmath=True, error_model="numpy")
def _halfway(light: np.ndarray) -> tuple:
    """Unit vector halfway between the key light and the eye."""
    x, y, z = light[0, 0], light[0, 1], light[0, 2] + np.float32(1)
    length = np.sqrt(x * x + y * y + z * z)
    return x / length, y / length, z / length


@njit(cache=True, fastmath=True, error_model="numpy")
def _strengths(
    material: int, light: np.ndarray, half: tuple, normal: tuple, gloss: float, wrap: float, open_sky: float
) -> tuple:
    """How much key light reaches red, and the other colours; fill light; and the light that glints."""
    nx, ny, nz = normal
    lambert = nx * light[0, 0] + ny * light[0, 1] + nz * light[0, 2]
    # Light bleeds through skin past the edge of the shadow, red most.
    warm = max(0.0, (lambert + 1.6 * wrap) / (1 + 1.6 * wrap)) * (0.35 + 0.65 * open_sky)
    cool = max(0.0, (lambert + wrap) / (1 + wrap)) * (0.35 + 0.65 * open_sky)
    below = 0.4 if material == SKIN and ny < 0 else 0.2
    ambient = (0.6 + below * ny) * open_sky
    spot = max(0.0, nx * half[0] + ny * half[1] + nz * half[2])
    spot = spot * spot * spot * spot
    spot = spot * spot * spot * spot  # exponent 16, for the wet eye 64
    if material == EYE:
        spot = spot * spot * spot * spot
    return warm, cool, ambient, gloss * 0.16 * spot if lambert > 0 else 0.0


@njit(cache=True, fastmath=True, error_model="numpy")
def _lit(colour: tuple, strengths: tuple, light: np.ndarray) -> tuple:
    """A colour under the key light, the fill light and what glints."""
    warm, cool, ambient, glint = strengths
    red = colour[0] * (warm * light[1, 0] + ambient * light[2, 0]) + glint * light[1, 0]
    green = colour[1] * (cool * light[1, 1] + ambient * light[2, 1]) + glint * light[1, 1]
    blue = colour[2] * (cool * light[1, 2] + ambient * light[2, 2]) + glint * light[1, 2]
    return red, green, blue


@njit(cache=True, fastmath=True, error_model="numpy")
def shade(
    seen: np.ndarray,
    weights: np.ndarray,
    surface: Surface,
    paint: Paint,
    light: np.ndarray,
    background: np.ndarray,
) -> np.ndarray:
    """Shade a rasterised bust.

    Args:
        seen, weights: from `raster.rasterise`, side S.
        surface: the posed bust.
        paint: its colours.
        light (4, 3): key direction, key colour, fill colour, (neckline y, neckline v-depth, shine).
        background (S, S, 3): uint8 RGB.

    Returns:
        (S, S, 3) uint8 RGB.
    """
    # Fields are taken out once: numba counts references to a field each time that it is taken.
    triangles, materials, normals, base, openness = surface
    texture, tile, folds, colours, hairstyle = paint
    image, half = background.copy(), _halfway(light)
    neckline, vee, shine = light[3, 0], light[3, 1], light[3, 2]
    for row in range(seen.shape[0]):
        for column in range(seen.shape[1]):
            t = seen[row, column]
            if t < 0:
                continue
            corners = triangles[t, 0], triangles[t, 1], triangles[t, 2]
            wb, wc = weights[row, column, 0], weights[row, column, 1]
            x, y, z, nx, ny, nz, open_sky = _point(corners, wb, wc, base, normals, openness)
            material = materials[t]
            if material == HAIRLINE:
                edge = _hairline(x, y, z, hairstyle[0], hairstyle[1])
                edge += 0.05 * (_noise(tile, x * 60, y * 12 + z * 7) - 0.5)
                material = HAIR if edge > 0 else SKIN
            gloss, wrap = 0.0, 0.0
            if material == SKIN:
                collar = neckline + 0.10 * (0.35 - z)
                if z > 0.3:
                    collar -= vee * max(0.0, 0.5 - abs(x))
                if y < collar:
                    cloth = colours[4 if y > collar - 0.07 else 3]
                    weave = 0.93 + 0.07 * _noise(tile, x * 40, y * 40)
                    red, green, blue = cloth[0] * weave, cloth[1] * weave, cloth[2] * weave
                else:
                    red, green, blue = _skin(texture, folds, colours[0], x, y, z)
                    gloss, wrap = shine, 0.25
            else:
                red, green, blue, gloss, open_sky = _detail(
                    material, tile, colours, hairstyle[2], (x, y, z), open_sky
                )
            strengths = _strengths(material, light, half, (nx, ny, nz), gloss, wrap, open_sky)
            red, green, blue = _lit((red, green, blue), strengths, light)
            image[row, column, 0] = _display(red)
            image[row, column, 1] = _display(green)
            image[row, column, 2] = _display(blue)
    return image
