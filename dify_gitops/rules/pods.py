"""Rules over every pod template: identity, shutdown, priority, environment from Services."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from dify_gitops.rules.access import integer, maps, text, texts
from dify_gitops.rules.rule import Flaw, rule

if TYPE_CHECKING:
    from collections.abc import Iterator

    from dify_gitops.rules.cluster import Cluster, Container, Pod

# Kubernetes' default: https://kubernetes.io/docs/concepts/workloads/pods/pod-lifecycle/#pod-termination
DEFAULT_GRACE = 30
_SLEEP = re.compile(r"\bsleep\s+(\d+)")


@rule(
    "service-links-off",
    why="a Service sandbox makes SANDBOX_PORT=tcp://… in every pod, and Dify reads it (langgenius/dify#3532)",
    remedy="set enableServiceLinks: false",
)
def service_links_off(cluster: Cluster) -> Iterator[Flaw]:
    """No pod gets a variable per Service."""
    for pod in cluster.pods:
        if pod.spec.get("enableServiceLinks") is not False:
            yield Flaw(pod.owner, pod.field("spec.enableServiceLinks"), "is not false")


@rule(
    "service-account-own",
    why="what the default account is allowed, every forgotten pod is allowed too",
    remedy="name a ServiceAccount of its own",
)
def service_account_own(cluster: Cluster) -> Iterator[Flaw]:
    """Every pod names a ServiceAccount other than `default`."""
    for pod in cluster.pods:
        if pod.spec.get("serviceAccountName") in (None, "", "default"):
            yield Flaw(pod.owner, pod.field("spec.serviceAccountName"), "is not set, or the default one")


@rule(
    "service-account-token-off",
    why="hardly a workload talks to the Kubernetes API: everywhere else a mounted token only helps an intruder",
    remedy="set automountServiceAccountToken: false, and where it is needed mount a projected serviceAccountToken",
)
def service_account_token_off(cluster: Cluster) -> Iterator[Flaw]:
    """Neither pods nor ServiceAccounts get a token by themselves; Workload Identity does not need it."""
    for pod in cluster.pods:
        if pod.spec.get("automountServiceAccountToken") is not False:
            yield Flaw(pod.owner, pod.field("spec.automountServiceAccountToken"), "is not false")
    for account in cluster.every("ServiceAccount"):
        if account.data.get("automountServiceAccountToken") is not False:
            yield Flaw(account, "automountServiceAccountToken", "is not false")


def mounts_token(cluster: Cluster, pod: Pod) -> bool:
    """Whether a pod gets a token that the API server takes: by itself, or in a volume and for nobody else.

    https://kubernetes.io/docs/tasks/configure-pod-container/configure-service-account/
    """
    account = cluster.find("ServiceAccount", pod.namespace, text(pod.spec, "serviceAccountName") or "default")
    wished = (data.get("automountServiceAccountToken") for data in (pod.spec, account.data if account else {}))
    if next((wish for wish in wished if isinstance(wish, bool)), True):
        return True
    sources = (source for volume in maps(pod.spec, "volumes") for source in maps(volume, "projected", "sources"))
    return any("serviceAccountToken" in one and not text(one, "serviceAccountToken", "audience") for one in sources)


@rule(
    "grace-period",
    why="the preStop sleep is part of the grace period: what is left is all the time the program has to stop",
    remedy="make the grace period longer than the sleep",
)
def grace_period(cluster: Cluster) -> Iterator[Flaw]:
    """The grace period is longer than each container's preStop sleep."""
    for pod in cluster.pods:
        grace = integer(pod.spec, "terminationGracePeriodSeconds")
        grace = DEFAULT_GRACE if grace is None else grace
        for container in pod.containers:
            slept = sleep(container)
            if slept and slept >= grace:
                message = f"{grace} s are used up by the preStop sleep of {container.name}, {slept} s"
                yield Flaw(pod.owner, pod.field("spec.terminationGracePeriodSeconds"), message)


def sleep(container: Container) -> int:
    """Seconds that the preStop hook sleeps, natively or by a command."""
    native = integer(container.data, "lifecycle", "preStop", "sleep", "seconds")
    spoken = _SLEEP.search(" ".join(texts(container.data, "lifecycle", "preStop", "exec", "command")))
    return native or (int(spoken[1]) if spoken else 0)


@rule(
    "priority-class-set",
    why="when nodes are short, what holds data and serves people must stay and batch work must go",
    remedy="name a PriorityClass",
)
def priority_class_set(cluster: Cluster) -> Iterator[Flaw]:
    """Every pod names a priority class."""
    for pod in cluster.pods:
        if not pod.spec.get("priorityClassName"):
            yield Flaw(pod.owner, pod.field("spec.priorityClassName"), "is not set")
