"""From the clips of a request to what the page shows and offers."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from ugcl.app import downloads, playback
from ugcl.app.panels import panel
from ugcl.app.uploads import Batch, sentence
from ugcl.features.media.clip import Clip
from ugcl.inference.api.model import Model, at
from ugcl.inference.ensemble import Ensemble
from ugcl.inference.predictions import Prediction, predictions

WINDOW, STEP = 1.0, 0.2
"""Length and step of the timeline's windows, seconds: those of `ugcl predict --timeline`."""
Report = Callable[[int, str], None]
"""Takes the number of clips that are done and what is done next."""


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


def answer(model: Model, request: Batch, report: Report) -> Answers:
    """Predict the clips of a request.

    Raises:
        UgclError: the system needs other clips, such as several of one person.
    """
    found = [Answer(Prediction(Clip(name), failure=why), "") for name, why in request.refused.items()]
    with at(model.home):
        # One clip after the other, so that the folder of this process is free between them.
        alone = model.ensemble.run.input.context == "clip" and not model.ensemble.run.input.by_speaker
        groups = [[clip] for clip in request.clips] if alone else [request.clips]
    done = 0
    for group in groups:
        report(done, group[0].name if group else "")
        with at(model.home):
            each = predictions(model.config, model.ensemble, group, (WINDOW, STEP), None, model.observer)
            found += [_answer(one, model.ensemble, request.folder) for one in each]
        done += len(group)
    found.sort(key=lambda one: one.prediction.clip.name)
    files = downloads.files(model.ensemble, [one.prediction for one in found], request.folder)
    return Answers(request.folder, found, files)


def _answer(found: Prediction, ensemble: Ensemble, folder: Path) -> Answer:
    bare = replace(found.clip, **{kind: path and Path(path.name) for kind, path in _media(found.clip)})
    light = replace(
        found,
        clip=bare,
        failure=sentence(found.failure, folder),
        notes=tuple(sentence(note, folder) for note in found.notes),
        observed=None,
    )
    if found.failure:
        return Answer(light, "")
    return Answer(light, panel(found, light.notes, ensemble, playback.playable(found.clip, folder)))


def _media(clip: Clip) -> list[tuple[str, Path | None]]:
    return [("audio", clip.audio), ("video", clip.video)]
