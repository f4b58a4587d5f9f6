"""Colour of each seen pixel: materials, light, and the background behind."""

from __future__ import annotations

import numpy as np
from numba import njit

from ugcl.data.demo.skin import LEFT, SPAN, TOP

SKIN, EYE, TEETH, TONGUE, LASH, HAIR, CAVITY, HAIRLINE = range(8)  # HAIRLINE: skin and hair meet inside
EYE_X, EYE_Y, EYE_Z, EYE_RADIUS = 0.312, 7.285, 1.245, 0.146


@njit(cache=True, fastmath=True)
def _hairline(x: float, y: float, z: float, height: float, recede: float) -> float:
    """Signed height (dm) above the hairline at a base position; positive is hair."""
    side = abs(x)
    angle = np.arctan2(side, z - 0.35)  # 0 front, pi back
    if angle < 0.62:
        line = height + recede * np.exp(-(((angle - 0.5) / 0.2) ** 2))
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


@njit(cache=True, fastmath=True)
def _noise(tile: np.ndarray, u: float, v: float) -> float:
    """Bilinear look-up in a square tile that repeats, one cell a unit."""
    side = tile.shape[0]
    fu, fv = np.floor(u), np.floor(v)
    a, b = u - fu, v - fv
    i, j = int(fu) % side, int(fv) % side
    k, m = (i + 1) % side, (j + 1) % side
    low = tile[i, j] + a * (tile[k, j] - tile[i, j])
    high = tile[i, m] + a * (tile[k, m] - tile[i, m])
    return low + b * (high - low)


@njit(cache=True, fastmath=True)
def shade(
    seen: np.ndarray,
    weights: np.ndarray,
    triangles: np.ndarray,
    materials: np.ndarray,
    normals: np.ndarray,
    base: np.ndarray,
    openness: np.ndarray,
    texture: np.ndarray,
    tile: np.ndarray,
    fold_weights: np.ndarray,
    colours: np.ndarray,
    hairstyle: np.ndarray,
    light: np.ndarray,
    background: np.ndarray,
) -> np.ndarray:
    """Shade a rasterised bust.

    Args:
        seen, weights: from `raster.rasterise`, side S.
        triangles (T, 3), materials (T,): geometry and its material constants.
        normals (V, 3), base (V, 3), openness (V,): view normals, base coordinates, ambient openness 0..1.
        texture (R, R, 3 + K): front paint, linear RGB, and the masks of K folds. tile (N, N): noise in 0..1.
        fold_weights (K,): how deep each fold is now.
        colours (5, 3): skin, iris, hair, cloth, collar; linear RGB.
        hairstyle (4,): hairline height, temple recession, strand frequency, has hair (0 or 1).
        light (4, 3): key direction, key colour, fill colour, (neckline y, neckline v-depth, shine).
        background (S, S, 3): uint8 RGB.

    Returns:
        (S, S, 3) uint8 RGB.
    """
    size = seen.shape[0]
    resolution = texture.shape[0]
    image = np.zeros((size, size, 3), np.uint8)
    key, neckline, vee, shine = light[0], light[3, 0], light[3, 1], light[3, 2]
    half = key + np.array([0.0, 0.0, 1.0], np.float32)
    half /= np.sqrt((half * half).sum())
    albedo = np.zeros(3, np.float32)
    for row in range(size):
        for column in range(size):
            t = seen[row, column]
            if t < 0:
                image[row, column] = background[row, column]
                continue
            a, b, c = triangles[t, 0], triangles[t, 1], triangles[t, 2]
            wb, wc = weights[row, column, 0], weights[row, column, 1]
            wa = 1 - wb - wc
            x = wa * base[a, 0] + wb * base[b, 0] + wc * base[c, 0]
            y = wa * base[a, 1] + wb * base[b, 1] + wc * base[c, 1]
            z = wa * base[a, 2] + wb * base[b, 2] + wc * base[c, 2]
            nx = wa * normals[a, 0] + wb * normals[b, 0] + wc * normals[c, 0]
            ny = wa * normals[a, 1] + wb * normals[b, 1] + wc * normals[c, 1]
            nz = wa * normals[a, 2] + wb * normals[b, 2] + wc * normals[c, 2]
            length = np.sqrt(nx * nx + ny * ny + nz * nz) + 1e-9
            nx, ny, nz = nx / length, ny / length, nz / length
            occlusion = wa * openness[a] + wb * openness[b] + wc * openness[c]
            material = materials[t]
            gloss, wrap = 0.0, 0.0
            albedo[:] = colours[0]
            if material in (SKIN, HAIRLINE):
                collar = (
                    neckline + 0.10 * (0.35 - z) - vee * max(0.0, 0.5 - abs(x)) * (1.0 if z > 0.3 else 0.0)
                )
                hairy = -1.0
                if material == HAIRLINE:
                    material = SKIN
                    hairy = _hairline(x, y, z, hairstyle[0], hairstyle[1])
                    hairy += 0.05 * (_noise(tile, x * 60, y * 12 + z * 7) - 0.5)
                if y < collar:
                    albedo[:] = colours[3]
                    if y > collar - 0.07:
                        albedo[:] = colours[4]
                    albedo *= 0.93 + 0.07 * _noise(tile, x * 40, y * 40)
                elif hairy > 0:
                    material = HAIR
                else:
                    wrap = 0.25
                    u = int((x - LEFT) / SPAN * resolution)
                    v = int((TOP - y) / SPAN * resolution)
                    if z > 0.55 and 0 <= u < resolution and 0 <= v < resolution:
                        for k in range(3):
                            albedo[k] = texture[v, u, k]
                        crease = 0.0
                        for k in range(fold_weights.shape[0]):
                            crease += fold_weights[k] * texture[v, u, 3 + k]
                        albedo *= 1 - min(0.6, crease)
                    gloss = shine
            if material == EYE:
                ex = (abs(x) - EYE_X) / EYE_RADIUS
                ey = (y - EYE_Y) / EYE_RADIUS
                radius = np.sqrt(ex * ex + ey * ey)
                albedo[:] = 0.72
                albedo[1] = 0.68
                albedo[2] = 0.66
                if z > EYE_Z:
                    if radius < 0.17:
                        albedo[:] = 0.006
                    elif radius < 0.43:
                        fade = 1.0 if radius < 0.37 else 0.35
                        albedo[:] = colours[1] * fade * (0.75 + 0.5 * _noise(tile, ex * 30, ey * 30))
                gloss = 1.2
                occlusion *= 0.55 + 0.45 * min(1.0, max(0.0, (7.40 - y) / 0.14))  # the upper lid's shadow
            elif material == TEETH:
                albedo[:] = 0.62
                albedo[2] = 0.52
                gap = abs((x * 16) % 1 - 0.5)
                if gap > 0.44:
                    albedo *= 0.7
                occlusion = max(0.12, 1 - 1.1 * abs(x) / 0.3) * min(1.0, max(0.25, (z - 0.9) / 0.45))
                gloss = 0.2
            elif material == TONGUE:
                albedo[:] = colours[0] * 0.4
                albedo[0] = 0.28
                occlusion = 0.35
            elif material == LASH:
                albedo[:] = 0.01
            elif material == CAVITY:
                albedo[0], albedo[1], albedo[2] = 0.09, 0.018, 0.016
                occlusion = 0.5
            elif material == HAIR:
                along = y * 2.2 + z * 1.1
                strand = _noise(tile, x * hairstyle[2] + z * 0.6 * hairstyle[2], along)
                fine = _noise(tile, (x - 0.7 * z) * hairstyle[2] * 2.7, along * 2)
                albedo[:] = colours[2] * (0.55 + 0.6 * strand + 0.3 * fine)
                gloss = 0.25 * strand
                occlusion *= 0.85
            lambert = nx * key[0] + ny * key[1] + nz * key[2]
            diffuse = max(0.0, (lambert + wrap) / (1 + wrap))
            red = max(0.0, (lambert + 1.6 * wrap) / (1 + 1.6 * wrap))
            shadow = 0.6 + 0.4 * ny if material == SKIN and ny < 0 else 0.6 + 0.2 * ny
            spot = max(0.0, nx * half[0] + ny * half[1] + nz * half[2])
            spot = spot * spot * spot * spot
            spot = spot * spot * spot * spot  # exponent 16, for the wet eye 64
            if material == EYE:
                spot = spot * spot * spot * spot
            glint = gloss * 0.16 * spot if lambert > 0 else 0.0
            for k in range(3):
                lit = (red if k == 0 else diffuse) * light[1, k] * (0.35 + 0.65 * occlusion)
                value = albedo[k] * (lit + light[2, k] * shadow * occlusion) + glint * light[1, k]
                value = value / (1 + 0.18 * value)
                image[row, column, k] = np.uint8(255 * np.sqrt(min(1.0, max(0.0, value))))
    return image
