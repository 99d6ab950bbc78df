"""Alerts on backups that failed: database, volumes, Weaviate."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dify_gitops import names
from dify_gitops.gcp import backup
from dify_gitops.gcp.watch.words import Alert, Log, Signal, like, policy, series

if TYPE_CHECKING:
    from dify_gitops.gcp import Site
    from dify_gitops.k8s.objects import Manifest

_JOB = "weaviate-backup"


def _database(site: Site) -> Log:
    """https://cloud.google.com/sql/docs/postgres/backup-recovery/view-audit-logs-for-automated-backups."""
    instance = f"{site.environment.project}:{site.environment.database.instance}"
    return Log(
        "automated backup",
        'log_id("cloudaudit.googleapis.com/system_event")\n'
        'resource.type="cloudsql_database"\n'
        f'resource.labels.database_id="{instance}"\n'
        'protoPayload.methodName="cloudsql.instances.automatedBackup"\n'
        'protoPayload.metadata.windowStatus=~"FAILED|SKIPPED"\n',
    )


def _volumes(site: Site) -> Signal:
    """How long failed backups took: there is a value only where one failed, and each is more than nothing."""
    plan = {"backup_plan_id": backup.PLAN, "location": site.environment.region}
    metric = "gkebackup.googleapis.com/backup_completion_times"
    found = series(metric, "gkebackup.googleapis.com/BackupPlan", plan, state=like("(?i)failed"))
    return Signal("failed backup", found, "ALIGN_PERCENTILE_99", seconds=0, period=300)


def _weaviate() -> Log:
    """Kubernetes' own event about a Job that ran out of tries or time, or was not started."""
    return Log(
        "failed Job",
        'log_id("events")\n'
        f'resource.labels.cluster_name="{names.CLUSTER}"\n'
        f'jsonPayload.involvedObject.namespace="{names.DIFY}"\n'
        f'jsonPayload.involvedObject.name=~"^{_JOB}"\n'
        'jsonPayload.reason=("BackoffLimitExceeded" OR "DeadlineExceeded" OR "MissSchedule")\n',
    )


def policies(site: Site) -> list[Manifest]:
    """One for each place where data lives; the buckets keep their own versions."""
    return [
        policy(
            site,
            "From the audit log: Cloud SQL has no metric for it.",
            Alert("backup-database", "the database was not backed up", "ERROR"),
            [_database(site)],
        ),
        policy(
            site,
            "Of the plan in backup.yaml.",
            Alert("backup-volumes", "the volumes were not backed up", "ERROR"),
            [_volumes(site)],
            plan=backup.PLAN,
        ),
        policy(
            site,
            "From Kubernetes' events.",
            Alert("backup-weaviate", "Weaviate was not backed up", "ERROR"),
            [_weaviate()],
            job=_JOB,
        ),
    ]
