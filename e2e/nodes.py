"""Simulated nodes as GKE makes them from the pools of config-connector/<env>, and the cluster autoscaler's part."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

from dify_gitops.process import ToolError

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable

    from e2e.kubectl import Kubectl, Object

MI = 1 << 20
GI = 1 << 30
# GiB of memory per vCPU, of the series where that is a rule: https://cloud.google.com/compute/docs/machine-resource
MEMORY = {"highcpu": 1, "standard": 4, "highmem": 8}
# What GKE keeps of a node: https://cloud.google.com/kubernetes-engine/docs/concepts/plan-node-sizes
CPU_RESERVED = ((1, 60), (1, 10), (2, 5), (1000, 2.5))  # so many vCPUs, millicores of each
MEMORY_RESERVED = ((4, 0.25), (4, 0.20), (8, 0.10), (112, 0.06), (100_000, 0.02))  # so many GiB, share of each
EVICTION = 100 * MI
# What DaemonSets of GKE request on every node (Dataplane V2, logs, metrics, metadata server, DNS cache, disk driver):
# an estimate on the high side. They are no pods here.
SYSTEM_CPU = 500  # millicores
SYSTEM_MEMORY = 800 * MI
# Seconds between two looks, until when the scheduler has surely seen a new node; the real autoscaler lets ten pass.
SCAN = 4.0
# GKE taints and labels the nodes of a pool with gVisor, and its RuntimeClass brings pods there.
POOL = "cloud.google.com/gke-nodepool"
GVISOR = {"key": "sandbox.gke.io/runtime", "value": "gvisor", "effect": "NoSchedule"}
RUNTIME_CLASS = {
    "apiVersion": "node.k8s.io/v1",
    "kind": "RuntimeClass",
    "metadata": {"name": "gvisor"},
    "handler": "gvisor",
    "scheduling": {
        "nodeSelector": {GVISOR["key"]: GVISOR["value"]},
        "tolerations": [{**GVISOR, "operator": "Equal"}],
    },
}


class PoolFullError(ToolError):
    """Pods need more nodes than the pools may have."""


class NodePools:
    """The pools as Git has them, at first with the least nodes; `autoscale` adds those that pods wait for."""

    def __init__(self, kubectl: Kubectl, objects: Iterable[Object]) -> None:
        self._kubectl = kubectl
        self._last = 0.0
        by_kind: dict[str, list[Object]] = {}
        for one in objects:
            by_kind.setdefault(one["kind"], []).append(one)
        (cluster,) = by_kind["ContainerCluster"]
        self._pools = [NodePool(kubectl, pool, cluster) for pool in by_kind["ContainerNodePool"]]
        self.maximum = sum(pool.maximum for pool in self._pools)
        kubectl.apply([RUNTIME_CLASS])
        for pool in self._pools:
            for _ in range(pool.minimum):
                pool.add()

    def autoscale(self, *, without: Collection[str] = ()) -> None:
        """Add one node when the scheduler has found no place for a pod, as the cluster autoscaler does.

        Pods with disks are not counted while zones are left out: a disk is in one zone, and no other can help its pod.
        Raises PoolFullError where every pool that a pod may run in has its most nodes.
        """
        if time.monotonic() - self._last < SCAN:
            return
        waiting = [pod for pod in self._kubectl.list("pods") if unschedulable(pod) and not (without and claims(pod))]
        if waiting:
            self._choose(waiting[0]).add(without=without)
        self._last = time.monotonic()

    def _choose(self, pod: Object) -> NodePool:
        name = f"{pod['metadata']['namespace']}/{pod['metadata']['name']}"
        fitting = [pool for pool in self._pools if pool.takes(pod)]
        for pool in fitting:
            if not pool.full():
                return pool
        pools = ", ".join(f"{pool.name} (at most {pool.maximum})" for pool in fitting) or "none"
        raise PoolFullError(f"no node for pod {name}: more nodes are needed than these pools may have: {pools}")


class NodePool:
    """One pool; `add` makes a node of it."""

    def __init__(self, kubectl: Kubectl, pool: Object, cluster: Object) -> None:
        self._kubectl = kubectl
        self._spec: dict[str, Any] = pool["spec"]
        self.name, self._cluster = str(pool["metadata"]["name"]), str(cluster["metadata"]["name"])
        self.minimum = int(self._spec["autoscaling"]["totalMinNodeCount"])
        self.maximum = int(self._spec["autoscaling"]["totalMaxNodeCount"])
        self.zones: list[str] = self._spec.get("nodeLocations") or cluster["spec"]["nodeLocations"]
        config = self._spec["nodeConfig"]
        gvisor = [GVISOR] if config.get("sandboxConfig", {}).get("sandboxType") == "gvisor" else []
        self._labels = {POOL: self.name, **config.get("labels", {}), **{one["key"]: one["value"] for one in gvisor}}
        self._taints = [*map(_taint, config.get("taint", [])), *gvisor]
        self._made = 0

    def takes(self, pod: Object) -> bool:
        """Whether a pod may run on its nodes: their labels are the ones it selects, and it tolerates their taints."""
        selects = pod["spec"].get("nodeSelector", {}).items() <= self._labels.items()
        tolerated = [one.get("key") for one in pod["spec"].get("tolerations", ())]
        return selects and all(taint["key"] in tolerated for taint in self._taints)

    def full(self) -> bool:
        """Whether it has its most nodes."""
        return self._made >= self.maximum

    def add(self, *, without: Collection[str] = ()) -> None:
        """Add a node in the zone where the pool has least, none of `without`."""
        nodes = self._kubectl.list("nodes", selector=f"{POOL}={self.name}")
        there = [one["metadata"]["labels"]["topology.kubernetes.io/zone"] for one in nodes]
        zone = min((zone for zone in self.zones if zone not in without), key=there.count)
        self._made += 1
        self._kubectl.apply([self._node(f"gke-{self._cluster}-{self.name}-{self._made}.{zone}", zone)])

    def _node(self, name: str, zone: str) -> Object:
        machine = str(self._spec["nodeConfig"]["machineType"])
        capacity, allocatable = resources(machine, self._spec["nodeConfig"]["diskSizeGb"])
        pods = str(self._spec["maxPodsPerNode"])
        return {
            "apiVersion": "v1",
            "kind": "Node",
            "metadata": {
                "name": name,
                "labels": {
                    "cloud.google.com/machine-family": machine.partition("-")[0],
                    "kubernetes.io/arch": "amd64",
                    "kubernetes.io/hostname": name,
                    "kubernetes.io/os": "linux",
                    "node.kubernetes.io/instance-type": machine,
                    "topology.gke.io/zone": zone,
                    "topology.kubernetes.io/region": zone.rpartition("-")[0],
                    "topology.kubernetes.io/zone": zone,
                    **self._labels,
                },
            },
            "spec": {"taints": self._taints},
            "status": {"capacity": {**capacity, "pods": pods}, "allocatable": {**allocatable, "pods": pods}},
        }


def resources(machine: str, disk: int) -> tuple[dict[str, str], dict[str, str]]:
    """Return capacity of a machine type with a disk of so many GB, and what is left of it for pods.

    Raises ToolError for a type whose memory does not follow from its name.
    """
    _, _, size = machine.partition("-")
    kind, _, number = size.partition("-")
    if kind not in MEMORY or not number.isdecimal():
        raise ToolError(f"e2e/nodes.py does not know the size of {machine}; it knows {', '.join(MEMORY)}")
    cpus, memory = int(number), int(number) * MEMORY[kind]
    cpu = cpus * 1000 - _tiers(cpus, CPU_RESERVED) - SYSTEM_CPU
    kept = int(_tiers(memory, MEMORY_RESERVED) * GI) + EVICTION + SYSTEM_MEMORY
    # Boot disk: a tenth for eviction; for the system half of it, or 6 GiB and 35 %, or 100 GiB, whichever is least.
    local = disk * 0.9 - min(disk * 0.5, 6 + disk * 0.35, 100)
    return (
        {"cpu": str(cpus), "memory": f"{memory}Gi", "ephemeral-storage": f"{disk}Gi"},
        {
            "cpu": f"{int(cpu)}m",
            "memory": f"{(memory * GI - kept) // MI}Mi",
            "ephemeral-storage": f"{int(local)}Gi",
        },
    )


def unschedulable(pod: Object) -> bool:
    """Whether the scheduler has found no node for it."""
    conditions = pod["status"].get("conditions", ())
    return any(one["type"] == "PodScheduled" and one.get("reason") == "Unschedulable" for one in conditions)


def claims(pod: Object) -> list[str]:
    """Return the names of the volume claims that a pod uses."""
    volumes = pod["spec"].get("volumes", ())
    return [one["persistentVolumeClaim"]["claimName"] for one in volumes if "persistentVolumeClaim" in one]


def _tiers(amount: float, tiers: Iterable[tuple[float, float]]) -> float:
    """Add up shares of an amount, each tier's of what the tiers before it left."""
    total = 0.0
    for size, share in tiers:
        part = min(amount, size)
        total += part * share
        amount -= part
    return total


def _taint(taint: dict[str, str]) -> dict[str, str]:
    """Turn Google's spelling of the effect, `NO_SCHEDULE`, into Kubernetes'."""
    return {**taint, "effect": taint["effect"].title().replace("_", "")}
