"""Rules over ports: every name and number that is referred to is a port of the other side."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from dify_gitops.rules.access import get, maps, text
from dify_gitops.rules.calls import calls, service_port
from dify_gitops.rules.ingress import routes
from dify_gitops.rules.network import INGRESS, entries
from dify_gitops.rules.rule import Flaw, rule

if TYPE_CHECKING:
    from collections.abc import Iterator

    from dify_gitops.rules.cluster import Cluster, Pod

_HANDLERS = (
    ("startupProbe",), ("readinessProbe",), ("livenessProbe",),
    ("lifecycle", "postStart"), ("lifecycle", "preStop"),
)  # fmt: skip


@rule(
    "port-exists",
    why="a port by a name that nobody has is never probed, scraped or served, and nothing says so",
    remedy="use a port that the other side has, best by its name",
)
def port_exists(cluster: Cluster) -> Iterator[Flaw]:
    """Ports in probes, Services, Ingresses, policies, PodMonitorings and addresses exist over there."""
    for source in (_in_probes, _in_services, _in_ingresses, _in_selections, _in_calls):
        yield from source(cluster)


def _in_probes(cluster: Cluster) -> Iterator[Flaw]:
    """A probe's port is looked up in its own container only; a number must be declared, too."""
    for pod in cluster.pods:
        for container in pod.containers:
            for handler in _HANDLERS:
                for action in ("httpGet", "tcpSocket"):
                    port = get(container.data, *handler, action, "port")
                    if port is not None and port not in (*container.ports, *container.numbers):
                        field = ".".join((container.path, *handler, action, "port"))
                        yield Flaw(pod.owner, field, f"the container has no port {port}")


def _in_services(cluster: Cluster) -> Iterator[Flaw]:
    for service in cluster.every("Service"):
        for entry in maps(service.data, "spec", "ports"):
            target = entry.get("targetPort")
            for pod in cluster.behind(service):
                if target is not None and target not in pod.ports and target not in _numbers(pod):
                    field = f"spec.ports[{text(entry, 'name') or entry.get('port')}].targetPort"
                    yield Flaw(service, field, _lacks(pod, target))


def _numbers(pod: Pod) -> set[int]:
    return {number for container in pod.containers for number in container.numbers}


def _lacks(pod: Pod, port: Any) -> str:
    return f"{pod.owner} has no port {port}"


def _in_ingresses(cluster: Cluster) -> Iterator[Flaw]:
    for ingress in cluster.every("Ingress"):
        for route in routes(ingress):
            service = cluster.find("Service", ingress.namespace, route.service)
            if service and (route.port is None or service_port(service, route.port) is None):
                yield Flaw(ingress, f"{route.field}.port", f"{service} has no port {route.port}")


def _in_selections(cluster: Cluster) -> Iterator[Flaw]:
    """PodMonitorings and ingress rules of policies name ports of the pods that they select."""
    for item in cluster.every("PodMonitoring"):
        pods = cluster.selected(item.namespace, get(item.data, "spec", "selector"))
        for entry in maps(item.data, "spec", "endpoints"):
            for pod in pods:
                if isinstance(entry.get("port"), str) and entry["port"] not in pod.ports:
                    yield Flaw(item, f"spec.endpoints[{entry['port']}].port", _lacks(pod, entry["port"]))
    for item in cluster.every("NetworkPolicy"):
        pods = cluster.selected(item.namespace, get(item.data, "spec", "podSelector"))
        for number, entry in enumerate(entries(item, INGRESS)):
            for port in [port["port"] for port in maps(entry, "ports") if isinstance(port.get("port"), str)]:
                if pods and not any(port in pod.ports for pod in pods):
                    yield Flaw(item, f"spec.ingress[{number}].ports", f"no selected pod has a port {port}")


def _in_calls(cluster: Cluster) -> Iterator[Flaw]:
    for pod in cluster.pods:
        for call in calls(cluster, pod):
            service = cluster.find("Service", call.namespace, call.service)
            if service and call.port is not None and service_port(service, call.port) is None:
                yield Flaw(pod.owner, call.field, f"calls {call.text}, but {service} has no port {call.port}")
