"""`ugcl faces`: the faces of any videos, and the worst ones of a corpus."""

from __future__ import annotations

from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ugcl.cli.terminal import Threads

if TYPE_CHECKING:
    from ugcl.features.faces.survey import Survey


def faces(
    videos: Annotated[
        list[str] | None, typer.Argument(help="Videos, folders, or quoted patterns such as 'x/*.mp4'.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print a JSON list in place of a table.")] = False,
    table: Annotated[
        Path | None,
        typer.Option(help="Write faces.csv (a row per frame) and faces.summary.csv into this folder."),
    ] = None,
    preview: Annotated[
        Path | None, typer.Option(help="Write <clip>.mp4 with box and landmarks into this folder.")
    ] = None,
    worst: Annotated[str, typer.Option(help="Draw the worst clips of this corpus instead.")] = "",
    out: Annotated[Path | None, typer.Option(help="Default <corpus>_worst_faces.png.")] = None,
    threads: Threads = 1,
) -> None:
    """Track the most prominent face of your own videos, with the settings of `faces` in params.yaml.

    Prints a row per clip: clip, frames, frames_with_face, mean_score (the detector's, over frames with a
    face), failure ("" where all is well). A file that cannot be read is a row with its failure and the rest
    goes on: the exit code is 1 only if nothing could be read. Of several faces the largest and most central
    one is followed, and a note says so. Pictures of people are written only where --preview or --worst asks
    for them; --worst needs report.show_faces for every corpus but the demo.
    """
    from ugcl import config

    if bool(videos) == bool(worst):
        raise typer.BadParameter("give videos or --worst CORPUS, one of the two", param_hint="videos")
    parameters = config.load()
    if worst:
        from ugcl.reports.pages.media import face_sheet

        typer.echo(face_sheet.write(parameters, worst, out or Path(f"{worst}_worst_faces.png")))
        return
    from ugcl.features.faces import preview as drawn
    from ugcl.features.faces import survey
    from ugcl.features.faces.build import build
    from ugcl.features.progress import progress

    clips = survey.find(videos or [])
    found = survey.survey(progress(clips, "faces", len(clips)), build(parameters), parameters.faces)
    results = []
    with ExitStack() as stack:
        tables = stack.enter_context(survey.Tables(table)) if table else None
        for each in found:
            if tables:
                tables.add(each)
            if preview and each.readable:
                drawn.write(each.clip, each.track, drawn.path(preview, each.clip))
            results.append((each.row(), _notes(each), each.readable))
    _print([row for row, _, _ in results], as_json)
    for _, notes, _ in results:
        for note in notes:
            typer.echo(note, err=True)
    if not any(readable for _, _, readable in results):
        raise typer.Exit(1)


def _notes(found: Survey) -> list[str]:
    name, track = found.clip.name, found.track
    notes = [f"{name}: {track.failure}: {track.detail}"] if track.failure else []
    return notes + [f"note: {name}: {note}" for note in found.notes]


def _print(rows: list[dict[str, Any]], as_json: bool) -> None:
    if as_json:
        import json

        typer.echo(json.dumps(rows, indent=2, ensure_ascii=False))
        return
    from ugcl.cli import terminal

    def cell(value: Any) -> str:
        return "–" if value is None else f"{value:.3f}" if isinstance(value, float) else str(value)

    cells = [[cell(value) for value in row.values()] for row in rows]
    terminal.show("", list(rows[0]), cells, right=("frames", "frames_with_face", "mean_score"))
