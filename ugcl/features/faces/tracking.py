"""From detections on some frames to one face on every frame."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from ugcl.features.faces.detector import Detection, Detector, overlap
from ugcl.features.faces.speaker import Chain, link, look, ranked, rival
from ugcl.features.faces.table import Track
from ugcl.features.media.frame import Frame

if TYPE_CHECKING:
    from ugcl.config.data import Faces


def follow(source: Iterable[Frame], detector: Detector, settings: Faces) -> Track:
    """Track the speaker's face of a clip.

    Detection runs on every `settings.every`-th frame and on the last one; where it finds nothing it runs on
    each following frame until it does. Detections are chained by overlap; the chain that is largest, most
    central and moves its mouth most wins (:func:`ugcl.features.faces.speaker.ranked`), others only fill times
    that it leaves free. Boxes and landmarks between two detections of a chain are interpolated linearly and
    smoothed lightly.

    Returns:
        The track; its failure is no_face where too few frames have one, and several_faces where another face
        has as good a claim as the chosen one.

    Raises:
        MediaError: the video cannot be decoded.
    """
    times: list[float] = []
    chains: list[Chain] = []
    find, last, lost, searched = _Finder(detector, settings), None, False, -1
    for frame in source:
        times.append(frame.time)
        last = frame
        if lost or frame.index % settings.every == 0:
            lost = not _link(chains, find, frame)
            searched = frame.index
    if last is not None and last.index != searched:
        _link(chains, find, last)
    order = ranked(chains)
    track = _fill(np.array(times), [chain for chain, _ in order], settings)
    share = track.visible.mean() if len(times) else 0.0
    if share < settings.min_share or not track.visible.any():
        found = f"a face on {int(track.visible.sum())} of {len(times)} frames"
        return replace(track, failure="no_face", detail=f"{found}; least share {settings.min_share}")
    if other := rival(order, settings.rival):
        text = f"another face has {other[1]:.0%} of the chosen one's claim to be the speaker"
        return replace(track, failure="several_faces", detail=f"{text}, more than {settings.rival:.0%}")
    return track


def _link(chains: list[Chain], find: _Finder, frame: Frame) -> int:
    """Add a frame's faces to the chains, and give their number."""
    found = find(frame)
    link(chains, frame.index, found, find.size)
    return len(found)


def smooth(values: np.ndarray, window: int) -> np.ndarray:
    """Centred triangular moving average along the first axis.

    Args:
        values: (frames, columns).
        window: odd number of frames; 1 changes nothing.
    """
    if window <= 1 or len(values) < 3:
        return values
    reach = window // 2
    weights = np.concatenate([np.arange(1, reach + 2), np.arange(reach, 0, -1)]).astype(float)
    weights /= weights.sum()
    # Odd reflection keeps the slope at both ends: a straight line stays one.
    padded = np.pad(values, ((reach, reach), (0, 0)), mode="reflect", reflect_type="odd")
    return np.stack([np.convolve(column, weights, mode="valid") for column in padded.T], axis=1)


class _Finder:
    """Finds faces near where they were; searches the whole picture now and then, and when one is lost."""

    def __init__(self, detector: Detector, settings: Faces) -> None:
        self.detector, self.settings = detector, settings
        self.faces: list[Detection] = []
        self.searched = -np.inf
        self.size = (1, 1)  # width and height of the pictures

    def __call__(self, frame: Frame) -> list[tuple[Detection, np.ndarray | None]]:
        rgb = frame.rgb()
        self.size = (rgb.shape[1], rgb.shape[0])
        near = []
        if self.faces and frame.time - self.searched < self.settings.search:
            near = [self._near(rgb, face) for face in self.faces]
        if not near or None in near:
            self.searched = frame.time
            found = [face for face in self.detector(rgb) if face.score >= self.settings.min_score]
            near = [self._near(rgb, face) or face for face in found]
        self.faces = []
        for face in sorted(near, key=lambda face: -face.score):
            if all(overlap(face.box, other.box) < 0.5 for other in self.faces):
                self.faces.append(face)
        if len(self.faces) == 1:  # a face alone speaks, whatever its mouth does
            return [(self.faces[0], None)]
        return [(face, look(rgb, face)) for face in self.faces]

    def _near(self, rgb: np.ndarray, face: Detection) -> Detection | None:
        again = self.detector.near(rgb, face.box)
        return again if again is not None and again.score >= self.settings.min_score else None


def _fill(times: np.ndarray, chains: list[Chain], settings: Faces) -> Track:
    count = len(times)
    values, detected = np.full((count, 15), np.nan), np.zeros(count, dtype=bool)
    for chain in chains:
        first, last = chain.indices[0], chain.indices[-1]
        # A face is held for less than one detection step beyond its first and last detection.
        first, last = max(0, first - settings.every + 1), min(count - 1, last + settings.every - 1)
        free = np.isnan(values[first : last + 1, 0])
        known = np.array([[*face.box, *face.landmarks.ravel(), face.score] for face in chain.faces])
        span = times[first : last + 1]
        filled = np.stack([np.interp(span, times[chain.indices], column) for column in known.T], axis=1)
        filled[:, :14] = smooth(filled[:, :14], settings.smooth)
        gap = np.diff(times[chain.indices])
        for k in np.flatnonzero(gap > settings.max_gap):
            inside = (span > times[chain.indices[k]]) & (span < times[chain.indices[k + 1]])
            free &= ~inside
        values[first : last + 1][free] = filled[free]
        detected[[index for index in chain.indices if free[index - first]]] = True
    return Track(times, values[:, :4], values[:, 14], detected, values[:, 4:14].reshape(count, 5, 2))
