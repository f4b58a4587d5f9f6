"""Which files the data stage reads and writes."""

from __future__ import annotations

import hashlib
from pathlib import Path
from types import ModuleType

from ugcl.config import Config
from ugcl.config.corpora import DemoCorpus
from ugcl.plan import demo, paths
from ugcl.plan.demo import dialogues


def corpora(config: Config) -> list[str]:
    """The corpora of the active benchmarks, each once."""
    return list(dict.fromkeys(config.benchmark(name).corpus for name in config.active))


def root(config: Config, corpus: str) -> Path:
    """The folder of a corpus's raw tree."""
    return Path(config.corpus(corpus).root or paths.RAW / corpus)


def made_names(entry: DemoCorpus) -> ModuleType:
    """The module that names the clips of a synthetic corpus."""
    return dialogues if entry.form == "dialogues" else demo


def made_actors(config: Config) -> list[tuple[str, int]]:
    """Corpus and id of every synthetic actor of the active benchmarks: one job each."""
    return [
        (corpus, actor)
        for corpus in corpora(config)
        if (entry := config.corpus(corpus)).adapter == "demo"
        for actor in demo.actor_ids(entry.actors)
    ]


def actor_media(config: Config, corpus: str, actor: int) -> list[Path]:
    """The files that one synthetic actor's job writes."""
    return [paths.RAW / corpus / name for name in made_names(config.corpus(corpus)).media_paths(actor)]


def raw_files(config: Config, corpus: str) -> list[Path]:
    """Inputs of a manifest: synthetic media, all files of a user's folder, or a fetched tree's file table.

    In a user's folder what describes the clips comes first: the table or the audformat database. Annotation
    files lie among the others.
    """
    entry = config.corpus(corpus)
    if entry.adapter == "demo":
        return [file for actor in demo.actor_ids(entry.actors) for file in actor_media(config, corpus, actor)]
    if entry.adapter == "folder":
        folder = root(config, corpus)
        names = [] if entry.annotations else entry.wanted
        first = [folder / name for name in names]
        return [*first, *(file for file in sorted(folder.rglob("*")) if file.is_file() and file not in first)]
    return [paths.RAW / corpus / "fetched.csv"]


def described(config: Config, corpus: str) -> str:
    """SHA-256 of the table of a user's corpus, which may be replaced by an older file; "" of others."""
    entry = config.corpus(corpus)
    if entry.adapter != "folder" or entry.annotations is not None:
        return ""
    table = root(config, corpus) / entry.wanted[0]
    return hashlib.sha256(table.read_bytes()).hexdigest() if table.is_file() else ""


def manifests(config: Config) -> list[Path]:
    """The manifests of the active benchmarks."""
    return [paths.manifest(corpus) for corpus in corpora(config)]


def splits(config: Config, benchmark: str) -> list[Path]:
    """The split tables of a benchmark's folds."""
    entry = config.benchmark(benchmark)
    return [paths.split(entry.corpus, entry.protocol, fold) for fold in config.folds(benchmark)]


def folds(config: Config, corpus: str) -> list[tuple[str, int]]:
    """Protocol and number of the folds of a corpus that active benchmarks run, each once."""
    entries = [(config.benchmark(name), name) for name in config.active]
    found = [(e.protocol, fold) for e, name in entries if e.corpus == corpus for fold in config.folds(name)]
    return list(dict.fromkeys(found))


def checks(config: Config) -> list[Path]:
    """What says that folds were checked, of each corpus of the active benchmarks."""
    return [paths.checked(corpus) for corpus in corpora(config)]


def all_splits(config: Config) -> list[Path]:
    """The split tables of the active benchmarks, each once."""
    return list(dict.fromkeys(path for name in config.active for path in splits(config, name)))
