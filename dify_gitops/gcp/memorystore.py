"""memorystore.yaml: Redis, Dify's cache and Celery's broker."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dify_gitops import names
from dify_gitops.emit import Note
from dify_gitops.gcp import Concern
from dify_gitops.gcp.resource import ref, resource
from dify_gitops.gcp.schedule import utc

if TYPE_CHECKING:
    from dify_gitops.gcp import Site

_MAINTENANCE_DAY, _MAINTENANCE_TIME = "SUNDAY", "05:00"  # an hour after the database's


def concern(site: Site) -> Concern:
    """One instance."""
    environment = site.environment
    start = utc(_MAINTENANCE_TIME, environment.time_zone).whole
    replicated = environment.redis.tier == "STANDARD_HA"
    instance = resource(
        "Host, port, password and CAs are made by Google; the cluster reads them from this object's status.",
        "redis",
        "RedisInstance",
        Note(environment.redis.instance, "the suffix is a generation: another tier is another instance"),
        site,
        wave=names.WAVE_INSTANCES,
        spec={
            "region": Note(environment.region, "immutable"),
            "tier": Note(
                environment.redis.tier,
                "a replica in a second zone; immutable" if replicated else "one zone, no replica; immutable",
            ),
            "memorySizeGb": environment.redis.memory,
            "redisVersion": Note("REDIS_6_X", "may go up, never down"),
            "authorizedNetworkRef": ref(names.NETWORK),
            "connectMode": Note("PRIVATE_SERVICE_ACCESS", "through the range that Cloud SQL uses too; immutable"),
            "reservedIpRange": names.PRIVATE_SERVICES,
            "authEnabled": True,
            "transitEncryptionMode": Note("SERVER_AUTHENTICATION", "TLS, on port 6378; immutable"),
            "redisConfigs": {
                "maxmemory-policy": Note("noeviction", "a full broker must refuse tasks, not lose them in silence")
            },
            "persistenceConfig": {"persistenceMode": "RDB", "rdbSnapshotPeriod": "TWELVE_HOURS"}
            if replicated
            else {"persistenceMode": "DISABLED"},
            "maintenancePolicy": {
                "weeklyMaintenanceWindow": [
                    {
                        "day": Note(start.day(_MAINTENANCE_DAY), f"{start.said}, a {_MAINTENANCE_DAY.capitalize()}"),
                        "startTime": {"hours": start.hour, "minutes": 0, "seconds": 0, "nanos": 0},
                    }
                ]
            },
        },
    )
    return Concern("memorystore", "Redis: cache, locks, and the broker that holds waiting tasks.", [instance])
