"""The server of `ugcl app`: what it refuses, what it keeps, and how it ends."""

from __future__ import annotations

import asyncio
import json
import re
import signal
import socket
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from tests.fixtures.served import Served, served
from ugcl import load
from ugcl.app import serve
from ugcl.app.guard import POLICY, Guard
from ugcl.errors import UgclError

pytestmark = pytest.mark.xdist_group("app")


@pytest.fixture
def client(app: Served) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=app.address, timeout=120) as one:
        yield one


@pytest.mark.parametrize("route", ["/gradio_api/file=", "/file=", "/static/", "/assets/"])
def test_no_file_of_the_server_is_read_by_its_path(
    client: httpx.Client, tiny_folder: Path, route: str
) -> None:
    """The working folder is the project's: its parameters are a relative path away."""
    parameters = (tiny_folder / "params.yaml").read_text()
    up = "../" * 12
    for path in (
        "/etc/passwd",
        "params.yaml",
        f"{tiny_folder}/params.yaml",
        f"{up}etc/passwd",
        "file:///etc/passwd",
    ):
        for spelled in (
            path,
            path.replace("/", "%2f"),
            path.replace("..", "%2e%2e"),
            path.replace("/", "%252f"),
        ):
            answer = client.get(route + spelled)
            assert answer.status_code in (403, 404), route + spelled
            assert "root:" not in answer.text and parameters[:40] not in answer.text


def asked(client: httpx.Client, data: list[object], session: str) -> str:
    """What a request for a prediction gave, as text; "" where it was refused."""
    sent = {"data": data, "fn_index": 0, "session_hash": session}
    answer = client.post("/gradio_api/queue/join", json=sent)
    if answer.status_code != 200:
        assert answer.status_code == 403
        return ""
    with client.stream("GET", "/gradio_api/queue/data", params={"session_hash": session}) as stream:
        lines = [line for line in stream.iter_lines() if line.startswith("data:")]
    return "\n".join(lines)


def test_a_request_gets_no_file_that_was_not_uploaded(client: httpx.Client, app: Served) -> None:
    """Whatever part of the request names it; the browser never sends such a request."""
    kinds = client.get("/config").json()["dependencies"][0]["inputs"]
    for position in range(len(kinds)):
        file = {"path": "/etc/passwd", "meta": {"_type": "gradio.FileData"}}
        data: list[object] = [None] * len(kinds)
        data[position] = [file] if position == 1 else file
        found = asked(client, data, f"named{position}")
        assert "root:x:0" not in found, found
        assert '"success":false' in found or position == 0, "the first is the state, which no request sets"
    kept = [path for folder in app.folders() for path in folder.rglob("passwd")]
    assert kept == [], "no copy of it is left where it could be read later"


FILE = {"data": [{"path": " HTTPS://other.example/x.wav", "meta": {"_type": "gradio.FileData"}}]}


def through_guard(method: str, path: str, body: bytes = b"", kind: str = "") -> tuple[int, list[bytes]]:
    """The status of a request to a guarded application that takes everything, and what reached it."""
    reached = []

    async def anything(scope, receive, send) -> None:
        message = await receive()
        reached.append(message["body"])
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b"taken"})

    async def ask() -> httpx.Response:
        transport = httpx.ASGITransport(Guard(anything))
        async with httpx.AsyncClient(transport=transport, base_url="http://app") as asking:
            headers = {"content-type": kind} if kind else {}
            return await asking.request(method, path, content=body, headers=headers)

    answer = asyncio.run(ask())
    assert answer.headers["content-security-policy"] == POLICY
    return answer.status_code, reached


@pytest.mark.parametrize(
    "path",
    [
        "/gradio_api/file=https://other.example/x",
        "/gradio_api/file=HTTP%3A%2F%2Fother.example/x",
        "/gradio_api/file/https://other.example/x",
        "/file/http:/other.example/x",
        "/gradio_api/proxy=other.example/x",
    ],
)
def test_an_address_that_names_another_host_does_not_reach_gradio(path: str) -> None:
    assert through_guard("GET", path) == (403, [])
    assert through_guard("HEAD", path) == (403, [])


@pytest.mark.parametrize(
    "kind", ["application/json", "application/a+json", "text/plain", "", "multipart/form-data; boundary=x"]
)
def test_a_body_that_names_another_host_does_not_reach_gradio(kind: str) -> None:
    path = "/gradio_api/queue/join"
    assert through_guard("POST", path, json.dumps(FILE).encode(), kind) == (403, [])
    assert through_guard("POST", path, b"[" * 100_000, kind) == (403, [])
    assert through_guard("POST", path, b" " * (2**20 + 1), kind) == (403, [])
    plain = json.dumps({"data": ["https://is.text.here"]}).encode()
    assert through_guard("POST", path, plain, kind) == (200, [plain])


def test_uploaded_files_pass_the_guard_whole() -> None:
    body, kind = b"x" * (2**20 + 1), "multipart/form-data; boundary=x"
    assert through_guard("POST", "/gradio_api/upload", body, kind) == (200, [body])
    assert through_guard("POST", "/gradio_api/upload", body, "application/json") == (403, [])
    assert through_guard("GET", "/gradio_api/file=/tmp/x.wav") == (200, [b""])


def test_nothing_is_fetched_from_other_hosts(client: httpx.Client) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        address = f"http://127.0.0.1:{other.getsockname()[1]}/x.wav"
        file = {"path": f" {address}", "meta": {"_type": "gradio.FileData"}}
        assert asked(client, [None, [file], None, None, ""], "fetch") == ""
        other.settimeout(0.5)
        with pytest.raises(TimeoutError):
            other.accept()


def test_the_page_and_its_parts_name_no_other_host_to_load_from(client: httpx.Client) -> None:
    answer = client.get("/")
    loaded = re.findall(
        r"<(?:script|link|img|iframe)[^>]*(?:src|href)=[\"'](?:https?:)?//[^\"']*", answer.text
    )
    assert loaded == []
    assert answer.headers["content-security-policy"] == POLICY
    assert "http" not in POLICY and answer.headers["x-content-type-options"] == "nosniff"
    styles = client.get("/theme.css").text
    assert re.findall(r"@import|url\([\"']?(?:https?:)?//", styles) == []


def test_a_file_above_the_limit_is_refused(client: httpx.Client) -> None:
    large = client.post("/gradio_api/upload", files={"files": ("x.wav", b"0" * 2_000_001)})
    assert large.status_code == 413 and "2000000 bytes" in large.text
    fits = client.post("/gradio_api/upload", files={"files": ("../../x.wav", b"0" * 1_999_000)})
    assert fits.status_code == 200
    assert re.search(r"/ugcl-app-[^/]+/[0-9a-f]{64}/x\.wav$", fits.json()[0])


def test_only_its_user_can_read_the_folder_of_uploads(app: Served) -> None:
    (folder,) = app.folders()
    assert folder.stat().st_mode & 0o077 == 0


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_it_and_removes_all_files(
    tiny_folder: Path, tmp_path: Path, number: signal.Signals
) -> None:
    """While a prediction runs and a page is open."""
    with served(tiny_folder, tmp_path / "scratch", "tiny/ugcl") as running:
        with httpx.Client(base_url=running.address, timeout=120) as client:
            sound = (tiny_folder / "clips/AudioWAV/1001_KEY_ANG_XX.wav").read_bytes()
            (path,) = client.post("/gradio_api/upload", files={"files": ("a.wav", sound)}).json()
            file = {"path": path, "meta": {"_type": "gradio.FileData"}}
            data = {"data": [None, [file], None, None, ""], "fn_index": 0, "session_hash": "s"}
            assert client.post("/gradio_api/queue/join", json=data).status_code == 200
            with client.stream("GET", "/gradio_api/queue/data", params={"session_hash": "s"}) as stream:
                next(line for line in stream.iter_lines() if "process_starts" in line)
                assert len(running.folders()) == 1
                start = time.monotonic()
                running.process.send_signal(number)
                out, err = running.process.communicate(timeout=60)
        assert running.process.returncode == 0 and "Traceback" not in err, err
        assert "removed" in out and running.folders() == []
        assert time.monotonic() - start < 30


def test_a_port_that_is_taken_is_one_line(tiny_folder: Path) -> None:
    model = load("tiny/audio-only", project=tiny_folder)
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        with pytest.raises(UgclError, match=rf"port {port}: .*in use; choose another with --port") as fault:
            serve.serve(model, "127.0.0.1", port, serve.Limits())
    assert "\n" not in str(fault.value)


def test_without_the_extra_the_command_says_how_to_install_it(ugcl, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None if name == "gradio" else object())
    result = ugcl("app", "tiny/ugcl", code=1)
    assert result.error == (
        "gradio: not installed; the browser app needs the extra `app`; install it with:"
        " pip install -e '.[app]'"
    )


@pytest.mark.parametrize(("host", "warned"), [("127.0.0.1", False), ("0.0.0.0", True), ("localhost", False)])
def test_another_host_is_warned_of(
    ugcl, tiny_folder: Path, monkeypatch: pytest.MonkeyPatch, host: str, warned: bool
) -> None:
    calls = []
    monkeypatch.setattr(serve, "serve", lambda model, *rest: calls.append((model.name, *rest[:2])))
    result = ugcl("app", "--project", str(tiny_folder), "--host", host, "--port", "0")
    assert calls == [("tiny/ugcl", host, 0)], "without a name it is the reference of the first benchmark"
    assert ("without a password" in result.output) is warned


def test_a_request_in_json_is_bounded(client: httpx.Client) -> None:
    body = json.dumps({"data": ["x" * 2**20], "fn_index": 0, "session_hash": "big"})
    answer = client.post("/gradio_api/queue/join", content=body, headers={"content-type": "application/json"})
    assert answer.status_code == 403
