"""The front page and the notebooks in a real browser: no request, no error, sorting and filtering."""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Iterator
from pathlib import Path

import pandas as pd
import pytest

from tests.fixtures import finished
from tests.fixtures.browser import started
from tests.fixtures.searched import write_search
from ugcl.plan import paths, transfer
from ugcl.plan import reports as outputs
from ugcl.reports.pages import model_card, site
from ugcl.reports.pages.media import clip_table
from ugcl.reports.pages.render import render
from ugcl.reports.tables import papers as tables

SET = paths.REPORTS / "demo+ravdess"
pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("site")]


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory, project: Path) -> Iterator[Path]:
    """A project with its front page and notebooks."""
    folder = tmp_path_factory.mktemp("site")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        config = finished.summarised(project)
        shutil.copytree(project / "notebooks", "notebooks")
        finished.stand_in_figures(config)
        tables.tables_of_all(config)
        model_card.cards_of_all(config)
        clip_table.build_all(config)
        write_search("demo", "ugcl")
        for name in outputs.notebooks(config):
            render(config, name)
        site.build(config)
        yield folder


@pytest.fixture(scope="module")
def browser() -> Iterator[object]:
    """Chromium of this machine."""
    with started() as running:
        yield running


def opened(browser, path: Path, **context):
    """A page, with what it asked for and complained about."""
    page = browser.new_context(**context).new_page()
    faults: list[str] = []
    page.on("console", lambda m: faults.append(m.text) if m.type in ("error", "warning") else None)
    page.on("pageerror", lambda error: faults.append(str(error)))
    address = path.absolute().as_uri()
    page.on("request", lambda r: faults.append(r.url) if not r.url.startswith((address, "data:")) else None)
    page.goto(address, wait_until="load")
    return page, faults


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [1280, 360])
def test_the_page_asks_for_nothing_and_fits_the_window(browser, built: Path, scheme: str, width: int) -> None:
    size = {"width": width, "height": 800}
    page, faults = opened(browser, built / paths.INDEX, color_scheme=scheme, viewport=size)
    for unfolded in page.query_selector_all("details > summary"):
        unfolded.click()
    assert faults == []
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    assert page.evaluate("[...document.images].every(i => i.complete && i.naturalWidth > 0)")
    ink, paper = page.evaluate("(s => [s.color, s.backgroundColor])(getComputedStyle(document.body))")
    assert abs(_light(ink) - _light(paper)) > 150


def test_columns_sort_by_mouse_and_keyboard_and_say_so(browser, built: Path) -> None:
    page, faults = opened(browser, built / paths.INDEX)
    column = "[...document.querySelectorAll('#scores tbody tr')].map(r => Number(r.cells[2].dataset.sort))"
    head = page.locator("#scores thead th", has_text="UAR")
    head.locator("button").click()
    values = page.evaluate(column)
    assert head.get_attribute("aria-sort") == "descending" and values == sorted(values, reverse=True)
    head.locator("button").focus()
    page.keyboard.press("Enter")
    values = page.evaluate(column)
    assert head.get_attribute("aria-sort") == "ascending" and values == sorted(values)
    names = page.locator("#scores thead th", has_text="System")
    names.locator("button").click()
    assert names.get_attribute("aria-sort") == "ascending" and head.get_attribute("aria-sort") == "none"
    assert faults == []


def test_filters_narrow_the_rows_and_count_them(browser, built: Path) -> None:
    page, _ = opened(browser, built / paths.INDEX)
    rows = page.locator("#scores tbody tr:visible")
    whole = rows.count()
    page.uncheck("#others")
    assert rows.count() == 6
    page.select_option("#benchmark", "ravdess")
    assert rows.count() == 3
    page.fill("#text", "AUDIO")
    assert rows.count() == 1 and "audio-only" in rows.inner_text()
    assert page.inner_text("#shown") == f"1 of {whole} rows"


def test_the_page_reads_without_script(browser, built: Path) -> None:
    page, faults = opened(browser, built / paths.INDEX, java_script_enabled=False)
    assert page.locator("#scores tbody tr").count() > 6 and faults == []


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [1280, 360])
def test_a_page_of_clips_fits_the_window(browser, built: Path, scheme: str, width: int) -> None:
    size = {"width": width, "height": 800}
    page, faults = opened(browser, built / SET / "clips_demo.html", color_scheme=scheme, viewport=size)
    assert faults == [] and page.evaluate("document.documentElement.scrollWidth") <= width
    ink, paper = page.evaluate("(s => [s.color, s.backgroundColor])(getComputedStyle(document.body))")
    assert abs(_light(ink) - _light(paper)) > 150


def test_two_systems_are_compared_in_either_order_and_clips_are_filtered(browser, built: Path) -> None:
    page, faults = opened(browser, built / SET / "clips_demo.html")
    table = pd.read_csv(built / paths.TABLES / "demo/system_pairs.csv").set_index(["system", "other"])
    row = table.loc["ugcl", "audio-only"]

    def compared(first: str, second: str) -> tuple[str, list[str]]:
        page.select_option("#first", first)
        page.select_option("#second", second)
        return page.inner_text("#difference"), page.locator("#agreement td").all_inner_texts()

    text, shares = compared("ugcl", "audio-only")
    ends = [f"{100 * row[end]:+.1f}".replace("-", "−") for end in ("difference", "ci_low", "ci_high")]
    assert f"difference {ends[0]} [{ends[1]}, {ends[2]}]" in text
    expected = [f"{100 * row[name]:.1f} %" for name in ("both", "only_system", "only_other", "neither")]
    assert shares == expected
    text, shares = compared("audio-only", "ugcl")
    ends = [f"{-100 * row[end]:+.1f}".replace("-", "−") for end in ("difference", "ci_high", "ci_low")]
    assert f"difference {ends[0]} [{ends[1]}, {ends[2]}]" in text
    assert shares == [expected[0], expected[2], expected[1], expected[3]]

    counts = []
    for result in ("10", "01", "11", "00"):
        page.select_option("#result", result)
        counts.append(int(page.inner_text("#shown").split(" of ")[0]))
        for row in page.locator("#clips tbody tr").all()[:5]:
            marked = [cell.get_attribute("class") or "" for cell in row.locator("td").all()[-2:]]
            assert ["wrong" not in each for each in marked] == [letter == "1" for letter in result]
    page.select_option("#result", "")
    assert page.inner_text("#shown") == f"{sum(counts)} of {sum(counts)} clips" and faults == []


def test_one_system_is_not_compared_with_itself(browser, built: Path, tmp_path: Path) -> None:
    text = (built / SET / "clips_demo.html").read_text()
    start, end = '<script type="application/json" id="data">', "</script>"
    before, _, rest = text.partition(start)
    content, _, after = rest.partition(end)
    data = json.loads(content)
    data["systems"], data["pairs"] = data["systems"][:1], []
    (tmp_path / "one.html").write_text(before + start + json.dumps(data) + end + after)
    page, faults = opened(browser, tmp_path / "one.html")
    assert faults == [] and not page.is_visible("#agreement")
    name = data["systems"][0]["name"]
    assert page.locator("#clips thead th").all_inner_texts()[-1] == name
    assert page.locator("#clips thead th", has_text=name).count() == 1
    counts = []
    for result in ("11", "00"):
        page.select_option("#result", result)
        counts.append(int(page.inner_text("#shown").split(" of ")[0]))
    assert page.locator("#result option").all_inner_texts() == ["all", "right", "wrong"]
    assert sum(counts) == len(data["clips"]) and min(counts) > 0


NOTEBOOKS = [path.stem for path in sorted(Path("notebooks").glob("*.py")) if path.stem != transfer.NOTEBOOK]


@pytest.mark.parametrize("name", NOTEBOOKS)
def test_notebooks_ask_for_nothing(browser, built: Path, name: str) -> None:
    page, faults = opened(browser, built / SET / f"{name}.html")
    assert faults == [] and page.locator("h1").count() == 1
    assert page.evaluate("[...document.images].every(i => i.complete && i.naturalWidth > 0 && i.alt)")


@pytest.mark.parametrize("name", NOTEBOOKS)
def test_a_notebook_fits_a_phone_in_the_dark_and_leads_back(browser, built: Path, name: str) -> None:
    size = {"width": 390, "height": 800}
    page, _ = opened(browser, built / SET / f"{name}.html", color_scheme="dark", viewport=size)
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    ink, paper = page.evaluate("(s => [s.color, s.backgroundColor])(getComputedStyle(document.body))")
    assert _light(ink) - _light(paper) > 150
    for cell in page.query_selector_all("td, th")[:40]:
        ink, paper = cell.evaluate("e => [getComputedStyle(e).color, getComputedStyle(e).backgroundColor]")
        assert _light(ink) > 150 and (paper == "rgba(0, 0, 0, 0)" or _light(paper) < 100)
    assert page.title().startswith(page.locator("h1").inner_text().strip("¶"))
    page.click("nav a >> nth=0")
    assert page.url == (built / SET / "index.html").absolute().as_uri()


@pytest.mark.parametrize("name", NOTEBOOKS)
def test_what_is_wider_than_the_phone_says_so(browser, built: Path, name: str) -> None:
    size = {"width": 390, "height": 800}
    page, _ = opened(browser, built / SET / f"{name}.html", viewport=size)
    state = "b => [b.scrollWidth > b.clientWidth + 1, !b.hint.hidden]"
    boxes = page.evaluate(f"[...document.querySelectorAll('.scroll')].map({state})")
    assert all(hinted == wider for wider, hinted in boxes)
    assert page.evaluate("[...document.querySelectorAll('table, img')].every(e => e.closest('.scroll'))")
    # Text of a figure has 8 points at the width of 6.5 inches: at 32 rem it has 8.7 pixels.
    widths = page.evaluate("[...document.querySelectorAll('figure.chart img')].map(i => i.offsetWidth)")
    assert all(width >= 500 for width in widths)


@pytest.mark.parametrize("name", ["", *NOTEBOOKS])
def test_no_page_has_a_raw_column_a_negative_zero_or_a_count_without_sense(
    browser, built: Path, name: str
) -> None:
    page, _ = opened(browser, built / (SET / f"{name}.html" if name else paths.INDEX))
    for unfolded in page.query_selector_all("details > summary"):
        unfolded.click()
    names = [text.strip() for text in page.locator("th").all_inner_texts()]
    assert [text for text in names if "_" in text and "." not in text] == []
    text = page.inner_text("body")
    assert re.findall(r"[−-]0\.0+(?!\d)", text) == []
    assert re.findall(r"\b(\d[\d.]*)–\1(?![\d.])", text) == []
    assert re.findall(r"\bseeds \d\b|\b1 seeds\b|seed\(s\)|posed emotions", text) == []


def _light(colour: str) -> float:
    numbers = colour.removeprefix("rgb(").rstrip(")").split(",")
    return sum(float(n) for n in numbers[:3]) / 3
