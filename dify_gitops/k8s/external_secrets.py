"""Objects of External Secrets: where secrets are stored, and which Secret gets which of them.

https://external-secrets.io/latest/
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from dify_gitops import names
from dify_gitops.k8s.objects import Manifest, manifest

if TYPE_CHECKING:
    from collections.abc import Iterable

API = "external-secrets.io/v1"
PUSH_API = "external-secrets.io/v1alpha1"
GENERATOR_API = "generators.external-secrets.io/v1alpha1"

# As Go writes durations: External Secrets stores them that way, and another text would differ from Git for ever.
REFRESH = "15m0s"  # how long a new value takes to arrive; each look is an entry in the audit log
PUSH_REFRESH = "1h0m0s"  # until a value that has vanished from the store is made again


def store(namespace: str, project: str, *, wave: str) -> Manifest:
    """Secret Manager of ``project``, as External Secrets' own Google account may use it."""
    return manifest(
        "Secret Manager of this project. No credentials: External Secrets comes with its own Google account.",
        (API, "SecretStore"),
        names.SECRET_STORE,
        namespace=namespace,
        workload="secrets",
        wave=wave,
        spec={"provider": {"gcpsm": {"projectID": project}}},
    )


def external_secret(
    why: str,
    name: str,
    namespace: str,
    keys: Iterable[tuple[str, str]],
    *,
    wave: str = names.WAVE_SECRETS,
    template: dict[str, Any] | None = None,
) -> Manifest:
    """A Secret whose ``keys`` (key, name in Secret Manager) follow the store; ``template`` adds labels or data."""
    return follow(
        why,
        name,
        namespace,
        {"name": names.SECRET_STORE},
        [{"secretKey": key, "remoteRef": {"key": stored}} for key, stored in keys],
        wave=wave,
        template=template,
    )


def follow(
    why: str,
    name: str,
    namespace: str,
    where: dict[str, str],
    data: list[dict[str, Any]],
    *,
    wave: str = names.WAVE_SECRETS,
    template: Any = None,
) -> Manifest:
    """A Secret made of ``data`` in the store ``where``. It outlives a store that is gone or empty."""
    return manifest(
        why,
        (API, "ExternalSecret"),
        name,
        namespace=namespace,
        workload="secrets",
        wave=wave,
        spec={
            "refreshInterval": REFRESH,
            "secretStoreRef": {"kind": "SecretStore", **where},
            "target": {
                "name": name,
                "creationPolicy": "Owner",
                "deletionPolicy": "Retain",
                **({"template": template} if template else {}),
            },
            "data": data,
        },
    )


def push(
    why: str,
    name: str,
    namespace: str,
    selector: dict[str, Any],
    keys: Iterable[tuple[str, str]],
    *,
    wave: str,
    policy: Any,
) -> Manifest:
    """Brings ``keys`` (key, name in Secret Manager) into the store; ``policy`` says when."""
    metadata = {
        "apiVersion": "kubernetes.external-secrets.io/v1alpha1",
        "kind": "PushSecretMetadata",
        "spec": {"mergePolicy": "Merge"},  # labels are Config Connector's; Replace would take them away each time
    }
    return manifest(
        why,
        (PUSH_API, "PushSecret"),
        name,
        namespace=namespace,
        workload="secrets",
        wave=wave,
        spec={
            "refreshInterval": PUSH_REFRESH,
            "updatePolicy": policy,
            "deletionPolicy": "None",
            "secretStoreRefs": [{"kind": "SecretStore", "name": names.SECRET_STORE}],
            "selector": selector,
            "data": [
                {"match": {"secretKey": key, "remoteRef": {"remoteKey": stored}}, "metadata": metadata}
                for key, stored in keys
            ],
        },
    )
