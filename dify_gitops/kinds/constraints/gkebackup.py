"""Backup for GKE. Source: https://cloud.google.com/kubernetes-engine/docs/add-on/backup-for-gke/reference/rest."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from dify_gitops.input import formats as f
from dify_gitops.kinds.constraints.formats import LABEL
from dify_gitops.kinds.constraints.model import (
    AtMostOne,
    ExactlyOne,
    Format,
    Kind,
    Length,
    Mandatory,
    Name,
    Needs,
    OneOf,
    Range,
    Sense,
    Unique,
    off,
    on,
    written,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

_RESTORE = "spec.restoreConfig"
_CHOSEN = "spec.backupConfig.selectedNamespaces.namespaces"
_VOLUMES = ("RESTORE_VOLUME_DATA_FROM_BACKUP", "REUSE_VOLUME_HANDLE_FROM_BACKUP", "NO_VOLUME_DATA_RESTORATION")


def _lock(policy: dict[str, Any]) -> Iterator[tuple[str, str]]:
    lock, days = policy.get("backupDeleteLockDays"), policy.get("backupRetainDays")
    if isinstance(lock, int) and isinstance(days, int) and lock > days:
        yield "backupDeleteLockDays", f"{lock} is more than backupRetainDays, {days}"


KINDS = (
    Kind(
        "gkebackup",
        "GKEBackupBackupPlan",
        immutable=("spec.clusterRef",),
        constraints=(
            Name(*LABEL),
            *on("spec.backupConfig.allNamespaces"),
            *on("spec.backupConfig.includeVolumeData", why="the volumes would be left out"),
            *off("spec.backupConfig.includeSecrets", why="secrets would lie in backups; Secret Manager has them"),
            *off("spec.backupSchedule.paused", "spec.deactivated", why="no backup would be made"),
            ExactlyOne("spec.backupConfig", ("allNamespaces", "selectedNamespaces", "selectedApplications")),
            ExactlyOne("spec.backupSchedule", ("cronSchedule", "rpoConfig")),
            Format("spec.backupSchedule.cronSchedule", *written(f.Cron)),
            Range("spec.backupSchedule.rpoConfig.targetRPOMinutes", 60, 86400),
            Range("spec.retentionPolicy.backupRetainDays", 0, 365),
            Range("spec.retentionPolicy.backupDeleteLockDays", 0, 90),
            Length(_CHOSEN, 1, 1000),
            Unique(f"{_CHOSEN}[]"),
            Mandatory("spec", ("backupConfig", "backupSchedule"), "no backup would be made"),
            Mandatory("spec.backupConfig", ("includeVolumeData",), "the volumes would be left out"),
            Mandatory("spec", ("retentionPolicy.backupRetainDays",), "a schedule needs it"),
            Sense("spec.retentionPolicy", _lock),
        ),
    ),
    Kind(
        "gkebackup",
        "GKEBackupRestorePlan",
        immutable=("spec.backupPlanRef", "spec.clusterRef"),
        constraints=(
            Name(*LABEL),
            *on(f"{_RESTORE}.allNamespaces", f"{_RESTORE}.noNamespaces"),
            OneOf(
                f"{_RESTORE}.namespacedResourceRestoreMode",
                (
                    "DELETE_AND_RESTORE",
                    "FAIL_ON_CONFLICT",
                    "MERGE_SKIP_ON_CONFLICT",
                    "MERGE_REPLACE_VOLUME_ON_CONFLICT",
                    "MERGE_REPLACE_ON_CONFLICT",
                ),
            ),
            OneOf(f"{_RESTORE}.volumeDataRestorePolicy", _VOLUMES),
            OneOf(f"{_RESTORE}.volumeDataRestorePolicyBindings[].policy", _VOLUMES),
            OneOf(f"{_RESTORE}.clusterResourceConflictPolicy", ("USE_EXISTING_VERSION", "USE_BACKUP_VERSION")),
            ExactlyOne(
                _RESTORE,
                ("allNamespaces", "selectedNamespaces", "selectedApplications", "excludedNamespaces", "noNamespaces"),
            ),
            AtMostOne(
                f"{_RESTORE}.clusterResourceRestoreScope",
                ("allGroupKinds", "selectedGroupKinds", "excludedGroupKinds", "noGroupKinds"),
            ),
            Needs(_RESTORE, "clusterResourceRestoreScope", ("clusterResourceConflictPolicy",)),
            Mandatory(_RESTORE, ("namespacedResourceRestoreMode",), "Google refuses the plan without it"),
            Mandatory(_RESTORE, ("volumeDataRestorePolicy",), "volumes would come back empty"),
        ),
    ),
)
