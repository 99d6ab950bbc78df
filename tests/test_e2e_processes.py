"""Whatever ends a run of the proof, its servers end and its folder goes."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from servers import wait_for

from dify_gitops.process import ToolError
from dify_gitops.toolchain import ROOT
from e2e.processes import Run, forget_settings
from e2e.waiting import TooLong, wait

# Says its folder and its server's number, then waits for the end.
RUN = """
import sys, time
from pathlib import Path
from e2e.processes import Run
with Run(Path(sys.argv[1])) as run:
    server = run.server("sleeper", ["sleep", "1000"])
    (run.folder / "data").write_text("x")
    print(run.folder, server._child.pid, flush=True)
    {}
"""


def alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGINT, signal.SIGTERM, None])
def test_nothing_outlives_a_run(tmp_path: Path, how: signal.Signals | None) -> None:
    script = RUN.format("time.sleep(1000)" if how else "pass")
    command = [sys.executable, "-c", script, str(tmp_path / "logs")]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as child:
        assert child.stdout
        folder, pid = child.stdout.readline().split()
        if how:
            assert alive(int(pid))
            assert Path(folder, "data").exists()
            child.send_signal(how)
        child.wait()
    wait_for(lambda: not alive(int(pid)), "the server's end")
    wait_for(lambda: not Path(folder).exists(), "the folder's end")
    assert (tmp_path / "logs/sleeper.log").exists()


def test_a_server_that_ended_is_told_with_its_last_words(tmp_path: Path) -> None:
    with Run(tmp_path) as run:
        server = run.server("short", ["sh", "-c", "echo I cannot bind; exit 7"])
        server.wait()
        with pytest.raises(ToolError, match=r"short ended with status 7; the end of .*short.log:\nI cannot bind"):
            server.check()


def test_a_server_that_was_killed_starts_again_in_the_same_log(tmp_path: Path) -> None:
    with Run(tmp_path) as run:
        server = run.server("twice", ["sh", "-c", "echo here; exec sleep 1000"])
        wait_for(lambda: server.log.read_text() == "here\n", "its first word")
        server.kill()
        server.start()
        wait_for(lambda: server.log.read_text() == "here\nhere\n", "its second word")
        server.check()


def test_the_settings_of_a_person_s_own_cluster_and_repository_are_not_for_servers(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    theirs = {"ARGOCD_OPTS": "--grpc-web", "KUBECONFIG": "/home/me/.kube/config", "GIT_DIR": "/home/me/platform/.git"}
    monkeypatch.setattr(os, "environ", {**os.environ, **theirs})
    forget_settings()
    with Run(tmp_path) as run:
        server = run.server("env", ["env"], {"KUBECACHEDIR": "ours"})
        server.wait()
        said = server.log.read_text().splitlines()
    assert [line for line in said if line.startswith(("ARGOCD", "KUBE", "GIT"))] == ["KUBECACHEDIR=ours"]


def test_waiting_ends_in_time_and_says_what_was_missing() -> None:
    with pytest.raises(TooLong, match=r"the moon: not after 0\.1 s; still missing: \['cheese'\]"):
        wait("the moon", lambda: ["cheese"], 0.1)
    wait("nothing", list, 0.1)
