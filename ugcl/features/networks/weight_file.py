"""One file of weights: found here, in the mirror, or brought from an address of the registry of downloads."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from filelock import FileLock

from ugcl.config import Config
from ugcl.data import sources
from ugcl.data.fetching import mirror, registry
from ugcl.data.fetching.download import Client, download
from ugcl.data.fetching.records import Fact, Received
from ugcl.data.fetching.registry import Source
from ugcl.errors import UgclError
from ugcl.plan import paths

MODELS = "models"
"""What the registry calls the corpus of its weights; a mirror has them in a folder of this name."""


@dataclass(frozen=True)
class WeightFile:
    """A file of weights and its SHA-256."""

    path: Path
    sha256: str


def weight_file(
    config: Config, encoder: str, weights: str, sha256: str = "", *, where: str = ""
) -> WeightFile:
    """Find a file of weights: a local file, a file of the mirror, or a row of `sources.csv`.

    Args:
        encoder: key of `encoders`, for messages.
        weights: path of a local file, or path inside the mirror; `models/<path>` names the registry's row.
        sha256: what the file must hash to; "" = what the registry says, if it does.
        where: section of params.yaml that messages name; "" = `encoders.<encoder>`.

    Raises:
        UgclError: the file was not found, or is not the one meant.
    """
    where = where or f"encoders.{encoder}"
    rows = [row for row in registry.read(Path(config.data.sources), MODELS) if _names(row, weights)]
    expected = sha256 or next((row.sha256 for row in rows if row.sha256), "")
    base = sources.mirror(config)
    found = Path(weights)
    if not found.is_file() and base and not mirror.is_url(base) and (Path(base) / weights).is_file():
        found = Path(base) / weights
    if not found.is_file():
        if not rows:
            raise UgclError(
                f"{where}.weights: {weights!r} is not a file here, none in data.mirror ({base}), and"
                f" no row of {config.data.sources}; set the path of the file"
            )
        found = _fetch(config, rows, weights, expected)
    digest = sources.sha256(found)
    if expected and digest != expected:
        raise UgclError(
            f"{found}: sha256 {digest[:12]}… instead of {expected[:12]}…;"
            f" replace the file or fix {where}.sha256"
        )
    return WeightFile(found, digest)


def _names(row: Source, weights: str) -> bool:
    return f"{MODELS}/{row.path}" == weights


def _fetch(config: Config, rows: list[Source], weights: str, expected: str) -> Path:
    """Download to `data/raw/models`; a file whose hash nobody published is trusted on first use."""
    folder = paths.RAW / MODELS
    unit = registry.units(rows)[0]
    base = sources.mirror(config)
    urls = [f"{base.rstrip('/')}/{weights}"] if base and mirror.is_url(base) else []
    target = folder / unit.path
    folder.mkdir(parents=True, exist_ok=True)
    with FileLock(folder / ".lock"):  # the shards of an encoder start side by side
        received = Received(folder)
        known = expected or received.sha256(unit.path)
        if not target.is_file() or (known and sources.sha256(target) != known):
            client = Client(config.data.retries, config.data.timeout)
            digest = download(client, [*urls, *unit.urls], target, sha256=known, size=unit.bytes)
            received.add({unit.path: Fact(target.stat().st_size, digest)})
    return target
