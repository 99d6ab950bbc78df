"""network.yaml: the VPC, its ranges, the way out, and the connection to Google's managed services."""

from __future__ import annotations

from ipaddress import IPv4Network
from typing import TYPE_CHECKING, Any

from dify_gitops import names
from dify_gitops.emit import Note
from dify_gitops.gcp import Concern
from dify_gitops.gcp.resource import ref, resource

if TYPE_CHECKING:
    from dify_gitops.gcp import Site
    from dify_gitops.k8s.objects import Manifest


def _vpc(site: Site) -> Manifest:
    return resource(
        "The private network of this environment; nothing else lives in it.",
        "compute",
        "ComputeNetwork",
        names.NETWORK,
        site,
        wave=names.WAVE_NETWORK,
        spec={
            "autoCreateSubnetworks": Note(False, "custom mode: only the subnet below; immutable"),
            "routingMode": "REGIONAL",
        },
    )


def _subnet(site: Site) -> Manifest:
    own = site.environment.network
    return resource(
        "One subnet: nodes in its primary range, pods and Services in secondary ones.",
        "compute",
        "ComputeSubnetwork",
        names.SUBNET,
        site,
        wave=names.WAVE_SUBNETS,
        spec={
            "networkRef": ref(names.NETWORK),
            "region": site.environment.region,
            "ipCidrRange": Note(own.nodes, "nodes; may grow, never shrink"),
            "secondaryIpRange": [
                {"rangeName": names.PODS_RANGE, "ipCidrRange": own.pods},
                {"rangeName": names.SERVICES_RANGE, "ipCidrRange": own.services},
            ],
            "privateIpGoogleAccess": Note(True, "nodes have no public address, and Google's APIs are public"),
            "stackType": "IPV4_ONLY",
            "logConfig": {
                "aggregationInterval": "INTERVAL_10_MIN",
                "flowSampling": Note(0.5, "who talked to whom; a share of the flows is enough to see it"),
                "metadata": "INCLUDE_ALL_METADATA",
            },
        },
    )


def _private_services(site: Site) -> list[Manifest]:
    own = IPv4Network(site.environment.network.private_services)
    return [
        resource(
            "Range from which Google gives Cloud SQL and Memorystore their private addresses.",
            "compute",
            "ComputeAddress",
            names.PRIVATE_SERVICES,
            site,
            wave=names.WAVE_SUBNETS,
            spec={
                "location": "global",
                "addressType": "INTERNAL",
                "purpose": "VPC_PEERING",
                "address": str(own.network_address),
                "prefixLength": own.prefixlen,
                "networkRef": ref(names.NETWORK),
            },
        ),
        resource(
            "Private services access. Cloud SQL and Memorystore fail without it; Config Connector does not know that.",
            "servicenetworking",
            "ServiceNetworkingConnection",
            names.PRIVATE_SERVICES,
            site,
            wave=names.WAVE_NAT,
            spec={
                "networkRef": ref(names.NETWORK),
                "reservedPeeringRanges": [ref(names.PRIVATE_SERVICES)],
                "service": "servicenetworking.googleapis.com",
            },
        ),
    ]


def _nat_addresses(site: Site) -> list[str]:
    return [f"dify-nat-{number}" for number in range(1, site.environment.nat.addresses + 1)]


def _way_out(site: Site) -> list[Manifest]:
    region = site.environment.region
    fixed = _nat_addresses(site)
    addresses = [
        resource(
            "A public address that partners may put on their lists: Dify's requests come from it.",
            "compute",
            "ComputeAddress",
            name,
            site,
            wave=names.WAVE_SUBNETS,
            spec={"location": region, "addressType": "EXTERNAL", "networkTier": "PREMIUM"},
        )
        for name in fixed
    ]
    router = resource(
        "Carries Cloud NAT; it routes nothing by itself.",
        "compute",
        "ComputeRouter",
        names.ROUTER,
        site,
        wave=names.WAVE_SUBNETS,
        spec={"networkRef": ref(names.NETWORK), "region": region},
    )
    spec: dict[str, Any] = {
        "routerRef": ref(names.ROUTER),
        "region": region,
        "natIpAllocateOption": "MANUAL_ONLY" if fixed else "AUTO_ONLY",
        **({"natIps": [ref(name) for name in fixed]} if fixed else {}),
        "sourceSubnetworkIpRangesToNat": "ALL_SUBNETWORKS_ALL_IP_RANGES",
        "enableDynamicPortAllocation": Note(True, "a node that opens many connections gets more ports"),
        "enableEndpointIndependentMapping": Note(False, "does not go with dynamic ports"),
        "minPortsPerVm": 64,
        "maxPortsPerVm": 4096,
        "logConfig": {"enable": True, "filter": "ERRORS_ONLY"},
    }
    nat = resource(
        "The only way from nodes and pods to the internet; nothing comes in through it.",
        "compute",
        "ComputeRouterNAT",
        names.NAT,
        site,
        wave=names.WAVE_NAT,
        spec=spec,
    )
    return [*addresses, router, nat]


def concern(site: Site) -> Concern:
    """Network, subnet, private services access, NAT."""
    return Concern(
        "network",
        "The network: ranges, the way out, and the private way to Cloud SQL and Memorystore.",
        [_vpc(site), _subnet(site), *_private_services(site), *_way_out(site)],
    )
