"""Network, addresses, NAT, endpoints. Sources: the Terraform provider that Config Connector 1.155 embeds.

Beside it https://cloud.google.com/compute/docs/reference/rest/v1, where a line names nothing else.
"""

from __future__ import annotations

from dify_gitops.kinds.constraints.formats import CIDR, IPV4, LABEL, PORTS, cidr, ipv4, ports
from dify_gitops.kinds.constraints.model import (
    AtMostOne,
    ExactlyOne,
    Excludes,
    Format,
    Kind,
    Length,
    Mandatory,
    Name,
    Needs,
    OneOf,
    Ordered,
    Range,
    Refused,
    Unique,
    When,
)

_SMALLEST = 29  # https://cloud.google.com/vpc/docs/subnets: prefix of the smallest range


def _subnet(value: str) -> str | None:
    """What is wrong with a range of a subnet."""
    if wrong := cidr(value):
        return wrong
    too_small = int(value.partition("/")[2]) > _SMALLEST
    return f"is smaller than a /{_SMALLEST}, the smallest range of a subnet" if too_small else None


_NETWORK = Kind(
    "compute",
    "ComputeNetwork",
    immutable=(
        "spec.autoCreateSubnetworks",
        "spec.description",
        "spec.internalIpv6Range",
        "spec.mtu",
        "spec.networkProfile",
    ),
    constraints=(
        Name(*LABEL),
        Mandatory("spec", ("autoCreateSubnetworks",), "the default, true, makes a subnet in every region"),
        OneOf("spec.autoCreateSubnetworks", (False,), "a subnet would be made in every region"),
        Refused(
            "spec.deleteDefaultRoutesOnCreate", "without the default route nothing gets out through NAT", value=True
        ),
        OneOf("spec.routingMode", ("REGIONAL", "GLOBAL")),
        OneOf("spec.networkFirewallPolicyEnforcementOrder", ("AFTER_CLASSIC_FIREWALL", "BEFORE_CLASSIC_FIREWALL")),
        Range("spec.mtu", 1300, 8896),
    ),
)

_PROXIES = ("REGIONAL_MANAGED_PROXY", "GLOBAL_MANAGED_PROXY")
_SUBNETWORK = Kind(
    "compute",
    "ComputeSubnetwork",
    immutable=(
        "spec.description",
        "spec.ipv6AccessType",
        "spec.networkRef",
        "spec.purpose",
        "spec.region",
        "spec.reservedInternalRangeRef",
    ),
    rising=("spec.ipCidrRange",),
    kept=(("spec.secondaryIpRange[]", "rangeName"),),
    constraints=(
        Name(*LABEL),
        ExactlyOne("spec", ("ipCidrRange", "reservedInternalRangeRef")),
        Format("spec.ipCidrRange", *CIDR, _subnet),
        ExactlyOne("spec.secondaryIpRange[]", ("ipCidrRange", "reservedInternalRangeRef")),
        Format("spec.secondaryIpRange[].ipCidrRange", *CIDR, _subnet),
        Format("spec.secondaryIpRange[].rangeName", *LABEL),
        Unique("spec.secondaryIpRange[].rangeName"),
        OneOf("spec.purpose", ("PRIVATE", "PRIVATE_RFC_1918", "PRIVATE_SERVICE_CONNECT", "PRIVATE_NAT", *_PROXIES)),
        OneOf("spec.role", ("ACTIVE", "BACKUP")),
        Needs("spec", "role", ("purpose",), value_needed=_PROXIES),
        OneOf("spec.stackType", ("IPV4_ONLY", "IPV4_IPV6")),
        OneOf("spec.ipv6AccessType", ("INTERNAL", "EXTERNAL")),
        Needs("spec", "ipv6AccessType", ("stackType",), value_needed="IPV4_IPV6"),
        # Subnets of other purposes hold no nodes.
        When(
            "spec",
            "purpose",
            (None, "PRIVATE", "PRIVATE_RFC_1918"),
            Mandatory("", ("privateIpGoogleAccess",), "nodes without a public address would not reach Google's APIs"),
        ),
        OneOf("spec.privateIpGoogleAccess", (True,), "nodes without a public address would not reach Google's APIs"),
        When(
            "spec",
            "purpose",
            (None, "PRIVATE", "PRIVATE_RFC_1918"),
            Mandatory("", ("logConfig",), "nobody could see later who talked to whom"),
        ),
        OneOf(
            "spec.logConfig.aggregationInterval",
            tuple(f"INTERVAL_{length}" for length in ("5_SEC", "30_SEC", "1_MIN", "5_MIN", "10_MIN", "15_MIN")),
        ),
        Range("spec.logConfig.flowSampling", 0.01, 1),  # a share; 0 is no log
        OneOf("spec.logConfig.metadata", ("INCLUDE_ALL_METADATA", "EXCLUDE_ALL_METADATA", "CUSTOM_METADATA")),
        Needs("spec.logConfig", "metadataFields", ("metadata",), value_needed="CUSTOM_METADATA"),
    ),
)

_ROUTER = Kind(
    "compute",
    "ComputeRouter",
    immutable=("spec.encryptedInterconnectRouter", "spec.networkRef", "spec.region"),
    constraints=(
        Name(*LABEL),
        Range("spec.bgp.asn", 64512, 4294967294),  # RFC 6996
        Range("spec.bgp.keepaliveInterval", 20, 60),
        OneOf("spec.bgp.advertiseMode", ("DEFAULT", "CUSTOM")),
        OneOf("spec.bgp.advertisedGroups[]", ("ALL_SUBNETS",)),
        Needs("spec.bgp", "advertisedGroups", ("advertiseMode",), value_needed="CUSTOM"),
        Needs("spec.bgp", "advertisedIpRanges", ("advertiseMode",), value_needed="CUSTOM"),
        Format("spec.bgp.advertisedIpRanges[].range", *CIDR, cidr),
    ),
)

_NAT = Kind(
    "compute",
    "ComputeRouterNAT",
    immutable=("spec.endpointTypes", "spec.region", "spec.routerRef", "spec.type"),
    constraints=(
        Name(*LABEL),
        OneOf("spec.type", ("PUBLIC", "PRIVATE")),
        OneOf("spec.endpointTypes[]", ("ENDPOINT_TYPE_VM", "ENDPOINT_TYPE_SWG", "ENDPOINT_TYPE_MANAGED_PROXY_LB")),
        OneOf("spec.natIpAllocateOption", ("AUTO_ONLY", "MANUAL_ONLY")),
        Needs("spec", "natIpAllocateOption", ("natIps[]",), "MANUAL_ONLY"),
        Excludes("spec", "natIpAllocateOption", ("natIps", "drainNatIps"), "AUTO_ONLY"),
        Unique("spec.natIps[].name"),
        OneOf(
            "spec.sourceSubnetworkIpRangesToNat",
            ("ALL_SUBNETWORKS_ALL_IP_RANGES", "ALL_SUBNETWORKS_ALL_PRIMARY_IP_RANGES", "LIST_OF_SUBNETWORKS"),
        ),
        Needs("spec", "sourceSubnetworkIpRangesToNat", ("subnetwork[]",), "LIST_OF_SUBNETWORKS"),
        Needs("spec", "subnetwork", ("sourceSubnetworkIpRangesToNat",), value_needed="LIST_OF_SUBNETWORKS"),
        OneOf(
            "spec.subnetwork[].sourceIpRangesToNat[]",
            ("ALL_IP_RANGES", "LIST_OF_SECONDARY_IP_RANGES", "PRIMARY_IP_RANGE"),
        ),
        Needs(
            "spec.subnetwork[]", "sourceIpRangesToNat[]", ("secondaryIpRangeNames[]",), "LIST_OF_SECONDARY_IP_RANGES"
        ),
        Needs(
            "spec.subnetwork[]",
            "secondaryIpRangeNames",
            ("sourceIpRangesToNat[]",),
            value_needed="LIST_OF_SECONDARY_IP_RANGES",
        ),
        Mandatory("spec", ("enableDynamicPortAllocation",), "by default a node has 64 ports for all of its pods"),
        # The provider's default of the mapping is true, which Google refuses together with dynamic ports.
        Needs(
            "spec", "enableDynamicPortAllocation", ("enableEndpointIndependentMapping",), value=True, value_needed=False
        ),
        Needs("spec", "maxPortsPerVm", ("enableDynamicPortAllocation",), value_needed=True),
        OneOf("spec.minPortsPerVm", tuple(2**power for power in range(5, 16))),
        OneOf("spec.maxPortsPerVm", tuple(2**power for power in range(6, 17))),
        Ordered("spec", "minPortsPerVm", "maxPortsPerVm"),
        Mandatory("spec", ("logConfig",), "nobody would see which connections found no port"),
        OneOf("spec.logConfig.enable", (True,), "nobody would see which connections found no port"),
        OneOf("spec.logConfig.filter", ("ERRORS_ONLY", "TRANSLATIONS_ONLY", "ALL")),
        Range("spec.rules[].ruleNumber", 0, 65000),
        Unique("spec.rules[].ruleNumber"),
    ),
)

_PEERING = "VPC_PEERING"
_RANGES = (_PEERING, "IPSEC_INTERCONNECT")  # purposes of addresses that are ranges
_ADDRESS = Kind(
    "compute",
    "ComputeAddress",
    immutable=tuple(
        f"spec.{field}"
        for field in (
            "address addressType description ipCollectionRef ipVersion ipv6EndpointType networkRef networkTier "
            "prefixLength purpose subnetworkRef"
        ).split()
    ),
    constraints=(
        Name(*LABEL),
        Mandatory("spec", ("addressType",), "the default, EXTERNAL, is a public address"),
        OneOf("spec.addressType", ("EXTERNAL", "INTERNAL")),
        OneOf("spec.ipVersion", ("IPV4", "IPV6")),
        OneOf("spec.networkTier", ("PREMIUM", "STANDARD")),
        Needs("spec", "networkTier", ("addressType",), value_needed="EXTERNAL"),
        # Global addresses have no tier and no subnet: the provider drops both without a word.
        Excludes("spec", "location", ("networkTier", "subnetworkRef"), "global"),
        OneOf(
            "spec.purpose",
            ("GCE_ENDPOINT", "SHARED_LOADBALANCER_VIP", "DNS_RESOLVER", "PRIVATE_SERVICE_CONNECT", *_RANGES),
        ),
        Needs("spec", "purpose", ("addressType",), value_needed="INTERNAL"),
        Format("spec.address", *IPV4, ipv4),
        Needs("spec", "purpose", ("address", "prefixLength", "networkRef"), _PEERING),
        Needs("spec", "purpose", ("location",), _PEERING, "global"),
        Needs("spec", "prefixLength", ("purpose",), value_needed=_RANGES),
        Range("spec.prefixLength", 8, _SMALLEST),
        Needs("spec", "networkRef", ("purpose",), value_needed=(*_RANGES, "PRIVATE_SERVICE_CONNECT")),
        Needs("spec", "subnetworkRef", ("addressType",), value_needed="INTERNAL"),
        Needs("spec", "purpose", ("subnetworkRef",), "GCE_ENDPOINT"),  # its default is a network that we lack
    ),
)

_ATTACHMENT = "target.serviceAttachmentRef"  # Private Service Connect
_FORWARDING_RULE = Kind(
    "compute",
    "ComputeForwardingRule",
    immutable=tuple(
        f"spec.{field}"
        for field in (
            "allPorts backendServiceRef description ipAddress ipProtocol ipVersion isMirroringCollector "
            "loadBalancingScheme metadataFilters networkRef networkTier noAutomateDnsZone portRange ports "
            "serviceDirectoryRegistrations serviceLabel sourceIpRanges subnetworkRef"
        ).split()
    ),
    constraints=(
        Name(*LABEL),
        Mandatory("spec", ("loadBalancingScheme",), "the default, EXTERNAL, is a public load balancer"),
        OneOf("spec.loadBalancingScheme", ("EXTERNAL", "EXTERNAL_MANAGED", "INTERNAL", "INTERNAL_MANAGED", "")),
        ExactlyOne("spec", ("backendServiceRef", "target")),
        Needs("spec", _ATTACHMENT, ("loadBalancingScheme",), value_needed=""),
        Needs("spec", _ATTACHMENT, ("networkRef", "ipAddress")),
        # Config Connector puts the bare address in the place of a name; Private Service Connect wants the resource.
        Excludes("spec", _ATTACHMENT, ("ipAddress.ip", "ipAddress.addressRef.name")),
        Excludes("spec", _ATTACHMENT, ("allPorts", "portRange", "ports", "subnetworkRef")),
        ExactlyOne("spec.ipAddress", ("addressRef", "ip")),
        Format("spec.ipAddress.ip", *IPV4, ipv4),
        When(
            "spec",
            "loadBalancingScheme",
            ("",),
            Format(
                "ipAddress.addressRef.external",
                r"https://www\.googleapis\.com/compute/v1/projects/[^/]+/(global|regions/[^/]+)/addresses/[^/]+",
                "the full link of an address, https://www.googleapis.com/compute/v1/projects/…/addresses/…",
            ),
        ),
        Format(
            f"spec.{_ATTACHMENT}.external",
            r"projects/[^/]+/regions/[^/]+/serviceAttachments/[^/]+",
            "a service attachment, projects/…/regions/…/serviceAttachments/…",
        ),
        Needs("spec", "allowPscGlobalAccess", ("loadBalancingScheme",), value_needed=""),
        OneOf("spec.ipProtocol", ("TCP", "UDP", "ESP", "AH", "SCTP", "ICMP", "L3_DEFAULT")),
        OneOf("spec.ipVersion", ("IPV4", "IPV6")),
        OneOf("spec.networkTier", ("PREMIUM", "STANDARD")),
        AtMostOne("spec", ("allPorts", "portRange", "ports")),
        Length("spec.ports", 1, 5),
        Format("spec.portRange", *PORTS, ports),
    ),
)

KINDS = (_NETWORK, _SUBNETWORK, _ROUTER, _NAT, _ADDRESS, _FORWARDING_RULE)
