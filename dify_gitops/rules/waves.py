"""Rules over Argo CD's waves: what an object needs is there, and healthy, when its own wave starts.

https://argo-cd.readthedocs.io/en/stable/user-guide/sync-waves/
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from dify_gitops import names
from dify_gitops.rules.access import get, maps, text
from dify_gitops.rules.cluster import made_secret
from dify_gitops.rules.ingress import routes
from dify_gitops.rules.network import EGRESS, policy_types
from dify_gitops.rules.references import BACKEND, FRONTEND, backend_configs
from dify_gitops.rules.rule import Flaw, rule

if TYPE_CHECKING:
    from collections.abc import Iterator

    from dify_gitops.rules.cluster import Cluster, Object, Pod


class Need(NamedTuple):
    """An object and what must not come after it."""

    consumer: Object
    needed: Object | None


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
    """Configuration, identities, policies, classes and volumes come no later than pods; Services than the Ingress."""
    for source in (_of_pods, _of_policies, _of_claims, _of_edge, _of_secrets):
        for consumer, needed in source(cluster):
            if needed and wave(needed) > wave(consumer):
                message = f"{wave(needed)} is after {consumer}, {wave(consumer)}, which needs it"
                yield Flaw(needed, f"metadata.annotations[{names.SYNC_WAVE}]", message)
    for consumer, claim in _claims(cluster):
        if claim and wave(claim) < wave(consumer):
            message = f"{wave(claim)} is before {consumer}, {wave(consumer)}, without which it is never bound"
            yield Flaw(claim, f"metadata.annotations[{names.SYNC_WAVE}]", message)


def _of_pods(cluster: Cluster) -> Iterator[Need]:
    stores = {(item.namespace, made_secret(item)): item for item in cluster.every("ExternalSecret")}
    for pod in cluster.pods:
        home = pod.namespace
        yield Need(pod.owner, cluster.find("ServiceAccount", home, text(pod.spec, "serviceAccountName")))
        yield Need(pod.owner, cluster.find("PriorityClass", "", text(pod.spec, "priorityClassName")))
        for kind, name in _configuration(pod):
            yield Need(pod.owner, cluster.find(kind, home, name))
            if kind == "Secret":
                yield Need(pod.owner, stores.get((home, name)))
    for consumer, claim in _claims(cluster):
        yield Need(consumer, claim)


def _configuration(pod: Pod) -> Iterator[tuple[str, str]]:
    """ConfigMaps and Secrets of a pod."""
    for container in pod.containers:
        for entry in (*maps(container.data, "env"), *maps(container.data, "envFrom")):
            source = get(entry, "valueFrom") or entry
            for kind, key in (("ConfigMap", "configMap"), ("Secret", "secret")):
                yield kind, text(source, f"{key}KeyRef", "name") or text(source, f"{key}Ref", "name")
    for volume in maps(pod.spec, "volumes"):
        for source in (volume, *maps(volume, "projected", "sources")):
            yield "ConfigMap", text(source, "configMap", "name")
            yield "Secret", text(source, "secret", "secretName") or text(source, "secret", "name")


def _claims(cluster: Cluster) -> Iterator[Need]:
    for pod in cluster.pods:
        for volume in maps(pod.spec, "volumes"):
            name = text(volume, "persistentVolumeClaim", "claimName")
            yield Need(pod.owner, cluster.find("PersistentVolumeClaim", pod.namespace, name))


def _of_policies(cluster: Cluster) -> Iterator[Need]:
    """Ways out only: a way in that opens later makes its callers wait, not the pod."""
    for policy in cluster.every("NetworkPolicy"):
        for pod in cluster.selected(policy.namespace, get(policy.data, "spec", "podSelector")):
            if EGRESS in policy_types(policy):
                yield Need(pod.owner, policy)


def _of_claims(cluster: Cluster) -> Iterator[Need]:
    for item in cluster.every("PersistentVolumeClaim", "StatefulSet"):
        for claim in (item.data, *maps(item.data, "spec", "volumeClaimTemplates")):
            yield Need(item, cluster.find("StorageClass", "", text(claim, "spec", "storageClassName")))


def _of_edge(cluster: Cluster) -> Iterator[Need]:
    for ingress in cluster.every("Ingress"):
        yield Need(ingress, cluster.find("FrontendConfig", ingress.namespace, ingress.annotations.get(FRONTEND, "")))
        for route in routes(ingress):
            yield Need(ingress, cluster.find("Service", ingress.namespace, route.service))
    for service in cluster.every("Service"):
        if BACKEND in service.annotations:
            for name in backend_configs(service).values():
                yield Need(service, cluster.find("BackendConfig", service.namespace, name))


def _of_secrets(cluster: Cluster) -> Iterator[Need]:
    for item in cluster.every("ExternalSecret"):
        yield Need(item, cluster.find("SecretStore", item.namespace, text(item.data, "spec", "secretStoreRef", "name")))
    made = {(item.namespace, made_secret(item)): item for item in cluster.every("ExternalSecret")}
    for item in cluster.every("PushSecret"):
        yield Need(item, made.get((item.namespace, text(item.data, "spec", "selector", "secret", "name"))))
