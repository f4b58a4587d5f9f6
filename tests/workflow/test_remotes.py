"""docs/sharing.md, command by command: through a real SSH server, and an S3 API that moto emulates."""

from __future__ import annotations

import getpass
import hashlib
import os
import re
import shlex
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import psutil
import pytest

from tests.workflow.conftest import Workplace
from tests.workflow.killed_steps import content

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("experiments")]
SECRETS = ("AKIA-of-the-tests", "secret-of-the-tests")
SSHD = shutil.which("sshd", path=os.pathsep.join((os.environ["PATH"], "/usr/sbin")))
SSHD_CONFIGURATION = """\
ListenAddress 127.0.0.1
Port {port}
HostKey {folder}/host
AuthorizedKeysFile {folder}/key.pub
PasswordAuthentication no
KbdInteractiveAuthentication no
UsePAM no
StrictModes no
PidFile none
Subsystem sftp internal-sftp
"""


@dataclass
class Store:
    """A server that keeps what is pushed.

    Attributes:
        section: of docs/sharing.md, with the commands that name it to DVC.
        values: what a user would have in place of the values there.
        names: of what lies in it.
        read: the content of a name.
        start: starts the server.
        keeps: whether its content outlives it.
    """

    section: str
    values: dict[str, str]
    names: Callable[[], list[str]]
    read: Callable[[str], bytes]
    start: Callable[[], subprocess.Popen[bytes]]
    keeps: bool
    server: subprocess.Popen[bytes] | None = None

    def stop(self) -> None:
        """Kill the server with all its sessions."""
        for process in [*psutil.Process(self.server.pid).children(recursive=True), self.server]:
            process.kill()
        self.server.wait()


def free_port() -> int:
    with closing(socket.socket()) as each:
        each.bind(("127.0.0.1", 0))
        return each.getsockname()[1]


def answers(port: int) -> None:
    """Wait until a server on a port takes connections."""
    deadline = time.monotonic() + 60
    while True:
        try:
            socket.create_connection(("127.0.0.1", port)).close()
            return
        except OSError:
            assert time.monotonic() < deadline
            time.sleep(0.1)


@pytest.fixture
def ssh(tmp_path: Path) -> Store:
    pytest.importorskip("dvc_ssh", reason="the extra ssh is not installed")
    if SSHD is None:
        pytest.skip("no sshd (Debian's openssh-server)")
    folder, port = tmp_path / "sshd", free_port()
    folder.mkdir()
    for name in ("host", "key"):
        command = ["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(folder / name)]
        subprocess.run(command, check=True)
    (folder / "config").write_text(SSHD_CONFIGURATION.format(port=port, folder=folder))
    if os.geteuid() == 0:
        Path("/run/sshd").mkdir(exist_ok=True)  # as the system's own service does

    def start() -> subprocess.Popen[bytes]:
        log = (folder / "log").open("ab")
        process = subprocess.Popen([SSHD, "-D", "-e", "-f", str(folder / "config")], stderr=log)
        answers(port)
        return process

    def names() -> list[str]:
        files = [path for path in (folder / "store").rglob("*") if path.is_file() and path.suffix != ".tmp"]
        return [path.relative_to(folder / "store").as_posix() for path in files]

    def read(name: str) -> bytes:
        return (folder / "store" / name).read_bytes()

    values = {
        "ssh://cluster.example.org/srv/ugcl": f"ssh://127.0.0.1:{port}{folder}/store",
        "user me": f"user {getpass.getuser()}",
        "~/.ssh/id_ed25519": str(folder / "key"),
    }
    return Store("SSH", values, names, read, start, keeps=True)


@pytest.fixture
def s3() -> Store:
    pytest.importorskip("dvc_s3", reason="the extra s3 is not installed")
    pytest.importorskip("moto", reason="moto, which emulates S3, is not installed")
    pytest.importorskip("flask_cors", reason="moto's server is not installed")
    import boto3

    port = free_port()
    key, secret = SECRETS

    def client():
        address = f"http://127.0.0.1:{port}"
        return boto3.client(
            "s3", "us-east-1", endpoint_url=address, aws_access_key_id=key, aws_secret_access_key=secret
        )

    def start() -> subprocess.Popen[bytes]:
        command = [sys.executable, "-m", "moto.server", "-H", "127.0.0.1", "-p", str(port)]
        process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        answers(port)
        client().create_bucket(Bucket="tests")
        return process

    def names() -> list[str]:
        pages = client().get_paginator("list_objects_v2").paginate(Bucket="tests")
        return [entry["Key"] for page in pages for entry in page.get("Contents", [])]

    def read(name: str) -> bytes:
        return client().get_object(Bucket="tests", Key=name)["Body"].read()

    values = {
        "s3://bucket/ugcl": "s3://tests/ugcl",
        "https://s3.example.org": f"http://127.0.0.1:{port}",
        "access_key_id ID": f"access_key_id {key}",
        "secret_access_key SECRET": f"secret_access_key {secret}",
    }
    return Store("S3", values, names, read, start, keeps=False)


@pytest.fixture(params=["ssh", "s3"])
def store(request: pytest.FixtureRequest) -> Iterator[Store]:
    found: Store = request.getfixturevalue(request.param)
    found.server = found.start()
    yield found
    found.stop()


def commands(project: Path, section: str, values: dict[str, str]) -> list[list[str]]:
    """The commands of a section of docs/sharing.md, with other values; packages are there already."""
    text = (project / "docs/sharing.md").read_text()
    block = re.search(rf"^## {section}\n.*?```sh\n(.*?)```", text, flags=re.M | re.S)[1]
    for said, own in values.items():
        assert said in block, said
        block = block.replace(said, own)
    found = [shlex.split(line, comments=True) for line in block.splitlines()]
    return [command for command in found if command[0] not in ("pip", "cd")]


def copy_of(workplace: Workplace, root: Path) -> Workplace:
    shutil.copytree(workplace.root, root, symlinks=True)
    copy = Workplace(root)
    copy.run("git", "config", "user.name", "t")
    copy.run("git", "config", "user.email", "t@example.org")
    return copy


def local_settings(project: Path, store: Store) -> list[list[str]]:
    return [command for command in commands(project, store.section, store.values) if "--local" in command]


def test_push_clone_pull_adopt_nothing_to_do(
    project: Path, recorded_once: Workplace, store: Store, tmp_path: Path
) -> None:
    ours = copy_of(recorded_once, tmp_path / "ours")
    for command in commands(project, store.section, store.values):
        ours.run(*command)
    *others, push = commands(project, "Push", {})
    for command in others:
        ours.run(*command)
    before = break_off(ours, push, store)
    ours.run(*push)
    names = store.names()
    assert len(names) > max(100, before)
    for name in names:
        digest = hashlib.md5(store.read(name)).hexdigest()
        assert "".join(name.removesuffix(".dir").split("/")[-2:]) == digest, name

    no_secret_is_committed(ours)
    address = {"https://example.org/ugcl.git": str(ours.root), " ugcl\n": f" {tmp_path}/theirs\n"}
    clone, pull, *rest = commands(project, "Pull", address)
    ours.run(*clone)
    theirs = Workplace(tmp_path / "theirs")
    for command in local_settings(project, store):
        theirs.run(*command)
    pull_parts(project, theirs)
    theirs.run(*pull)
    for command in rest:
        output = theirs.run(*command).stdout
    assert "Nothing to be done" in output
    assert content(theirs.root) == content(ours.root)


def break_off(workplace: Workplace, push: list[str], store: Store) -> int:
    """Begin a push, file by file; in its middle kill the server, or where that loses all it has, DVC.

    Returns:
        How many objects are there.
    """
    command, out = [*push, "--jobs", "1"], workplace.root.parent / "push.log"
    with out.open("wb") as stream:
        process = subprocess.Popen(
            command, cwd=workplace.root, env=workplace.environment, stdout=stream, stderr=stream
        )
    deadline = time.monotonic() + 600
    while len(store.names()) < 15:
        assert process.poll() is None and time.monotonic() < deadline, out.read_text()
        time.sleep(0.01)
    if store.keeps:
        store.stop()
        assert process.wait(600) != 0, out.read_text()
        assert "Traceback" not in out.read_text()
        store.server = store.start()
    else:
        process.kill()
        process.wait()
    return len(store.names())


def no_secret_is_committed(workplace: Workplace) -> None:
    """What `--local` set is in no file that Git has or would take."""
    workplace.run("git", "check-ignore", ".dvc/config.local")
    workplace.run("git", "add", "-A")
    settings = (workplace.root / ".dvc/config.local").read_text()
    secrets = re.findall(r"(?:keyfile|access_key_id|secret_access_key) = (.*)", settings)
    assert secrets
    for secret in secrets:
        workplace.run("git", "grep", "--cached", "-F", secret, code=1)


def pull_parts(project: Path, workplace: Workplace) -> None:
    """The tables alone, then one benchmark's networks as well."""
    tables, networks = commands(project, "Pull a part", {"models/demo": "models/tiny"})
    folder = workplace.root / ".ledger"

    def present() -> set[str]:
        return {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}

    workplace.run(*tables)
    only = present()
    assert "evaluate/files/results/tables/tiny/comparisons.csv" in only
    assert all(name.startswith("evaluate/files/results/tables/") for name in only)
    workplace.run(*networks)
    more = present() - only
    assert len([name for name in more if name.endswith("model.safetensors")]) == 9
    assert all(name.startswith("train/files/results/models/tiny/") for name in more)
    assert "dvc pull" in workplace.run("ugcl", "adopt", code=1).stdout


def test_the_project_s_own_settings_of_dvc_hold_no_remote(project: Path) -> None:
    text = (project / ".dvc/config").read_text()
    assert not re.search("remote|url|user|password|key|secret|token", text)
    assert "/config.local" in (project / ".dvc/.gitignore").read_text().split()
