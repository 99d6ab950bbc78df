"""Rules over any object: one identity, in a namespace of ours, with the labels that selectors and people use."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dify_gitops import kinds, names
from dify_gitops.rules.access import text
from dify_gitops.rules.rule import Flaw, rule

if TYPE_CHECKING:
    from collections.abc import Iterator

    from dify_gitops.rules.cluster import Cluster, Object

# Kubernetes' own kinds by scope; those of CRDs say it themselves (dify_gitops/kinds).
_CLUSTER = frozenset(
    "APIService CSIDriver CSINode CertificateSigningRequest ClusterRole ClusterRoleBinding FlowSchema "
    "CustomResourceDefinition IngressClass MutatingWebhookConfiguration Namespace Node PersistentVolume "
    "PriorityClass PriorityLevelConfiguration RuntimeClass StorageClass ValidatingAdmissionPolicy "
    "ValidatingAdmissionPolicyBinding ValidatingWebhookConfiguration VolumeAttributesClass".split()
)
_NAMESPACED = frozenset(
    "Binding CSIStorageCapacity ConfigMap ControllerRevision CronJob DaemonSet Deployment EndpointSlice "
    "Endpoints Event HorizontalPodAutoscaler Ingress Job Lease LimitRange NetworkPolicy "
    "PersistentVolumeClaim Pod PodDisruptionBudget PodTemplate ReplicaSet ReplicationController "
    "ResourceQuota Role RoleBinding Secret Service ServiceAccount StatefulSet".split()
)
_BUILT_IN = frozenset(("", "apps", "autoscaling", "batch", "policy"))
_LABELS = (names.NAME, names.PART_OF)


def _namespaced(item: Object) -> bool | None:
    """Whether a kind lives in namespaces; None where we do not know the kind."""
    built_in = item.group in _BUILT_IN or item.group.endswith(".k8s.io")
    if built_in and item.kind in _CLUSTER | _NAMESPACED:
        return item.kind in _NAMESPACED
    found = kinds.facts(text(item.data, "apiVersion"), item.kind)
    return found.scope == "Namespaced" if found else None


@rule(
    "object-unique",
    why="of two objects of one name the last one silently wins",
    remedy="remove or rename one of them",
)
def object_unique(cluster: Cluster) -> Iterator[Flaw]:
    """No two objects share group, kind, namespace and name; none is without name."""
    seen = set()
    for item in cluster.objects:
        identity = (item.group, item.kind, item.namespace, item.name)
        if not item.name:
            yield Flaw(item, "metadata.name", "is not set")
        elif identity in seen:
            yield Flaw(item, "metadata.name", "is used by two objects of this kind")
        seen.add(identity)


@rule(
    "namespace-own",
    why="an object without namespace lands wherever the one who applies it happens to be",
    remedy="name a namespace that is rendered here; for kinds of the whole cluster name none",
)
def namespace_own(cluster: Cluster) -> Iterator[Flaw]:
    """Namespaced objects are in a rendered namespace that is not `default`; others name none."""
    known = {namespace.name for namespace in cluster.every("Namespace")} | cluster.elsewhere
    for item in cluster.objects:
        namespaced = _namespaced(item)
        message = ""
        if namespaced and not item.namespace:
            message = "is not set"
        elif namespaced and (item.namespace not in known or item.namespace == "default"):
            message = f"{item.namespace} is no namespace of this repository"
        elif namespaced is False and item.namespace:
            message = "is set on a kind of the whole cluster"
        if message:
            yield Flaw(item, "metadata.namespace", message)


@rule(
    "labels-set",
    why="selectors, dashboards and people find what belongs together by these labels",
    remedy=f"set {' and '.join(_LABELS)}",
)
def labels_set(cluster: Cluster) -> Iterator[Flaw]:
    """Workloads, their pods and Services carry the common labels."""
    for pod in cluster.pods:
        for key in _LABELS:
            if not pod.labels.get(key) and pod.path:
                yield Flaw(pod.owner, pod.field(f"metadata.labels[{key}]"), "is not set")
    for item in (*(pod.owner for pod in cluster.pods), *cluster.every("Service")):
        for key in _LABELS:
            if not item.labels.get(key):
                yield Flaw(item, f"metadata.labels[{key}]", "is not set")
