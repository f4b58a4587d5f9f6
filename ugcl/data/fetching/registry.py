"""The registry of downloads, `workflow/resources/sources.csv`, and what it says of one corpus."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path, PurePosixPath
from typing import Literal
from urllib.parse import unquote, urlsplit

from pydantic import Field, ValidationError, field_validator

from ugcl.config.base import Section
from ugcl.config.corpora import Corpus
from ugcl.data import sources, tables
from ugcl.data.recordings.files import SOUND, VIDEO
from ugcl.errors import UgclError

ARCHIVES = (".zip", ".tar.gz", ".tgz", ".tar")
GIT = "git+"


class Source(Section):
    """One row: some files of a corpus and one address that has them.

    `path` is a glob pattern, relative to the corpus root, of what the row brings. The address is that of one
    file, of an archive that holds the files (.zip, .tar, .tar.gz), of a Git repository
    (`git+<url>[@<commit>]`, git-lfs where it uses it), or of the page where the owner is asked (`request`).
    """

    corpus: str
    version: str
    kind: Literal["primary", "mirror", "request"]
    url: str = Field(min_length=1)
    path: str = Field(min_length=1)
    sha256: str = Field(pattern=r"^([0-9a-f]{64})?$")
    bytes: int | None = Field(ge=0)
    files: int | None = Field(ge=1)
    licence: str
    note: str

    @field_validator("bytes", "files", mode="before")
    @classmethod
    def _empty_is_unknown(cls, value: str) -> str | None:
        return value or None

    @field_validator("path")
    @classmethod
    def _inside_the_root(cls, value: str) -> str:
        if value.startswith("/") or ".." in value.split("/"):
            raise ValueError("must lie inside the corpus root")
        return value

    @property
    def name(self) -> str:
        """The file name of the address."""
        return unquote(PurePosixPath(urlsplit(self.url).path).name)

    def present(self, root: Path) -> int:
        """How many of the row's files a root holds, also inside a folder that the release came in."""
        return len(sources.matches(root, [f"**/{self.path}"]))

    def missing(self, root: Path) -> bool:
        """Whether a root lacks files of this row: fewer than the release has, or none at all."""
        return self.present(root) < (self.files or 1)


@dataclass(frozen=True)
class Unit:
    """What is brought in one go: one file, one archive or one repository, and the addresses that have it."""

    rows: tuple[Source, ...]  # the primary rows, one for each path
    urls: tuple[str, ...]  # addresses in the order in which they are tried

    @property
    def kind(self) -> Literal["file", "archive", "git"]:
        """How it is brought."""
        if self.urls[0].startswith(GIT):
            return "git"
        return "archive" if self.rows[0].name.endswith(ARCHIVES) else "file"

    @property
    def path(self) -> str:
        """Where the transfer arrives, relative to the root: the file's own place, or the archive's name."""
        return self.rows[0].path if self.kind == "file" else self.rows[0].name

    @property
    def sha256(self) -> str:
        """What the transfer must hash to, "" where unknown."""
        return self.rows[0].sha256

    @property
    def bytes(self) -> int | None:
        """Size of the transfer; for a repository, that of all its folders."""
        sizes = [row.bytes for row in (self.rows if self.kind == "git" else self.rows[:1])]
        return None if None in sizes else sum(sizes)  # pyright: ignore[reportCallIssue]

    def missing(self, root: Path) -> bool:
        """Whether a root lacks any of the files."""
        return any(row.missing(root) for row in self.rows)


def read(path: Path, corpus: str | None = None) -> list[Source]:
    """Read the registry, all of it or one corpus's rows.

    Raises:
        UgclError: the file is missing or a row is wrong (its line is named).
    """
    found = []
    for line, row in enumerate(tables.read(path).to_dict("records"), start=2):
        try:
            found.append(Source.model_validate(row))
        except ValidationError as error:
            fault = error.errors()[0]
            place = ".".join(map(str, fault["loc"]))
            raise UgclError(f"{path}: line {line}: {place}: {fault['msg']}; fix the row") from None
    return [row for row in found if corpus in (None, row.corpus)]


def asked_for(pattern: str, corpus: Corpus) -> bool:
    """Whether a corpus's settings ask for the files of a pattern: media may be left out (`media: false`)."""
    return getattr(corpus, "media", True) or PurePosixPath(pattern).suffix.lower() not in SOUND | VIDEO


def units(rows: Sequence[Source]) -> list[Unit]:
    """Group a corpus's rows: paths with the same addresses come together, mirrors after their primary."""
    primaries = {row.path: row for row in rows if row.kind == "primary"}
    urls: dict[str, list[str]] = {path: [row.url] for path, row in primaries.items()}
    for row in rows:
        if row.kind == "mirror" and row.path in urls:
            urls[row.path].append(row.url)
    groups: dict[tuple[str, ...], list[Source]] = {}
    for path, row in primaries.items():
        groups.setdefault(tuple(urls[path]), []).append(row)
    return [Unit(tuple(members), addresses) for addresses, members in groups.items()]


def fits(path: str, pattern: str) -> bool:
    """Whether a relative path fits a glob pattern as `Path.glob` does: only `**` goes below a folder."""

    def fit(parts: Sequence[str], wanted: Sequence[str]) -> bool:
        if not wanted:
            return not parts
        if wanted[0] == "**":
            return any(fit(parts[skipped:], wanted[1:]) for skipped in range(len(parts) + 1))
        return bool(parts) and fnmatchcase(parts[0], wanted[0]) and fit(parts[1:], wanted[1:])

    return fit(PurePosixPath(path).parts, PurePosixPath(pattern).parts)
