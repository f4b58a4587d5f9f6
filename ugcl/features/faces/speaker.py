"""Which of several faces speaks: by size, place in the picture, and how much the mouth changes."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from ugcl.features.faces import alignment
from ugcl.features.faces.detector import MIN_OVERLAP, Detection, overlap

LOOK, ROOM = 64, 0.3  # side of the grey picture of a face that is kept, pixels; margin of its crop
STILL = 0.005  # about what `change` gives of a mouth that does not move
TOGETHER = 0.5  # share of the chosen face's detections that a rival shares


@dataclass
class Chain:
    """Detections of one face, in frame order.

    Attributes:
        look: (LOOK, LOOK) grey picture of the aligned face, on the last frame with several faces.
        changes: how much more the mouth changed than the eyes, from each look to the next.
    """

    indices: list[int] = field(default_factory=list)  # frames of the detections
    faces: list[Detection] = field(default_factory=list)  # the detections
    look: np.ndarray | None = None
    changes: list[float] = field(default_factory=list)
    prominence: float = 0.0  # area × nearness to the picture's centre, summed over the detections

    def append(self, index: int, face: Detection, look: np.ndarray | None, size: tuple[int, int]) -> None:
        """Add a detection in a picture of a size (width, height)."""
        centre = (face.box[:2] + face.box[2:] / 2) / np.array(size) - 0.5
        nearness = 1 - min(1.0, float(np.hypot(*centre)) / 0.75)
        self.indices.append(index)
        self.faces.append(face)
        if look is not None:
            if self.look is not None:
                self.changes.append(change(self.look, look))
            self.look = look
        self.prominence += float(face.box[2] * face.box[3]) * (0.25 + 0.75 * nearness)

    @property
    def motion(self) -> float:
        """Mean over pairs of looks of how much more the mouth changes than the eyes; NaN without a pair."""
        return float(np.mean(self.changes)) if self.changes else np.nan


def link(
    chains: list[Chain], index: int, found: list[tuple[Detection, np.ndarray | None]], size: tuple[int, int]
) -> None:
    """Add the faces of one frame, with their looks, to the chains that they overlap, or begin new ones."""
    pairs = [
        (overlap(chain.faces[-1].box, face.box), c, f)
        for c, chain in enumerate(chains)
        for f, (face, _) in enumerate(found)
    ]
    used_chains, used_faces = set(), set()
    for share, c, f in sorted(pairs, key=lambda pair: (-pair[0], pair[1], pair[2])):
        if share >= MIN_OVERLAP and c not in used_chains and f not in used_faces:
            used_chains.add(c)
            used_faces.add(f)
            chains[c].append(index, *found[f], size)
    for f, (face, picture) in enumerate(found):
        if f not in used_faces:
            chains.append(Chain())
            chains[-1].append(index, face, picture, size)


def look(rgb: np.ndarray, face: Detection) -> np.ndarray:
    """The aligned face in grey, (LOOK, LOOK) uint8."""
    import cv2

    return cv2.cvtColor(alignment.crop(rgb, face.landmarks, LOOK, ROOM), cv2.COLOR_RGB2GRAY)


def change(before: np.ndarray, after: np.ndarray) -> float:
    """How much more the mouth changed between two looks at a face than the eyes did, 0..1.

    The later look is first laid on the earlier one by the shift and turn that fit the whole face best
    (Evangelidis and Psarakis 2008, IEEE TPAMI 30(10)), for detected landmarks jump. The change of a part is
    one less its normalised cross-correlation: light does not count, and what noise and a turned head change,
    they change of the eyes as well.
    """
    after = _registered(before, after)
    left_eye, right_eye, nose, left, right = alignment.template(LOOK, ROOM)
    upper = [*np.subtract(left_eye, [5, 6]), right_eye[0] + 5, nose[1] + 2]
    mouth = [*np.subtract(left, [4, 6]), *np.add(right, [4, 9])]
    return max(0.0, _change(before, after, mouth) - _change(before, after, upper))


def _registered(before: np.ndarray, after: np.ndarray) -> np.ndarray:
    import cv2

    left_eye, right_eye, nose = alignment.template(LOOK, ROOM)[:3].astype(int)
    mask = np.zeros_like(before)
    mask[left_eye[1] - 8 : nose[1] + 18, left_eye[0] - 9 : right_eye[0] + 9] = 255
    stop = (cv2.TERM_CRITERIA_EPS | cv2.TERM_CRITERIA_COUNT, 40, 1e-4)
    start = np.eye(2, 3, dtype=np.float32)
    try:
        _, matrix = cv2.findTransformECC(before, after, start, cv2.MOTION_EUCLIDEAN, stop, mask, 5)
    except cv2.error:  # no map was found: a plain surface, or another face
        return after
    flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    return cv2.warpAffine(after, matrix, (LOOK, LOOK), flags=flags, borderMode=cv2.BORDER_REPLICATE)


def _change(before: np.ndarray, after: np.ndarray, box: list[float]) -> float:
    import cv2

    (x0, y0, x1, y1), reach = np.asarray(box, int), 2  # pixels that the map may be off
    before, after = (cv2.GaussianBlur(picture, (0, 0), 1) for picture in (before, after))
    part, around = before[y0:y1, x0:x1], after[y0 - reach : y1 + reach, x0 - reach : x1 + reach]
    if part.std() == 0 or around.std() == 0:
        return 0.0  # nothing to compare: the correlation of a plain surface means nothing
    return 1 - float(np.clip(cv2.matchTemplate(around, part, cv2.TM_CCOEFF_NORMED).max(), 0, 1))


def ranked(chains: list[Chain]) -> list[tuple[Chain, float]]:
    """The chains with their claim to be the speaker, the likeliest first.

    The claim is prominence × (:data:`STILL` + motion of the mouth). A chain that was never seen twice beside
    another one has no motion of its own and is given the mean of the others.
    """
    motions = np.array([chain.motion for chain in chains])
    known = motions[~np.isnan(motions)]
    motions = np.nan_to_num(motions, nan=known.mean() if len(known) else 0.0)
    claims = [float(c.prominence * (STILL + m)) for c, m in zip(chains, motions, strict=True)]
    return sorted(zip(chains, claims, strict=True), key=lambda pair: (-pair[1], pair[0].indices[0]))


def rival(order: list[tuple[Chain, float]], share: float) -> tuple[Chain, float] | None:
    """The first chain whose claim is above a share of the best one's while both are seen, or None.

    Args:
        order: see :func:`ranked`.
        share: 0..1; with 1 there never is a rival.

    Returns:
        The chain, and its claim as a share of the best one's.
    """
    (best, claim), *others = order
    for chain, other in others:
        together = len(set(best.indices) & set(chain.indices)) / len(best.indices)
        if other > share * claim and together > TOGETHER:
            return chain, other / claim
    return None
