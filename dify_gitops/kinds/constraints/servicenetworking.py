"""Private services access. Source: the Terraform provider that Config Connector 1.155 embeds."""

from __future__ import annotations

from dify_gitops.kinds.constraints.formats import LABEL
from dify_gitops.kinds.constraints.model import AtLeastOne, Format, Kind, OneOf, Unique

KINDS = (
    Kind(
        "servicenetworking",
        "ServiceNetworkingConnection",
        immutable=("spec.networkRef", "spec.service"),
        constraints=(
            OneOf("spec.service", ("servicenetworking.googleapis.com",)),
            AtLeastOne("spec", ("reservedPeeringRanges[]",), "Cloud SQL and Memorystore would have no addresses"),
            Unique("spec.reservedPeeringRanges[].name"),
            # Here an address by its bare name, not by its path as elsewhere.
            Format("spec.reservedPeeringRanges[].external", *LABEL),
        ),
    ),
)
