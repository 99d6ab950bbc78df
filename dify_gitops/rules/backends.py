"""Rules over what stands behind the Ingress: health checks, container-native balancing, the whole routing table."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from dify_gitops.components.edge import ROUTES
from dify_gitops.rules.access import get, integer, maps, text
from dify_gitops.rules.calls import container_port
from dify_gitops.rules.edge import backends
from dify_gitops.rules.ingress import routes
from dify_gitops.rules.rule import Flaw, rule

if TYPE_CHECKING:
    from collections.abc import Iterator

    from dify_gitops.rules.cluster import Cluster
    from dify_gitops.rules.ingress import Route

_NEG = "cloud.google.com/neg"
_ADDRESS = "kubernetes.io/ingress.global-static-ip-name"


@rule(
    "backend-health",
    why="without health check of its own the load balancer asks for /, and 404 or a redirect makes all backends bad",
    remedy="in the BackendConfig set healthCheck with the requestPath of the readiness probe and the container's port",
)
def backend_health(cluster: Cluster) -> Iterator[Flaw]:
    """BackendConfigs behind an Ingress ask the container's own port for a path that is made for it."""
    for backend in backends(cluster):
        if backend.config is None:
            continue  # security-policy reports it
        path = text(backend.config.data, "spec", "healthCheck", "requestPath")
        if path in ("", "/"):
            yield Flaw(backend.config, "spec.healthCheck.requestPath", "is /" if path else "is not set")
        port = integer(backend.config.data, "spec", "healthCheck", "port")
        for pod in cluster.behind(backend.service):
            number = container_port(backend.service, backend.entry, pod)
            if number is not None and port != number:
                message = f"is not {number}, the port of {pod.owner}"
                yield Flaw(backend.config, "spec.healthCheck.port", message)


@rule(
    "neg-set",
    why="without network endpoint group requests go over a node's port, past our NetworkPolicies' idea of a client",
    remedy=f"annotate the Service with {_NEG}: '{{\"ingress\": true}}'",
)
def neg_set(cluster: Cluster) -> Iterator[Flaw]:
    """Services behind an Ingress are balanced container by container."""
    for backend in backends(cluster):
        try:
            wanted = json.loads(backend.service.annotations.get(_NEG, "{}"))
        except ValueError:
            wanted = None
        if get(wanted, "ingress") is not True:
            yield Flaw(backend.service, f"metadata.annotations[{_NEG}]", 'is not {"ingress": true}')


@rule(
    "service-internal",
    why="a load balancer or port of a node of its own has no certificate, no Cloud Armor and no routing table",
    remedy="leave type at ClusterIP, without externalIPs and nodePort; the Ingress is the only entry",
)
def service_internal(cluster: Cluster) -> Iterator[Flaw]:
    """Services are for the inside of the cluster."""
    for service in cluster.every("Service"):
        kind = text(service.data, "spec", "type") or "ClusterIP"
        if kind != "ClusterIP":
            yield Flaw(service, "spec.type", f"is {kind}")
        if get(service.data, "spec", "externalIPs"):
            yield Flaw(service, "spec.externalIPs", "is set")
        for port in maps(service.data, "spec", "ports"):
            if port.get("nodePort"):
                yield Flaw(service, "spec.ports.nodePort", f"{port['nodePort']} is set")


@rule(
    "static-address",
    why="without reserved address every new load balancer gets another one, and DNS points nowhere",
    remedy=f"annotate the Ingress with {_ADDRESS}",
)
def static_address(cluster: Cluster) -> Iterator[Flaw]:
    """Every Ingress names a reserved global address."""
    for ingress in cluster.every("Ingress"):
        if not ingress.annotations.get(_ADDRESS):
            yield Flaw(ingress, f"metadata.annotations[{_ADDRESS}]", "is not set")


@rule(
    "routes-complete",
    why="a prefix at the wrong Service answers 404, or shows a page where a program expects an answer",
    remedy="route every prefix as dify_gitops/components/edge.py does",
)
def routes_complete(cluster: Cluster) -> Iterator[Flaw]:
    """An Ingress with one of Dify's Services sends each of Dify's prefixes to its Service, per host."""
    ours = {service for _, service in ROUTES}
    for ingress in cluster.every("Ingress"):
        table = list(routes(ingress))
        hosts = {route.host for route in table if route.service in ours and not route.is_default}
        for host in sorted(hosts):
            mine = [route for route in table if route.host == host or route.is_default]
            for prefix, service in ROUTES:
                for url in (prefix, f"{prefix.rstrip('/')}/x"):
                    found = _best(mine, url)
                    if found != service:
                        message = f"{url} goes to {found or 'nothing'}, not to {service}"
                        yield Flaw(ingress, f"spec.rules[{host}].http.paths[{prefix}]", message)
                        break


def _best(table: list[Route], url: str) -> str:
    best = max(table, key=lambda route: route.rank(url))
    return best.service if best.rank(url) >= 0 else ""
