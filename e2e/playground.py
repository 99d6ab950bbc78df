"""`make try` and `make stop`: one environment with its Argo CD, left running for a person who wants to look."""

from __future__ import annotations

import argparse
import fcntl
import os
import shutil
import signal
import subprocess
import sys
import time
from typing import IO

from dify_gitops.errors import Exit, InputError
from dify_gitops.input.load import load_repository
from dify_gitops.process import ToolError
from dify_gitops.toolchain import ROOT, tool
from e2e.cluster import Cluster
from e2e.processes import Run, forget_settings, missing_programs
from e2e.repository import Repository
from e2e.waiting import wait

HOME = ROOT / ".e2e" / "try"
PID = HOME / "pid"  # of the process that serves; it inherits a lock on this file, which ends with it
LOG = HOME / "log"
ABOUT = HOME / "about"
LOOK = 1.0  # seconds between two looks at what runs
STOP_SECONDS = 60

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
    shutil.rmtree(HOME / "logs", ignore_errors=True)  # of the last time
    with Run(HOME / "logs") as run:
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
    HOME.mkdir(parents=True, exist_ok=True)
    with PID.open("a", encoding="utf-8") as lock, LOG.open("a", encoding="utf-8") as log:
        if not _take(lock, fcntl.LOCK_EX):
            there = ABOUT.exists()
            print(ABOUT.read_text(encoding="utf-8") if there else "It is starting already; to end it: make stop")
            return 0
        ABOUT.unlink(missing_ok=True)
        lock.truncate(0)
        log.truncate(0)
        child = subprocess.Popen(
            [sys.executable, "-m", "e2e.playground", "serve", environment],
            cwd=ROOT,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            start_new_session=True,
            pass_fds=[lock.fileno()],
        )
        lock.write(str(child.pid))
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
    # Empty for the moment in which it begins.
    wait("the process that serves", lambda: not PID.read_text(encoding="utf-8") and "its number", STOP_SECONDS)
    os.kill(int(PID.read_text(encoding="utf-8")), signal.SIGTERM)
    wait("the end of all programs", lambda: _running() and "some", STOP_SECONDS)
    return 0


def _running() -> bool:
    """Tell whether somebody serves."""
    if not PID.exists():
        return False
    with PID.open(encoding="utf-8") as lock:
        return not _take(lock, fcntl.LOCK_SH)


def _take(lock: IO[str], how: int) -> bool:
    """Lock a file, until it is closed here and in all who inherit it; False where somebody holds it."""
    try:
        fcntl.flock(lock, how | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def main() -> int:
    """Start, serve or stop."""
    parser = argparse.ArgumentParser(prog="python -m e2e.playground", description=main.__doc__)
    parser.add_argument("verb", choices=("start", "serve", "stop"))
    parser.add_argument("environment", nargs="?", help="the first one when left out")
    arguments = parser.parse_args()
    forget_settings()
    try:
        if arguments.verb == "stop":
            return stop()  # also when the input is wrong by now
        environments = list(load_repository(ROOT).environments)
        environment = arguments.environment or environments[0]
        if environment not in environments:
            parser.error(f"no environment {environment}; there are {', '.join(environments)}")
        missing_programs()
        if arguments.verb == "start":
            return start(environment)
        serve(environment)
    except InputError as error:
        print(*error.problems, sep="\n", file=sys.stderr)
        return Exit.WRONG_INPUT
    except ToolError as error:
        print(error, file=sys.stderr)
        return Exit.FINDINGS
    return Exit.OK


if __name__ == "__main__":
    sys.exit(main())
