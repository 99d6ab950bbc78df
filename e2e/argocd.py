"""Argo CD as processes on loopback, with the settings, accounts and rights that the repository gives it."""

from __future__ import annotations

import json
import re
import shutil
import time
from typing import TYPE_CHECKING, Any, NamedTuple

import yaml

from dify_gitops.process import ToolError, run
from dify_gitops.rendered import read
from dify_gitops.toolchain import BUILD_ENV, ROOT, TOOLS, find_go, tool
from e2e.processes import free_port
from e2e.waiting import wait

if TYPE_CHECKING:
    from pathlib import Path

    from e2e.control_plane import ControlPlane
    from e2e.kubectl import Object
    from e2e.processes import Run, Server

NAMESPACE = "argocd"
BOOTSTRAP = "dify-gitops.dev/bootstrap=true"
# Programs run here as processes, not as pods.
WORKLOADS = ("Deployment", "StatefulSet", "Service", "NetworkPolicy")
REDIS_SECRET = "argocd-redis"  # noqa: S105 - a name
START_SECONDS = 60


def module() -> Path:
    """Return the folder of Argo CD's Go module, which holds its manifests; read-only, in Go's own cache."""
    wanted = TOOLS["argocd"]
    go, _ = find_go(ROOT / ".tools", wanted)
    command: list[str | Path] = [go, "mod", "download", "-json", wanted.module]
    return type(ROOT)(json.loads(run(command, cwd=wanted.source, env=BUILD_ENV, timeout=600).stdout)["Dir"])


class Program(NamedTuple):
    """One of Argo CD's programs, and the workload upstream whose container says its environment."""

    name: str
    workload: str
    options: tuple[str, ...]


class ArgoCD:
    """Installs Argo CD as bootstrap/<env> does, and runs its programs; `root` is applied by `start_root`."""

    def __init__(self, run_: Run, plane: ControlPlane, folder: Path) -> None:
        self._run, self._plane = run_, plane
        self._home = plane.folder / "argocd"
        self._home.mkdir()
        environment = folder.name
        work = folder.parents[1]
        self._upstream = self._rendered_upstream(work / "bootstrap" / environment / "argocd")
        self._settings = _build(folder)
        self._install()
        self.redis, self.repo_server, self.metrics, self.port = (free_port() for _ in range(4))
        self.servers: dict[str, Server] = {}
        self._start()

    def _rendered_upstream(self, folder: Path) -> list[Object]:
        """Render bootstrap's kustomization with upstream's manifests from the module instead of GitHub."""
        local = self._home / "upstream"
        shutil.copytree(module() / "manifests", local / "manifests")
        document = yaml.safe_load((folder / "kustomization.yaml").read_text(encoding="utf-8"))
        (source,) = document["resources"]
        document["resources"] = ["manifests/" + re.sub(r"^.*//manifests/|\?ref=.*$", "", source)]
        (local / "kustomization.yaml").write_text(yaml.safe_dump(document), encoding="utf-8")
        return _build(local)

    def _install(self) -> None:
        kubectl = self._plane.kubectl
        first = [one for one in self._settings if one["kind"] == "Namespace"]
        kubectl.apply(first)
        kubectl.apply(one for one in self._upstream if one["kind"] not in WORKLOADS)
        kubectl("wait", "--for=condition=Established", "--timeout=60s", "crd", "applications.argoproj.io")
        kubectl("create", "secret", "generic", REDIS_SECRET, "-n", NAMESPACE, "--from-literal=auth=")
