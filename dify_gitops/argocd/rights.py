"""rights.yaml: what programs of ours may do in the cluster. Only the platform's project holds such kinds."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from dify_gitops import names
from dify_gitops.gcp import Concern
from dify_gitops.gcp.resource import api_version
from dify_gitops.k8s.objects import Manifest, manifest

if TYPE_CHECKING:
    from dify_gitops.gcp import Site

_RBAC = "rbac.authorization.k8s.io/v1"
REDIS_INSTANCES = {"apiGroups": [api_version("redis").partition("/")[0]], "resources": ["redisinstances"]}


def subject(name: str, namespace: str) -> dict[str, str]:
    """A ServiceAccount, as bindings name it."""
    return {"kind": "ServiceAccount", "name": name, "namespace": namespace}


def _redis_reader() -> list[Manifest]:
    """External Secrets asks whether it may read the kind before it reads the one object that its store lets it."""
    where: dict[str, Any] = {"workload": "secrets", "wave": names.WAVE_SETTINGS}
    role = {"apiGroup": _RBAC.partition("/")[0], "kind": "ClusterRole", "name": names.REDIS_READER}
    return [
        manifest(
            "As this account External Secrets reads what Redis' object reports.",
            ("v1", "ServiceAccount"),
            names.REDIS_READER,
            namespace=names.EXTERNAL_SECRETS,
            automountServiceAccountToken=False,
            **where,
        ),
        manifest(
            "The kind, as a right on one name would not do; the store narrows it to one object and four fields.",
            (_RBAC, "ClusterRole"),
            names.REDIS_READER,
            namespace=None,
            rules=[{**REDIS_INSTANCES, "verbs": ["get"]}],
            **where,
        ),
        manifest(
            "Nobody else has this right.",
            (_RBAC, "ClusterRoleBinding"),
            names.REDIS_READER,
            namespace=None,
            roleRef=role,
            subjects=[subject(names.REDIS_READER, names.EXTERNAL_SECRETS)],
            **where,
        ),
    ]


def concern(site: Site) -> Concern:  # noqa: ARG001 - the same in every environment
    """Rights of External Secrets on Redis' object."""
    return Concern("rights", "Rights inside of the cluster, each for one account and one purpose.", _redis_reader())
