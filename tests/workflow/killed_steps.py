"""Take the commands of all stages one by one, kill them again and again, and compare what they leave.

    python killed_steps.py WHOLE KILLED SEED KILLS

WHOLE and KILLED are copies of one project in which nothing has run. In WHOLE every step is left alone, which
also measures it; in KILLED steps are killed and begun again, until each has come to its end. Prints a JSON
object: the moments, and what was wrong.

The moments are drawn from a generator with the seed. Each step gets one, and the others go to steps in
proportion to the time that they took. By turns a moment is a share of that time, uniform in 0 to 1, or lies
at most LATE seconds after the n-th time that the step opens a file for writing, renames or removes one, n
uniform in 1 to the number of them: such operations take too little time for a clock to hit. A step that ends
before its moment is begun again, over what it has made, with another moment.
"""

from __future__ import annotations

import json
import os
import random
import signal
import sys
import time
from dataclasses import dataclass
from pathlib import Path

from ugcl.threads import set_threads

set_threads(1)

import pandas as pd  # noqa: E402
import torch  # noqa: E402, F401

from ugcl.cli.main import app  # noqa: E402
from ugcl.evaluation.networks import cost, robustness, tokens  # noqa: E402, F401
from ugcl.evaluation.tables import benchmark, summary  # noqa: E402, F401
from ugcl.features import extract  # noqa: E402, F401
from ugcl.reports.figures import draw  # noqa: E402, F401
from ugcl.training import run  # noqa: E402, F401

SHARDS = ("1", "2")
FOLDS = [word for fold in "123" for word in ("--fold", fold)]
STEPS = [
    ["data", "manifest", "tiny"],
    *(["data", "split", "tiny", "three", fold] for fold in "123"),
    *(["features", "faces", "tiny", shard] for shard in SHARDS),
    *(["features", "encode", "tiny", name, shard] for name in ("logmel", "hog") for shard in SHARDS),
    *(["features", "index", "tiny", name] for name in ("logmel", "hog")),
    ["features", "quarantine", "tiny"],
    *(["train", "tiny", name, *FOLDS] for name in ("ugcl", "audio-only")),
    *(["evaluate", "predict", "tiny", name] for name in ("ugcl", "audio-only")),
    *(["evaluate", name, "tiny"] for name in ("perturb", "robustness", "tokens", "cost", "score", "tables")),
    ["evaluate", "summary"],
    *(["report", name] for name in ("figures", "tables", "cards", "site")),
]
TREES = ("data", "results")
TIMED = (
    *("cost.csv", "cost.svg", "cost.png", "08_cost.html", "workflow.html", "results/provenance.jsonl"),
    "report.zip",  # has some of these
)
"""Files of measured times."""
LATE = 0.002
WRITING = os.O_WRONLY | os.O_RDWR | os.O_CREAT


@dataclass
class Taken:
    """What a step that was left alone took: seconds and file operations."""

    seconds: float
    events: int


def begin(step: list[str], last: int | None = None, late: float = 0.0) -> tuple[int, int]:
    """Begin a step in a process of its own.

    Args:
        last: the file operation with which its end comes.
        late: seconds from its beginning to the end.

    Returns:
        Number of the process, and a pipe in which it writes how many file operations it saw.
    """
    reading, writing = os.pipe()
    number = os.fork()
    if number:
        os.close(writing)
        return number, reading
    code = 1
    try:
        for stream in (1, 2):
            os.dup2(os.open("steps.log", os.O_WRONLY | os.O_CREAT | os.O_APPEND), stream)
        events = watch(last, late)
        app(step, standalone_mode=False)
        os.write(writing, str(events[0]).encode())
        code = 0
    except BaseException:
        sys.excepthook(*sys.exc_info())
    finally:
        os._exit(code)


def watch(last: int | None, late: float) -> list[int]:
    """Count file operations of this process in the project's trees; kill it at the last one, or soon after.

    A timer's signal without a handler ends a process as SIGKILL does, wherever it is.
    """
    seen = [0]
    signal.signal(signal.SIGALRM, signal.SIG_DFL)

    def hook(event: str, arguments: tuple) -> None:
        if event == "open":
            path, _, flags = arguments
            if not isinstance(path, str) or not flags & WRITING:
                return
        elif event in ("os.rename", "os.remove", "os.mkdir"):
            path = str(arguments[0])
        else:
            return
        if os.path.relpath(path).startswith(TREES):
            seen[0] += 1
            if seen[0] == last:
                signal.setitimer(signal.ITIMER_REAL, max(late, 1e-6))

    sys.addaudithook(hook)
    return seen


def end(step: list[str]) -> Taken:
    """Take a step to its end."""
    start = time.monotonic()
    number, pipe = begin(step)
    code = os.waitstatus_to_exitcode(os.waitpid(number, 0)[1])
    events = os.read(pipe, 20)
    os.close(pipe)
    if code:
        sys.exit(f"{' '.join(step)} ended with {code}:\n{Path('steps.log').read_text()[-3000:]}")
    return Taken(time.monotonic() - start, int(events))


def kill(step: list[str], taken: Taken, by_clock: bool, rng: random.Random) -> str:
    """Kill a step at a random moment; which it was, "" where it had ended before."""
    if by_clock:
        share = rng.random()
        number, pipe = begin(step)
        time.sleep(share * taken.seconds)
        os.kill(number, signal.SIGKILL)
        moment = f"at {share:.3f} of its time"
    else:
        last, late = rng.randint(1, max(1, taken.events)), rng.uniform(0, LATE)
        number, pipe = begin(step, last, late)
        moment = f"{1000 * late:.2f} ms after the beginning of file operation {last} of {taken.events}"
    code = os.waitstatus_to_exitcode(os.waitpid(number, 0)[1])
    os.close(pipe)
    if code > 0:
        sys.exit(f"{' '.join(step)} failed:\n{Path('steps.log').read_text()[-3000:]}")
    return f"{' '.join(step)}: {moment}" if code else ""


def content(root: Path) -> dict[str, str | bytes]:
    """The files of a project's trees, those of times and of the state of killed steps left out."""
    found: dict[str, str | bytes] = {}
    for path in sorted(path for tree in TREES for path in (root / tree).rglob("*") if path.is_file()):
        name = path.relative_to(root).as_posix()
        if name.endswith(TIMED) or path.suffix == ".partial" or path.parent.name == "resume":
            continue
        if path.name == "history.csv":
            found[name] = pd.read_csv(path, dtype=str).drop(columns="seconds").to_csv()
        elif path.name == "card.json":
            card = json.loads(path.read_text())
            del card["seconds"], card["memory_mib"], card["commit"], card["files"]["history.csv"]
            found[name] = json.dumps(card)
        else:
            found[name] = path.read_bytes()
    return found


def main(whole: Path, killed: Path, seed: int, kills: int) -> dict[str, list[str]]:
    """See the text above."""
    os.chdir(whole)
    taken = [end(step) for step in STEPS]
    expected, rng = content(whole), random.Random(seed)
    more = rng.choices(range(len(STEPS)), [each.seconds for each in taken], k=kills - len(STEPS))
    moments, faults, turn = [], [], 0
    os.chdir(killed)
    for place, step in enumerate(STEPS):
        for _ in range(1 + more.count(place)):
            moment = ""
            while not moment:
                turn += 1
                moment = kill(step, taken[place], turn % 2 == 0, rng)
            moments.append(moment)
            for name, present in content(killed).items():
                if present != expected.get(name):
                    faults.append(f"{moment}: left {name} as it never is")
        end(step)
    found = content(killed)
    faults += [f"{name} differs" for name in expected if found.get(name) != expected[name]]
    faults += [f"{name} is left over" for name in found if name not in expected]
    left = [path for tree in TREES for path in Path(tree).rglob("*.partial")]
    return {"moments": moments, "faults": [*faults, *(f"{path} is left over" for path in left)]}


if __name__ == "__main__":
    folders = [Path(word).resolve() for word in sys.argv[1:3]]
    print(json.dumps(main(*folders, *map(int, sys.argv[3:5]))))
