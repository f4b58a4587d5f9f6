"""Names of the demo corpus: the workflow lists every file before anything is made."""

from __future__ import annotations

import subprocess
import sys
from collections import Counter

from ugcl.plan import demo as names


def test_twelve_actors_speak_four_sentences_in_six_emotions() -> None:
    clips = names.clip_names(12)
    assert len(clips) == len(set(clips)) == 12 * 4 * 6
    assert clips == sorted(clips)
    fields = [clip.split("_") for clip in clips]
    assert Counter(field[2] for field in fields) == dict.fromkeys(
        ("ANG", "DIS", "FEA", "HAP", "NEU", "SAD"), 48
    )
    assert {field[0] for field in fields} == {str(actor) for actor in range(1001, 1013)}
    assert {field[3] for field in fields} == {"LO", "MD", "HI", "XX"}


def test_neutral_clips_have_no_level() -> None:
    assert {clip.split("_")[3] for clip in names.clip_names(12) if "_NEU_" in clip} == {"XX"}


def test_media_paths_are_one_video_and_one_sound_a_clip() -> None:
    paths = names.media_paths(1003)
    assert len(paths) == 48
    assert paths[0] == "VideoMP4/1003_BUS_ANG_XX.mp4"
    assert paths[24] == "AudioWAV/1003_BUS_ANG_XX.wav"
    assert all("/1003_" in path for path in paths)


def test_listing_the_files_imports_nothing_heavy() -> None:
    code = (
        "import sys; from ugcl.plan import demo as names; names.clip_names(12);"
        "heavy = {'numpy', 'numba', 'cv2', 'av', 'parselmouth', 'pandas'} & set(sys.modules);"
        "sys.exit(','.join(heavy) or 0)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
