"""Memorystore for Redis. Source: the Terraform provider that Config Connector 1.155 embeds, services/redis."""

from __future__ import annotations

from dify_gitops.catalogue.google import DAYS
from dify_gitops.input import formats as f
from dify_gitops.kinds.constraints.formats import TIMESTAMP, ZONE
from dify_gitops.kinds.constraints.model import (
    Excludes,
    Format,
    Kind,
    Length,
    Mandatory,
    Name,
    Needs,
    OneOf,
    Range,
    Refused,
    When,
    named,
    on,
)

_WINDOW = "spec.maintenancePolicy.weeklyMaintenanceWindow"
# https://cloud.google.com/memorystore/docs/redis/supported-redis-configurations
_POLICIES = (
    "noeviction",
    *(f"{order}-{keys}" for order in ("allkeys", "volatile") for keys in ("lru", "lfu", "random")),
    "volatile-ttl",
)

KINDS = (
    Kind(
        "redis",
        "RedisInstance",
        immutable=(
            "spec.alternativeLocationId",
            "spec.authorizedNetworkRef",
            "spec.connectMode",
            "spec.customerManagedKeyRef",
            "spec.locationId",
            "spec.region",
            "spec.reservedIpRange",
            "spec.tier",
            "spec.transitEncryptionMode",
        ),
        rising=("spec.redisVersion",),
        constraints=(
            Name(*named(f.RedisName)),
            *on("spec.authEnabled", why="whoever reaches the address could read and write all of it"),
            OneOf("spec.transitEncryptionMode", ("SERVER_AUTHENTICATION",), "password and data would go unencrypted"),
            OneOf("spec.connectMode", ("PRIVATE_SERVICE_ACCESS",), "its address would not be in our range"),
            OneOf("spec.redisConfigs.maxmemory-policy", _POLICIES),
            OneOf("spec.tier", ("BASIC", "STANDARD_HA")),
            OneOf("spec.redisVersion", ("REDIS_6_X", "REDIS_7_0", "REDIS_7_2")),
            OneOf("spec.readReplicasMode", ("READ_REPLICAS_DISABLED", "READ_REPLICAS_ENABLED")),
            OneOf("spec.persistenceConfig.persistenceMode", ("DISABLED", "RDB")),
            OneOf(
                "spec.persistenceConfig.rdbSnapshotPeriod",
                ("ONE_HOUR", "SIX_HOURS", "TWELVE_HOURS", "TWENTY_FOUR_HOURS"),
            ),
            OneOf(f"{_WINDOW}[].day", DAYS),
            Range("spec.memorySizeGb", 1, 300),  # https://cloud.google.com/memorystore/docs/redis/redis-tiers
            Range("spec.replicaCount", 0, 5),
            Range(f"{_WINDOW}[].startTime.hours", 0, 23),
            Range(f"{_WINDOW}[].startTime.minutes", 0, 59),
            Length(_WINDOW, 1, 1),
            Format("spec.persistenceConfig.rdbSnapshotStartTime", *TIMESTAMP),
            Format("spec.locationId", *ZONE),
            Format("spec.alternativeLocationId", *ZONE),
            Needs("spec", "readReplicasMode", ("tier",), "READ_REPLICAS_ENABLED", "STANDARD_HA"),
            When("spec", "readReplicasMode", ("READ_REPLICAS_ENABLED",), Range("memorySizeGb", 5, 300)),
            Excludes("spec", "tier", ("alternativeLocationId",), "BASIC"),
            Refused("spec.authString", "has no effect: Google makes the password"),
            Refused("spec.maintenanceSchedule", "is what Google reports"),
            Refused(f"{_WINDOW}[].duration", "is what Google reports: one hour"),
            Mandatory("spec", ("authorizedNetworkRef",), "Google takes the network that is called default"),
            Mandatory("spec", ("connectMode",), "DIRECT_PEERING is the default, and cannot be changed"),
            Mandatory("spec", ("authEnabled", "transitEncryptionMode"), "the default is neither password nor TLS"),
            Mandatory("spec", ("redisVersion", "maintenancePolicy"), "Google would choose version and time"),
        ),
        own=(
            OneOf(
                "spec.redisConfigs.maxmemory-policy",
                ("noeviction",),
                "waiting tasks of Celery would be thrown away when memory gets short",
            ),
            Mandatory("spec", ("redisConfigs.maxmemory-policy",), "the default throws waiting tasks away"),
        ),
    ),
)
