"""What a notebook needs to show a figure or a table."""

from __future__ import annotations

import base64
import html
import io

from matplotlib.figure import Figure

from ugcl.reports import theme
from ugcl.reports.read import read as table

__all__ = ["show", "table"]


def show(figure: Figure) -> None:
    """Display a figure as SVG, the same byte for byte each time, with its title as its text; close it."""
    import matplotlib as mpl
    from IPython.display import HTML, display
    from matplotlib import pyplot as plt

    title = figure.get_suptitle() or figure.axes[0].get_title(loc="left") or figure.axes[0].get_title()
    text = io.StringIO()
    with mpl.rc_context(theme.STYLE):
        figure.savefig(text, format="svg", metadata={"Date": None, "Creator": None})
    plt.close(figure)
    data = base64.b64encode(text.getvalue().encode()).decode()
    display(HTML(f'<img alt="{html.escape(title)}" src="data:image/svg+xml;base64,{data}">'))
