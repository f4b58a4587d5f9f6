"""Hooks of MkDocs: pages that lie outside of docs/, and the page of parameters.

A text has one home in the repository. What a forge shows beside its folder (`config/README.md`) is a page of
the site as well, and links between files of the repository become links between pages.
"""

from __future__ import annotations

import json
import posixpath
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files
from mkdocs.structure.pages import Page

sys.path.insert(0, str(Path(__file__).parent))
import parameters

SCHEMA = "workflow/schemas/params.schema.json"
OUTSIDE = {
    "CHANGELOG.md": "changelog.md",
    "CONTRIBUTING.md": "contributing.md",
    "config/README.md": "configuration.md",
    "perf/README.md": "timings.md",
    "results/README.md": "tables.md",
    SCHEMA: "params.schema.json",
}
"""File of the repository → page of the site."""
INTERVAL = re.compile(r"(?<=\d) (\[[+−]?[\d.]+), (?=[+−]?[\d.]+\])")
LINK = re.compile(r"\[([^][]*)\]\(([\w./-]+)(?=[#)])")
NAMED = re.compile(r"[\w./-]+\.md")
"""A link's text that is the name of its file; the title of the page stands there in its place."""


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Add the pages that do not lie in docs/."""
    root = Path(config.config_file_path).parent
    for source, page in OUTSIDE.items():
        files.append(File.generated(config, page, abs_src_path=str(root / source)))
    text = parameters.markdown(json.loads((root / SCHEMA).read_text()))
    files.append(File.generated(config, "parameters.md", content=text))
    return files


def on_page_markdown(markdown: str, page: Page, config: MkDocsConfig, files: Files) -> str:
    """Point links to files of the repository at their pages; keep numbers and their intervals on one line."""
    home = {name: source for source, name in OUTSIDE.items()}
    origin = home.get(page.file.src_uri, f"docs/{page.file.src_uri}")
    titles = dict(_titles(config.nav or []))

    def target(found: re.Match[str]) -> str:
        text, link = found.groups()
        path = posixpath.normpath(posixpath.join(posixpath.dirname(origin), link))
        path = OUTSIDE.get(path, path.removeprefix("docs/") if path.startswith("docs/") else link)
        return f"[{titles.get(path, text) if NAMED.fullmatch(text) else text}]({path}"

    markdown = INTERVAL.sub("\N{NO-BREAK SPACE}\\1,\N{NO-BREAK SPACE}", markdown)
    return LINK.sub(target, markdown) if page.file.src_uri != "parameters.md" else markdown


def _titles(nav: list[Any]) -> Iterator[tuple[str, str]]:
    """Page and title of every entry of the navigation."""
    for entry in nav:
        for title, place in entry.items():
            if isinstance(place, str):
                yield place, title
            else:
                yield from _titles(place)
