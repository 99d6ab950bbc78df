"""Level 2: scheduler and controllers run what is written, on nodes as the node pool has them.

The tests of an environment follow each other: at rest, under full load, a zone going away.
"""

from __future__ import annotations

import json
import re
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any, NamedTuple

import pytest

from dify_gitops.toolchain import tool
from e2e.control_plane import ControlPlane
from e2e.crds import crds
from e2e.kubectl import Refused
from e2e.kwok import Kwok
from e2e.metrics import Metrics
from e2e.nodes import NodePools, PoolFullError, claims
from e2e.rendering import build
from e2e.waiting import TooLong, say, wait
from e2e.workloads import explain, unavailable, unready

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from e2e.kubectl import Kubectl, Object
    from e2e.processes import Run, Server
    from e2e.repository import Repository

SECONDS = 120
ZONE = "topology.kubernetes.io/zone"
ENFORCE = "pod-security.kubernetes.io/enforce"
# What is printed for every change of a PodDisruptionBudget.
BUDGET = '{.metadata.namespace}/{.metadata.name} {.status.currentHealthy} {.status.desiredHealthy}{"\\n"}'


class Simulation:
    """A cluster that runs one environment, and the autoscaler of its nodes."""

    def __init__(self, run: Run, repository: Repository, environment: str) -> None:
        self.run = run
        self.name = f"{environment}-level-2"
        self.infra = build(repository.work / "config-connector" / environment)
        self.apps = build(repository.work / "overlays" / environment)
        self.plane = ControlPlane(run, self.name)
        self.kubectl: Kubectl = self.plane.kubectl
        self.plane.controllers()
        objects = [*self.infra, *self.apps]
        self.kubectl.define(crds(objects))
        self.kwok = Kwok(run, self.plane, objects)
        self.metrics = Metrics(run, self.plane)
        self.pools = NodePools(self.kubectl, self.infra)
        self.kubectl.apply(self.infra)
        self.kubectl.apply(self.apps)

    def wait(self, what: str, missing: Callable[[], object], *, without: tuple[str, ...] = ()) -> None:
        """Wait, with new nodes for pods that need them in all zones but `without`.

        Raises TooLong or PoolFullError, with what a person would look up next.
        """

        def look() -> object:
            self.plane.check()
            self.pools.autoscale(without=without)
            return missing()

        try:
            wait(f"{self.name}: {what}", look, SECONDS)
        except (TooLong, PoolFullError) as error:
            raise type(error)(f"{error}\n{explain(self.kubectl)}") from None

    def scalers(self) -> dict[str, Scaler]:
        """Return what each HorizontalPodAutoscaler does, KEDA's included, by the name of its Deployment."""
        return {one["spec"]["scaleTargetRef"]["name"]: _scaler(one) for one in self.kubectl.list("hpa")}

    def bounds(self) -> dict[str, tuple[int, int]]:
        """Return least and most replicas of each autoscaled Deployment, as they are written."""
        kinds = {
            "HorizontalPodAutoscaler": ("minReplicas", "maxReplicas"),
            "ScaledObject": ("minReplicaCount", "maxReplicaCount"),
        }
        return {
            one["spec"]["scaleTargetRef"]["name"]: tuple(one["spec"][key] for key in kinds[one["kind"]])
            for one in self.apps
            if one["kind"] in kinds
        }

    def nodes_in_use(self) -> list[str]:
        """Return the nodes that run a pod, sorted."""
        pods = self.kubectl.list("pods")
        return sorted({pod["spec"]["nodeName"] for pod in pods if pod["status"]["phase"] == "Running"})


class Scaler(NamedTuple):
    """What an autoscaler does: how many replicas there are and shall be; whether it knows the load."""

    current: int
    desired: int
    active: bool


def _scaler(one: Object) -> Scaler:
    status = one.get("status", {})
    active = any(each["type"] == "ScalingActive" and each["status"] == "True" for each in status.get("conditions", ()))
    return Scaler(status.get("currentReplicas", 0), status.get("desiredReplicas", 0), active)


@pytest.fixture(scope="module")
def cluster(run: Run, repository: Repository, environment: str) -> Iterator[Simulation]:
    """Return a cluster to which everything has just been applied."""
    simulation = Simulation(run, repository, environment)
    yield simulation
    simulation.plane.stop()


def test_at_rest_everything_runs_with_least_replicas(cluster: Simulation) -> None:
    cluster.metrics.set(cpu=10, queue=0)
    cluster.wait("operators' objects ready", lambda: unready(cluster.kubectl, [*cluster.infra, *cluster.apps]))
    cluster.wait("all available", lambda: unavailable(cluster.kubectl))
    least = {name: Scaler(low, low, active=True) for name, (low, _) in cluster.bounds().items()}
    cluster.wait("least replicas", lambda: _other(cluster.scalers(), least))
    say(f"{cluster.name}: nodes at rest: {len(cluster.nodes_in_use())} of at most {cluster.pools.maximum}")


def test_under_load_everything_fits_with_most_replicas(cluster: Simulation) -> None:
    cluster.metrics.set(cpu=300, queue=1000)
    most = {name: Scaler(high, high, active=True) for name, (_, high) in cluster.bounds().items()}
    cluster.wait("most replicas", lambda: _other(cluster.scalers(), most))
    cluster.wait("all ready", lambda: unavailable(cluster.kubectl, "ready"))
    say(f"{cluster.name}: nodes under load: {len(cluster.nodes_in_use())} of at most {cluster.pools.maximum}")


def _other(found: dict[str, Scaler], wanted: dict[str, Scaler]) -> dict[str, Any]:
    return {name: found.get(name) for name in found.keys() | wanted.keys() if found.get(name) != wanted.get(name)}


def test_a_zone_can_be_drained(cluster: Simulation) -> None:
    """Evictions break no budget. What has a disk there waits for the zone, all else runs in the others.

    Pods of low priority give way to others at once, while a node is still to come: of that, Kubernetes spares budgets
    only where it can. So budgets of what was preempted do not count.
    """
    zones = [node.rpartition(".")[2] for node in cluster.nodes_in_use()]
    zone = max(sorted(set(zones)), key=zones.count)
    budgets = Budgets(cluster)
    before = len(list(_evictions(cluster.plane)))
    drain = ["drain", f"--selector={ZONE}={zone}", "--delete-emptydir-data", f"--timeout={SECONDS}s"]
    with ThreadPoolExecutor() as beside:
        done = beside.submit(cluster.kubectl, *drain, timeout=SECONDS + 10)
        cluster.wait(f"drain of {zone}", lambda: not done.done() and "evictions", without=(zone,))
        done.result()
    tied = {_workload(pod["metadata"]) for pod in cluster.kubectl.list("pods") if claims(pod)}
    cluster.wait(f"ready without {zone}", lambda: _lacking(cluster.kubectl, tied), without=(zone,))
    codes = list(_evictions(cluster.plane))[before:]
    cluster.kubectl("uncordon", f"--selector={ZONE}={zone}")
    cluster.wait("all available", lambda: unavailable(cluster.kubectl))
    events = json.loads(
        cluster.kubectl("get", "events", "-A", "--field-selector=reason=Preempted", "-o", "json").stdout
    )
    gave_way = {_workload(one["involvedObject"]) for one in events["items"]}
    say(f"{cluster.name}: {codes.count(201)} pods evicted, {codes.count(429)} times refused for a budget")
    say(f"{cluster.name}: waited for the zone: {sorted(tied)}; gave way to others: {sorted(gave_way)}")
    assert codes.count(201) > 0
    assert [line for line in budgets.broken() if line.split()[0] not in gave_way] == []


def _workload(pod: dict[str, Any]) -> str:
    """Return `namespace/name` of what made a pod; its budget has the same."""
    name = re.sub(r"-[a-z0-9]+-[a-z0-9]{5}$|-[0-9]+$", "", pod["name"])
    return f"{pod['namespace']}/{name}"


def _lacking(kubectl: Kubectl, tied: set[str]) -> list[str]:
    return [line for line in unavailable(kubectl, "ready") if line.split()[1] not in tied]


def _evictions(plane: ControlPlane) -> Iterator[int]:
    """Yield the answer to each eviction that was asked for: 201 done, 429 not now."""
    return (one.code for one in plane.writes() if one.subresource == "eviction")


class Budgets:
    """Watches all PodDisruptionBudgets from now on."""

    def __init__(self, cluster: Simulation) -> None:
        count = len(cluster.kubectl.list("pdb"))
        command: list[str | Path] = [
            tool("kubectl"),
            f"--kubeconfig={cluster.kubectl.kubeconfig}",
            "get",
            "pdb",
            "-A",
            "--watch",
        ]
        self._server: Server = cluster.run.server(f"{cluster.name}-budgets", [*command, f"--output=jsonpath={BUDGET}"])
        wait(f"{cluster.name}: watch of budgets", lambda: len(self._lines()) < count and "states", 30)
        self._first = len(self._lines())

    def broken(self) -> list[str]:
        """Return each state in which fewer pods were healthy than the budget asks for, and end the watch."""
        self._server.check()
        self._server.kill()
        lines = self._lines()
        assert len(lines) > self._first, "no budget has changed: the watch saw nothing"
        return [line for line in lines if int(line.split()[1]) < int(line.split()[2])]

    def _lines(self) -> list[str]:
        return self._server.log.read_text(encoding="utf-8").splitlines()


SAFE: dict[str, Any] = {
    "allowPrivilegeEscalation": False,
    "capabilities": {"drop": ["ALL"]},
    "runAsNonRoot": True,
    "seccompProfile": {"type": "RuntimeDefault"},
}
# Pods by what is wrong with them, and the levels that take them.
PODS = {
    "safe": (SAFE, ("restricted", "baseline")),
    "root": ({**SAFE, "runAsNonRoot": False}, ("baseline",)),
    "privileged": ({"privileged": True}, ()),
}


def test_pod_security_refuses_what_the_namespace_forbids(cluster: Simulation) -> None:
    namespaces = [one["metadata"] for one in (*cluster.infra, *cluster.apps) if one["kind"] == "Namespace"]
    levels = {meta["name"]: meta["labels"][ENFORCE] for meta in namespaces}
    assert set(levels.values()) == {"restricted", "baseline"}
    for namespace, level in levels.items():
        for name, (context, taken) in PODS.items():
            assert _takes(cluster.kubectl, namespace, name, context) is (level in taken), f"{name} pod in {namespace}"


def _takes(kubectl: Kubectl, namespace: str, name: str, context: dict[str, Any]) -> bool:
    container = {"name": name, "image": "registry.invalid/none", "securityContext": context}
    pod = {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": f"security-{name}", "namespace": namespace},
        "spec": {"containers": [container]},
    }
    try:
        kubectl.apply([pod], "--dry-run=server")
    except Refused as refused:
        assert "violates PodSecurity" in str(refused)  # noqa: PT017 - other refusals prove nothing
        return False
    return True
