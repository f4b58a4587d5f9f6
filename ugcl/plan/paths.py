"""Where every file lies, relative to the project's root. The only home of these names."""

from __future__ import annotations

from pathlib import Path

RAW = Path("data/raw")
MANIFESTS = Path("data/manifests")
SPLITS = Path("data/splits")
FACES = Path("data/faces")
FEATURES = Path("data/features")
QUARANTINE = Path("data/quarantine")
PERTURBED = Path("data/perturbed")
MODELS = Path("results/models")
PREDICTIONS = Path("results/predictions")
SCORES = Path("results/scores")
STUDIES = Path("results/studies")
TABLES = Path("results/tables")
FIGURES = Path("results/figures")
REPORTS = Path("results/reports")
INDEX = Path("results/index.html")
PUBLISHED = Path("workflow/resources/published.csv")


def manifest(corpus: str) -> Path:
    """The manifest table of a corpus."""
    return MANIFESTS / f"{corpus}.csv"


def checked(corpus: str) -> Path:
    """What says that folds were made and checked from a corpus's manifest, before any of its features."""
    return MANIFESTS / "checked" / f"{corpus}.txt"


def split(corpus: str, protocol: str, fold: int) -> Path:
    """The split table of one fold (from 1)."""
    return SPLITS / corpus / protocol / f"fold{fold}.csv"


def faces(corpus: str, shard: int) -> Path:
    """The face track table of one shard."""
    return FACES / corpus / f"shard-{shard}.csv"


def features(corpus: str, encoder: str) -> Path:
    """The folder of one encoder's shards and index."""
    return FEATURES / corpus / encoder


def quarantine(benchmark: str) -> Path:
    """The table of a benchmark's excluded clips."""
    return QUARANTINE / f"{benchmark}.csv"


def perturbed(benchmark: str, condition: str) -> Path:
    """The folder of a benchmark's test features under one condition, such as noise:10."""
    return PERTURBED / benchmark / condition.replace(":", "-")


def run(benchmark: str, system: str, seed: int, fold: int) -> Path:
    """The tail that a run has under models, predictions and scores."""
    return Path(benchmark) / system / f"seed{seed}" / f"fold{fold}"


def study(benchmark: str, system: str) -> Path:
    """The store of the search for a system's settings on a benchmark."""
    return STUDIES / benchmark / f"{system}.db"


def study_table(benchmark: str, system: str, name: str) -> Path:
    """A table of such a search: `trials` or `importances`."""
    return STUDIES / benchmark / f"{system}_{name}.csv"
