"""Parameters of a corpus of one's own and a benchmark on it, to be changed by whoever knows the clips."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

import yaml

from ugcl.config.base import NAMES
from ugcl.config.system.overrides import SECTIONS
from ugcl.data.initial.table import LABEL, Start
from ugcl.errors import UgclError

ENCODERS = {"audio": "logmel", "video": "hog", "text": "ngrams"}
"""Modality → an encoder that needs no weights."""

SYSTEMS = {"audio": ["audio-only"], "video": ["video-only"], "text": ["text-only"]}
TOGETHER = ["ugcl", "concat"]
COPIED = ("data", "faces", "extraction", *SECTIONS, "evaluate", "report")
"""Sections that are taken from the project's parameters as they are."""

PLACEHOLDERS = ["angry", "happy", "neutral", "sad"]
MOST, FEWEST = 5, 3
"""Folds."""

TEXT = """\
# Corpus and benchmark `{name}`, written by `ugcl init`. This is a whole tree of parameters, as params.yaml
# and params/ are together; every command and Snakemake read it after
#   export UGCL_PARAMS={file}
# workflow/schemas/params.schema.json describes every key.

active: [{name}]          # benchmarks that `snakemake all` runs

corpora:
  {name}:
    adapter: folder
    root: {root}
    table: {table}
    shards: 4             # parts that are computed at the same time
    protocols:
      main:
        label: {label}    # column of the table
        classes: {classes}  {classes_note}
{scheme}

benchmarks:
  {name}:
    corpus: {name}
    protocol: main
    features: {features}{more}
    systems: {systems}
    reference: {reference}
    planned: {planned}    # to be compared with the reference
    seeds: [0]            # more seeds show what training adds to the uncertainty

# Copied from the project's parameters. Other encoders and systems: params/encoders.yaml, params/systems.yaml.
"""


BLOCKS = """\
        # Blocks of speakers with nearly equal numbers of clips of each class: fold k tests block k, the next
        # one is dev, the others train. At least {fewest}, and no more than the speakers of the rarest class.
        folds: {{scheme: stratified, folds: {folds}}}"""
SESSIONS = """\
        # Fold k tests the k-th session, the next one is dev, the others train: no dialogue is divided.
        folds: {{scheme: groups, column: session, test: {sessions}}}"""


def parameters(base: Mapping[str, Any], name: str, folder: str, table: str, file: str, start: Start) -> str:
    """A commented file of parameters, a whole tree.

    Args:
        base: the project's parameters, not validated.
        name: of the corpus and the benchmark.
        folder: the corpus's root.
        table: name of its table of clips.
        file: name of the file of parameters.
        start: what is known of the clips.

    Raises:
        UgclError: the name is taken or not a name, or the project lacks an encoder or a system.
    """
    if not re.fullmatch(r"[A-Za-z0-9][\w.+-]*", name):
        raise UgclError(f"--name: {name!r} is not a name; {NAMES}")
    for section in ("corpora", "benchmarks"):
        if name in base.get(section, {}):
            raise UgclError(f"--name: {name!r} is in {section} of the parameters already; choose another")
    modalities = _modalities(start)
    systems = [*(TOGETHER if len(modalities) > 1 else []), *(s for m in modalities for s in SYSTEMS[m])]
    if "text" in modalities and "dialogue" in start.clips:
        systems.insert(systems.index("text-only"), "text-context")
    found = sorted(set(start.label.values))
    is_known = start.label.found and len(found) > 1
    classes, note = (
        (found, "# those of the table") if is_known else (PLACEHOLDERS, "# WRITE those of the table")
    )
    head = TEXT.format(
        name=name,
        file=file,
        root=_line(folder),
        table=_line(table),
        label=LABEL,
        classes=_line(classes),
        classes_note=note,
        scheme=_scheme(start),
        more=_more(start, modalities),
        features=_line({kind: ENCODERS[kind] for kind in modalities}),
        systems=_line(systems),
        reference=systems[0],
        planned=_line(systems[1:]),
    )
    tree = {"encoders": {ENCODERS[kind]: _taken(base, "encoders", ENCODERS[kind]) for kind in modalities}}
    tree |= {"systems": _with_parents(base, systems)}
    tree |= {key: base[key] for key in COPIED if key in base}
    return head + yaml.safe_dump(tree, sort_keys=False, default_flow_style=None, width=100)


def _modalities(start: Start) -> list[str]:
    """What some clip has, in the order of ENCODERS."""
    words = start.clips.get("transcript")
    held = {"audio": start.has_sound, "video": (start.clips["video"] != "").any()}
    held["text"] = words is not None and (words != "").any()
    return [kind for kind in ENCODERS if held[kind]]


def _more(start: Start, modalities: list[str]) -> str:
    """Lines of a benchmark that reads words beside media: what systems read, and turns without media."""
    if modalities[-1:] != ["text"] or len(modalities) == 1:
        return ""
    line = f"\n    overrides: {{input: {{modalities: {_line(modalities)}}}}}"
    lacks = any((start.clips[kind] == "").any() for kind in ("audio", "video", "transcript"))
    return line + ("\n    absent: keep          # a clip without media has its words" if lacks else "")


def _scheme(start: Start) -> str:
    """Folds by session where dialogues have them: a speaker's block would divide dialogues."""
    sessions = sorted(set(start.clips.get("session", ())))
    if "dialogue" in start.clips and len(sessions) >= FEWEST and all(sessions):
        return SESSIONS.format(sessions=_line(sessions))
    return BLOCKS.format(fewest=FEWEST, folds=_folds(start))


def _folds(start: Start) -> int:
    """As many folds as every class has speakers, from three to five; five where that is not known."""
    if not (start.speaker.found and start.label.found):
        return MOST
    rarest = start.clips.groupby(LABEL)["speaker"].nunique().min()
    return int(min(MOST, max(FEWEST, rarest)))


def _line(value: Any) -> str:
    """A value as YAML on one line."""
    return (
        yaml.safe_dump(value, default_flow_style=True, sort_keys=False, width=10_000)
        .removesuffix("...\n")
        .strip()
    )


def _taken(base: Mapping[str, Any], section: str, name: str) -> Any:
    if name not in base.get(section, {}):
        raise UgclError(f"{section}: the project's parameters have no {name!r}; use them as they came")
    return base[section][name]


def _with_parents(base: Mapping[str, Any], systems: list[str]) -> dict[str, Any]:
    """The entries of systems, and of what they extend."""
    found: dict[str, Any] = {}
    waiting = [*systems]
    for name in waiting:
        found[name] = _taken(base, "systems", name)
        if (parent := found[name].get("extends")) and parent not in waiting:
            waiting.append(parent)
    return found
