"""Where External Secrets takes values from and brings them to: what its objects name, and whether it is there."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from dify_gitops import names
from dify_gitops.input.words import nearest
from dify_gitops.rules.access import mapping, maps, text
from dify_gitops.rules.google.estate import real_name
from dify_gitops.rules.rule import Flaw, meant

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from dify_gitops.rules.cluster import Cluster, Object


def missing(item: Object, field: str, kind: str, name: str, known: Iterable[str]) -> Iterator[Flaw]:
    """A flaw where a name stands for nothing in config-connector/."""
    there = set(known)
    if name and name not in there:
        yield Flaw(item, field, f"there is no {kind} {name} in config-connector/", meant(nearest(name, there)))


class Sources(NamedTuple):
    """Where an environment's secrets come from: names in Secret Manager, RedisInstances, stores of the whole cluster.

    RedisInstances read ``namespace/name``.
    """

    held: list[str]
    instances: list[str]
    wide: list[str]


def sources(clusters: Iterable[Cluster]) -> Sources:
    """What the given folders of one environment hold together."""
    found = Sources([], [], [])
    for item in (item for cluster in clusters for item in cluster.objects):
        if item.kind == "SecretManagerSecret":
            found.held.append(real_name(item))
        elif item.kind == "RedisInstance":
            found.instances.append(f"{item.namespace}/{item.name}")
        elif item.kind == "ClusterSecretStore":
            found.wide.append(item.name)
    return found


def without_source(folder: Cluster, known: Sources) -> Iterator[Flaw]:
    """Flaws of the ExternalSecrets and PushSecrets of one folder; their stores and generators are in it too."""
    for item in folder.every("ExternalSecret", "PushSecret"):
        own = [store.name for store in folder.every("SecretStore") if store.namespace == item.namespace]
        from_redis = False
        for field, kind, name in _stores(item):
            from_redis = kind == "ClusterSecretStore" and name == names.REDIS_STORE
            stores = known.wide if kind == "ClusterSecretStore" else own
            if name not in stores:
                yield Flaw(item, field, f"there is no {kind} {name} for {item.namespace}", meant(nearest(name, stores)))
        kind, there = ("RedisInstance", known.instances) if from_redis else ("SecretManagerSecret", known.held)
        for field, name in _remote_keys(item):
            yield from missing(item, field, kind, name, there)
        generator = text(item.data, "spec", "selector", "generatorRef", "name")
        generators = [one.name for one in folder.every("Password") if one.namespace == item.namespace]
        if generator and generator not in generators:
            message = f"there is no Password {item.namespace}/{generator}"
            yield Flaw(item, "spec.selector.generatorRef.name", message, meant(nearest(generator, generators)))


def _remote_keys(item: Object) -> Iterator[tuple[str, str]]:
    """(field, name in the store) of everything that an ExternalSecret reads or a PushSecret writes."""
    key = "match.remoteRef.remoteKey" if item.kind == "PushSecret" else "remoteRef.key"
    for number, entry in enumerate(maps(item.data, "spec", "data")):
        yield f"spec.data[{number}].{key}", text(entry, *key.split("."))


def _stores(item: Object) -> Iterator[tuple[str, str, str]]:
    """(field, kind, name) of the stores that an object uses."""
    refs = [("spec.secretStoreRef", mapping(item.data, "spec", "secretStoreRef"))]
    if item.kind == "PushSecret":
        given = maps(item.data, "spec", "secretStoreRefs")
        refs = [(f"spec.secretStoreRefs[{number}]", one) for number, one in enumerate(given)]
    for field, reference in refs:
        yield f"{field}.name", text(reference, "kind") or "SecretStore", text(reference, "name")
