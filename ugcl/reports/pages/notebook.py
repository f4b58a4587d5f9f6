"""What a notebook needs to show a figure or a table."""

from __future__ import annotations

import base64
import html
import io
import os
import re
from collections.abc import Sequence
from pathlib import Path

import pandas as pd
from matplotlib.figure import Figure

from ugcl import config
from ugcl.config import Config
from ugcl.plan.evaluation import marks
from ugcl.reports import theme
from ugcl.reports.figures import draw
from ugcl.reports.labels import basis, label_notes
from ugcl.reports.tables import cells
from ugcl.reports.tables.read import no_intervals
from ugcl.reports.tables.read import read as table
from ugcl.reports.text import code, plain

NUMBER = re.compile(r"(?:< )?[+−-]?[\d,]*\.?\d*[∗%]?( \[.*\])?|–")
"""A cell that stands to the right: empty, a number with its sign or interval, or a dash."""

LONG = 32
"""A cell of more letters is a sentence, which may break."""

__all__ = [
    "code", "figure", "heading", "labels", "picture", "plain", "raw", "rows", "say", "show", "start", "table",
]  # fmt: skip


def start(root: str) -> Config:
    """Go to the project's root and read its parameters."""
    os.chdir(root)
    return config.load()


def say(text: str) -> None:
    """Display Markdown; names that users chose go in by `plain` or `code`."""
    from IPython.display import Markdown, display

    display(Markdown(text))


def raw(text: str) -> None:
    """Display HTML."""
    from IPython.display import HTML, display

    display(HTML(text))


def heading(parameters: Config, benchmark: str) -> None:
    """Display a second-level heading with the benchmark's name and marks, and what it is."""
    entry, protocol = parameters.benchmark(benchmark), parameters.protocol(benchmark)
    words = "".join(f" [{word}]" for word in marks(parameters, benchmark).split())
    say(f"## {benchmark}{words}")
    folds, seeds = len(parameters.folds(benchmark)), len(entry.seeds)
    say(
        f"Corpus {entry.corpus}, protocol {entry.protocol}, {len(protocol.classes)} classes of the label"
        f" target {plain(protocol.label)}; {cells.counted(folds, 'fold')}, {cells.counted(seeds, 'seed')}."
    )
    for note in (basis(parameters, benchmark), no_intervals(benchmark)):
        if note:
            say(note)


def labels(parameters: Config, benchmarks: Sequence[str]) -> None:
    """Display what the labels of benchmarks name."""
    say(" ".join(label_notes(parameters, benchmarks)))


def rows(frame: pd.DataFrame, text: str = "table") -> None:
    """Display a table without its index: text to the left, numbers to the right; a wide one scrolls.

    Args:
        frame: cells as they are shown; an underscore in a column's name becomes a blank, but not in the path
            of a parameter, which has dots.
        text: what it is, for screen readers.
    """
    shown = frame.astype(object).where(frame.notna(), "").map(_text)
    shown.columns = [name if "." in name else name.replace("_", " ") for name in map(str, frame.columns)]
    lines = []
    numeric = [shown[name].map(lambda cell: NUMBER.fullmatch(cell) is not None).all() for name in shown]
    for tag, line in [("th", list(shown)), *(("td", row) for row in shown.itertuples(index=False))]:
        kinds = [_kind(tag, cell, number) for cell, number in zip(line, numeric, strict=True)]
        texts = [f"<{tag}{kind}>{html.escape(cell)}</{tag}>" for kind, cell in zip(kinds, line, strict=True)]
        lines.append("".join(texts))
    head, *body = (f"<tr>{line}</tr>" for line in lines)
    table = f"<table><thead>{head}</thead><tbody>{''.join(body)}</tbody></table>"
    raw(f'<div class="scroll" tabindex="0" role="region" aria-label="{html.escape(text)}">{table}</div>')


def _text(cell: object) -> str:
    """A cell as text; a rounded zero has no sign."""
    if isinstance(cell, float) and cell == 0:
        cell = 0.0
    return str(cell)


def _kind(tag: str, cell: str, number: bool) -> str:
    """The class of a cell, as an attribute."""
    kinds = ["number"] * bool(number) + ["long"] * (tag == "td" and len(cell) > LONG)
    return f' class="{" ".join(kinds)}"' if kinds else ""


def figure(parameters: Config, benchmark: str, kind: str) -> None:
    """Draw and display one kind of figure."""
    show(draw.draw(parameters, benchmark, kind))


def show(figure: Figure) -> None:
    """Display a figure as SVG, the same byte for byte each time, with its title as its text; close it."""
    import matplotlib as mpl
    from matplotlib import pyplot as plt

    title = figure.get_suptitle() or figure.axes[0].get_title(loc="left") or figure.axes[0].get_title()
    text = io.StringIO()
    with mpl.rc_context(theme.STYLE):
        figure.savefig(text, format="svg", metadata={"Date": None, "Creator": None})
    plt.close(figure)
    _image(text.getvalue().encode(), "svg+xml", title)


def picture(path: Path, text: str) -> None:
    """Display a PNG file without words, which may shrink to any window, with an alternative text."""
    _image(path.read_bytes(), "png", text, "photo")


def _image(data: bytes, kind: str, text: str, style: str = "chart") -> None:
    source = f"data:image/{kind};base64,{base64.b64encode(data).decode()}"
    image = f'<img alt="{html.escape(text)}" src="{source}">'
    place = '<div class="scroll" tabindex="0" role="region" aria-label="figure">'
    raw(f'<figure class="{style}">{place}{image}</div></figure>')
