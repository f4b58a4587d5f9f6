"""A benchmark as an audformat database (audEERING): clips, folds and predictions."""

from __future__ import annotations

import shutil
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from ugcl.config import Config
from ugcl.data import sources, tables
from ugcl.data.annotations.database import audformat
from ugcl.data.fetching import registry
from ugcl.data.fetching.status import licence
from ugcl.data.labels import labelled
from ugcl.errors import UgclError
from ugcl.evaluation.tables import predictions
from ugcl.plan import paths

HEADER = "db.yaml"
FACTS = ("clip", "transcript", "dialogue", "session", "sentence", "level")


def export(config: Config, benchmark: str, folder: Path, systems: Iterable[str], media: bool = False) -> Path:
    """Write a benchmark as an audformat database.

    Tables: `clips` (class, speaker, and facts such as the clip's name), `fold<k>.<part>` with the split of
    its part, and `predictions.<system>.seed<s>.fold<k>` (predicted, p_<class>), whose rater is the system.
    Rows are the clips of the benchmark's protocol. A clip is its sound file, or its video where it has no
    sound file of its own, and the times of its segment where it is a part of it.

    Args:
        folder: where to; a new one, or an empty one.
        systems: whose predictions are written.
        media: copy the clips' files there; else the paths are those below the corpus's root.

    Raises:
        UgclError: audformat is not installed, the folder is in use, a table is missing, a file is missing
            that is to be copied, or a clip has no file or that of another clip.
    """
    library = audformat()
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise UgclError(f"{folder}: exists and is not an empty folder; name a new one")
    entry, systems = config.benchmark(benchmark), list(systems)
    for system in systems:
        if system not in entry.systems:
            raise UgclError(f"{benchmark} has no system {system!r}; choose from {', '.join(entry.systems)}")
    clips = labelled(tables.read_manifest(paths.manifest(entry.corpus)), config.protocol(benchmark))
    index = _index(library, clips, benchmark)
    rows = index.to_frame(index=False).set_index(pd.Index(clips["clip"]))
    made = Writer(library, _header(library, config, benchmark, clips, systems), rows)
    made.table("clips", clips["clip"])
    made.column("clips", "class", "class", clips["label"], rater="labels")
    made.column("clips", "speaker", "speaker", clips["speaker"])
    for name in FACTS:
        if name in clips and (clips[name].astype(str) != "").any():
            made.column("clips", name, "text", clips[name].astype(str))
    for fold in config.folds(benchmark):
        split = tables.read_split(paths.split(entry.corpus, entry.protocol, fold))
        for part in tables.PARTS:
            inside = split.loc[split["part"] == part, "clip"]
            inside = inside[inside.isin(rows.index)]
            if len(inside):
                made.table(f"fold{fold}.{part}", inside, split=part)
    for system in systems:
        found = predictions.stack(config, benchmark, system)
        for (seed, fold), part in found.groupby(["seed", "fold"], sort=True):
            name = f"predictions.{system}.seed{seed}.fold{fold}"
            made.table(name, part["clip"])
            made.column(name, "predicted", "class", part["predicted"], rater=system)
            for column in [column for column in part if column.startswith("p_")]:
                made.column(name, column, "probability", part[column].clip(0, 1), rater=system)
    if media:
        _copy(sources.root(config, entry.corpus), folder, rows["file"].unique())
    made.database.save(str(folder), storage_format="csv")
    return folder / HEADER


@dataclass(frozen=True)
class Writer:
    """A database in the making.

    Attributes:
        rows: clip → file, start, end.
    """

    library: Any
    database: Any
    rows: pd.DataFrame

    def table(self, name: str, clips: pd.Series, split: str | None = None) -> None:
        """Add a table of some clips, in their order."""
        rows = self.rows.loc[clips]
        kind = self.library.segmented_index if "start" in rows else self.library.filewise_index
        self.database[name] = self.library.Table(kind(*(rows[key] for key in rows)), split_id=split)

    def column(self, table: str, name: str, scheme: str, values: pd.Series, rater: str | None = None) -> None:
        """Add a column to a table; its values are in the order of the rows, "" for none."""
        self.database[table][name] = self.library.Column(scheme_id=scheme, rater_id=rater)
        self.database[table][name].set([None if isinstance(v, str) and not v else v for v in values])


def _header(library: Any, config: Config, benchmark: str, clips: pd.DataFrame, systems: list[str]) -> Any:
    """The database without tables: what it is, and the schemes, raters and splits that tables use."""
    entry, protocol = config.benchmark(benchmark), config.protocol(benchmark)
    mark = "SYNTHETIC: clips that show no people. " if config.corpora[entry.corpus].synthetic else ""
    about = f"{mark}Benchmark {benchmark} of UGCL: corpus {entry.corpus}, protocol {entry.protocol}"
    terms = licence(config, entry.corpus, registry.read(Path(config.data.sources)))
    usage = library.define.Usage.OTHER
    database = library.Database(benchmark, source=entry.corpus, usage=usage, description=about, license=terms)
    database.schemes["class"] = library.Scheme(labels=list(protocol.classes))
    database.schemes["probability"] = library.Scheme("float", minimum=0, maximum=1)
    database.schemes["text"] = library.Scheme("str")
    database.schemes["speaker"] = library.Scheme(labels=_speakers(clips))
    database.raters["labels"] = library.Rater(library.define.RaterType.TRUTH, description=protocol.label)
    for system in systems:
        database.raters[system] = library.Rater(
            library.define.RaterType.MACHINE, description="system of UGCL"
        )
    for part, kind in zip(tables.PARTS, ("TRAIN", "DEVELOP", "TEST"), strict=True):
        database.splits[part] = library.Split(getattr(library.define.SplitType, kind))
    return database


def _speakers(clips: pd.DataFrame) -> Any:
    """The speakers' ids, with sex and age where the corpus has them."""
    people = clips.groupby("speaker").first()
    facts = {name: people[name].replace("", pd.NA) for name in ("sex", "age")}
    known = {name: column for name, column in facts.items() if column.notna().any()}
    if not known:
        return people.index.tolist()
    return {
        who: {name: None if pd.isna(column[who]) else column[who] for name, column in known.items()}
        for who in people.index
    }


def _index(library: Any, clips: pd.DataFrame, benchmark: str) -> pd.Index:
    """The rows of the clips, filewise, or segmented where one of them is a part of a file.

    Raises:
        UgclError: a clip has no file, or two have the same one and the same times.
    """
    files = clips["audio"].where(clips["audio"] != "", clips["video"])
    if (files == "").any():
        clip = clips.loc[files == "", "clip"].iloc[0]
        raise UgclError(
            f"{benchmark}: clip {clip!r} has no sound or video; audformat has rows for files only"
        )
    nothing = pd.Series(float("nan"), clips.index)
    own = (clips.get("cut", pd.Series("", clips.index)) == "video") & (clips["audio"] != "")
    start, end = (clips.get(name, nothing).mask(own) for name in ("start", "end"))
    if start.notna().any() or end.notna().any():
        times = [pd.to_timedelta(column, unit="s") for column in (start.fillna(0.0), end)]
        index = library.segmented_index(files.tolist(), *times)
    else:
        index = library.filewise_index(files.tolist())
    if index.has_duplicates:
        first = index[index.duplicated()][0]
        raise UgclError(f"{benchmark}: two clips are {first}; audformat has one row for both")
    return index


def _copy(root: Path, folder: Path, files: Sequence[str]) -> None:
    lost = [root / name for name in files if not (root / name).is_file()]
    if lost:
        raise UgclError(f"{lost[0]}: not found; complete the corpus, or leave out --media")
    for name in files:
        target = folder / name
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(root / name, target)
