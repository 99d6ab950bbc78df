"""firewall.yaml: who may open connections to the nodes. GKE adds rules of its own for its control plane."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from dify_gitops import names
from dify_gitops.catalogue import ports
from dify_gitops.catalogue.addresses import LOAD_BALANCER
from dify_gitops.catalogue.flows import PUBLIC
from dify_gitops.catalogue.google import IAP
from dify_gitops.emit import Flow, Note
from dify_gitops.gcp import Concern
from dify_gitops.gcp.resource import ref, resource

if TYPE_CHECKING:
    from dify_gitops.gcp import Site
    from dify_gitops.k8s.objects import Manifest

_ALLOW = 1000
_DENY = 65000  # after every rule that allows something, GKE's own (1000) included


def _rule(
    site: Site, why: str, name: str, sources: list[str], open_ports: dict[str, list[int]], **fields: Any
) -> Manifest:
    """``open_ports`` is ``{protocol: ports}``; no ports are all of them."""
    allow: list[dict[str, Any]] = [
        {"protocol": protocol} | ({"ports": Flow([str(port) for port in numbers])} if numbers else {})
        for protocol, numbers in open_ports.items()
    ]
    return resource(
        why,
        "compute",
        "ComputeFirewall",
        f"dify-{name}",
        site,
        wave=names.WAVE_SUBNETS,
        spec={
            "networkRef": ref(names.NETWORK),
            "direction": "INGRESS",
            "priority": _ALLOW,
            "sourceRanges": sources,
            **fields,
            "allow": allow,
        },
    )


def concern(site: Site) -> Concern:
    """Four doors, and a wall that writes down who ran into it.

    What goes through the busy doors is not logged here: flow logs and the load balancer's own logs tell it.
    """
    own = site.environment.network
    nodes = {"targetTags": Flow([names.NODE_TAG])}
    deny = resource(
        "Everything else is refused, as it would be without this rule; but now it is logged.",
        "compute",
        "ComputeFirewall",
        "dify-deny",
        site,
        wave=names.WAVE_SUBNETS,
        spec={
            "networkRef": ref(names.NETWORK),
            "direction": "INGRESS",
            "priority": Note(_DENY, "last of all"),
            "sourceRanges": ["0.0.0.0/0"],
            "deny": [{"protocol": "all"}],
            "logConfig": {"metadata": "INCLUDE_ALL_METADATA"},
        },
    )
    return Concern(
        "firewall",
        "Who may open connections inside of this network.",
        [
            _rule(
                site,
                "Nodes and pods among themselves; NetworkPolicies say which pods.",
                "internal",
                [own.nodes, own.pods],
                {"tcp": [], "udp": [], "icmp": []},
            ),
            _rule(
                site,
                "SSH only through Identity-Aware Proxy, which asks who you are: no node has a public address.",
                "iap-ssh",
                [IAP],
                {"tcp": [22]},
                **nodes,
                logConfig={"metadata": "INCLUDE_ALL_METADATA"},
            ),
            _rule(
                site,
                "Google's load balancer and its health checks, to the pods that it serves.",
                "load-balancer",
                list(LOAD_BALANCER),
                {"tcp": sorted(PUBLIC.values())},
                **nodes,
            ),
            _rule(
                site,
                "The control plane calls KEDA: its metrics API and its webhook. GKE's own rules open neither.",
                "control-plane",
                [own.control_plane],
                {"tcp": [ports.KEDA_API, ports.KEDA_WEBHOOK]},
                **nodes,
            ),
            deny,
        ],
    )
