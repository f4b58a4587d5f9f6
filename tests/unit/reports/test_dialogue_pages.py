"""Pages of a benchmark like MELD: weighted-F1 decides, intervals are by dialogue, dialogues are shown."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pandas as pd
import pytest
from bs4 import BeautifulSoup
from typer.testing import CliRunner

from tests.fixtures import finished, talked
from ugcl.cli.main import app
from ugcl.config import Config
from ugcl.evaluation.schemas import schema
from ugcl.evaluation.schemas.summary import TABLES
from ugcl.plan import evaluation as outputs
from ugcl.plan import paths, reports
from ugcl.plan.figures import KINDS, worded
from ugcl.reports.figures import draw
from ugcl.reports.pages import model_card, site
from ugcl.reports.pages.glance import glance
from ugcl.reports.pages.render import render
from ugcl.reports.tables import dialogues, papers
from ugcl.reports.tables.read import no_intervals, read

BY_DIALOGUE = "Intervals by dialogue; speakers recur in all parts"


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory, project: Path) -> Path:
    folder = tmp_path_factory.mktemp("talk")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        config = talked.summarised(project)
        shutil.copytree(project / "notebooks", "notebooks")
        finished.stand_in_figures(config)
        model_card.cards_of_all(config)
        site.build(config)
    return folder


@pytest.fixture
def talk(made: Path, monkeypatch: pytest.MonkeyPatch) -> Config:
    from ugcl import config

    monkeypatch.chdir(made)
    return config.load(Path("params.yaml"))


def test_the_front_page_says_what_decides_and_what_is_drawn(talk: Config) -> None:
    page = BeautifulSoup(paths.INDEX.read_text(), "html.parser")
    text = " ".join(page.get_text(" ").split())
    assert "primary metric: weighted-F1" in text and "and the primary metric" not in text
    assert "interval from drawing dialogues and, with several seeds or four folds, from how" in text
    assert "drawing speakers" not in text
    assert f"Primary metric: weighted-F1. {BY_DIALOGUE}" in text
    assert "unseen speakers" not in text and "dev clips only" in text
    assert "7 speakers are in more than one part of a fold: Ann Lee, Bo, Cy, Dora Day" in text
    captions = [caption.get_text() for caption in page.select("figcaption")]
    assert any("95 % intervals over dialogues" in caption for caption in captions)
    assert not any("{" in caption for caption in captions)


def test_the_best_system_is_that_of_the_primary_metric(talk: Config) -> None:
    scores = read("summary", "talk").query("metric == 'weighted_f1' and lineage != ''").set_index("system")
    best, *_ = glance(talk, "talk")
    chance = read("summary", "talk").query("metric == 'weighted_f1' and system == 'chance'")["value"].iloc[0]
    value, name = 100 * scores["value"].max(), scores["value"].idxmax()
    assert best["value"] == f"{name}, weighted-F1 {value:.1f} (chance {100 * chance:.1f})"
    swapped = read("summary", "talk")
    worst = swapped["metric"].eq("weighted_f1") & swapped["system"].eq(name)
    swapped.loc[worst, "value"] = 0.0
    assert model_card.best(swapped, "weighted_f1") != name == model_card.best(swapped, "uar")


def test_the_card_and_the_tables_for_papers_say_so_too(talk: Config) -> None:
    card = reports.model_card(talk, "talk").read_text()
    assert "the highest weighted-F1 on the test clips" in card and "points of weighted-F1" in card
    assert (
        "chosen on dev dialogues. Choosing it" in card
        and f" Primary metric: weighted-F1. {BY_DIALOGUE}" in card
    )
    assert (
        "intervals over dialogues" in card and "24 dialogues of 7 speakers" in card and "\n\n\n" not in card
    )
    table, text, _ = papers.paper_tables(talk, "talk")["comparisons"]
    metrics = [name for name in table if name.startswith("Δ")]
    assert (
        metrics == ["Δ weighted-F1", "Δ UAR", "Δ WAR", "Δ macro-F1"] and "detectable Δ weighted-F1" in table
    )
    assert "over dialogues and training runs" in text and (table["p sign flips"] != "").all()
    assert BY_DIALOGUE in papers.caption(talk, "talk", "scores.")


@pytest.mark.parametrize(
    "name", ["forest", "comparisons", "optimism", "learning_curves", "robustness", "cost"]
)
def test_figures_draw_the_primary_metric(talk: Config, name: str) -> None:
    figure = draw.draw(talk, "talk", name)
    words = [text.get_text() for text in figure.findobj(lambda part: hasattr(part, "get_text"))]
    whole = " ".join(words)
    assert "weighted-F1" in whole and "UAR" not in whole, whole
    assert "over speakers" not in whole


def test_few_dialogues_have_no_intervals_and_few_speakers_do_not_matter(
    talk: Config, tmp_path, monkeypatch
) -> None:
    shutil.copytree(".", tmp_path / "copy")
    monkeypatch.chdir(tmp_path / "copy")
    summary = pd.read_csv(outputs.table("talk", "summary"), keep_default_na=False)
    summary.assign(speakers=2).to_csv(outputs.table("talk", "summary"), index=False)
    assert no_intervals("talk") == "" and read("summary", "talk")["ci_low"].notna().any()
    facts = pd.read_csv(outputs.table("talk", "dialogues"), keep_default_na=False)
    facts.assign(units=4).to_csv(outputs.table("talk", "dialogues"), index=False)
    assert no_intervals("talk").startswith("No intervals: with 4 dialogues")
    assert (
        read("summary", "talk")["ci_low"].isna().all() and read("comparisons", "talk")["ci_low"].isna().all()
    )


def test_dialogues_are_in_the_notebook_of_errors_with_their_text_escaped(talk: Config) -> None:
    page = render(talk, "05_errors").read_text()
    soup = BeautifulSoup(page, "html.parser")
    tables = soup.select("[aria-label^='dialogue test_dia']")
    assert len(tables) == 3
    heads = [cell.get_text() for cell in tables[0].select("th")]
    assert heads == ["turn", "speaker", "text", "label", "predicted", "confidence"]
    assert "&lt;b&gt;party&lt;/b&gt; &amp; the" in page and not soup.select("td b")
    long = [cell for cell in tables[0].select("td") if len(cell.get_text()) > 32]
    assert long and all("long" in cell["class"] for cell in long), "long text may break"


def test_turns_are_in_the_notebook_of_groups(talk: Config) -> None:
    text = BeautifulSoup(render(talk, "05b_groups").read_text(), "html.parser").get_text(" ")
    assert "Turns of dialogues, talk" in text and "What context adds" in text
    assert "text-context − text-alone" in text and "label changed (" in text


def test_the_table_of_turns_has_the_scores_of_its_file(talk: Config) -> None:
    table = read("turns", "talk")
    shown = dialogues.by_turn(table, "turn").set_index("system")
    row = table.query("system == 'text-past' and group == '0'").iloc[0]
    column = f"turn 0 ({row['clips']:.0f})"
    assert shown.loc["text-past", column].startswith(f"{100 * row['value']:.1f} [{100 * row['ci_low']:.1f}, ")
    assert list(dialogues.gains(table)["with − without context"]) == [
        "text-past − text-alone",
        "text-context − text-alone",
    ]
    alone = table[table["system"] == "text-alone"]
    assert dialogues.gains(alone).empty


def test_show_prints_a_dialogue(talk: Config) -> None:
    done = CliRunner().invoke(app, ["show", "talk", "text-context", "--dialogue", "test_dia4", "--json"])
    tree = json.loads(done.stdout)
    clips = (
        talked.manifest(talk.protocol("talk").classes).query("dialogue == 'test_dia4'").sort_values("turn")
    )
    assert [turn["clip"] for turn in tree["turns"]] == clips["clip"].tolist() and tree["marks"] == "LEAKY"
    text = CliRunner().invoke(app, ["show", "talk", "--dialogue", "test_dia4"]).stdout
    assert "test_dia4: talk/text-alone [LEAKY]" in text and "tested turns right" in text
    wrong = CliRunner().invoke(app, ["show", "some-clip", "text-alone"])
    assert wrong.exit_code == 2 and "--dialogue" in wrong.output


def test_a_benchmark_of_uar_and_speakers_says_what_it_said(summarised: Config) -> None:
    finished.stand_in_figures(summarised)
    model_card.cards_of_all(summarised)
    site.build(summarised)
    page = BeautifulSoup(paths.INDEX.read_text(), "html.parser")
    for names in page.select("[id$=-tables]"):
        names.decompose()  # the links to all tables, the empty ones too
    text = " ".join(page.get_text(" ").split())
    assert "UAR is the mean recall of the classes and the primary metric; WAR is accuracy;" in text
    assert "scored on unseen speakers, with the epoch chosen on dev speakers only" in text
    assert "dialogue" not in text and "dialogue" not in reports.model_card(summarised, "demo").read_text()
    for name in ("dialogues", "turns", "shifts"):
        assert read(name, "demo").empty
    page = render(summarised, "05b_groups", ["demo"]).read_text()
    assert "Turns of dialogues" not in BeautifulSoup(page, "html.parser").get_text()


def test_texts_of_figures_stand_for_the_protocol(talk: Config, summarised: Config) -> None:
    (forest,) = (kind for kind in KINDS if kind.name == "forest")
    assert worded(forest.title, summarised, "demo") == "unweighted average recall"
    assert worded(forest.title, talk, "talk") == "weighted-F1"


def test_the_committed_tables_of_the_demo_have_the_declared_columns(project: Path) -> None:
    found = sorted((project / "results/tables/demo").glob("*.csv"))
    assert len(found) > 20
    for path in found:
        frame = pd.read_csv(path, dtype=str, keep_default_na=False)
        assert len(schema.typed(frame, TABLES[path.stem], path)) == len(frame)
