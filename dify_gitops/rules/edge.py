"""Rules over the public entry: what is reachable from outside, how, and how long an answer may take."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from dify_gitops import names
from dify_gitops.catalogue.variables import LONGEST_RUN, PLUGIN_CALL
from dify_gitops.rules.access import get, integer, text, texts
from dify_gitops.rules.calls import service_port
from dify_gitops.rules.dify import api_processes
from dify_gitops.rules.ingress import routes
from dify_gitops.rules.references import BACKEND, CERTIFICATES, FRONTEND, backend_configs
from dify_gitops.rules.rule import Flaw, rule

if TYPE_CHECKING:
    from collections.abc import Iterator

    from dify_gitops.rules.cluster import Cluster, Object

# Answer without authentication, or are meant for the plugin daemon only: langgenius/dify,
# api/extensions/ext_app_metrics.py and api/controllers/inner_api.
_INTERNAL = ("/threads", "/db-pool-stat", "/inner/api", "/inner/api/invoke/llm", "/health")
_GOOGLE_DEFAULT = 30  # seconds, which bound a whole streamed answer
_ALLOW_HTTP = "kubernetes.io/ingress.allow-http"


def _api_services(cluster: Cluster) -> set[tuple[str, str]]:
    pods = {id(process.pod) for process in api_processes(cluster)}
    services = cluster.every("Service")
    return {(s.namespace, s.name) for s in services if any(id(pod) in pods for pod in cluster.behind(s))}


@rule(
    "internal-paths",
    why="/threads and /db-pool-stat answer without authentication, /inner/api is for the plugin daemon only",
    remedy="route only the prefixes that the public needs to the api",
)
def internal_paths(cluster: Cluster) -> Iterator[Flaw]:
    """No Ingress brings the api's internal paths to the api."""
    services = _api_services(cluster)
    for ingress in cluster.every("Ingress"):
        table = list(routes(ingress))
        for host in {route.host for route in table}:
            mine = [route for route in table if route.host == host or route.is_default]
            for url in _INTERNAL:
                best = max(mine, key=lambda route: route.rank(url))
                if best.rank(url) >= 0 and (ingress.namespace, best.service) in services:
                    yield Flaw(ingress, f"{best.field}.name", f"{url} reaches {best.service}")


@rule(
    "ingress-host",
    why="without a host the load balancer answers to every name; without certificate the name does not work",
    remedy="set the host, and list it in a ManagedCertificate that the Ingress names",
)
def ingress_host(cluster: Cluster) -> Iterator[Flaw]:
    """Every rule of an Ingress has a host, and a certificate of the Ingress covers it."""
    for ingress in cluster.every("Ingress"):
        named = [name.strip() for name in ingress.annotations.get(CERTIFICATES, "").split(",")]
        found = [cluster.find("ManagedCertificate", ingress.namespace, name) for name in named]
        domains = {domain for item in found if item for domain in texts(item.data, "spec", "domains")}
        for host in sorted({route.host for route in routes(ingress) if not route.is_default}):
            if not host:
                yield Flaw(ingress, "spec.rules.host", "is not set")
            elif domains and host not in domains:
                yield Flaw(ingress, f"spec.rules[{host}].host", f"is not in {', '.join(sorted(domains))}")


@rule(
    "https-only",
    why="session cookies and API keys must not travel in clear text, nor under TLS 1.0",
    remedy="name a FrontendConfig with redirectToHttps.enabled: true and an sslPolicy",
)
def https_only(cluster: Cluster) -> Iterator[Flaw]:
    """Every Ingress redirects to HTTPS, or has no HTTP, and names an SSL policy."""
    for ingress in cluster.every("Ingress"):
        name = ingress.annotations.get(FRONTEND, "")
        frontend = cluster.find("FrontendConfig", ingress.namespace, name)
        if not name:
            yield Flaw(ingress, f"metadata.annotations[{FRONTEND}]", "is not set")
        if frontend is None:
            continue
        redirects = get(frontend.data, "spec", "redirectToHttps", "enabled") is True
        if not redirects and ingress.annotations.get(_ALLOW_HTTP) != "false":
            yield Flaw(frontend, "spec.redirectToHttps.enabled", "is not true")
        if not text(frontend.data, "spec", "sslPolicy"):
            yield Flaw(frontend, "spec.sslPolicy", "is not set")


class Backend(NamedTuple):
    """A Service that an Ingress routes to, the entry of its ``ports``, and the BackendConfig for that port."""

    service: Object
    entry: dict[str, Any]
    config: Object | None


def backends(cluster: Cluster) -> Iterator[Backend]:
    """Every backend of an Ingress."""
    for ingress in cluster.every("Ingress"):
        for route in routes(ingress):
            service = cluster.find("Service", ingress.namespace, route.service)
            if service is None:
                continue
            configs = backend_configs(service)
            entry = service_port(service, route.port) or {}
            keys = (str(entry.get("name")), str(entry.get("port")), "default")
            name = next((configs[key] for key in keys if key in configs), "")
            yield Backend(service, entry, cluster.find("BackendConfig", service.namespace, name))


@rule(
    "security-policy",
    why="a backend without Cloud Armor has no rate limit and no filter",
    remedy="name a BackendConfig at the Service, and in it a securityPolicy",
)
def security_policy(cluster: Cluster) -> Iterator[Flaw]:
    """Every backend of an Ingress has a BackendConfig, and every BackendConfig a Cloud Armor policy."""
    for service, _, config in backends(cluster):
        if config is None:
            field = f"metadata.annotations[{BACKEND}]"
            yield Flaw(service, field, "names no BackendConfig for the port that an Ingress uses")
    for config in cluster.every("BackendConfig"):
        if not text(config.data, "spec", "securityPolicy", "name"):
            yield Flaw(config, "spec.securityPolicy.name", "is not set")


@rule(
    "backend-timeout",
    why="the load balancer's time-out bounds a whole streamed answer, by default 30 s",
    remedy=f"set timeoutSec to at least {LONGEST_RUN} for the api, {PLUGIN_CALL} for the plugin gateway",
)
def backend_timeout(cluster: Cluster) -> Iterator[Flaw]:
    """Backends of the api and of plugins wait as long as an answer may take."""
    services = _api_services(cluster)
    for service, _, config in backends(cluster):
        seconds = integer(config.data, "spec", "timeoutSec") if config else None
        seconds = _GOOGLE_DEFAULT if seconds is None else seconds
        least = LONGEST_RUN if (service.namespace, service.name) in services else 0
        if any(pod.labels.get(names.NAME) == "plugin-gateway" for pod in cluster.behind(service)):
            least = PLUGIN_CALL
        if config and seconds < least:
            yield Flaw(config, "spec.timeoutSec", f"{seconds} s is less than an answer may take, {least} s")
