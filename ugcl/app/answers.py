"""From the clips of a request to what the page shows and offers."""

from __future__ import annotations

import shutil
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from ugcl.app import downloads, playback
from ugcl.app.panels import panel
from ugcl.app.uploads import Batch, sentence, with_words
from ugcl.errors import UgclError
from ugcl.features.media.clip import Clip
from ugcl.inference import STEP, WINDOW
from ugcl.inference.api.model import Model, at
from ugcl.inference.ensemble import Ensemble
from ugcl.inference.predictions import Prediction, predictions

MEDIA = ("audio", "video")
Report = Callable[[int, int, str], None]
"""Takes how many clips are done, of how many, and which is next."""


@dataclass(frozen=True)
class Work:
    """One request at a time, and none after the end: a thread that goes on would write files again."""

    turn: threading.Lock = field(default_factory=threading.Lock)
    over: threading.Event = field(default_factory=threading.Event)

    def end(self) -> None:
        """Wait until the clip that is being predicted is done; the rest of its request is given up."""
        self.over.set()
        with self.turn:
            pass

    def check(self) -> None:
        """Give up a request between two clips.

        Raises:
            UgclError: the program ends.
        """
        if self.over.is_set():
            raise UgclError("the program that serves this page was ended")


@dataclass(frozen=True)
class Answer:
    """One clip: its prediction, without paths of the server, and its panel."""

    prediction: Prediction
    panel: str


@dataclass(frozen=True)
class Answers:
    """What a request gave.

    Attributes:
        folder: holds the files that the panels and downloads need.
        answers: of each clip, those that failed included, by name.
        files: name of a format → its file.
    """

    folder: Path
    answers: Sequence[Answer] = ()
    files: dict[str, Path] = field(default_factory=dict)

    @property
    def good(self) -> list[int]:
        """Numbers of the clips that have a prediction."""
        return [i for i, answer in enumerate(self.answers) if not answer.prediction.failure]


def answer(model: Model, request: Batch, transcript: str, report: Report) -> Answers:
    """Predict the clips of a request; where that fails, its files are removed.

    Args:
        transcript: what was typed as the words of the one clip; "" for nothing.

    Raises:
        UgclError: a transcript was typed for several clips, the system needs other clips, such as several of
            one person, or `report` ends the request.
    """
    try:
        return _answers(model, request, with_words(request.clips, transcript), report)
    except BaseException:
        forget(request)
        raise


def forget(made: Batch | Answers | None) -> None:
    """Remove the files of a request that nobody looks at any more."""
    if made is not None:
        shutil.rmtree(made.folder, ignore_errors=True)


def _answers(model: Model, request: Batch, clips: Sequence[Clip], report: Report) -> Answers:
    found = [Answer(Prediction(Clip(name), failure=why), "") for name, why in request.refused.items()]
    run, done = model.ensemble.run, 0
    # One clip after the other where they do not depend on one another: a request can be ended between them.
    together = run.input.context != "clip" or run.input.by_speaker
    for group in [list(clips)] if together and clips else [[clip] for clip in clips]:
        report(done, len(clips), group[0].name)
        with at(model.home):
            each = predictions(model.config, model.ensemble, group, (WINDOW, STEP), None, model.observer)
            found += [_answer(one, model.ensemble, request.folder) for one in each]
        done += len(group)
    found.sort(key=lambda one: one.prediction.clip.name)
    files = downloads.files(model.ensemble, [one.prediction for one in found], request.folder)
    return Answers(request.folder, found, files)


def _answer(found: Prediction, ensemble: Ensemble, folder: Path) -> Answer:
    names = {kind: path and Path(path.name) for kind, path in vars(found.clip).items() if kind in MEDIA}
    light = replace(
        found,
        clip=replace(found.clip, **names),
        failure=sentence(found.failure, folder),
        notes=tuple(sentence(note, folder) for note in found.notes),
        observed=None,
    )
    if found.failure:
        return Answer(light, "")
    return Answer(light, panel(found, light.notes, ensemble, playback.playable(found.clip, folder)))
