"""kwok for a control plane: it runs the simulated nodes' pods, and stands in for the controllers that are not here."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from dify_gitops.process import run
from dify_gitops.rendered import read
from dify_gitops.toolchain import ROOT, tool
from e2e import config_connector
from e2e.kubectl import Kubectl
from e2e.modules import module
from e2e.processes import free_port

if TYPE_CHECKING:
    from collections.abc import Collection
    from pathlib import Path

    from e2e.control_plane import ControlPlane
    from e2e.kubectl import Object
    from e2e.processes import Run

USER = "kwok"
STAGES = ROOT / "e2e" / "stages"
DEFINITION = "kustomize/crd/bases/kwok.x-k8s.io_stages.yaml"
PODS_AND_NODES = ("kustomize/stage/pod/fast", "kustomize/stage/node/fast")
# Milliseconds at least and at most; in kwok's own Stages pods start and Jobs end at once.
POD_DELAYS = {"pod-ready": (500, 1500), "pod-complete": (500, 1500)}


class Kwok:
    """kwok with the Stages for `objects`, whose definitions must be established; it acts as the user `kwok`."""

    def __init__(self, run_: Run, plane: ControlPlane, objects: Collection[Object]) -> None:
        self._there = {(one["apiVersion"], one["kind"]) for one in objects}
        self.kubectl = Kubectl(plane.kubeconfig(USER), USER)
        source = module("kwok")
        self.kubectl.define(read((source / DEFINITION).read_text(encoding="utf-8")))
        self.kubectl.apply([*_pods_and_nodes(source), *self._written(), *config_connector.stages(objects)])
        self.server = run_.server(
            f"{plane.name}-kwok",
            [
                tool("kwok"),
                f"--kubeconfig={self.kubectl.kubeconfig}",
                "--manage-all-nodes",
                "--enable-crds=Stage",
                "--node-lease-duration-seconds=40",  # without a heartbeat nodes are given up after 50 s
                f"--server-address=127.0.0.1:{free_port()}",
            ],
        )
        plane.servers.append(self.server)

    def _written(self) -> list[Object]:
        """Read our Stages for kinds that are here: kwok does not come back to one whose kind it did not find."""
        found = [one for file in sorted(STAGES.glob("*.yaml")) for one in read(file.read_text(encoding="utf-8"))]
        return [one for one in found if self._is_here(one["spec"]["resourceRef"])]

    def _is_here(self, ref: dict[str, str]) -> bool:
        return (ref["apiGroup"], ref["kind"]) in self._there

    def fail(self, kind: str, name: str, namespace: str, message: str, reason: str = "UpdateFailed") -> None:
        """Let an object of Config Connector fail, now and at every later change, until it is mended."""
        self.kubectl.apply([self._failure(kind, name, namespace, reason, message)])
        self._look_again(kind, name, namespace)

    def mend(self, kind: str, name: str, namespace: str) -> None:
        """Let an object become ready that `fail` lets fail."""
        stage = self._failure(kind, name, namespace)
        self.kubectl("delete", "stages.kwok.x-k8s.io", stage["metadata"]["name"])
        self._look_again(kind, name, namespace)

    def _failure(self, kind: str, name: str, namespace: str, reason: str = "", message: str = "") -> Object:
        api_version = self._api_version(kind)
        return config_connector.failure(api_version, kind, name, namespace, reason=reason, message=message)

    def _api_version(self, kind: str) -> str:
        """Return the version of a kind of Config Connector: there is more than one `Service`."""
        found = [version for version, one in self._there if one == kind and config_connector.GROUPS in version]
        return str(found[0])

    def _look_again(self, kind: str, name: str, namespace: str) -> None:
        """Kwok looks at objects only when they change; where there is none yet, it will."""
        group = self._api_version(kind).partition("/")[0]
        what = ["-n", namespace, f"{kind.lower()}.{group}", name]
        if self.kubectl("get", *what, "--ignore-not-found", "-o", "name").stdout:
            patch = json.dumps({"status": {"observedGeneration": 0}})
            self.kubectl("patch", *what, "--subresource=status", "--type=merge", "-p", patch)


def _pods_and_nodes(source: Path) -> list[Object]:
    """Return kwok's own Stages, with delays."""
    found = [one for path in PODS_AND_NODES for one in read(run([tool("kustomize"), "build", source / path]).stdout)]
    for one in found:
        if delay := POD_DELAYS.get(one["metadata"]["name"]):
            one["spec"]["delay"] = {"durationMilliseconds": delay[0], "jitterDurationMilliseconds": delay[1]}
    return found
