"""A file of weights is found here, in the mirror or at an address, and is the one meant."""

from __future__ import annotations

import hashlib
import threading
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from ugcl import config as parameters
from ugcl.errors import UgclError
from ugcl.features.networks.weight_file import weight_file

CONTENT = b"weights" * 1000
DIGEST = hashlib.sha256(CONTENT).hexdigest()
HEADER = "corpus,version,kind,url,path,sha256,bytes,files,licence,note\n"


class Quiet(SimpleHTTPRequestHandler):
    def log_message(self, *_):
        pass


@pytest.fixture
def server(tmp_path):
    """A folder behind an HTTP address of this machine."""
    folder = tmp_path / "server"
    folder.mkdir()
    (folder / "net.pth").write_bytes(CONTENT)
    found = ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=str(folder)))
    thread = threading.Thread(target=found.serve_forever, daemon=True)
    thread.start()
    yield folder, f"http://127.0.0.1:{found.server_port}"
    found.shutdown()
    found.server_close()


@pytest.fixture
def config(tmp_path, monkeypatch, request):
    """The project's own parameters in a folder with an empty registry."""
    found = parameters.load(request.config.rootpath / "params.yaml")
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("UGCL_MIRROR", raising=False)
    Path(found.data.sources).parent.mkdir(parents=True)
    Path(found.data.sources).write_text(HEADER)
    return found


def register(config, url: str, sha256: str = "") -> None:
    row = f"models,1,primary,{url},net.pth,{sha256},,1,free,\n"
    Path(config.data.sources).write_text(HEADER + row)


def test_a_local_file_comes_first_then_the_mirror(config, tmp_path, monkeypatch):
    (tmp_path / "mirror/models").mkdir(parents=True)
    (tmp_path / "mirror/models/net.pth").write_bytes(CONTENT)
    monkeypatch.setenv("UGCL_MIRROR", str(tmp_path / "mirror"))
    found = weight_file(config, "e", "models/net.pth")
    assert (found.path, found.sha256) == (tmp_path / "mirror/models/net.pth", DIGEST)
    (tmp_path / "models").mkdir()
    (tmp_path / "models/net.pth").write_bytes(b"mine")
    assert weight_file(config, "e", "models/net.pth").sha256 == hashlib.sha256(b"mine").hexdigest()


def test_a_registered_address_is_downloaded_once(config, server):
    folder, url = server
    register(config, f"{url}/net.pth", DIGEST)
    found = weight_file(config, "e", "models/net.pth")
    assert found.path.read_bytes() == CONTENT
    assert found.path.as_posix() == "data/raw/models/net.pth"
    (folder / "net.pth").unlink()
    assert weight_file(config, "e", "models/net.pth") == found


def test_an_unpublished_hash_is_trusted_on_first_use_and_held_to(config, server):
    folder, url = server
    register(config, f"{url}/net.pth")
    found = weight_file(config, "e", "models/net.pth")
    assert found.sha256 == DIGEST
    found.path.unlink()
    (folder / "net.pth").write_bytes(b"something else")
    with pytest.raises(UgclError, match=f"instead of {DIGEST[:12]}"):
        weight_file(config, "e", "models/net.pth")


@pytest.mark.parametrize("where", ["parameters", "registry"])
def test_a_file_that_is_not_the_one_meant_is_refused(config, tmp_path, where):
    (tmp_path / "models").mkdir()
    (tmp_path / "models/net.pth").write_bytes(b"changed")
    if where == "registry":
        register(config, "http://127.0.0.1:9/net.pth", DIGEST)
    with pytest.raises(UgclError, match=f"instead of {DIGEST[:12]}"):
        weight_file(config, "e", "models/net.pth", DIGEST if where == "parameters" else "")


def test_nowhere_is_told_with_what_to_do(config):
    with pytest.raises(UgclError, match=r"encoders\.e\.weights: 'net\.pth' is not a file here"):
        weight_file(config, "e", "net.pth")
