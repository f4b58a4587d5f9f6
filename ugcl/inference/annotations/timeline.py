"""A clip's timeline as annotation files hold it: stretches with a class, and probabilities side by side."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from ugcl.errors import UgclError

COLUMN = "p_"
CARRIED = ("clip", "media", "duration", "model", "marks", "window", "step")


@dataclass(frozen=True)
class Stretch:
    """A stretch of a clip with one text; from `start` to `end`, seconds."""

    start: float
    end: float
    text: str
    probability: float


@dataclass(frozen=True)
class Timeline:
    """The windows of a timeline, each with the part of the clip that it stands for.

    Windows overlap, and the stretches of an annotation tier must not: a window stands for the step around its
    middle. These steps fill the clip without gaps, except where no window has anything in it.

    Attributes:
        clip: its name.
        media: its files; sound first.
        duration: of the clip, seconds.
        model: the name of the system.
        marks: SYNTHETIC where it was trained on clips that show no people; "" otherwise.
        window: length of the windows, seconds.
        places: (windows,) number of the step that each window stands for.
        edges: (steps + 1,) where the steps begin and end, seconds.
        probabilities: (windows, classes).
        classes: their names.
    """

    clip: str
    media: Sequence[Path]
    duration: float
    model: str
    marks: str
    window: float
    places: np.ndarray
    edges: np.ndarray
    probabilities: np.ndarray
    classes: Sequence[str]

    @property
    def source(self) -> str:
        """What made it, one line for the metadata of a file."""
        mark = f"{self.marks}: trained on clips that show no people; " if self.marks else ""
        made = f"predicted by {self.model} (UGCL) in windows of {self.window:g} s"
        return f"{mark}{made}; not annotated by a person"

    def emotions(self) -> list[Stretch]:
        """The most probable class over time, equal neighbours as one; its mean probability there."""
        top = self.probabilities.argmax(axis=1)
        return self._joined([self.classes[k] for k in top], self.probabilities.max(axis=1, initial=0.0))

    def of_class(self, name: str) -> list[Stretch]:
        """The probability of a class over time, as text with two decimals, equal neighbours as one."""
        values = self.probabilities[:, list(self.classes).index(name)]
        return self._joined([f"{p:.2f}" for p in values], values)

    def _joined(self, texts: Sequence[str], values: np.ndarray) -> list[Stretch]:
        runs: list[list[int]] = []
        for i, text in enumerate(texts):
            joins = runs and self.places[i] == self.places[i - 1] + 1 and text == texts[i - 1]
            if joins:
                runs[-1].append(i)
            else:
                runs.append([i])
        ends = [(self.edges[self.places[run[0]]], self.edges[self.places[run[-1]] + 1]) for run in runs]
        return [
            Stretch(float(start), float(end), texts[run[0]], float(values[run].mean()))
            for run, (start, end) in zip(runs, ends, strict=True)
        ]


def facts(clip: str, media: Sequence[Path | None], duration: float, **others: Any) -> dict[str, Any]:
    """What a timeline's table carries in its `attrs` beside its rows.

    Args:
        others: model, marks, window and step (seconds, nominal).
    """
    files = [str(path.absolute()) for path in media if path is not None]
    return {"clip": clip, "media": files, "duration": duration, **others}


def of_table(table: pd.DataFrame) -> Timeline:
    """The timeline of a table that :meth:`ugcl.Model.timeline` made.

    Raises:
        UgclError: the table has lost what belongs to it (`attrs`), as a copy read from a CSV has.
    """
    known = table.attrs
    lost = [name for name in CARRIED if name not in known]
    if lost:
        raise UgclError(
            f"this table's attrs have no {', '.join(lost)}; write what Model.timeline returned, before it is"
            " saved and read again"
        )
    duration = float(known["duration"])
    count = max(1, round(duration / known["step"]))
    columns = [name for name in table if name.startswith(COLUMN)]
    return Timeline(
        clip=known["clip"],
        media=[Path(name) for name in known["media"]],
        duration=duration,
        model=known["model"],
        marks=known["marks"],
        window=float(known["window"]),
        places=np.round(table["time"].to_numpy(float) * count / duration - 0.5).astype(int),
        edges=np.append(np.arange(count) * duration / count, duration),
        probabilities=table[columns].to_numpy(float),
        classes=[name.removeprefix(COLUMN) for name in columns],
    )
