"""Rules over addresses: ranges lie inside and beside each other as they must, and are those of the input."""

from __future__ import annotations

from ipaddress import IPv4Network, IPv6Network, ip_network
from itertools import combinations
from typing import TYPE_CHECKING, NamedTuple

from dify_gitops import names
from dify_gitops.catalogue.addresses import LOAD_BALANCER
from dify_gitops.catalogue.google import IAP, MAX_PODS
from dify_gitops.rules.access import integer, maps, text, texts
from dify_gitops.rules.google.links import secondary_ranges, subnet_of
from dify_gitops.rules.rule import Flaw, rule

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from dify_gitops.rules.cluster import Object
    from dify_gitops.rules.google.estate import Estate


class Area(NamedTuple):
    """A range of one VPC, and where it is written. ``what`` is its key in the input, empty for ranges of others."""

    item: Object
    field: str
    what: str
    network: IPv4Network


def _network(value: str) -> IPv4Network | None:
    try:
        return IPv4Network(value)
    except ValueError:
        return None  # google-format tells it


def _any_network(value: str) -> IPv4Network | IPv6Network | None:
    try:
        return ip_network(value)
    except ValueError:
        return None


def _within(network: IPv4Network | IPv6Network, others: Iterable[IPv4Network]) -> bool:
    return isinstance(network, IPv4Network) and any(network.subnet_of(one) for one in others)


def _areas(estate: Estate) -> Iterator[Area]:
    """Every range of the VPC: subnets, pods, Services, private services, control plane."""
    clusters = [subnet_of(estate, cluster) for cluster in estate.of("ContainerCluster") if estate.ours(cluster)]
    for item in estate.of("ComputeSubnetwork"):
        ours = item in clusters
        places = {"spec.ipCidrRange": ("nodes" if ours else "", text(item.data, "spec", "ipCidrRange"))}
        for number, (name, cidr) in enumerate(secondary_ranges(item).items()):
            places[f"spec.secondaryIpRange[{number}].ipCidrRange"] = (name if ours else "", cidr)
        for field, (what, cidr) in places.items():
            if network := _network(cidr):
                yield Area(item, field, what, network)
    for item in estate.of("ComputeAddress"):
        address, length = text(item.data, "spec", "address"), integer(item.data, "spec", "prefixLength")
        peering = text(item.data, "spec", "purpose") == "VPC_PEERING"
        if peering and length is not None and (network := _network(f"{address}/{length}")):
            what = "privateServices" if item.name == names.PRIVATE_SERVICES else ""
            yield Area(item, "spec.address", what, network)
    for item in estate.of("ContainerCluster"):
        field = "spec.privateClusterConfig.masterIpv4CidrBlock"
        if network := _network(text(item.data, *field.split("."))):
            yield Area(item, field, "controlPlane" if estate.ours(item) else "", network)


@rule(
    "google-ranges-apart",
    why="two ranges of one network that share an address are refused, or route wrongly",
    remedy="choose disjoint ranges",
)
def google_ranges_apart(estate: Estate) -> Iterator[Flaw]:
    """No two ranges of the network overlap."""
    for one, other in combinations(_areas(estate), 2):
        if one.network.overlaps(other.network):
            yield Flaw(other.item, other.field, f"{other.network} overlaps {one.network} ({one.item} {one.field})")


@rule(
    "google-ranges-input",
    why="NetworkPolicies and the SSRF proxy are made from the input's ranges: others would be open, or shut",
    remedy="change the range in environments/, so that everything follows",
)
def google_ranges_input(estate: Estate) -> Iterator[Flaw]:
    """The ranges of subnet, peering and control plane are those of the environment's file."""
    own = estate.environment.network
    wanted = {
        "nodes": own.nodes,
        "pods": own.pods,
        "services": own.services,
        "privateServices": own.private_services,
        "controlPlane": own.control_plane,
    }
    for area in _areas(estate):
        if area.what in wanted and str(area.network) != wanted[area.what]:
            yield Flaw(area.item, area.field, f"{area.network} is not network.{area.what}, {wanted[area.what]}")


@rule(
    "google-address-inside",
    why="an address outside of its subnet or peering range cannot be reserved",
    remedy="choose a free address of the subnet; for a peering range its first address",
)
def google_address_inside(estate: Estate) -> Iterator[Flaw]:
    """Internal addresses lie in their subnet's primary range; peering ranges begin where they say."""
    for item in estate.of("ComputeAddress"):
        address, length = text(item.data, "spec", "address"), integer(item.data, "spec", "prefixLength")
        if not address:
            continue
        if length is not None:
            if _network(f"{address}/{length}") is None:
                yield Flaw(item, "spec.address", f"{address}/{length} is no range")
            continue
        subnet = subnet_of(estate, item)
        primary = _network(text(subnet.data, "spec", "ipCidrRange")) if subnet else None
        if primary and (single := _network(address)) and not single.subnet_of(primary):
            yield Flaw(item, "spec.address", f"{address} is not in {primary} of {subnet}")


# Ports by which people log in to a machine.
_SSH, _RDP = 22, 3389
_PRIVATE = tuple(IPv4Network(cidr) for cidr in ("10.0.0.0/8", "100.64.0.0/10", "172.16.0.0/12", "192.168.0.0/16"))
_PRIVATE_6 = IPv6Network("fc00::/7")
# Cloud DNS and the connectors of serverless services, and the balancer's IPv6:
# https://cloud.google.com/dns/docs/zones/forwarding-zones, https://cloud.google.com/load-balancing/docs/firewall-rules
_GOOGLE = frozenset(
    map(ip_network, (*LOAD_BALANCER, IAP, "35.199.192.0/19", "2600:2d00:1:1::/64", "2600:2d00:1:b029::/64"))
)


def _opens(allow: dict[str, object], port: int) -> bool:
    """Whether an entry of ``allow`` covers a TCP port; without ports it covers all."""
    if allow.get("protocol") not in ("tcp", "all", "6"):
        return False
    ports = texts(allow, "ports")
    for entry in ports:
        first, _, last = entry.partition("-")
        if first.isdigit() and int(first) <= port <= int(last if last.isdigit() else first):
            return True
    return not ports


@rule(
    "google-firewall-sources",
    why="nodes have no public address, and nothing on the internet has business with them",
    remedy="name the sources: ranges of this network, Google's load balancer, Identity-Aware Proxy",
)
def google_firewall_sources(estate: Estate) -> Iterator[Flaw]:
    """Rules that let something in name private ranges, Google's load balancer or IAP; SSH and RDP IAP only."""
    own = [area.network for area in _areas(estate)]
    for item in estate.of("ComputeFirewall"):
        allows = maps(item.data, "spec", "allow")
        if not allows or text(item.data, "spec", "direction") == "EGRESS":
            continue
        remote = [allow for allow in allows for port in (_SSH, _RDP) if _opens(allow, port)]
        unsaid = "" if all(texts(allow, "ports") for allow in remote) else ": no ports are all ports"
        for number, cidr in enumerate(texts(item.data, "spec", "sourceRanges")):
            network = _any_network(cidr)
            if network is None:
                continue
            field = f"spec.sourceRanges[{number}]"
            inside = _within(network, own)
            private = (
                network.subnet_of(_PRIVATE_6)
                if isinstance(network, IPv6Network)
                else _within(network, (*own, *_PRIVATE))
            )
            if not private and network not in _GOOGLE:
                yield Flaw(item, field, f"{cidr} is neither private nor Google's")
            elif remote and not inside and network != IPv4Network(IAP):
                yield Flaw(item, field, f"lets {cidr} in to SSH or RDP, which is for {IAP}{unsaid}")


@rule(
    "google-room-for-pods",
    why="every node takes twice its pods in addresses, rounded up to a power of two; then no node can start",
    remedy="fewer nodes at most, fewer pods per node, or a larger range",
)
def google_room_for_pods(estate: Estate) -> Iterator[Flaw]:
    """The pods' range holds every node that the pools may have, and one more each while nodes are replaced."""
    for cluster in estate.of("ContainerCluster"):
        subnet = subnet_of(estate, cluster)
        name = text(cluster.data, "spec", "ipAllocationPolicy", "clusterSecondaryRangeName")
        pods = _network(secondary_ranges(subnet).get(name, "")) if subnet else None
        if not pods:
            continue
        needed = sum(
            _addresses(integer(pool.data, "spec", "maxPodsPerNode") or MAX_PODS)
            * ((integer(pool.data, "spec", "autoscaling", "totalMaxNodeCount") or 0) + 1)
            for pool in estate.of("ContainerNodePool")
            if text(pool.data, "spec", "clusterRef", "name") == cluster.name
        )
        if needed > pods.num_addresses:
            message = f"{pods} has {pods.num_addresses} addresses, the pools may need {needed}"
            yield Flaw(cluster, "spec.ipAllocationPolicy.clusterSecondaryRangeName", message)


def _addresses(max_pods: int) -> int:
    """Addresses of one node: https://cloud.google.com/kubernetes-engine/docs/how-to/flexible-pod-cidr."""
    return 1 << (2 * max_pods - 1).bit_length()
