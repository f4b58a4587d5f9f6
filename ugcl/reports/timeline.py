"""One clip over time: probabilities above the waveform and the faces."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from matplotlib import pyplot as plt
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import PercentFormatter

from ugcl.features.faces import alignment
from ugcl.features.media.activity import HOP, Sound
from ugcl.files import whole
from ugcl.inference.ensemble import Ensemble
from ugcl.inference.predictions import Prediction
from ugcl.reports import theme
from ugcl.reports.figures import drawing

FACES = 8  # thumbnails in a row
FACE_SIDE = 128  # pixels
MARGIN = 0.2  # room around the aligned face, share of its side
POINTS = 1200  # columns of the drawn waveform


def write(prediction: Prediction, ensemble: Ensemble, path: Path, dpi: int) -> None:
    """Draw a clip's timeline into a PNG.

    Args:
        prediction: with its timeline.
        ensemble: what predicted it.
    """
    figure = draw(prediction, ensemble)
    with whole(path) as partial:
        figure.savefig(partial, dpi=dpi, metadata={"Software": None}, format="png")
    plt.close(figure)


def draw(prediction: Prediction, ensemble: Ensemble) -> Figure:
    """The figure: probabilities of every class in sliding windows, waveform with speech, faces.

    Panels of a modality that the clip lacks are left out.
    """
    seen = prediction.observed
    faces = thumbnails(prediction)
    panels = ["probabilities", *(["sound"] if seen.heard is not None else []), *(["faces"] if faces else [])]
    heights = {"probabilities": 2.3, "sound": 0.8, "faces": 0.6}
    with theme.style():
        ratios = [heights[name] for name in panels]
        options = {"sharex": True, "squeeze": False, "height_ratios": ratios}
        figure, grid = drawing.panels(0.75 + sum(ratios), len(panels), **options)
        axes = dict(zip(panels, grid[:, 0], strict=True))
        _probabilities(axes["probabilities"], prediction, ensemble)
        if "sound" in axes:
            _sound(axes["sound"], seen.heard)
        if "faces" in axes:
            _faces(axes["faces"], faces, seen.duration)
        last = grid[-1, 0]
        last.set_xlabel("seconds" + ("; shaded: speech by its energy" if "sound" in axes else ""))
        last.set_xlim(0, seen.duration)
        verdict = f"{prediction.predicted}, {100 * prediction.confidence:.0f} %"
        drawing.title(figure, f"{prediction.clip.name}: {verdict}")
    return figure


def thumbnails(prediction: Prediction, count: int = FACES) -> list[tuple[float, np.ndarray | None]]:
    """Aligned faces at the middles of `count` even stretches of the clip.

    Returns:
        Time in seconds and (side, side, 3) uint8, None where there is no face; empty without a face track.
    """
    seen = prediction.observed
    if seen is None or seen.track is None or not seen.track.visible.any():
        return []
    track = seen.track
    wanted = (np.arange(count) + 0.5) * seen.duration / count
    nearest = {int(np.abs(track.times - time).argmin()): k for k, time in enumerate(wanted)}
    found: list[tuple[float, np.ndarray | None]] = [(float(time), None) for time in wanted]
    for frame in seen.clip.frames():
        k = nearest.get(frame.index)
        if k is not None and track.visible[frame.index]:
            crop = alignment.crop(frame.rgb(), track.landmarks[frame.index], FACE_SIDE, MARGIN)
            found[k] = (float(wanted[k]), crop)
    return found


def _probabilities(axes: Axes, prediction: Prediction, ensemble: Ensemble) -> None:
    table = prediction.timeline
    order = sorted(ensemble.classes, key=lambda name: -prediction.probabilities[name])
    for name in order:
        shade = theme.PALETTE[ensemble.classes.index(name) % len(theme.PALETTE)]
        style = {"linewidth": 1.3, "markersize": 2.2, "zorder": 2}
        if name == order[0]:
            style = {"linewidth": 2.4, "markersize": 3.5, "zorder": 3}
        label = f"{name}  {100 * prediction.probabilities[name]:.0f} %"
        axes.plot(table["time"], table[f"p_{name}"], color=shade, marker="o", label=label, **style)
    axes.set_ylim(0, 1)
    axes.yaxis.set_major_formatter(PercentFormatter(1, decimals=0))
    length = (table["end"] - table["start"]).max() if len(table) else 0.0
    used = prediction.modalities.replace("+", " and ")
    axes.set_title(f"{used}, in windows of {length:.1f} s", fontsize=8, fontweight="normal", color=theme.GREY)
    place = {"loc": "upper left", "bbox_to_anchor": (1.0, 1.02), "alignment": "left"}
    axes.legend(title="whole clip", title_fontsize=8, handlelength=1.4, **place)


def _sound(axes: Axes, heard: Sound) -> None:
    starts = np.arange(0, len(heard.low), max(1, len(heard.low) // POINTS))
    low, high = np.minimum.reduceat(heard.low, starts), np.maximum.reduceat(heard.high, starts)
    times = (starts + np.append(starts[1:], len(heard.low))) / 2 * heard.step
    axes.fill_between(times, low, high, color="#4a5a6a", linewidth=0)
    loud = heard.active
    reach = float(max(high.max(), -low.min())) * 1.05
    edges = np.flatnonzero(np.diff(np.concatenate([[False], loud, [False]]).astype(int)))
    for start, end in edges.reshape(-1, 2):
        axes.axvspan(start * HOP, end * HOP, color="#f0e3c0", linewidth=0, zorder=0)
    axes.set_ylim(-reach, reach)
    axes.set_yticks([])
    axes.spines["left"].set_visible(False)
    axes.set_ylabel("sound", rotation=0, ha="right", va="center")
    axes.grid(axis="y", visible=False)


def _faces(axes: Axes, faces: list[tuple[float, np.ndarray | None]], duration: float) -> None:
    half = 0.47 * duration / len(faces)
    for time, crop in faces:
        if crop is not None:
            place = (time - half, time + half, 0, 1)
            axes.imshow(crop, extent=place, aspect="auto", interpolation="antialiased")
        else:
            axes.text(time, 0.5, "no face", ha="center", va="center", color=theme.GREY, fontsize=7)
    axes.set_ylim(0, 1)
    axes.set_yticks([])
    axes.grid(False)
    axes.spines["left"].set_visible(False)
    axes.set_ylabel("face", rotation=0, ha="right", va="center")
