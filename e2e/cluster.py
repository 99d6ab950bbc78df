"""One environment's cluster as bootstrap leaves it, with stand-ins for what only Google Cloud has."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

from e2e.argocd import NAMESPACE, ArgoCD
from e2e.control_plane import ControlPlane
from e2e.crds import crds
from e2e.kwok import Kwok
from e2e.metrics import Metrics
from e2e.nodes import NodePools
from e2e.rendering import policies, rendered
from e2e.waiting import wait

if TYPE_CHECKING:
    from e2e.kubectl import Object
    from e2e.processes import Run
    from e2e.repository import Repository

APPLICATIONS = ("root", "infra", "dify")
CONVERGE_SECONDS = 300
UNSEEN = "has not seen the commit"
LOOK_SECONDS = 15.0


class Cluster:
    """A control plane with controllers, simulated nodes and Argo CD, which reads what `repository` published."""

    def __init__(self, run: Run, repository: Repository, environment: str) -> None:
        self.environment = environment
        self.plane = ControlPlane(run, environment)
        self.kubectl = self.plane.kubectl
        self.plane.controllers()
        objects = rendered(repository.work, environment)
        self.kubectl.define(crds(objects))
        self.kubectl.apply(policies(repository.work, environment))
        self.kwok = Kwok(run, self.plane, objects)
        self.metrics = Metrics(run, self.plane)
        self.pools = NodePools(self.kubectl, objects)
        self._looked = 0.0
        self.argocd = ArgoCD(run, self.plane, repository.work, repository.published / "argocd" / environment)

    def look(self) -> None:
        """Have Argo CD look at Git."""
        self._looked = time.monotonic()
        self.argocd.refresh()

    def converge(self, revision: str) -> None:
        """Wait until all Applications have looked at the commit, and are Synced and Healthy. Raises TooLong."""
        self.look()
        wait(f"{self.environment}: Synced and Healthy", lambda: self.unfinished(revision), CONVERGE_SECONDS)

    def attend(self) -> None:
        """Do what the autoscaler of nodes does. Raises ToolError when a program has ended."""
        self.plane.check()
        self.argocd.check()
        self.pools.autoscale()

    def unfinished(self, revision: str) -> list[str]:
        """Say of each Application what is missing before it is at this commit, Synced and Healthy."""
        self.attend()
        there = {one["metadata"]["name"]: one for one in self.kubectl.list("applications", NAMESPACE)}
        lacks = {name: lack for name in APPLICATIONS if (lack := _lack(there.get(name), revision))}
        # Argo CD forgets the wish when it comes while it still looks at an older commit.
        if UNSEEN in lacks.values() and time.monotonic() - self._looked > LOOK_SECONDS:
            self.look()
        return [f"{name}: {lack}" for name, lack in lacks.items()]


def _lack(application: Object | None, revision: str) -> str:
    if application is None:
        return "not there"
    status: dict[str, Any] = application.get("status", {})
    sync, health = status.get("sync", {}), status.get("health", {})
    operation = status.get("operationState", {})
    if operation.get("phase") not in (None, "Succeeded"):
        return f"{operation['phase']}, {operation.get('message', '')}"
    if sync.get("revision") != revision:
        return UNSEEN
    found = [sync.get("status"), health.get("status")]
    return "" if found == ["Synced", "Healthy"] else " and ".join(map(str, found))
