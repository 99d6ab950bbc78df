"""Alerts on nodes and pods. Metrics: https://cloud.google.com/monitoring/api/metrics_kubernetes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dify_gitops import names
from dify_gitops.gcp.watch.words import Alert, Query, Signal, one_of, policy, series

if TYPE_CHECKING:
    from dify_gitops.gcp import Site
    from dify_gitops.k8s.objects import Manifest

_BUSY = 0.9
_FULL = 0.8
_RESTARTS = 2  # in ten minutes: one may be an eviction, two a bad start

_OWN = (names.DIFY, names.SANDBOX)
_PLATFORM = (names.ARGOCD, names.CONFIG_CONNECTOR, names.EXTERNAL_SECRETS, names.KEDA)
_CONTAINER = ("resource.label.namespace_name", "resource.label.container_name")
_HELD = "non-evictable"  # what the kernel can take back, such as the page cache, is no shortage


def _series(metric: str, monitored: str, namespaces: tuple[str, ...] = (), **of_metric: str) -> str:
    labels = {"cluster_name": names.CLUSTER}
    if namespaces:
        labels["namespace_name"] = one_of(*namespaces)
    return series(f"kubernetes.io/{metric}", monitored, labels, **of_metric)


def _node(what: str, metric: str, **of_metric: str) -> Signal:
    found = _series(f"node/{metric}/allocatable_utilization", "k8s_node", (), **of_metric)
    by = ("resource.label.node_name",)
    return Signal(what, found, "ALIGN_MEAN", _BUSY, 900, reducer="REDUCE_MEAN", by=by)


def nodes() -> list[Signal]:
    """CPU and memory of each node, against what pods may have of it."""
    return [_node("CPU of a node", "cpu"), _node("memory of a node", "memory", memory_type=_HELD)]


def homeless() -> Query:
    """Pods that no node has room for, in any namespace."""
    return Query("pods without a node", f'sum(kube_pod_status_unschedulable{{cluster="{names.CLUSTER}"}})', 0, 900)


def running() -> Signal:
    """Containers of Dify that run, by what made them; no alert looks at it."""
    by = ('metadata.system_labels."top_level_controller_name"',)
    found = _series("container/uptime", "k8s_container", _OWN)
    return Signal("containers", found, "ALIGN_MEAN", reducer="REDUCE_COUNT", by=by)


def memory() -> Signal:
    """Memory of containers against their limits."""
    found = _series("container/memory/limit_utilization", "k8s_container", _OWN, memory_type=_HELD)
    return Signal("memory of a container", found, "ALIGN_MEAN", _BUSY, 600, reducer="REDUCE_MAX", by=_CONTAINER)


def volumes() -> Signal:
    """How full volumes are."""
    found = _series("pod/volume/utilization", "k8s_pod", _OWN)
    by = ("resource.label.pod_name", "metric.label.volume_name")
    return Signal("volume", found, "ALIGN_MEAN", _FULL, reducer="REDUCE_MAX", by=by)


def restarts() -> Signal:
    """Restarts of containers in ten minutes."""
    found = _series("container/restart_count", "k8s_container", (*_OWN, *_PLATFORM))
    return Signal("restarts", found, "ALIGN_DELTA", _RESTARTS, 0, reducer="REDUCE_SUM", by=_CONTAINER, period=600)


def policies(site: Site) -> list[Manifest]:
    """Nodes, pods, volumes, restarts."""
    size = site.environment.nodes
    busy, full = f"{_BUSY:.0%}", f"{_FULL:.0%}"
    return [
        policy(
            site,
            "A quarter of an hour: a short peak is what nodes are for.",
            Alert("nodes", "a node is saturated", "WARNING"),
            nodes(),
            share=busy,
        ),
        policy(
            site,
            "Longer than a new node needs to come.",
            Alert("pods-without-node", "pods find no node", "ERROR"),
            [homeless()],
            nodes=size.max,
            machine=size.machine,
        ),
        policy(
            site,
            "At its memory limit a container is killed, with all that it was doing.",
            Alert("pod-memory", "a container is near its memory limit", "WARNING"),
            [memory()],
            share=busy,
        ),
        policy(
            site,
            f"{full}: Weaviate turns read-only at 90 %.",
            Alert("volumes", "a volume is nearly full", "CRITICAL"),
            [volumes()],
            share=full,
        ),
        policy(
            site,
            f"More than {_RESTARTS} in ten minutes: one may be an eviction.",
            Alert("restarts", "a container restarts again and again", "ERROR"),
            [restarts()],
            restarts=_RESTARTS,
        ),
    ]
