"""A file arrives whole and right, or not at all, whatever the server does."""

from __future__ import annotations

import logging
import random
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.unit.data.fetching.http_server import POINTER, Server, serve
from tests.unit.data.fetching.made_corpus import digest
from ugcl.data.fetching.download import Client, download
from ugcl.data.fetching.transfer import Progress
from ugcl.errors import UgclError

BIG = random.Random(1).randbytes(3_500_000)  # more than three blocks


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_a_file_arrives_with_its_hash_and_nothing_else_stays(
    server: Server, client: Client, tmp_path: Path
) -> None:
    server.files["a/b.bin"] = BIG
    goal = tmp_path / "deep/er/b.bin"
    assert download(client, [server.url("a/b.bin")], goal, size=len(BIG)) == digest(BIG)
    assert goal.read_bytes() == BIG
    assert names(goal.parent) == ["b.bin"]


@pytest.mark.parametrize("proven", [True, False])
def test_dropped_connections_are_resumed_where_they_broke(
    server: Server, client: Client, tmp_path: Path, proven: bool
) -> None:
    server.files["b"] = BIG
    server.etags["b"] = '"one"'
    server.faults["b"] = [("drop", 1_200_000), ("drop", 10), ("drop", 900_000)]
    known = {"sha256": digest(BIG)} if proven else {}
    download(client, [server.url("b")], tmp_path / "b", **known)
    assert (tmp_path / "b").read_bytes() == BIG
    asked = server.asked("b")
    assert len(asked) == 4
    assert asked[0] == ""
    starts = [int(span.removeprefix("bytes=").removesuffix("-")) for span in asked[1:]]
    assert starts == sorted(starts)
    assert starts[-1] > 0
    assert server.sent["b"] <= 2 * len(BIG)  # not everything anew after each break


def test_a_link_that_breaks_all_the_time_gets_there_while_it_moves(server: Server, tmp_path: Path) -> None:
    server.files["b"] = BIG
    server.forever["b"] = ("drop", 200_000)  # less than a block
    download(Client(1, 5, 0), [server.url("b")], tmp_path / "b", sha256=digest(BIG))
    assert (tmp_path / "b").read_bytes() == BIG
    assert len(server.asked("b")) == 18
    assert server.sent["b"] == len(BIG)


@settings(max_examples=20, deadline=None)
@given(
    breaks=st.lists(st.integers(1, 60_000), max_size=6), ranges=st.booleans(), size=st.integers(0, 100_000)
)
def test_any_sequence_of_breaks_gives_the_same_bytes(
    tmp_path_factory: pytest.TempPathFactory, breaks: list[int], ranges: bool, size: int
) -> None:
    data = random.Random(size).randbytes(size)
    with serve() as server:
        server.files["x"] = data
        server.ranges = ranges
        server.faults["x"] = [("drop", count) for count in breaks]
        goal = tmp_path_factory.mktemp("x") / "x"
        client = Client(retries=10, timeout=5, pause=0)
        assert download(client, [server.url("x")], goal, sha256=digest(data), size=size) == digest(data)
        assert goal.read_bytes() == data


def test_a_later_run_resumes_from_the_partial_file(server: Server, client: Client, tmp_path: Path) -> None:
    server.files["b"] = BIG
    (tmp_path / "b.partial").write_bytes(BIG[:2_000_000])
    download(client, [server.url("b")], tmp_path / "b", sha256=digest(BIG))
    assert server.asked("b") == ["bytes=2000000-"]
    assert server.sent["b"] == len(BIG) - 2_000_000
    assert (tmp_path / "b").read_bytes() == BIG


def test_a_partial_file_that_is_complete_costs_no_byte(
    server: Server, client: Client, tmp_path: Path
) -> None:
    server.files["b"] = BIG
    (tmp_path / "b.partial").write_bytes(BIG)
    download(client, [server.url("b")], tmp_path / "b", sha256=digest(BIG))
    assert server.sent["b"] == 0
    assert (tmp_path / "b").read_bytes() == BIG


def test_a_partial_file_of_something_else_is_started_over(
    server: Server, client: Client, tmp_path: Path
) -> None:
    server.files["b"] = BIG
    (tmp_path / "b.partial").write_bytes(b"x" * 1000)
    assert download(client, [server.url("b")], tmp_path / "b", sha256=digest(BIG)) == digest(BIG)
    assert server.asked("b") == ["bytes=1000-", ""]


def test_without_a_hash_a_changed_file_is_not_glued_to_the_old_one(
    server: Server, client: Client, tmp_path: Path
) -> None:
    server.files["b"] = BIG
    server.etags["b"] = '"one"'
    server.forever["b"] = ("drop", 1_500_000)
    with pytest.raises(UgclError, match="not fetched"):
        download(Client(0, 5, 0), [server.url("b")], tmp_path / "b")
    assert (tmp_path / "b.partial").stat().st_size > 0
    del server.forever["b"]
    server.files["b"], server.etags["b"] = BIG[::-1], '"two"'
    assert download(client, [server.url("b")], tmp_path / "b") == digest(BIG[::-1])
    assert names(tmp_path) == ["b"]


def test_a_server_that_truncates_is_not_believed(server: Server, client: Client, tmp_path: Path) -> None:
    server.files["b"] = BIG
    server.faults["b"] = [("short", 1_000_000)]
    download(client, [server.url("b")], tmp_path / "b", size=len(BIG))
    assert (tmp_path / "b").read_bytes() == BIG
    server.forever["b"] = ("short", 0)
    with pytest.raises(UgclError, match=r"ended after 0 of 3500000 bytes"):
        download(client, [server.url("b")], tmp_path / "c", size=len(BIG))
    assert not (tmp_path / "c").exists()


def test_mirrors_are_tried_in_order(server: Server, client: Client, tmp_path: Path) -> None:
    server.files |= {"two": b"wrong", "three": POINTER, "four": b"right", "five": b"right"}
    urls = [server.url(name) for name in ("one", "two", "three", "four", "five")]
    download(client, urls, tmp_path / "x", sha256=digest(b"right"))
    assert (tmp_path / "x").read_bytes() == b"right"
    assert [path for path, _ in server.requests] == ["one", "two", "three", "four"]


def test_every_mirrors_reason_is_in_the_one_line(server: Server, client: Client, tmp_path: Path) -> None:
    server.files |= {"two": b"wrong", "three": POINTER}
    server.forever["four"] = 403
    urls = [server.url(name) for name in ("one", "two", "three", "four")]
    with pytest.raises(UgclError) as caught:
        download(client, urls, tmp_path / "x", sha256=digest(b"right"))
    line = str(caught.value)
    assert "\n" not in line
    for words in ("HTTP 404", "sha256", "Git-LFS pointer", "HTTP 403", "data.mirror", "run it again"):
        assert words in line
    assert names(tmp_path) == []  # nothing that a later run could take for the file


def test_a_pointer_is_no_media_even_without_a_hash(server: Server, client: Client, tmp_path: Path) -> None:
    server.files["a.wav"] = POINTER
    with pytest.raises(UgclError, match="Git-LFS pointer in place of the file"):
        download(client, [server.url("a.wav")], tmp_path / "a.wav")
    assert not (tmp_path / "a.wav").exists()


def test_a_busy_server_is_asked_again(server: Server, client: Client, tmp_path: Path) -> None:
    server.files["x"] = b"data"
    server.faults["x"] = [503, 429, 500]
    download(client, [server.url("x")], tmp_path / "x")
    assert (tmp_path / "x").read_bytes() == b"data"
    server.forever["x"] = 503
    with pytest.raises(UgclError, match="HTTP 503"):
        download(client, [server.url("x")], tmp_path / "y")


def test_an_unreachable_server_is_one_line(client: Client, tmp_path: Path) -> None:
    with pytest.raises(UgclError, match=r"127\.0\.0\.1:9.*refused") as caught:
        download(client, ["http://127.0.0.1:9/x"], tmp_path / "x")
    assert "\n" not in str(caught.value)


def test_a_silent_server_counts_as_a_break(tmp_path: Path) -> None:
    import socket

    with socket.create_server(("127.0.0.1", 0)) as listener:  # takes connections, never answers
        port = listener.getsockname()[1]
        with pytest.raises(UgclError, match="timed out"):
            download(Client(1, 0.2, 0), [f"http://127.0.0.1:{port}/x"], tmp_path / "x")


def test_progress_counts_what_is_there_and_what_moves(
    server: Server, client: Client, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    server.files["b"] = BIG
    (tmp_path / "b.partial").write_bytes(BIG[:1_000_000])
    with Progress("title", len(BIG)) as progress:
        download(client, [server.url("b")], tmp_path / "b", sha256=digest(BIG), advance=progress.advance)
    assert (progress.done, progress.moved) == (len(BIG), 2_500_000)
    assert "title: 2.5 MB in" in caplog.text


def test_a_log_line_has_rate_and_time_left() -> None:
    progress = Progress("crema_d", 3_000_000_000)
    progress.advance(600_000_000, False)
    progress.advance(600_000_000)
    assert progress.line(60.0) == "crema_d: 1.2 GB of 3.0 GB, 10.0 MB/s, 3 min left"
