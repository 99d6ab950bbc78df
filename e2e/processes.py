"""Servers of a run: each with a log of its own, none outliving the run."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import IO, TYPE_CHECKING, Self

from dify_gitops.process import ToolError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

LOG_LINES = 15
# Programs that are the machine's own, with the Debian package of each.
NEEDED = {"git": "git", "openssl": "openssl", "redis-server": "redis-server"}


class Server:
    """A program that runs until it is ended; its output goes to `log`, which a restart continues."""

    def __init__(self, run: Run, name: str, command: Sequence[str | Path], env: Mapping[str, str]) -> None:
        self.name = name
        self.log = run.logs / f"{name}.log"
        self._run = run
        self._command = [os.fspath(part) for part in command]
        self._env = {**os.environ, **env}
        self.start()

    def start(self) -> None:
        """Start it, also again after `kill`."""
        with self.log.open("ab") as log:
            self._child = subprocess.Popen(
                self._command,
                env=self._env,
                cwd=self._run.folder,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,  # Ctrl-C is for the run, which ends its servers in its own order
            )
        self._run.tell_reaper(self._child.pid)

    def kill(self) -> None:
        """End it as a crash does, and return when it is gone."""
        try:
            os.killpg(self._child.pid, signal.SIGKILL)
        except ProcessLookupError:
            pass
        self.wait()
        self._run.tell_reaper(-self._child.pid)

    def wait(self) -> None:
        """Return when it has ended."""
        self._child.wait()

    def check(self) -> None:
        """Raise ToolError with the end of its log when it has ended by itself."""
        status = self._child.poll()
        if status is not None:
            tail = "\n".join(self.log.read_text(encoding="utf-8", errors="replace").splitlines()[-LOG_LINES:])
            raise ToolError(f"{self.name} ended with status {status}; the end of {self.log}:\n{tail}")


class Run:
    """A folder of its own and the servers in it: both are gone after the block, or when this process dies.

    Logs stay, in `logs`.
    """

    def __init__(self, logs: Path) -> None:
        self.logs = logs
        self.logs.mkdir(parents=True, exist_ok=True)
        self._servers: list[Server] = []
        self.folder = Path(tempfile.mkdtemp(prefix="dify-gitops-e2e-"))
        reaper = [sys.executable, str(Path(__file__).with_name("reaper.py")), str(self.folder)]
        self._reaper = subprocess.Popen(reaper, stdin=subprocess.PIPE, start_new_session=True)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._pipe.close()
        self._reaper.wait()
        for server in self._servers:
            server.wait()

    @property
    def _pipe(self) -> IO[bytes]:
        assert self._reaper.stdin  # Popen was asked for one
        return self._reaper.stdin

    def tell_reaper(self, group: int) -> None:
        """Have a process group ended with the run, or, of a negative number, not any more."""
        self._pipe.write(b"%d\n" % group)
        self._pipe.flush()

    def server(self, name: str, command: Sequence[str | Path], env: Mapping[str, str] | None = None) -> Server:
        """Start a server; its log is `logs`/<name>.log."""
        server = Server(self, name, command, env or {})
        self._servers.append(server)
        return server


def forget_settings() -> None:
    """Take a person's own Argo CD, clusters and Git out of the environment of this process and all that it starts.

    A hook of Git says where the person's repository is: every git would work there, whatever its folder.
    """
    for name in [name for name in os.environ if name.startswith(("ARGOCD_", "KUBE", "GIT_"))]:
        del os.environ[name]


def missing_programs() -> None:
    """Raise ToolError, with what to do, when a program that is not ours to build is missing."""
    missing = [name for name in NEEDED if shutil.which(name) is None]
    if missing:
        packages = " ".join(NEEDED[name] for name in missing)
        raise ToolError(f"not in PATH: {', '.join(missing)}; on Debian and Ubuntu: apt-get install {packages}")


def free_port() -> int:
    """Return a TCP port of 127.0.0.1 that nobody uses at this moment."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def listens(port: int) -> bool:
    """Tell whether somebody accepts connections on 127.0.0.1:`port`."""
    try:
        socket.create_connection(("127.0.0.1", port), timeout=1).close()
    except OSError:
        return False
    return True
