"""A journal holds every item that was added, and nothing else, wherever its writer was stopped."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ugcl.data.journal import Journal

ITEMS = [("a", {"n": 1}, b"first"), ("é", {"shape": [2, 3]}, b""), ("c", {}, bytes(range(200)))]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "made" / "j"


def fill(path: Path, purpose: str = "p") -> list[int]:
    """Write all items; the size of the file after each."""
    sizes = []
    with Journal(path, purpose) as journal:
        sizes.append(path.stat().st_size)
        for name, facts, content in ITEMS:
            journal.add(name, facts, content)
            sizes.append(path.stat().st_size)
    return sizes


def held(path: Path, purpose: str = "p") -> list[tuple[str, dict, bytes]]:
    with Journal(path, purpose) as journal:
        return [(name, facts, journal.content(name)) for name, facts in journal.facts.items()]


def test_what_was_added_is_there_at_once_and_afterwards(path: Path) -> None:
    with Journal(path, "p") as journal:
        journal.add(*ITEMS[0])
        assert "a" in journal and "c" not in journal and journal.content("a") == b"first"
        assert held(path) == ITEMS[:1]  # as another process sees it
        journal.add(*ITEMS[2])
        assert journal.content("a") == b"first" and journal.content("c") == bytes(range(200))
    assert held(path) == [ITEMS[0], ITEMS[2]]


def test_cut_at_any_byte_it_keeps_the_whole_items_and_goes_on(path: Path) -> None:
    sizes = fill(path)
    whole = path.read_bytes()
    for cut in range(len(whole) + 1):
        path.write_bytes(whole[:cut])
        count = sum(size <= cut for size in sizes[1:])
        assert held(path) == ITEMS[:count]
        with Journal(path, "p") as journal:
            for item in ITEMS[count:]:
                journal.add(*item)
        assert path.read_bytes() == whole


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(at=st.integers(0, 10_000), bit=st.integers(0, 7))
def test_an_item_that_was_changed_is_dropped_with_all_behind_it(path: Path, at: int, bit: int) -> None:
    path.unlink(missing_ok=True)
    sizes = fill(path)
    content = bytearray(path.read_bytes())
    at %= len(content)
    content[at] ^= 1 << bit
    path.write_bytes(content)
    assert held(path) == ITEMS[: max(0, sum(size <= at for size in sizes) - 1)]


def test_another_purpose_begins_anew(path: Path) -> None:
    fill(path, "old")
    assert held(path, "new") == []
    assert held(path, "old") == []


def test_a_discarded_journal_is_gone(path: Path) -> None:
    fill(path)
    with Journal(path, "p") as journal:
        journal.discard()
    assert not path.exists()
