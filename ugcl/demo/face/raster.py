"""A small z-buffer: which triangle each pixel sees, and where on it."""

from __future__ import annotations

import numpy as np
from numba import njit


@njit(cache=True, error_model="numpy")
def rasterise(points: np.ndarray, triangles: np.ndarray, size: int) -> tuple[np.ndarray, np.ndarray]:
    """Draw triangles into a square depth buffer.

    Args:
        points: (V, 3) float32 pixel x, pixel y (down) and depth (greater is nearer).
        triangles: (T, 3) int32; back faces (clockwise on the screen) are skipped.
        size: width and height in pixels.

    Returns:
        seen (size, size) int32 triangle index or -1, and (size, size, 2) float32 barycentric weights of the
        triangle's second and third corner.
    """
    depth = np.full((size, size), -1e9, np.float32)
    seen = np.full((size, size), -1, np.int32)
    weights = np.zeros((size, size, 2), np.float32)
    for t in range(triangles.shape[0]):
        a, b, c = triangles[t, 0], triangles[t, 1], triangles[t, 2]
        ax, ay, az = points[a, 0], points[a, 1], points[a, 2]
        bx, by, bz = points[b, 0], points[b, 1], points[b, 2]
        cx, cy, cz = points[c, 0], points[c, 1], points[c, 2]
        area = (bx - ax) * (cy - ay) - (by - ay) * (cx - ax)
        if area >= -1e-9:  # y points down, so front faces have a negative area
            continue
        inverse = 1 / area
        x0 = max(0, int(np.ceil(min(ax, bx, cx) - 0.5)))
        x1 = min(size - 1, int(np.floor(max(ax, bx, cx) - 0.5)))
        y0 = max(0, int(np.ceil(min(ay, by, cy) - 0.5)))
        y1 = min(size - 1, int(np.floor(max(ay, by, cy) - 0.5)))
        # The weights are planes over the screen: what a step to the right adds.
        step_b, step_c = (cy - ay) * inverse, (ay - by) * inverse
        for y in range(y0, y1 + 1):
            px, py = x0 + 0.5, y + 0.5
            wb = ((px - ax) * (cy - ay) - (py - ay) * (cx - ax)) * inverse
            wc = ((bx - ax) * (py - ay) - (by - ay) * (px - ax)) * inverse
            for x in range(x0, x1 + 1):
                if wb >= 0 and wc >= 0 and wb + wc <= 1:
                    z = az + wb * (bz - az) + wc * (cz - az)
                    if z > depth[y, x]:
                        depth[y, x] = z
                        seen[y, x] = t
                        weights[y, x, 0] = wb
                        weights[y, x, 1] = wc
                wb += step_b
                wc += step_c
    return seen, weights


@njit(cache=True, error_model="numpy")
def vertex_normals(vertices: np.ndarray, triangles: np.ndarray) -> np.ndarray:
    """Unit normals (V, 3): the area-weighted mean of the adjacent faces."""
    normals = np.zeros_like(vertices)
    for t in range(triangles.shape[0]):
        a, b, c = triangles[t, 0], triangles[t, 1], triangles[t, 2]
        ux, vx = vertices[b, 0] - vertices[a, 0], vertices[c, 0] - vertices[a, 0]
        uy, vy = vertices[b, 1] - vertices[a, 1], vertices[c, 1] - vertices[a, 1]
        uz, vz = vertices[b, 2] - vertices[a, 2], vertices[c, 2] - vertices[a, 2]
        nx, ny, nz = uy * vz - uz * vy, uz * vx - ux * vz, ux * vy - uy * vx
        for corner in (a, b, c):
            normals[corner, 0] += nx
            normals[corner, 1] += ny
            normals[corner, 2] += nz
    for v in range(normals.shape[0]):
        length = np.sqrt(normals[v, 0] ** 2 + normals[v, 1] ** 2 + normals[v, 2] ** 2)
        if length > 0:
            for k in range(3):  # as an array, it would take seconds to compile
                normals[v, k] /= length
    return normals
