"""From the clips of a request to what the page shows and offers."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from html import escape
from pathlib import Path
from urllib.parse import quote

from ugcl.app import downloads, playback
from ugcl.app.timeline import timeline
from ugcl.app.uploads import Batch, sentence
from ugcl.features.media.clip import Clip
from ugcl.inference.api.model import Model, at
from ugcl.inference.ensemble import Ensemble
from ugcl.inference.predictions import Prediction, predictions

WINDOW, STEP = 1.0, 0.2
"""Length and step of the timeline's windows, seconds: those of `ugcl predict --timeline`."""
FILES = "gradio_api/file="
"""Address of a file of the scratch folder, below the page's own."""
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
    return Answer(light, "" if found.failure else _panel(found, light, ensemble, folder))


def _media(clip: Clip) -> list[tuple[str, Path | None]]:
    return [("audio", clip.audio), ("video", clip.video)]


def _panel(found: Prediction, light: Prediction, ensemble: Ensemble, folder: Path) -> str:
    used = light.modalities.replace("+", " and ")
    mark = f'<strong class="ugcl-badge">{ensemble.marks}</strong>' if ensemble.marks else ""
    length = f"{light.duration:.1f} s, " if light.duration == light.duration else ""
    head = (
        f'<div class="ugcl-verdict"><b>{escape(light.predicted)}</b> <span>{100 * light.confidence:.0f} %</span>'
        f"{mark}<small>{escape(light.clip.name)}, {length}from {escape(used)}</small></div>"
    )
    media = playback.playable(found.clip, folder)
    player = _player(media, found.clip.video is not None)
    notes = "".join(f"<li>{escape(note)}</li>" for note in light.notes)
    line = timeline(found, ensemble) if light.duration == light.duration else ""
    return (
        f'<section class="ugcl-clip">{head}<div class="ugcl-body">{player}<div class="ugcl-time">{line}</div></div>'
        f"{f'<ul>{notes}</ul>' if notes else ''}</section>"
    )


def _player(media: Path | None, film: bool) -> str:
    if media is None:
        return ""
    kind = "video" if film else "audio"
    return f'<{kind} class="ugcl-player" controls playsinline preload="auto" src="{FILES}{quote(str(media))}"></{kind}>'


def table(found: Answers, chosen: int) -> str:
    """All clips as a table whose rows can be chosen; "" for one clip that has a prediction."""
    if len(found.answers) == 1 and found.good:
        return ""
    rows = []
    for i, one in enumerate(found.answers):
        name = escape(one.prediction.clip.name)
        if one.prediction.failure:
            rows.append(
                f'<tr class="ugcl-failed"><th>{name}</th><td colspan="5">{_failure(one.prediction)}</td></tr>'
            )
            continue
        ranked = sorted(one.prediction.probabilities.items(), key=lambda pair: -pair[1])
        cells = [
            f"<b>{escape(ranked[0][0])}</b>",
            f"{100 * ranked[0][1]:.0f} %",
            f"{escape(ranked[1][0])} {100 * ranked[1][1]:.0f} %",
            escape(one.prediction.modalities.replace("+", ", ")),
            f"{one.prediction.duration:.1f} s" if one.prediction.duration == one.prediction.duration else "–",
        ]
        button = (
            f'<button type="button" data-clip="{i}" aria-pressed="{str(i == chosen).lower()}">{name}</button>'
        )
        rows.append(f"<tr><th>{button}</th>{''.join(f'<td>{cell}</td>' for cell in cells)}</tr>")
    head = "".join(f"<th>{name}</th>" for name in ("clip", "emotion", "confidence", "next", "used", "length"))
    return f'<div class="ugcl-scroll"><table class="ugcl-clips"><thead><tr>{head}</tr></thead><tbody>{"".join(rows)}</tbody></table></div>'


def _failure(prediction: Prediction) -> str:
    text = prediction.failure
    return escape(text[:1].upper() + text[1:] if text.split(" ")[0].isalpha() else text)
