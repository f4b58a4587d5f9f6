"""Annotation files as tiers of segments: TextGrid of Praat, and EAF of ELAN."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ElementTree
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path
from urllib.parse import unquote

from ugcl.data.splits.leaks import listed
from ugcl.errors import UgclError

TEXTGRID, ELAN = ".textgrid", ".eaf"
TOKEN = re.compile(
    r'"(?P<text>(?:[^"]|"")*)"|(?P<comment>![^\n]*)|<\w+>|(?<!\S)[-+]?[\d.]+(?:[eE][-+]?\d+)?(?!\S)'
)
UNITS = "milliseconds"  # of the times in an EAF file
INSTANT = 1e-6  # seconds; programs write times with different numbers of digits


@dataclass(frozen=True)
class Segment:
    """A part of a recording with a text; `start` and `end` in seconds, None where the file has no time."""

    start: float | None
    end: float | None
    text: str


@dataclass(frozen=True)
class Tier:
    """Segments in the order of the file, and who speaks in them, where the file says it."""

    segments: Sequence[Segment]
    speaker: str = ""


@dataclass(frozen=True)
class Annotation:
    """One annotation file.

    Attributes:
        path: the file.
        tiers: name → tier; tiers of points are left out.
        media: files that it links, as it writes them.
    """

    path: Path
    tiers: Mapping[str, Tier]
    media: Sequence[str] = field(default_factory=list)

    def tier(self, name: str) -> Tier:
        """The tier of a name, checked: its segments follow one another.

        Raises:
            UgclError: the file lacks the tier, or a segment has no time, no length, or overlaps another one.
        """
        if name not in self.tiers:
            found = listed([repr(known) for known in self.tiers]) or "none"
            raise UgclError(
                f"{self.path}: no tier {name!r} with intervals (it has {found}); fix the tier's name"
            )
        where = f"{self.path}: tier {name!r}"
        for segment in self.tiers[name].segments:
            if segment.start is None or segment.end is None:
                raise UgclError(f"{where}: {segment.text!r} has no time; align it in ELAN")
            if not 0 <= segment.start < segment.end:
                times = f"{segment.start:.3f} to {segment.end:.3f} s"
                raise UgclError(f"{where}: {segment.text!r} goes from {times}; fix its times")
        return self.tiers[name]

    def clips(self, name: str) -> Tier:
        """The same of the tier whose segments are clips, which must not overlap; in the order of time.

        Raises:
            UgclError: as of :meth:`tier`, or two segments overlap.
        """
        tier = self.tier(name)
        order = sorted(tier.segments, key=lambda segment: (segment.start, segment.end))
        for first, second in pairwise(order):
            # `tier` has refused a segment without a time.
            if second.start < first.end - INSTANT:  # pyright: ignore[reportOptionalOperand]
                raise UgclError(
                    f"{self.path}: tier {name!r}: {first.text!r} ends at {first.end:.3f} s, after"
                    f" {second.text!r} begins at {second.start:.3f} s; clips must not overlap"
                )
        return Tier(order, tier.speaker)


def read(path: Path) -> Annotation:
    """Read an annotation file; segments without text are left out.

    Raises:
        UgclError: the ending is unknown, or the file is not of its kind.
    """
    readers = {TEXTGRID: _textgrid, ELAN: _elan}
    reader = readers.get(path.suffix.lower())
    if reader is None:
        raise UgclError(f"{path}: not an annotation file; give .TextGrid or .eaf files")
    try:
        return reader(path)
    except UgclError:
        raise
    except Exception as error:  # what a broken file raises is of many kinds
        reason = " ".join(f"{type(error).__name__} {error}".split())
        raise UgclError(
            f"{path}: cannot be read as {path.suffix} ({reason}); save it again in its program"
        ) from None


def _textgrid(path: Path) -> Annotation:
    """A TextGrid in a text format, long or short (Praat's manual, "TextGrid file formats").

    What counts in such a file are its free-standing numbers, its texts in quotes and its flags, in their
    order. praatio is not used here: it reads a time below zero without its sign.
    """
    content = path.read_bytes()
    if content.startswith(b"ooBinaryFile"):
        raise UgclError(f"{path}: a binary TextGrid; save it as a text file in Praat")
    text = content.decode("utf-16" if content[:2] in (b"\xff\xfe", b"\xfe\xff") else "utf-8-sig")
    found = [match for match in TOKEN.finditer(text) if match["comment"] is None]
    tokens = iter(match[0] if match["text"] is None else match["text"].replace('""', '"') for match in found)
    kind, content_kind = next(tokens, ""), next(tokens, "")
    if not kind.startswith("ooTextFile") or content_kind != "TextGrid":
        raise UgclError(f"{path}: a file of Praat, but not a TextGrid; save it again in Praat")
    try:
        return Annotation(path, _intervals(path, tokens))
    except StopIteration:
        raise UgclError(f"{path}: the file ends before its last tier does; copy it again") from None


def _intervals(path: Path, tokens: Iterator[str]) -> dict[str, Tier]:
    """Tiers of intervals.

    Raises:
        StopIteration: the file ends too early.
        UgclError: two tiers have one name.
    """
    _, _, _, count = [next(tokens) for _ in range(4)]
    tiers: dict[str, Tier] = {}
    for _ in range(int(count)):
        kind, name, _, _, size = [next(tokens) for _ in range(5)]
        width = 3 if kind == "IntervalTier" else 2
        rows = [[next(tokens) for _ in range(width)] for _ in range(int(size))]
        if kind != "IntervalTier":
            continue
        if name in tiers:
            raise UgclError(f"{path}: two tiers are called {name!r}; rename one")
        segments = [Segment(float(start), float(end), _plain(label)) for start, end, label in rows]
        tiers[name] = Tier([segment for segment in segments if segment.text])
    return tiers


def _plain(text: str) -> str:
    return " ".join(text.split())


def _elan(path: Path) -> Annotation:
    """An EAF file (ELAN, formats 2.6 to 3.0); an annotation that refers to another one has its times.

    pympi, which writes such files here, does not read them: it leaves the units of times and the place of the
    media's beginning to its caller, and refuses a file that names no schema.
    """
    root = ElementTree.parse(path).getroot()
    if root.tag != "ANNOTATION_DOCUMENT":
        raise UgclError(f"{path}: the file is XML, but not of ELAN; save it again in ELAN")
    units = {header.get("TIME_UNITS", UNITS) for header in root.iter("HEADER")} - {UNITS}
    if units:
        raise UgclError(
            f"{path}: times in {listed(sorted(units))}, not in {UNITS}; save it again in a new ELAN"
        )
    media = [dict(one.attrib) for one in root.iter("MEDIA_DESCRIPTOR")]
    late = [one for one in media if int(one.get("TIME_ORIGIN") or 0) != 0]
    if late:
        raise UgclError(
            f"{path}: {late[0].get('MEDIA_URL')} begins {late[0]['TIME_ORIGIN']} ms into its recording"
            " (TIME_ORIGIN); cut the file there and link the cut one, or unlink it in ELAN"
        )
    slots = {slot.attrib["TIME_SLOT_ID"]: slot.get("TIME_VALUE") for slot in root.iter("TIME_SLOT")}
    times = {slot: None if value is None else int(value) / 1000 for slot, value in slots.items()}
    spans: dict[str, tuple[float | None, float | None]] = {}
    parents: dict[str, str] = {}
    for one in root.iter("ALIGNABLE_ANNOTATION"):
        spans[one.attrib["ANNOTATION_ID"]] = (
            times[one.attrib["TIME_SLOT_REF1"]],
            times[one.attrib["TIME_SLOT_REF2"]],
        )
    for one in root.iter("REF_ANNOTATION"):
        parents[one.attrib["ANNOTATION_ID"]] = one.attrib["ANNOTATION_REF"]

    def span(name: str) -> tuple[float | None, float | None]:
        above = name
        for _ in parents:  # a chain has at most this many links
            if above not in parents:
                break
            above = parents[above]
        if above not in spans:
            raise UgclError(f"{path}: annotation {name!r} refers to none with times; save it again in ELAN")
        return spans[above]

    tiers = {}
    for tier in root.iter("TIER"):
        found = []
        for one in (child for annotation in tier.iter("ANNOTATION") for child in annotation):
            text = " ".join((one.findtext("ANNOTATION_VALUE") or "").split())
            if text:
                found.append(Segment(*span(one.attrib["ANNOTATION_ID"]), text))
        tiers[tier.attrib["TIER_ID"]] = Tier(found, (tier.get("PARTICIPANT") or "").strip())
    links = [one.get(key) for one in media for key in ("RELATIVE_MEDIA_URL", "MEDIA_URL")]
    return Annotation(path, tiers, [unquote(link).removeprefix("file://") for link in links if link])
