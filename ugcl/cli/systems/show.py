"""`ugcl show`: what is known about a clip, or what a system says of a dialogue."""

from __future__ import annotations

from typing import Annotated, Any

import typer

QUIET = ("audio_sha256", "video_sha256")
"""Facts that only --json prints."""


def show(
    name: Annotated[str, typer.Argument(help="A clip of a manifest; with --dialogue a benchmark.")],
    system: Annotated[
        str, typer.Argument(help="With --dialogue: whose predictions; default the benchmark's reference.")
    ] = "",
    dialogue: Annotated[str, typer.Option(help="Show the turns of this dialogue of the corpus.")] = "",
    corpus: Annotated[str, typer.Option(help="Key of `corpora`; default wherever the clip is found.")] = "",
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON in place of tables.")] = False,
) -> None:
    """Show a clip's manifest row, features, folds, quarantine, and what every system says of it.

    ugcl show BENCHMARK SYSTEM --dialogue NAME: a dialogue's turns with speaker, text, label, prediction and
    confidence (the mean over seeds).
    """
    if dialogue:
        _dialogue(name, system, dialogue, as_json)
    elif system:
        raise typer.BadParameter("a clip has no system; give --dialogue NAME to see a system's dialogue")
    else:
        _clip(name, corpus, as_json)


def _dialogue(benchmark: str, system: str, dialogue: str, as_json: bool) -> None:
    from ugcl import config
    from ugcl.evaluation.dialogues.view import view
    from ugcl.plan.evaluation import marks

    parameters = config.load()
    system = system or parameters.benchmark(benchmark).reference
    found = view(parameters, benchmark, system, dialogue)
    if as_json:
        import json

        rows = found.astype(object).where(found.notna(), None).to_dict("records")
        same = {"benchmark": benchmark, "system": system, "dialogue": dialogue}
        same |= {"marks": marks(parameters, benchmark)}
        typer.echo(json.dumps(same | {"turns": rows}, indent=2, ensure_ascii=False))
        return
    from ugcl.cli import terminal
    from ugcl.reports.tables.dialogues import turns_of

    tested = int((found["right"] != "").sum())
    mark = f" [{marks(parameters, benchmark)}]" if marks(parameters, benchmark) else ""
    right = f"{int((found['right'] == 'yes').sum())} of {tested} tested turns right"
    shown = turns_of(found)
    title = f"{dialogue}: {benchmark}/{system}{mark}, {right}"
    terminal.show(title, list(shown), shown.itertuples(index=False, name=None), right=("turn", "confidence"))


def _clip(clip: str, corpus: str, as_json: bool) -> None:
    from ugcl import config
    from ugcl.evaluation.lookup import clip_facts

    facts = clip_facts(config.load(), clip, corpus)
    if as_json:
        import json

        typer.echo(json.dumps(facts, indent=2, ensure_ascii=False))
        return
    from ugcl.cli import terminal

    manifest = {key: value for key, value in facts["manifest"].items() if key not in QUIET}
    plain = {key: value for key, value in manifest.items() if not key.startswith("votes_")}
    terminal.show(f"{clip} of {facts['corpus']}", ("fact", "value"), plain.items())
    _votes(manifest)
    rows = [
        (name, entry.get("failure") or f"{entry['frames']} frames × {entry['dim']}", entry.get("detail", ""))
        for name, entry in facts["features"].items()
    ]
    if rows:
        terminal.show("features", ("encoder", "result", "detail"), rows)
    for name, entry in facts["benchmarks"].items():
        _benchmark(name, entry)


def _votes(manifest: dict[str, str]) -> None:
    from ugcl.cli import terminal

    votes: dict[str, dict[str, str]] = {}
    for key, value in manifest.items():
        if key.startswith("votes_"):
            _, channel, name = key.split("_", 2)
            votes.setdefault(channel, {})[name] = value
    if votes:
        names = list(dict.fromkeys(name for row in votes.values() for name in row))
        rows = [(channel, *(row.get(name, "") for name in names)) for channel, row in votes.items()]
        terminal.show("raters' votes", ("channel", *names), rows, right=names)


def _benchmark(name: str, entry: dict[str, Any]) -> None:
    from ugcl.cli import terminal

    parts = ", ".join(f"{fold} {part}" for fold, part in entry["parts"].items()) or "none yet"
    label = entry["label"] or "none of the protocol's classes"
    lines = [("label", label), ("part in fold", parts)]
    for row in entry["quarantine"]:
        lines.append(("quarantined", f"{row['modality']}: {row['failure']} ({row['detail']})"))
    if entry["absent"]:
        lines.append(("absent", ", ".join(entry["absent"])))
    mark = f" [{entry['marks']}]" if entry["marks"] else ""
    terminal.show(f"benchmark {name}{mark}", ("fact", "value"), lines)
    found = entry["predictions"]
    if not found:
        return
    classes = list(found[0]["probabilities"])
    rows = [
        (
            row["system"],
            f"{row['seed']}/{row['fold']}",
            row["predicted"],
            "yes" if row["right"] else "no",
            *(f"{100 * row['probabilities'][c]:.0f}" for c in classes),
        )
        for row in found
    ]
    columns = ("system", "seed/fold", "predicted", "right", *classes)
    right = sum(row["right"] for row in found)
    title = f"predictions as test clip, {right} of {len(found)} right; probabilities in %"
    terminal.show(title, columns, rows, right=classes)
