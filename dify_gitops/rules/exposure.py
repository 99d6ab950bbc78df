"""Rules over addresses in NetworkPolicies: who may come in from outside, and which private ranges may be reached."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from dify_gitops.catalogue import ports
from dify_gitops.catalogue.addresses import METADATA, NODE_LOCAL_DNS
from dify_gitops.rules.access import get, integer, maps, text
from dify_gitops.rules.dify import image_name
from dify_gitops.rules.network import (
    EGRESS,
    FRONT_ENDS,
    INGRESS,
    contains,
    entries,
    every_namespace,
    is_special,
    parse_range,
    policy_types,
)
from dify_gitops.rules.rule import Flaw, rule

if TYPE_CHECKING:
    from collections.abc import Iterator

    from dify_gitops.rules.cluster import Cluster, Object
    from dify_gitops.rules.network import Range

# Link-local addresses that pods need, with their ports.
_LINK_LOCAL = {METADATA: set(ports.METADATA), NODE_LOCAL_DNS: {ports.DNS}}
# Ports of private services, and the sidecars (container or image) that connect there.
_TUNNELS = {ports.CLOUD_SQL: {"cloud-sql-proxy"}, ports.MEMORYSTORE: {"redis-tunnel", "haproxy"}}
# GKE's control plane is a /28: https://cloud.google.com/kubernetes-engine/docs/how-to/private-clusters
_CONTROL_PLANE = 28
_WIDEST_SUBNET = 8  # https://cloud.google.com/vpc/docs/subnets#valid-ranges


class Block(NamedTuple):
    """A range in an egress rule, with the port numbers of the rule (None: not only numbers of TCP and UDP)."""

    policy: Object
    field: str
    range: Range
    ports: set[int] | None

    @property
    def for_api_server(self) -> bool:
        """Whether it may be GKE's control plane, by its size and port."""
        private = is_special(self.range) and str(self.range) not in _LINK_LOCAL
        return private and self.ports == {ports.HTTPS} and self.range.prefixlen >= _CONTROL_PLANE


@rule(
    "ingress-narrow",
    why="whoever comes in past the Ingress meets no Cloud Armor, and mostly no password",
    remedy="name ports, and pods, the nodes' range (of the policy for all pods) or the load balancer's",
)
def ingress_narrow(cluster: Cluster) -> Iterator[Flaw]:
    """Ingress rules name who may come in, and where; addresses are the nodes' or the load balancer's."""
    for policy in cluster.every("NetworkPolicy"):
        if INGRESS not in policy_types(policy):
            continue
        nodes = _nodes(cluster, policy.namespace)
        for number, entry in enumerate(entries(policy, INGRESS)):
            field = f"spec.ingress[{number}]"
            if not maps(entry, "from"):
                yield Flaw(policy, f"{field}.from", "is not set: everybody may come in")
            if not maps(entry, "ports"):
                yield Flaw(policy, f"{field}.ports", "is not set: every port is open")
            for peer in maps(entry, "from"):
                if every_namespace(peer):
                    yield Flaw(policy, f"{field}.from.namespaceSelector", "selects every namespace of the cluster")
                cidr = text(peer, "ipBlock", "cidr")
                block = parse_range(cidr)
                if block and not any(contains(known, block) for known in (*FRONT_ENDS, *nodes)):
                    message = f"{cidr} is neither the nodes' range nor the load balancer's"
                    yield Flaw(policy, f"{field}.from.ipBlock.cidr", message)


def _nodes(cluster: Cluster, namespace: str) -> list[Range]:
    """Where the kubelet's probes come from: what a namespace's policy for all of its pods admits."""
    blocks = (
        parse_range(text(peer, "ipBlock", "cidr"))
        for policy in cluster.every("NetworkPolicy")
        if policy.namespace == namespace and get(policy.data, "spec", "podSelector") == {}
        for entry in entries(policy, INGRESS)
        for peer in maps(entry, "from")
    )
    return [block for block in blocks if block and block.prefixlen >= _WIDEST_SUBNET and not _holds_front_end(block)]


def _holds_front_end(block: Range) -> bool:
    return any(contains(block, front_end) for front_end in FRONT_ENDS)


@rule(
    "private-egress",
    why="private addresses are databases, nodes and other people's machines: three are needed, by few pods",
    remedy="allow privateServices to pods with its sidecar, on 3307 or 6378, and controlPlane on 443",
)
def private_egress(cluster: Cluster) -> Iterator[Flaw]:
    """Ranges that are not the internet: metadata server, DNS, private services for sidecars, API server for tokens."""
    tunnels = set(_TUNNELS)
    private = [block for block in blocks(cluster) if is_special(block.range)]
    services = [block.range for block in private if block.ports and block.ports <= tunnels]
    narrowest = max(services, key=lambda block: block.prefixlen, default=None)
    for block in private:
        known = _LINK_LOCAL.get(str(block.range))
        if known is not None:
            if block.ports is None or not block.ports <= known:
                wanted = " and ".join(map(str, sorted(known)))
                yield Flaw(block.policy, block.field, f"{block.range} is open on more than {wanted}")
        elif block.for_api_server:
            continue  # joined-api-server knows its address
        elif block.ports is None or not block.ports <= tunnels:
            yield Flaw(block.policy, block.field, f"{block.range} is private, and not for {_spell(block.ports)}")
        elif block.range != narrowest:
            message = f"{block.range} is wider than the range of private services, {narrowest}"
            yield Flaw(block.policy, block.field, message)
        else:
            yield from _without_sidecar(cluster, block)


def _without_sidecar(cluster: Cluster, block: Block) -> Iterator[Flaw]:
    for pod in cluster.selected(block.policy.namespace, get(block.policy.data, "spec", "podSelector")):
        running = {name for container in pod.containers for name in (container.name, image_name(container))}
        for port in sorted(block.ports or ()):
            if not running & _TUNNELS[port]:
                message = f"{pod.owner} may reach {block.range} on {port}, but has no sidecar for it"
                yield Flaw(block.policy, block.field, message)


def blocks(cluster: Cluster) -> Iterator[Block]:
    """Every range that egress rules let pods out to."""
    for policy in cluster.every("NetworkPolicy"):
        for number, entry in enumerate(entries(policy, EGRESS)):
            for peer in maps(entry, "to"):
                block = parse_range(text(peer, "ipBlock", "cidr"))
                if block:
                    yield Block(policy, f"spec.egress[{number}].to.ipBlock.cidr", block, _numbers(entry))


def _numbers(entry: dict[str, Any]) -> set[int] | None:
    found = [integer(item, "port") if "endPort" not in item else None for item in maps(entry, "ports")]
    known = {number for number in found if number is not None}
    return known if found and len(known) == len(set(found)) else None


def _spell(numbers: set[int] | None) -> str:
    return f"port {', '.join(map(str, sorted(numbers)))}" if numbers else "every port"
