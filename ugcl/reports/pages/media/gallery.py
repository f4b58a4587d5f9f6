"""A system's most confident mistakes as cards: the clip, where it may be shown, label, prediction, raters."""

from __future__ import annotations

import base64
import html
import io
from pathlib import Path

import numpy as np
import pandas as pd

from ugcl.config import Config
from ugcl.data import sources, tables
from ugcl.plan import paths
from ugcl.plan.reports import may_show

TYPES = {".mp4": "video/mp4", ".webm": "video/webm"}
LARGEST = 200_000
"""Bytes of a clip that a page may hold; a larger one is named only."""

SIDE = 192
"""Longer side of a still, pixels."""


def mistakes(config: Config, benchmark: str, errors: pd.DataFrame, most: int = 12) -> str:
    """The first mistakes as HTML cards with players.

    Args:
        errors: its rows of results/tables/<benchmark>/errors.csv, the surest first.
        most: cards to show.

    Returns:
        The cards; "" where the corpus's clips may not be shown (:func:`ugcl.plan.reports.may_show`), or
        are not on this machine.
    """
    corpus = config.benchmarks[benchmark].corpus
    if not may_show(config, corpus) or not paths.manifest(corpus).is_file():
        return ""
    video = tables.read_manifest(paths.manifest(corpus)).set_index("clip")["video"]
    root = sources.root(config, corpus)
    cards = []
    for row in errors.head(most).itertuples():
        file = root / video.get(row.clip, "")
        if file.is_file() and file.suffix in TYPES and file.stat().st_size <= LARGEST:
            cards.append(_card(row, file))
    return f'<div class="cards">{"".join(cards)}</div>' if cards else ""


def mistake_table(errors: pd.DataFrame) -> pd.DataFrame:
    """Mistakes as a table, the surest first, shares in per cent.

    Args:
        errors: rows of one benchmark, columns of results/tables/<benchmark>/errors.csv.
    """
    table = errors[["clip", "speaker", "fold", "label", "predicted"]].assign(
        fold=errors["fold"].map("{:.0f}".format),
        sure=errors["probability"].map("{:.1%}".format),
        **{"p of the label": errors["label_probability"].map("{:.1%}".format)},
        **{"wrong seeds": errors["wrong_seeds"].map("{:.0f}".format)},
    )
    if errors["votes_label"].notna().any():
        for column, name in (("votes_label", "label"), ("votes_predicted", "prediction")):
            shares = errors[column].map("{:.0%}".format, na_action="ignore").fillna("")
            table[f"raters for the {name}"] = shares
    return table


def poster(file: Path) -> bytes:
    """A small JPEG of a clip's middle frame, so that its face is seen before it is played."""
    from PIL import Image

    from ugcl.features.media.video import frames

    whole = list(frames(file))
    image = Image.fromarray(whole[len(whole) // 2].rgb())
    image.thumbnail((SIDE, SIDE))
    text = io.BytesIO()
    image.save(text, "JPEG", quality=75)
    return text.getvalue()


def _card(row, file: Path) -> str:
    name, label, predicted = (html.escape(str(cell)) for cell in (row.clip, row.label, row.predicted))
    data, still = (base64.b64encode(each).decode() for each in (file.read_bytes(), poster(file)))
    text = f"label <b>{label}</b>, predicted <b>{predicted}</b> ({_percent(row.probability)})"
    if np.isfinite(row.votes_label):
        votes = f"{_percent(row.votes_label)} {label}, {_percent(row.votes_predicted)} {predicted}"
        text += f"<br>raters: {votes}"
    return (
        f'<figure><video controls preload="none" aria-label="clip {name}, label {label}"'
        f' poster="data:image/jpeg;base64,{still}" src="data:{TYPES[file.suffix]};base64,{data}"></video>'
        f"<figcaption>{text}<br>{name}</figcaption></figure>"
    )


def _percent(share: float) -> str:
    return f"{100 * share:.0f} %" if np.isfinite(share) else ""
