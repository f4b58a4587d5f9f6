"""What is audited: the folds of a benchmark or a user's files; a corpus's folds before its features."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pandas as pd

from ugcl.config import Config
from ugcl.config.protocols import Protocol
from ugcl.data import sources, tables
from ugcl.data.labels import labelled
from ugcl.data.splits import build as splits
from ugcl.data.splits import foreign_split as foreign_split
from ugcl.data.splits.audit import LEAKS, Audit, audit
from ugcl.data.splits.left_out import left_out
from ugcl.errors import LeakError, UgclError
from ugcl.plan import data, paths

log = logging.getLogger(__name__)


def audits(
    config: Config, arguments: Sequence[str], corpus: str | None = None, pattern: str | None = None
) -> list[Audit]:
    """Audit benchmarks or files.

    Args:
        arguments: keys of `benchmarks`, or files as :func:`ugcl.data.splits.foreign_split.read` takes them.
        corpus: key of `corpora` whose manifest has the speakers and labels of the files.
        pattern: regular expression for the speaker in clip names.

    Raises:
        UgclError: an argument is neither, or a table cannot be read.
    """
    if all(argument in config.benchmarks for argument in arguments):
        return [found for name in arguments for found in of_benchmark(config, name)]
    strange = [a for a in arguments if not Path(a.rpartition("=")[2]).is_file()]
    if strange:
        known = ", ".join(config.benchmarks)
        raise UgclError(f"{strange[0]}: neither a file nor a benchmark; benchmarks are {known}")
    manifest = None
    if corpus is not None:
        config.corpus(corpus)
        manifest = tables.read_manifest(paths.manifest(corpus))
    found = foreign_split.read(arguments, pattern, manifest)
    return [audit(table, name) for name, table in found.items()]


def of_benchmark(config: Config, benchmark: str) -> list[Audit]:
    """Audit every fold that a benchmark runs: its split file, or what would be written to it."""
    entry, protocol, path = (
        config.benchmark(benchmark),
        config.protocol(benchmark),
        paths.quarantine(benchmark),
    )
    manifest = tables.read_manifest(paths.manifest(entry.corpus))
    quarantine = tables.set_aside(tables.read(path)) if path.is_file() else None
    found = []
    for number in config.folds(benchmark):
        path = paths.split(entry.corpus, entry.protocol, number)
        if path.is_file():
            fold = tables.read_split(path)
        else:
            log.info("%s: not there yet; auditing the fold that would be written", path)
            fold = _made(config, entry.corpus, entry.protocol, number, manifest)
        fold = _joined(fold, manifest, protocol)
        audited = audit(fold, f"{benchmark} fold {number}", protocol.classes)
        found.append(replace(audited, left_out=left_out(manifest, protocol, fold, quarantine)))
    return found


def never_used(config: Config, corpus: str) -> dict[str, pd.DataFrame]:
    """Protocol of a corpus → the clips in no part of any fold, by reason; nothing without a manifest.

    Folds are those whose split files are there, else all labelled clips count as used. Quarantined clips are
    those of the benchmarks that use the protocol.
    """
    path = paths.manifest(corpus)
    if not path.is_file():
        return {}
    manifest, found = tables.read_manifest(path), {}
    for name, protocol in config.corpus(corpus).protocols.items():
        files = [paths.split(corpus, name, number) for number in protocol.fold_numbers]
        folds = [tables.read_split(file) for file in files if file.is_file()]
        users = [
            key
            for key, entry in config.benchmarks.items()
            if (entry.corpus, entry.protocol) == (corpus, name)
        ]
        files = filter(Path.is_file, map(paths.quarantine, users))
        bad = [tables.set_aside(tables.read(file)) for file in files]
        if protocol.label in manifest:
            used = pd.concat(folds) if folds else labelled(manifest, protocol)
            found[name] = left_out(manifest, protocol, used, pd.concat(bad) if bad else None)
    return found


def check(config: Config, corpus: str) -> list[Audit]:
    """Make and audit the folds of a corpus that active benchmarks run.

    Raises:
        LeakError: parts share clips, speakers or recordings, and the protocol does not allow it. Recordings
            of which clips are cut (columns start, end) may be shared, and train and dev may share speakers
            where dev is a share of the dialogues.
        UgclError: a fold cannot be made, or no clip has a modality that a benchmark encodes.
    """
    manifest = tables.read_manifest(paths.manifest(corpus))
    _check_modalities(config, corpus, manifest)
    is_cut = any(manifest[name].notna().any() for name in ("start", "end") if name in manifest)
    audited = []
    for protocol, number in data.folds(config, corpus):
        entry, name = config.corpus_protocol(corpus, protocol), f"{corpus}, {protocol}, fold {number}"
        fold = _joined(_made(config, corpus, protocol, number, manifest), manifest, entry)
        found = audit(fold, name, entry.classes)
        audited.append(replace(found, left_out=left_out(manifest, entry, fold)))
        may_leak = LEAKS if getattr(entry.folds, "allow_leak", False) else ("recordings",) if is_cut else ()
        leaks = found.overlaps[found.overlaps["kind"].isin(LEAKS)]
        for leak, (first, second, kind, *_) in zip(found.leaks, leaks.to_numpy(), strict=True):
            by_design = kind == "speakers" and entry.dev_shares_speakers and "test" not in (first, second)
            if kind not in may_leak and not by_design:
                raise LeakError(f"{leak}; use a speaker-disjoint split, and a recording for one clip only")
    return audited


def _check_modalities(config: Config, corpus: str, manifest: pd.DataFrame) -> None:
    for name in config.active:
        entry = config.benchmark(name)
        own = entry.features.items() if entry.corpus == corpus else ()
        for modality, kind in [(m, kind) for m, encoder in own for kind in config.encoders[encoder].reads]:
            columns = tables.NAMED[kind]
            if not any((manifest[c].str.strip() != "").any() for c in columns if c in manifest):
                raise UgclError(
                    f"{paths.manifest(corpus)}: no clip has {' or '.join(columns)}, which"
                    f" benchmarks.{name}.features.{modality} reads; fill in that column of the corpus's"
                    " table, or drop the modality"
                )


def _made(config: Config, corpus: str, protocol: str, number: int, manifest: pd.DataFrame) -> pd.DataFrame:
    entry = config.corpus_protocol(corpus, protocol)
    return splits.make_fold(manifest, entry, sources.root(config, corpus), number)


def _joined(fold: pd.DataFrame, manifest: pd.DataFrame, protocol: Protocol) -> pd.DataFrame:
    """A split table with what the manifest has about its clips."""
    known = labelled(manifest, protocol).drop(columns="part", errors="ignore")  # MELD's manifest has one
    return fold.merge(known, on="clip", how="left")
