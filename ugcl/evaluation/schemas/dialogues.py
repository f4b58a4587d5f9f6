"""The columns of the tables about dialogues, which are empty where a corpus has none."""

from __future__ import annotations

from ugcl.evaluation.schemas.schema import Columns

DIALOGUES = Columns("intervals units dialogues turns longest speakers recurring", text="intervals")
TURNS = Columns(
    "attribute group metric value ci_low ci_high without gain gain_low gain_high kept clips dialogues",
    text="attribute group metric without",
)
SHIFTS = Columns("group label predicted count", text="group label predicted")
