"""Pictures of the report are smaller than matplotlib's, and show the same."""

from __future__ import annotations

import re
from pathlib import Path
from urllib.parse import unquote
from xml.etree import ElementTree

import numpy as np
import pytest
from matplotlib import pyplot as plt

from ugcl.reports import theme
from ugcl.reports.vector import compact, data_uri

NUMBER = re.compile(r"-?\d+(?:\.\d+)?(?:e-?\d+)?")


LENGTHS = ("d", "x", "y", "width", "height")


def placed(element: ElementTree.Element) -> list[float]:
    """All places and lengths of an element, its shift first; a scale is written as it was."""
    shift, found = np.zeros(2), []
    for kind, numbers in re.findall(r"(\w+)\(([^)]*)\)", element.get("transform", "")):
        values = [float(number) for number in NUMBER.findall(numbers)]
        if kind == "translate":
            shift += values
        else:
            found += [1e6 * value for value in values]
    own = {name: [float(n) for n in NUMBER.findall(element.get(name, ""))] for name in LENGTHS}
    if element.tag.endswith("use"):
        shift += [sum(own.pop("x")), sum(own.pop("y"))]
    return [*shift, *found, *(value for values in own.values() for value in values)]


@pytest.fixture
def drawn(tmp_path: Path) -> str:
    """A figure with lines, markers, bars, text and an image, as matplotlib writes it."""
    figure, (left, right) = plt.subplots(1, 2)
    random = np.random.default_rng(0)
    left.plot(random.normal(size=40), marker="o", label="a & b's <c>")
    left.fill_between(range(40), 0, random.random(40), alpha=0.123456)
    left.set_xlabel("100 % of it")
    left.legend()
    right.imshow(random.random((5, 5)))
    figure.savefig(tmp_path / "drawn.svg")
    plt.close(figure)
    return (tmp_path / "drawn.svg").read_text()


def test_every_element_stays_with_its_places_to_a_hundredth_of_a_point(drawn: str) -> None:
    small = compact(drawn)
    assert len(small) < 0.85 * len(drawn)
    pairs = list(zip(ElementTree.fromstring(drawn).iter(), ElementTree.fromstring(small).iter(), strict=True))
    assert len(pairs) > 100
    names = {}
    for before, after in pairs:
        assert before.tag == after.tag
        assert placed(before) == pytest.approx(placed(after), abs=0.00501)
        if "id" in after.attrib:
            names[before.attrib["id"]] = after.attrib["id"]
    assert len(names) > 10 and len(set(names.values())) == len(names)
    for before, after in pairs:
        for name in after.attrib.keys() - {*LENGTHS, "transform", "id"}:
            was = re.sub(r"(?<=#)[\w-]+", lambda found: names.get(found[0], found[0]), before.attrib[name])
            assert after.attrib[name] == was
        if "d" in before.attrib:
            assert re.findall("[A-Za-z]", before.attrib["d"]) == re.findall("[A-Za-z]", after.attrib["d"])


def test_its_address_fits_into_an_attribute_and_means_the_same(drawn: str) -> None:
    address = data_uri(compact(drawn))
    assert not set('"<>&#\n') & set(address)
    kind, _, content = address.partition(",")
    assert kind == "data:image/svg+xml"
    found, wanted = (ElementTree.fromstring(text) for text in (unquote(content), compact(drawn)))
    assert ElementTree.tostring(found) == ElementTree.tostring(wanted)


def test_figures_are_saved_so(tmp_path: Path) -> None:
    figure, axes = plt.subplots()
    axes.plot([0.123, 4.567, 8.901])
    theme.save(figure, tmp_path / "saved", dpi=50)
    text = (tmp_path / "saved.svg").read_text()
    assert compact(text) == text and not re.search(r' d="[^"]*\.\d{3}', text)
