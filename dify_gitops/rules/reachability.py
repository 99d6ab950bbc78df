"""Rules over connections: whatever is called can be reached through the NetworkPolicies."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dify_gitops import names
from dify_gitops.catalogue import ports
from dify_gitops.catalogue.addresses import LOAD_BALANCER
from dify_gitops.rules.access import get, maps, text
from dify_gitops.rules.calls import calls, container_port, service_port
from dify_gitops.rules.ingress import routes
from dify_gitops.rules.network import COLLECTOR, DNS, EGRESS, FRONT_ENDS, INGRESS, endpoint, network_of
from dify_gitops.rules.rule import Flaw, rule

if TYPE_CHECKING:
    from collections.abc import Iterator

    from dify_gitops.rules.calls import Call
    from dify_gitops.rules.cluster import Cluster, Pod

# Containers that stand for something outside of the cluster, and the port that they open there.
_OUTSIDE = {"cloud-sql-proxy": ports.CLOUD_SQL, "redis-tunnel": ports.MEMORYSTORE}
# Workloads that must reach public addresses, on ports that the input chooses.
_ONLINE = frozenset({"plugin-daemon", "ssrf-proxy"})


def _made_calls(cluster: Cluster) -> Iterator[tuple[Pod, Call]]:
    for pod in cluster.pods:
        for call in calls(cluster, pod):
            yield pod, call


@rule(
    "service-reachable",
    why="a call that a NetworkPolicy drops is a time-out in production and nothing anywhere else",
    remedy="allow the port in the egress of the caller's NetworkPolicy and in the ingress of the other one's",
)
def service_reachable(cluster: Cluster) -> Iterator[Flaw]:
    """Each Service in a pod's own configuration: egress there and ingress here allow the port."""
    network = network_of(cluster)
    for pod, call in _made_calls(cluster):
        service = cluster.find("Service", call.namespace, call.service)
        entry = service_port(service, call.port) if service else None
        if service is None or entry is None:
            continue  # rules of their own: reference-exists, port-exists
        protocol = text(entry, "protocol") or "TCP"
        for target in cluster.behind(service):
            number = container_port(service, entry, target)
            if number is None:
                continue
            where = f"{protocol} {number} of {target.owner}"
            if not network.allows(EGRESS, pod, endpoint(target), number, protocol):
                yield Flaw(pod.owner, call.field, f"calls {call.text}, but no egress rule lets it out to {where}")
            if not network.allows(INGRESS, target, endpoint(pod), number, protocol):
                yield Flaw(pod.owner, call.field, f"calls {call.text}, but no ingress rule lets it in to {where}")


@rule(
    "dns-reachable",
    why="without DNS no host name works, neither of a Service nor of Google's APIs",
    remedy="allow UDP and TCP 53 to the pods k8s-app=kube-dns of kube-system",
)
def dns_reachable(cluster: Cluster) -> Iterator[Flaw]:
    """Pods that call Services, Google or the internet may ask kube-dns, by UDP and by TCP."""
    network = network_of(cluster)
    callers = {id(pod) for pod, _ in _made_calls(cluster)}
    internet = network.public_address
    for pod in cluster.pods:
        resolves = id(pod) in callers or bool(google_account(cluster, pod)) or network.reaches(pod, internet)
        for protocol in ("UDP", "TCP") if resolves else ():
            if not network.allows(EGRESS, pod, DNS, ports.DNS, protocol):
                message = f"no egress rule lets it out to {protocol} {ports.DNS} of kube-dns"
                yield Flaw(pod.owner, pod.field("metadata.labels"), message)


def google_account(cluster: Cluster, pod: Pod) -> str:
    """The Google service account that a pod acts as; empty where there is none."""
    account = cluster.find("ServiceAccount", pod.namespace, text(pod.spec, "serviceAccountName"))
    return account.annotations.get(names.GOOGLE_SERVICE_ACCOUNT, "") if account else ""


@rule(
    "ingress-reachable",
    why="a backend that the load balancer cannot reach is unhealthy, and visitors get 502",
    remedy=f"admit {' and '.join(LOAD_BALANCER)} on the container's port",
)
def ingress_reachable(cluster: Cluster) -> Iterator[Flaw]:
    """Every backend of an Ingress admits Google's load balancers and health checks."""
    network = network_of(cluster)
    seen = set()
    for ingress in cluster.every("Ingress"):
        for route in routes(ingress):
            service = cluster.find("Service", ingress.namespace, route.service)
            entry = service_port(service, route.port) if service else None
            if service is None or entry is None:
                continue
            for pod in cluster.behind(service):
                number = container_port(service, entry, pod)
                if number is None or (id(pod), number) in seen:
                    continue
                seen.add((id(pod), number))
                for source in FRONT_ENDS:
                    if not network.allows(INGRESS, pod, source, number):
                        yield Flaw(ingress, route.field, f"TCP {number} of {pod.owner} does not admit {source}")


@rule(
    "metrics-reachable",
    why="metrics that cannot be scraped are missing when they are needed",
    remedy="admit the namespace gmp-system on the metrics port",
)
def metrics_reachable(cluster: Cluster) -> Iterator[Flaw]:
    """Every endpoint of a PodMonitoring admits the collectors of managed Prometheus."""
    network = network_of(cluster)
    for monitoring in cluster.every("PodMonitoring"):
        for pod in cluster.selected(monitoring.namespace, get(monitoring.data, "spec", "selector")):
            for item in maps(monitoring.data, "spec", "endpoints"):
                port = item.get("port")
                number = pod.ports.get(port) if isinstance(port, str) else port
                if isinstance(number, int) and not network.allows(INGRESS, pod, COLLECTOR, number):
                    message = f"TCP {number} of {pod.owner} does not admit the collectors"
                    yield Flaw(monitoring, f"spec.endpoints[{port}]", message)


@rule(
    "outside-reachable",
    why="a sidecar without way to its database never starts, and the pod waits for it for ever",
    remedy="select the pod in the NetworkPolicy that opens this way",
)
def outside_reachable(cluster: Cluster) -> Iterator[Flaw]:
    """Pods get out to Cloud SQL, Memorystore and Google's APIs where they have a container or identity for it."""
    network = network_of(cluster)
    internet = network.public_address
    for pod in cluster.pods:
        field = pod.field("metadata.labels")
        for container in pod.containers:
            port = _OUTSIDE.get(container.name)
            if port and not network.leaves(pod, port):
                message = f"no egress rule lets {container.name} out to any address on TCP {port}"
                yield Flaw(pod.owner, field, message)
        if google_account(cluster, pod) and not network.allows(EGRESS, pod, internet, ports.HTTPS):
            yield Flaw(pod.owner, field, f"no egress rule lets it out to the internet on TCP {ports.HTTPS}")
        elif pod.labels.get(names.NAME) in _ONLINE and not network.reaches(pod, internet):
            yield Flaw(pod.owner, field, "no egress rule lets it out to the internet by TCP")
