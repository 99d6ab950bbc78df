"""Rules over what `custom/` takes away: everything that the input gives is there for a reason.

A list of the user's may be longer than ours, an object may have more fields, and most values may differ: other rules
judge these. What these two find is what is gone, and values that mean something only together with the input.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from dify_gitops.kinds.constraints.paths import has, under, values
from dify_gitops.rules.rule import Flaw, rule, shown

if TYPE_CHECKING:
    from collections.abc import Iterator

    from dify_gitops.rules.cluster import Cluster, Object

# Where a value must stay: the workloads, other objects or Google rely on it, or the input has a key for it.
_VALUES = {
    "ClusterPodMonitoring": ("spec",),
    "ComputeAddress": ("spec",),
    "ComputeFirewall": ("spec.networkRef", "spec.direction", "spec.priority", "spec.disabled", "spec.sourceRanges",
                        "spec.targetTags", "spec.allow", "spec.deny"),
    "ComputeForwardingRule": ("spec",),
    "ComputeRouterNAT": ("spec.routerRef", "spec.natIpAllocateOption", "spec.natIps",
                         "spec.sourceSubnetworkIpRangesToNat", "spec.subnetwork"),
    "ComputeSecurityPolicy": ("spec.rule",),
    "ConfigConnector": ("spec", "spec.actuationMode"),
    "ConfigConnectorContext": ("spec", "spec.actuationMode", "spec.billingProject"),
    "ContainerCluster": ("spec.ipAllocationPolicy", "spec.loggingConfig", "spec.monitoringConfig"),
    "ContainerNodePool": tuple(f"spec.nodeConfig.{field}" for field in ("oauthScopes", "serviceAccountRef", "tags")),
    "DNSManagedZone": ("spec.dnsName",),
    "DNSRecordSet": ("spec.managedZoneRef", "spec.name", "spec.type", "spec.rrdatasRefs"),
    "GKEBackupBackupPlan": ("spec.clusterRef", "spec.backupConfig", "spec.retentionPolicy"),
    "GKEBackupRestorePlan": ("spec",),
    "IAMAuditConfig": ("spec",),
    "IAMPartialPolicy": ("spec",),
    "IAMServiceAccount": ("spec.resourceID",),
    "LoggingLogBucket": ("spec.retentionDays", "spec.location"),
    "LoggingLogSink": ("spec.destination",),
    "MonitoringUptimeCheckConfig": ("spec.httpCheck",),
    "RedisInstance": ("spec.authorizedNetworkRef", "spec.reservedIpRange"),
    "SQLDatabase": ("spec.resourceID", "spec.instanceRef"),
    "SQLInstance": tuple(f"spec.settings.{field}" for field in (
        "backupConfiguration.backupRetentionSettings", "backupConfiguration.startTime", "diskAutoresize",
        "diskAutoresizeLimit", "diskType", "insightsConfig", "ipConfiguration")),
    "SQLUser": ("spec",),
    "SecretManagerSecret": ("spec.resourceID", "metadata.labels"),
    "Service": ("spec.resourceID",),
    "ServiceNetworkingConnection": ("spec",),
    "StorageBucket": ("spec.resourceID", "spec.location"),
}  # fmt: skip


class Customised(NamedTuple):
    """``config-connector/<env>`` twice: as the input gives it, and as it is rendered with ``custom/``."""

    generated: Cluster
    rendered: Cluster

    def pairs(self) -> Iterator[tuple[Object, Object | None]]:
        """Every generated object, with what has become of it."""
        there = {_identity(item): item for item in self.rendered.objects}
        for item in self.generated.objects:
            yield item, there.get(_identity(item))


def _identity(item: Object) -> tuple[str, str, str, str]:
    return item.group, item.kind, item.namespace, item.name


@rule(
    "google-object-kept",
    why="what the input gives is used: by workloads, by other objects, or by who watches, restores or audits",
    remedy="leave it in, or change the input where it has a key for that",
)
def google_object_kept(customised: Customised) -> Iterator[Flaw]:
    """No generated object is deleted by the user's component."""
    for item, rendered in customised.pairs():
        if rendered is None:
            yield Flaw(item, "", "the input gives it, and custom/ removes it")


@rule(
    "google-field-kept",
    why="a field that is gone means Google's default, and some values hold only together with the input",
    remedy="leave it as the input gives it, change the input where it has a key for that, or add an object of your own",
)
def google_field_kept(customised: Customised) -> Iterator[Flaw]:
    """No generated field is removed, and some values stay."""
    for item, rendered in customised.pairs():
        if rendered is None:
            continue
        gone = list(_gone(item.data, rendered.data, ""))
        kept = [flaw for path in _VALUES.get(item.kind, ()) for flaw in _changed(item.data, rendered.data, path)]
        for field, message in dict([*kept, *gone]).items():
            yield Flaw(item, field, message)


def _gone(ours: dict[str, Any], theirs: dict[str, Any], field: str) -> Iterator[tuple[str, str]]:
    """Keys without successor; references may name their target in another way, lists may hold other things."""
    for key, value in ours.items():
        path = under(field, key)
        if key not in theirs or (value and not theirs[key] and theirs[key] not in (False, 0)):
            yield path, f"was {shown(value)}, and custom/ removes it"
        elif isinstance(value, dict) and isinstance(theirs[key], dict) and not key.endswith("Ref"):
            yield from _gone(value, theirs[key], path)


def _changed(ours: dict[str, Any], theirs: dict[str, Any], path: str) -> Iterator[tuple[str, str]]:
    """Differences below a path whose value must stay."""
    for _, value in values(theirs, path):
        if not has(ours, path):
            yield path, f"is {shown(value)}, but the input gives none"
    for (_, mine), (_, value) in zip(values(ours, path), values(theirs, path), strict=False):
        yield from _different(mine, value, path)


def _different(ours: Any, theirs: Any, field: str) -> Iterator[tuple[str, str]]:
    if isinstance(ours, dict) and isinstance(theirs, dict):
        for key, value in ours.items():
            if key in theirs:
                yield from _different(value, theirs[key], under(field, key))
            else:
                yield under(field, key), f"was {shown(value)}, and custom/ removes it"
    elif isinstance(ours, list) and isinstance(theirs, list):
        lost = [shown(item) for item in ours if not any(_holds(other, item) for other in theirs)]
        if lost:
            yield field, f"lacks {', '.join(lost)}"
    elif ours != theirs:
        yield field, f"is {shown(theirs)}, but the input gives {shown(ours)}"


def _holds(theirs: Any, ours: Any) -> bool:
    """Whether an item has everything that ours has; it may have more."""
    if isinstance(ours, dict) and isinstance(theirs, dict):
        return all(key in theirs and _holds(theirs[key], value) for key, value in ours.items())
    if isinstance(ours, list) and isinstance(theirs, list):
        return all(any(_holds(other, item) for other in theirs) for item in ours)
    return bool(ours == theirs)
