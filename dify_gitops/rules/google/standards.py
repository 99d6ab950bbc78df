"""Rules over what the input promises: high availability, backups, connections, who is told when something breaks."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dify_gitops.catalogue.google import LAST_PRIORITY, READ_REPLICA
from dify_gitops.input.budget import budget
from dify_gitops.rules.access import get, integer, maps, text, texts
from dify_gitops.rules.rule import Flaw, rule

if TYPE_CHECKING:
    from collections.abc import Iterator

    from dify_gitops.rules.google.estate import Estate


@rule(
    "google-availability",
    why="one part in a single zone takes all of Dify down with its zone",
    remedy="keep REGIONAL, STANDARD_HA and two zones, or say highAvailability: false in a dev environment",
)
def google_availability(estate: Estate) -> Iterator[Flaw]:
    """Where the environment is highly available, database, Redis and nodes survive a zone."""
    if not estate.environment.high_availability:
        return
    for item in filter(estate.ours, estate.of("SQLInstance")):
        if text(item.data, "spec", "instanceType") != READ_REPLICA:
            value = text(item.data, "spec", "settings", "availabilityType")
            if value != "REGIONAL":
                yield Flaw(item, "spec.settings.availabilityType", f"{value or 'ZONAL'} is not REGIONAL")
    for item in filter(estate.ours, estate.of("RedisInstance")):
        if text(item.data, "spec", "tier") != "STANDARD_HA":
            yield Flaw(item, "spec.tier", f"{text(item.data, 'spec', 'tier') or 'BASIC'} is not STANDARD_HA")
    for item in filter(estate.ours, estate.of("ContainerCluster", "ContainerNodePool")):
        zones = get(item.data, "spec", "nodeLocations")
        if isinstance(zones, list) and len(set(map(str, zones))) < 2:  # noqa: PLR2004 - one zone is not enough
            yield Flaw(item, "spec.nodeLocations", f"{len(zones)} zone, not two at least")


@rule(
    "google-database-connections",
    why="where all pods together open more connections than the server takes, requests fail at the worst time",
    remedy="raise database.maxConnections in the input, or lower the pools' maxima",
)
def google_database_connections(estate: Estate) -> Iterator[Flaw]:
    """The server's max_connections is the input's, and so holds the sum of all pools."""
    needed = budget(estate.environment)
    for item in filter(estate.ours, estate.of("SQLInstance")):
        flags = {
            text(flag, "name"): (number, text(flag, "value"))
            for number, flag in enumerate(maps(item.data, "spec", "settings", "databaseFlags"))
        }
        number, value = flags.get("max_connections", (None, ""))
        field = "spec.settings.databaseFlags" + ("" if number is None else f"[{number}].value")
        if number is None:
            yield Flaw(item, field, "has no max_connections")
        elif value.isdigit() and int(value) < needed.total:
            yield Flaw(item, field, f"max_connections {value} is less than {needed}")


@rule(
    "google-backups",
    why="what is not backed up, or not long enough, cannot be brought back",
    remedy="keep what the input says, or change the input",
)
def google_backups(estate: Estate) -> Iterator[Flaw]:
    """Backups of the primary instance are on, with point-in-time recovery, as many as the input wants."""
    for item in filter(estate.ours, estate.of("SQLInstance")):
        if text(item.data, "spec", "instanceType") == READ_REPLICA:
            continue
        base = ("spec", "settings", "backupConfiguration")
        for key in ("enabled", "pointInTimeRecoveryEnabled"):
            if get(item.data, *base, key) is not True:
                yield Flaw(item, ".".join((*base, key)), "is not true")
        kept = integer(item.data, *base, "backupRetentionSettings", "retainedBackups") or 0
        if kept < estate.environment.database.backups:
            field = ".".join((*base, "backupRetentionSettings.retainedBackups"))
            yield Flaw(item, field, f"{kept} is less than database.backups, {estate.environment.database.backups}")


@rule(
    "google-nodes",
    why="the number of nodes is the input's promise about cost and room",
    remedy="change nodes.min and nodes.max in the input",
)
def google_nodes(estate: Estate) -> Iterator[Flaw]:
    """The node pool of the input has its bounds, in total over all zones."""
    wanted = estate.environment.nodes
    for item in estate.of("ContainerNodePool"):
        low = integer(item.data, "spec", "autoscaling", "totalMinNodeCount")
        high = integer(item.data, "spec", "autoscaling", "totalMaxNodeCount")
        if low is not None and high is not None and low > high:
            yield Flaw(item, "spec.autoscaling.totalMinNodeCount", f"{low} is more than {high}, the most")
        elif item.name == wanted.pool and (low, high) != (wanted.min, wanted.max):
            message = (
                f"has no totals; {wanted.min} to {wanted.max} are wanted"
                if low is None or high is None
                else f"{low} to {high} in total are not {wanted.min} to {wanted.max}"
            )
            yield Flaw(item, "spec.autoscaling", message)


@rule(
    "google-default-rule",
    why="an allow-list that ends in «allow» lets everybody in",
    remedy=f"deny in the rule {LAST_PRIORITY}, or leave edge.allow out of the input",
)
def google_default_rule(estate: Estate) -> Iterator[Flaw]:
    """Where the input lists who may come in, the default rule of Cloud Armor denies."""
    if not estate.environment.edge.allow:
        return
    for item in estate.of("ComputeSecurityPolicy"):
        for number, entry in enumerate(maps(item.data, "spec", "rule")):
            open_to_all = "*" in texts(entry, "match", "config", "srcIpRanges") and entry.get("preview") is not True
            if open_to_all and not text(entry, "action").startswith("deny"):
                yield Flaw(item, f"spec.rule[{number}]", f"{text(entry, 'action')} for everybody, beside edge.allow")
