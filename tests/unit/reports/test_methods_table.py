"""The table of methods says of each where it comes from."""

from __future__ import annotations

from pathlib import Path

from ugcl.config import parse, read
from ugcl.reports.catalogue import GRADES
from ugcl.reports.tables.methods import methods_table


def test_a_row_per_method_with_its_systems(project: Path) -> None:
    tree = read(project / "params.yaml") | {"tuned": {}, "transfer": []}
    tree["systems"]["mine"] = {"method": {"name": "my_method:MyMethod"}}
    systems = ["ugcl", "concat", "ugcl-no-snd", "mine", "audio-only"]
    tree["benchmarks"]["demo"] |= {"systems": systems, "planned": []}
    table = methods_table(parse(tree), "demo").set_index("method")
    assert list(table.index) == ["ugcl", "concat", "my_method:MyMethod"]
    assert list(table["systems"]) == ["ugcl, ugcl-no-snd", "concat, audio-only", "mine"]
    assert set(table["grade"]) <= set(GRADES)
    assert "Pattern Recognition 176" in table.loc["ugcl", "source"]
    assert table.loc["my_method:MyMethod", "grade"] == "own"
