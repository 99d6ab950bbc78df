"""Google's APIs being on. Source: the Terraform provider that Config Connector 1.155 embeds."""

from __future__ import annotations

from dify_gitops.kinds.constraints.model import Kind, Name

KINDS = (
    Kind(
        "serviceusage",
        "Service",
        immutable=("spec.projectRef",),
        constraints=(Name(r"([a-z0-9-]+\.)+googleapis\.com", "the name of an API, such as redis.googleapis.com"),),
    ),
)
