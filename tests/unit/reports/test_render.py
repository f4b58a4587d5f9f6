"""Notebooks run on the tables alone and become pages without requests; faults name the cell."""

from __future__ import annotations

import re
import sys
from pathlib import Path

import pytest
from bs4 import BeautifulSoup

from ugcl.config import Config
from ugcl.errors import UgclError
from ugcl.reports.pages.render import execute, render, to_html
from ugcl.reports.tables.read import read

HEADER = """# ---
# jupyter:
#   kernelspec:
#     display_name: Python 3 (ipykernel)
#     language: python
#     name: python3
# ---

# %% tags=["parameters"]
benchmarks = []

# %%
"""


def test_a_notebook_becomes_an_offline_page_with_its_numbers(summarised: Config) -> None:
    page = render(summarised, "03_ablations").read_text()
    assert not re.findall(r"<(?:script|link|iframe)[^>]*(?:src|href)=(?![\"']data:)", page)
    assert not re.findall(r"@import|url\(\s*['\"]?https?:", page)
    assert "method.weights.contrast: 0.15 → 0" in page and "[SYNTHETIC]" in page
    assert 'alt="demo: what an ablation changes  [SYNTHETIC]"' in page
    head, *body = BeautifulSoup(page, "html.parser").select_one("table").select("tr")
    column = [cell.get_text() for cell in head.select("th")].index("Δ UAR")
    changes = read("ablations", "demo").query("metric == 'uar'").set_index("system")["difference"]
    values = read("summary", "demo").query("metric == 'uar'").set_index("system")["value"]
    assert len(body) == len(changes) > 0
    for row in body:
        system, *cells = (cell.get_text() for cell in row.select("td"))
        assert changes[system] == pytest.approx(values[system] - values["ugcl"], abs=2e-6)
        assert cells[column - 1].split()[0] == f"{100 * changes[system]:+.1f}".replace("-", "−")


def test_a_page_has_the_notebook_s_title_and_leads_to_the_others_and_back(summarised: Config) -> None:
    page = BeautifulSoup(render(summarised, "05b_groups").read_text(), "html.parser")
    assert page.title.text == f"Speakers and groups – {summarised.report.title}"
    links = {link.text: link["href"] for link in page.select("nav a")}
    assert links.pop(f"← {summarised.report.title}") == "../index.html"
    assert links["Data"] == "01_data.html" and "Speakers and groups" not in links
    assert page.select_one("nav [aria-current=page]").text == "Speakers and groups"


def test_the_kernel_is_this_interpreter_and_gets_the_parameters(tmp_path: Path, monkeypatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("n.py").write_text(HEADER + "import sys; print(sys.executable, benchmarks)\n")
    notebook = execute(Path("n.py"), {"benchmarks": ["x", "y"]})
    text = notebook.cells[-1].outputs[0]["text"]
    assert Path(text.split()[0]).resolve() == Path(sys.executable).resolve()
    assert "['x', 'y']" in text
    first, second = to_html(notebook, "n"), to_html(execute(Path("n.py"), {"benchmarks": ["x", "y"]}), "n")
    assert first == second


def test_a_failing_cell_and_a_missing_notebook_are_named(summarised: Config) -> None:
    Path("notebooks/bad.py").write_text(HEADER + "raise ValueError('no such thing')\n")
    with pytest.raises(UgclError, match=r"bad\.py.*ValueError: no such thing"):
        render(summarised, "bad")
    with pytest.raises(UgclError, match="nothing"):
        render(summarised, "nothing")


def test_a_page_that_would_load_something_is_refused(tmp_path: Path, monkeypatch) -> None:
    monkeypatch.chdir(tmp_path)
    code = "from IPython.display import HTML; HTML('<script src=\"https://example.org/x.js\"></script>')\n"
    Path("n.py").write_text(HEADER + code)
    with pytest.raises(UgclError, match=r"example\.org"):
        to_html(execute(Path("n.py"), {}), "n")
