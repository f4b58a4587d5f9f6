"""One clip over time: probabilities above the waveform and the faces."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
from matplotlib import pyplot as plt
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from ugcl.features.faces import alignment
from ugcl.features.media.activity import HOP, Sound
from ugcl.files import whole
from ugcl.inference.ensemble import Ensemble
from ugcl.inference.observation import Observation
from ugcl.inference.predictions import Prediction
from ugcl.reports import theme
from ugcl.reports.figures import drawing

FACES = 8  # thumbnails in a row
FACE_SIDE = 128  # pixels
MARGIN = 0.2  # room around the aligned face, share of its side
POINTS = 1200  # columns of the drawn waveform
ROW = 0.42  # inches, of one class
BENDS = 40  # stretches of smoothing that a whole clip has


def write(prediction: Prediction, ensemble: Ensemble, path: Path, dpi: int) -> None:
    """Draw a clip's timeline into a PNG.

    Args:
        prediction: with its timeline.
        ensemble: what predicted it.
    """
    figure = draw(prediction, ensemble)
    with whole(path) as partial:
        metadata = {"Software": None, "Title": figure.get_suptitle()}
        figure.savefig(partial, dpi=dpi, metadata=metadata, format="png")
    plt.close(figure)


def _observed(prediction: Prediction) -> Observation:
    if prediction.observed is None:
        raise ValueError(f"{prediction.clip.name}: was predicted without a timeline")
    return prediction.observed


def draw(prediction: Prediction, ensemble: Ensemble) -> Figure:
    """The figure: a row per class with its probability in sliding windows, waveform with speech, faces.

    Classes stand in the order of the whole clip's probabilities. A row is in full colour where its class is
    the most probable. Panels of a modality that the clip lacks are left out.
    """
    seen = _observed(prediction)
    faces = thumbnails(prediction)
    order = sorted(ensemble.classes, key=lambda name: -prediction.probabilities[name])
    panels = [*order, *(["sound"] if seen.heard is not None else []), *(["faces"] if faces else [])]
    heights = dict.fromkeys(order, ROW) | {"sound": 0.8, "faces": 0.6}
    with theme.style():
        ratios = [heights[name] for name in panels]
        options = {"sharex": True, "squeeze": False, "height_ratios": ratios}
        figure, grid = drawing.panels(1.3 + sum(ratios), len(panels), **options)
        axes = dict(zip(panels, grid[:, 0], strict=True))
        _probabilities([axes[name] for name in order], order, prediction, ensemble)
        if "sound" in axes:
            _sound(axes["sound"], seen.heard)
        if "faces" in axes:
            _faces(axes["faces"], faces, seen.duration)
        last = grid[-1, 0]
        key = "strong colour: the most probable class; right: whole clip"
        last.set_xlabel(f"seconds\n{key}" + ("; shaded: speech by its energy" if "sound" in axes else ""))
        last.set_xlim(0, seen.duration)
        verdict = f"{prediction.predicted}, {100 * prediction.confidence:.0f} %"
        mark = f"  [{ensemble.marks}]" if ensemble.marks else ""
        drawing.title(figure, f"{prediction.clip.name}: {verdict}{mark}")
    return figure


def thumbnails(prediction: Prediction, count: int = FACES) -> list[tuple[float, np.ndarray | None]]:
    """Aligned faces at the middles of `count` even stretches of the clip.

    Returns:
        Time in seconds and (side, side, 3) uint8, None without a face; empty without a face track.
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


def smoothing(table: pd.DataFrame, duration: float) -> tuple[pd.DataFrame, float]:
    """The timeline as it is drawn: a running mean, so that no curve has more bends than a page can show.

    Args:
        table: rows of :func:`ugcl.inference.ensemble.timeline`.
        duration: of the clip, seconds.

    Returns:
        The table with p_<class> averaged over the rows in a centred stretch of time, and a row without values
        in each gap; the length of that stretch, seconds, 0 where nothing was averaged.
    """
    step = float(table["time"].diff().median()) if len(table) > 1 else 0.0
    width = duration / BENDS
    smooth = table.copy()
    columns = [name for name in table if name.startswith("p_")]
    if step and width > 2 * step:
        near = [(table["time"] - time).abs() <= width / 2 for time in table["time"]]
        smooth[columns] = np.array([table.loc[rows, columns].mean() for rows in near])
    else:
        width = 0.0
    gaps = smooth["time"].diff() > 1.5 * step
    holes = pd.DataFrame({"time": smooth.loc[gaps, "time"] - step / 2})
    return pd.concat([smooth, holes]).sort_values("time", kind="stable", ignore_index=True), width


def _probabilities(rows: list[Axes], order: list[str], prediction: Prediction, ensemble: Ensemble) -> None:
    table, width = smoothing(prediction.timeline, _observed(prediction).duration)
    time = table["time"].to_numpy()
    p = table[[f"p_{name}" for name in order]].to_numpy(dtype=float)
    top = p >= np.nan_to_num(p).max(axis=1, keepdims=True)
    for k, (axes, name) in enumerate(zip(rows, order, strict=True)):
        shade = theme.PALETTE[ensemble.classes.index(name) % len(theme.PALETTE)]
        axes.fill_between(time, 0, p[:, k], color=shade, alpha=0.22, linewidth=0)
        axes.fill_between(time, 0, p[:, k], where=top[:, k], color=shade, alpha=0.75, linewidth=0)
        axes.plot(time, p[:, k], color=shade, linewidth=1.0, marker="o" if len(time) < 2 else "")
        axes.set_ylim(0, 1)
        axes.set_yticks([0, 1], ["", ""])
        axes.tick_params(axis="both", length=0)
        axes.set_ylabel(name, rotation=0, ha="right", va="center", fontweight="normal" if k else "bold")
        drawing.beside(axes, 0.5, f"{100 * prediction.probabilities[name]:.0f} %")
    spans = prediction.timeline["end"] - prediction.timeline["start"]  # pyright: ignore[reportOptionalSubscript]
    used = prediction.modalities.replace("+", " and ")
    text = f"probability, 0 to 100 %, from {used} in windows of {spans.max() if len(spans) else 0.0:.1f} s"
    text += f", running mean over {width:.1f} s" if width else ""
    rows[0].set_title(text, fontsize=8, fontweight="normal", color=theme.GREY)


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
