"""A grid's rows are computed from one system, in the order in which a table shows them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from ugcl.config import Config, parse, read
from ugcl.errors import UgclError


@pytest.fixture
def tree(project: Path) -> dict[str, Any]:
    """The project's parameters with grids that no benchmark takes."""
    tree = read(project / "params.yaml") | {"tuned": {}, "transfer": []}
    tree["active"] = ["demo"]
    demo = tree["benchmarks"]["demo"] | {"systems": ["ugcl", "concat"], "planned": []}
    tree["benchmarks"] = {"demo": demo}
    tree["grids"] = {}
    return tree


def with_grid(tree: dict[str, Any], **grid: Any) -> Config:
    tree["grids"]["mine"] = grid
    return parse(tree)


def test_rows_and_sweeps_are_named_after_their_system_and_keep_their_order(tree: dict) -> None:
    config = with_grid(
        tree,
        of="concat",
        rows={
            "wide": {"encoder": {"width": 128}},
            "rate": {"sweep": {"train.lr": [0.05, 1e-5]}},
            "narrow": {"encoder": {"width": 8}},
            "steps-of-{value}-clips": {"train": {"lr": 0.5}, "sweep": {"train.batch": [4, 8]}},
        },
        sweep={"encoder.layers": [0, 2], "train.refit": [True]},
        **{"with": ["ugcl"]},
    )
    names = config.grids["mine"].systems
    assert names == [
        "concat",
        "concat-wide",
        "concat-rate-0.05",
        "concat-rate-1e-05",
        "concat-narrow",
        "concat-steps-of-4-clips",
        "concat-steps-of-8-clips",
        "concat-layers-0",
        "concat-layers-2",
        "concat-refit-true",
        "ugcl",
    ]
    base = config.resolve("demo", "concat")
    assert base.method.name == "concat"
    made = {name: config.resolve("demo", name) for name in names[1:-1]}
    assert all(run.method.name == "concat" for run in made.values())
    assert [run.encoder.layers for run in made.values()] == [base.encoder.layers] * 6 + [
        0,
        2,
        base.encoder.layers,
    ]
    assert [made[f"concat-rate-{value}"].train.lr for value in ("0.05", "1e-05")] == [0.05, 1e-5]
    assert made["concat-steps-of-8-clips"].train.batch == 8
    assert made["concat-steps-of-8-clips"].train.lr == 0.5
    assert made["concat-refit-true"].train.refit is True


def test_a_row_may_extend_another_system_or_another_row(tree: dict) -> None:
    rows = {"wide": {"encoder": {"width": 128}}, "both": {"extends": "ugcl-wide", "train": {"lr": 0.5}}}
    config = with_grid(tree, of="ugcl", rows=rows | {"other": {"extends": "concat", "train": {"lr": 0.5}}})
    both, other = config.resolve("demo", "ugcl-both"), config.resolve("demo", "ugcl-other")
    assert (both.encoder.width, both.train.lr) == (128, 0.5)
    assert (other.method.name, other.train.lr) == ("concat", 0.5)


def test_a_template_names_the_rows(tree: dict) -> None:
    rows = {"wide": {"encoder": {"width": 128}}}
    assert with_grid(tree, of="concat", name="my-{row}-{of}", rows=rows).grids["mine"].systems == [
        "concat",
        "my-wide-concat",
    ]


def test_rows_without_a_system_change_the_base_under_their_own_names(tree: dict) -> None:
    config = with_grid(tree, rows={"wide": {"encoder": {"width": 128}}}, sweep={"train.batch": [4]})
    assert config.grids["mine"].systems == ["wide", "batch-4"]
    assert config.resolve("demo", "wide").encoder.width == 128


def test_benchmarks_may_list_rows_and_take_grids(tree: dict) -> None:
    tree["benchmarks"]["demo"].update(systems=["ugcl-wide", "concat"], grid=["mine"], reference="concat")
    rows = {"deep": {"encoder": {"layers": 3}}, "wide": {"encoder": {"width": 128}}}
    config = with_grid(tree, of="ugcl", rows=rows)
    assert config.benchmark("demo").systems == ["ugcl-wide", "concat", "ugcl", "ugcl-deep"]
    again = parse(config.model_dump())
    assert again == config
    assert list(again.systems) == list(config.systems)


def test_rows_follow_their_system_when_it_changes(tree: dict) -> None:
    tree["systems"]["concat"]["train"] = {"epochs": 3}
    config = with_grid(tree, of="concat", rows={"wide": {"encoder": {"width": 128}}})
    assert config.resolve("demo", "concat-wide").train.epochs == 3


SECTIONS = "input, encoder, method, loss, train"
WIDE = {"wide": {"encoder": {"width": 128}}}


@pytest.mark.parametrize(
    ("grid", "words"),
    [
        ({"of": "ugc"}, ["grids.mine.of", "'ugc'", "choose from ugcl"]),
        ({"with": ["ugcl", "ugc"]}, ["grids.mine.with", "'ugc'", "choose from ugcl"]),
        ({"with": ["ugcl", "ugcl"]}, ["grids.mine.with", "'ugcl'", "twice"]),
        ({"of": "ugcl", "with": ["ugcl"]}, ["grids.mine.with", "'ugcl'", "row already"]),
        ({"rows": {"concat": {}}}, ["grids.mine", "'concat'", "also systems.concat"]),
        (
            {"of": "ugcl", "rows": {"batch-4": {}}, "sweep": {"train.batch": [4]}},
            ["grids.mine", "'ugcl-batch-4'", "also grids.mine", "rename"],
        ),
        (
            {"of": "ugcl", "sweep": {"method.contrast.queue": [4], "method.matching.queue": [4]}},
            ["grids.mine", "'ugcl-queue-4'", "rename"],
        ),
        ({"sweep": {"method.tokenz": [4]}}, ["grids.mine: row tokenz-4.method.tokenz: unknown key"]),
        ({"sweep": {"methodd.tokens": [4]}}, ["grids.mine.sweep", "'methodd.tokens'", SECTIONS]),
        ({"sweep": {"method": [4]}}, ["grids.mine.sweep", "'method'", SECTIONS]),
        ({"sweep": {"method.tokens": []}}, ["grids.mine.sweep.method.tokens", "at least 1"]),
        ({"sweep": {"method.tokens": [4, 4]}}, ["grids.mine.sweep.method.tokens", "4", "twice"]),
        ({"sweep": {"method.tokens": [4, "many"]}}, ["row tokens-many.method.tokens: ", "many"]),
        (
            {"rows": {"a": {"sweep": {"train.lr": [1], "train.batch": [4]}}}},
            ["rows.a.sweep", "at most 1"],
        ),
        (
            {"of": "ugcl", "rows": {"wide": {"encoder": {"widht": 8}}}},
            ["row ugcl-wide.encoder.widht: unknown key"],
        ),
        ({"of": "ugcl", "rows": {"wide": {"encodre": {"width": 8}}}}, ["rows.wide.encodre", "unknown key"]),
        ({"of": "ugcl", "rows": {"wide": {"extends": "ugc"}}}, ["row ugcl-wide.extends", "'ugc'"]),
        ({"of": "ugcl", "rows": {"a b": {}}}, ["grids.mine.rows", "'ugcl-a b' is not a name", "letters"]),
        ({"rows": {"chance": {}}}, ["grids.mine.rows", "'chance'", "reference row"]),
        ({"of": "ugcl", "name": "x", "rows": WIDE}, ["grids.mine.name", "{row}"]),
        ({"off": "ugcl"}, ["grids.mine.off", "unknown key"]),
    ],
)
def test_a_faulty_grid_is_refused_in_one_line(tree: dict, grid: dict, words: list[str]) -> None:
    with pytest.raises(UgclError) as caught:
        with_grid(tree, **grid)
    message = str(caught.value)
    assert "\n" not in message
    for word in words:
        assert word in message, message


def test_a_row_in_two_grids_is_refused(tree: dict) -> None:
    tree["grids"]["first"] = {"of": "ugcl", "rows": WIDE}
    with pytest.raises(
        UgclError, match=r"grids.mine: row 'ugcl-wide' is also grids.first: row ugcl-wide; rename"
    ):
        with_grid(tree, of="ugcl", rows=WIDE)
    assert with_grid(tree, **{"with": ["ugcl-wide"]}).grids["mine"].systems == ["ugcl-wide"]


def test_published_rows_keep_their_names_and_order(project: Path) -> None:
    grids = {name: grid.systems for name, grid in parse(read(project / "params.yaml")).grids.items()}
    ablations = grids["ablations"]
    assert len(ablations) == 56
    assert ablations[:3] == ["ugcl", "ugcl-no-ugcl", "ugcl-attraction"]
    assert ablations[4:6] == ["ugcl-weight-0.05", "ugcl-weight-0.5"]
    assert ablations[12:17] == [*(f"ugcl-tokens-{k}" for k in (64, 256, 1024, 4096)), "ugcl-no-snd"]
    assert ablations[18:21] == [f"ugcl-negatives-sampled{k}" for k in ("", "-4", "-16")]
    assert ablations[24:26] == ["ugcl-snd-0.05", "ugcl-snd-0.5"]
    assert ablations[30:33] == ["ugcl-batch-2", "ugcl-batch-16", "ugcl-batch-64"]
    assert ablations[-5:] == ["ugcl-best", "concat", "concat-best", "audio-only", "video-only"]
    assert grids["tuned"] == ["ugcl-tuned"]
    assert grids["released"] == [
        "ugcl-as-released",
        *(f"repaired-{x}" for x in ("attention", "pooling", "matching", "scale", "loss", "dropout", "batch")),
    ]
    assert grids["released-vit"] == ["released-vit", "repaired-slice"]
