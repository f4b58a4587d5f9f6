"""A real Slurm of one node on this machine, with configuration, ports and keys of its own.

It keeps no accounting, and its GPUs are such in name only.
"""

from __future__ import annotations

import os
import pwd
import secrets
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path

DAEMONS = ("munged", "slurmctld", "slurmd")
SBIN = os.pathsep.join(("/usr/sbin", "/usr/local/sbin", "/sbin"))
CONFIGURATION = """\
ClusterName=test
SlurmctldHost={host}(127.0.0.1)
SlurmctldPort={ports[0]}
SlurmdPort={ports[1]}
SlurmUser={user}
SlurmdUser={user}
# A job that is put back into the queue waits for as long as a credential is valid.
AuthInfo=socket={folder}/munge.socket,cred_expire=5
StateSaveLocation={folder}/controller
SlurmdSpoolDir={folder}/node
SlurmctldPidFile={folder}/slurmctld.pid
SlurmdPidFile={folder}/slurmd.pid
SlurmctldLogFile={folder}/slurmctld.log
SlurmdLogFile={folder}/slurmd.log
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
SelectType=select/cons_tres
SelectTypeParameters=CR_Core_Memory
GresTypes=gpu
ReturnToService=2
SlurmdParameters=config_overrides
MpiDefault=none
KillWait=5
JobAcctGatherType=jobacct_gather/none
AccountingStorageType=accounting_storage/none
MinJobAge={age}
NodeName={host} NodeAddr=127.0.0.1 CPUs=4 Boards=1 SocketsPerBoard=1 CoresPerSocket=4 ThreadsPerCore=1 \
RealMemory=12000 Gres=gpu:2
PreemptType=preempt/partition_prio
PreemptMode=REQUEUE
PartitionName=cpu Nodes={host} Default=YES MaxTime=24:00:00 State=UP
PartitionName=gpu Nodes={host} MaxTime=24:00:00 State=UP
PartitionName=urgent Nodes={host} MaxTime=24:00:00 State=UP PriorityTier=9
"""


def missing() -> list[str]:
    """The programs that are not installed."""
    wanted = (*DAEMONS, "sbatch", "srun", "squeue", "scontrol", "scancel", "sinfo")
    return [name for name in wanted if _program(name) is None]


@contextmanager
def started(folder: Path, minimum_job_age: int = 86400) -> Iterator[dict[str, str]]:
    """Start the cluster; gives the environment for Slurm's commands; `folder/bin` comes first in PATH.

    Raises:
        RuntimeError: a daemon ended, or the node is not ready in time; with the end of its log.
    """
    folder.mkdir(mode=0o755, parents=True)
    for name in ("bin", "controller", "node"):
        (folder / name).mkdir()
    key = folder / "munge.key"
    key.write_bytes(secrets.token_bytes(128))
    key.chmod(0o600)
    text = CONFIGURATION.format(
        host=socket.gethostname().split(".")[0],
        ports=_free_ports(2),
        user=pwd.getpwuid(os.getuid()).pw_name,
        folder=folder,
        age=minimum_job_age,
    )
    (folder / "slurm.conf").write_text(text)
    (folder / "gres.conf").write_text("Name=gpu File=/dev/null\nName=gpu File=/dev/zero\n")
    (folder / "cgroup.conf").write_text("CgroupAutomount=no\n")
    environment = os.environ | {"SLURM_CONF": str(folder / "slurm.conf")}
    # The plugin's jobs start their step without SLURM_CONF, for they expect the configuration in /etc/slurm.
    srun = folder / "bin/srun"
    srun.write_text(f'#!/bin/sh\nSLURM_CONF={folder}/slurm.conf exec {_program("srun")} "$@"\n')
    srun.chmod(0o755)
    munged = ["--foreground", "--force", f"--key-file={key}", f"--socket={folder}/munge.socket"]
    munged += [f"--{name}-file={folder}/munged.{name}" for name in ("pid", "log", "seed")]
    with ExitStack() as stack:
        stack.enter_context(_daemon("munged", munged, folder, environment))
        _wait((folder / "munge.socket").exists, "munged", folder)
        stack.enter_context(_daemon("slurmctld", ["-D", "-i"], folder, environment))
        stack.enter_context(_daemon("slurmd", ["-D"], folder, environment))

        def idle() -> bool:
            command = ["sinfo", "--noheader", "--format=%T"]
            said = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
            return set(said.stdout.split()) == {"idle"}

        _wait(idle, "slurmd", folder)
        yield environment
        subprocess.run(["scancel", "--me"], env=environment, capture_output=True, check=False, timeout=60)
        _wait(idle, "slurmctld", folder)


def _program(name: str) -> str | None:
    return shutil.which(name, path=os.pathsep.join((os.environ["PATH"], SBIN)))


def _free_ports(count: int) -> list[int]:
    with ExitStack() as stack:
        sockets = [stack.enter_context(closing(socket.socket())) for _ in range(count)]
        for each in sockets:
            each.bind(("127.0.0.1", 0))
        return [each.getsockname()[1] for each in sockets]


@contextmanager
def _daemon(name: str, options: list[str], folder: Path, environment: dict[str, str]) -> Iterator[None]:
    with (folder / f"{name}.out").open("w") as out:
        process = subprocess.Popen([str(_program(name)), *options], env=environment, stdout=out, stderr=out)
    try:
        yield
    finally:
        process.terminate()
        try:
            process.wait(30)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _wait(ready, name: str, folder: Path, seconds: float = 60) -> None:
    deadline = time.monotonic() + seconds
    while not ready():
        if time.monotonic() > deadline:
            logs = [
                path.read_text()[-1500:]
                for path in (folder / f"{name}.log", folder / f"{name}.out")
                if path.exists()
            ]
            raise RuntimeError(f"{name} is not ready after {seconds:.0f} s:\n" + "\n".join(logs))
        time.sleep(0.2)
