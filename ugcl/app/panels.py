"""Predictions as HTML: the panel of one clip, and the table of several."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from pathlib import Path
from urllib.parse import quote

from ugcl.app.timeline import timeline
from ugcl.inference.ensemble import Ensemble
from ugcl.inference.predictions import Prediction

FILES = "gradio_api/file="
"""Address of a file of the scratch folder, below the page's own."""
COLUMNS = ("clip", "emotion", "confidence", "next", "used", "length")


def panel(found: Prediction, notes: Sequence[str], ensemble: Ensemble, media: Path | None) -> str:
    """What is shown of one clip: the class, the player, the timeline and the notes.

    Args:
        found: a prediction with its timeline and what was observed.
        notes: its notes, without paths of the server.
        ensemble: what predicted it.
        media: what is played; None for nothing.
    """
    mark = f'<strong class="ugcl-badge">{ensemble.marks}</strong>' if ensemble.marks else ""
    timed = found.timeline is not None
    about = [
        found.clip.name,
        *([f"{found.duration:.1f} s"] if timed else []),
        f"from {_used(found, ' and ')}",
    ]
    kind = "video" if found.clip.video is not None else "audio"
    player = f'<{kind} class="ugcl-player" controls playsinline preload="auto"'
    player = f'{player} src="{FILES}{quote(str(media))}"></{kind}>' if media else ""
    items = "".join(f"<li>{escape(note)}</li>" for note in notes)
    return (
        f'<section class="ugcl-clip"><div class="ugcl-verdict"><b>{escape(found.predicted)}</b>'
        f" <span>{100 * found.confidence:.0f} %</span>{mark}<small>{escape(', '.join(about))}</small></div>"
        f'<div class="ugcl-body">{player}'
        f'<div class="ugcl-time">{timeline(found, ensemble) if timed else ""}</div></div>'
        f"{f'<ul>{items}</ul>' if items else ''}</section>"
    )


def failure(prediction: Prediction) -> str:
    """Why a clip has no prediction, as a paragraph."""
    name = prediction.clip.name
    text = prediction.failure if name in prediction.failure else f"{name}: {prediction.failure}"
    return f'<p class="ugcl-error" role="alert">{escape(text)}</p>'


def table(found: Sequence[Prediction], chosen: int) -> str:
    """All clips as a table, whose rows can be chosen where they have a prediction.

    Args:
        chosen: number of the clip whose panel is shown; -1 for none.
    """
    head = "".join(f"<th>{name}</th>" for name in COLUMNS)
    rows = "".join(_row(i, one, i == chosen) for i, one in enumerate(found))
    whole = f"<thead><tr>{head}</tr></thead><tbody>{rows}</tbody>"
    return f'<div class="ugcl-scroll"><table class="ugcl-clips">{whole}</table></div>'


def _row(i: int, one: Prediction, pressed: bool) -> str:
    name = escape(one.clip.name)
    if one.failure:
        span = len(COLUMNS) - 1
        return f'<tr class="ugcl-failed"><th>{name}</th><td colspan="{span}">{escape(one.failure)}</td></tr>'
    ranked = sorted(one.probabilities.items(), key=lambda pair: -pair[1])
    cells = [
        f"<b>{escape(ranked[0][0])}</b>",
        f"{100 * ranked[0][1]:.0f} %",
        f"{escape(ranked[1][0])} {100 * ranked[1][1]:.0f} %",
        escape(_used(one, ", ")),
        f"{one.duration:.1f} s" if one.duration == one.duration else "–",
    ]
    state = str(pressed).lower()
    button = f'<button type="button" data-clip="{i}" aria-pressed="{state}">{name}</button>'
    return f"<tr><th>{button}</th>{''.join(f'<td>{cell}</td>' for cell in cells)}</tr>"


def _used(found: Prediction, between: str) -> str:
    return found.modalities.replace("+", between)
