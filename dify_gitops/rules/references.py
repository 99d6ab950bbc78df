"""Rules over names: whatever is referred to exists, down to the key of a ConfigMap or Secret."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, NamedTuple

from dify_gitops.input.words import nearest
from dify_gitops.rules.access import get, mapping, maps, text
from dify_gitops.rules.calls import calls
from dify_gitops.rules.cluster import GROUPS
from dify_gitops.rules.ingress import routes
from dify_gitops.rules.rule import Flaw, meant, rule

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from dify_gitops.rules.cluster import Cluster, Object

FRONTEND = "networking.gke.io/v1beta1.FrontendConfig"
BACKEND = "cloud.google.com/backend-config"
CERTIFICATES = "networking.gke.io/managed-certificates"
# What every cluster on GKE has: https://cloud.google.com/kubernetes-engine/docs/concepts/persistent-volumes and
# https://kubernetes.io/docs/reference/access-authn-authz/rbac/#user-facing-roles
_GIVEN = {
    "ClusterRole": {"admin", "cluster-admin", "edit", "view"},
    "PriorityClass": {"system-cluster-critical", "system-node-critical"},
    "StorageClass": {"premium-rwo", "standard", "standard-rwo"},
}
_CLUSTER_WIDE = {"ClusterTriggerAuthentication", *_GIVEN}


class Reference(NamedTuple):
    """A name in an object that stands for another object of the same namespace, or of the whole cluster."""

    source: Object
    field: str
    kind: str
    name: str
    namespace: str


def _of(source: Object, field: str, kind: str, name: str) -> Reference:
    return Reference(source, field, kind, name, "" if kind in _CLUSTER_WIDE else source.namespace)


def _of_pods(cluster: Cluster) -> Iterator[Reference]:
    for pod in cluster.pods:
        for key, kind in (("serviceAccountName", "ServiceAccount"), ("priorityClassName", "PriorityClass")):
            yield _of(pod.owner, pod.field(f"spec.{key}"), kind, text(pod.spec, key))
        for volume in maps(pod.spec, "volumes"):
            field = pod.field(f"spec.volumes[{text(volume, 'name')}].persistentVolumeClaim.claimName")
            claim = text(volume, "persistentVolumeClaim", "claimName")
            yield _of(pod.owner, field, "PersistentVolumeClaim", claim)


def _of_calls(cluster: Cluster) -> Iterator[Reference]:
    """Host names of Services."""
    for pod in cluster.pods:
        for call in calls(cluster, pod):
            yield Reference(pod.owner, call.field, "Service", call.service, call.namespace)


def _of_storage(cluster: Cluster) -> Iterator[Reference]:
    for item in cluster.every("PersistentVolumeClaim"):
        yield _of(item, "spec.storageClassName", "StorageClass", text(item.data, "spec", "storageClassName"))
    for item in cluster.every("StatefulSet"):
        yield _of(item, "spec.serviceName", "Service", text(item.data, "spec", "serviceName"))
        for claim in maps(item.data, "spec", "volumeClaimTemplates"):
            field = f"spec.volumeClaimTemplates[{text(claim, 'metadata', 'name')}].spec.storageClassName"
            yield _of(item, field, "StorageClass", text(claim, "spec", "storageClassName"))


def _of_edge(cluster: Cluster) -> Iterator[Reference]:
    for item in cluster.every("Ingress"):
        for route in routes(item):
            yield _of(item, f"{route.field}.name", "Service", route.service)
        notes = item.annotations
        yield _of(item, f"metadata.annotations[{FRONTEND}]", "FrontendConfig", notes.get(FRONTEND, ""))
        for name in notes.get(CERTIFICATES, "").split(","):
            yield _of(item, f"metadata.annotations[{CERTIFICATES}]", "ManagedCertificate", name.strip())
    for item in cluster.every("Service"):
        for name in backend_configs(item).values():
            yield _of(item, f"metadata.annotations[{BACKEND}]", "BackendConfig", name)


def backend_configs(service: Object) -> dict[str, str]:
    """BackendConfigs of a Service by port (name or number, or ``default``); empty if unreadable."""
    try:
        wanted = json.loads(service.annotations.get(BACKEND, "{}"))
    except ValueError:
        return {}
    found = {"default": get(wanted, "default"), **mapping(wanted, "ports")}
    return {port: name for port, name in found.items() if isinstance(name, str)}


def _of_scalers(cluster: Cluster) -> Iterator[Reference]:
    for item in cluster.every("HorizontalPodAutoscaler", "ScaledObject"):
        target = mapping(item.data, "spec", "scaleTargetRef")
        kind = text(target, "kind") or "Deployment"  # KEDA's default
        if kind in GROUPS:  # others may be of a controller that we do not know
            yield _of(item, "spec.scaleTargetRef.name", kind, text(target, "name"))
        for number, trigger in enumerate(maps(item.data, "spec", "triggers")):
            reference = mapping(trigger, "authenticationRef")
            kind = text(reference, "kind") or "TriggerAuthentication"
            yield _of(item, f"spec.triggers[{number}].authenticationRef.name", kind, text(reference, "name"))


def rights(cluster: Cluster) -> Iterator[Reference]:
    """Roles and accounts of the bindings; the API server takes a binding whose role or account is not there."""
    for item in cluster.every("RoleBinding", "ClusterRoleBinding"):
        role = mapping(item.data, "roleRef")
        yield _of(item, "roleRef.name", text(role, "kind"), text(role, "name"))
        for number, subject in enumerate(maps(item.data, "subjects")):
            if text(subject, "kind") == "ServiceAccount":
                home = text(subject, "namespace") or item.namespace
                yield Reference(item, f"subjects[{number}].name", "ServiceAccount", text(subject, "name"), home)


def references(cluster: Cluster) -> Iterator[Reference]:
    """What objects name and cannot do without; not what they call, which they wait for by themselves."""
    for source in (_of_pods, _of_storage, _of_edge, _of_scalers, rights):
        yield from source(cluster)


@rule(
    "reference-exists",
    why="a name without its object keeps pods pending, volumes unbound or requests unanswered",
    remedy="correct the name, or add the object",
)
def reference_exists(cluster: Cluster) -> Iterator[Flaw]:
    """Accounts, roles, classes, claims, Services, edge and scaling objects exist under the name that is used."""
    for reference in (*references(cluster), *_of_calls(cluster)):
        at_home = reference.namespace in ("", reference.source.namespace)
        if at_home or cluster.find("Namespace", "", reference.namespace):  # elsewhere we do not know what is there
            yield from missing(reference, [cluster])


def missing(reference: Reference, clusters: Sequence[Cluster]) -> Iterator[Flaw]:
    """A flaw where none of ``clusters``, nor every cluster on GKE, holds what is referred to."""
    kind, name, namespace = reference.kind, reference.name, reference.namespace
    if name and name not in _GIVEN.get(kind, ()) and not any(one.find(kind, namespace, name) for one in clusters):
        near = nearest(name, (item.name for one in clusters for item in one.every(kind) if item.namespace == namespace))
        full = f"{namespace}/{name}" if namespace else name
        yield Flaw(reference.source, reference.field, f"there is no {kind} {full}", meant(near))
