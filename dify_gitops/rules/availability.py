"""Rules over replicas: who decides their number, how they spread, what may be evicted or replaced at a time."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, NamedTuple

from dify_gitops.rules.access import get, integer, maps, text
from dify_gitops.rules.dify import api_processes
from dify_gitops.rules.rule import Flaw, rule

if TYPE_CHECKING:
    from collections.abc import Iterator

    from dify_gitops.rules.cluster import Cluster, Object, Pod

_SCALABLE = ("Deployment", "StatefulSet")
# Fields of the bounds, and Kubernetes' and KEDA's defaults.
_BOUNDS = {
    "HorizontalPodAutoscaler": ("minReplicas", 1, "maxReplicas", 1),
    "ScaledObject": ("minReplicaCount", 0, "maxReplicaCount", 100),
}
_TOPOLOGIES = ("topology.kubernetes.io/zone", "kubernetes.io/hostname")


class Replicas(NamedTuple):
    """How many pods of a workload there may be, and the scalers that decide it."""

    least: int
    most: int
    scalers: list[Object]


def _bounds(scaler: Object) -> tuple[int, int]:
    low, default_low, high, default_high = _BOUNDS[scaler.kind]
    least, most = integer(scaler.data, "spec", low), integer(scaler.data, "spec", high)
    return (default_low if least is None else least, default_high if most is None else most)


def replicas(cluster: Cluster, workload: Object) -> Replicas:
    """The bounds of a workload: of its scaler, else the fixed number (1 by default)."""
    scalers = [
        scaler
        for scaler in cluster.every(*_BOUNDS)
        if scaler.namespace == workload.namespace
        and text(scaler.data, "spec", "scaleTargetRef", "name") == workload.name
        and (text(scaler.data, "spec", "scaleTargetRef", "kind") or "Deployment") == workload.kind
    ]
    if scalers:
        return Replicas(*_bounds(scalers[0]), scalers)
    fixed = integer(workload.data, "spec", "replicas")
    fixed = 1 if fixed is None else fixed
    return Replicas(fixed, fixed, [])


def _scalable(cluster: Cluster) -> Iterator[tuple[Pod, Replicas]]:
    for pod in cluster.pods:
        if pod.owner.kind in _SCALABLE:
            yield pod, replicas(cluster, pod.owner)


@rule(
    "replicas-one-owner",
    why="with a number every sync undoes what the autoscaler decided; without either nobody decides",
    remedy="leave spec.replicas out where something scales, and let one scaler do it; else set it",
)
def replicas_one_owner(cluster: Cluster) -> Iterator[Flaw]:
    """Either a number or one scaler: not both, not neither, not two scalers."""
    for pod, count in _scalable(cluster):
        if count.scalers and get(pod.owner.data, "spec", "replicas") is not None:
            yield Flaw(pod.owner, "spec.replicas", f"is set, but {count.scalers[0]} owns it")
        if not count.scalers and get(pod.owner.data, "spec", "replicas") is None:
            yield Flaw(pod.owner, "spec.replicas", "is not set, and nothing scales it")
        for scaler in count.scalers[1:]:
            yield Flaw(scaler, "spec.scaleTargetRef", f"scales {pod.owner} as {count.scalers[0]} does")


@rule(
    "scaler-bounds",
    why="a minimum above the maximum is refused",
    remedy="raise the maximum or lower the minimum",
)
def scaler_bounds(cluster: Cluster) -> Iterator[Flaw]:
    """The minimum of a scaler is at most its maximum."""
    for scaler in cluster.every(*_BOUNDS):
        least, most = _bounds(scaler)
        if least > most:
            yield Flaw(scaler, f"spec.{_BOUNDS[scaler.kind][0]}", f"{least} is above the maximum, {most}")


@rule(
    "spread",
    why="replicas on one node, or in one zone, are lost together",
    remedy=f"add topologySpreadConstraints over {' and '.join(_TOPOLOGIES)}",
)
def spread(cluster: Cluster) -> Iterator[Flaw]:
    """What may have two replicas spreads over zones and over nodes, by constraint or by anti-affinity."""
    for pod, count in _scalable(cluster):
        terms = maps(pod.spec, "topologySpreadConstraints")
        anti = "affinity", "podAntiAffinity"
        terms += maps(pod.spec, *anti, "requiredDuringSchedulingIgnoredDuringExecution")
        for weighted in maps(pod.spec, *anti, "preferredDuringSchedulingIgnoredDuringExecution"):
            terms += [get(weighted, "podAffinityTerm")]
        keys = {text(term, "topologyKey") for term in terms}
        for topology in _TOPOLOGIES:
            if count.most > 1 and topology not in keys:
                field = pod.field("spec.topologySpreadConstraints")
                yield Flaw(pod.owner, field, f"up to {count.most} replicas do not spread over {topology}")


@rule(
    "disruption-budget",
    why="without a budget a node upgrade may evict all replicas at once",
    remedy="add a PodDisruptionBudget with maxUnavailable 1",
)
def disruption_budget(cluster: Cluster) -> Iterator[Flaw]:
    """What may have two replicas has a PodDisruptionBudget."""
    covered = {id(pod) for _, pods in _budgets(cluster) for pod in pods}
    for pod, count in _scalable(cluster):
        if count.most > 1 and id(pod) not in covered:
            yield Flaw(pod.owner, "", f"has up to {count.most} replicas and no PodDisruptionBudget")


@rule(
    "disruption-allowed",
    why="a budget that allows no disruption stops every node upgrade",
    remedy="set maxUnavailable 1, or more replicas; one replica needs no budget",
)
def disruption_allowed(cluster: Cluster) -> Iterator[Flaw]:
    """Each budget lets one pod go even when there are as few as the scaler allows."""
    for budget, pods in _budgets(cluster):
        least = sum(max(1, replicas(cluster, pod.owner).least) for pod in pods)
        if pods and _allowed(budget, least) < 1:
            field = "minAvailable" if get(budget.data, "spec", "minAvailable") is not None else "maxUnavailable"
            yield Flaw(budget, f"spec.{field}", f"allows no disruption of {least} replica{'s' * (least > 1)}")


def _budgets(cluster: Cluster) -> Iterator[tuple[Object, list[Pod]]]:
    for budget in cluster.every("PodDisruptionBudget"):
        selected = cluster.selected(budget.namespace, get(budget.data, "spec", "selector"))
        yield budget, [pod for pod in selected if pod.owner.kind in _SCALABLE]


def _allowed(budget: Object, count: int) -> int:
    """Pods that may go; percentages are rounded up, as the disruption controller does."""
    available = _share(get(budget.data, "spec", "minAvailable"), count)
    if available is not None:
        return count - available
    return _share(get(budget.data, "spec", "maxUnavailable"), count) or 0


def _share(value: Any, count: int) -> int | None:
    if isinstance(value, str) and value.removesuffix("%").isdecimal():
        return math.ceil(int(value.removesuffix("%")) * count / 100)
    return value if isinstance(value, int) else None


@rule(
    "recreate",
    why="a rolling update runs two pods: the second waits for the volume, and two beats double every schedule",
    remedy="one replica, strategy type Recreate, no scaler",
)
def recreate(cluster: Cluster) -> Iterator[Flaw]:
    """Deployments of Celery beat, or with a volume for one node, have one replica, which is replaced."""
    beats = {id(process.pod) for process in api_processes(cluster) if process.mode == "beat"}
    for pod, count in _scalable(cluster):
        reason = "runs Celery beat" if id(pod) in beats else _single_node_volume(cluster, pod)
        if pod.owner.kind != "Deployment" or not reason:
            continue
        if text(pod.owner.data, "spec", "strategy", "type") != "Recreate":
            yield Flaw(pod.owner, "spec.strategy.type", f"is not Recreate, but the pod {reason}")
        if count.most > 1:
            yield Flaw(pod.owner, "spec.replicas", f"may be {count.most}, but the pod {reason}")


def _single_node_volume(cluster: Cluster, pod: Pod) -> str:
    for volume in maps(pod.spec, "volumes"):
        claim = cluster.find("PersistentVolumeClaim", pod.namespace, text(volume, "persistentVolumeClaim", "claimName"))
        modes = get(claim.data, "spec", "accessModes") if claim else None
        if isinstance(modes, list) and {"ReadWriteOnce", "ReadWriteOncePod"}.issuperset(map(str, modes)):
            return f"mounts {claim}, which one node at a time may write"
    return ""
