"""Which object of Config Connector refers to which other one: by reference field, by name, by path."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import TYPE_CHECKING, Any, NamedTuple

from dify_gitops.rules.access import get, mapping, maps, text
from dify_gitops.rules.google.estate import real_name

if TYPE_CHECKING:
    from collections.abc import Iterator

    from dify_gitops.rules.cluster import Object
    from dify_gitops.rules.google.estate import Estate

# Key of the reference → kind that it stands for, where the key alone says it.
KINDS = {
    "addressRef": "ComputeAddress",
    "alertPolicyRef": "MonitoringAlertPolicy",
    "authorizedNetworkRef": "ComputeNetwork",
    "backupPlanRef": "GKEBackupBackupPlan",
    "bucketRef": "StorageBucket",
    "clusterRef": "ContainerCluster",
    "customerManagedKeyRef": "KMSCryptoKey",
    "encryptionKMSCryptoKeyRef": "KMSCryptoKey",
    "instanceRef": "SQLInstance",
    "keyRingRef": "KMSKeyRing",
    "kmsKeyRef": "KMSCryptoKey",
    "logSinkRef": "LoggingLogSink",
    "loggingLogBucketRef": "LoggingLogBucket",
    "managedZoneRef": "DNSManagedZone",
    "masterInstanceRef": "SQLInstance",
    "natIps": "ComputeAddress",
    "networkRef": "ComputeNetwork",
    "notificationChannels": "MonitoringNotificationChannel",
    "policyRefs": "MonitoringAlertPolicy",
    "privateNetworkRef": "ComputeNetwork",
    "projectRef": "Project",
    "reservedPeeringRanges": "ComputeAddress",
    "routerRef": "ComputeRouter",
    "rrdatasRefs": "ComputeAddress",
    "secretRef": "SecretManagerSecret",
    "serviceAccountRef": "IAMServiceAccount",
    "serviceIdentityRef": "ServiceIdentity",
    "sourceServiceAccounts": "IAMServiceAccount",
    "sqlInstanceRef": "SQLInstance",
    "storageBucketRef": "StorageBucket",
    "subnetworkRef": "ComputeSubnetwork",
    "targetServiceAccounts": "IAMServiceAccount",
    "topicRef": "PubSubTopic",
}
# Paths in `external` that stand for a kind which is an object here, if the project is ours.
_EXTERNAL = (
    (re.compile(r"logging\.googleapis\.com/projects/([^/]+)/locations/[^/]+/buckets/([^/]+)"), "LoggingLogBucket"),
    (re.compile(r"https://www\.googleapis\.com/compute/v1/projects/([^/]+)/.+/addresses/([^/]+)"), "ComputeAddress"),
)


SECRET = "Secret"  # noqa: S105 - the kind of a link to a key of a Secret; its name reads «Secret key»


class Link(NamedTuple):
    """A name in an object that stands for another one. ``kind`` is empty where the field does not say it.

    ``real`` links mean the name in Google Cloud, others that of the object; ``project`` is that of a path.
    """

    source: Object
    field: str
    kind: str
    namespace: str
    name: str
    real: bool = False
    project: str = ""


def target(estate: Estate, link: Link) -> Object | None:
    """What a link points to, if it is there."""
    found = estate.of(link.kind) if link.kind else estate.resources
    for item in found:
        name = real_name(item) if link.real else item.name
        if name == link.name and (link.real or item.namespace == link.namespace):
            return item
    return None


@lru_cache(maxsize=2)
def links(estate: Estate) -> list[Link]:
    """Every link in an estate."""
    return [
        link
        for item in estate.resources
        for link in (*_references(item), *_names(item))
        if link.project in ("", estate.project)
    ]


def _references(item: Object) -> Iterator[Link]:
    yield from _walk(item, mapping(item.data, "spec"), "spec")


def _walk(item: Object, node: Any, field: str) -> Iterator[Link]:
    if isinstance(node, list):
        for number, child in enumerate(node):
            yield from _walk(item, child, f"{field}[{number}]")
    elif isinstance(node, dict):
        for key, child in node.items():
            here = f"{field}.{key}"
            if not isinstance(child, (dict, list)):
                continue
            if key.endswith(("Ref", "Refs")) or key in KINDS:
                several = child if isinstance(child, list) else [child]
                for number, one in enumerate(several):
                    place = f"{here}[{number}]" if isinstance(child, list) else here
                    yield from _reference(item, key, one, place)
                    yield from _walk(item, one, place)
            else:
                yield from _walk(item, child, here)


def _reference(item: Object, key: str, value: Any, field: str) -> Iterator[Link]:
    """A ``{name}``, ``{external}`` or, of a Secret, ``{name, key}``."""
    if key == "secretKeyRef":
        yield Link(item, field, SECRET, item.namespace, f"{text(value, 'name')} {text(value, 'key')}")
        return
    kind = text(value, "kind") or KINDS.get(key, "")
    if name := text(value, "name"):
        yield Link(item, f"{field}.name", kind, text(value, "namespace") or item.namespace, name)
    if external := text(value, "external"):
        for pattern, stands_for in _EXTERNAL:
            if found := pattern.fullmatch(external):
                yield Link(item, f"{field}.external", stands_for, item.namespace, found[2], real=True, project=found[1])


_RANGES = {
    "SQLInstance": ("settings", "ipConfiguration", "allocatedIpRange"),
    "RedisInstance": ("reservedIpRange",),
}


def _names(item: Object) -> Iterator[Link]:
    """Names in plain text fields."""
    if path := _RANGES.get(item.kind):
        name = get(item.data, "spec", *path)
        if isinstance(name, str):
            yield Link(item, ".".join(("spec", *path)), "ComputeAddress", item.namespace, name, real=True)


def subnet_of(estate: Estate, item: Object) -> Object | None:
    """The subnet that an object refers to."""
    return estate.named("ComputeSubnetwork", item.namespace, text(item.data, "spec", "subnetworkRef", "name"))


def secondary_ranges(subnet: Object) -> dict[str, str]:
    """``{range name: CIDR}`` of a subnet's secondary ranges."""
    return {text(one, "rangeName"): text(one, "ipCidrRange") for one in maps(subnet.data, "spec", "secondaryIpRange")}
