"""What the methods say of themselves: origin, page, command."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner

from ugcl import config
from ugcl.cli.main import app
from ugcl.config.methods import METHODS
from ugcl.config.methods.base import INVARIANTS
from ugcl.errors import UgclError
from ugcl.reports import catalogue


def test_every_method_has_an_origin_with_a_grade_that_is_explained() -> None:
    for name, settings in METHODS.items():
        assert settings.origin is not None and settings.origin.citation, name
        assert settings.origin.grade in catalogue.GRADES, name
        published = settings.origin.grade in "BC"
        assert not published or settings.origin.deviations, f"{name}: what differs from the publication?"
    assert catalogue.CLAIMS.keys() == INVARIANTS


def test_systems_of_reconstructed_methods_are_called_like_them(project: Path) -> None:
    parameters = config.load(project / "params.yaml")
    for system in parameters.benchmarks["demo_peers"].systems:
        method = parameters.resolve("demo_peers", system).method
        if method.name != "ugcl":
            assert ("-like" in system) == (method.origin.grade == "C"), system


def test_the_page_is_the_one_that_is_written(project: Path) -> None:
    page = (project / "docs/methods.md").read_text()
    assert page == catalogue.markdown(), "run `ugcl methods --markdown > docs/methods.md`"


def test_a_description_by_hand() -> None:
    found = catalogue.described("hct_dmg")
    assert found.family == "text" and found.origin.grade == "B"
    assert [s.key for s in found.settings] == ["primary", "layers", "temperature"]
    assert (found.settings[0].values, found.settings[0].default) == ("all, sample", "all")
    assert [(s.key, s.default) for s in found.terms] == [("weights.contrast", "0")]
    assert found.abilities["modalities"] == "2 to 3" and found.abilities["runs in step"] == "yes"
    assert catalogue.described("concat").abilities["modalities"] == "1 to 3"
    assert catalogue.described("wavfusion").abilities["runs in step"] == "no (train.pack 1)"
    assert catalogue.described("unimod").abilities["attributes"] == "intensity, voice, face, multimodal"
    assert catalogue.described("released").abilities["claims of a clip"] == "nothing"
    nested = {s.key: s for s in catalogue.described("ugcl").settings}
    assert nested["contrast.learnable"].values == "true, false"
    assert nested["readers"].values == "list of audio, video, text or null"


def test_the_command_lists_all_and_shows_one() -> None:
    listed = CliRunner().invoke(app, ["methods"]).output
    assert all(f" {name} " in listed for name in METHODS)
    one = CliRunner().invoke(app, ["methods", "ogm_ge"]).output
    assert "CVPR 2022" in one and "method.alpha" in one and "AdamW and not SGD" in one
    assert CliRunner().invoke(app, ["methods", "--markdown"]).output == catalogue.markdown()
    with pytest.raises(UgclError, match="no method 'nothing' in the package; choose from ugcl, concat"):
        catalogue.described("nothing")


def test_the_command_does_without_torch(project: Path) -> None:
    script = (
        "import sys; from typer.testing import CliRunner; from ugcl.cli.main import app;"
        "assert CliRunner().invoke(app, ['methods', 'ugcl']).exit_code == 0;"
        "sys.exit(any(name in sys.modules for name in ('torch', 'pandas')))"
    )
    assert subprocess.run([sys.executable, "-c", script], cwd=project, check=False).returncode == 0
