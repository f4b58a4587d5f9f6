"""Make tests/fixtures/tiny: twelve small demo clips, four actors × three emotions × one sentence.

    python workflow/resources/make_tiny_fixture.py [--out tests/fixtures/tiny]

The bytes depend on the versions of Praat, FFmpeg and the compiler, so tests read these files and never
compare them with new ones.
"""

from __future__ import annotations

import argparse
from pathlib import Path

from ugcl.demo.clip import make_actor
from ugcl.plan import demo as names

ACTORS, EMOTIONS, SENTENCE, SEED, SIZE = 4, ("ANG", "HAP", "NEU"), "KEY", 2026, 144


def main() -> None:
    """Read the argument and make the clips."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    default = Path(__file__).parents[2] / "tests" / "fixtures" / "tiny"
    parser.add_argument("--out", type=Path, default=default)
    out = parser.parse_args().out
    for actor in names.actor_ids(ACTORS):
        clips = [clip for clip in names.actor_clips(actor) if clip.split("_")[1] == SENTENCE]
        chosen = [clip for clip in clips if clip.split("_")[2] in EMOTIONS]
        make_actor(actor, out, actors=ACTORS, seed=SEED, size=SIZE, clips=chosen)


if __name__ == "__main__":
    main()
