"""What of each corpus is here: present, partial or absent, how much, under which licence, and where."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ugcl.config import Config
from ugcl.config.corpora import FolderCorpus
from ugcl.data import manifest, sources
from ugcl.data.corpora import folder
from ugcl.data.fetching import mirror, registry
from ugcl.data.fetching.registry import Source
from ugcl.data.recordings.files import SOUND, VIDEO
from ugcl.data.splits.audits import never_used
from ugcl.data.splits.leaks import listed
from ugcl.errors import UgclError
from ugcl.plan.data import made_names


@dataclass(frozen=True)
class Status:
    """One corpus."""

    corpus: str
    state: str  # present (all that its release has), partial, or absent
    files: int  # how many of the files it needs are there
    bytes: int  # their size
    licence: str  # under which they may be used
    where: str  # the corpus root
    missing: list[str] = field(default_factory=list)  # glob patterns of what is not there, or not all of it
    hint: str = ""  # how to get what is missing, "" where nothing is
    left_out: dict[str, list[dict[str, Any]]] = field(default_factory=dict)
    """Protocol → reasons for which clips of the manifest are in no part, with clips and speakers."""


def status(config: Config) -> list[Status]:
    """The status of every corpus of the parameters, in their order.

    Raises:
        UgclError: the registry of sources cannot be read.
    """
    rows = registry.read(Path(config.data.sources))
    return [_corpus(config, name, rows) for name in config.corpora]


def _corpus(config: Config, corpus: str, registered: Sequence[Source]) -> Status:
    entry = config.corpora[corpus]
    root = sources.root(config, corpus)
    rows = [row for row in registered if row.corpus == entry.adapter and row.kind != "mirror"]
    rows = [row for row in rows if registry.asked_for(row.path, entry)]
    patterns = manifest.adapter(entry.adapter).FILES if entry.adapter != "folder" else ["**/*"]
    patterns = [pattern for pattern in patterns if registry.asked_for(pattern, entry)]
    files = sources.matches(root, patterns)
    if entry.adapter == "folder":
        missing = [] if sources.matches(root, entry.wanted) else [" or ".join(entry.wanted)]
    elif entry.adapter == "demo":
        clips = len(made_names(entry).clip_names(entry.actors))
        missing = [pattern for pattern in patterns if len(sources.matches(root, [pattern])) < clips]
    else:
        missing = [row.path for row in rows if row.missing(root)]
    usable, said = True, ""
    if isinstance(entry, FolderCorpus) and not missing:
        usable, missing, said = _named(root, entry)
    state = "absent" if not files else "present" if usable and not missing else "partial"
    size, terms = sum(path.stat().st_size for path in files), licence(config, corpus, registered)
    hint = said if said or state == "present" else _hint(config, corpus, rows, patterns)
    absent = {name: table.to_dict("records") for name, table in never_used(config, corpus).items()}
    return Status(corpus, state, len(files), size, terms, root.as_posix(), missing, hint, absent)


def _named(root: Path, entry: FolderCorpus) -> tuple[bool, list[str], str]:
    """Whether a user's rows can be read, the media files that they name and that are missing, and a sentence
    on these, on what is wrong with the rows, or on media that no row names.
    """
    try:
        rows = folder.rows(root, entry)
    except UgclError as error:
        return False, [], str(error)
    named = {name for column in ("audio", "video") if column in rows for name in rows[column] if name}
    lost = sorted(name for name in named if not (root / name).is_file())
    if lost:
        text = f"{len(lost)} of {len(named)} files that rows name are missing: {listed(lost)}"
        return True, lost, f"{text}; put them there, or remove the rows"
    media = (path for path in sources.below(root) if path.suffix.lower() in SOUND | VIDEO)
    others = sorted({path.relative_to(root).as_posix() for path in media} - named)
    return True, [], f"media in no row, which are not used: {listed(others)}" if others else ""


def licence(config: Config, corpus: str, registered: Sequence[Source]) -> str:
    """Under which licences a corpus may be used."""
    entry = config.corpora[corpus]
    rows = [row for row in registered if row.corpus == entry.adapter and row.kind != "mirror"]
    own = "made here, SYNTHETIC" if entry.synthetic else "your own"
    return ", ".join(dict.fromkeys(row.licence for row in rows)) or own


def _hint(config: Config, corpus: str, rows: Sequence[Source], patterns: Sequence[str]) -> str:
    """How to get what is missing, the nearest way first."""
    entry = config.corpora[corpus]
    if entry.adapter == "demo":
        return "snakemake data makes it"
    if entry.adapter == "folder":
        return f"put {' or '.join(entry.wanted)} and the media there"
    base = sources.mirror(config)
    folder = None if not base or mirror.is_url(base) else mirror.folder(base, (corpus, entry.adapter))
    here = sources.matches(sources.root(config, corpus), patterns)
    if folder is not None and not here:
        return f"ugcl data fetch {corpus} (the mirror has {len(sources.matches(folder, patterns))} files)"
    asked = [row.url for row in rows if row.kind == "request"]
    if asked:
        return f"apply at {asked[0]}"
    return f"ugcl data fetch {'--complete ' if here else ''}{corpus}"
