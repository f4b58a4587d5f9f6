"""One picture of the clips with the worst face tracks."""

from __future__ import annotations

import heapq
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from ugcl.config import Config
from ugcl.data import sources, tables
from ugcl.errors import UgclError
from ugcl.features.faces import preview, table
from ugcl.features.faces.table import Track
from ugcl.features.media.clip import Clip
from ugcl.features.media.failure import MediaError
from ugcl.plan import paths

COUNT, COLUMNS = 24, 6
SIDE, TEXT, GAP = 224, 34, 8  # pixels: of a picture, of the lines below it, between two
BLANK, FAULT = "#d9d9d9", "#a3220f"


def write(config: Config, corpus: str, target: Path, count: int = COUNT) -> Path:
    """Draw the worst clips of a corpus by its face tables, worst first.

    A clip is shown by the middle of its longest time without a face, else by the frame of the lowest score;
    one that cannot be decoded is an empty cell. Below it stand its name and its failure, or the share of
    frames with a face and the mean score.

    Args:
        config: the parameters; `report.show_faces` lets corpora other than the demo be shown.
        corpus: key of `corpora`, whose face tables were made.
        target: the PNG to write.
        count: most clips that are shown.

    Raises:
        UgclError: the corpus may not be shown, or its manifest or face tables are not there.
    """
    check_shown(config, corpus)
    chosen = worst(config, corpus, count)
    manifest = tables.read_manifest(paths.manifest(corpus)).set_index("clip", drop=False)
    root = sources.root(config, corpus)
    columns = min(COLUMNS, max(1, len(chosen)))
    width = GAP + columns * (SIDE + GAP)
    height = TEXT + -(-len(chosen) // columns) * (SIDE + TEXT + GAP)
    sheet = Image.new("RGB", (width, height), "white")
    pen = ImageDraw.Draw(sheet)
    suffix = "  SYNTHETIC" if config.corpora[corpus].synthetic else ""
    heading = f"{corpus}: the {len(chosen)} clips with the worst faces, worst first{suffix}"
    pen.text((GAP, TEXT / 2), heading, fill="black", anchor="lm", font=ImageFont.load_default(15))
    font = ImageFont.load_default(12)
    for number, (name, track) in enumerate(chosen):
        row, column = divmod(number, columns)
        left, top = GAP + column * (SIDE + GAP), TEXT + row * (SIDE + TEXT + GAP)
        if name not in manifest.index:
            fault = f"{corpus}: {name} has faces but is not in the manifest"
            raise UgclError(f"{fault}; run `snakemake features`")
        sheet.paste(_cell(Clip.from_row(manifest.loc[name], root), track), (left, top))
        pen.text((left, top + SIDE + 2), name, fill="black", font=font)
        pen.text(
            (left, top + SIDE + 16), caption(track), fill=FAULT if track.failure else "#444444", font=font
        )
    target.parent.mkdir(parents=True, exist_ok=True)
    sheet.save(target, format="PNG", optimize=True)
    return target


def check_shown(config: Config, corpus: str) -> None:
    """Refuse to show the people of a corpus unless the user states that its licence permits it.

    Raises:
        UgclError: the corpus is not the demo and `report.show_faces` is false.
    """
    if config.corpus(corpus).adapter != "demo" and not config.report.show_faces:
        raise UgclError(
            f"{corpus}: its faces are not drawn, because report.show_faces is false in params.yaml;"
            " set it to true if the corpus's licence permits it"
        )


def worst(config: Config, corpus: str, count: int) -> list[tuple[str, Track]]:
    """The clips of least quality: failed ones, then by share of frames with a face, then by mean score."""
    return heapq.nsmallest(count, _tracks(config, corpus), key=lambda entry: (*_quality(entry[1]), entry[0]))


def shown_frame(track: Track) -> int:
    """The frame that shows a track's faults best, see :func:`write`; the track has frames."""
    hidden = np.flatnonzero(~track.visible)
    if len(hidden):
        runs = np.split(hidden, np.flatnonzero(np.diff(hidden) > 1) + 1)
        longest = max(runs, key=len)
        return int(longest[len(longest) // 2])
    return int(np.argmin(track.scores))


def caption(track: Track) -> str:
    """The line below a clip."""
    visible = track.visible
    if not visible.any():
        return track.failure or "no frames"
    share = f"{100 * visible.mean():.0f} % of {len(visible)} frames, score {track.scores[visible].mean():.3f}"
    return f"{track.failure}: {share}" if track.failure else share


def _tracks(config: Config, corpus: str) -> Iterator[tuple[str, Track]]:
    for shard in range(1, config.corpora[corpus].shards + 1):
        path = paths.faces(corpus, shard)
        if not path.is_file():
            raise UgclError(f"{path}: not found; run `snakemake features` with an encoder that reads faces")
        yield from table.read(path)


def _quality(track: Track) -> tuple[bool, float, float]:
    visible = track.visible
    if not visible.any():
        return not track.failure, 0.0, 0.0
    return not track.failure, float(visible.mean()), float(track.scores[visible].mean())


def _cell(clip: Clip, track: Track) -> Image.Image:
    cell = Image.new("RGB", (SIDE, SIDE), BLANK)
    try:
        index = shown_frame(track) if len(track.times) else 0
        frame = next((frame for frame in clip.frames() if frame.index == index), None)
    except MediaError:
        return cell
    if frame is not None:
        rgb = preview.draw(frame.rgb(), track, index) if len(track.times) else frame.rgb()
        picture = Image.fromarray(rgb)
        picture.thumbnail((SIDE, SIDE), Image.Resampling.LANCZOS)
        cell.paste(picture, ((SIDE - picture.width) // 2, (SIDE - picture.height) // 2))
    return cell
