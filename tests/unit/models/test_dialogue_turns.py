"""Places of clips in dialogues: two dialogues of three and two turns, given in mixed order."""

from __future__ import annotations

import torch

from ugcl.models.dialogue.turns import Turns

GROUP = torch.tensor([7, 4, 7, 4, 7])
TURN = torch.tensor([1, 0, 0, 1, 2])
SPEAKER = torch.tensor([0, 3, 1, 3, 1])  # dialogue 7 in order of turns: 1, 0, 1; dialogue 4: 3, 3


def test_clips_go_to_their_rows_and_back():
    turns = Turns(GROUP, TURN, SPEAKER)
    x = torch.tensor([[10.0], [20.0], [30.0], [40.0], [50.0]])
    rows = turns.rows(x)
    assert rows[..., 0].tolist() == [[20.0, 40.0, 0.0], [30.0, 10.0, 50.0]]  # dialogue 4, then 7
    assert turns.mask.tolist() == [[True, True, False], [True, True, True]]
    assert torch.equal(turns.clips(rows), x)


def test_a_turn_sees_its_dialogue_and_in_past_mode_nothing_later():
    whole, past = Turns(GROUP, TURN, SPEAKER), Turns(GROUP, TURN, SPEAKER, past=True)
    assert whole.sees[0].int().tolist() == [[1, 1, 0], [1, 1, 0], [0, 0, 1]]
    assert whole.sees[1].int().tolist() == [[1, 1, 1], [1, 1, 1], [1, 1, 1]]
    assert past.sees[0].int().tolist() == [[1, 0, 0], [1, 1, 0], [0, 0, 1]]
    assert past.sees[1].int().tolist() == [[1, 0, 0], [1, 1, 0], [1, 1, 1]]
    assert whole.same[1].int().tolist() == [[1, 0, 1], [0, 1, 0], [1, 0, 1]]


def test_a_turn_without_the_modality_is_seen_by_itself_alone():
    present = torch.tensor([True, True, False, True, True])  # the first turn of dialogue 7 lacks it
    assert Turns(GROUP, TURN, SPEAKER).seeing(present)[1].int().tolist() == [[1, 1, 1], [0, 1, 1], [0, 1, 1]]


def test_turns_of_a_speaker_are_a_dialogue_of_their_own():
    own = Turns(GROUP, TURN, SPEAKER).of_speakers()
    x = torch.tensor([1.0, 2.0, 3.0, 4.0, 5.0])
    rows = sorted(row[mask].tolist() for row, mask in zip(own.rows(x), own.mask, strict=True))
    assert rows == [[1.0], [2.0, 4.0], [3.0, 5.0]]
