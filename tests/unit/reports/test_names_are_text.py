"""Names that users chose stay text in every page: no tag, script or table cell comes of them."""

from __future__ import annotations

import re
from html.parser import HTMLParser
from pathlib import Path

import pandas as pd
import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st
from nbconvert.filters import markdown2html

from tests.fixtures import examined, finished
from tests.fixtures.searched import write_search
from ugcl import config as configuration
from ugcl.config import Config
from ugcl.data import tables
from ugcl.evaluation.tables import benchmark as of_benchmark
from ugcl.evaluation.tables.score import score
from ugcl.plan import evaluation as outputs
from ugcl.plan import paths, reports
from ugcl.reports.pages import model_card, site
from ugcl.reports.pages.render import render
from ugcl.reports.tables import papers
from ugcl.reports.text import code, plain

TAG, SPEAKER, SENTENCE = "<img src=x onerror=alert(1)>", "|x|", "</script><script>alert(4)</script>"
LINK, SIGNS = "[a](javascript:alert(5))", r"$\frac$ *b* `c` _d_ &lt;"
LABELS = {"angry": TAG, "happy": SIGNS, "sad": LINK}
WORDS = {"01": SPEAKER, "S0": SENTENCE, "S1": "| a | b |"}


class Page(HTMLParser):
    """What a page consists of: tags with their attributes, the words of its scripts, its text, its tables."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.text, self.scripts, self.rows, self.within = "", "", [], ""
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        self.within = tag if tag in ("script", "style") else self.within
        if tag == "tr":
            self.rows.append(0)
        elif tag in ("td", "th") and self.rows:
            self.rows[-1] += 1

    def handle_endtag(self, tag: str) -> None:
        self.within = "" if tag == self.within else self.within

    def handle_data(self, data: str) -> None:
        if self.within == "script":
            self.scripts += data
        elif not self.within:
            self.text += data

    def check(self, name: str) -> None:
        """No element is one of a name's."""
        for tag, attributes in self.tags:
            assert not [key for key in attributes if key.startswith("on")], (name, tag, attributes)
            assert attributes.get("src") != "x", name
            assert not (attributes.get("href") or "").startswith("javascript"), name
        assert "alert(4)" not in self.scripts, name


def renamed(frame: pd.DataFrame) -> pd.DataFrame:
    """A table with the labels, speakers and sentences of this test."""
    columns = {f"p_{old}": f"p_{new}" for old, new in LABELS.items()}
    for old, new in LABELS.items():
        for channel in ("voice", "face", "multimodal"):
            columns[f"votes_{channel}_{old[:3].upper()}"] = f"votes_{channel}_{new}"
    frame = frame.replace(LABELS).rename(columns=columns)
    for column in frame.columns.intersection(["speaker", "sentence"]):
        frame[column] = frame[column].replace(WORDS)
    return frame


@pytest.fixture(scope="module")
def pages(project: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """Name → text of every page, table and card of a finished project with such names."""
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(tmp_path_factory.mktemp("names"))
        config = finished.summarised(project)
        tree = yaml.safe_load(Path("params.yaml").read_text())
        protocol = tree["corpora"]["demo"]["protocols"]["intended"]
        protocol["classes"] = [LABELS.get(name, name) for name in protocol["classes"]]
        tree |= {"active": ["demo"], "report": {"title": f"T {SENTENCE}"}}
        tree["benchmarks"]["demo"]["label_noise"] = {}
        Path("params.yaml").write_text(yaml.safe_dump(tree, sort_keys=False))
        config = configuration.load()
        files = [paths.manifest("demo"), paths.quarantine("demo"), *paths.PREDICTIONS.glob("demo/*/*/*.csv")]
        files += [outputs.score("demo", name) for name in ("hard_negatives", "token_map", "attention")]
        for path in files:
            tables.write(renamed(tables.read(path)), path)
        for system in config.benchmark("demo").systems:
            examined.seal("demo", system)
        return made(config, project)


def made(config: Config, project: Path) -> dict[str, str]:
    """Make all pages."""
    score(config, "demo", dict.fromkeys(config.benchmark("demo").systems, "f00df00df00d"))
    of_benchmark.write(config, "demo")
    write_search("demo", "ugcl")
    finished.stand_in_figures(config)  # notebooks draw them
    papers.tables_of_all(config)
    model_card.cards_of_all(config)
    Path("notebooks").symlink_to(project / "notebooks")
    written = [site.build(config), *(render(config, name) for name in reports.notebooks(config))]
    written += [*reports.model_cards(config), *paths.REPORTS.glob("demo/tables/*.md")]
    return {path.name: path.read_text() for path in written}


def test_no_name_becomes_an_element_of_a_page(pages: dict[str, str]) -> None:
    assert len(pages) == 1 + 11 + 1 + 6
    for name, text in pages.items():
        Page(markdown2html(text) if name.endswith(".md") else text).check(name)


def test_the_names_are_there_as_text(pages: dict[str, str]) -> None:
    shown = {
        name: " ".join(Page(markdown2html(text) if name.endswith(".md") else text).text.split())
        for name, text in pages.items()
    }
    for name in ("index.html", "01_data.html", "model_card_demo.md"):
        for label in (TAG, LINK, SIGNS):
            assert label in shown[name], (name, label)
    assert SENTENCE in shown["demo_subgroups.md"] and "| a | b |" in shown["demo_subgroups.md"]
    assert SENTENCE in shown["model_card_demo.md"] and SENTENCE in shown["index.html"]
    assert SPEAKER in shown["05_errors.html"]


def test_names_add_no_cell_to_a_table_of_markdown(pages: dict[str, str]) -> None:
    for name, text in pages.items():
        if name.endswith(".md"):
            for table in re.findall(r"(?:^\|.*\n)+", text, flags=re.M):
                rows = Page(markdown2html(table)).rows
                assert len(rows) == table.count("\n") - 1 and len(set(rows)) == 1, (name, table)


@given(st.text("ab <>&;|`*_$\\[]():!#~-=+.'\"/1", max_size=30))
def test_any_name_is_shown_by_markdown_as_it_stands(name: str) -> None:
    for text, expected in ((plain(name), name), (code(f"x{name}x"), f"x{name}x".replace("`", "'"))):
        page = Page(markdown2html(f"Name: {text} end"))
        assert {tag for tag, _ in page.tags} <= {"p", "code"}
        assert " ".join(page.text.split()) == " ".join(f"Name: {expected} end".split())


def test_usual_names_and_numbers_are_left_as_they_are() -> None:
    for text in ("hap_exc", "audio-only", "72.1 [70.0, 74.2]", "< 0.001", "−3.1 ± 0.2", "R&D", "+2.5"):
        assert plain(text) == text


def test_latex_of_a_name_has_no_command_of_it() -> None:
    table = pd.DataFrame({"system": ["a"], "group": [r"\input{x} $y$ ~^"]})
    row = papers.to_latex(table, "c", "l").splitlines()[9]
    assert row == r"a & \textbackslash{}input\{x\} \$y\$ \textasciitilde{}\textasciicircum{} \\"
