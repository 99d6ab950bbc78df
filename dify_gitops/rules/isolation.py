"""Rules over what NetworkPolicies must not allow: everything is denied first, and little is opened."""

from __future__ import annotations

from ipaddress import IPv4Network
from typing import TYPE_CHECKING, Any

from dify_gitops import names
from dify_gitops.catalogue import ports
from dify_gitops.catalogue.addresses import METADATA, NODE_LOCAL_DNS
from dify_gitops.rules.access import get, integer, maps, text, texts
from dify_gitops.rules.network import (
    EGRESS,
    INGRESS,
    SPECIAL_RANGES,
    contains,
    entries,
    every_namespace,
    network_of,
    parse_range,
    pinned_namespace,
    policy_types,
)
from dify_gitops.rules.reachability import google_account
from dify_gitops.rules.rule import Flaw, rule
from dify_gitops.rules.selectors import spell

if TYPE_CHECKING:
    from collections.abc import Iterator

    from dify_gitops.rules.cluster import Cluster, Object
    from dify_gitops.rules.network import Range

_METADATA = IPv4Network(METADATA)
_PROXY = "ssrf-proxy"


@rule(
    "default-deny",
    why="a pod that no policy selects may be reached by everybody and reaches everything",
    remedy="add a NetworkPolicy with podSelector {}, policyTypes [Ingress, Egress] and no rules",
)
def default_deny(cluster: Cluster) -> Iterator[Flaw]:
    """Each namespace with pods denies everything to all of them, in both directions."""
    for namespace in sorted({pod.namespace for pod in cluster.pods}):
        owner = cluster.find("Namespace", "", namespace)
        denied = {
            direction
            for policy in cluster.every("NetworkPolicy")
            if policy.namespace == namespace and get(policy.data, "spec", "podSelector") == {}
            for direction in policy_types(policy)
            if not entries(policy, direction)
        }
        for direction in (INGRESS, EGRESS):
            if owner and direction not in denied:
                yield Flaw(owner, "", f"no NetworkPolicy denies {direction.lower()} to all pods")


@rule(
    "metadata-server",
    why="whoever reaches the metadata server gets the identity of the pod, or of the node",
    remedy="allow 169.254.169.254 TCP 80 and 8080 to pods with a Google service account, and to no other",
)
def metadata_server(cluster: Cluster) -> Iterator[Flaw]:
    """Pods reach the metadata server exactly where their ServiceAccount acts as a Google service account."""
    network = network_of(cluster)
    for pod in cluster.pods:
        needed = bool(google_account(cluster, pod))
        for port in ports.METADATA:
            if network.allows(EGRESS, pod, _METADATA, port) != needed:
                state = "acts as a Google service account but cannot" if needed else "needs no Google identity but can"
                message = f"{state} reach the metadata server on {port}"
                yield Flaw(pod.owner, pod.field("spec.serviceAccountName"), message)


@rule(
    "sandbox-egress",
    why="code that users write runs there: nothing but the proxy may be reached, which refuses what is private",
    remedy=f"allow only the pods {names.NAME}={_PROXY} and DNS",
)
def sandbox_egress(cluster: Cluster) -> Iterator[Flaw]:
    """In namespaces below `restricted` policies let pods out to the SSRF proxy and to DNS only."""
    for policy in cluster.every("NetworkPolicy"):
        if cluster.level(policy.namespace) == "restricted" or EGRESS not in policy_types(policy):
            continue
        for number, entry in enumerate(entries(policy, EGRESS)):
            field = f"spec.egress[{number}].to"
            if not maps(entry, "to"):
                yield Flaw(policy, field, "is not set: everything is allowed")
            for peer in maps(entry, "to"):
                if not (_is_dns(policy, peer, entry) or _is_proxy(cluster, policy, peer)):
                    yield Flaw(policy, field, f"{_spell(peer)} is neither the SSRF proxy nor DNS")


def _spell(peer: dict[str, Any]) -> str:
    if "ipBlock" in peer:
        return text(peer, "ipBlock", "cidr")
    return " in ".join(spell(peer[key]) for key in ("podSelector", "namespaceSelector") if key in peer)


def _is_dns(policy: Object, peer: dict[str, Any], entry: dict[str, Any]) -> bool:
    wanted = maps(entry, "ports")
    only_dns = bool(wanted) and all(integer(port, "port") == ports.DNS and "endPort" not in port for port in wanted)
    if "ipBlock" in peer:
        return only_dns and text(peer, "ipBlock", "cidr") == NODE_LOCAL_DNS
    return only_dns and pinned_namespace(peer, policy) == "kube-system"


def _is_proxy(cluster: Cluster, policy: Object, peer: dict[str, Any]) -> bool:
    namespace = pinned_namespace(peer, policy)
    if "ipBlock" in peer or cluster.find("Namespace", "", namespace) is None:
        return False
    reached = cluster.selected(namespace, peer.get("podSelector", {}))
    return bool(reached) and all(pod.labels.get(names.NAME) == _PROXY for pod in reached)


@rule(
    "internet-egress",
    why="«internet» must not include databases, nodes, other pods or the metadata server",
    remedy="name destinations and ports; under except of 0.0.0.0/0 list dify_gitops/catalogue/addresses.py",
)
def internet_egress(cluster: Cluster) -> Iterator[Flaw]:
    """Egress rules name destination and ports, and wide ranges leave out what is not the internet."""
    for policy in cluster.every("NetworkPolicy"):
        for number, entry in enumerate(entries(policy, EGRESS)):
            field = f"spec.egress[{number}]"
            if not maps(entry, "to"):
                yield Flaw(policy, f"{field}.to", "is not set: everything is allowed")
            if not maps(entry, "ports"):
                yield Flaw(policy, f"{field}.ports", "is not set: every port is allowed")
            for peer in maps(entry, "to"):
                if every_namespace(peer):
                    yield Flaw(policy, f"{field}.to.namespaceSelector", "selects every namespace of the cluster")
                holes = [parse_range(hole) for hole in texts(peer, "ipBlock", "except")]
                for special in _special_inside(text(peer, "ipBlock", "cidr")):
                    if not any(contains(hole, special) for hole in holes):
                        yield Flaw(policy, f"{field}.to.ipBlock.except", f"does not contain {special}")


def _special_inside(cidr: str) -> list[Range]:
    """Ranges that are not the internet and a part of a larger one."""
    whole = parse_range(cidr)
    return [special for special in SPECIAL_RANGES if special != whole and contains(whole, special)]
