"""What an environment gets on Google Cloud, as a table for readers: the values are those of the generated objects."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import msgspec

from dify_gitops.emit import plain
from dify_gitops.gcp import Concern, Site
from dify_gitops.gcp.concerns import concerns
from dify_gitops.input.model import Environment, Platform
from dify_gitops.input.profiles import PROFILES
from dify_gitops.kinds.constraints.paths import values

if TYPE_CHECKING:
    from collections.abc import Iterable


class Row(NamedTuple):
    """A line of the table: what it says, and where the value stands. ``kind`` is the first of its kind in the file."""

    file: str
    what: str
    kind: str
    paths: tuple[str, ...]


ROWS = (
    Row("network", "range of the nodes", "ComputeSubnetwork", ("spec.ipCidrRange",)),
    Row("network", "ranges of pods and Services", "ComputeSubnetwork", ("spec.secondaryIpRange[].ipCidrRange",)),
    Row("network", "addresses of Cloud NAT", "ComputeRouterNAT", ("spec.natIpAllocateOption",)),
    Row("cluster", "where", "ContainerCluster", ("spec.nodeLocations[]",)),
    Row(
        "cluster",
        "data path, release channel",
        "ContainerCluster",
        ("spec.datapathProvider", "spec.releaseChannel.channel"),
    ),
    Row(
        "cluster",
        "nodes in total",
        "ContainerNodePool",
        ("spec.autoscaling.totalMinNodeCount", "spec.autoscaling.totalMaxNodeCount", "spec.nodeConfig.machineType"),
    ),
    Row("cloud-sql", "version, machine", "SQLInstance", ("spec.databaseVersion", "spec.settings.tier")),
    Row("cloud-sql", "availability", "SQLInstance", ("spec.settings.availabilityType",)),
    Row(
        "cloud-sql",
        "disk, grows up to (GB)",
        "SQLInstance",
        ("spec.settings.diskType", "spec.settings.diskSize", "spec.settings.diskAutoresizeLimit"),
    ),
    Row(
        "cloud-sql",
        "daily backups: start in UTC, how many stay",
        "SQLInstance",
        (
            "spec.settings.backupConfiguration.startTime",
            "spec.settings.backupConfiguration.backupRetentionSettings.retainedBackups",
        ),
    ),
    Row(
        "cloud-sql",
        "any point in time of so many days",
        "SQLInstance",
        ("spec.settings.backupConfiguration.transactionLogRetentionDays",),
    ),
    Row("cloud-sql", "encryption on the way", "SQLInstance", ("spec.settings.ipConfiguration.sslMode",)),
    Row("memorystore", "version, GB, tier", "RedisInstance", ("spec.redisVersion", "spec.memorySizeGb", "spec.tier")),
    Row("memorystore", "encryption on the way", "RedisInstance", ("spec.transitEncryptionMode",)),
    Row("storage", "where, class", "StorageBucket", ("spec.location", "spec.storageClass")),
    Row(
        "storage",
        "colder after (days)",
        "StorageBucket",
        ("spec.lifecycleRule[].action.storageClass", "spec.lifecycleRule[].condition.age"),
    ),
    Row("edge", "TLS", "ComputeSSLPolicy", ("spec.minTlsVersion", "spec.profile")),
    Row(
        "edge",
        "requests a minute from one address",
        "ComputeSecurityPolicy",
        ("spec.rule[].rateLimitOptions.rateLimitThreshold.count",),
    ),
    Row("logs", "days that logs stay", "LoggingLogBucket", ("spec.retentionDays",)),
    Row("backup", "days that volumes' backups stay", "GKEBackupBackupPlan", ("spec.retentionPolicy.backupRetainDays",)),
)

_SAMPLE = {"project": "acme-dify", "region": "asia-northeast1", "domain": "dify.acme.example"}
_PLATFORM = Platform(repository="https://example.com/acme.git", contact="platform@acme.example")


def _default(profile: str) -> list[Concern]:
    environment = msgspec.convert({**PROFILES[profile], "profile": profile, **_SAMPLE}, Environment)
    return concerns(Site(profile, environment, _PLATFORM))


def _cell(row: Row, found: Iterable[Concern]) -> str:
    bodies = [one.body for concern in found if concern.name == row.file for one in concern.manifests]
    body = next(plain(body) for body in bodies if body["kind"] == row.kind)
    return ", ".join(f"`{value}`" for path in row.paths for _, value in values(body, path))


def google_table() -> str:
    """Two Markdown tables: the files with their kinds, and the numbers of both profiles at their defaults."""
    prod, dev = _default("prod"), _default("dev")
    lines = ["| `config-connector/<env>/generated/` | what it holds | kinds |", "|---|---|---|"]
    for concern in prod:
        counts: dict[str, int] = {}
        for one in concern.manifests:
            counts[one.body["kind"]] = counts.get(one.body["kind"], 0) + 1
        kinds = ", ".join((f"{count} " if count > 1 else "") + kind for kind, count in counts.items())
        lines.append(f"| `{concern.name}.yaml` | {concern.why} | {kinds} |")
    lines += ["", "| what | prod | dev |", "|---|---|---|"]
    lines += [f"| {row.file}: {row.what} | {_cell(row, prod)} | {_cell(row, dev)} |" for row in ROWS]
    return "\n".join(lines) + "\n"
