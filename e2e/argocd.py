"""Argo CD as processes on loopback, with the settings, accounts and rights that the repository gives it."""

from __future__ import annotations

import json
import os
import re
import shutil
from typing import TYPE_CHECKING

import yaml

from dify_gitops.toolchain import tool
from e2e.modules import module
from e2e.processes import free_port, listens
from e2e.rendering import build
from e2e.waiting import wait

if TYPE_CHECKING:
    from pathlib import Path

    from e2e.control_plane import ControlPlane
    from e2e.kubectl import Object
    from e2e.processes import Run, Server

NAMESPACE = "argocd"
BOOTSTRAP = "dify-gitops.dev/bootstrap"
REFRESH = "argocd.argoproj.io/refresh"
REPO_SERVER = "argocd-repo-server"  # the only one that has no business with Kubernetes
ACCOUNT = f"system:serviceaccount:{NAMESPACE}:{{}}"
CONTROLLER_NAME = "argocd-application-controller"
CONTROLLER = ACCOUNT.format(CONTROLLER_NAME)  # who it is in the audit log
WORKLOADS = ("Deployment", "StatefulSet", "Service", "NetworkPolicy")  # programs are processes here, not pods
# Folders that the programs want, by the variable that names each.
PLACES = {
    "ARGOCD_TLS_DATA_PATH": "tls",
    "ARGOCD_SSH_DATA_PATH": "ssh",
    "ARGOCD_GNUPGHOME": "gpg",
    "ARGOCD_GPG_DATA_PATH": "gpg-source",
    "ARGOCD_PLUGINSOCKFILEPATH": "plugins",
    "TMPDIR": "tmp",
}
START_SECONDS = 60
SYNC_SECONDS = 180


def upstream(work: Path, environment: str, scratch: Path) -> list[Object]:
    """Build bootstrap/<env>/argocd in the folder `scratch`, with the manifests of the module instead of GitHub's."""
    local = scratch / "upstream"
    shutil.copytree(module("argocd") / "manifests", local / "manifests")
    kustomization = work / "bootstrap" / environment / "argocd" / "kustomization.yaml"
    document = yaml.safe_load(kustomization.read_text(encoding="utf-8"))
    (source,) = document["resources"]
    document["resources"] = [re.sub(r"^.*//|\?ref=.*$", "", source)]
    (local / "kustomization.yaml").write_text(yaml.safe_dump(document), encoding="utf-8")
    return build(local)


class ArgoCD:
    """Installs Argo CD in the order of bootstrap/<env>, down to the root Application, and runs its programs.

    `folder` is argocd/<env> of a published repository, `work` the repository as a person has it.
    Each program is its Kubernetes service account and has the environment that its container would have; addresses
    of the others, here on loopback, are flags, and flags come before the environment.
    """

    def __init__(self, run_: Run, plane: ControlPlane, work: Path, folder: Path) -> None:
        self._run, self._plane = run_, plane
        self._home = plane.folder / "argocd"
        for name in ("bin", *PLACES.values()):
            (self._home / name).mkdir(parents=True)
        self._upstream = upstream(work, folder.name, self._home)
        self._settings = build(folder)
        self.redis, self.repo_server, self.metrics, self.port = (free_port() for _ in range(4))
        self.servers: dict[str, Server] = {}
        self._install()
        self._start()

    def _install(self) -> None:
        kubectl = self._plane.kubectl
        kubectl.apply(one for one in self._settings if one["kind"] == "Namespace")
        kubectl.apply(one for one in self._upstream if one["kind"] not in WORKLOADS)
        kubectl("wait", "--for=condition=Established", "--timeout=60s", "crd/applications.argoproj.io")
        kubectl("create", "secret", "generic", "argocd-redis", f"--namespace={NAMESPACE}", "--from-literal=auth=")
        kubectl.apply(one for one in self._settings if BOOTSTRAP in one["metadata"].get("labels", {}))

    def _start(self) -> None:
        options = ["--bind", "127.0.0.1", "--save", "", "--appendonly", "no", "--dir", str(self._home)]
        name = f"{self._plane.name}-redis"
        self.servers["redis"] = self._run.server(name, ["redis-server", "--port", str(self.redis), *options])
        # Upstream's image has this program; without signatures to verify there is nothing to do for it.
        wrapper = self._home / "bin" / "git-verify-wrapper.sh"
        wrapper.write_text("#!/bin/sh\nexit 0\n", encoding="utf-8")
        wrapper.chmod(0o755)
        at_repo_server = f"127.0.0.1:{self.repo_server}"
        self._program(
            "argocd-repo-server",
            "--address=127.0.0.1",
            f"--port={self.repo_server}",
            "--metrics-address=127.0.0.1",
            f"--metrics-port={free_port()}",
            "--disable-tls",
            "--client-ca-path=",
        )
        wait(f"{name}: repo-server", lambda: None if listens(self.repo_server) else at_repo_server, START_SECONDS)
        self._program(
            CONTROLLER_NAME,
            f"--repo-server={at_repo_server}",
            "--repo-server-plaintext",
            "--persist-resource-health",  # where tests and reports find it; else it is in Redis only
            f"--metrics-port={self.metrics}",  # on all interfaces: that address is fixed in the program
        )

    def serve(self) -> str:
        """Start argocd-server without a login and return its address, `127.0.0.1:port`."""
        self._program(
            "argocd-server",
            "--address=127.0.0.1",
            f"--port={self.port}",
            "--metrics-address=127.0.0.1",
            f"--metrics-port={free_port()}",
            f"--repo-server=127.0.0.1:{self.repo_server}",
            "--repo-server-plaintext",
            "--disable-auth",
            "--insecure",
        )
        wait("argocd-server", lambda: None if listens(self.port) else self.port, START_SECONDS)
        return f"127.0.0.1:{self.port}"

    def _program(self, name: str, *options: str) -> None:
        command: list[str | Path] = [tool("argocd"), f"--redis=127.0.0.1:{self.redis}", *options]
        environment = {
            **self._container_environment(name),
            "ARGOCD_BINARY_NAME": name,
            "ARGOCD_FAKE_IN_CLUSTER": "true",  # the cluster of the kubeconfig is the one that Applications name
            "ARGOCD_GPG_ENABLED": "false",
            "KUBECONFIG": str(self._plane.kubeconfig(ACCOUNT.format(name), NAMESPACE)) if name != REPO_SERVER else "",
            "PATH": f"{self._home / 'bin'}:{tool('kustomize').parent}:{os.environ['PATH']}",
            "HOME": str(self._home),
            "GIT_CONFIG_NOSYSTEM": "1",
            **{variable: str(self._home / place) for variable, place in PLACES.items()},
        }
        self.servers[name] = self._run.server(f"{self._plane.name}-{name}", command, environment)

    def _container_environment(self, name: str) -> dict[str, str]:
        """Return what the kubelet would set: plain values, and those of our ConfigMaps."""
        (workload,) = (
            one for one in self._upstream if one["kind"] in WORKLOADS[:2] and one["metadata"]["name"] == name
        )
        maps = {
            one["metadata"]["name"]: one.get("data", {})
            for one in (*self._upstream, *self._settings)
            if one["kind"] == "ConfigMap"
        }
        found = {}
        for variable in workload["spec"]["template"]["spec"]["containers"][0]["env"]:
            reference = variable.get("valueFrom", {}).get("configMapKeyRef")
            value = maps.get(reference["name"], {}).get(reference["key"]) if reference else variable.get("value")
            if value is not None:
                found[variable["name"]] = value
        return found

    def check(self) -> None:
        """Raise ToolError when one of its programs has ended."""
        for server in self.servers.values():
            server.check()

    def refresh(self) -> None:
        """Have all Applications look at Git now, as a webhook does."""
        note = f"{REFRESH}=normal"
        self._plane.kubectl("annotate", "applications", "--all", f"--namespace={NAMESPACE}", "--overwrite", note)

    def sync(self, *names: str, prune: bool = False) -> None:
        """Sync Applications once more, as a person does who presses the button, and wait for their success."""
        begun = {name: self._operation(name)["startedAt"] for name in names}
        sync = {"syncOptions": ["ServerSideApply=true"], "prune": prune}
        patch = {"operation": {"initiatedBy": {"username": "person"}, "sync": sync}}
        options = [f"--namespace={NAMESPACE}", "--type=merge", f"--patch={json.dumps(patch)}"]
        self._plane.kubectl("patch", "applications", *names, *options)

        def missing() -> list[str]:
            now = {name: self._operation(name) for name in names}
            fresh = [name for name in names if now[name]["startedAt"] != begun[name]]
            done = [name for name in fresh if now[name]["phase"] == "Succeeded"]
            return [f"{name}: {now[name].get('message', '')}" for name in names if name not in done]

        wait(f"{self._plane.name}: synced once more", missing, SYNC_SECONDS)

    def _operation(self, name: str) -> Object:
        state: Object = self.application(name)["status"]["operationState"]
        return state

    def log(self) -> str:
        """Return what the application controller has logged so far."""
        return self.servers[CONTROLLER_NAME].log.read_text(encoding="utf-8", errors="replace")

    def application(self, name: str) -> Object:
        """Return an Application as it is now."""
        return self._plane.kubectl.get("application", name, NAMESPACE)
