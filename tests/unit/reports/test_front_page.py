"""The front page holds every row and statement, and links only to files that exist."""

from __future__ import annotations

import html.parser
from functools import partial
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import yaml
from bs4 import BeautifulSoup
from sklearn.metrics import accuracy_score, f1_score, recall_score

from tests.fixtures import finished
from ugcl import config as configuration
from ugcl.config import Config
from ugcl.errors import UgclError
from ugcl.plan import evaluation, paths
from ugcl.plan import reports as outputs
from ugcl.plan.names import is_reference_row
from ugcl.reports.pages import archive, model_card, site
from ugcl.reports.pages.media import clip_table
from ugcl.reports.tables import papers as tables
from ugcl.reports.tables.read import read

SCORES = {
    "uar": partial(recall_score, average="macro"),
    "war": accuracy_score,
    "macro_f1": partial(f1_score, average="macro"),
    "weighted_f1": partial(f1_score, average="weighted"),
}
"""Metrics of the front page's first columns, by scikit-learn."""


def everything() -> pd.DataFrame:
    return pd.concat([read("summary", benchmark) for benchmark in ("demo", "ravdess")])


class Links(html.parser.HTMLParser):
    """Collects addresses, ids and rows."""

    def __init__(self) -> None:
        super().__init__()
        self.links, self.ids, self.rows, self.alts = [], [], 0, []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        found = dict(attrs)
        self.links += [found[name] for name in ("href", "src") if found.get(name)]
        self.ids += [found["id"]] if "id" in found else []
        self.rows += tag == "tr" and "data-benchmark" in found
        if tag == "img":
            self.alts.append(found.get("alt"))


def test_a_system_that_reads_a_speaker_s_other_clips_is_tagged(summarised: Config, page: Links) -> None:
    tree = yaml.safe_load(Path("params.yaml").read_text())
    tree["systems"]["audio-only"]["input"]["standardise"] = "speaker"
    text = site.build(configuration.parse(tree)).read_text()
    tagged = [tag for tag in BeautifulSoup(text, "html.parser").select("th .tag") if tag.text == "by speaker"]
    assert len(tagged) == 2 and all(tag.parent.text.startswith("audio-only") for tag in tagged)
    assert "unlabelled" in tagged[0]["title"]


@pytest.fixture
def page(summarised: Config) -> Links:
    finished.stand_in_figures(summarised)
    tables.tables_of_all(summarised)
    model_card.cards_of_all(summarised)
    clip_table.build_all(summarised)
    for path in (*outputs.notebook_outputs(summarised), outputs.workflow_report(summarised)):
        path.write_text("<!doctype html><title>a page</title>")
    parsed = Links()
    parsed.feed(site.build(summarised).read_text())
    archive.pack(summarised)
    return parsed


def test_every_input_of_the_page_is_among_the_declared_ones(page: Links, summarised: Config) -> None:
    assert all(path.is_file() for path in outputs.site_inputs(summarised))
    base = paths.INDEX.parent
    declared = {path.relative_to(base).as_posix() for path in outputs.site_inputs(summarised)}
    declared.add(outputs.archive(summarised).relative_to(base).as_posix())
    outside = [link for link in page.links if not link.startswith(("data:", "#"))]
    assert outside and set(outside) <= declared
    assert all((base / link).is_file() for link in outside)


def test_every_table_of_every_benchmark_is_linked(page: Links, summarised: Config) -> None:
    base = paths.INDEX.parent
    expected = {path.relative_to(base).as_posix() for path in evaluation.tables(summarised)}
    assert {link for link in expected if link.endswith(".csv")} <= set(page.links)


def test_recalls_by_class_are_those_of_the_predictions(page: Links, summarised: Config) -> None:
    soup = BeautifulSoup(paths.INDEX.read_text(), "html.parser")
    for benchmark in summarised.active:
        classes = summarised.protocol(benchmark).classes
        (table,) = [t for t in soup.select("table.shaded") if t.find_parent("section")["id"] == benchmark]
        assert [head.text for head in table.select("thead th")][1:] == classes
        for row in table.select("tbody tr"):
            tested = _predictions(summarised, benchmark, row.select_one("th").contents[1].strip())
            each = [
                recall_score(rows["label"], rows["predicted"], labels=classes, average=None)
                for rows in tested
            ]
            shown = [int(cell.text) for cell in row.select("td")]
            assert shown == pytest.approx(100 * np.mean(each, axis=0), abs=0.51)


def test_the_recall_of_a_class_that_was_not_tested_is_a_dash(summarised: Config) -> None:
    path = evaluation.table("demo", "per_class")
    frame = pd.read_csv(path, dtype=str, keep_default_na=False)
    frame.loc[frame["class"] == frame["class"].iloc[0], ["recall", "support"]] = ["0.000000", "0"]
    frame.to_csv(path, index=False)
    for _, _, cells in site._recalls(summarised, "demo"):
        assert [text for text, _ in cells].count("–") == 1


@pytest.mark.parametrize("name", ["comparisons", "system_pairs"])
def test_intervals_over_few_speakers_are_hidden_in_tables_of_differences(
    summarised: Config, name: str
) -> None:
    ends, path = ["ci_low", "ci_high"], evaluation.table("demo", "summary")
    assert read(name, "demo")[ends].notna().all(axis=None)
    pd.read_csv(path, dtype=str, keep_default_na=False).assign(speakers="4").to_csv(path, index=False)
    assert read(name, "demo")[ends].isna().all(axis=None)


def test_anchors_exist_ids_are_unique_and_pictures_have_text(page: Links) -> None:
    assert len(set(page.ids)) == len(page.ids)
    assert {link[1:] for link in page.links if link.startswith("#")} <= set(page.ids)
    assert page.alts and all(page.alts)


def test_the_page_says_what_the_tables_say(page: Links, summarised: Config) -> None:
    text = paths.INDEX.read_text()
    frame = everything()
    assert page.rows == frame.groupby(["benchmark", "system"]).ngroups
    uar = frame.query("benchmark == 'ravdess' and system == 'audio-only' and metric == 'uar'")["value"].iloc[
        0
    ]
    assert f'data-sort="{uar:.6f}"' in text
    assert (
        "Labels of demo, ravdess: what actors were asked to show." in text
        and "SYNTHETIC.</strong> demo:" in text
    )
    assert "LEAKY" not in text and "are disjoint" in text
    assert "f00df00df00d" in text


def test_every_score_on_the_page_is_a_row_of_the_summary_and_comes_from_the_predictions(
    page: Links, summarised: Config
) -> None:
    frame = everything().set_index(["benchmark", "system", "metric"])
    shown = 0
    for row in BeautifulSoup(paths.INDEX.read_text(), "html.parser").select("#scores tbody tr"):
        benchmark, system = row["data-benchmark"], row.select_one("th").contents[1].strip()
        if is_reference_row(system):
            continue
        tested = _predictions(summarised, benchmark, system)
        assert row.select("td")[-1].get_text(strip=True) == frame.loc[benchmark, system, "uar"]["lineage"]
        for cell, (metric, score) in zip(row.select("td.number"), SCORES.items(), strict=False):
            there = frame.loc[benchmark, system, metric]
            from_predictions = np.mean([score(run["label"], run["predicted"]) for run in tested])
            assert there["value"] == pytest.approx(from_predictions, abs=1e-6)
            value, *interval = cell.get_text("|", strip=True).split("|")
            assert value == f"{100 * there['value']:.1f}"
            assert interval == [f"{100 * there['ci_low']:.1f}–{100 * there['ci_high']:.1f}"]
            shown += 1
    assert shown == 4 * 6


def _predictions(config: Config, benchmark: str, system: str) -> list[pd.DataFrame]:
    """The prediction files of a system, one table a seed."""
    seeds, folds = config.benchmarks[benchmark].seeds, config.folds(benchmark)
    return [
        pd.concat(pd.read_csv(evaluation.prediction(benchmark, system, seed, fold)) for fold in folds)
        for seed in seeds
    ]


def test_notebooks_are_named_by_their_titles_and_cards_are_linked(page: Links, summarised: Config) -> None:
    text = paths.INDEX.read_text()
    for name in summarised.report.notebooks:
        title = outputs.notebook_source(name).read_text().split("# # ")[1].splitlines()[0]
        assert f'<a href="reports/demo+ravdess/{name}.html">{title}</a>' in text
    assert page.links.count("reports/demo+ravdess/workflow.html") == 2
    for benchmark in ("demo", "ravdess"):
        assert f"reports/demo+ravdess/model_card_{benchmark}.md" in page.links


def test_the_glance_is_of_the_best_system(page: Links, summarised: Config) -> None:
    scores = read("summary", "demo").query("metric == 'uar' and lineage != ''").set_index("system")["value"]
    classes = read("per_class", "demo").query("system == @scores.idxmax()").set_index("class")["recall"]
    text = paths.INDEX.read_text()
    assert f"<strong>{scores.idxmax()}, UAR {100 * scores.max():.1f} (chance 16.7)</strong>" in text
    assert f"<strong>{classes.idxmin()}, {100 * classes.min():.0f} %</strong>" in text
    # The made-up scores fall by a twentieth a condition, so that the last one is the worst.
    assert "<strong>audio 0.5 s late</strong>" in text


def test_a_leak_is_shouted(page: Links, summarised: Config) -> None:
    path = evaluation.table("demo", "parts")
    lines = path.read_text().splitlines()
    lines[1] = lines[1].replace(",,SYNTHETIC", ",03 04,SYNTHETIC")
    path.write_text("\n".join(lines) + "\n")
    text = site.build(summarised).read_text()
    assert "LEAKY.</strong> demo:" in text and "03, 04" in text


def test_a_missing_table_is_named(summarised: Config) -> None:
    Path("results/tables/demo/parts.csv").unlink()
    with pytest.raises(UgclError, match=r"parts\.csv"):
        site.build(summarised)


def test_the_page_that_stays_links_from_its_folder_and_the_front_page_to_other_reports(
    page: Links, summarised: Config
) -> None:
    own = outputs.front_page(summarised)
    assert own == paths.REPORTS / "demo+ravdess/index.html"
    before = own.read_bytes()
    other = paths.REPORTS / "crema_d" / "index.html"
    other.parent.mkdir()
    other.write_text("<!doctype html><title>another</title>")
    front, stays = Links(), Links()
    front.feed(site.build(summarised).read_text())
    stays.feed(own.read_text())
    outside = [[x for x in each.links if not x.startswith(("data:", "#"))] for each in (front, stays)]
    assert "reports/crema_d/index.html" in outside[0] and "reports/demo+ravdess/index.html" not in outside[0]
    assert own.read_bytes() == before, "what other runs leave does not change it"
    resolved = [
        {(base / link).resolve() for link in links}
        for base, links in zip((paths.INDEX.parent, own.parent), outside, strict=True)
    ]
    assert resolved[0] - resolved[1] == {other.resolve()} and not resolved[1] - resolved[0]
    assert all(path.is_file() for path in resolved[0])


def test_a_large_figure_stays_in_its_file(tmp_path: Path) -> None:
    page = tmp_path / "results/index.html"
    (tmp_path / "results/figures").mkdir(parents=True)
    small, large = (tmp_path / f"results/figures/{name} one.svg" for name in ("small", "large"))
    small.write_text("<svg/>")
    large.write_text("<svg>" + "<g/>" * site.LARGEST + "</svg>")
    assert site._source(small, page) == "data:image/svg+xml,%3Csvg/%3E"
    assert site._source(large, page) == "figures/large%20one.svg"
