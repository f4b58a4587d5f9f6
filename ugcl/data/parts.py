"""The one door to the clips of a fold: manifest, split, quarantine and features become datasets."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from ugcl.config import Config, Run
from ugcl.config.protocols import Protocol
from ugcl.data import sources, tables
from ugcl.data.dataset import ATTRIBUTE, ClipDataset, Room, Store
from ugcl.data.labels import labelled, vote_shares
from ugcl.data.shards import INDEX, FeatureStore
from ugcl.data.splits.leaks import check_fold
from ugcl.errors import LeakError, UgclError
from ugcl.identity import compare
from ugcl.plan import paths

LEVELS = {"LO": 0.0, "MD": 0.5, "HI": 1.0, "normal": 0.0, "strong": 1.0}
"""The manifest's level → intensity; others, such as CREMA-D's XX, are unknown."""


class BenchmarkData:
    """What the folds and systems of a benchmark share; each table and feature index is read once.

    Attributes:
        benchmark: key of `benchmarks`.
        manifest: the corpus's manifest.
        quarantined: clips that no part of a fold has.
    """

    def __init__(self, config: Config, benchmark: str) -> None:
        """Read the manifest and the quarantined clips.

        Raises:
            UgclError: the benchmark is unknown, a table is missing, or the quarantine is another corpus's.
        """
        entry = config.benchmark(benchmark)
        self.benchmark = benchmark
        self.manifest = tables.read_manifest(paths.manifest(entry.corpus))
        self._quarantine = self._read_quarantine()
        self.quarantined: list[str] = tables.set_aside(self._quarantine)["clip"].tolist()
        self._corpus, self._protocol = entry.corpus, entry.protocol
        self._stores: dict[str, FeatureStore] = {}

    def stores(self, run: Run) -> dict[str, FeatureStore]:
        """The feature stores of the modalities that a run reads."""
        for modality in run.input.modalities:
            if modality not in self._stores:
                encoder = run.features[modality]
                own = {"corpus": self._corpus, "encoder": encoder}
                self._stores[modality] = FeatureStore(paths.features(self._corpus, encoder), own)
        return {modality: self._stores[modality] for modality in run.input.modalities}

    def perturbed(self, condition: str) -> FeatureStore:
        """The audio features of the test clips under a noise condition, such as `noise:10`."""
        own = {"corpus": self._corpus, "benchmark": self.benchmark, "condition": condition}
        return FeatureStore(paths.perturbed(self.benchmark, condition), own)

    def _read_quarantine(self) -> pd.DataFrame:
        path = paths.quarantine(self.benchmark)
        bad, again = tables.read(path), f"run `ugcl features quarantine {self.benchmark}` again"
        known = self.manifest.set_index("clip")["speaker"]
        for column in ("clip", "speaker", "modality"):
            if column not in bad:
                raise UgclError(f"{path}: column {column!r} is missing; {again}")
        for clip, speaker in zip(bad["clip"], bad["speaker"], strict=True):
            compare(f"{path}: clip {clip!r}", {"speaker": speaker}, {"speaker": known.get(clip, "")}, again)
        return bad

    def _check_leaks(self, split: pd.DataFrame, protocol: Protocol, fold: int) -> None:
        """The rule that the split was made by, once more: somebody may have edited the table since.

        Raises:
            LeakError: its parts share speakers.
        """
        speakers = split["clip"].map(self.manifest.set_index("clip")["speaker"]).fillna("")
        try:
            check_fold(split.assign(speaker=speakers), protocol, fold)
        except LeakError as leak:
            raise LeakError(f"{self.split_path(fold)}: {leak}") from None

    def _check_features(self, rows: pd.DataFrame, stores: Mapping[str, Store]) -> None:
        """Features and quarantine agree on what a clip lacks: else one of them is not current."""
        path = paths.quarantine(self.benchmark)
        again = f"run `ugcl features quarantine {self.benchmark}` again, or encode again"
        for modality, store in stores.items():
            failed = self._quarantine.loc[self._quarantine["modality"] == modality, "clip"]
            known = set(failed)
            absent = [clip for clip in rows["clip"] if clip not in store and clip not in known]
            if absent:
                raise UgclError(f"{path}: lacks clip {absent[0]}, which has no {modality} features; {again}")
            present = [clip for clip in failed if clip in store]
            if present:
                raise UgclError(f"{path}: has clip {present[0]}, which has {modality} features; {again}")

    def hashes(self, run: Run, fold: int) -> dict[str, str]:
        """SHA-256 of the tables that decide what a run sees: split, quarantine, feature indexes."""
        files = [self.split_path(fold), paths.quarantine(self.benchmark)]
        files += [paths.features(self._corpus, run.features[m]) / INDEX for m in run.input.modalities]
        return {path.as_posix(): sources.sha256(path) for path in files}

    def split_path(self, fold: int) -> Path:
        """The split table of a fold."""
        return paths.split(self._corpus, self._protocol, fold)

    def split(self, fold: int) -> pd.DataFrame:
        """Clip and part of a fold; quarantined clips are in it."""
        return tables.read_split(self.split_path(fold))

    def fold(
        self,
        run: Run,
        fold: int,
        names: Sequence[str] = tables.PARTS,
        *,
        stores: Mapping[str, Store] | None = None,
        cache: int = 2048,
        by_clip: bool = False,
        dev_is_train: bool = False,
    ) -> dict[str, ClipDataset]:
        """Parts of a fold by name, without the quarantined clips.

        Args:
            names: of `train`, `dev` and `test`; no other part is read.
            stores: modality → features to read; default those of the run.
            cache: most features to keep in memory, MiB in all parts together.
            by_clip: the clips are in the order of their names; default the order of the split table.
            dev_is_train: dev clips are among those of `train`.

        Raises:
            UgclError: a table or features are missing, quarantine and features do not agree, or a part is not
                usable; see :func:`part_rows`.
        """
        own = stores is None
        split = self.split(fold)
        self._check_leaks(split, run.protocol, fold)
        if dev_is_train:
            split["part"] = split["part"].replace("dev", "train")
        stores = self.stores(run) if stores is None else stores
        parts, room = {}, Room(cache)
        for name in names:
            # Attributes are annotations, as labels are: what is judged has none.
            asked = run.method.reads_attributes if name == "train" else ()
            rows = part_rows(self.manifest, split, name, run.protocol, self.quarantined, asked)
            rows = rows.sort_values("clip") if by_clip else rows
            if own:
                self._check_features(rows, stores)
            reads = run.input.by_speaker, run.input.context
            parts[name] = ClipDataset(rows, stores, run.protocol.classes, room, *reads)
        return parts


def open_fold(
    config: Config, run: Run, fold: int, names: Sequence[str] = tables.PARTS, **options: object
) -> dict[str, ClipDataset]:
    """Parts of one fold; for several folds or systems see :class:`BenchmarkData`.

    Args:
        names: of `train`, `dev` and `test`.
        options: see :meth:`BenchmarkData.fold`.
    """
    return BenchmarkData(config, run.benchmark).fold(run, fold, names, **options)


def part_rows(
    manifest: pd.DataFrame,
    split: pd.DataFrame,
    part: str,
    protocol: Protocol,
    quarantined: Sequence[str] = (),
    attributes: Sequence[str] = (),
) -> pd.DataFrame:
    """The clips of one part of a split.

    Args:
        manifest: clip, speaker and the protocol's label column.
        split: clip, part.
        part: `train`, `dev` or `test`.
        protocol: label target and classes.
        quarantined: clips to leave out.
        attributes: names, see :func:`attribute_values`.

    Returns:
        Columns clip, speaker, label, in the split's order; dialogue, turn and start where the manifest has
        them; with a soft target also q_<class>, the shares of the votes, all on the label where there are no
        votes for a class; and attribute_<name>.

    Raises:
        UgclError: the part is empty, a clip is unknown or unlabelled, or a class has no clip.
    """
    rows = split.loc[(split["part"] == part) & ~split["clip"].isin(list(quarantined)), ["clip"]]
    if rows.empty:
        raise UgclError(f"part {part} of the split is empty; correct the split or the quarantined clips")
    clips = labelled(manifest, protocol)
    columns = ["clip", "speaker", "label", *(c for c in ("dialogue", "turn", "start") if c in clips)]
    if protocol.soft:
        shares = [f"q_{name}" for name in protocol.classes]
        columns += shares
        q = vote_shares(clips, protocol.soft, protocol.classes, protocol.merge)
        q = np.where(np.isnan(q), clips["label"].to_numpy()[:, None] == np.array(protocol.classes), q)
        clips = clips.assign(**dict(zip(shares, q.T, strict=True)))
    if attributes:
        found = attribute_values(clips[clips["clip"].isin(rows["clip"])], attributes, protocol)
        found = found.add_prefix(ATTRIBUTE)
        columns += found.columns.tolist()
        clips = clips.join(found)
    rows = rows.merge(clips[columns], on="clip", how="left")
    wrong = rows.loc[~rows["label"].isin(protocol.classes), "clip"]
    if len(wrong):
        raise UgclError(
            f"part {part} of the split: {len(wrong)} clips have no label of the protocol in the manifest"
            f" (first: {wrong.iloc[0]}); make the splits again"
        )
    absent = [name for name in protocol.classes if name not in set(rows["label"])]
    if absent:
        raise UgclError(
            f"part {part} of the split has no clip of class {absent[0]!r}; use fewer folds or correct the"
            " split"
        )
    return rows


def attribute_values(clips: pd.DataFrame, names: Sequence[str], protocol: Protocol) -> pd.DataFrame:
    """Attributes of clips, 0..1 and NaN where unknown.

    Args:
        clips: rows of a manifest, with the class in the column label.
        names: `intensity`, from the level that the actor was asked for; or a channel of the ratings, such as
            voice: the share of its votes, among those for any class, that are for the clip's own.
        protocol: classes, and what counts as them.

    Returns:
        A column for each name, with the index of the clips.

    Raises:
        UgclError: not one clip has any of the attributes.
    """
    values = {
        name: _intensity(clips) if name == "intensity" else _share(clips, name, protocol) for name in names
    }
    frame = pd.DataFrame(values, index=clips.index, dtype="float64")
    if frame.isna().all(axis=None):
        raise UgclError(
            f"no training clip has one of the attributes {', '.join(names)}; choose others in"
            " method.attributes (levels and votes are columns of the manifest), or another method"
        )
    return frame


def _intensity(clips: pd.DataFrame) -> np.ndarray:
    return clips["level"].map(LEVELS).to_numpy("float64")


def _share(clips: pd.DataFrame, channel: str, protocol: Protocol) -> np.ndarray:
    """Unknown where the corpus has no votes of the channel, or the clip none for a class."""
    prefix = f"votes_{channel}"
    if not any(column.startswith(f"{prefix}_") for column in clips):
        return np.full(len(clips), np.nan)
    shares = vote_shares(clips, prefix, protocol.classes, protocol.merge)
    own = clips["label"].map({name: i for i, name in enumerate(protocol.classes)}).to_numpy()
    return shares[np.arange(len(clips)), own]
