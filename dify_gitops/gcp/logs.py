"""logs.yaml: where logs go, and how long they stay."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dify_gitops import names
from dify_gitops.emit import Note
from dify_gitops.gcp import Concern
from dify_gitops.gcp.resource import project_ref, resource

if TYPE_CHECKING:
    from dify_gitops.gcp import Site
    from dify_gitops.k8s.objects import Manifest

# The three filters take everything, and nothing twice: what is stored is paid.
_AUDIT = 'logName:"cloudaudit.googleapis.com"'
APPLICATION = (
    f'resource.type="k8s_container" AND resource.labels.cluster_name="{names.CLUSTER}" AND '
    f'resource.labels.namespace_name=("{names.DIFY}" OR "{names.SANDBOX}")'
)


def filters() -> dict[str, str]:
    """Sink → which entries it takes."""
    return {
        "application": f"NOT {_AUDIT} AND ({APPLICATION})",
        "system": f"NOT {_AUDIT} AND NOT ({APPLICATION})",
        "audit": _AUDIT,
    }


_WHAT = {
    "application": "What Dify's containers write.",
    "system": "Everything else: nodes, control plane, database, load balancer, NAT, firewall, flows of the network.",
    "audit": "Who did what in the project: access.yaml says which reads are written down, changes always are.",
}


def _sink(site: Site, name: str, wanted: str) -> Manifest:
    environment = site.environment
    bucket = f"projects/{environment.project}/locations/{environment.region}/buckets/{names.LOG_BUCKET}"
    return resource(
        _WHAT[name],
        "logging",
        "LoggingLogSink",
        f"dify-{name}",
        site,
        spec={
            "projectRef": project_ref(site),
            "destination": {
                "loggingLogBucketRef": {
                    "external": Note(
                        f"logging.googleapis.com/{bucket}",
                        "by name Config Connector 1.155 never finds the bucket's project, and waits for ever",
                    )
                }
            },
            "filter": wanted,
            "uniqueWriterIdentity": Note(True, "an identity of its own; within the project it needs no role"),
        },
    )


def concern(site: Site) -> Concern:
    """One bucket, three sinks."""
    bucket = resource(
        "Holds all logs of this environment. Locked like data: it holds who did what.",
        "logging",
        "LoggingLogBucket",
        names.LOG_BUCKET,
        site,
        wave=names.WAVE_REST,
        locked=True,
        spec={
            "projectRef": project_ref(site),
            "location": Note(site.environment.region, "immutable"),
            "description": f"Logs of Dify {site.name}",
            "retentionDays": site.environment.logs.retention_days,
        },
    )
    return Concern(
        "logs",
        "Logs, for as long as logs.retentionDays says. Google's own bucket _Default keeps a copy for 30 days.",
        [bucket, *(_sink(site, name, wanted) for name, wanted in filters().items())],
    )
