"""Rules over Argo CD's waves: what an object needs is there, and healthy, when its own wave starts.

https://argo-cd.readthedocs.io/en/stable/user-guide/sync-waves/
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from dify_gitops import names
from dify_gitops.rules.access import get, mapping, maps, text
from dify_gitops.rules.cluster import made_secret
from dify_gitops.rules.network import EGRESS, policy_types
from dify_gitops.rules.references import references
from dify_gitops.rules.rule import Flaw, rule

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from dify_gitops.rules.cluster import Cluster, Object

_FIELD = f"metadata.annotations[{names.SYNC_WAVE}]"
LOWER = f"give what is needed a lower {names.SYNC_WAVE} than what needs it"


class Need(NamedTuple):
    """An object and what must not come after it; ``apart``: nor in the same wave."""

    consumer: Object
    needed: Object | None
    apart: bool = False


def wave(item: Object) -> int:
    """Wave of an object, 0 by default."""
    try:
        return int(item.annotations.get(names.SYNC_WAVE, names.WAVE_APPLICATION))
    except ValueError:
        return 0  # argocd-annotation reports it


@rule(
    "wave-order",
    why="a wave waits for the health of the one before: what needs something of a later one never becomes healthy",
    remedy=f"give what is needed the same or a lower {names.SYNC_WAVE}",
)
def wave_order(cluster: Cluster) -> Iterator[Flaw]:
    """What an object needs of its own Application is there when its wave begins; volumes come with their pods."""
    yield from misplaced(needs(cluster))
    for consumer, claim, _ in _claims(cluster):
        if claim and wave(claim) < wave(consumer):
            message = f"{wave(claim)} is before {consumer}, {wave(consumer)}, without which it is never bound"
            yield Flaw(claim, _FIELD, message)


def misplaced(found: Iterable[Need]) -> Iterator[Flaw]:
    """A flaw for each object that comes too late, which names the first one that needs it."""
    late: dict[Object, dict[Object, Need]] = {}
    for need in found:
        if need.needed and wave(need.needed) >= wave(need.consumer) + (not need.apart):
            late.setdefault(need.needed, {}).setdefault(need.consumer, need)
    for needed, by_consumer in late.items():
        first, *others = sorted(by_consumer.values(), key=lambda need: (wave(need.consumer), str(need.consumer)))
        order = "not before" if first.apart else "after"
        more = ", as others do" if others else ""
        message = f"{wave(needed)} is {order} {first.consumer}, {wave(first.consumer)}, which needs it{more}"
        yield Flaw(needed, _FIELD, message, LOWER if first.apart else "")


def needs(cluster: Cluster) -> Iterator[Need]:
    """What the objects of one Application need of each other before they work."""
    for item in cluster.objects:
        yield Need(item, cluster.find("Namespace", "", item.namespace))
    for reference in references(cluster):
        yield Need(reference.source, cluster.find(reference.kind, reference.namespace, reference.name))
    made = {(item.namespace, made_secret(item)): item for item in cluster.every("ExternalSecret")}
    for user, kind, name in _configuration(cluster):
        yield Need(user, cluster.find(kind, user.namespace, name))
        if kind == "Secret":
            yield Need(user, made.get((user.namespace, name)))
    for source in (_of_policies, _of_sources, _of_applications):
        yield from source(cluster)


def _configuration(cluster: Cluster) -> Iterator[tuple[Object, str, str]]:
    """ConfigMaps and Secrets of pods, and Secrets that are pushed or that scalers log in with."""
    for pod in cluster.pods:
        for container in pod.containers:
            for entry in (*maps(container.data, "env"), *maps(container.data, "envFrom")):
                source = get(entry, "valueFrom") or entry
                for kind, key in (("ConfigMap", "configMap"), ("Secret", "secret")):
                    yield pod.owner, kind, text(source, f"{key}KeyRef", "name") or text(source, f"{key}Ref", "name")
        for volume in maps(pod.spec, "volumes"):
            for source in (volume, *maps(volume, "projected", "sources")):
                yield pod.owner, "ConfigMap", text(source, "configMap", "name")
                yield pod.owner, "Secret", text(source, "secret", "secretName") or text(source, "secret", "name")
    for item in cluster.every("PushSecret"):
        yield item, "Secret", text(item.data, "spec", "selector", "secret", "name")
    for item in cluster.every("TriggerAuthentication"):
        yield from ((item, "Secret", text(entry, "name")) for entry in maps(item.data, "spec", "secretTargetRef"))


def _claims(cluster: Cluster) -> Iterator[Need]:
    for pod in cluster.pods:
        for volume in maps(pod.spec, "volumes"):
            name = text(volume, "persistentVolumeClaim", "claimName")
            yield Need(pod.owner, cluster.find("PersistentVolumeClaim", pod.namespace, name))


def _of_policies(cluster: Cluster) -> Iterator[Need]:
    """Ways out only: a way in that opens later makes its callers wait, not the pod."""
    for policy in cluster.every("NetworkPolicy"):
        if EGRESS in policy_types(policy):
            for pod in cluster.selected(policy.namespace, get(policy.data, "spec", "podSelector")):
                yield Need(pod.owner, policy)


def _of_sources(cluster: Cluster) -> Iterator[Need]:
    """Stores and generators of External Secrets."""
    for item in cluster.every("ExternalSecret", "PushSecret"):
        spec = mapping(item.data, "spec")
        for store in (mapping(spec, "secretStoreRef"), *maps(spec, "secretStoreRefs")):
            kind = text(store, "kind") or "SecretStore"
            home = item.namespace if kind == "SecretStore" else ""
            yield Need(item, cluster.find(kind, home, text(store, "name")))
        generator = mapping(spec, "selector", "generatorRef")
        yield Need(item, cluster.find(text(generator, "kind"), item.namespace, text(generator, "name")))


def _of_applications(cluster: Cluster) -> Iterator[Need]:
    """An Application is synced as soon as it is there: with the settings that Argo CD has then."""
    settings = [item for item in cluster.every("ConfigMap") if names.ARGOCD_PART.items() <= item.labels.items()]
    for item in cluster.every("Application"):
        project = cluster.find("AppProject", item.namespace, text(item.data, "spec", "project"))
        home = cluster.find("Namespace", "", text(item.data, "spec", "destination", "namespace"))
        yield from (Need(item, one, apart=True) for one in (project, home, *settings))
