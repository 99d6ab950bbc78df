"""NetworkPolicies as Kubernetes evaluates them: who may open a connection to whom.

https://kubernetes.io/docs/concepts/services-networking/network-policies/ and, for addresses, GKE Dataplane V2
(Cilium): an ipBlock never matches a pod of the cluster.
"""

from __future__ import annotations

from functools import cache, cached_property, lru_cache
from ipaddress import IPv4Network, IPv6Network, ip_network
from typing import TYPE_CHECKING, Any, NamedTuple

from dify_gitops import names
from dify_gitops.catalogue.addresses import LOAD_BALANCER, SPECIAL
from dify_gitops.rules.access import get, integer, labels, mapping, maps, text, texts
from dify_gitops.rules.selectors import matches

if TYPE_CHECKING:
    from collections.abc import Mapping

    from dify_gitops.rules.cluster import Cluster, Object, Pod

INGRESS, EGRESS = "Ingress", "Egress"
PEERS = {INGRESS: "from", EGRESS: "to"}
Range = IPv4Network | IPv6Network
# What is not the internet; of IPv6, which the cluster does not have, only what is private and link-local.
SPECIAL_RANGES: tuple[Range, ...] = tuple(ip_network(cidr) for cidr in (*SPECIAL, "fc00::/7", "fe80::/10"))
# Google's load balancers and their health checks: https://cloud.google.com/load-balancing/docs/health-checks
FRONT_ENDS = tuple(IPv4Network(cidr) for cidr in LOAD_BALANCER)


class Endpoint(NamedTuple):
    """A pod as policies see it; ``ports`` are its named ports."""

    namespace: str
    labels: Mapping[str, str]
    ports: Mapping[str, int]


# kube-dns and the collectors of managed Prometheus, as GKE runs them.
DNS = Endpoint("kube-system", {"k8s-app": "kube-dns"}, {"dns": 53, "dns-tcp": 53})
COLLECTOR = Endpoint("gmp-system", {"app": "managed-prometheus-collector", "app.kubernetes.io/name": "collector"}, {})


def endpoint(pod: Pod) -> Endpoint:
    """A rendered pod as a policy sees it."""
    return Endpoint(pod.namespace, pod.labels, pod.ports)


@lru_cache(maxsize=1024)
def parse_range(value: str) -> Range | None:
    """An address range; None for what is none."""
    try:
        return ip_network(value, strict=False)
    except ValueError:
        return None


def contains(whole: Range | None, part: Range) -> bool:
    """Whether all of one range lies in another; never across address families."""
    if isinstance(whole, IPv4Network):
        return isinstance(part, IPv4Network) and part.subnet_of(whole)
    return isinstance(whole, IPv6Network) and isinstance(part, IPv6Network) and part.subnet_of(whole)


@lru_cache(maxsize=1024)
def is_special(part: Range) -> bool:
    """Whether all of a range lies in address space that is not the internet."""
    return any(contains(special, part) for special in SPECIAL_RANGES)


@cache
def _samples() -> list[IPv4Network]:
    """Addresses all over the internet."""
    found = [IPv4Network(f"{first}.{first}.{first}.{first}") for first in range(1, 224)]
    return [one for one in found if not is_special(one)]


def policy_types(policy: Object) -> set[str]:
    """Directions that a policy restricts; by default ingress, and egress where it has egress rules."""
    named = set(texts(policy.data, "spec", "policyTypes"))
    return named or {INGRESS, *([EGRESS] if get(policy.data, "spec", "egress") else [])}


def entries(policy: Object, direction: str) -> list[dict[str, Any]]:
    """The rules of one direction, each with peers and ports."""
    return maps(policy.data, "spec", direction.lower())


def pinned_namespace(peer: dict[str, Any], policy: Object) -> str:
    """The one namespace that a peer means: the policy's own, or one by name; empty where it may be any."""
    if "namespaceSelector" not in peer:
        return policy.namespace
    return labels(peer, "namespaceSelector", "matchLabels").get(names.NAMESPACE_NAME, "")


def every_namespace(peer: dict[str, Any]) -> bool:
    """Whether a peer means all namespaces of the cluster."""
    return "namespaceSelector" in peer and not mapping(peer, "namespaceSelector")


class Network:
    """All NetworkPolicies of a cluster."""

    def __init__(self, cluster: Cluster) -> None:
        self._cluster = cluster
        self._policies = cluster.every("NetworkPolicy")
        self._found: dict[tuple[Pod, str], list[Object]] = {}

    def _restricting(self, pod: Pod, direction: str) -> list[Object]:
        """Policies that select a pod in that direction; without any, everything is allowed."""
        if (pod, direction) not in self._found:
            self._found[pod, direction] = [
                policy
                for policy in self._policies
                if policy.namespace == pod.namespace
                and direction in policy_types(policy)
                and matches(get(policy.data, "spec", "podSelector"), pod.labels)
            ]
        return self._found[pod, direction]

    def allows(self, direction: str, pod: Pod, other: Endpoint | Range, port: int, protocol: str = "TCP") -> bool:
        """Whether the policies of ``pod`` let it open (egress) or accept (ingress) a connection.

        ``port`` is a number of the pod that accepts. A range is allowed where all of it is.
        """
        policies = self._restricting(pod, direction)
        accepting = endpoint(pod) if direction == INGRESS else other
        named = accepting.ports if isinstance(accepting, Endpoint) else {}
        return not policies or any(
            _port_allowed(entry, port, protocol, named)
            and self._peer_allowed(entry, direction, policy.namespace, other)
            for policy in policies
            for entry in entries(policy, direction)
        )

    @cached_property
    def public_address(self) -> IPv4Network:
        """A public address that no policy excepts: it stands for the internet.

        Environments may use public addresses privately, so that no fixed one will do.
        """
        holes = {
            parse_range(hole)
            for policy in self._policies
            for entry in entries(policy, EGRESS)
            for peer in maps(entry, PEERS[EGRESS])
            for hole in texts(peer, "ipBlock", "except")
        }
        return next((one for one in _samples() if not any(contains(hole, one) for hole in holes)), _samples()[0])

    def reaches(self, pod: Pod, address: Range) -> bool:
        """Whether a pod may open TCP connections to an address on any port."""
        policies = self._restricting(pod, EGRESS)
        return not policies or any(
            _opens_tcp(entry) and self._peer_allowed(entry, EGRESS, policy.namespace, address)
            for policy in policies
            for entry in entries(policy, EGRESS)
        )

    def leaves(self, pod: Pod, port: int) -> bool:
        """Whether a pod may open TCP connections on ``port`` to any range of addresses."""
        policies = self._restricting(pod, EGRESS)
        return not policies or any(
            _port_allowed(entry, port, "TCP", {}) and any("ipBlock" in peer for peer in maps(entry, PEERS[EGRESS]))
            for policy in policies
            for entry in entries(policy, EGRESS)
        )

    def _peer_allowed(self, entry: dict[str, Any], direction: str, namespace: str, other: Endpoint | Range) -> bool:
        peers = maps(entry, PEERS[direction])
        return not peers or any(self._peer_matches(peer, namespace, other) for peer in peers)

    def _peer_matches(self, peer: dict[str, Any], namespace: str, other: Endpoint | Range) -> bool:
        """Whether one peer of a policy in ``namespace`` covers a pod or a whole range."""
        if not isinstance(other, Endpoint):
            return "ipBlock" in peer and _block_covers(peer["ipBlock"], other)
        if "ipBlock" in peer:
            return False
        if "namespaceSelector" in peer:
            if not matches(peer["namespaceSelector"], self._cluster.namespace_labels(other.namespace)):
                return False
        elif other.namespace != namespace:
            return False
        return "podSelector" not in peer or matches(peer["podSelector"], other.labels)


def _block_covers(block: Any, other: Range) -> bool:
    if not contains(parse_range(text(block, "cidr")), other):
        return False
    return not any(hole and hole.overlaps(other) for hole in map(parse_range, texts(block, "except")))


@lru_cache(maxsize=4)
def network_of(cluster: Cluster) -> Network:
    """The policies of a cluster, which several rules ask."""
    return Network(cluster)


def _opens_tcp(entry: dict[str, Any]) -> bool:
    ports = maps(entry, "ports")
    return not ports or any((text(item, "protocol") or "TCP") == "TCP" for item in ports)


def _port_allowed(entry: dict[str, Any], port: int, protocol: str, named: Mapping[str, int]) -> bool:
    ports = maps(entry, "ports")
    return not ports or any(_port_matches(item, port, protocol, named) for item in ports)


def _port_matches(item: dict[str, Any], port: int, protocol: str, named: Mapping[str, int]) -> bool:
    if (text(item, "protocol") or "TCP") != protocol:
        return False
    if "port" not in item:
        return True
    first = named.get(item["port"]) if isinstance(item["port"], str) else integer(item, "port")
    last = integer(item, "endPort") or first
    return first is not None and last is not None and first <= port <= last
