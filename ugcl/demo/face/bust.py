"""One actor's bust: identity, hair and clothes on the mesh, ready to be posed and drawn."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from ugcl.demo.actors import Actor, stream
from ugcl.demo.face import head, raster, shading, skin

PIVOT = np.array([0.0, 6.35, 0.35], np.float32)  # dm; the head turns about the top of the neck
CAMERA = 15.0  # dm from the head
THICKNESS = dict(short=0.10, crop=0.045, receding=0.05, curly=0.20, long=0.13, bob=0.14, bun=0.06)  # dm
CURTAIN = {"long": 5.6, "bob": 6.45}  # lower end of the hair, dm
MATERIALS = np.array(
    [shading.SKIN, shading.EYE, shading.EYE, shading.TEETH, shading.TEETH, shading.TONGUE, shading.LASH]
).astype(np.uint8)
"""Material of each part of `head`."""
RECESSION = {"receding": 0.30, "short": 0.08, "crop": 0.12}


@dataclass(frozen=True)
class Pose:
    """Where the head points (radians) and how far it has moved (dm)."""

    yaw: float = 0.0
    pitch: float = 0.0
    roll: float = 0.0
    x: float = 0.0
    y: float = 0.0


@dataclass(frozen=True)
class Scene:
    """The take's light and background; `light` as in `shading.shade`, background (S, S, 3) uint8 RGB."""

    light: np.ndarray
    background: np.ndarray
    span: float = 3.3  # dm seen across the picture
    centre: float = 7.0  # dm, height of the picture's middle


class Bust:
    """The drawable model of one actor."""

    def __init__(self, actor: Actor, seed: int) -> None:
        """Blend the identity, grow the hair, paint the face."""
        mesh = head.load()
        keep = mesh.parts != head.HAIR
        triangles, parts = mesh.triangles[keep], mesh.parts[keep]
        shape = mesh.move(mesh.vertices, actor.targets)
        base = mesh.vertices
        arms = np.clip(np.abs(shape[:, 0]) - 1.15, 0, None) * (base[:, 1] < 6.2)
        shape[:, 1] -= 0.75 * arms

        bald = actor.hairstyle == "bald"
        recede = RECESSION.get(actor.hairstyle, 0.0)
        body = mesh.part_vertices(head.BODY)
        if not bald:
            above = shading.hairlines(base, actor.hairline, recede)
            amount = np.clip((above - 0.01) / 0.28, 0, 1) * (base[:, 1] > 6.4)
            amount = amount * amount * (3 - 2 * amount) * THICKNESS[actor.hairstyle]
            grown = np.zeros(len(base), np.float32)
            grown[body] = amount[body]
            shape = shape + raster.vertex_normals(shape, triangles) * grown[:, None]
        materials = MATERIALS[parts]
        inside = _mouth_inside(base, triangles[parts == head.BODY])
        cavity = (parts == head.BODY) & inside[triangles].all(axis=1)
        materials[cavity] = shading.CAVITY
        lower = (parts == head.LASHES) & (base[triangles][:, :, 1].mean(axis=1) < 7.28)
        triangles, materials = triangles[~lower], materials[~lower]  # they would look like heavy make-up
        if not bald:
            heights = np.where(base[:, 1] > 6.3, above, -1)[triangles]
            outer = materials == shading.SKIN
            materials[outer & (heights.max(axis=1) > -0.06)] = shading.HAIRLINE
            materials[outer & (heights.min(axis=1) > 0.06)] = shading.HAIR

        extra, extra_triangles = _extra_hair(actor)
        self.rest = np.concatenate([shape, extra]).astype(np.float32)
        self.base = np.concatenate([base, extra]).astype(np.float32)
        names, self.offsets = mesh.offsets("action-", len(self.rest))
        self.actions = {name: column for column, name in enumerate(names)}
        self.triangles = np.concatenate([triangles, extra_triangles + len(base)]).astype(np.int32)
        hairy = np.full(len(extra_triangles), shading.HAIR, np.uint8)
        self.materials = np.concatenate([materials, hairy])
        self.openness = _openness(self.rest, self.triangles)
        turn = np.clip((self.base[:, 1] - 5.75) / 0.75, 0, 1)
        self.turn = (turn * turn * (3 - 2 * turn)).astype(np.float32)[:, None]
        paint = skin.albedo(actor.paint, stream(seed, "skin", actor.number))
        self.texture = np.concatenate([paint, np.moveaxis(skin.folds(), 0, 2)], axis=2)
        self.tile = stream(seed, "tile").random((64, 64), np.float32)
        colours = [actor.paint.skin, actor.iris, actor.hair, actor.cloth, actor.collar]
        self.colours = np.array(colours, np.float32)
        frequency = 26.0 if actor.hairstyle == "curly" else 14.0
        self.hairstyle = np.array([actor.hairline, recede, frequency, 0.0 if bald else 1.0], np.float32)

    def draw(
        self, actions: dict[str, float], folds: dict[str, float], pose: Pose, scene: Scene, size: int
    ) -> np.ndarray:
        """Draw one frame.

        Args:
            actions: facial action -> weight. folds: fold of `skin.FOLDS` -> darkness 0..1.
            size: width and height; drawn a quarter larger and averaged down.

        Returns:
            (size, size, 3) uint8 RGB.
        """
        wide = scene.background.shape[0]
        strengths = np.zeros(len(self.actions), np.float32)
        strengths[[self.actions[name] for name in actions]] = list(actions.values())
        vertices = self._turned(self.rest + (self.offsets @ strengths).reshape(-1, 3), pose)
        normals = raster.vertex_normals(vertices, self.triangles)
        scale = wide / scene.span * CAMERA / (CAMERA - vertices[:, 2])
        points = np.empty_like(vertices)
        points[:, 0] = wide / 2 + vertices[:, 0] * scale
        points[:, 1] = wide / 2 - (vertices[:, 1] - scene.centre) * scale
        points[:, 2] = vertices[:, 2]
        seen, weights = raster.rasterise(points, self.triangles, wide)
        depths = np.array([folds.get(name, 0.0) for name in skin.FOLDS], np.float32)
        surface = shading.Surface(self.triangles, self.materials, normals, self.base, self.openness)
        paint = shading.Paint(self.texture, self.tile, depths, self.colours, self.hairstyle)
        image = shading.shade(seen, weights, surface, paint, scene.light, scene.background)
        return cv2.resize(image, (size, size), interpolation=cv2.INTER_AREA)

    def _turned(self, vertices: np.ndarray, pose: Pose) -> np.ndarray:
        cy, sy, cp, sp = np.cos(pose.yaw), np.sin(pose.yaw), np.cos(pose.pitch), np.sin(pose.pitch)
        cr, sr = np.cos(pose.roll), np.sin(pose.roll)
        yaw = np.array([[cy, 0, sy], [0, 1, 0], [-sy, 0, cy]])
        pitch = np.array([[1, 0, 0], [0, cp, -sp], [0, sp, cp]])
        roll = np.array([[cr, -sr, 0], [sr, cr, 0], [0, 0, 1]])
        rotation = (yaw @ pitch @ roll).astype(np.float32)
        x, y, z = (vertices - PIVOT).T
        turned = np.stack([row[0] * x + row[1] * y + row[2] * z for row in rotation], axis=1) + PIVOT
        shift = np.array([pose.x, pose.y, 0], np.float32)
        return vertices + self.turn * (turned - vertices) + (0.3 + 0.7 * self.turn) * shift


def _mouth_inside(base: np.ndarray, triangles: np.ndarray) -> np.ndarray:
    """Which base vertices lie behind the closed lips."""
    side, span = 400, 1.0
    points = np.stack(
        [(base[:, 0] + 0.5) / span * side, (7.1 - base[:, 1]) / span * side, base[:, 2]], axis=1
    ).astype(np.float32)
    seen, weights = raster.rasterise(points, triangles, side)
    corners = base[triangles[seen], 2]
    front = corners[..., 0] * (1 - weights.sum(axis=2)) + (corners[..., 1:] * weights).sum(axis=2)
    column = np.clip(points[:, 0].astype(int), 0, side - 1)
    row = np.clip(points[:, 1].astype(int), 0, side - 1)
    behind = base[:, 2] < front[row, column] - 0.05
    near = (np.abs(base[:, 0]) < 0.36) & (base[:, 1] > 6.38) & (base[:, 1] < 6.92) & (base[:, 2] > 0.72)
    return behind & near


def _openness(vertices: np.ndarray, triangles: np.ndarray) -> np.ndarray:
    """How open to ambient light each vertex is (V,), 1 flat or convex, less in hollows."""
    normals = raster.vertex_normals(vertices, triangles)
    edges = np.concatenate([triangles[:, [0, 1]], triangles[:, [1, 2]], triangles[:, [2, 0]]])
    edges = np.concatenate([edges, edges[:, ::-1]])
    degree = np.maximum(np.bincount(edges[:, 0], minlength=len(vertices)), 1)

    def mean(values: np.ndarray) -> np.ndarray:
        return np.bincount(edges[:, 0], values[edges[:, 1]], minlength=len(vertices)) / degree

    offset = np.stack([mean(vertices[:, k]) for k in range(3)], axis=1) - vertices
    hollow = (offset * normals).sum(axis=1)
    for _ in range(3):
        hollow = 0.5 * hollow + 0.5 * mean(hollow)
    return np.clip(1 - 45 * hollow, 0.35, 1.15).astype(np.float32)


def _extra_hair(actor: Actor) -> tuple[np.ndarray, np.ndarray]:
    """Hair that hangs or is tied: vertices (H, 3) and triangles (n, 3), empty for other styles."""
    if actor.hairstyle == "bun":
        return _sphere(np.array([0.0, 8.42, -0.05]), np.array([0.36, 0.3, 0.34]))
    if actor.hairstyle not in CURTAIN:
        return np.zeros((0, 3), np.float32), np.zeros((0, 3), np.int32)
    low = CURTAIN[actor.hairstyle]
    columns, rows = 40, 22
    angle = np.linspace(1.12, 2 * np.pi - 1.12, columns)[None, :]  # 0 is the front
    t = np.linspace(0, 1, rows)[:, None]
    height = 8.05 + (low - 8.05) * t + 0 * angle
    fall = np.clip((7.55 - height) / 1.2, -1, 1)
    swell = np.sqrt(np.clip(1 - np.clip((height - 7.3) / 0.95, 0, 1) ** 2, 0.05, 1))
    wave = 1 + 0.025 * np.sin(7 * angle) * t + 0.02 * np.sin(9 * t + 3 * angle)
    across = (0.92 + 0.05 * fall) * swell * wave
    deep = (1.05 - 0.1 * fall) * swell * wave
    x = across * np.sin(angle)
    z = 0.32 + deep * np.cos(angle) * np.where(np.cos(angle) > 0, 0.6, 1.0)
    outer = np.stack([x, height, z], axis=-1).reshape(-1, 3)
    quads = []
    for row in range(rows - 1):
        for column in range(columns - 1):
            a = row * columns + column
            quads += [[a, a + columns, a + 1], [a + 1, a + columns, a + columns + 1]]
    faces = np.array(quads)
    back = faces[:, ::-1] + len(outer)  # the inner side has vertices, and so normals, of its own
    return np.concatenate([outer, outer]).astype(np.float32), np.concatenate([faces, back]).astype(np.int32)


def _sphere(centre: np.ndarray, radii: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    rows, columns = 10, 16
    polar = np.linspace(0.02, np.pi - 0.02, rows)[:, None]
    around = np.linspace(0, 2 * np.pi, columns, endpoint=False)[None, :]
    unit = np.stack(
        [np.sin(polar) * np.sin(around), np.cos(polar) + 0 * around, np.sin(polar) * np.cos(around)], axis=-1
    )
    faces = []
    for row in range(rows - 1):
        for column in range(columns):
            a, b = row * columns + column, row * columns + (column + 1) % columns
            faces += [[a, a + columns, b], [b, a + columns, b + columns]]
    return (unit.reshape(-1, 3) * radii + centre).astype(np.float32), np.array(faces, np.int32)
