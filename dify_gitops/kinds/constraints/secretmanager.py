"""Secret Manager. Source: the Terraform provider that Config Connector 1.155 embeds, services/secretmanager."""

from __future__ import annotations

from dify_gitops.input import formats as f
from dify_gitops.kinds.constraints.formats import DURATION, REGION, TIMESTAMP
from dify_gitops.kinds.constraints.model import (
    ExactlyOne,
    Format,
    Kind,
    Length,
    Mandatory,
    Name,
    Needs,
    Refused,
    Unique,
    named,
    on,
)

_GONE = "deletes the secret when the time has come"
_REPLICAS = "spec.replication.userManaged.replicas"

KINDS = (
    Kind(
        "secretmanager",
        "SecretManagerSecret",
        immutable=("spec.replication",),
        constraints=(
            Name(*named(f.SecretName)),
            *on("spec.replication.automatic"),
            ExactlyOne("spec.replication", ("automatic", "userManaged", "auto")),
            Length(_REPLICAS, 1, 100),
            Format(f"{_REPLICAS}[].location", *REGION),
            Unique(f"{_REPLICAS}[].location"),
            Format("spec.rotation.rotationPeriod", *DURATION),
            Format("spec.rotation.nextRotationTime", *TIMESTAMP),
            Needs("spec", "rotation", ("topics",)),
            Needs("spec.rotation", "nextRotationTime", ("rotationPeriod",)),
            # The default controller sends no replication at all then, and the API refuses the secret.
            Refused("spec.replication.auto", "means nothing to the default controller; write automatic: true"),
            Refused("spec.labels", "means nothing to the default controller; it takes metadata.labels"),
            Refused("spec.ttl", _GONE),
            Refused("spec.expireTime", _GONE),
            Mandatory("spec", ("replication",), "it cannot be added later"),
        ),
    ),
)
