"""The page of a benchmark's test clips: two systems on identical clips, with players of one's own clips."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pandas as pd

from ugcl import files
from ugcl.config import Config
from ugcl.data import sources, tables
from ugcl.evaluation.tables import predictions
from ugcl.features.media.clip import NAMED
from ugcl.plan import paths
from ugcl.plan import reports as plan
from ugcl.plan.evaluation import marks, table
from ugcl.plan.names import TITLES
from ugcl.reports.pages.templating import fill, link
from ugcl.reports.tables.read import read
from ugcl.reports.theme import colour, colours

PLAYED = {
    **dict.fromkeys((".mp4", ".webm"), "video"),
    **dict.fromkeys((".wav", ".mp3", ".flac", ".m4a"), "audio"),
}
"""Files that a browser plays, by the element that does."""


def build_all(config: Config) -> None:
    """Write the page of clips of each active benchmark (`ugcl report clips`).

    Raises:
        UgclError: a table or predictions are missing.
    """
    for benchmark in config.active:
        page = plan.clip_page(config, benchmark)
        files.write(page, fill("clips.html.j2", context(config, benchmark, page)))


def context(config: Config, benchmark: str, page: Path, play: bool = True) -> dict[str, Any]:
    """What the template shows.

    Args:
        page: where it will lie, for links.
        play: whether clips that may be played get a player.
    """
    protocol, entry = config.protocol(benchmark), config.benchmark(benchmark)
    palette = colours(config)
    return {
        "name": benchmark,
        "marks": marks(config, benchmark),
        "metric": TITLES[protocol.primary],
        "confidence": f"{100 * config.evaluate.confidence:g}",
        "seeds": len(entry.seeds),
        "home": link(plan.front_page(config), page),
        "pairs_table": link(table(benchmark, "system_pairs"), page),
        "data": {
            "classes": protocol.classes,
            "systems": [{"name": name, "colour": colour(palette, name)} for name in entry.systems],
            "reference": entry.reference,
            "pairs": _pairs(benchmark),
            **_clips(config, benchmark, page, play),
        },
    }


def _pairs(benchmark: str) -> list[list[Any]]:
    """system, other, value, other value, difference, its ends, p_holm, and the four shares of each pair."""
    frame = read("system_pairs", benchmark)
    numbers = ["value", "other_value", "difference", "ci_low", "ci_high", "p_holm"]
    numbers += ["both", "only_system", "only_other", "neither"]
    values = frame[numbers].astype(float).round(5)
    known = values.astype(object).where(values.notna(), None)
    return [
        [first, second, *row]
        for first, second, row in zip(frame["system"], frame["other"], known.to_numpy().tolist(), strict=True)
    ]


def _clips(config: Config, benchmark: str, page: Path, play: bool) -> dict[str, Any]:
    """The test clips, and what each system says of them.

    Returns:
        clips: name, speaker, fold, number of the label, words, address of the player and its kind;
        said: system → one letter for the class with the highest probability, seeds averaged, and two digits
        for that probability in per cent, clip by clip.
    """
    entry, classes = config.benchmark(benchmark), config.protocol(benchmark).classes
    probabilities = [f"p_{name}" for name in classes]
    said, tested = {}, pd.DataFrame()
    tests = predictions.tested(config, benchmark, config.folds(benchmark))
    for system in entry.systems:
        stacked = predictions.stack(config, benchmark, system, tests=tests)
        means = stacked.groupby(["fold", "clip"])[probabilities].mean()
        best, sure = means.to_numpy().argmax(1), (100 * means.max(axis=1)).to_numpy().astype(int).clip(0, 99)
        said[system] = "".join(f"{chr(65 + k)}{p:02d}" for k, p in zip(best, sure, strict=True))
        if tested.empty:
            rows = stacked.drop_duplicates(["fold", "clip"]).set_index(["fold", "clip"])
            tested = rows.loc[means.index, ["speaker", "label"]].reset_index()
    manifest = tables.read_manifest(paths.manifest(entry.corpus)).set_index("clip").loc[tested["clip"]]
    shown = plan.may_link(config, entry.corpus)
    rows = manifest.iterrows()
    media = [_media(config, entry.corpus, row, page) if shown and play else [] for _, row in rows]
    spoken = (shown if play else plan.may_show(config, entry.corpus)) and "transcript" in manifest
    words = manifest["transcript"] if spoken else [""] * len(manifest)
    rows = zip(tested["clip"], tested["speaker"], tested["fold"], tested["label"], words, media, strict=True)
    return {
        "clips": [
            [clip, speaker, int(fold), classes.index(label), str(text), *played]
            for clip, speaker, fold, label, text, played in rows
        ],
        "said": said,
    }


def _media(config: Config, corpus: str, row: pd.Series, page: Path) -> list[str]:
    """The address of a clip's video or sound from the page, and what plays it; empty where nothing does."""
    root = sources.root(config, corpus)
    for modality in ("video", "audio"):
        name = str(row.get(NAMED[modality][0], "") or "")
        file = root / name
        if name and file.suffix.lower() in PLAYED and file.is_file():
            address = quote(Path(os.path.relpath(file, page.parent)).as_posix())
            # A sound file of its own may be the clip and no more, where the video is a longer recording.
            cut = modality == "video" or row.get("cut", "") != "video"
            ends = [row.get(end) if cut else "" for end in ("start", "end")]
            known = ["" if pd.isna(end) or end == "" else f"{float(end):g}" for end in ends]
            moment = f"#t={','.join(known)}" if any(known) else ""
            return [address + moment, PLAYED[file.suffix.lower()]]
    return []
