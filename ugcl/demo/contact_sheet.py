"""One picture of a synthetic corpus: actors down, emotions across, the middle frame of one clip each."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from ugcl.errors import UgclError
from ugcl.files import whole
from ugcl.plan import demo as names

SENTENCE = "RVR"  # all at level XX


def contact_sheet(root: Path, out_png: Path, *, side: int = 128, sentence: str = SENTENCE) -> Path:
    """Write a labelled grid of apex frames of the demo corpus.

    Args:
        root: the corpus root, with VideoMP4/.
        out_png: the picture to write.
        side: pixels of one cell.
        sentence: code of the sentence whose clips are shown.

    Raises:
        UgclError: no clip of the sentence is there.
    """
    clips = sorted(path.stem for path in (root / "VideoMP4").glob(f"*_{sentence}_*.mp4"))
    if not clips:
        raise UgclError(f"{root}: no clip of sentence {sentence}; make the demo corpus first")
    shown = {(clip.split("_")[0], clip.split("_")[2]): clip for clip in clips}
    return _draw(root, shown, names.EMOTIONS, out_png, side)


def dialogue_sheet(root: Path, out_png: Path, seed: int, *, side: int = 128) -> Path:
    """Write a labelled grid of apex frames of the corpus of dialogues: turns whose face shows the emotion.

    A cell is empty where an actor has no such turn.

    Args:
        root, out_png, side: as of :func:`contact_sheet`.
        seed: the corpus's seed.

    Raises:
        UgclError: no clip of a dialogue is there.
    """
    from ugcl.demo.dialogues.lines import CODES
    from ugcl.demo.dialogues.script import turn

    clips = sorted(path.stem for path in (root / "VideoMP4").glob("s*d*t*_*.mp4"))
    if not clips:
        raise UgclError(f"{root}: no turn of a dialogue; make the corpus first")
    turns = [turn(clip, seed) for clip in clips]
    shown = {(str(t.actor), t.emotion): t.clip for t in turns if t.emotion == "NEU" or t.evidence == "face"}
    return _draw(root, shown, CODES, out_png, side)


def _draw(
    root: Path, clips: Mapping[tuple[str, str], str], emotions: Sequence[str], out_png: Path, side: int
) -> Path:
    """A grid of the clips of (actor, emotion)."""
    from PIL import Image, ImageDraw

    actors = sorted({actor for actor, _ in clips})
    margin, top = 44, 22
    sheet = Image.new("RGB", (margin + side * len(emotions), top + side * len(actors)), "white")
    pen = ImageDraw.Draw(sheet)
    for column, emotion in enumerate(emotions):
        pen.text((margin + side * (column + 0.5), top / 2), names.CLASSES[emotion], fill="black", anchor="mm")
    for row, actor in enumerate(actors):
        pen.text((margin / 2, top + side * (row + 0.5)), actor, fill="black", anchor="mm")
    for (actor, emotion), clip in clips.items():
        picture = Image.fromarray(middle_frame(root / names.video_path(clip)))
        cell = picture.resize((side, side), Image.Resampling.LANCZOS)
        sheet.paste(cell, (margin + side * emotions.index(emotion), top + side * actors.index(actor)))
    with whole(out_png) as partial:
        sheet.save(partial, format="PNG")
    return out_png


def middle_frame(path: Path) -> np.ndarray:
    """The frame in the middle of a video, (H, W, 3) uint8 RGB."""
    import av

    with av.open(str(path)) as container:
        frames = list(container.decode(video=0))
    if not frames:
        raise UgclError(f"{path}: no frames; make the clip again")
    return frames[len(frames) // 2].to_ndarray(format="rgb24")
