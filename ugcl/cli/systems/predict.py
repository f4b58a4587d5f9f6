"""`ugcl predict`: a trained system on a user's own clips."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ugcl.cli.terminal import Threads

if TYPE_CHECKING:
    from ugcl.inference.ensemble import Ensemble
    from ugcl.inference.predictions import Prediction

BAR = 30  # characters


def predict(
    clips: Annotated[
        list[str], typer.Argument(help="Media files, folders, or quoted patterns such as 'x/*.mp4'.")
    ],
    benchmark: Annotated[str, typer.Option(help="Whose models; default the first active benchmark.")] = "",
    system: Annotated[str, typer.Option(help="Which system; default the benchmark's reference.")] = "",
    fold: Annotated[int | None, typer.Option(help="Only the runs of this fold; default all.")] = None,
    timeline: Annotated[bool, typer.Option("--timeline", help="Draw <clip>.timeline.png.")] = False,
    window: Annotated[float, typer.Option(min=0.2, help="Length of the timeline's windows, seconds.")] = 1.0,
    step: Annotated[float, typer.Option(min=0.02, help="Step of the timeline's windows, seconds.")] = 0.2,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON in place of tables.")] = False,
    out: Annotated[
        Path | None,
        typer.Option(help="Write predictions.csv, predictions.json and timelines into this folder."),
    ] = None,
    threads: Threads = 1,
) -> None:
    """Predict the emotion of your own clips with a trained system.

    A sound file and a video file of the same name are one clip where they lie in one folder, or in two named
    after their kind (AudioWAV, VideoMP4). A clip without sound, picture or face is predicted from what it
    has; one of more than two minutes is the mean over its stretches. A file that cannot be read is reported
    and the rest goes on: the exit code is 1 only if no clip at all could be predicted. Confidence is
    calibrated on dev clips of the training corpus; on other recordings it is a guide. A system with speaker
    normalisation takes all clips for one person's. Timelines without --out are written here.
    """
    from ugcl import config
    from ugcl.inference import clips as user_clips
    from ugcl.inference import ensemble as inference
    from ugcl.inference import predictions as user_predictions

    parameters = config.load()
    found = user_clips.find(clips)
    name = benchmark or parameters.active[0]
    chosen = system or parameters.benchmark(name).reference
    ensemble = inference.load(parameters, name, chosen, fold)
    span = (window, step) if timeline else None
    results = []
    for result in user_predictions.predictions(parameters, ensemble, found, span):
        if result.observed is not None:
            from ugcl.reports.timeline import write

            path = user_predictions.timeline_path(out or Path("."), result.clip, ".png")
            write(result, ensemble, path, parameters.report.dpi)
        results.append(replace(result, observed=None))  # sound and features need not stay in memory
    if out is not None:
        user_predictions.write(ensemble, results, out)
    _print(ensemble, results, as_json)
    for result in results:
        if result.failure:
            typer.echo(f"not predicted: {result.clip.name}: {result.failure}", err=True)
    if all(result.failure for result in results):
        raise typer.Exit(1)


def _print(ensemble: Ensemble, results: list[Prediction], as_json: bool) -> None:
    if as_json:
        import json

        from ugcl.inference import predictions as user_predictions

        typer.echo(json.dumps(user_predictions.document(ensemble, results), indent=2, ensure_ascii=False))
    else:
        _show(ensemble, results)


def _show(ensemble: Ensemble, results: list[Prediction]) -> None:
    from ugcl.cli import terminal

    good = [result for result in results if not result.failure]
    if not good:
        return
    votes = f"{len(ensemble.runs)} run{'s' * (len(ensemble.runs) > 1)}"
    calibrated = (
        "calibrated on dev clips" if ensemble.calibrated else "NOT calibrated; run `ugcl evaluate predict`"
    )
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
    terminal.show(title, columns, rows, right=("confidence", "length", "face in", "speech"))
    if len(good) == 1:
        longest = max(map(len, ensemble.classes))
        for name, p in sorted(good[0].probabilities.items(), key=lambda pair: -pair[1]):
            typer.echo(f"{name:<{longest}} {'█' * round(BAR * p):<{BAR}} {100 * p:3.0f} %")
    for result in good:
        for note in result.notes:
            typer.echo(f"note: {result.clip.name}: {note}")
    typer.echo("face in: share of frames with a tracked face; speech: sound that stands out by its energy")
