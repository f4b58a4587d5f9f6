"""Every system of a figure has a colour of its own, shades of one hue are one family, and colours stay."""

from __future__ import annotations

import itertools
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from matplotlib.colors import rgb_to_hsv, to_rgb

from ugcl.config import load, parse, read
from ugcl.reports import theme
from ugcl.reports.shades import FAMILIES, oklab, shades

# What is seen without long-wave or middle-wave cones (Machado, Oliveira and Fernandes 2009, severity 1).
BLINDNESS = {
    "protanopia": [[0.1523, 1.0526, -0.2049], [0.1145, 0.7863, 0.0992], [-0.0039, -0.0481, 1.0520]],
    "deuteranopia": [[0.3673, 0.8606, -0.2280], [0.2801, 0.6725, 0.0474], [-0.0118, 0.0429, 0.9689]],
}


def linear(colour: str) -> np.ndarray:
    rgb = np.array(to_rgb(colour))
    return np.where(rgb <= 0.04045, rgb / 12.92, ((rgb + 0.055) / 1.055) ** 2.4)


def hue(colour: str) -> float:
    """Degrees in OKLab's plane of colours."""
    _, red, yellow = oklab(colour)
    return float(np.degrees(np.arctan2(yellow, red)))


def closest(colours: list[str]) -> float:
    points = [oklab(colour) for colour in colours]
    return min(float(np.linalg.norm(a - b)) for a, b in itertools.combinations(points, 2))


@pytest.fixture
def tree(project: Path) -> dict[str, Any]:
    """The project's parameters."""
    return read(project / "params.yaml")


def test_oklab_of_known_colours() -> None:
    assert oklab("white") == pytest.approx([1, 0, 0], abs=1e-4)
    assert oklab("red") == pytest.approx([0.62796, 0.22486, 0.12585], abs=1e-4)
    assert oklab("blue") == pytest.approx([0.45201, -0.03246, -0.31153], abs=1e-4)


def test_no_two_systems_of_a_benchmark_share_a_colour(project: Path) -> None:
    config = load(project / "params.yaml")
    palette = theme.colours(config)
    assert len(config.benchmark("demo_ablations").systems) >= 60
    for benchmark in config.benchmarks.values():
        found = [palette[system] for system in benchmark.systems]
        assert len(set(found)) == len(found)
        assert len(found) == 1 or closest(found) > 0.02, "a difference that is just seen, or less"
        assert theme.GREY not in found
    assert theme.colour(palette, "chance") == theme.colour(palette, "raters: face") == theme.GREY


def test_every_colour_is_seen_on_white_and_is_not_grey(project: Path) -> None:
    for colour in theme.colours(load(project / "params.yaml")).values():
        luminance = linear(colour) @ [0.2126, 0.7152, 0.0722]
        assert 1.05 / (luminance + 0.05) > 2.95
        assert rgb_to_hsv(to_rgb(colour))[1] > 0.2


def test_a_family_is_one_hue_and_families_differ(project: Path) -> None:
    config = load(project / "params.yaml")
    parents = theme.parents(config)
    palette = shades(parents)
    for system in config.systems:
        root = system
        while parents[root]:
            root = parents[root]
        turn = (hue(palette[system]) - hue(palette[root]) + 180) % 360 - 180
        assert abs(turn) < 12, (system, root)
    roots = [name for name, parent in parents.items() if parent is None]
    assert parents["jmt"] == parents["vavl"] != parents["gban"], "methods of one kind are one family"
    turns = [(hue(palette[a]) - hue(palette[b])) % 360 for a, b in itertools.permutations(roots, 2)]
    assert min(turns) > 25


def test_the_first_families_are_told_apart_without_red_or_green() -> None:
    for matrix in BLINDNESS.values():
        seen = [np.array(matrix) @ linear(colour) for colour in FAMILIES]
        encoded = [tuple(np.clip(1.055 * rgb.clip(0, 1) ** (1 / 2.4) - 0.055, 0, 1)) for rgb in seen]
        assert closest(encoded) > 0.06


@pytest.mark.parametrize(
    "change",
    [
        lambda t: t["systems"].update(new={"train": {"lr": 0.5}}),
        lambda t: t["systems"].update(new={"extends": "ugcl", "train": {"lr": 0.5}}),
        lambda t: t["systems"].update(new={"extends": "ugcl-queue", "train": {"lr": 0.5}}),
        lambda t: t["grids"]["ablations"]["rows"].update(new={"train": {"lr": 0.5}}),
        lambda t: t["grids"]["released-vit"]["rows"].update(new={"extends": "released-vit"}),
        lambda t: t["grids"].update(more={"of": "video-only", "sweep": {"train.lr": [0.5, 0.6]}}),
    ],
)
def test_a_system_added_at_the_end_changes_no_other_colour(tree: dict, change: Any) -> None:
    before = theme.colours(parse(tree))
    change(tree)
    after = theme.colours(parse(tree))
    assert len(after) > len(before)
    assert {name: after[name] for name in before} == before
    assert len(set(after.values())) == len(after)


def test_many_families_and_many_members_have_colours_of_their_own() -> None:
    parents: dict[str, str | None] = {f"system-{i}": None for i in range(40)}
    parents |= {f"row-{i}": f"system-{i % 40}" for i in range(400)}
    assert len(set(shades(parents).values())) == 440
    one = shades({"system": None} | {f"row-{i}": "system" for i in range(129)})
    assert len(set(one.values())) == 130


def test_colours_are_the_same_in_every_process(project: Path) -> None:
    code = (
        "from pathlib import Path; from ugcl.config import load; from ugcl.reports.theme import colours;"
        f"print(colours(load(Path({str(project / 'params.yaml')!r}))))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == str(theme.colours(load(project / "params.yaml")))
