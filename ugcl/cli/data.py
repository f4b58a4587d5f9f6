"""`ugcl data`: corpora, manifests and folds."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Annotated

import typer

log = logging.getLogger(__name__)
app = typer.Typer(help="Fetch or make corpora, their manifests and folds.", no_args_is_help=True)
Corpus = Annotated[str, typer.Argument(help="Key of `corpora` in params.yaml.")]


@app.command()
def fetch(
    corpus: Corpus,
    complete: Annotated[
        bool, typer.Option("--complete", help="Also download what a mirror or a tree of your own lacks.")
    ] = False,
) -> None:
    """Bring a corpus from the mirror or its sources, and list its files with their hashes."""
    from ugcl.config import load
    from ugcl.data import manifest
    from ugcl.data.fetching import corpus as fetching

    config = load()
    patterns = getattr(manifest.adapter(config.corpus(corpus).adapter), "FILES", ("**/*",))
    typer.echo(fetching.fetch(config, corpus, patterns, complete))


@app.command()
def status(as_json: Annotated[bool, typer.Option("--json", help="One JSON list.")] = False) -> None:
    """Show of each corpus whether it is here, how large it is, its licence and how to get it."""
    import json
    from dataclasses import asdict

    from rich.console import Console
    from rich.table import Table

    from ugcl.config import load
    from ugcl.data.fetching.status import status as corpora

    found = corpora(load())
    if as_json:
        typer.echo(json.dumps([asdict(entry) for entry in found], indent=2))
        return
    table = Table("corpus", "state", "files", "MB", "licence", "where", "to get it", box=None)
    for entry in found:
        size = f"{entry.bytes / 1e6:.1f}"
        row = (entry.corpus, entry.state, str(entry.files), size, entry.licence, entry.where, entry.hint)
        table.add_row(*row)
    Console(width=None if Console().is_terminal else 200).print(table)
    for entry in found:
        for protocol, reasons in entry.left_out.items():
            text = ", ".join(f"{row['clips']} {row['reason']}" for row in reasons) or "none"
            typer.echo(f"{entry.corpus}, {protocol}: clips in no part: {text}")


@app.command()
def demo(corpus: Corpus, actor: Annotated[int, typer.Argument(help="Actor id, from 1001.")]) -> None:
    """Make the clips of one synthetic actor."""
    from ugcl.config import load
    from ugcl.data import sources
    from ugcl.demo import clip
    from ugcl.demo.dialogues import clip as dialogues
    from ugcl.errors import UgclError

    config = load()
    entry = config.corpus(corpus)
    if entry.adapter != "demo":
        raise UgclError(f"{corpus}: no synthetic corpus; choose one with adapter demo in params/corpora.yaml")
    settings = entry.model_dump(include={"actors", "seed", "size"})
    maker = dialogues if entry.form == "dialogues" else clip
    maker.make_actor(actor, sources.root(config, corpus), **settings)


@app.command()
def manifest(corpus: Corpus) -> None:
    """Write the manifest: one row per clip with speaker, labels, duration and hashes."""
    from ugcl.config import load
    from ugcl.data import manifest, tables
    from ugcl.plan import paths

    tables.write(manifest.build(load(), corpus), paths.manifest(corpus))


@app.command()
def split(
    corpus: Corpus,
    protocol: Annotated[str, typer.Argument(help="Key of its `protocols`.")],
    fold: Annotated[int, typer.Argument(help="Fold number, from 1.")],
) -> None:
    """Write one fold of a protocol, checked for leaks."""
    from ugcl.config import load
    from ugcl.data import sources, tables
    from ugcl.data.splits import build as splits
    from ugcl.data.splits import left_out
    from ugcl.errors import UgclError
    from ugcl.plan import paths

    config = load()
    scheme = config.corpus_protocol(corpus, protocol)
    if fold not in scheme.fold_numbers:
        raise UgclError(f"fold {fold} is not in {protocol!r}; choose from 1..{scheme.fold_numbers[-1]}")
    manifest = tables.read_manifest(paths.manifest(corpus))
    table = splits.make_fold(manifest, scheme, sources.root(config, corpus), fold)
    counts = ", ".join(f"{part} {(table['part'] == part).sum()}" for part in tables.PARTS)
    absent = left_out.described(left_out.left_out(manifest, scheme, table))
    log.info("%s, %s, fold %d: clips in %s; left out: %s", corpus, protocol, fold, counts, absent)
    tables.write(table, paths.split(corpus, protocol, fold))


@app.command()
def check(corpus: Corpus) -> None:
    """Make and audit the folds of a corpus that active benchmarks run; all its features wait for this."""
    from ugcl import files
    from ugcl.config import load
    from ugcl.data import sources
    from ugcl.data.splits import audits
    from ugcl.plan import paths

    typer.echo("\n\n".join(each.text() for each in audits.check(load(), corpus)))
    path = paths.checked(corpus)
    files.write(path, f"{sources.sha256(paths.manifest(corpus))}  {paths.manifest(corpus).as_posix()}\n")


@app.command()
def audit(
    splits: Annotated[
        list[str],
        typer.Argument(help="A benchmark; or CSVs, maybe train=a.csv test=b.csv; or a JSON of speakers."),
    ],
    corpus: Annotated[str | None, typer.Option(help="Corpus that has the speakers and labels.")] = None,
    speaker_pattern: Annotated[
        str | None, typer.Option(help="Regular expression on clip names; its first group is the speaker.")
    ] = None,
    json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Count what the parts of a split hold and share; exit 1 where speakers, clips or recordings leak."""
    from json import dumps

    from ugcl import config
    from ugcl.data.splits import audits
    from ugcl.errors import LeakError

    found = audits.audits(config.load(), splits, corpus, speaker_pattern)
    trees = [each.to_dict() for each in found]
    typer.echo(dumps(trees, indent=2) if json else "\n\n".join(each.text() for each in found))
    leaks = [leak for each in found for leak in each.leaks]
    if leaks:
        more = f" [and {len(leaks) - 1} more, see above]" if leaks[1:] else ""
        raise LeakError(f"{leaks[0]}{more}; use a speaker-disjoint split")


@app.command("export-audformat")
def export_audformat(
    benchmark: Annotated[str, typer.Argument(help="Key of `benchmarks` in params.yaml.")],
    out: Annotated[Path, typer.Option(help="The database's folder, a new one.")],
    system: Annotated[
        list[str] | None, typer.Option(help="Whose predictions; may be repeated. Default all.")
    ] = None,
    labels_only: Annotated[
        bool, typer.Option("--labels-only", help="Without predictions, as before any training.")
    ] = False,
    media: Annotated[bool, typer.Option("--media", help="Copy the clips' files into it.")] = False,
) -> None:
    """Write clips, folds and predictions of a benchmark as an audformat database (extra `audformat`)."""
    from ugcl.config import load
    from ugcl.evaluation import database

    if labels_only and system:
        raise typer.BadParameter("leaves predictions out; drop it or --system", param_hint="--labels-only")
    config = load()
    systems = [] if labels_only else system or config.benchmark(benchmark).systems
    typer.echo(database.export(config, benchmark, out, systems, media))
