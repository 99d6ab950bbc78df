"""What we change in the controllers' own manifests: patches for Argo CD, values for the two charts."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any

from dify_gitops import names
from dify_gitops.catalogue import secrets
from dify_gitops.catalogue.controllers import ARGOCD
from dify_gitops.emit import Note, emit

if TYPE_CHECKING:
    from dify_gitops.gcp import Site
    from dify_gitops.input.model import Environment

# The settings that are ours: settings.yaml. Upstream's copies would be a second owner.
SETTINGS = ("argocd-cm", "argocd-cmd-params-cm", "argocd-notifications-cm", "argocd-rbac-cm")
# The ConfigMaps and Secrets that stay upstream's: (kind, name). One of ours of that name would have two owners.
_THEIRS = (
    ("ConfigMap", "argocd-gpg-keys-cm"),
    ("ConfigMap", "argocd-ssh-known-hosts-cm"),
    ("ConfigMap", "argocd-tls-certs-cm"),
    ("Secret", "argocd-secret"),
)
_THEIRS_HA = (("ConfigMap", "argocd-redis-ha-configmap"), ("ConfigMap", "argocd-redis-ha-health-configmap"))
_API_VERSIONS = {
    "ConfigMap": "v1",
    "Secret": "v1",
    "Service": "v1",
    "ServiceAccount": "v1",
    "Deployment": "apps/v1",
    "StatefulSet": "apps/v1",
    "NetworkPolicy": "networking.k8s.io/v1",
    "Role": "rbac.authorization.k8s.io/v1",
    "RoleBinding": "rbac.authorization.k8s.io/v1",
    "ClusterRole": "rbac.authorization.k8s.io/v1",
    "ClusterRoleBinding": "rbac.authorization.k8s.io/v1",
}
# Two programs that nobody here uses: no ApplicationSets, and OIDC needs no Dex. The first may write everything.
_UNUSED = {
    "argocd-applicationset-controller": (
        "Deployment",
        "Service",
        "ServiceAccount",
        "Role",
        "RoleBinding",
        "ClusterRole",
        "ClusterRoleBinding",
    ),
    "argocd-applicationset-controller-network-policy": ("NetworkPolicy",),
    "argocd-dex-server": ("Deployment", "Service", "ServiceAccount", "Role", "RoleBinding"),
    "argocd-dex-server-network-policy": ("NetworkPolicy",),
}
# A cluster with Config Connector has 600 kinds to watch; rendering takes memory only while it lasts.
_HUNGRY = {
    ("StatefulSet", "argocd-application-controller"): ("250m", "1Gi", "2", "3Gi"),
    ("Deployment", "argocd-repo-server"): ("100m", "256Mi", "1", "1Gi"),
}


# These two Applications prune: a kind that a new version of the chart leaves out would take all its objects along.
_KEPT_KINDS = {names.SYNC_OPTIONS: names.KEEP}


def resources(cpu: str, memory: str, most_cpu: str, most_memory: str) -> dict[str, Any]:
    """Requests and limits."""
    return {"requests": {"cpu": cpu, "memory": memory}, "limits": {"cpu": most_cpu, "memory": most_memory}}


def _object(kind: str, name: str, body: dict[str, Any]) -> str:
    return emit({"apiVersion": _API_VERSIONS[kind], "kind": kind, "metadata": {"name": name}, **body})


def _sized(kind: str, name: str, size: tuple[str, str, str, str]) -> str:
    container = {"name": name, "resources": resources(*size)}
    return _object(kind, name, {"spec": {"template": {"spec": {"containers": [container]}}}})


def folder(site: Site) -> str:
    """Folder of Argo CD's repository that an environment installs."""
    return ARGOCD.path_ha if site.environment.high_availability else ARGOCD.path


def owned(environment: Environment) -> frozenset[tuple[str, str]]:
    """(kind, name) of the ConfigMaps and Secrets in Argo CD's namespace that its own Application owns."""
    more = _THEIRS_HA if environment.high_availability else ()
    secret = () if environment.argocd.slack else (("Secret", secrets.NOTIFICATIONS),)
    return frozenset((*_THEIRS, *more, *secret))


def patches(site: Site) -> list[Any]:
    """Kustomize patches over Argo CD's own manifests, for the Application and for bootstrap.

    Kustomize refuses a patch whose object is not there: a version that renames one is noticed.
    """
    return _patches(slack=site.environment.argocd.slack is not None)


@cache
def _patches(*, slack: bool) -> list[Any]:
    ours = [("ConfigMap", name) for name in SETTINGS]
    if slack:
        ours.append(("Secret", secrets.NOTIFICATIONS))
    unused = [(kind, name) for name, kinds in _UNUSED.items() for kind in kinds]

    def removed(objects: list[tuple[str, str]]) -> dict[str, Any]:
        return {"patch": "---\n".join(_object(kind, name, {"$patch": "delete"}) for kind, name in objects)}

    sizes = [{"patch": _sized(kind, name, size)} for (kind, name), size in _HUNGRY.items()]
    return [
        Note(removed(ours), "settings: ours have one owner, the Application root"),
        Note(removed(unused), "programs that nobody here uses: ApplicationSets, and Dex, which OIDC does not need"),
        *sizes,
    ]


def external_secrets(site: Site) -> dict[str, Any]:
    """Values of the chart ``external-secrets``."""
    replicas = 2 if site.environment.high_availability else 1
    budget = {"enabled": replicas > 1, "minAvailable": 1}
    small = resources("20m", "64Mi", "250m", "256Mi")
    account = names.google_account(names.EXTERNAL_SECRETS, site.environment.project)
    unused = ("ClusterExternalSecret", "ClusterGenerator", "ClusterPushSecret")
    return {
        "replicaCount": replicas,
        "leaderElect": True,
        "podDisruptionBudget": budget,
        "resources": resources("50m", "128Mi", "500m", "512Mi"),
        "serviceAccount": {"annotations": {names.GOOGLE_SERVICE_ACCOUNT: account}},
        "livenessProbe": {"enabled": True},
        **{f"process{kind}": False for kind in unused},
        "crds": {**{f"create{kind}": False for kind in unused}, "annotations": _KEPT_KINDS},
        "rbac": dict.fromkeys(("aggregateToView", "aggregateToEdit"), False),
        "webhook": {"replicaCount": replicas, "podDisruptionBudget": budget, "resources": small},
        "certController": {"resources": small},
    }


def keda(site: Site) -> dict[str, Any]:
    """Values of the chart ``keda``; its own defaults for requests, limits and security are kept."""
    replicas = 2 if site.environment.high_availability else 1
    budget = {"maxUnavailable": 1}
    parts = ("operator", "metricServer", "webhooks")
    return {
        # In its own namespace it keeps certificates; without a blank, which it would take for a part of the name.
        "watchNamespace": Note(f"{names.DIFY},{names.KEDA}", "rights in these two only, not in the whole cluster"),
        "operator": {"replicaCount": replicas},
        "metricsServer": {"replicaCount": replicas},
        "webhooks": {"replicaCount": replicas},
        **({"podDisruptionBudget": dict.fromkeys(parts, budget)} if replicas > 1 else {}),
        "crds": {"additionalAnnotations": _KEPT_KINDS},
        "rbac": {"enabledCustomScaledRefKinds": Note(value=False, text="else it may read every kind, Secrets too")},
        "prometheus": {"operator": {"enabled": True}},
    }
