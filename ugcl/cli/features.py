"""`ugcl features`: face tracks, encoders, indexes, quarantine."""

from __future__ import annotations

from typing import Annotated

import typer

from ugcl.cli.terminal import Threads

app = typer.Typer(no_args_is_help=True, help="Make face tracks and features from media.")

Corpus = Annotated[str, typer.Argument(help="Key of `corpora` in params.yaml.")]
Encoder = Annotated[str, typer.Argument(help="Key of `encoders` in params.yaml.")]
Workers = Annotated[int, typer.Option(min=0, help="Decoding processes of a network; 0 = this one.")]
Shard = Annotated[int, typer.Argument(min=1, help="Number of the shard, from 1.")]


@app.command()
def faces(corpus: Corpus, shard: Shard, threads: Threads = 1) -> None:
    """Track the faces of one shard's clips."""
    from ugcl import config
    from ugcl.data.splits import audits
    from ugcl.features.faces.extract import faces_shard
    from ugcl.provenance import lineage

    tree = config.load()
    audits.check(tree, corpus)  # a protocol may have changed since the workflow checked the manifest
    faces_shard(tree, corpus, shard, lineage.faces(tree, corpus))


@app.command()
def encode(
    corpus: Corpus, encoder: Encoder, shard: Shard, threads: Threads = 1, workers: Workers = 0
) -> None:
    """Encode one shard's clips."""
    from ugcl import config
    from ugcl.data.splits import audits
    from ugcl.features import extract
    from ugcl.provenance import lineage

    tree = config.load()
    audits.check(tree, corpus)  # a protocol may have changed since the workflow checked the manifest
    extract.encode_shard(tree, corpus, encoder, shard, lineage.features(tree, corpus, encoder), workers)


@app.command()
def index(corpus: Corpus, encoder: Encoder) -> None:
    """Check an encoder's shards and list their clips."""
    from ugcl import config
    from ugcl.features import extract

    extract.build_index(config.load(), corpus, encoder)


@app.command()
def quarantine(benchmark: Annotated[str, typer.Argument(help="Key of `benchmarks`.")]) -> None:
    """List the clips that a benchmark leaves out because of bad media."""
    from ugcl import config
    from ugcl.features.quarantine import quarantine as write

    write(config.load(), benchmark)
