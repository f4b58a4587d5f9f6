"""`ugcl transfer`: a trained system on another labelled corpus."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ugcl.cli.terminal import Threads
from ugcl.errors import UgclError

if TYPE_CHECKING:
    from ugcl.config import Config
    from ugcl.config.system.transfer import Transfer


def transfer(
    trained: Annotated[str, typer.Argument(help="<benchmark>/<system> that was trained.")],
    target: Annotated[str, typer.Argument(help="Benchmark on whose test clips it is tested.")],
    classes: Annotated[
        list[str],
        typer.Option(
            "--class",
            help="TARGET=TRAINED: classes that mean the same, such as fearful=fear; TARGET= for none. May be"
            " given several times; wins over the parameters.",
        ),
    ] = (),
    out: Annotated[Path | None, typer.Option(help="Also write all metrics to this CSV.")] = None,
    threads: Threads = 1,
) -> None:
    """Score a trained system on the test clips of another corpus, beside the target's own systems.

    Classes of one name are the same; others are matched as `transfer` in the parameters says, or --class.
    """
    from ugcl import config

    parameters = config.load()
    pair = _pair(parameters, trained, target, classes)
    from ugcl.cli import terminal
    from ugcl.data import tables
    from ugcl.evaluation.transfer.tables import tables_of
    from ugcl.reports.tables import transfer as shown

    found = tables_of(parameters, pair)
    scores, confusion = found["transfer"], found["transfer_confusion"]
    if out is not None:
        tables.write(scores, out)
    mark = scores["marks"].iloc[0]
    rows = shown.scores(scores, parameters.protocol(target).primary)
    title = f"{trained} on {target}" + (f" [{mark}]" if mark else "")
    terminal.show(title, list(rows), rows.to_numpy().tolist(), right=list(rows)[1:])
    counts = shown.confusion(confusion)
    terminal.show(
        "per cent of each label's clips", list(counts), counts.to_numpy().tolist(), list(counts)[1:]
    )
    typer.echo(shown.matched(scores.iloc[0]))


def _pair(parameters: Config, trained: str, target: str, classes: list[str]) -> Transfer:
    """The pair of the parameters with these names, or a new one, with the classes of the command line."""
    from pydantic import ValidationError

    from ugcl.config.base import first_fault
    from ugcl.config.system.transfer import Transfer, check

    named = [pair for pair in parameters.transfer if (pair.trained, pair.target) == (trained, target)]
    own = named[0].model_dump() if named else {"trained": trained, "target": target, "classes": {}}
    for text in classes:
        label, equals, other = text.partition("=")
        if not equals or not label:
            raise UgclError(f"--class {text}: write TARGET=TRAINED, such as fearful=fear")
        own["classes"][label] = other or None
    try:
        pair = Transfer.model_validate(own)
        check(pair, parameters, "transfer")
    except ValidationError as error:
        raise UgclError(f"transfer.{first_fault(error)}") from None
    except ValueError as error:
        raise UgclError(str(error)) from None
    return pair
