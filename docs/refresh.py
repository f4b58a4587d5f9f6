"""Writes the demo's numbers into docs/results.md and takes docs/report.png, both from its tables.

Run it in the project's root when the demo's tables have changed: `python docs/refresh.py`. Needs Chromium.
"""

from __future__ import annotations

import io
import re
import shutil
from hashlib import sha256
from pathlib import Path

from PIL import Image, PngImagePlugin
from playwright.sync_api import sync_playwright

from ugcl.plan import paths
from ugcl.plan.evaluation import table
from ugcl.plan.names import RATERS
from ugcl.reports.tables.cells import percent
from ugcl.reports.tables.read import read

PAGE, PICTURE = Path("docs/results.md"), Path("docs/report.png")
BLOCK = re.compile(r"(<!-- demo: [^>]*-->\n).*(<!-- end of demo -->)", re.DOTALL)
SIZE = {"width": 1280, "height": 1960}
SHOWN = ("uar", "macro_f1")


def numbers() -> str:
    """The demo's systems as a table of Markdown."""
    summary = read("summary", "demo")
    lines = ["| system | UAR | macro-F1 |", "|---|---|---|"]
    for system, rows in summary.groupby("system", sort=False):
        if not system.startswith(RATERS):
            values = rows.set_index("metric")[["value", "ci_low", "ci_high"]]
            lines.append(f"| `{system}` | " + " | ".join(percent(*values.loc[m]) for m in SHOWN) + " |")
    return "\n".join(lines) + "\n"


def picture(page: Path) -> None:
    """Take the front page, and write into the picture which table it shows."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=["--no-sandbox"])
        tab = browser.new_page(viewport=SIZE)
        tab.goto(page.absolute().as_uri())
        taken = tab.screenshot()
        browser.close()
    notes = PngImagePlugin.PngInfo()
    notes.add_text("summary", sha256(table("demo", "summary").read_bytes()).hexdigest())
    Image.open(io.BytesIO(taken)).convert("RGB").save(PICTURE, pnginfo=notes, optimize=True)


if __name__ == "__main__":
    PAGE.write_text(BLOCK.sub(lambda found: found[1] + numbers() + found[2], PAGE.read_text()))
    picture(paths.INDEX)
