"""NetworkPolicies. They only add up: what no policy allows is denied."""

from __future__ import annotations

from typing import Any

from dify_gitops import names
from dify_gitops.catalogue.addresses import LOAD_BALANCER
from dify_gitops.catalogue.flows import FLOWS, NAMESPACES, PUBLIC
from dify_gitops.emit import Flow, Note
from dify_gitops.k8s.objects import Manifest, manifest

_KIND = ("networking.k8s.io/v1", "NetworkPolicy")


def tcp_ports(*numbers: int) -> list[dict[str, Any]]:
    """Ports of a rule. Raises ValueError for none, which Kubernetes would read as all."""
    if not numbers:
        raise ValueError("a rule without ports would open all of them")
    return [{"protocol": "TCP", "port": number} for number in numbers]


def pods(workload: str, seen_from: str) -> dict[str, Any]:
    """A peer: the pods of a workload, seen from a namespace."""
    home = NAMESPACES.get(workload, names.DIFY)
    peer = {"podSelector": {"matchLabels": {names.NAME: workload}}}
    return peer if home == seen_from else {**namespace(home), **peer}


def namespace(name: str) -> dict[str, Any]:
    """A peer: every pod of a namespace."""
    return {"namespaceSelector": {"matchLabels": {names.NAMESPACE_NAME: name}}}


def block(cidr: str, without: tuple[str, ...] = ()) -> dict[str, Any]:
    """A peer: addresses outside of the cluster."""
    return {"ipBlock": {"cidr": cidr, **({"except": list(without)} if without else {})}}


def workloads(*several: str) -> dict[str, Any]:
    """Selects the pods of several workloads."""
    return {"matchExpressions": [{"key": names.NAME, "operator": "In", "values": Flow(several)}]}


def policy(
    why: str,
    name: str,
    pod_selector: dict[str, Any],
    *,
    home: str = names.DIFY,
    ingress: list[dict[str, Any]] | None = None,
    egress: list[dict[str, Any]] | None = None,
    workload: str = "network",
) -> Manifest:
    """A policy; an empty list denies that direction, None leaves it to the other policies."""
    directions = {"Ingress": ingress, "Egress": egress}
    spec: dict[str, Any] = {
        "podSelector": pod_selector,
        "policyTypes": Flow(kind for kind, rules in directions.items() if rules is not None),
    }
    spec |= {kind.lower(): rules for kind, rules in directions.items() if rules}
    return manifest(why, _KIND, name, namespace=home, workload=workload, wave=names.WAVE_FOUNDATION, spec=spec)


def workload_policy(workload: str) -> Manifest:
    """Everything that a workload may receive and call inside of the cluster, from the table of flows."""
    home = NAMESPACES.get(workload, names.DIFY)
    ingress: list[dict[str, Any]] = [
        {"from": [pods(flow.caller, home)], "ports": tcp_ports(*flow.ports)}
        for flow in FLOWS
        if flow.callee == workload
    ]
    if workload in PUBLIC:
        front_ends = [block(cidr) for cidr in LOAD_BALANCER]
        ingress.append(
            {
                "from": Note(front_ends, "the load balancer's front ends and health checks"),
                "ports": tcp_ports(PUBLIC[workload]),
            }
        )
    egress = [
        {"to": [pods(flow.callee, home)], "ports": tcp_ports(*flow.ports)} for flow in FLOWS if flow.caller == workload
    ]
    return policy(
        "Inside of the cluster: who may call it and whom it calls. Addresses outside are the overlay's.",
        workload,
        {"matchLabels": {names.NAME: workload}},
        home=home,
        ingress=ingress,
        egress=egress,
        workload=workload,
    )
