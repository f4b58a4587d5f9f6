"""A training that ends as a killed process would: right after the state of an epoch was saved."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from ugcl.training.state import resume


class Killed(Exception):
    """Ends a training."""


def end_after(epoch: int, folder: Path, train: Callable[[], object]) -> None:
    """Train until the state of an epoch is saved in a run's folder, whose card is removed first."""
    (folder / "card.json").unlink()
    save = resume.save

    def killing(target: Path, state: resume.State, key: str) -> None:
        save(target, state, key)
        if state.epoch == epoch:
            raise Killed

    with pytest.MonkeyPatch.context() as patch, pytest.raises(Killed):
        patch.setattr(resume, "save", killing)
        train()
    assert (folder / resume.FOLDER / resume.FILE).is_file()
