"""Rules over what programs may read and do in the cluster: no more than what they are there for."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from dify_gitops.rules.access import mapping, maps, text, texts
from dify_gitops.rules.rule import Flaw, rule

if TYPE_CHECKING:
    from collections.abc import Iterator

    from dify_gitops.rules.argocd.delivery import Delivery
    from dify_gitops.rules.cluster import Object

_LISTS = ("apiGroups", "resources", "resourceNames", "verbs")


@rule(
    "argocd-rights",
    why="what a role permits, everybody can do who takes the pod that has it",
    remedy="name groups, resources and verbs; all but get only with resourceNames, and get too for secrets",
)
def argocd_rights(delivery: Delivery) -> Iterator[Flaw]:
    """No wildcard in a role; what changes things, and what reads secrets, for named objects only."""
    for role in (item for cluster in delivery.folders.values() for item in cluster.every("Role", "ClusterRole")):
        for number, entry in enumerate(maps(role.data, "rules")):
            wild = [key for key in _LISTS if "*" in texts(entry, key)]
            yield from (Flaw(role, f"rules[{number}].{key}", "* is all of them") for key in wild)
            verbs, resources = texts(entry, "verbs"), texts(entry, "resources")
            more = [verb for verb in verbs if verb != "get" or "secrets" in resources]
            if more and not wild and not texts(entry, "resourceNames"):
                message = f"permits {', '.join(more)} of all {', '.join(resources)}"
                yield Flaw(role, f"rules[{number}].resourceNames", message)


class _Read(NamedTuple):
    """What an ExternalSecret takes from a store: a field of an object, and for which namespace."""

    by: str
    namespace: str
    name: str
    field: str


@rule(
    "argocd-store",
    why="who may make an ExternalSecret in a namespace reads through a store all that it permits there",
    remedy="permit the namespaces, objects and fields that our ExternalSecrets read, each as ^exactly\\.this$",
)
def argocd_store(delivery: Delivery) -> Iterator[Flaw]:
    """A ClusterSecretStore permits what is read through it, and nothing else."""
    for cluster in delivery.folders.values():
        for store in cluster.every("ClusterSecretStore"):
            read = list(_reads(delivery, store))
            conditions = maps(store.data, "spec", "conditions")
            if not conditions:
                yield Flaw(store, "spec.conditions", "is not set, which permits every namespace")
            for number, condition in enumerate(conditions):
                others = {str(key) for key in condition if key != "namespaces"}
                wide = others | set(texts(condition, "namespaces")).difference(one.by for one in read)
                if wide or not condition.get("namespaces"):
                    message = f"permits {', '.join(sorted(wide)) or 'every namespace'}, which reads nothing through it"
                    yield Flaw(store, f"spec.conditions[{number}]", message)
            if "crd" in mapping(store.data, "spec", "provider"):
                yield from _unread(store, read)


def _unread(store: Object, read: list[_Read]) -> Iterator[Flaw]:
    path = "spec.provider.crd.whitelist.rules"
    rules = maps(store.data, *path.split("."))
    if not rules:
        yield Flaw(store, path, "is empty, which permits every object and field")
    for number, entry in enumerate(rules):
        for key, known in (
            ("namespace", {one.namespace for one in read}),
            ("name", {one.name for one in read}),
        ):
            if text(entry, key) not in map(_exactly, known):
                message = f"{text(entry, key) or 'nothing'} is not exactly what is read through it"
                yield Flaw(store, f"{path}[{number}].{key}", message)
        fields = set(map(_exactly, (one.field for one in read)))
        properties = texts(entry, "properties")
        for one in [one for one in properties if one not in fields] if properties else ["nothing"]:
            yield Flaw(store, f"{path}[{number}].properties", f"{one} is not exactly what is read through it")


def _exactly(value: str) -> str:
    """The expression that matches this text alone, as our stores have it."""
    return f"^{value}$".replace(".", "\\.")


def _reads(delivery: Delivery, store: Object) -> Iterator[_Read]:
    for cluster in delivery.folders.values():
        for secret in cluster.every("ExternalSecret"):
            ref = mapping(secret.data, "spec", "secretStoreRef")
            if (ref.get("kind"), ref.get("name")) == (store.kind, store.name):
                for entry in maps(secret.data, "spec", "data"):
                    space, _, name = text(entry, "remoteRef", "key").rpartition("/")
                    yield _Read(secret.namespace, space, name, text(entry, "remoteRef", "property"))
