"""A clip put into words, and the words read by a text encoder."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

from ugcl.config.features import Textual
from ugcl.errors import UgclError
from ugcl.features.encoder import Encoder
from ugcl.features.encoders.language import face, voice
from ugcl.features.encoders.table import TableEncoder
from ugcl.features.media.clip import Clip


class TextualEncoder:
    """Describes face, voice and words of a clip in plain sentences, which a text encoder reads.

    A clip fails where one of the parts that are asked for is not there: a text that says less than those of
    other clips would say so of the recording and not of the person.

    Args:
        config: which parts.
        reader: of text; gives what this encoder gives.
        table: action units of the face, None where the text has none.

    Raises:
        UgclError: the table has no action unit.
    """

    modality = "text"
    needs_faces = False

    def __init__(self, name: str, config: Textual, reader: Encoder, table: TableEncoder | None) -> None:
        self.name, self.config, self.reader, self.table = name, config, reader, table
        self.units = face.units(table.columns) if table is not None else {}
        if table is not None and not self.units:
            raise UgclError(
                f"encoders.{name}.units: {table.config.path} has no column such as AU04_r or AU28_c; correct"
                " the path, or set units null"
            )
        self.dim, self.layers, self.rate = reader.dim, reader.layers, reader.rate
        self.reads = config.reads
        self.stored = getattr(reader, "stored", np.float16)
        own = {"reader": reader.settings, "units": table.settings if table is not None else None}
        self.settings: dict[str, Any] = config.model_dump(mode="json") | own

    def encode(self, clip: Clip) -> np.ndarray:
        """What the reader gives of the clip's description.

        Raises:
            MediaError: the clip lacks one of the parts, or cannot be decoded.
        """
        return self.reader.encode(replace(clip, transcript=self.describe(clip)))

    def describe(self, clip: Clip) -> str:
        """The clip in words, the transcript last, since a reader may cut a long text.

        Raises:
            MediaError: the clip lacks one of the parts, or cannot be decoded.
        """
        parts = []
        if self.table is not None:
            parts.append(face.in_words(self.table.encode(clip).mean(axis=0), self.units))
        if self.config.voice:
            parts.append(voice.in_words(voice.prosody(clip.sound())))
        if self.config.words:
            parts.append(f"The words are: {clip.words()}")
        return " ".join(parts)
