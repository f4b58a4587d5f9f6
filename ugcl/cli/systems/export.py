"""`ugcl export`: a trained system as a bundle that works without the project."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def export(
    system: Annotated[
        str,
        typer.Argument(
            help="<benchmark>/<system>, with /seed<s> and /fold<k> for some of its runs, or a run's folder."
        ),
    ],
    out: Annotated[
        Path | None, typer.Option(help="Folder, or file that ends in .zip; nothing may be there.")
    ] = None,
    push: Annotated[str, typer.Option(help="user/name on the Hugging Face hub to upload it to.")] = "",
    private: Annotated[bool, typer.Option("--private", help="A new repository there is private.")] = False,
    project: Annotated[
        Path | None,
        typer.Option(help="The project's folder; default the one you are in.", exists=True, file_okay=False),
    ] = None,
) -> None:
    """Write a trained system as a bundle: weights, parameters, model card and digests, nothing pickled.

    `ugcl predict --model` and `ugcl.load` read it on another machine, without the project: the folder, the
    zip file, or its name on the hub. Pretrained encoders are named with the digest of their weights and not
    copied. A modality whose features come from a table cannot be computed from a clip; there it is missing.
    """
    if out is None and not push:
        raise typer.BadParameter("name a folder or a zip file, or give --push", param_hint="--out")
    import tempfile

    from ugcl.inference.api.load import load
    from ugcl.inference.api.model import at
    from ugcl.inference.bundles import archive, hub, write
    from ugcl.reports.pages import bundle_card

    target = out and out.absolute()
    model = load(system, project)
    with tempfile.TemporaryDirectory(prefix="ugcl-") as scratch, at(model.home):
        folder = target if target and target.suffix != write.ZIP else Path(scratch) / "bundle"
        card = bundle_card.writer(model.config, model.ensemble, push or (target and target.name) or "")
        if target and folder != target:
            write.refuse_existing(target)
        bundle = write.export(model.config, model.ensemble, folder, card)
        if target and folder != target:
            archive.pack(folder, target)
        address = hub.push(folder, push, private) if push else ""
    if out is not None:
        typer.echo(f"{out}: {bundle.benchmark}/{bundle.system}, {len(bundle.runs)} runs")
    if address:
        typer.echo(address)
    for name in bundle.precomputed:
        typer.echo(f"note: {name} is missing in every clip: its features are precomputed", err=True)
    for name in bundle.code:
        typer.echo(f"note: whoever loads it needs {name} in the working folder", err=True)
