"""The controllers that this repository relies on: where each comes from, at which version, and what it brings.

A pin stands here once: Applications, projects, bootstrap and the checks derive from it. The kinds were read from
each release's own manifests.
"""

from __future__ import annotations

from typing import Final

import msgspec

from dify_gitops import names

Kind = tuple[str, str]  # API group, kind

_APPS = "apps"
_POLICY = "policy"
_RBAC = "rbac.authorization.k8s.io"
_NETWORK = "networking.k8s.io"
_CRD: Final = ("apiextensions.k8s.io", "CustomResourceDefinition")
_WEBHOOK: Final = ("admissionregistration.k8s.io", "ValidatingWebhookConfiguration")
_CLUSTER_RBAC: Final = ((_RBAC, "ClusterRole"), (_RBAC, "ClusterRoleBinding"))
_RBAC_KINDS: Final = ((_RBAC, "Role"), (_RBAC, "RoleBinding"))


class Controller(msgspec.Struct, frozen=True):
    """One controller. ``path`` is a folder of a Git repository, ``chart`` a Helm chart; one of them is empty.

    ``cluster_kinds`` and ``kinds`` is what its manifests consist of, ``namespaces`` where they go, ``installs`` the
    API groups whose custom kinds are there once it is.
    """

    name: str
    repository: str
    version: str
    cluster_kinds: tuple[Kind, ...]
    kinds: tuple[Kind, ...]
    namespaces: tuple[str, ...]
    installs: tuple[str, ...]
    chart: str = ""
    path: str = ""
    path_ha: str = ""


ARGOCD: Final = Controller(
    name=names.ARGOCD,
    repository="https://github.com/argoproj/argo-cd.git",
    version="v3.5.7",
    path="manifests/cluster-install",
    path_ha="manifests/ha/cluster-install",
    cluster_kinds=(_CRD, *_CLUSTER_RBAC),
    kinds=(
        ("", "ConfigMap"),
        ("", "Secret"),
        ("", "Service"),
        ("", "ServiceAccount"),
        (_APPS, "Deployment"),
        (_APPS, "StatefulSet"),
        (_NETWORK, "NetworkPolicy"),
        *_RBAC_KINDS,
    ),
    namespaces=(names.ARGOCD,),
    installs=("argoproj.io",),
)

# Hosts whose SSH keys Argo CD's manifests bring, in a ConfigMap that is theirs; with a port where it is not 22.
SSH_HOSTS: Final = (
    "bitbucket.org",
    "github.com",
    "gitlab.com",
    "ssh.dev.azure.com",
    "ssh.github.com:443",
    "vs-ssh.visualstudio.com",
)

EXTERNAL_SECRETS: Final = Controller(
    name=names.EXTERNAL_SECRETS,
    repository="https://charts.external-secrets.io",
    version="2.9.0",
    chart="external-secrets",
    cluster_kinds=(_CRD, *_CLUSTER_RBAC, _WEBHOOK),
    kinds=(
        ("", "ConfigMap"),
        ("", "Secret"),
        ("", "Service"),
        ("", "ServiceAccount"),
        (_APPS, "Deployment"),
        (_NETWORK, "NetworkPolicy"),
        (_POLICY, "PodDisruptionBudget"),
        *_RBAC_KINDS,
    ),
    namespaces=(names.EXTERNAL_SECRETS,),
    installs=("external-secrets.io", "generators.external-secrets.io"),
)

KEDA: Final = Controller(
    name=names.KEDA,
    repository="https://kedacore.github.io/charts",
    version="2.20.2",
    chart="keda",
    cluster_kinds=(_CRD, *_CLUSTER_RBAC, _WEBHOOK, ("apiregistration.k8s.io", "APIService")),
    kinds=(
        ("", "Service"),
        ("", "ServiceAccount"),
        (_APPS, "Deployment"),
        (_NETWORK, "NetworkPolicy"),
        (_POLICY, "PodDisruptionBudget"),
        *_RBAC_KINDS,
    ),
    # RoleBindings: in kube-system, to ask the API server who calls its metrics API; in dify, to scale what is there.
    namespaces=(names.KEDA, "kube-system", names.DIFY),
    installs=("keda.sh",),
)

CONTROLLERS: Final = (ARGOCD, EXTERNAL_SECRETS, KEDA)

# Installed by bootstrap, before Argo CD: https://cloud.google.com/config-connector/docs/how-to/install-manually
CONFIG_CONNECTOR_VERSION: Final = "1.155.1"
# Its operator installs the kinds that have a version v1beta1. These are v1alpha1, from the same release.
ALPHA_GROUPS: Final = ("gkebackup.cnrm.cloud.google.com",)

# What GKE itself brings with the add-ons of cluster.yaml.
GKE_GROUPS: Final = ("cloud.google.com", "networking.gke.io", "monitoring.googleapis.com", "snapshot.storage.k8s.io")


def installer(group: str, version: str) -> str:
    """Who installs the kinds of an API group, in words; empty for nobody that we know."""
    by_group = {
        one: f"{controller.name} {controller.version}" for controller in CONTROLLERS for one in controller.installs
    }
    by_group |= dict.fromkeys(GKE_GROUPS, "GKE")
    by_group |= dict.fromkeys(ALPHA_GROUPS, f"bootstrap, from Config Connector {CONFIG_CONNECTOR_VERSION}")
    if group in by_group:
        return by_group[group]
    if "." not in group or group.endswith(".k8s.io"):
        return "Kubernetes"
    # Config Connector's operator leaves out what has no version v1beta1.
    ours = group.endswith(f".{names.CNRM}") and version == "v1beta1"
    return f"Config Connector {CONFIG_CONNECTOR_VERSION}" if ours else ""
