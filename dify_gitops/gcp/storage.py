"""storage.yaml: buckets."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from dify_gitops import names
from dify_gitops.emit import Flow, Note
from dify_gitops.gcp import Concern
from dify_gitops.gcp.resource import resource
from dify_gitops.input.buckets import backup_bucket, files_bucket, plugin_bucket
from dify_gitops.overlay.images import keyless_plugins

if TYPE_CHECKING:
    from dify_gitops.gcp import Site
    from dify_gitops.k8s.objects import Manifest

NEARLINE_AFTER, COLDLINE_AFTER = 90, 365  # days
# Not by number of newer versions: what was deleted has none, and would stay for ever.
_OLD_VERSIONS = {"withState": "ARCHIVED", "daysSinceNoncurrentTime": 30}
_SOFT_DELETE = 7 * 24 * 3600  # seconds; Google's default, written because it is a promise


def _bucket(site: Site, why: str, name: str, lifecycle: list[Any], **fields: Any) -> Manifest:
    return resource(
        why,
        "storage",
        "StorageBucket",
        name,
        site,
        wave=names.WAVE_INSTANCES,
        spec={
            "location": Note(site.environment.storage.location, "cannot change; a new value would be ignored for ever"),
            "storageClass": "STANDARD",
            "uniformBucketLevelAccess": True,
            "publicAccessPrevention": "enforced",
            "versioning": {"enabled": Note(True, "what is overwritten or deleted can be brought back")},
            "softDeletePolicy": {"retentionDurationSeconds": _SOFT_DELETE},
            **fields,
            "lifecycleRule": lifecycle,
        },
    )


def _colder(storage_class: str, days: int) -> dict[str, Any]:
    return {"action": {"type": "SetStorageClass", "storageClass": storage_class}, "condition": {"age": days}}


def concern(site: Site) -> Concern:
    """Dify's files, Weaviate's backups, and packages of plugins where the daemon can use a bucket."""
    environment = site.environment
    prune = {"action": {"type": "Delete"}, "condition": _OLD_VERSIONS}
    pruned = Note(prune, "only versions that were replaced: current files are never deleted from here")
    cors = [
        {
            "origin": [f"https://{environment.domain}"],
            "method": Flow(["GET", "HEAD", "PUT", "POST"]),
            "responseHeader": Flow(["Content-Type", "Content-Length", "ETag"]),
            "maxAgeSeconds": 3600,
        }
    ]
    buckets = [
        _bucket(
            site,
            "Files of Dify: uploads, images, and the tenants' private keys.",
            files_bucket(environment),
            [_colder("NEARLINE", NEARLINE_AFTER), _colder("COLDLINE", COLDLINE_AFTER), pruned],
            cors=cors,
        ),
        _bucket(
            site,
            "Nightly backups of Weaviate; the job that makes them removes old ones.",
            backup_bucket(environment),
            [pruned],
        ),
    ]
    if keyless_plugins(environment):
        buckets.append(
            _bucket(
                site,
                "Packages of plugins: apart from Dify's files, where the tenants' keys are.",
                plugin_bucket(environment),
                [pruned],
            )
        )
    return Concern("storage", "Buckets. Data lives here: read twice before you change it.", buckets)
