"""Rules over what an operator sets in a hurry and forgets: rollouts with gaps, full rights, sleeping schedules."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dify_gitops.rules.access import get, text
from dify_gitops.rules.edge import backends
from dify_gitops.rules.rule import Flaw, rule

if TYPE_CHECKING:
    from collections.abc import Iterator

    from dify_gitops.rules.cluster import Cluster

_RBAC = "rbac.authorization.k8s.io"
_ALL_RIGHTS = ("cluster-admin", "admin")


@rule(
    "rollout-without-gap",
    why="with fewer pods than before while a version rolls out, visitors wait or get 502",
    remedy="strategy type RollingUpdate with maxUnavailable: 0",
)
def rollout_without_gap(cluster: Cluster) -> Iterator[Flaw]:
    """Deployments behind an Ingress start the new pod before they stop the old one."""
    public = {id(pod): pod for backend in backends(cluster) for pod in cluster.behind(backend.service)}
    for pod in public.values():
        strategy = get(pod.owner.data, "spec", "strategy")
        field = "spec.strategy.rollingUpdate.maxUnavailable"
        if pod.owner.kind == "Deployment" and get(strategy, "rollingUpdate", "maxUnavailable") not in (0, "0%"):
            yield Flaw(pod.owner, field, "is not 0")


@rule(
    "no-full-rights",
    why="no workload of Dify needs the Kubernetes API; whoever takes such a pod takes the cluster, or the namespace",
    remedy="remove the binding, or bind a Role with the few verbs that are needed",
)
def no_full_rights(cluster: Cluster) -> Iterator[Flaw]:
    """No binding gives all rights."""
    for item in cluster.objects:
        if item.group == _RBAC and text(item.data, "roleRef", "name") in _ALL_RIGHTS:
            yield Flaw(item, "roleRef.name", f"is {text(item.data, 'roleRef', 'name')}")


@rule(
    "schedule-awake",
    why="a backup that was suspended for an hour is missed a year later",
    remedy="remove spec.suspend, or remove the CronJob",
)
def schedule_awake(cluster: Cluster) -> Iterator[Flaw]:
    """No CronJob is suspended."""
    for item in cluster.every("CronJob"):
        if get(item.data, "spec", "suspend") is True:
            yield Flaw(item, "spec.suspend", "is true")
