"""Firewall rules of the network. Source: the Terraform provider that Config Connector 1.155 embeds.

Whom an ingress rule may let in is judged by a rule over all objects, google-firewall-sources.
"""

from __future__ import annotations

from dify_gitops.kinds.constraints.formats import ANY_CIDR, LABEL, PORTS, any_cidr, ports
from dify_gitops.kinds.constraints.model import (
    AtLeastOne,
    ExactlyOne,
    Excludes,
    Format,
    Kind,
    Name,
    Needs,
    OneOf,
    Range,
    Refused,
    When,
)

KINDS = (
    Kind(
        "compute",
        "ComputeFirewall",
        # https://cloud.google.com/firewall/docs/using-firewalls#modify: a rule's network cannot change.
        immutable=("spec.direction", "spec.networkRef"),
        constraints=(
            Name(*LABEL),
            ExactlyOne("spec", ("allow", "deny")),
            OneOf("spec.direction", ("INGRESS", "EGRESS")),
            When(
                "spec",
                "direction",
                (None, "INGRESS"),
                AtLeastOne(
                    "", ("sourceRanges[]", "sourceTags[]", "sourceServiceAccounts[]"), "that means the whole internet"
                ),
            ),
            When(
                "spec",
                "direction",
                ("EGRESS",),
                AtLeastOne("", ("destinationRanges[]",), "that means the whole internet"),
            ),
            Excludes("spec", "direction", ("sourceTags", "sourceServiceAccounts"), "EGRESS"),
            Excludes("spec", "sourceTags", ("sourceServiceAccounts", "targetServiceAccounts")),
            Excludes("spec", "targetTags", ("sourceServiceAccounts", "targetServiceAccounts")),
            Format("spec.sourceRanges[]", *ANY_CIDR, any_cidr),
            Format("spec.destinationRanges[]", *ANY_CIDR, any_cidr),
            Format("spec.sourceTags[]", *LABEL),
            Range("spec.priority", 0, 65535),
            *(
                constraint
                for side in ("spec.allow[]", "spec.deny[]")
                for constraint in (
                    Format(
                        f"{side}.protocol",
                        "tcp|udp|icmp|esp|ah|sctp|ipip|all|[0-9]{1,3}",
                        "tcp, udp, icmp, esp, ah, sctp, ipip, all or the number of a protocol",
                    ),
                    Format(f"{side}.ports[]", *PORTS, ports),
                    # https://cloud.google.com/firewall/docs/firewalls#protocols_and_ports
                    Needs(side, "ports", ("protocol",), value_needed=("tcp", "udp", "sctp")),
                )
            ),
            OneOf("spec.logConfig.metadata", ("INCLUDE_ALL_METADATA", "EXCLUDE_ALL_METADATA")),
            Needs("spec", "deny", ("logConfig",)),  # that something was refused is what one looks for later
            Refused("spec.enableLogging", "is outdated: logConfig turns the log on"),
        ),
    ),
)
