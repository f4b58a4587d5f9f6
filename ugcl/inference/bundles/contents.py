"""What a bundle holds: `bundle.json`, which names every other file with its digest, and how it is checked.

    bundle.json            what the system is, its parameters, digests of all files
    README.md              model card with the hub's YAML header
    sources.csv            addresses of weights of encoders and face detector that are single files
    runs/seed0-fold1/      card.json and model.safetensors of each run

Nothing is pickled and no code is in it.
"""

from __future__ import annotations

import hashlib
import json
from pathlib import Path, PurePosixPath
from typing import Any

from pydantic import BaseModel, ConfigDict, ValidationError

from ugcl.config.base import first_fault
from ugcl.data import sources
from ugcl.errors import UgclError
from ugcl.identity import compare

NAME = "bundle.json"
CARD = "README.md"
SOURCES = "sources.csv"
FORMAT = 1
"""Raised by a change after which older code would misread a bundle."""
DAMAGED = "the bundle is damaged or was changed; get it again"


class BundledRun(BaseModel):
    """One run: its folder in the bundle, and its temperature where one was fitted."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    folder: str
    seed: int
    fold: int
    temperature: float | None


class Bundle(BaseModel):
    """The fields of `bundle.json`.

    Attributes:
        format: :data:`FORMAT` of the version of ugcl that wrote it.
        version: that version.
        benchmark, system: which system.
        classes: class names in the order of the probabilities.
        marks: SYNTHETIC where the training clips show no people.
        licence: of the corpus that it was trained on.
        runs: its runs, which vote.
        parameters: the parameter tree that clips are read by (:class:`ugcl.config.Config`).
        weights: encoder → SHA-256 of its weights, where it has some and their digest was known.
        precomputed: modalities whose features came from a table, so that no clip can be encoded.
        code: module outside the package that has the method → SHA-256 of its file; empty for a method of the
            package.
        files: path in the bundle → SHA-256.
        digest: SHA-256 of all other fields.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    format: int
    version: str
    benchmark: str
    system: str
    classes: list[str]
    marks: str
    licence: str
    runs: list[BundledRun]
    parameters: dict[str, Any]
    weights: dict[str, str]
    precomputed: list[str]
    code: dict[str, str]
    files: dict[str, str]
    digest: str = ""

    @property
    def own_digest(self) -> str:
        """What `digest` has to be."""
        tree = self.model_dump(mode="json", exclude={"digest"})
        return hashlib.sha256(json.dumps(tree, sort_keys=True).encode()).hexdigest()

    def text(self) -> str:
        """The text of `bundle.json`, with the digest."""
        tree = self.model_dump(mode="json") | {"digest": self.own_digest}
        return json.dumps(tree, indent=2, ensure_ascii=False) + "\n"


def parse(text: str, where: str) -> Bundle:
    """Read the text of `bundle.json`.

    Args:
        where: the bundle, for messages.

    Raises:
        UgclError: it is damaged, of another format, or names a file outside of the bundle.
    """
    try:
        tree = json.loads(text)
        number = tree["format"]
    except (ValueError, KeyError, TypeError):
        raise UgclError(f"{where}: {NAME} is not that of a bundle; {DAMAGED}") from None
    if number != FORMAT:
        raise UgclError(
            f"{where}: has format {number} and this version of ugcl reads {FORMAT}; export it again with this"
            f" version, or install the one that wrote it ({tree.get('version', 'not known')})"
        )
    try:
        bundle = Bundle.model_validate(tree)
    except ValidationError as error:
        raise UgclError(f"{where}: {NAME}: {first_fault(error)}; {DAMAGED}") from None
    compare(f"{where}: {NAME}", {"digest": bundle.digest}, {"digest": bundle.own_digest}, DAMAGED)
    for name in [*bundle.files, *(run.folder for run in bundle.runs)]:
        if not is_inside(name):
            raise UgclError(f"{where}: names the file {name!r}, outside of it; do not use this bundle")
    return bundle


def is_inside(name: str) -> bool:
    """Whether a path stays in the folder that it is relative to, on every system."""
    parts = PurePosixPath(name).parts
    return bool(parts) and not name.startswith("/") and ".." not in parts and not set("\\:") & set(name)


def check(folder: Path, where: str) -> Bundle:
    """Read a bundle's folder and compare every file with its digest; files that it does not name are ignored.

    Raises:
        UgclError: see :func:`parse`; or a file is missing or has other bytes.
    """
    try:
        text = (folder / NAME).read_text("utf-8")
    except FileNotFoundError:
        raise UgclError(f"{where}: has no {NAME}; give what `ugcl export` made") from None
    except UnicodeDecodeError:
        raise UgclError(f"{where}: {NAME} is not text; {DAMAGED}") from None
    bundle = parse(text, where)
    for name, digest in bundle.files.items():
        if not (folder / name).is_file():
            raise UgclError(f"{where}: {name} is missing; {DAMAGED}")
        compare(f"{where}: {name}", {"sha256": sources.sha256(folder / name)}, {"sha256": digest}, DAMAGED)
    return bundle
