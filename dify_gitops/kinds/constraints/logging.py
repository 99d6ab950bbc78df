"""Log buckets and sinks.

Sources: https://cloud.google.com/logging/docs/reference/v2/rest, the Terraform provider and DCL that Config Connector
1.155 embeds, and what its controllers did when measured.
"""

from __future__ import annotations

from dify_gitops.kinds.constraints.formats import FILTER, REGION_OR_GLOBAL, balanced
from dify_gitops.kinds.constraints.model import (
    ExactlyOne,
    Excludes,
    Format,
    Kind,
    Length,
    Mandatory,
    Name,
    Needs,
    Range,
    Refused,
    Unique,
    off,
    on,
)

_PLACES = ("billingAccountRef", "folderRef", "organizationRef", "projectRef")
_BUCKET = "spec.destination.loggingLogBucketRef"

KINDS = (
    Kind(
        "logging",
        "LoggingLogBucket",
        immutable=tuple(f"spec.{place}" for place in _PLACES),
        constraints=(
            Name(r"_Default|_Required|[A-Za-z0-9][A-Za-z0-9_.-]{0,99}", "the name of a log bucket"),
            Format("spec.location", *REGION_OR_GLOBAL),
            Range("spec.retentionDays", 1, 3650),
            Mandatory("spec", ("retentionDays",), "Google would keep logs for 30 days, whatever the input says"),
            Refused("spec.locked", "can never be taken back: neither days nor logs could be removed", value=True),
        ),
    ),
    Kind(
        "logging",
        "LoggingLogSink",
        immutable=("spec.folderRef", "spec.includeChildren", "spec.organizationRef", "spec.projectRef"),
        constraints=(
            Name(r"[A-Za-z0-9_.-]{1,100}", "the name of a sink"),
            *on("spec.uniqueWriterIdentity", why="all sinks of the world would share one identity"),
            *off("spec.disabled", why="its entries would be kept nowhere"),
            ExactlyOne("spec", _PLACES[1:]),
            Excludes("spec", "projectRef", ("includeChildren",)),
            Needs("spec", "bigqueryOptions", ("destination.bigQueryDatasetRef",)),
            Refused(f"{_BUCKET}.name", "never resolves in Config Connector 1.155: write external"),
            Format(
                f"{_BUCKET}.external",
                r"logging\.googleapis\.com/projects/[^/]+/locations/[^/]+/buckets/[^/]+",
                "logging.googleapis.com/projects/<project>/locations/<location>/buckets/<bucket>",
            ),
            Format("spec.filter", *FILTER, check=balanced),
            Format("spec.exclusions[].filter", *FILTER, check=balanced),
            Format("spec.exclusions[].name", r"[A-Za-z0-9][A-Za-z0-9_.-]{0,99}", "the name of an exclusion"),
            Unique("spec.exclusions[].name"),
            Length("spec.exclusions", 0, 50),
            Mandatory("spec", ("filter",), "every entry of the project would be stored once more"),
            Mandatory("spec", ("uniqueWriterIdentity",), "all sinks of the world would share one identity"),
        ),
    ),
)
