"""Two objects that manage one resource: each undoes what the other one does."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dify_gitops.kinds.constraints import KINDS
from dify_gitops.rules.access import get, mapping, text
from dify_gitops.rules.google.estate import real_name, service
from dify_gitops.rules.google.iam import resource
from dify_gitops.rules.rule import Flaw, rule

if TYPE_CHECKING:
    from collections.abc import Iterator

    from dify_gitops.rules.cluster import Object
    from dify_gitops.rules.google.estate import Estate

# Kinds whose names are their own only below another resource; others have one name in a project and location.
_PARENTS = {
    "ComputeRouterNAT": "routerRef",
    "ContainerNodePool": "clusterRef",
    "KMSCryptoKey": "keyRingRef",
    "SQLDatabase": "instanceRef",
    "SQLUser": "instanceRef",
}
# Kinds whose resources have no name of their own in Google Cloud, but are what these fields say.
_NAMELESS = {
    "DNSRecordSet": ("managedZoneRef", "name", "type"),
    "ServiceNetworkingConnection": ("networkRef", "service"),
}
_GRANTS = frozenset(("IAMPartialPolicy", "IAMPolicy", "IAMPolicyMember"))  # google-iam-once
_ANYWHERE = frozenset(("StorageBucket",))  # one name in all locations


def _identity(estate: Estate, item: Object) -> tuple[str, ...]:
    """What the object stands for in Google Cloud."""
    spec = mapping(item.data, "spec")
    if item.kind == "IAMAuditConfig":
        return resource(estate, item), text(spec, "service")
    if fields := _NAMELESS.get(item.kind):
        return tuple(_word(get(spec, field)) for field in fields)
    places = [] if item.kind in _ANYWHERE else ["location", "region"]
    if (service(item), item.kind) not in KINDS:
        places += sorted(field for field in spec if field.endswith("Ref"))  # any of them may be its parent
    elif item.kind in _PARENTS:
        places.append(_PARENTS[item.kind])
    return real_name(item), *(_word(get(spec, place)) for place in places)


def _word(value: object) -> str:
    """A text, or the last part of what a reference names."""
    if isinstance(value, str):
        return value
    return text(value, "name") or text(value, "external").rpartition("/")[2]


@rule(
    "google-twice",
    why="two objects that manage one resource undo each other's changes for ever; deleting one deletes it for both",
    remedy="keep one of them, with what both say",
)
def google_twice(estate: Estate) -> Iterator[Flaw]:
    """No two objects of a kind stand for the same resource."""
    seen: dict[tuple[str, ...], Object] = {}
    for item in estate.resources:
        if item.kind in _GRANTS:
            continue
        first = seen.setdefault((item.group, item.kind, *_identity(estate, item)), item)
        if first is not item and str(first) != str(item):  # object-unique tells of the same name
            yield Flaw(item, "metadata.name", f"is the same resource as {first}")
