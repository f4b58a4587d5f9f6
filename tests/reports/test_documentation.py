"""The documentation site: it builds from the tree without a warning, and every link of it leads somewhere."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit

import pytest
import yaml

from tests.fixtures.browser import started

pytestmark = pytest.mark.xdist_group("documentation")


class Links(HTMLParser):
    """What a page links to, what it loads, and the anchors in it."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.anchors, self.links, self.loaded = {""}, [], []
        self.feed(text)

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        found = dict(attributes)
        self.anchors |= {found[key] for key in ("id", "name") if found.get(key)}
        if tag == "a" and "href" in found:
            self.links.append(found["href"])
        elif tag == "link" and found.get("rel") != "canonical" and "href" in found:
            self.loaded.append(found["href"])
        elif "src" in found:
            self.loaded.append(found["src"])


@pytest.fixture(scope="module")
def site(project: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("documentation") / "site"
    command = [sys.executable, "-m", "mkdocs", "build", "--strict", "--quiet", "--site-dir", str(folder)]
    environment = {**os.environ, "NO_MKDOCS_2_WARNING": "1"}
    done = subprocess.run(command, cwd=project, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return folder


@pytest.fixture(scope="module")
def pages(site: Path) -> dict[Path, Links]:
    return {path: Links(path.read_text()) for path in site.rglob("*.html") if path.name != "404.html"}


def test_every_link_leads_to_a_file_and_an_anchor_that_exist(site: Path, pages: dict[Path, Links]) -> None:
    assert len(pages) > 20
    dead, checked = [], 0
    for path, page in pages.items():
        for link in page.links + page.loaded:
            parts = urlsplit(link)
            if parts.scheme or parts.netloc:
                continue
            target = (path.parent / unquote(parts.path)).resolve() if parts.path else path
            anchors = pages[target].anchors if target in pages else {""}
            checked += 1
            if not target.is_file() or unquote(parts.fragment) not in anchors:
                dead.append(f"{path.relative_to(site)}: {link}")
    assert dead == []
    assert checked > 1000


def test_pages_load_nothing_from_other_hosts(pages: dict[Path, Links]) -> None:
    loaded = {link for page in pages.values() for link in page.loaded}
    assert any(link.endswith(".js") for link in loaded)
    assert [link for link in loaded if urlsplit(link).netloc] == []


def test_links_of_the_repository_s_own_pages_exist(project: Path) -> None:
    """As a forge shows them: relative to the file, with the anchors of its headings."""
    texts = [
        project / name for name in ("README.md", "CONTRIBUTING.md", "config/README.md", "results/README.md")
    ]

    def anchors(page: Path) -> set[str]:
        """Of headings, as forges make them: without signs, blanks as hyphens."""
        heads = re.findall(r"^#+ +(.+?)\s*$", re.sub(r"```.*?```", "", page.read_text(), flags=re.S), re.M)
        return {re.sub(r"[^\w -]", "", head.lower()).replace(" ", "-") for head in heads}

    dead = []
    for path in [*texts, *sorted((project / "docs").glob("*.md"))]:
        for link in re.findall(r"\]\(([^)\s]+)\)", re.sub(r"```.*?```", "", path.read_text(), flags=re.S)):
            parts = urlsplit(link)
            target = path.parent / parts.path if parts.path else path
            lost = not target.exists() or (parts.fragment and parts.fragment not in anchors(target))
            if not parts.scheme and lost:
                dead.append(f"{path.relative_to(project)}: {link}")
    assert dead == []


def test_every_parameter_stands_on_the_page_of_parameters(project: Path, site: Path) -> None:
    schema = json.loads((project / "workflow/schemas/params.schema.json").read_text())
    page = (site / "parameters.html").read_text()
    shown = set(re.findall(r"<td><code>([\w.-]+)</code></td>", page))
    methods = {kind["$ref"].rpartition("/")[2] for kind in schema["properties"]["method"]["oneOf"]}
    weights = {name for name in schema["$defs"] if name.endswith("Weights")} | {"Contrast", "Matching"}
    for name, kind in schema["$defs"].items():
        if name not in methods | weights:
            assert set(kind["properties"]) <= shown, name
    for key in schema["properties"]:
        assert f'id="{key}"' in page
    row = next(
        line.replace("\xa0", " ") for line in page.split("<tr>") if "<code>max_quarantined</code>" in line
    )
    assert re.findall(r"<td>(.*?)</td>", row)[1:3] == ["number ≥ 0, ≤ 1", "<code>0.1</code>"]


def test_the_python_interface_is_documented(site: Path) -> None:
    import ugcl

    page = (site / "api.html").read_text()
    headings = set(re.findall(r'<h\d id="ugcl\.[\w.]*?(\w+)"', page))
    assert set(ugcl.__all__) <= headings
    assert "clip.mp4" in (site / "python.html").read_text()


def test_every_page_is_in_the_navigation(project: Path, pages: dict[Path, Links]) -> None:
    nav = yaml.safe_load(re.sub(r"!!python\S*", "", (project / "mkdocs.yml").read_text()))["nav"]
    named = set(re.findall(r"[\w-]+\.md", json.dumps(nav)))
    assert {path.name for path in (project / "docs").glob("*.md")} <= named
    assert {path.stem for path in pages} == {name.removesuffix(".md") for name in named}


@pytest.mark.browser
@pytest.mark.parametrize("width", [1280, 390])
def test_pages_fit_the_window_and_the_search_works_from_the_disk(site: Path, width: int) -> None:
    with started() as browser:
        page, faults = browser.new_page(viewport={"width": width, "height": 900}), []
        page.on("console", lambda m: faults.append(m.text) if m.type in ("error", "warning") else None)
        page.on("pageerror", lambda error: faults.append(str(error)))
        home = (site.as_uri(), "data:", "about:")
        page.on("request", lambda r: faults.append(r.url) if not r.url.startswith(home) else None)
        for name in ("parameters", "results", "api", "index"):
            page.goto((site / f"{name}.html").as_uri())
            assert page.evaluate("document.documentElement.scrollWidth") <= width, name
        if width < 1000:
            page.click("header label[for=__search]")
        page.locator("input[name=query]").press_sequentially("quarantine")
        page.wait_for_selector(".md-search-result__item a[href*=corpora]")
    assert faults == []
