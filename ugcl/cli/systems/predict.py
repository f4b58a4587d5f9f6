"""`ugcl predict`: a trained system on a user's own clips."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator
from contextlib import chdir
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ugcl.cli.terminal import Threads
from ugcl.inference import STEP, WINDOW

if TYPE_CHECKING:
    from ugcl.config import Config
    from ugcl.features.media.clip import Clip
    from ugcl.inference.ensemble import Ensemble
    from ugcl.inference.observation import Observer
    from ugcl.inference.predictions import Prediction

BAR = 30  # characters
SHOWN = 4  # names of written files

System = Annotated[
    str,
    typer.Option(
        help="Which system, default the benchmark's reference; a path with a slash: the folder of a run or of"
        " a system's runs."
    ),
]
Bundle = Annotated[
    str,
    typer.Option(
        "--model",
        help="A bundle, which needs no project: folder, zip file, or user/name on the hub.",
    ),
]
Project = Annotated[
    Path | None,
    typer.Option(
        help="The project's folder; default that of a folder given as --system, or the one you are in.",
        exists=True,
        file_okay=False,
    ),
]

Turns = Annotated[
    Path | None,
    typer.Option(
        help="For systems that judge a clip from its dialogue: a CSV with the columns clip and, as known,"
        " dialogue, turn, speaker, transcript. Default: a folder is a dialogue, in the order of names.",
        exists=True,
        dir_okay=False,
    ),
]
Export = Annotated[
    str,
    typer.Option(
        help="Write each clip's timeline as textgrid (Praat), eaf (ELAN), vtt, srt (subtitles), csv; several"
        " with commas. Files go to --out, default here.",
    ),
]
Transcript = Annotated[
    str, typer.Option(help="What is said in the one clip; default: a .txt file of its name beside it.")
]
Overwrite = Annotated[bool, typer.Option("--overwrite", help="Let files of timelines be replaced.")]
Out = Annotated[
    Path | None,
    typer.Option(help="Write predictions.csv, predictions.json and timelines into this folder."),
]


def predict(
    clips: Annotated[
        list[str], typer.Argument(help="Media files, folders, or quoted patterns such as 'x/*.mp4'.")
    ],
    transcript: Transcript = "",
    benchmark: Annotated[str, typer.Option(help="Whose models; default the first active benchmark.")] = "",
    system: System = "",
    model: Bundle = "",
    fold: Annotated[int | None, typer.Option(help="Only the runs of this fold; default all.")] = None,
    turns: Turns = None,
    timeline: Annotated[bool, typer.Option("--timeline", help="Draw <clip>.timeline.png.")] = False,
    window: Annotated[float, typer.Option(min=0.2, help="Length of a timeline's windows, seconds.")] = WINDOW,
    step: Annotated[float, typer.Option(min=0.02, help="Step of the timeline's windows, seconds.")] = STEP,
    export: Export = "",
    overwrite: Overwrite = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON in place of tables.")] = False,
    out: Out = None,
    project: Project = None,
    threads: Threads = 1,
) -> None:
    """Predict the emotion of your own clips with a trained system.

    A sound file and a video file of the same name are one clip where they lie in one folder, or in two named
    after their kind (AudioWAV, VideoMP4). A clip without sound, picture or face is predicted from what it
    has; one of more than two minutes is the mean over its stretches. A file that cannot be read is reported
    and the rest goes on: the exit code is 1 only if no clip at all could be predicted. Confidence is
    calibrated on dev clips of the training corpus; on other recordings it is a guide. A system with speaker
    normalisation takes all clips for one person's. Timelines without --out are written here. SYNTHETIC in the
    output: the system was trained on clips that show no people, and says nothing about people.
    """
    from ugcl.inference import clips as user_clips
    from ugcl.inference import predictions as user_predictions
    from ugcl.inference.annotations.write import export_paths

    here, found, places = Path.cwd(), _spoken(user_clips.find(clips), transcript), None
    if turns is not None:
        from ugcl.inference import dialogue

        found, places = dialogue.from_table(found, turns)
    kinds = f"{export},csv" if timeline and out is not None else export
    files = export_paths((out or here).absolute(), [clip.name for clip in found], kinds, overwrite)
    load, project = _source(model, benchmark, system, fold, project)
    if project is not None:
        found, out = user_clips.absolute(found), out and out.absolute()
    with chdir(project or "."):
        parameters, ensemble, observer = load()
        span = (window, step) if timeline or export else None
        predicted = user_predictions.predictions(parameters, ensemble, found, span, places, observer)
        predicted = _exported(predicted, files)
        if timeline:
            predicted = _drawn(predicted, ensemble, out or here, parameters.report.dpi)
        results = [replace(result, observed=None) for result in predicted]
    written = [path for each in files.values() for path in each]
    written += [_picture(out or here, result.clip.name) for result in results if timeline]
    written += user_predictions.write(ensemble, results, out) if out is not None else []
    _say_written([path for path in written if path.is_file()])
    _print(ensemble, results, as_json)
    if all(result.failure for result in results):
        raise typer.Exit(1)


def _spoken(found: list[Clip], transcript: str) -> list[Clip]:
    """The one clip with its transcript, or all as they are where none is given."""
    if transcript and len(found) > 1:
        text = f"is of one clip, and {len(found)} are named; put a .txt file beside each"
        raise typer.BadParameter(text, param_hint="--transcript")
    return [replace(clip, transcript=transcript or clip.transcript) for clip in found]


def _source(
    model: str, benchmark: str, system: str, fold: int | None, project: Path | None
) -> tuple[Callable[[], tuple[Config, Ensemble, Observer | None]], Path | None]:
    """What loads the system that the options name, and the folder to do it in; None is the working folder."""
    if model:
        if benchmark or system or fold is not None or project is not None:
            raise typer.BadParameter("a bundle has its own system and parameters", param_hint="--model")
        from ugcl.inference.api.load import of_bundle

        bundle = of_bundle(model)
        return lambda: (bundle.config, bundle.ensemble, bundle.observer), bundle.home
    from ugcl import config
    from ugcl.inference import ensemble

    folders: list[Path] = []
    if {"/", os.sep} & set(system):
        if benchmark or fold is not None:
            raise typer.BadParameter("a folder has its own benchmark and folds", param_hint="--system")
        folders = ensemble.run_folders(Path(system))

    def load() -> tuple[Config, Ensemble, None]:
        parameters = config.load()
        if folders:
            return parameters, ensemble.of_folders(parameters, folders), None
        name = benchmark or parameters.active[0]
        own = system or parameters.benchmark(name).reference
        return parameters, ensemble.load(parameters, name, own, fold), None

    return load, project or (ensemble.project_of(folders[0]) if folders else None)


def _drawn(
    predicted: Iterable[Prediction], ensemble: Ensemble, folder: Path, dpi: int
) -> Iterator[Prediction]:
    """The same, each timeline drawn."""
    for result in predicted:
        if result.observed is not None:
            from ugcl.reports.timeline import write

            write(result, ensemble, _picture(folder, result.clip.name), dpi)
        yield result


def _say_written(paths: list[Path]) -> None:
    from ugcl.data.recordings.files import printable

    if paths:
        more = f" and {len(paths) - SHOWN} more" if len(paths) > SHOWN else ""
        typer.echo(f"written: {', '.join(map(printable, paths[:SHOWN]))}{more}", err=True)


def _picture(folder: Path, clip: str) -> Path:
    """The picture of a clip's timeline."""
    from ugcl.data.recordings.files import file_name

    return folder / file_name(clip, ".timeline.png")


def _exported(predicted: Iterable[Prediction], files: dict[str, list[Path]]) -> Iterator[Prediction]:
    """The same, each timeline written into its files."""
    from ugcl.inference.annotations.write import write_timeline

    for result in predicted:
        if result.timeline is not None:
            for path in files.get(result.clip.name, []):
                write_timeline(result.timeline, path, overwrite=True)
        yield result


def _print(ensemble: Ensemble, results: list[Prediction], as_json: bool) -> None:
    if as_json:
        import json

        from ugcl.inference import predictions as user_predictions

        typer.echo(json.dumps(user_predictions.document(ensemble, results), indent=2, ensure_ascii=False))
    else:
        _show(ensemble, results)
    for result in results:
        if result.failure:
            typer.echo(f"not predicted: {result.clip.name}: {result.failure}", err=True)


def _show(ensemble: Ensemble, results: list[Prediction]) -> None:
    from ugcl.cli import terminal

    good = [result for result in results if not result.failure]
    if not good:
        return
    votes = f"{len(ensemble.runs)} run{'s' * (len(ensemble.runs) > 1)}"
    missing = "NOT calibrated; run `ugcl evaluate predict`"
    calibrated = "calibrated on dev clips" if ensemble.calibrated else missing
    rows = []
    for result in good:
        second = sorted(result.probabilities.items(), key=lambda pair: -pair[1])[1]
        rows.append(
            (
                result.clip.name,
                result.predicted,
                terminal.percent(result.confidence),
                f"{second[0]} {terminal.percent(second[1])}",
                result.modalities,
                terminal.seconds(result.duration),
                terminal.percent(result.face_share),
                terminal.seconds(result.speech),
            )
        )
    columns = ("clip", "emotion", "confidence", "next", "used", "length", "face in", "speech")
    title = f"{ensemble.run.benchmark}/{ensemble.run.system}, {votes}, confidence {calibrated}"
    title = f"{ensemble.marks}: {title}" if ensemble.marks else title
    terminal.show(title, columns, rows, right=("confidence", "length", "face in", "speech"))
    if len(good) == 1:
        longest = max(map(len, ensemble.classes))
        for name, p in sorted(good[0].probabilities.items(), key=lambda pair: -pair[1]):
            typer.echo(f"{name:<{longest}} {'█' * round(BAR * p):<{BAR}} {100 * p:3.0f} %")
    for result in good:
        for note in result.notes:
            typer.echo(f"note: {result.clip.name}: {note}")
    if ensemble.marks:
        typer.echo(f"{ensemble.marks}: trained on clips that show no people; it says nothing about people")
    typer.echo("face in: share of frames with a tracked face; speech: sound that stands out by its energy")
