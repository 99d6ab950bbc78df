"""rights.yaml: what programs of ours may do in the cluster. Only the platform's project holds such kinds."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from dify_gitops import names
from dify_gitops.catalogue.secrets import REDIS
from dify_gitops.gcp import Concern
from dify_gitops.gcp.resource import api_group
from dify_gitops.k8s.objects import Manifest, manifest
from dify_gitops.overlay import redis_endpoint, restarts

if TYPE_CHECKING:
    from dify_gitops.gcp import Site
    from dify_gitops.input.model import Environment

_RBAC_GROUP = "rbac.authorization.k8s.io"
_RBAC = f"{_RBAC_GROUP}/v1"
REDIS_INSTANCES = {"apiGroups": [api_group("redis")], "resources": ["redisinstances"]}


def subject(name: str, namespace: str) -> dict[str, str]:
    """A ServiceAccount, as bindings name it."""
    return {"kind": "ServiceAccount", "name": name, "namespace": namespace}


def _redis_reader() -> list[Manifest]:
    """External Secrets asks whether it may read the kind before it reads the one object that its store lets it."""
    where: dict[str, Any] = {"workload": "secrets", "wave": names.WAVE_SETTINGS}
    role = {"apiGroup": _RBAC_GROUP, "kind": "ClusterRole", "name": names.REDIS_READER}
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


def _granted(why: str, account: str, namespace: str, rules: list[dict[str, Any]]) -> list[Manifest]:
    """What an account of names.DIFY may do in ``namespace``.

    In the last wave: Dify's namespaces belong to other Applications, which are made there too. Until they have made
    them these objects fail, and the retry without end brings them.
    """
    where: dict[str, Any] = {"workload": account, "wave": names.WAVE_APPLICATION, "namespace": namespace}
    return [
        manifest(why, (_RBAC, "Role"), account, rules=rules, **where),
        manifest(
            "Nobody else has this right.",
            (_RBAC, "RoleBinding"),
            account,
            roleRef={"apiGroup": _RBAC_GROUP, "kind": "Role", "name": account},
            subjects=[subject(account, names.DIFY)],
            **where,
        ),
    ]


def redis_endpoint_rights(environment: Environment) -> list[Manifest]:
    """What the Job needs that brings Redis' address and password to the pods."""
    instance = {**REDIS_INSTANCES, "resourceNames": [environment.redis.instance], "verbs": ["get"]}
    secret = {"apiGroups": [""], "resources": ["secrets"], "resourceNames": [REDIS], "verbs": ["get", "patch"]}
    return [
        *_granted("Reads one instance.", names.REDIS_ENDPOINT, names.INFRA, [instance]),
        *_granted("Fills one Secret, which is there already.", names.REDIS_ENDPOINT, names.DIFY, [secret]),
    ]


def restart_rights(environment: Environment) -> list[Manifest]:
    """What the restart needs, per namespace: each workload that reads Secrets, and these Secrets.

    Kubernetes cannot grant the metadata of a Secret alone; the script asks for no more.
    """
    found = restarts.readers(environment)
    granted: list[Manifest] = []
    for namespace in sorted({one.namespace for one in found}):
        here = [one for one in found if one.namespace == namespace]
        secrets = sorted({name for one in here for name in one.secrets})
        rules: list[dict[str, Any]] = [
            {"apiGroups": [""], "resources": ["secrets"], "resourceNames": secrets, "verbs": ["get"]}
        ]
        for kind in sorted({one.kind for one in here}):
            workloads = [one.name for one in here if one.kind == kind]
            resource = {"apiGroups": ["apps"], "resources": [f"{kind.lower()}s"]}
            rules.append({**resource, "resourceNames": workloads, "verbs": ["get", "patch"]})
        granted += _granted(
            "Notices new values of these Secrets, restarts these workloads.", names.RESTART, namespace, rules
        )
    return granted


def concern(site: Site) -> Concern:
    """Rights on Redis' object: of External Secrets, or of the Job in its place; and those of the restart."""
    by_job = redis_endpoint.wanted(site.environment)
    redis = redis_endpoint_rights(site.environment) if by_job else _redis_reader()
    return Concern(
        "rights",
        "Rights inside of the cluster, each for one account and one purpose.",
        [*redis, *restart_rights(site.environment)],
    )
