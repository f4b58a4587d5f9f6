"""docs/python.md works as it is written; the tiny project stands for the demo."""

from __future__ import annotations

import doctest
import shutil
import warnings
from pathlib import Path

import ugcl.inference.api.classifier as classifier
from ugcl.config import Config


def test_the_examples_of_the_page_run(tiny: Config, project: Path) -> None:
    clip = "1001_KEY_ANG_XX"
    shutil.copy(f"clips/VideoMP4/{clip}.mp4", "clip.mp4")
    text = (project / "docs/python.md").read_text().replace('"demo', '"tiny')
    test = doctest.DocTestParser().get_doctest(text, {}, "python.md", "python.md", 0)
    assert len(test.examples) > 20
    result = doctest.DocTestRunner(optionflags=doctest.ELLIPSIS).run(test)
    assert result.failed == 0, "see the captured output"


def test_the_example_of_the_classifier_runs() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error", UserWarning)
        warnings.filterwarnings("ignore", message="The `srun`")
        assert doctest.testmod(classifier).failed == 0
