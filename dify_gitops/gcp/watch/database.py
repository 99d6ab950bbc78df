"""Alerts on Cloud SQL. Metrics: https://cloud.google.com/monitoring/api/metrics_gcp_c#gcp-cloudsql."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dify_gitops import names
from dify_gitops.gcp.watch.words import Alert, Signal, one_of, policy, series

if TYPE_CHECKING:
    from dify_gitops.gcp import Site
    from dify_gitops.k8s.objects import Manifest

_BUSY = 0.9  # CPU, memory
_FULL = 0.8  # disk, connections: the rest must last until somebody has read the mail
_GB = 2**30
_INSTANCE = ("resource.label.database_id",)


def _series(site: Site, metric: str) -> str:
    wanted = site.environment.database
    instances = [wanted.instance, *([names.replica(wanted.instance)] if wanted.read_replica else [])]
    ids = [f"{site.environment.project}:{instance}" for instance in instances]
    labels = {"database_id": one_of(*ids) if len(ids) > 1 else ids[0]}
    return series(f"cloudsql.googleapis.com/database/{metric}", "cloudsql_database", labels)


def cpu(site: Site) -> Signal:
    """Share of the vCPUs in use."""
    return Signal("CPU", _series(site, "cpu/utilization"), "ALIGN_MEAN", _BUSY, 900)


def memory(site: Site) -> Signal:
    """Share of the memory in use."""
    return Signal("memory", _series(site, "memory/utilization"), "ALIGN_MEAN", _BUSY, 900)


def disk(site: Site) -> Signal:
    """Bytes on the disk, against the limit up to which it grows."""
    limit = int(_FULL * site.environment.database.disk_limit * _GB)
    return Signal("disk", _series(site, "disk/bytes_used"), "ALIGN_MEAN", limit)


def connections(site: Site) -> Signal:
    """Connections of all databases together, against ``max_connections``."""
    limit = int(_FULL * site.environment.database.max_connections)
    metric = _series(site, "postgresql/num_backends")
    return Signal("connections", metric, "ALIGN_MAX", limit, reducer="REDUCE_SUM", by=_INSTANCE)


def policies(site: Site) -> list[Manifest]:
    """CPU, memory, disk, connections."""
    wanted = site.environment.database
    busy, full = f"{_BUSY:.0%}", f"{_FULL:.0%}"
    return [
        policy(
            site,
            "A quarter of an hour: backups and vacuum may take all of it for a few minutes.",
            Alert("sql-cpu", "Cloud SQL is busy", "ERROR"),
            [cpu(site)],
            share=busy,
        ),
        policy(
            site,
            "Below the point where the server is killed.",
            Alert("sql-memory", "Cloud SQL runs out of memory", "ERROR"),
            [memory(site)],
            share=busy,
        ),
        policy(
            site,
            f"{full} of diskAutoresizeLimit, in bytes: the utilization of a disk that grows by itself says nothing.",
            Alert("sql-disk", "Cloud SQL comes close to its disk's limit", "CRITICAL"),
            [disk(site)],
            share=full,
            disk=wanted.disk_limit,
        ),
        policy(
            site,
            f"{full} of max_connections.",
            Alert("sql-connections", "Cloud SQL runs out of connections", "ERROR"),
            [connections(site)],
            share=full,
            connections=wanted.max_connections,
        ),
    ]
