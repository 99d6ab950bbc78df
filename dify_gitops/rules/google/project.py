"""Rules over where things are: one project, one region, known annotations of Config Connector."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from dify_gitops import names
from dify_gitops.catalogue.google import LABEL_KEY, LABEL_VALUE
from dify_gitops.input.words import nearest
from dify_gitops.kinds.constraints.formats import ZONE
from dify_gitops.rules.access import mapping, text
from dify_gitops.rules.google.estate import service
from dify_gitops.rules.rule import Flaw, meant, rule

if TYPE_CHECKING:
    from collections.abc import Iterator

    from dify_gitops.rules.google.estate import Estate

# Places in texts where a project id stands, with a word by which most texts are told to have none.
_PROJECTS = (
    (
        "projects/",
        re.compile(r"\bprojects/([a-z][a-z0-9-]{4,28}[a-z0-9])(?![a-z0-9-])(?!/regions/[^/]+/serviceAttachments/)"),
    ),
    (
        ".iam.gserviceaccount.com",  # but of Google's own service agents
        re.compile(
            r"(?<![a-z0-9-])(?!service-[0-9]+@)[a-z0-9-]+@([a-z][a-z0-9-]{4,28}[a-z0-9])\.iam\.gserviceaccount\.com"
        ),
    ),
    (".svc.id.goog", re.compile(r"\b([a-z][a-z0-9-]{4,28}[a-z0-9])\.svc\.id\.goog")),
)
# Keys whose whole value is a project id.
_PROJECT_KEYS = frozenset(("project_id", "allowedConsumerProjects"))
# Prose: runbooks and descriptions name what they like.
_PROSE = frozenset(("description", "content"))


def _projects(value: str) -> list[str]:
    """Project ids in a text."""
    return [one for word, pattern in _PROJECTS if word in value for one in pattern.findall(value)]


@rule(
    "google-project",
    why="one environment is one project: anything that points to another one touches what is not ours",
    remedy="use the project of the environment",
)
def google_project(estate: Estate) -> Iterator[Flaw]:
    """Every project id is the environment's, and every resource and the namespace name it."""
    own = estate.project
    for item in estate.objects:
        annotated = item.annotations.get(names.PROJECT_ID)
        needed = bool(service(item)) or (item.kind == "Namespace" and item.name == names.INFRA)
        field = f"metadata.annotations[{names.PROJECT_ID}]"
        if needed and annotated is None:
            yield Flaw(item, field, "is not set")
        elif annotated not in (None, own):
            yield Flaw(item, field, f"{annotated} is not {own}")
    for item, field, key, owner, value in estate.texts:
        if key in _PROSE:
            continue
        bare = "/" not in value and key == "external" and _names_project(field, owner)
        for one in [value] if bare or key in _PROJECT_KEYS else _projects(value):
            if one != own:
                yield Flaw(item, field, f"{one} is not {own}")


def _names_project(field: str, owner: dict[str, Any]) -> bool:
    """Whether a reference is to a project, by its id alone or behind projects/."""
    return field.endswith(".projectRef.external") or owner.get("kind") == "Project"


_ZONES = (
    ("alternativeLocationId",),
    ("locationId",),
    ("settings", "locationPreference", "secondaryZone"),
    ("settings", "locationPreference", "zone"),
)
# What the cluster needs beside it. A second one of somebody, such as a replica for disasters, may be elsewhere.
_BESIDE = (
    "ComputeRouter",
    "ComputeRouterNAT",
    "ComputeSubnetwork",
    "ContainerCluster",
    "ContainerNodePool",
    "RedisInstance",
    "SQLInstance",
)


@rule(
    "google-region",
    why="what lies in another region is far away, costs traffic, and is refused where both must be together",
    remedy="use the region of the environment",
)
def google_region(estate: Estate) -> Iterator[Flaw]:
    """Cluster, nodes, database, Redis and their network are in the environment's region."""
    own = estate.environment.region
    for item in estate.of(*_BESIDE):
        spec = mapping(item.data, "spec")
        for key in ("region", "location") if estate.ours(item) or item.kind == "ContainerNodePool" else ():
            value = text(spec, key)
            if value and value != own:
                yield Flaw(item, f"spec.{key}", f"{value} is not {own}")
        for path in _ZONES if estate.ours(item) else ():
            zone = text(spec, *path)
            if re.fullmatch(ZONE[0], zone) and not zone.startswith(f"{own}-"):
                yield Flaw(item, ".".join(("spec", *path)), f"{zone} is not in {own}")
        zones = spec.get("nodeLocations")
        for number, zone in enumerate(zones if isinstance(zones, list) else []):
            if not str(zone).startswith(f"{own}-"):
                yield Flaw(item, f"spec.nodeLocations[{number}]", f"{zone} is not in {own}")


# Annotations below cnrm.cloud.google.com that people write, with their values (empty: any).
# https://cloud.google.com/config-connector/docs/reference/annotations
_ANNOTATIONS: dict[str, frozenset[str]] = {
    "project-id": frozenset(),
    "folder-id": frozenset(),
    "organization-id": frozenset(),
    "deletion-policy": frozenset(("abandon", "delete")),
    "state-into-spec": frozenset(("absent",)),
    "management-conflict-prevention-policy": frozenset(("none", "resource")),
    "reconcile-interval-in-seconds": frozenset(),
    "force-destroy": frozenset(("false",)),
    "remove-default-node-pool": frozenset(("true",)),
    "disable-on-destroy": frozenset(("false",)),
    "disable-dependent-services": frozenset(("false",)),
    "unmanaged": frozenset(),
}
_HARM = {
    "state-into-spec": "merge writes Google's defaults into the spec, which differs from Git for ever",
    "force-destroy": "true deletes a bucket with its files, a zone with its records",
    "disable-on-destroy": "true turns the API off for everybody in the project",
    "disable-dependent-services": "true turns off the APIs that need this one",
}
# Config Connector 1.155, pkg/controller/direct/sql/sqlinstance_controller.go.
_UNMANAGED = frozenset(
    "spec.instanceType spec.maintenanceVersion spec.settings spec.settings.edition spec.settings.activationPolicy "
    "spec.settings.backupConfiguration spec.settings.backupConfiguration.enabled "
    "spec.settings.backupConfiguration.startTime spec.settings.backupConfiguration.pointInTimeRecoveryEnabled "
    "spec.settings.backupConfiguration.transactionLogRetentionDays "
    "spec.settings.backupConfiguration.backupRetentionSettings spec.settings.connectorEnforcement "
    "spec.settings.dataCacheConfig spec.settings.diskAutoresize spec.settings.diskAutoresizeLimit "
    "spec.settings.diskSize spec.settings.diskType spec.settings.ipConfiguration "
    "spec.settings.ipConfiguration.ipv4Enabled spec.settings.locationPreference "
    "spec.settings.locationPreference.zone spec.settings.pricingPlan spec.replicaConfiguration "
    "spec.replicationCluster".split()
)
_UNMANAGED_BELOW = (
    "spec.settings.backupConfiguration.backupRetentionSettings.",
    "spec.replicaConfiguration.",
    "spec.replicationCluster.",
)
_ONLY = {
    names.UNMANAGED: "SQLInstance",
    names.REMOVE_DEFAULT_NODE_POOL: "ContainerCluster",
    names.DISABLE_ON_DESTROY: "Service",
}


@rule(
    "google-annotation",
    why="Config Connector ignores a key or value that it does not know, without a word; some values destroy",
    remedy="use a spelling of https://cloud.google.com/config-connector/docs/reference/annotations",
)
def google_annotation(estate: Estate) -> Iterator[Flaw]:
    """Annotations of Config Connector: known keys, on the kinds that read them, with values that destroy nothing."""
    for item in estate.objects:
        for key, value in item.annotations.items():
            prefix, slash, short = key.partition("/")
            if slash and prefix.endswith("cnrm.cloud.google.com"):
                allowed = _ANNOTATIONS.get(short) if prefix == "cnrm.cloud.google.com" else None
                for message, hint in _misread(item.kind, key, value, allowed):
                    yield Flaw(item, f"metadata.annotations[{key}]", message, hint)
    for item in estate.of("Service"):
        if names.DISABLE_ON_DESTROY not in item.annotations:
            field = f"metadata.annotations[{names.DISABLE_ON_DESTROY}]"
            yield Flaw(item, field, "is not set: the API would be turned off with the object", "set it to 'false'")


def _misread(kind: str, key: str, value: str, allowed: frozenset[str] | None) -> Iterator[tuple[str, str]]:
    """(message, hint) of what Config Connector does not read as it was meant."""
    short = key.partition("/")[2]
    if allowed is None:
        yield "means nothing to Config Connector", meant(nearest(short, _ANNOTATIONS))
    elif allowed and value not in allowed:
        words = " or ".join(sorted(allowed))
        harm = f": {_HARM[short]}" if short in _HARM else ""
        yield f"{value!r} is not {words}{harm}", meant(nearest(value, allowed)) or f"set it to {words}"
    elif short == "reconcile-interval-in-seconds" and not re.fullmatch("[1-9][0-9]*", value):
        yield f"{value!r} is no number of seconds, and with 0 nothing is healed any more", "600 is the default"
    elif _ONLY.get(key, kind) != kind:
        yield f"is read on {_ONLY[key]} only", "remove it"
    elif key == names.UNMANAGED:
        for path in value.split(","):
            if path not in _UNMANAGED and not path.startswith(_UNMANAGED_BELOW):
                yield f"{path!r} cannot be left unmanaged", meant(nearest(path, _UNMANAGED))


_DISK = frozenset(("spec.settings", "spec.settings.diskSize"))  # a path covers what is below it


@rule(
    "google-disk-grows",
    why="the disk grows by itself; Config Connector would try to shrink it back, which fails for ever",
    remedy=f"annotate it with {names.UNMANAGED}: spec.settings.diskSize",
)
def google_disk_grows(estate: Estate) -> Iterator[Flaw]:
    """An instance that resizes its disk leaves the size unmanaged, below its limit."""
    for item in estate.of("SQLInstance"):
        settings = mapping(item.data, "spec", "settings")
        size, limit = settings.get("diskSize"), settings.get("diskAutoresizeLimit")
        unmanaged = item.annotations.get(names.UNMANAGED, "").split(",")
        grows = size is not None and settings.get("diskAutoresize") is not False
        if grows and not _DISK.intersection(unmanaged):
            yield Flaw(item, f"metadata.annotations[{names.UNMANAGED}]", "lacks spec.settings.diskSize")
        if isinstance(size, int) and isinstance(limit, int) and 0 < limit < size:
            yield Flaw(item, "spec.settings.diskAutoresizeLimit", f"{limit} is less than diskSize, {size}")


_LABEL_KEY = re.compile(LABEL_KEY)
_LABEL_VALUE = re.compile(LABEL_VALUE)


@rule(
    "google-label",
    why="labels without a slash become labels in Google Cloud, which takes fewer characters than Kubernetes",
    remedy="lower-case letters, digits, '-' and '_'; or a key with a domain and a slash, which stays in Kubernetes",
)
def google_label(estate: Estate) -> Iterator[Flaw]:
    """Labels of resources are labels that Google Cloud takes."""
    for item in estate.resources:
        for key, value in item.labels.items():
            if "/" not in key and not (_LABEL_KEY.fullmatch(key) and _LABEL_VALUE.fullmatch(value)):
                yield Flaw(item, f"metadata.labels[{key}]", f"{key}: {value} is no label of Google Cloud")
