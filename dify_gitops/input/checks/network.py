"""Address ranges: usable, disjoint, and of a size that Google Cloud accepts and the nodes fit into."""

from __future__ import annotations

from functools import lru_cache
from ipaddress import IPv4Network
from itertools import combinations
from typing import TYPE_CHECKING, Final

from msgspec import structs

from dify_gitops.catalogue.google import SANDBOX_NODES
from dify_gitops.input.checks import Complaint

if TYPE_CHECKING:
    from dify_gitops.input.checks import Complaints
    from dify_gitops.input.model import Environment, Network

# Prefixes, from the largest to the smallest range.
_SUBNET: Final = (8, 29)  # https://cloud.google.com/vpc/docs/subnets#valid-ranges
_PODS: Final = (9, 24)  # https://cloud.google.com/kubernetes-engine/docs/concepts/alias-ips: /9 at most
_SERVICES: Final = (16, 27)  # the same page: 32 to 65536 Services
# Each service takes subnets of its own, Cloud SQL a /24 per region: Memorystore would find no room beside it.
# https://cloud.google.com/sql/docs/postgres/private-ip#allocated_ip_address_ranges
_PRIVATE_SERVICES: Final = (8, 23)
_CONTROL_PLANE: Final = (28, 28)  # ContainerCluster masterIpv4CidrBlock must be a /28
_RESERVED_ADDRESSES: Final = 4  # of each subnet's primary range
_SURGE: Final = 1  # one node more while nodes are replaced
_NODES_MAX: Final = (("nodes", "max"),)

# Private addresses, class E and public ones used privately are all possible on GKE; these are not.
# https://cloud.google.com/vpc/docs/subnets#prohibited-ranges
_PROHIBITED: Final = {
    IPv4Network("0.0.0.0/8"): "«this network»",
    IPv4Network("127.0.0.0/8"): "loopback",
    IPv4Network("169.254.0.0/16"): "link-local",
    IPv4Network("224.0.0.0/4"): "multicast",
}


@lru_cache(maxsize=4)
def _networks(network: Network) -> dict[str, IPv4Network]:
    camel = dict(zip(network.__struct_fields__, network.__struct_encode_fields__, strict=True))
    return {camel[name]: IPv4Network(text) for name, text in structs.asdict(network).items()}


def overlap(environment: Environment) -> Complaints:
    """All ranges of one environment lie in one VPC, so no two may share an address."""
    for (first, one), (second, other) in combinations(_networks(environment.network).items(), 2):
        if one.overlaps(other):
            message = f"{other} overlaps {one} (network.{first})"
            hint = "all five ranges share one VPC: choose disjoint ones"
            yield Complaint(("network", second), message, hint, also=(("network", first),))


def usable(environment: Environment) -> Complaints:
    """Ranges that no VPC may have."""
    for name, network in _networks(environment.network).items():
        for space, what in _PROHIBITED.items():
            if network.overlaps(space):
                message = f"{network} overlaps {space} ({what})"
                yield Complaint(("network", name), message, "choose a private range, such as one within 10.0.0.0/8")


def sizes(environment: Environment) -> Complaints:
    """Limits of Google Cloud on each range, see the constants."""
    limits = {
        "nodes": _SUBNET,
        "pods": _PODS,
        "services": _SERVICES,
        "privateServices": _PRIVATE_SERVICES,
        "controlPlane": _CONTROL_PLANE,
    }
    for name, network in _networks(environment.network).items():
        largest, smallest = limits[name]
        if not largest <= network.prefixlen <= smallest:
            wanted = f"a /{largest}" if largest == smallest else f"/{largest} to /{smallest}"
            yield Complaint(("network", name), f"must be {wanted}, got a /{network.prefixlen}")


def room_for_nodes(environment: Environment) -> Complaints:
    """Every node takes a /24 of the pods' range (twice GKE's 110 pods, rounded up) and one address."""
    networks = _networks(environment.network)
    nodes = environment.nodes.max + _SURGE
    needs = f"{environment.nodes.max} nodes (nodes.max) and {_SURGE} more while nodes are replaced"
    if environment.sandbox.gvisor:
        nodes += SANDBOX_NODES + _SURGE
        needs = f"{needs}, the same for {SANDBOX_NODES} nodes of the sandbox,"
    pods, own = networks["pods"], networks["nodes"]
    if _PODS[0] <= pods.prefixlen <= _PODS[1] and 2 ** (24 - pods.prefixlen) < nodes:
        largest = 24 - (nodes - 1).bit_length()
        message = f"a /{pods.prefixlen} is too small: {needs} take a /24 each"
        yield Complaint(("network", "pods"), message, f"a /{largest} or larger, or fewer nodes", also=_NODES_MAX)
    if own.num_addresses - _RESERVED_ADDRESSES < nodes and own.prefixlen <= _SUBNET[1]:
        largest = 32 - (nodes + _RESERVED_ADDRESSES - 1).bit_length()
        message = f"a /{own.prefixlen} is too small for {needs}"
        yield Complaint(("network", "nodes"), message, f"a /{largest} or larger, or fewer nodes", also=_NODES_MAX)
