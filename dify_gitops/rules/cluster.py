"""What the rules look at: rendered objects, the pod templates of the workloads, and an index over both.

Nothing changes once a Cluster is made, and eighty rules ask the same questions: answers are kept.
"""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, Any

import msgspec

from dify_gitops import names
from dify_gitops.catalogue.releases import DEFAULT
from dify_gitops.rules.access import get, labels, mapping, maps, text
from dify_gitops.rules.selectors import matches, of_labels

if TYPE_CHECKING:
    from collections.abc import Iterable

# Where the pod template stands, and the API group that makes the kind the one we mean.
_TEMPLATES = {
    "Deployment": ("apps", ("spec", "template")),
    "StatefulSet": ("apps", ("spec", "template")),
    "DaemonSet": ("apps", ("spec", "template")),
    "ReplicaSet": ("apps", ("spec", "template")),
    "Job": ("batch", ("spec", "template")),
    "CronJob": ("batch", ("spec", "jobTemplate", "spec", "template")),
    "Pod": ("", ()),
}
# Kinds of the same name live in other groups too (Knative's Service, Istio's Ingress …): these are ours.
GROUPS = {kind: group for kind, (group, _) in _TEMPLATES.items()} | {
    "Namespace": "",
    "Service": "",
    "ServiceAccount": "",
    "ConfigMap": "",
    "Secret": "",
    "PersistentVolumeClaim": "",
    "Role": "rbac.authorization.k8s.io",
    "RoleBinding": "rbac.authorization.k8s.io",
    "ClusterRole": "rbac.authorization.k8s.io",
    "ClusterRoleBinding": "rbac.authorization.k8s.io",
    "PriorityClass": "scheduling.k8s.io",
    "StorageClass": "storage.k8s.io",
    "Ingress": "networking.k8s.io",
    "NetworkPolicy": "networking.k8s.io",
    "PodDisruptionBudget": "policy",
    "HorizontalPodAutoscaler": "autoscaling",
    "ScaledObject": "keda.sh",
    "TriggerAuthentication": "keda.sh",
    "ClusterTriggerAuthentication": "keda.sh",
    "BackendConfig": "cloud.google.com",
    "FrontendConfig": "networking.gke.io",
    "ManagedCertificate": "networking.gke.io",
    "PodMonitoring": "monitoring.googleapis.com",
    "ExternalSecret": "external-secrets.io",
    "PushSecret": "external-secrets.io",
    "SecretStore": "external-secrets.io",
    "ClusterSecretStore": "external-secrets.io",
    "Password": "generators.external-secrets.io",
    "Application": "argoproj.io",
    "AppProject": "argoproj.io",
}

ENFORCE = "pod-security.kubernetes.io/enforce"


class Object(msgspec.Struct, frozen=True, eq=False, dict=True):
    """One rendered object. ``namespace`` is empty for what belongs to the whole cluster."""

    data: dict[str, Any]
    group: str
    kind: str
    namespace: str
    name: str

    def __str__(self) -> str:
        name = f"{self.namespace}/{self.name}" if self.namespace else self.name
        return f"{self.kind} {name}"

    @cached_property
    def labels(self) -> dict[str, str]:
        """``metadata.labels``."""
        return labels(self.data, "metadata", "labels")

    @cached_property
    def annotations(self) -> dict[str, str]:
        """``metadata.annotations``."""
        return labels(self.data, "metadata", "annotations")


def made_secret(item: Object) -> str:
    """Name of the Secret that an ExternalSecret makes."""
    return text(item.data, "spec", "target", "name") or item.name


class Container(msgspec.Struct, frozen=True, eq=False, dict=True):
    """One container of a pod template; ``path`` is its place in the object, for findings."""

    data: dict[str, Any]
    path: str
    name: str
    init: bool

    @property
    def sidecar(self) -> bool:
        """A native sidecar: an init container that keeps running beside the others."""
        return self.init and self.data.get("restartPolicy") == "Always"

    @property
    def ends(self) -> bool:
        """An init container that runs once."""
        return self.init and not self.sidecar

    @property
    def numbers(self) -> list[int]:
        """Numbers of all declared ports."""
        found = [port.get("containerPort") for port in maps(self.data, "ports")]
        return [number for number in found if isinstance(number, int)]

    @cached_property
    def ports(self) -> dict[str, int]:
        """Numbers of the named ports."""
        return {
            port["name"]: port["containerPort"]
            for port in maps(self.data, "ports")
            if isinstance(port.get("name"), str) and isinstance(port.get("containerPort"), int)
        }


class Pod(msgspec.Struct, frozen=True, eq=False, dict=True):
    """The pod template of a workload; ``path`` is its place in the object (empty for a Pod)."""

    owner: Object
    path: str
    data: dict[str, Any]
    containers: tuple[Container, ...]

    @property
    def namespace(self) -> str:
        """Namespace of the workload and so of its pods."""
        return self.owner.namespace

    @cached_property
    def labels(self) -> dict[str, str]:
        """Labels that the pods carry."""
        return labels(self.data, "metadata", "labels")

    @cached_property
    def annotations(self) -> dict[str, str]:
        """Annotations of the pods."""
        return labels(self.data, "metadata", "annotations")

    @cached_property
    def spec(self) -> dict[str, Any]:
        """The pod's ``spec``."""
        return mapping(self.data, "spec")

    @cached_property
    def ports(self) -> dict[str, int]:
        """Numbers of the named ports of all containers."""
        return {name: port for container in self.containers for name, port in container.ports.items()}

    @property
    def runs_to_completion(self) -> bool:
        """A pod that is meant to end."""
        return self.owner.kind in ("Job", "CronJob") or self.spec.get("restartPolicy") in (
            "Never",
            "OnFailure",
        )

    def field(self, name: str) -> str:
        """The full path of a field of the template, such as ``spec.template.spec.volumes``."""
        return f"{self.path}.{name}" if self.path else name


class Cluster:
    """Everything that one kustomization renders.

    ``kubernetes`` is the cluster's minor version, such as 1.35; ``dify`` the release, whatever the image's tag says.
    ``elsewhere`` are namespaces that other folders of the same environment render.
    """

    def __init__(
        self,
        documents: Iterable[dict[str, Any]],
        kubernetes: str,
        dify: str = DEFAULT,
        elsewhere: frozenset[str] = frozenset(),
    ) -> None:
        self.kubernetes = kubernetes
        self.dify = dify
        self.elsewhere = elsewhere
        self.objects = [_object(document) for document in documents]
        self.pods = [pod for item in self.objects if (pod := _pod(item))]
        self._by_kind: dict[str, list[Object]] = {}
        for item in self.objects:
            if GROUPS.get(item.kind) == item.group:
                self._by_kind.setdefault(item.kind, []).append(item)
        self._behind: dict[Object, list[Pod]] = {}
        self._home: dict[str, list[Pod]] = {}
        for pod in self.pods:
            self._home.setdefault(pod.namespace, []).append(pod)
        self._index = {(i.kind, i.namespace, i.name): i for found in self._by_kind.values() for i in found}

    def every(self, *kinds: str) -> list[Object]:
        """All objects of the given kinds (of the groups in ``GROUPS``)."""
        return [item for kind in kinds for item in self._by_kind.get(kind, [])]

    def find(self, kind: str, namespace: str, name: str) -> Object | None:
        """One object; ``namespace`` is empty for kinds of the whole cluster."""
        return self._index.get((kind, namespace, name))

    def selected(self, namespace: str, selector: Any) -> list[Pod]:
        """Pod templates of a namespace that a LabelSelector matches."""
        return [pod for pod in self._home.get(namespace, ()) if matches(selector, pod.labels)]

    def behind(self, service: Object) -> list[Pod]:
        """Pod templates that a Service sends to."""
        if service not in self._behind:
            wanted = of_labels(service.data, "spec", "selector")
            self._behind[service] = self.selected(service.namespace, wanted)
        return self._behind[service]

    def namespace_labels(self, namespace: str) -> dict[str, str]:
        """Labels of a namespace and the one that the API server sets; of a foreign namespace only that."""
        found = self.find("Namespace", "", namespace)
        return {**(found.labels if found else {}), names.NAMESPACE_NAME: namespace}

    def level(self, namespace: str) -> str:
        """Pod Security level that a namespace enforces; empty where it enforces none."""
        return self.namespace_labels(namespace).get(ENFORCE, "")


def _object(document: dict[str, Any]) -> Object:
    group, slash, _ = text(document, "apiVersion").partition("/")
    return Object(
        data=document,
        group=group if slash else "",
        kind=text(document, "kind"),
        namespace=text(document, "metadata", "namespace"),
        name=text(document, "metadata", "name"),
    )


def _pod(item: Object) -> Pod | None:
    group, path = _TEMPLATES.get(item.kind, ("", None))
    if path is None or item.group != group:
        return None
    template = get(item.data, *path)
    if not isinstance(template, dict):
        return None
    prefix = ".".join((*path, "spec")) if path else "spec"
    containers = tuple(
        Container(data, f"{prefix}.{key}[{text(data, 'name')}]", text(data, "name"), init)
        for key, init in (("initContainers", True), ("containers", False))
        for data in maps(template, "spec", key)
    )
    return Pod(item, ".".join(path), template, containers)
