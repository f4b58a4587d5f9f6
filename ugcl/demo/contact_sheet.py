"""One picture of the corpus: actors down, emotions across, the middle frame of one sentence each."""

from __future__ import annotations

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
    from PIL import Image, ImageDraw

    clips = sorted(path.stem for path in (root / "VideoMP4").glob(f"*_{sentence}_*.mp4"))
    actors = sorted({clip.split("_")[0] for clip in clips})
    if not clips:
        raise UgclError(f"{root}: no clip of sentence {sentence}; make the demo corpus first")
    margin, top = 44, 22
    size = (margin + side * len(names.EMOTIONS), top + side * len(actors))
    sheet = Image.new("RGB", size, "white")
    pen = ImageDraw.Draw(sheet)
    for column, emotion in enumerate(names.EMOTIONS):
        pen.text((margin + side * (column + 0.5), top / 2), names.CLASSES[emotion], fill="black", anchor="mm")
    for row, actor in enumerate(actors):
        pen.text((margin / 2, top + side * (row + 0.5)), actor, fill="black", anchor="mm")
        for clip in clips:
            if clip.startswith(actor):
                column = names.EMOTIONS.index(clip.split("_")[2])
                picture = Image.fromarray(middle_frame(root / names.video_path(clip)))
                cell = picture.resize((side, side), Image.Resampling.LANCZOS)
                sheet.paste(cell, (margin + side * column, top + side * row))
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
