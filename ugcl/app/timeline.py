"""One clip over time as HTML and SVG: a row per class, the waveform, the faces."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator, Sequence
from html import escape

import numpy as np

from ugcl.features.media.activity import HOP, Sound
from ugcl.inference.ensemble import Ensemble
from ugcl.inference.predictions import Prediction
from ugcl.reports import theme
from ugcl.reports.timeline import POINTS, smoothing, thumbnails

WIDE, HIGH = 1000, 100
"""Units of a row's drawing, which is stretched to the width of the page."""
STEPS = (0.1, 0.2, 0.5, 1, 2, 5, 10, 15, 30, 60, 120, 300, 600)
"""Seconds between two marks of the time axis."""
MARKS = 6  # most marks of the axis
CURSOR = '<div class="ugcl-over"><div class="ugcl-cursor" hidden></div></div>'
QUALITY = 85  # of the JPEG thumbnails


def timeline(prediction: Prediction, ensemble: Ensemble) -> str:
    """The panel of a clip's timeline.

    Classes stand in the order of the whole clip's probabilities. A row is in full colour where its class is
    the most probable. The probabilities of every window are in `data-windows`, which is how the script shows
    those under the pointer.

    Args:
        prediction: with its timeline and what was observed.
        ensemble: what predicted it.
    """
    seen = prediction.observed
    assert seen is not None and prediction.timeline is not None
    order = sorted(ensemble.classes, key=lambda name: -prediction.probabilities[name])
    table, width = smoothing(prediction.timeline, seen.duration)
    p = table[[f"p_{name}" for name in order]].to_numpy(dtype=float)
    time = table["time"].to_numpy(dtype=float)
    rows = [
        _row(name, _curve(time, p, k, seen.duration), prediction.probabilities[name])
        for k, name in enumerate(order)
    ]
    rows = [
        row.replace("--shade", theme.PALETTE[_shade(ensemble, name)])
        for row, name in zip(rows, order, strict=True)
    ]
    if seen.heard is not None and seen.heard.seconds:
        rows.append(_panel("sound", _sound(seen.heard, seen.duration)))
    faces = thumbnails(prediction)
    if faces:
        rows.append(_panel("face", _faces(faces)))
    rows.append(_panel("", _axis(seen.duration), "s"))
    known = ~np.isnan(p).any(axis=1)
    windows = {"times": np.round(time[known], 3).tolist(), "p": np.round(p[known], 3).tolist()}
    label = f"Probabilities over time of {prediction.clip.name}; arrow keys move, space plays"
    return (
        f'<div class="ugcl-timeline" data-duration="{seen.duration:.3f}"'
        f' data-windows="{escape(json.dumps(windows))}"'
        f' tabindex="0" role="slider" aria-label="{escape(label)}"'
        f' aria-valuemin="0" aria-valuemax="{seen.duration:.2f}" aria-valuenow="0">'
        f'<div class="ugcl-reading" aria-live="off"><span>whole clip</span></div>'
        f"{''.join(rows)}{_panel('', CURSOR)}</div>"
        f'<p class="ugcl-caption">{escape(_caption(prediction, width))}</p>'
    )


def _caption(prediction: Prediction, width: float) -> str:
    table = prediction.timeline
    assert table is not None
    spans = table["end"] - table["start"]
    used = prediction.modalities.replace("+", " and ")
    text = f"Probability, 0 to 100 %, from {used} in windows of {spans.max() if len(spans) else 0.0:.1f} s"
    text += f", running mean over {width:.1f} s" if width else ""
    text += ". Strong colour: the most probable class."
    if prediction.observed is not None and prediction.observed.heard is not None:
        text += " Shaded sound: speech by its energy."
    return text


def _shade(ensemble: Ensemble, name: str) -> int:
    return ensemble.classes.index(name) % len(theme.PALETTE)


def _row(name: str, drawing: str, probability: float) -> str:
    whole = f"{100 * probability:.0f} %"
    return (
        f'<div class="ugcl-row" data-class="{escape(name)}">'
        f'<span class="ugcl-name">{escape(name)}</span>{drawing}'
        f'<span class="ugcl-value" data-whole="{whole}">{whole}</span></div>'
    )


def _panel(name: str, drawing: str, unit: str = "") -> str:
    title = f'<span class="ugcl-name">{name}</span>'
    return f'<div class="ugcl-row ugcl-extra">{title}{drawing}<span>{unit}</span></div>'


def _svg(content: str, kind: str) -> str:
    box = f'viewBox="0 0 {WIDE} {HIGH}" preserveAspectRatio="none" aria-hidden="true"'
    return f'<svg class="ugcl-plot {kind}" {box}>{content}</svg>'


def _curve(time: np.ndarray, p: np.ndarray, k: int, duration: float) -> str:
    """The curve of class k of p (windows, classes), filled, and strongly where it is the most probable."""
    x, y = time / duration * WIDE, HIGH * (1 - p[:, k])
    top = p[:, k] >= np.nan_to_num(p).max(axis=1)
    parts = []
    for run in _runs(~np.isnan(p[:, k])):
        part = slice(run[0], run[-1] + 1)
        bends = _with_middles(x[part], y[part])
        parts.append(f'<polygon points="{_closed(bends)}" fill="--shade" fill-opacity="0.22"/>')
        for strong in _runs(top[part]):
            piece = bends[2 * strong[0] : 2 * strong[-1] + 3]
            parts.append(f'<polygon points="{_closed(piece)}" fill="--shade" fill-opacity="0.8"/>')
        line = 'fill="none" stroke="--shade" vector-effect="non-scaling-stroke"'
        parts.append(f'<polyline points="{_points(bends)}" {line}/>')
    return _svg("".join(parts), "ugcl-curve")


def _with_middles(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Points with the middles between them, and half a step before the first and behind the last.

    Point i is at 2 i + 1, so that each has a piece of the curve of its own.
    """
    half = float(np.median(np.diff(x))) / 2 if len(x) > 1 else WIDE / 2
    found = np.empty((2 * len(x) + 1, 2))
    found[1::2] = np.stack([x, y], axis=1)
    found[2:-1:2] = (found[1:-2:2] + found[3::2]) / 2
    found[0], found[-1] = (max(0.0, x[0] - half), y[0]), (min(WIDE, x[-1] + half), y[-1])
    return found


def _runs(flags: np.ndarray) -> Iterator[Sequence[int]]:
    """Numbers of neighbours that are all true."""
    places = np.flatnonzero(flags)
    yield from (run.tolist() for run in np.split(places, np.flatnonzero(np.diff(places) > 1) + 1) if len(run))


def _points(points: np.ndarray) -> str:
    return " ".join(f"{x:.1f},{y:.1f}" for x, y in points)


def _closed(points: np.ndarray) -> str:
    """The area between a curve and zero."""
    return _points(np.concatenate([[[points[0, 0], HIGH]], points, [[points[-1, 0], HIGH]]]))


def _sound(heard: Sound, duration: float) -> str:
    """The waveform, scaled to its peak, on stretches of speech."""
    starts = np.arange(0, len(heard.low), max(1, len(heard.low) // POINTS))
    low, high = np.minimum.reduceat(heard.low, starts), np.maximum.reduceat(heard.high, starts)
    reach = max(float(high.max()), -float(low.min()), 1e-9) * 1.05
    x = (starts + np.append(starts[1:], len(heard.low))) / 2 * heard.step / duration * WIDE
    outline = np.concatenate([np.stack([x, high], axis=1), np.stack([x, low], axis=1)[::-1]])
    outline[:, 1] = HIGH / 2 * (1 - outline[:, 1] / reach)
    shaded = "".join(
        f'<rect x="{run[0] * HOP / duration * WIDE:.1f}" width="{len(run) * HOP / duration * WIDE:.1f}"'
        f' y="0" height="{HIGH}" class="ugcl-speech"/>'
        for run in _runs(heard.active)
    )
    return _svg(f'{shaded}<polygon points="{_points(outline)}" class="ugcl-wave"/>', "ugcl-sound")


def _faces(faces: Sequence[tuple[float, np.ndarray | None]]) -> str:
    cells = []
    for time, crop in faces:
        if crop is None:
            cells.append("<span>no face</span>")
        else:
            cells.append(f'<img src="{_jpeg(crop)}" alt="face at {time:.1f} s" draggable="false">')
    return f'<div class="ugcl-plot ugcl-faces">{"".join(cells)}</div>'


def _jpeg(picture: np.ndarray) -> str:
    """A picture (height, width, 3) uint8 RGB as a data address."""
    import cv2

    _, data = cv2.imencode(".jpg", picture[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, QUALITY])
    return f"data:image/jpeg;base64,{base64.b64encode(data.tobytes()).decode()}"


def _axis(duration: float) -> str:
    step = next((s for s in STEPS if duration / s <= MARKS), STEPS[-1])
    marks = np.arange(0, duration * (1 + 1e-9), step)
    labels = (f"{mark:g}" if step >= 1 else f"{mark:.1f}" for mark in marks)
    places = [
        f'<span style="left:{100 * mark / duration:.2f}%">{label}</span>'
        for mark, label in zip(marks, labels, strict=True)
    ]
    return f'<div class="ugcl-plot ugcl-axis">{"".join(places)}</div>'
