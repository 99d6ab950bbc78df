"""Rules over what the API server refuses although it fits the schema."""

from __future__ import annotations

import re
from collections import Counter
from typing import TYPE_CHECKING, Any

from dify_gitops.rules.access import get, labels, mapping, maps, text
from dify_gitops.rules.cluster import GROUPS
from dify_gitops.rules.rule import Flaw, rule

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from dify_gitops.rules.cluster import Cluster, Object

# https://kubernetes.io/docs/concepts/overview/working-with-objects/names/ and …/labels/
_LABEL = re.compile(r"[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?")
_SUBDOMAIN = re.compile(r"[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*")
_WORD = re.compile(r"[A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?")
_LONGEST_NAME = 253
_SHORT_NAMES = frozenset({"Namespace", "Service", "CronJob", "StatefulSet"})
_FREE_NAMES = "rbac.authorization.k8s.io"  # the group whose names may be anything
_PROBES = ("startupProbe", "readinessProbe", "livenessProbe")
_HANDLERS = ("exec", "grpc", "httpGet", "tcpSocket")
_POSITIVE = ("periodSeconds", "failureThreshold", "successThreshold", "timeoutSeconds")


@rule(
    "ports-unique",
    why="the API server refuses a Service with two ports of one name or number; of a container one is lost",
    remedy="give each port its own name and its own number per protocol",
)
def ports_unique(cluster: Cluster) -> Iterator[Flaw]:
    """Ports are unique within a container and within a Service."""
    for pod in cluster.pods:
        for container in pod.containers:
            for what in _twice(maps(container.data, "ports"), "containerPort"):
                yield Flaw(pod.owner, f"{container.path}.ports", f"{what} stands there twice")
    for service in cluster.every("Service"):
        for what in _twice(maps(service.data, "spec", "ports"), "port"):
            yield Flaw(service, "spec.ports", f"{what} stands there twice")


def _twice(ports: list[dict[str, Any]], key: str) -> list[str]:
    numbers = [f"{text(port, 'protocol') or 'TCP'} {port.get(key)}" for port in ports]
    named = [f"name {text(port, 'name')}" for port in ports if text(port, "name")]
    return [what for what, count in Counter((*numbers, *named)).items() if count > 1]


@rule(
    "probe-valid",
    why="the API server refuses a probe with no or two ways to ask, or with a number below 1",
    remedy="keep one of exec, grpc, httpGet and tcpSocket, and numbers from 1 on",
)
def probe_valid(cluster: Cluster) -> Iterator[Flaw]:
    """Probes have one handler and positive numbers; success counts once but for readiness."""
    for pod in cluster.pods:
        for container in pod.containers:
            for key in _PROBES:
                probe = get(container.data, key)
                if not isinstance(probe, dict):
                    continue
                field = f"{container.path}.{key}"
                found = [handler for handler in _HANDLERS if handler in probe]
                if len(found) != 1:
                    yield Flaw(pod.owner, field, f"has {' and '.join(found) or 'no handler'}")
                for name in _POSITIVE:
                    value = probe.get(name)
                    if isinstance(value, int) and value < 1:
                        yield Flaw(pod.owner, f"{field}.{name}", f"{value} is less than 1")
                if key != "readinessProbe" and probe.get("successThreshold") not in (None, 1):
                    yield Flaw(pod.owner, f"{field}.successThreshold", "is not 1")


@rule(
    "names-valid",
    why="the API server refuses other names and labels, and Argo CD stops the whole sync",
    remedy="lower-case letters, digits, - (and . in most names); labels also upper-case and _, 63 characters",
)
def names_valid(cluster: Cluster) -> Iterator[Flaw]:
    """Names of objects and containers, keys and values of labels and keys of annotations have Kubernetes' format."""
    for item in cluster.objects:
        if item.name and item.group != _FREE_NAMES and not _name_fits(item):
            yield Flaw(item, "metadata.name", f"{item.name!r} is no name")
        yield from _pairs(item, "metadata.labels", labels(item.data, "metadata", "labels"))
        yield from _keys(item, "metadata.annotations", mapping(item.data, "metadata", "annotations"))
    for pod in cluster.pods:
        if pod.path:
            yield from _pairs(pod.owner, pod.field("metadata.labels"), pod.labels)
            yield from _keys(pod.owner, pod.field("metadata.annotations"), pod.annotations)
        for container in pod.containers:
            if container.name and not _LABEL.fullmatch(container.name):
                yield Flaw(pod.owner, f"{container.path}.name", f"{container.name!r} is no name")


def _name_fits(item: Object) -> bool:
    if item.kind in _SHORT_NAMES and item.group == GROUPS[item.kind]:
        return bool(_LABEL.fullmatch(item.name))
    return len(item.name) <= _LONGEST_NAME and bool(_SUBDOMAIN.fullmatch(item.name))


def _pairs(item: Object, field: str, found: dict[str, str]) -> Iterator[Flaw]:
    yield from _keys(item, field, found)
    for key, value in found.items():
        if value and not _WORD.fullmatch(value):
            yield Flaw(item, f"{field}[{key}]", f"{value!r} is no value of a label")


def _keys(item: Object, field: str, found: Iterable[Any]) -> Iterator[Flaw]:
    for key in map(str, found):
        prefix, slash, name = key.rpartition("/")
        if not _WORD.fullmatch(name) or (slash and not (_SUBDOMAIN.fullmatch(prefix) and len(prefix) <= _LONGEST_NAME)):
            yield Flaw(item, f"{field}[{key}]", "is no key")
