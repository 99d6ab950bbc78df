"""`make try` and `make stop`: one environment with its Argo CD, left running for a person who wants to look."""

from __future__ import annotations

import argparse
import fcntl
import os
import signal
import subprocess
import sys
import time

from dify_gitops.input.load import load_repository
from dify_gitops.process import ToolError
from dify_gitops.toolchain import ROOT, tool
from e2e.cluster import Cluster
from e2e.processes import Run, missing_programs
from e2e.repository import Repository

HOME = ROOT / ".e2e" / "try"
PID = HOME / "pid"  # of the process that serves, which holds a lock on it as long as it lives
LOG = HOME / "log"
ABOUT = HOME / "about"
LOOK = 1.0  # seconds between two looks at what runs

TEXT = """\
{environment} is Synced and Healthy. Look at it:

  export KUBECONFIG={kubeconfig}
  {kubectl} get applications --namespace=argocd
  {kubectl} get pods --all-namespaces
  {argocd} app list --server={server} --plaintext
  {argocd} app get argocd/dify --server={server} --plaintext

Logs: {logs}
End it: make stop
"""


def serve(environment: str) -> None:
    """Run the environment until SIGTERM; `ABOUT` is written when there is something to look at."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit())
    with PID.open("a", encoding="utf-8") as lock, Run(HOME / "logs") as run:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        lock.write(str(os.getpid()))
        lock.flush()
        repository = Repository(run.folder / "repository")
        revision = repository.publish("first")
        cluster = Cluster(run, repository, environment)
        cluster.converge(revision)
        about = TEXT.format(
            environment=environment,
            kubeconfig=cluster.plane.kubeconfig("person", "argocd"),
            kubectl=tool("kubectl"),
            argocd=tool("argocd"),
            server=cluster.argocd.serve(),
            logs=run.logs,
        )
        ABOUT.write_text(about, encoding="utf-8")
        while True:
            time.sleep(LOOK)
            cluster.attend()


def start(environment: str) -> int:
    """Start the environment in the background, show its progress, and return when it can be looked at."""
    if _running():
        print(ABOUT.read_text(encoding="utf-8") if ABOUT.exists() else "It is starting already; to end it: make stop")
        return 0
    HOME.mkdir(parents=True, exist_ok=True)
    ABOUT.unlink(missing_ok=True)
    PID.unlink(missing_ok=True)
    with LOG.open("w", encoding="utf-8") as log:
        command = [sys.executable, "-m", "e2e.playground", "serve", environment]
        child = subprocess.Popen(
            command, cwd=ROOT, stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True
        )
    try:
        with LOG.open(encoding="utf-8") as progress:
            while child.poll() is None and not ABOUT.exists():
                sys.stdout.write(progress.read())
                sys.stdout.flush()
                time.sleep(LOOK / 4)
            sys.stdout.write(progress.read())
    except KeyboardInterrupt:
        child.terminate()
        child.wait()
        return 130
    if child.poll() is not None:
        print(f"It did not come up; logs: {HOME / 'logs'}", file=sys.stderr)
        return 1
    print(ABOUT.read_text(encoding="utf-8"))
    return 0


def stop() -> int:
    """End what `start` left running, and return when nothing is left of it."""
    if not _running():
        print("Nothing is running.")
        return 0
    os.kill(int(PID.read_text(encoding="utf-8")), signal.SIGTERM)
    while _running():
        time.sleep(LOOK / 4)
    return 0


def _running() -> bool:
    """Tell whether somebody serves."""
    try:
        with PID.open(encoding="utf-8") as lock:
            fcntl.flock(lock, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except FileNotFoundError:
        return False
    except BlockingIOError:
        return True
    return False


def main() -> int:
    """Start, serve or stop."""
    environments = list(load_repository(ROOT).environments)
    parser = argparse.ArgumentParser(prog="python -m e2e.playground", description=main.__doc__)
    parser.add_argument("verb", choices=("start", "serve", "stop"))
    parser.add_argument("environment", nargs="?", choices=environments, default=environments[0])
    arguments = parser.parse_args()
    try:
        if arguments.verb == "stop":
            return stop()
        missing_programs()
        if arguments.verb == "start":
            return start(arguments.environment)
        serve(arguments.environment)
    except ToolError as error:
        print(error, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
