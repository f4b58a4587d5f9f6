"""A model card is of the best system, says what the tables say, and what the system is not for."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest
import yaml

from ugcl import config as configuration
from ugcl.config import Config
from ugcl.errors import UgclError
from ugcl.plan import reports as outputs
from ugcl.plan.evaluation import table as outputs_of_summary
from ugcl.reports.pages import model_card
from ugcl.reports.tables import papers as tables
from ugcl.reports.tables.read import read


def test_the_best_system_is_a_trained_one_and_the_first_of_equals() -> None:
    rows = [("a", 0.6), ("b", 0.7), ("c", 0.7), ("raters:voice", 0.9), ("chance", 0.2)]
    summary = pd.DataFrame(rows, columns=["system", "value"]).assign(metric="uar")
    assert model_card.best(summary) == "b"


def test_a_shared_first_place_is_named_as_shared() -> None:
    rows = [("a", 0.6), ("b", 0.7001), ("c", 0.7), ("raters:voice", 0.9)]
    summary = pd.DataFrame(rows, columns=["system", "value"]).assign(metric="uar")
    tests = pd.DataFrame({"system": ["b", "c"], "metric": "uar", "reference": "a", "p_holm": [0.01, 0.2]})
    place = model_card.standing(summary, tests)
    assert place == {"tied": ["c"], "against": ["a"], "p": 0.2, "shown": False}
    alone = model_card.standing(summary[summary["system"] != "c"], tests.iloc[:1])
    assert alone == {"tied": [], "against": ["a"], "p": 0.01, "shown": True}
    reference_leads = tests.assign(system=["a", "c"], reference="b")
    assert model_card.standing(summary, reference_leads)["against"] == ["c"]


def test_the_card_of_a_tie_names_who_shares_the_place(summarised: Config) -> None:
    path = outputs_of_summary("demo", "summary")
    frame = pd.read_csv(path, keep_default_na=False, dtype=str)
    own = (frame["benchmark"] == "demo") & (frame["metric"] == "uar")
    frame.loc[own & frame["system"].isin(["ugcl", "ugcl-no-ugcl"]), "value"] = "1.000000"
    frame.to_csv(path, index=False)
    model_card.cards_of_all(summarised)
    text = outputs.model_card(summarised, "demo").read_text()
    assert "shares the highest UAR" in text and "with ugcl" in text and "after Holm" in text


def test_cards_say_what_the_tables_say(summarised: Config) -> None:
    assert model_card.cards_of_all(summarised) == outputs.model_cards(summarised)
    summary = read("summary", "ravdess")
    system = model_card.best(summary)
    row = summary.query("system == @system and metric == 'uar'").iloc[0]
    text = outputs.model_card(summarised, "ravdess").read_text()
    assert text.startswith(f"# Model card: {system} on ravdess\n")
    assert (
        f"| {system} | {100 * row['value']:.1f} [{100 * row['ci_low']:.1f}, {100 * row['ci_high']:.1f}] |"
        in text
    )
    assert "CC BY-NC-SA 4.0" in text and "3 trained systems" in text and "| chance | 12.5 |" in text
    assert "Not for decisions about people" in text and "SYNTHETIC" not in text
    recall = read("per_class", "ravdess").query("system == @system").set_index("class")["recall"]
    assert f"{recall.idxmin()} {100 * recall.min():.0f} %." in text
    noise = read("robustness", "ravdess").query("system == @system and level == '0.5' and metric == 'uar'")
    change = f"{100 * noise['difference'].iloc[0]:+.1f}".replace("-", "−")
    assert f"| audio 0.5 s late | {change} |" in text and "no video" not in text


def test_a_synthetic_corpus_is_named_so_and_tables_are_whole(summarised: Config) -> None:
    model_card.cards_of_all(summarised)
    text = outputs.model_card(summarised, "demo").read_text()
    assert "[SYNTHETIC]" in text.splitlines()[0] and "must not be used on people" in text
    tables = [block.splitlines() for block in text.split("\n\n") if block.startswith("|")]
    assert len(tables) == 3
    for lines in tables:
        assert len({line.count("|") for line in lines}) == 1
    assert "\n\n\n" not in text


def test_a_system_that_reads_a_speaker_s_other_clips_says_so_wherever_its_scores_stand(
    summarised: Config,
) -> None:
    summary = read("summary", "ravdess")
    system = model_card.best(summary)
    plain = tables.caption(summarised, "ravdess", "scores.")
    tree = yaml.safe_load(Path("params.yaml").read_text())
    entry = tree["systems"].setdefault(system, {})
    entry["input"] = entry.get("input", {}) | {"standardise": "speaker"}
    entry["train"] = entry.get("train", {}) | {"refit": True}
    changed = configuration.parse(tree)
    model_card.cards_of_all(changed)
    text = outputs.model_card(summarised, "ravdess").read_text()
    assert "several recordings of a person" in text and "trained a second time" in text
    assert f"`ugcl predict FOLDER --system {system}`" in text and "predict CLIP" not in text
    assert "\n\n\n" not in text
    family = [  # rows of a grid follow the system that they change
        name
        for name in changed.benchmark("ravdess").systems
        if system in (name, changed.systems[name].extends)
    ]
    told = f" {', '.join(family)}: features standardised over all of a test speaker's clips, unlabelled."
    assert tables.caption(changed, "ravdess", "scores.") == plain + told


def test_a_leak_is_on_the_card(summarised: Config) -> None:
    path = Path("results/tables/demo/parts.csv")
    lines = path.read_text().splitlines()
    lines[1] = lines[1].replace(",,SYNTHETIC", ",03 04,SYNTHETIC")
    path.write_text("\n".join(lines) + "\n")
    model_card.cards_of_all(summarised)
    text = outputs.model_card(summarised, "demo").read_text()
    assert "**LEAKY.**" in text and "are disjoint" not in text


def test_a_missing_registry_is_named(summarised: Config) -> None:
    Path(summarised.data.sources).unlink()
    with pytest.raises(UgclError, match=r"sources\.csv"):
        model_card.cards_of_all(summarised)


def test_a_corpus_without_known_speakers_claims_no_disjoint_ones(project: Path) -> None:
    config = configuration.load(project / "params.yaml")
    assert model_card.disjoint(config, "ravdess_peers").endswith("are disjoint.")
    assert "not known: each clip counts" in model_card.disjoint(config, "mmmo_peers")
    assert "not known: each video counts" in model_card.disjoint(config, "mosi")
