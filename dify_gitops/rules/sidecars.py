"""Rules over processes beside the main one: sidecars that must not block a pod, children that must not pile up."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dify_gitops.rules.access import get, maps, texts
from dify_gitops.rules.dify import image_name
from dify_gitops.rules.rule import Flaw, rule

if TYPE_CHECKING:
    from collections.abc import Iterator

    from dify_gitops.rules.cluster import Cluster, Container

_NEVER_END = frozenset({"cloud-sql-proxy", "haproxy"})  # images
_PROBES = ("startupProbe", "readinessProbe", "livenessProbe")
_PLUGIN_DAEMON = "dify-plugin-daemon"


def _serves(container: Container) -> str:
    """Why a container does not end by itself; empty where nothing tells so."""
    name = image_name(container)
    if name in _NEVER_END:
        return f"{name} never ends"
    probe = next((probe for probe in _PROBES if get(container.data, probe)), "")
    return "it has ports" if maps(container.data, "ports") else f"it has a {probe}" if probe else ""


@rule(
    "sidecar-native",
    why="the pod waits for ever for an init container that serves, and a Job for a sidecar that does not end",
    remedy="make it an init container with restartPolicy: Always",
)
def sidecar_native(cluster: Cluster) -> Iterator[Flaw]:
    """Init containers that serve are native sidecars, and so is what never ends in a pod that must end."""
    for pod in cluster.pods:
        for container in pod.containers:
            reason = _serves(container)
            if container.ends and reason:
                yield Flaw(pod.owner, f"{container.path}.restartPolicy", f"is not Always, but {reason}")
            elif pod.runs_to_completion and not container.init and image_name(container) in _NEVER_END:
                yield Flaw(pod.owner, container.path, f"keeps the pod from ending: {reason}")


@rule(
    "zombies-reaped",
    why="/app/main as first process does not wait for the plugins that it started: dead ones fill the process table",
    remedy="set shareProcessNamespace: true, so that the pause container is the first process",
)
def zombies_reaped(cluster: Cluster) -> Iterator[Flaw]:
    """The plugin daemon that is started without its init shares the pod's process namespace."""
    for pod in cluster.pods:
        for container in pod.containers:
            bare = texts(container.data, "command")[:1] == ["/app/main"]
            if bare and image_name(container) == _PLUGIN_DAEMON and pod.spec.get("shareProcessNamespace") is not True:
                yield Flaw(pod.owner, pod.field("spec.shareProcessNamespace"), "is not true")
