"""Cloud DNS. Sources: the Terraform provider that Config Connector 1.155 embeds, and Google's pages.

https://cloud.google.com/dns/docs/records-overview, https://cloud.google.com/dns/docs/reference/rest/v1
"""

from __future__ import annotations

import ipaddress

from dify_gitops.kinds.constraints.formats import FQDN, IPV4, LABEL, ipv4
from dify_gitops.kinds.constraints.model import (
    AtLeastOne,
    ExactlyOne,
    Excludes,
    Format,
    Kind,
    Mandatory,
    Name,
    Needs,
    OneOf,
    Range,
    Unique,
    When,
)


def _ipv6(value: str) -> str | None:
    """What is wrong with an IPv6 address."""
    try:
        ipaddress.IPv6Address(value)
    except ValueError:
        return "is no IPv6 address"
    return None


_TYPES = "A AAAA ALIAS CAA CNAME DNSKEY DS HTTPS IPSECKEY MX NAPTR NS PTR SOA SPF SRV SSHFP SVCB TLSA TXT"
# What a value looks like, for the types that people write: names end in a dot, and a text without quotes falls
# apart at its blanks.
_VALUES = {
    ("A",): Format("rrdatas[]", *IPV4, ipv4),
    ("AAAA",): Format("rrdatas[]", r"[0-9a-fA-F.:]+", "an IPv6 address", _ipv6),
    ("ALIAS", "CNAME", "NS", "PTR"): Format("rrdatas[]", f"(?i:{FQDN[0]})", FQDN[1].replace(" in lower case", "")),
    ("MX",): Format("rrdatas[]", rf"[0-9]{{1,5}} (\.|(?i:{FQDN[0]}))", "a priority and a name with its trailing dot"),
    ("CAA",): Format(
        "rrdatas[]",
        r'(0|128) (issue|issuewild|iodef) "[^"]*"',
        'a flag, a tag and a value in quotes, such as 0 issue "pki.goog"',
    ),
    ("TXT", "SPF"): Format("rrdatas[]", r'("([^"\\]|\\.)*" ?)+|[^\s"]+', "a text in double quotes"),
}

_ZONE = Kind(
    "dns",
    "DNSManagedZone",
    immutable=("spec.dnsName", "spec.reverseLookup", "spec.serviceDirectoryConfig", "spec.visibility"),
    constraints=(
        Name(*LABEL),
        Format("spec.dnsName", *FQDN),
        Mandatory("spec", ("visibility",), "the default, public, shows internal names to everybody"),
        OneOf("spec.visibility", ("public", "private")),
        Needs("spec", "visibility", ("dnssecConfig.state",), "public", ("on", "transfer")),
        Excludes("spec", "visibility", ("dnssecConfig",), "private"),
        Excludes("spec", "visibility", ("forwardingConfig", "peeringConfig", "privateVisibilityConfig"), "public"),
        Needs("spec", "visibility", ("privateVisibilityConfig",), "private"),
        AtLeastOne("spec.privateVisibilityConfig", ("networks[]", "gkeClusters[]"), "nobody would see the zone"),
        Unique("spec.privateVisibilityConfig.networks[].networkRef.name"),
        Format("spec.forwardingConfig.targetNameServers[].ipv4Address", *IPV4, ipv4),
        OneOf("spec.forwardingConfig.targetNameServers[].forwardingPath", ("default", "private")),
        # RSASHA1 is what DNSSEC must no longer use: https://www.rfc-editor.org/rfc/rfc8624#section-3.1
        OneOf(
            "spec.dnssecConfig.defaultKeySpecs[].algorithm",
            ("ecdsap256sha256", "ecdsap384sha384", "rsasha256", "rsasha512"),
        ),
        OneOf("spec.dnssecConfig.defaultKeySpecs[].keyType", ("keySigning", "zoneSigning")),
        OneOf("spec.dnssecConfig.nonExistence", ("nsec", "nsec3")),
    ),
)

_RECORD = Kind(
    "dns",
    "DNSRecordSet",
    immutable=("spec.managedZoneRef", "spec.name"),
    constraints=(
        Format("spec.name", r"(\*\.)?" + FQDN[0], FQDN[1]),
        OneOf("spec.type", tuple(_TYPES.split())),
        Range("spec.ttl", 0, 2147483647),
        ExactlyOne("spec", ("rrdatas", "rrdatasRefs", "routingPolicy")),
        OneOf("spec.rrdatasRefs[].kind", ("ComputeAddress",)),
        Needs("spec", "rrdatasRefs", ("type",), value_needed=("A", "AAAA")),  # the value is an address
        *(When("spec", "type", types, shape) for types, shape in _VALUES.items()),
        ExactlyOne("spec.routingPolicy", ("geo", "wrr", "primaryBackup")),
    ),
)

KINDS = (_ZONE, _RECORD)
