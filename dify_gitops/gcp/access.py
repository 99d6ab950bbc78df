"""access.yaml: what the accounts of identity.yaml may do.

One IAMPartialPolicy per resource lists everybody who may do something with it. It keeps bindings of others, and what
is taken off the list is revoked; an IAMPolicyMember that vanishes from Git would stay, as nothing here is pruned.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from dify_gitops import names
from dify_gitops.catalogue import google
from dify_gitops.catalogue.flows import POSTGRES
from dify_gitops.catalogue.google import CONFIG_CONNECTOR, NODES, PLATFORM
from dify_gitops.emit import Note
from dify_gitops.gcp import Concern, secrets
from dify_gitops.gcp.identity import Account, accounts
from dify_gitops.gcp.registry import own_repository
from dify_gitops.gcp.resource import api_version, object_name, project_ref, resource
from dify_gitops.input.buckets import backup_bucket, files_bucket, plugin_bucket
from dify_gitops.overlay.images import keyless_plugins

if TYPE_CHECKING:
    from dify_gitops.gcp import Site
    from dify_gitops.k8s.objects import Manifest

_BACKUPS = ("weaviate", "weaviate-backup")
_FILES = ("api", "beat", "worker")


def _member(name: str) -> dict[str, Any]:
    return {"memberFrom": {"serviceAccountRef": {"name": f"dify-{name}"}}}


def _binding(role: str, *members: str) -> dict[str, Any]:
    return {"role": role, "members": [_member(name) for name in members]}


def _policy(
    site: Site,
    why: str,
    name: str,
    target: dict[str, Any],
    bindings: list[Any],
    *,
    wave: str = names.WAVE_IAM,
    locked: bool = False,
) -> Manifest:
    spec = {"resourceRef": target, "bindings": bindings}
    return resource(why, "iam", "IAMPartialPolicy", name, site, wave=wave, locked=locked, spec=spec)


def _acting(site: Site, account: Account) -> Manifest:
    """Workload Identity of an account; of the nodes' account, who may give it to nodes."""
    target = {"apiVersion": api_version("iam"), "kind": "IAMServiceAccount", "name": f"dify-{account.name}"}
    if account.acts:
        pool = f"{site.environment.project}.svc.id.goog"
        members = [{"member": f"serviceAccount:{pool}[{account.acts}]"}]
        why = f"Who acts as dify-{account.name}: one Kubernetes ServiceAccount, without a key."
        bindings = [{"role": google.WORKLOAD_IDENTITY_USER, "members": members}]
    else:
        why = "Config Connector gives this account to the nodes that it makes."
        bindings = [_binding(google.SERVICE_ACCOUNT_USER, CONFIG_CONNECTOR)]
    locked = account.name in PLATFORM  # without them nothing here could be changed any more
    return _policy(site, why, f"account-{account.name}", target, bindings, locked=locked)


def _project_target(site: Site) -> dict[str, str]:
    return {"apiVersion": api_version("resourcemanager"), "kind": "Project", **project_ref(site)}


def own_roles(site: Site) -> dict[str, str]:
    """Config Connector's roles, with those that only some options need; role → what for."""
    environment = site.environment
    optional = google.REGISTRY_ROLES if own_repository(environment) else {}
    if environment.database.private_service_connect:
        optional = optional | google.ENDPOINT_ROLES
    return google.CONFIG_CONNECTOR_ROLES | optional


def _project(site: Site) -> Manifest:
    """Roles that no single resource can carry."""
    own = [Note(_binding(role, CONFIG_CONNECTOR), why) for role, why in own_roles(site).items()]
    bindings = [
        Note(_binding(google.CLOUD_SQL_CLIENT, *POSTGRES), "through the Auth Proxy: an instance has no policy"),
        *(_binding(role, NODES) for role in google.NODE_ROLES),
        *own,
    ]
    target = _project_target(site)
    why = (
        "Roles on the whole project: only those that no single resource can carry. Locked, as deleting it would take "
        "Config Connector's own rights."
    )
    return _policy(site, why, "project", target, bindings, locked=True)


def _buckets(site: Site) -> list[Manifest]:
    environment = site.environment
    users: dict[str, tuple[str, ...]] = {files_bucket(environment): _FILES, backup_bucket(environment): _BACKUPS}
    if keyless_plugins(environment):
        users[plugin_bucket(environment)] = ("plugin-daemon",)
    return [
        _policy(
            site,
            f"Who reads and writes {bucket}. The second role is there for storage.buckets.get alone.",
            f"bucket-{object_name(bucket)}",
            {"apiVersion": api_version("storage"), "kind": "StorageBucket", "name": object_name(bucket)},
            [_binding(role, *members) for role in google.BUCKET_ROLES],
            wave=names.WAVE_CONTENTS,
        )
        for bucket, members in users.items()
    ]


def _secrets(site: Site) -> list[Manifest]:
    read_only = secrets.by_hand(site)
    return [
        _policy(
            site,
            f"External Secrets {'reads' if name in read_only else 'reads and fills'} {name}; nobody else does.",
            f"secret-{object_name(name)}",
            {"apiVersion": api_version("secretmanager"), "kind": "SecretManagerSecret", "name": object_name(name)},
            [
                _binding(role, names.EXTERNAL_SECRETS)
                for role in ((google.SECRET_READER,) if name in read_only else google.SECRET_ROLES)
            ],
        )
        for name in (*secrets.born(), *read_only)
    ]


def _images(site: Site) -> list[Manifest]:
    repository = own_repository(site.environment)
    if not repository:
        return []
    kind = {"apiVersion": api_version("artifactregistry"), "kind": "ArtifactRegistryRepository"}
    why = "Nodes pull images from the mirror."
    name = f"images-{repository.rpartition('/')[2]}"
    return [_policy(site, why, name, {**kind, "external": repository}, [_binding(google.REGISTRY_READER, NODES)])]


# https://cloud.google.com/logging/docs/audit/services
_CHANGES = ("ADMIN_READ", "DATA_WRITE")
_EVERYTHING = (*_CHANGES, "DATA_READ")
_AUDITED = {
    "iam": ("who looked at, changed or acted as a service account", _EVERYTHING),
    "secretmanager": ("who read a secret", _EVERYTHING),
    "cloudsql": ("who looked at, changed or logged in to the database instance", _EVERYTHING),
    "storage": ("who changed a bucket or a file; reads would be an entry for every file that Dify shows", _CHANGES),
    "container": ("who looked into the cluster's configuration", ("ADMIN_READ",)),
}


def _audit(site: Site, service: str, why: str, types: tuple[str, ...]) -> Manifest:
    return resource(
        f"Audit log: {why}.",
        "iam",
        "IAMAuditConfig",
        f"audit-{service}",
        site,
        wave=names.WAVE_IAM,
        spec={
            "resourceRef": _project_target(site),
            "service": f"{service}.googleapis.com",
            "auditLogConfigs": [{"logType": kind} for kind in types],
        },
    )


def concern(site: Site) -> Concern:
    """Their roles, on the smallest resource that can carry them."""
    return Concern(
        "access",
        "Who may do what: one list for each resource, and what is written down about it.",
        [
            *(_acting(site, account) for account in accounts()),
            _project(site),
            *_buckets(site),
            *_secrets(site),
            *_images(site),
            *(_audit(site, service, why, types) for service, (why, types) in _AUDITED.items()),
        ],
    )
