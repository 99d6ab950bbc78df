"""Rules over every container: resources, probes, environment, file system, user."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

from dify_gitops import names
from dify_gitops.quantity import bytes_of, cpu_millis
from dify_gitops.rules.access import get, integer, mapping, maps, text
from dify_gitops.rules.rule import Flaw, rule

if TYPE_CHECKING:
    from collections.abc import Iterator

    from dify_gitops.rules.cluster import Cluster, Container, Pod

_RESOURCES = ("cpu", "memory", "ephemeral-storage")


def _unset(cluster: Cluster, part: str) -> Iterator[Flaw]:
    for pod in cluster.pods:
        for container in pod.containers:
            amounts = mapping(container.data, "resources", part)
            for resource in _RESOURCES:
                if amounts.get(resource) in (None, ""):
                    yield Flaw(pod.owner, f"{container.path}.resources.{part}.{resource}", "is not set")


@rule(
    "requests-set",
    why="without requests the scheduler overfills nodes, and autoscalers have nothing to measure against",
    remedy="request cpu, memory and ephemeral-storage",
)
def requests_set(cluster: Cluster) -> Iterator[Flaw]:
    """Every container requests all three resources."""
    return _unset(cluster, "requests")


@rule(
    "limits-set",
    why="one container without limits can starve its node",
    remedy="limit cpu, memory and ephemeral-storage",
)
def limits_set(cluster: Cluster) -> Iterator[Flaw]:
    """Every container limits all three resources."""
    return _unset(cluster, "limits")


@rule(
    "limit-not-below-request",
    why="the API server refuses a pod that may use less than it reserves",
    remedy="raise the limit or lower the request",
)
def limit_not_below_request(cluster: Cluster) -> Iterator[Flaw]:
    """For each resource that has both, the limit is at least the request."""
    for pod in cluster.pods:
        for container in pod.containers:
            limits = mapping(container.data, "resources", "limits")
            for resource, request in mapping(container.data, "resources", "requests").items():
                limit = limits.get(resource)
                field = f"{container.path}.resources.limits.{resource}"
                try:
                    if limit is not None and _amount(resource, limit) < _amount(resource, request):
                        yield Flaw(pod.owner, field, f"{limit} is less than the request, {request}")
                except ValueError as error:
                    yield Flaw(pod.owner, field, f"cannot be compared with the request: {error}")


def _amount(resource: str, quantity: Any) -> int:
    return (cpu_millis if resource == "cpu" else bytes_of)(str(quantity))


@rule(
    "probes-set",
    why="a container that hangs, or is not ready yet, must not get requests or stay as it is",
    remedy=f"add the probe, or the annotation {names.NO_PROBES} with the reason to the pod template",
)
def probes_set(cluster: Cluster) -> Iterator[Flaw]:
    """Long-running containers have startup and liveness probes; behind a Service, readiness probes too."""
    for pod, reason, missing in _probes(cluster):
        if reason is None:
            for field in missing:
                yield Flaw(pod.owner, field, "is not set")


@rule(
    "no-probes-reason",
    why="an exemption without a reason, or without need, hides a missing probe later",
    remedy=f"give a reason in {names.NO_PROBES}, or remove the annotation",
)
def no_probes_reason(cluster: Cluster) -> Iterator[Flaw]:
    """The annotation that exempts from probes has a reason and is needed."""
    for pod, reason, missing in _probes(cluster):
        if reason is not None and not (reason.strip() and missing):
            message = "exempts a pod that needs no exemption" if reason.strip() else "has no reason"
            yield Flaw(pod.owner, pod.field(f"metadata.annotations[{names.NO_PROBES}]"), message)


def _probes(cluster: Cluster) -> Iterator[tuple[Pod, str | None, list[str]]]:
    """Each pod, the reason of its exemption (None: not exempt), and the probes that it lacks."""
    served = {id(pod) for service in cluster.every("Service") for pod in cluster.behind(service)}
    for pod in cluster.pods:
        reason = pod.annotations.get(names.NO_PROBES, pod.owner.annotations.get(names.NO_PROBES))
        missing = [
            f"{container.path}.{probe}"
            for container in pod.containers
            if not container.ends and not pod.runs_to_completion
            for probe in ("startupProbe", "readinessProbe", "livenessProbe")
            if probe != "readinessProbe" or (id(pod) in served and not container.init)
            if not get(container.data, probe)
        ]
        yield pod, reason, missing


@rule(
    "liveness-not-readiness",
    why="a liveness probe that is the readiness probe restarts a pod that only had to be left alone",
    remedy="make the liveness probe slower or more patient than the readiness probe",
)
def liveness_not_readiness(cluster: Cluster) -> Iterator[Flaw]:
    """Liveness and readiness probes differ."""
    for pod in cluster.pods:
        for container in pod.containers:
            liveness = get(container.data, "livenessProbe")
            if liveness and liveness == get(container.data, "readinessProbe"):
                yield Flaw(pod.owner, f"{container.path}.livenessProbe", "is the same as the readiness probe")


@rule(
    "env-unique",
    why="of two variables with one name only the last counts, and a server-side apply refuses both",
    remedy="keep one of them",
)
def env_unique(cluster: Cluster) -> Iterator[Flaw]:
    """No container sets a variable twice."""
    for pod in cluster.pods:
        for container in pod.containers:
            counts = Counter(text(entry, "name") for entry in maps(container.data, "env"))
            for name, count in counts.items():
                if count > 1:
                    yield Flaw(pod.owner, f"{container.path}.env[{name}]", f"is set {count} times")


@rule(
    "container-names-unique",
    why="the API server refuses a pod with two containers of one name, or with one that has none",
    remedy="rename or remove one of them",
)
def container_names_unique(cluster: Cluster) -> Iterator[Flaw]:
    """Names are unique over containers and init containers."""
    for pod in cluster.pods:
        for name, count in Counter(container.name for container in pod.containers).items():
            if count > 1 or not name:
                message = f"{count} containers are called {name}" if name else "a container has no name"
                yield Flaw(pod.owner, pod.field("spec.containers"), message)


def _security(pod: Pod, container: Container, key: str) -> Any:
    own = get(container.data, "securityContext", key)
    return get(pod.spec, "securityContext", key) if own is None else own


@rule(
    "read-only-root",
    why="what cannot be written cannot be replaced by an intruder",
    remedy="set readOnlyRootFilesystem: true and mount an emptyDir where the program writes",
)
def read_only_root(cluster: Cluster) -> Iterator[Flaw]:
    """Root file systems are read-only where the namespace enforces `restricted`; the sandbox's cannot be."""
    for pod in cluster.pods:
        if cluster.level(pod.namespace) != "restricted":
            continue
        for container in pod.containers:
            if get(container.data, "securityContext", "readOnlyRootFilesystem") is not True:
                field = f"{container.path}.securityContext.readOnlyRootFilesystem"
                yield Flaw(pod.owner, field, "is not true")


@rule(
    "user-id-set",
    why="the kubelet cannot tell whether the name of an image's user is root's, and refuses to start it",
    remedy="set runAsUser to the number of the image's user",
)
def user_id_set(cluster: Cluster) -> Iterator[Flaw]:
    """Where `runAsNonRoot` is demanded the user id is a number in the manifest."""
    for pod in cluster.pods:
        for container in pod.containers:
            demanded = _security(pod, container, "runAsNonRoot") is True
            if demanded and integer({"uid": _security(pod, container, "runAsUser")}, "uid") is None:
                yield Flaw(pod.owner, f"{container.path}.securityContext.runAsUser", "is not set, nor for the pod")
