"""Who may talk to whom: everything that Dify needs, and nothing else, as Kubernetes evaluates the policies."""

from __future__ import annotations

from ipaddress import ip_network
from pathlib import Path

import pytest
from repo import Cluster, build, environment, make

from dify_gitops.rules import cluster as rendered
from dify_gitops.rules.network import COLLECTOR, DNS, EGRESS, INGRESS, Network, endpoint


class World:
    """Policies of one rendered environment, asked by workload name."""

    def __init__(self, cluster: Cluster) -> None:
        self._cluster = rendered.Cluster(cluster.objects, "1.35")
        self._network = Network(self._cluster)

    def pod(self, name: str) -> rendered.Pod:
        (pod,) = (one for one in self._cluster.pods if one.owner.name == name)
        return pod

    def calls(self, caller: str, callee: str, port: int) -> bool:
        """Both sides must agree."""
        source, target = self.pod(caller), self.pod(callee)
        return self._network.allows(EGRESS, source, endpoint(target), port) and self._network.allows(
            INGRESS, target, endpoint(source), port
        )

    def leaves(self, caller: str, address: str, port: int) -> bool:
        return self._network.allows(EGRESS, self.pod(caller), ip_network(address), port)

    def enters(self, callee: str, address: str, port: int) -> bool:
        return self._network.allows(INGRESS, self.pod(callee), ip_network(address), port)

    def resolves(self, caller: str) -> bool:
        pod = self.pod(caller)
        return all(self._network.allows(EGRESS, pod, DNS, 53, protocol) for protocol in ("UDP", "TCP"))

    def scraped(self, callee: str, port: int) -> bool:
        return self._network.allows(INGRESS, self.pod(callee), COLLECTOR, port)


@pytest.fixture(scope="module")
def world(prod: Cluster) -> World:
    return World(prod)


WORKLOADS = (
    "api",
    "worker-interactive",
    "worker-batch",
    "beat",
    "migration",
    "web",
    "plugin-daemon",
    "plugin-gateway",
    "ssrf-proxy",
    "sandbox",
    "weaviate",
    "weaviate-backup",
)
# Every connection inside of the cluster that Dify makes. Nothing else may be possible.
CALLS = {
    *(
        (caller, callee, port)
        for caller in ("api", "worker-interactive", "worker-batch")
        for callee, port in (
            ("api", 5001),
            ("plugin-daemon", 5002),
            ("sandbox", 8194),
            ("ssrf-proxy", 3128),
            ("weaviate", 8080),
            ("weaviate", 50051),
        )
    ),
    ("plugin-daemon", "api", 5001),
    ("plugin-gateway", "plugin-daemon", 5002),
    ("sandbox", "ssrf-proxy", 3128),
    ("weaviate-backup", "weaviate", 8080),
}
PORTS = (80, 443, 2112, 3000, 3128, 5001, 5002, 5003, 6379, 8080, 8194, 8404, 9090, 50051)


def test_exactly_these_connections_are_possible_inside(world: World) -> None:
    possible = {
        (caller, callee, port)
        for caller in WORKLOADS
        for callee in WORKLOADS
        for port in PORTS
        if world.calls(caller, callee, port)
    }
    assert possible == CALLS


POSTGRES = {"api", "worker-interactive", "worker-batch", "beat", "migration", "plugin-daemon"}
REDIS = POSTGRES - {"migration"}
GOOGLE = POSTGRES | {"weaviate", "weaviate-backup"}
INTERNET = "142.250.0.0/16"
OUTSIDE = {
    # (address, port): who may reach it
    ("10.3.0.0/16", 3307): POSTGRES,  # Auth Proxy → Cloud SQL
    ("10.3.0.0/16", 6378): REDIS,  # tunnel → Memorystore
    ("10.3.0.0/16", 5432): set(),
    ("169.254.169.254/32", 80): GOOGLE,  # GKE metadata server
    ("169.254.169.254/32", 8080): GOOGLE,
    (INTERNET, 443): GOOGLE | {"web", "ssrf-proxy"},
    (INTERNET, 80): {"ssrf-proxy"},
    (INTERNET, 22): set(),
    (INTERNET, 25): set(),
    ("10.0.0.0/16", 443): set(),  # nodes
    ("10.2.0.0/16", 443): set(),  # Services, the API server among them
    ("172.16.0.0/28", 443): set(),  # control plane
    ("169.254.169.254/32", 443): set(),
    ("192.168.0.0/16", 443): set(),
    ("100.64.0.0/10", 443): set(),
}


@pytest.mark.parametrize(("address", "port"), OUTSIDE)
def test_exactly_these_reach_addresses_outside(world: World, address: str, port: int) -> None:
    assert {name for name in WORKLOADS if world.leaves(name, address, port)} == OUTSIDE[address, port]


@pytest.mark.parametrize("name", WORKLOADS)
def test_everybody_resolves_names(world: World, name: str) -> None:
    assert world.resolves(name)
    assert world.leaves(name, "169.254.20.10/32", 53), "NodeLocal DNSCache"


@pytest.mark.parametrize("source", ["35.191.0.0/16", "130.211.0.0/22"])
def test_the_load_balancer_reaches_its_three_backends(world: World, source: str) -> None:
    entered = {(name, port) for name in WORKLOADS for port in PORTS if world.enters(name, source, port)}
    assert entered == {("api", 5001), ("web", 3000), ("plugin-gateway", 8080)}


def test_nobody_else_comes_in(world: World) -> None:
    assert not [name for name in WORKLOADS for port in PORTS if world.enters(name, "203.0.113.0/24", port)]


def test_the_kubelet_s_probes_arrive(prod: Cluster, world: World) -> None:
    for workload, pod in prod.pods():
        for container in (*pod["containers"], *pod.get("initContainers", [])):
            numbers = {port["name"]: port["containerPort"] for port in container.get("ports", [])}
            for probe in ("startupProbe", "readinessProbe", "livenessProbe"):
                handler = container.get(probe, {})
                target = handler.get("httpGet") or handler.get("tcpSocket")
                if target:
                    assert world.enters(workload["metadata"]["name"], "10.0.0.0/16", numbers[target["port"]])


def test_metrics_are_read_by_the_collectors_only(world: World) -> None:
    scraped = {(name, port) for name in WORKLOADS for port in PORTS if world.scraped(name, port)}
    assert scraped == {("weaviate", 2112), *((n, 9090) for n in POSTGRES), *((n, 8404) for n in REDIS)}


def test_both_namespaces_deny_by_default(prod: Cluster) -> None:
    for home in ("dify", "dify-sandbox"):
        spec = prod.get("NetworkPolicy", "default-deny", home)["spec"]
        assert spec == {"podSelector": {}, "policyTypes": ["Ingress", "Egress"]}


def test_ranges_and_ports_come_from_the_input(tmp_path: Path) -> None:
    text = environment(
        network="{pods: 11.0.0.0/16, privateServices: 10.9.0.0/16, nodes: 10.64.0.0/16}",
        ssrfProxy="{ports: [443, 8443]}",
        pluginDaemon="{ports: [443, 1521]}",
    )
    cluster = Cluster(build(make(tmp_path, prod=text), "overlays/prod"))
    world = World(cluster)
    assert world.leaves("api", "10.9.0.0/16", 3307)
    assert not world.leaves("api", "10.3.0.0/16", 3307)
    assert not world.leaves("ssrf-proxy", "11.0.0.0/16", 443), "public addresses used privately are not the internet"
    assert world.leaves("ssrf-proxy", INTERNET, 8443)
    assert not world.leaves("ssrf-proxy", INTERNET, 80)
    assert world.leaves("plugin-daemon", INTERNET, 1521)
    assert not world.leaves("api", INTERNET, 1521)
    assert world.enters("api", "10.64.0.0/16", 5001)


def test_squid_refuses_what_its_policy_refuses(prod: Cluster) -> None:
    conf = prod.config("ssrf-proxy")["squid.conf"]
    (policy,) = prod.get("NetworkPolicy", "internet-ssrf-proxy")["spec"]["egress"]
    for cidr in policy["to"][0]["ipBlock"]["except"]:
        assert cidr in conf
