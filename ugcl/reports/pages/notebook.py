"""What a notebook needs to show a figure or a table."""

from __future__ import annotations

import base64
import html
import io
import os
import re
from pathlib import Path

import pandas as pd
from matplotlib.figure import Figure

from ugcl import config
from ugcl.config import Config
from ugcl.plan.evaluation import marks
from ugcl.reports import theme
from ugcl.reports.figures import draw
from ugcl.reports.tables.read import read as table
from ugcl.reports.text import code, plain

NUMBER = re.compile(r"(?:< )?[+−-]?[\d,]*\.?\d*[∗%]?( \[.*\])?|–")
"""A cell that stands to the right: empty, a number with its sign or interval, or a dash."""

WRAP = "white-space:normal!important;max-width:9em;vertical-align:bottom"

SENTENCE = "white-space:normal!important;min-width:11em;overflow-wrap:anywhere"
LONG = 32
"""A cell of more letters is a sentence, which may break."""

__all__ = ["code", "figure", "heading", "picture", "plain", "raw", "rows", "say", "show", "start", "table"]


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
    say(
        f"Corpus {entry.corpus}, protocol {entry.protocol}, {len(protocol.classes)} classes of the label"
        f" target {plain(protocol.label)}; {len(parameters.folds(benchmark))} folds,"
        f" {len(entry.seeds)} seed(s)."
    )


def rows(frame: pd.DataFrame) -> None:
    """Display a table without its index: text to the left, numbers to the right."""
    shown = frame.astype(object).where(frame.notna(), "").astype(str)
    side = {
        name: "right" if shown[name].map(lambda cell: NUMBER.fullmatch(cell) is not None).all() else "left"
        for name in shown
    }
    lines = [
        "".join(
            f'<{tag} style="text-align:{side[n]};{_wrap(tag, str(c))}">{html.escape(str(c))}</{tag}>'
            for n, c in cells
        )
        for tag, cells in [
            ("th", zip(shown, shown, strict=True)),
            *(("td", zip(shown, row, strict=True)) for row in shown.itertuples(index=False)),
        ]
    ]
    head, *body = (f"<tr>{line}</tr>" for line in lines)
    raw(f"<table><thead>{head}</thead><tbody>{''.join(body)}</tbody></table>")


def _wrap(tag: str, cell: str) -> str:
    if tag == "th":
        return WRAP
    return SENTENCE if len(cell) > LONG else ""


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
    """Display a PNG file, with an alternative text."""
    _image(path.read_bytes(), "png", text)


def _image(data: bytes, kind: str, text: str) -> None:
    raw(f'<img alt="{html.escape(text)}" src="data:image/{kind};base64,{base64.b64encode(data).decode()}">')
