"""backup.yaml: Backup for GKE, for the volumes of Weaviate and the plugin daemon."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dify_gitops import names
from dify_gitops.emit import Flow, Note
from dify_gitops.gcp import Concern
from dify_gitops.gcp.resource import project_ref, ref, resource
from dify_gitops.gcp.schedule import utc

if TYPE_CHECKING:
    from dify_gitops.gcp import Site

PLAN = "dify"
_TIME = "04:30"  # after Weaviate's own backup and the database's
_NAMESPACES = {"namespaces": Flow([names.DIFY, names.SANDBOX])}
_PROD_DAYS, _DEV_DAYS, _LOCK_DAYS = 30, 7, 7


def concern(site: Site) -> Concern:
    """One plan that makes backups every night, one that says how they come back."""
    environment = site.environment
    start = utc(_TIME, environment.time_zone)
    lasting = environment.profile == "prod"
    common = {
        "location": environment.region,
        "projectRef": project_ref(site),
        "clusterRef": ref(names.CLUSTER),
    }
    return Concern(
        "backup",
        "Backup for GKE. These kinds are v1alpha1, which Config Connector's operator does not install: bootstrap "
        "applies their definitions from the release that it pins.",
        [
            resource(
                "Every night: objects and volumes of Dify's namespaces.",
                "gkebackup",
                "GKEBackupBackupPlan",
                PLAN,
                site,
                version="v1alpha1",
                wave=names.WAVE_REST,
                spec={
                    **common,
                    "backupConfig": {
                        "selectedNamespaces": _NAMESPACES,
                        "includeVolumeData": True,
                        "includeSecrets": Note(False, "they come back from Secret Manager"),
                    },
                    "backupSchedule": {"cronSchedule": Note(f"{start.minute} {start.hour} * * *", start.said)},
                    "retentionPolicy": {
                        "backupRetainDays": _PROD_DAYS if lasting else _DEV_DAYS,
                        "backupDeleteLockDays": Note(_LOCK_DAYS if lasting else 0, "nobody deletes a younger one"),
                    },
                },
            ),
            resource(
                "How they come back: volumes are those of the backup, other objects stay as Git has them.",
                "gkebackup",
                "GKEBackupRestorePlan",
                PLAN,
                site,
                version="v1alpha1",
                spec={
                    **common,
                    "backupPlanRef": {"name": PLAN},
                    "restoreConfig": {
                        "selectedNamespaces": _NAMESPACES,
                        "namespacedResourceRestoreMode": "MERGE_REPLACE_VOLUME_ON_CONFLICT",
                        "volumeDataRestorePolicy": "RESTORE_VOLUME_DATA_FROM_BACKUP",
                        "clusterResourceRestoreScope": {"noGroupKinds": True},
                        "clusterResourceConflictPolicy": "USE_EXISTING_VERSION",
                    },
                },
            ),
        ],
    )
