"""Rules over label selectors: each selects something, and nothing is selected by accident."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from dify_gitops.rules.access import get, maps
from dify_gitops.rules.rule import Flaw, rule
from dify_gitops.rules.selectors import matches, of_labels, spell

if TYPE_CHECKING:
    from collections.abc import Iterator

    from dify_gitops.rules.cluster import Cluster, Object, Pod

_OWNERS = ("Deployment", "StatefulSet", "DaemonSet", "ReplicaSet")


@rule(
    "selector-own-pods",
    why="the API server refuses a workload that does not select its own pods",
    remedy="give the pod template the labels of the selector",
)
def selector_own_pods(cluster: Cluster) -> Iterator[Flaw]:
    """A workload's selector matches its own template."""
    for pod in cluster.pods:
        selector = get(pod.owner.data, "spec", "selector")
        if pod.owner.kind in _OWNERS and not (selector and matches(selector, pod.labels)):
            yield Flaw(pod.owner, "spec.selector", f"{spell(selector)} does not match the labels of the pod template")


@rule(
    "selector-matches",
    why="a Service, budget or policy that selects nothing is one that is missing",
    remedy="correct the labels, or remove what selects nothing",
)
def selector_matches(cluster: Cluster) -> Iterator[Flaw]:
    """Selectors of Services, budgets, policies, PodMonitorings and spread constraints match rendered pods."""
    for item, field, namespace, selector in _selecting(cluster):
        if not cluster.selected(namespace, selector):
            yield Flaw(item, field, f"{spell(selector)} matches no pod in {namespace}")
    for pod in cluster.pods:
        for number, constraint in enumerate(maps(pod.spec, "topologySpreadConstraints")):
            selector = constraint.get("labelSelector")
            if not matches(selector, pod.labels):
                field = pod.field(f"spec.topologySpreadConstraints[{number}].labelSelector")
                yield Flaw(pod.owner, field, f"{spell(selector)} does not match the pod itself")


Selection = tuple["Object", str, str, Any]


def _selecting(cluster: Cluster) -> Iterator[Selection]:
    for service in cluster.every("Service"):
        selector = of_labels(service.data, "spec", "selector")
        if selector:  # without one somebody else writes the endpoints
            yield service, "spec.selector", service.namespace, selector
    for kind in ("PodDisruptionBudget", "PodMonitoring", "NetworkPolicy"):
        key = "podSelector" if kind == "NetworkPolicy" else "selector"
        for item in cluster.every(kind):
            yield item, f"spec.{key}", item.namespace, get(item.data, "spec", key)


@rule(
    "selector-not-shared",
    why="a Service sends to foreign pods, a Deployment counts and deletes them, a budget mixes them up",
    remedy="add a label to both sides that only one workload has",
)
def selector_not_shared(cluster: Cluster) -> Iterator[Flaw]:
    """Workloads, Services and budgets select the pods of one workload, and one budget covers a pod."""
    for item in cluster.every(*_OWNERS, "PodDisruptionBudget"):
        yield from _shared(item, cluster.selected(item.namespace, get(item.data, "spec", "selector")))
    for service in cluster.every("Service"):
        yield from _shared(service, cluster.behind(service))
    yield from _covered_twice(cluster)


def _shared(item: Object, pods: list[Pod]) -> Iterator[Flaw]:
    if len(pods) > 1:
        owners = ", ".join(sorted(str(pod.owner) for pod in pods))
        yield Flaw(item, "spec.selector", f"selects pods of {len(pods)} workloads: {owners}")


def _covered_twice(cluster: Cluster) -> Iterator[Flaw]:
    covered: dict[int, Object] = {}
    for budget in cluster.every("PodDisruptionBudget"):
        for pod in cluster.selected(budget.namespace, get(budget.data, "spec", "selector")):
            other = covered.setdefault(id(pod), budget)
            if other is not budget:
                message = f"covers {pod.owner} as {other} does: pods with two budgets cannot be evicted"
                yield Flaw(budget, "spec.selector", message)
