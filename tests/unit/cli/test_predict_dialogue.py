"""`ugcl predict` with a system that judges a clip from its dialogue."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import numpy as np
import pytest
import torch

from tests.fixtures.trained import untrained
from ugcl import config as configuration
from ugcl.config import Config
from ugcl.data import tables
from ugcl.data.dataset import Batch
from ugcl.data.shards import FeatureStore
from ugcl.errors import UgclError
from ugcl.features.media.clip import Clip
from ugcl.inference import dialogue
from ugcl.plan import paths
from ugcl.training.state.checkpoint import load_run

TURNS = ["1001_KEY_ANG_XX", "1002_KEY_HAP_XX", "1003_KEY_NEU_XX"]


@pytest.fixture
def talks(tiny: Config) -> Path:
    """A folder of three turns, for a system of the tiny project that reads what came before."""
    folder = Path("talk")
    folder.mkdir()
    for turn, name in enumerate(TURNS, start=8):  # by their letters turn10 would come before turn8
        shutil.copy(f"clips/AudioWAV/{name}.wav", folder / f"turn{turn}.wav")
    manifest = tables.read_manifest(paths.manifest("tiny"))
    tables.write(manifest.assign(dialogue=""), paths.manifest("tiny"))
    entry = type(tiny.systems["concat"])(extends="audio-only", input={"context": "past"})
    untrained(tiny.model_copy(update={"systems": tiny.systems | {"in-dialogue": entry}}), "in-dialogue")
    return folder


def predicted(ugcl, *arguments: str) -> dict[str, list[float]]:
    runs = str(paths.MODELS / "tiny" / "in-dialogue")
    rows = json.loads(ugcl("predict", *arguments, "--system", runs, "--json").stdout)["clips"]
    return {row["clip"]: list(row["probabilities"].values()) for row in rows}


def by_hand(speakers: list[int]) -> np.ndarray:
    """The mean of the runs on the stored features of the three clips as one dialogue."""
    found = []
    for folder in sorted((paths.MODELS / "tiny" / "in-dialogue").rglob("fold*")):
        model, card = load_run(folder)
        store = FeatureStore(paths.features("tiny", card.features["audio"].encoder))
        clips = [store[name].float() for name in TURNS]
        x = torch.nn.utils.rnn.pad_sequence(clips, batch_first=True)
        mask = torch.arange(x.shape[1]) < torch.tensor([len(clip) for clip in clips])[:, None]
        batch = Batch({"audio": x}, {"audio": mask}, {"audio": torch.ones(3, dtype=torch.bool)},
                      torch.zeros(3, dtype=torch.long), TURNS, [""] * 3,
                      group=torch.zeros(3, dtype=torch.long), turn=torch.arange(3),
                      speaker=torch.tensor(speakers))  # fmt: skip
        with torch.inference_mode():
            found.append(model.eval()(batch)["logits"].double().softmax(dim=1).numpy())
    return np.mean(found, axis=0)


def test_a_folder_is_a_dialogue_in_the_order_of_its_names(talks: Path, ugcl) -> None:
    found = predicted(ugcl, str(talks))
    turns = np.array([found[name] for name in ("turn8", "turn9", "turn10")])
    assert turns == pytest.approx(by_hand([0, 0, 0]), abs=2e-3)
    alone = predicted(ugcl, str(talks / "turn8.wav"))["turn8"]
    assert alone == pytest.approx(found["turn8"], abs=1e-5), "nothing comes before the first turn"
    last = predicted(ugcl, str(talks / "turn10.wav"))["turn10"]
    assert np.abs(np.array(last) - found["turn10"]).max() > 1e-4, "what came before counts"


def test_a_table_gives_speakers_and_another_order(talks: Path, ugcl) -> None:
    table = Path("turns.csv")
    table.write_text("clip,speaker\nturn8.wav,Ann\nturn9.wav,Bob\nturn10,Ann\n")
    found = predicted(ugcl, str(talks), "--turns", str(table))
    turns = np.array([found[name] for name in ("turn8", "turn9", "turn10")])
    assert turns == pytest.approx(by_hand([0, 1, 0]), abs=2e-3)
    table.write_text("clip,dialogue,turn\nturn8,a,1\nturn9,b,0\nturn10,a,0\n")
    split = predicted(ugcl, str(talks), "--turns", str(table))
    assert np.abs(np.array(split["turn8"]) - found["turn8"]).max() > 1e-4
    assert split["turn10"] == pytest.approx(predicted(ugcl, str(talks / "turn10.wav"))["turn10"], abs=1e-5)


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("name\na\n", "unknown column 'name'"),
        ("dialogue\na\n", "no column 'clip'"),
        ("clip\na\na.wav\n", "no row of clip 'b'"),
        ("clip\na\na\nb\n", "clip 'a' has two rows"),
        ("clip,turn\na,x\nb,1\n", "turn 'x' is not a number"),
        ("clip,turn\na,1\nb,1\n", "clip 'b' has the turn of another clip"),
    ],
)
def test_a_wrong_table_is_refused_in_one_line(tmp_path: Path, text: str, fault: str) -> None:
    (tmp_path / "t.csv").write_text(text)
    clips = [Clip("a", audio=Path("a.wav")), Clip("b", audio=Path("b.wav"))]
    with pytest.raises(UgclError, match=fault) as error:
        dialogue.from_table(clips, tmp_path / "t.csv")
    assert "\n" not in str(error.value)


def test_a_table_brings_transcripts(tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_text("clip,transcript\na,Well I never\nb,\n")
    clips = [Clip("a", audio=Path("x/a.wav")), Clip("b", audio=Path("b.wav"), transcript="kept")]
    found, places = dialogue.from_table(clips, tmp_path / "t.csv")
    assert [clip.transcript for clip in found] == ["Well I never", "kept"]
    assert [(place.dialogue, place.turn) for place in places] == [("t", 0), ("t", 1)]


def test_parameters_of_today_do_not_decide_how_a_trained_system_reads(talks: Path, ugcl) -> None:
    assert configuration.load().input.context == "clip"  # the card says past
    assert len(predicted(ugcl, str(talks))) == 3
