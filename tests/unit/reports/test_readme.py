"""The page of results, README's picture and the demo's tables agree; `make demo` says how long it takes."""

from __future__ import annotations

import os
import re
import subprocess
from hashlib import sha256
from pathlib import Path

import pandas as pd
import pytest
from PIL import Image

from ugcl.plan.evaluation import table


@pytest.fixture
def results(project: Path) -> str:
    return (project / "docs/results.md").read_text()


def test_the_demo_s_numbers_are_those_of_its_table(project: Path, results: str) -> None:
    summary = pd.read_csv(project / table("demo", "summary"), keep_default_na=False)
    cells = summary.set_index(["system", "metric"])
    block = re.search(r"<!-- demo: .*?-->(.*)<!-- end of demo -->", results, re.DOTALL).group(1)
    rows = [[cell.strip(" `") for cell in line.split("|")[1:-1]] for line in block.strip().splitlines()]
    assert rows[0] == ["system", "UAR", "macro-F1"]
    shown = {row[0]: row[1:] for row in rows[2:]}
    assert set(shown) == {name for name in summary["system"] if not name.startswith("raters:")}
    for system, values in shown.items():
        for metric, text in zip(("uar", "macro_f1"), values, strict=True):
            value, *ends = (float(number) for number in re.findall(r"[\d.]+", text))
            row = cells.loc[(system, metric)]
            assert value == pytest.approx(100 * row["value"], abs=0.051)
            limits = [100 * float(row[end]) for end in ("ci_low", "ci_high")] if ends else []
            assert ends == pytest.approx(limits, abs=0.051)
            assert ends or system in ("chance", "majority")


def test_the_numbers_with_three_seeds_are_those_of_the_committed_table(project: Path, results: str) -> None:
    rows = pd.read_csv(project / "docs/results/demo_released.csv").set_index("system")
    text = " ".join(results.split())
    released = 100 * rows.loc["ugcl-as-released", ["value", "ci_low", "ci_high"]]
    words = "it reaches {:.1f} [{:.1f}, {:.1f}] and `ugcl` {:.1f}"
    assert words.format(*released, 100 * rows.loc["ugcl", "value"]) in text
    gain = 100 * rows.loc["ugcl-by-speaker", "difference"]
    assert f"Standardisation per speaker has {gain:+.1f}." in text


def test_the_picture_shows_the_tables_of_now(project: Path) -> None:
    picture = Image.open(project / "docs/report.png")
    digest = sha256((project / table("demo", "summary")).read_bytes()).hexdigest()
    assert picture.text["summary"] == digest, "run python docs/refresh.py"


def test_make_demo_says_first_how_long_it_takes(project: Path) -> None:
    # `make test` hands its own settings down, and make would then first name the folder it enters.
    environment = {name: value for name, value in os.environ.items() if not name.startswith("MAKE")}
    command = ["make", "-n", "demo"]
    done = subprocess.run(command, cwd=project, env=environment, capture_output=True, text=True, check=True)
    first = done.stdout.splitlines()[0]
    minutes = re.search(r"about (\d+) minutes on 2 cores", first).group(1)
    for page in ("README.md", "docs/index.md"):
        assert f"{minutes} minutes on 2 cores" in (project / page).read_text()
    assert len((project / "README.md").read_text().splitlines()) <= 45, "README is one screen"
