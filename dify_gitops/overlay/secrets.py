"""The Secrets of Dify's namespaces: where each of their keys comes from."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dify_gitops import names
from dify_gitops.catalogue import redis
from dify_gitops.catalogue.secrets import INVENTORY, REDIS, SMTP, VARIABLES_SECRET
from dify_gitops.emit import Note
from dify_gitops.gcp.external_secrets import REDIS_STATUS
from dify_gitops.input.named_secrets import named_secrets
from dify_gitops.k8s.external_secrets import external_secret, follow, push, store
from dify_gitops.overlay import redis_endpoint

if TYPE_CHECKING:
    from dify_gitops.input.model import Environment
    from dify_gitops.k8s.objects import Manifest

_CERTIFICATES = '{{ range mustFromJson .certificates }}{{ .cert | trim }}\n{{ else }}{{ fail "no CA yet" }}{{ end }}'
_NAMESPACES = (names.DIFY, names.SANDBOX)


def stores(environment: Environment) -> list[Manifest]:
    """A store for each namespace: what is in it can read Secret Manager through External Secrets."""
    return [store(namespace, environment.project, wave=names.WAVE_FOUNDATION) for namespace in _NAMESPACES]


def external_secrets(environment: Environment) -> list[Manifest]:
    """One for each Secret that pods refer to, with exactly the keys of the inventory."""
    keys: dict[tuple[str, str], list[tuple[str, str]]] = {}
    for entry in INVENTORY:
        if entry.namespace in _NAMESPACES and entry.length:
            keys.setdefault((entry.namespace, entry.secret), []).append((entry.key, entry.store_name))
    why = {"": "From Secret Manager, where it was born.", SMTP: "The password of the mail server."}
    why[VARIABLES_SECRET] = "Variables of Dify whose values are secrets; each key is one."
    for named in named_secrets(environment):
        if named.namespace in _NAMESPACES:
            keys.setdefault((named.namespace, named.secret), []).append((named.key, named.store_name))
    found = [
        external_secret(why.get(secret, why[""]), secret, namespace, given)
        for (namespace, secret), given in sorted(keys.items())
    ]
    return found if redis_endpoint.wanted(environment) else [*found, _redis(environment)]


def _redis(environment: Environment) -> Manifest:
    """What the instance reports, and what pods and KEDA make of it."""
    key = f"{names.INFRA}/{environment.redis.instance}"
    escaped = '{{ .password | urlquery | replace "+" "%20" }}'
    return follow(
        "Address, password and CAs of Redis, as the instance reports them.",
        REDIS,
        names.DIFY,
        {"kind": "ClusterSecretStore", "name": names.REDIS_STORE},
        [{"secretKey": name, "remoteRef": {"key": key, "property": path}} for name, path in REDIS_STATUS.items()],
        template={
            "engineVersion": "v2",
            "mergePolicy": "Replace",
            "data": {
                "host": "{{ .host }}",
                "port": "{{ .port }}",
                "address": "{{ .host }}:{{ .port }}",
                "password": "{{ .password }}",
                "ca.crt": Note(
                    _CERTIFICATES,
                    "every CA that the instance lists: it renews them with an overlap",
                ),
                "broker-url": Note(
                    redis.broker_url(escaped), "through the tunnel of the pod; safe for any character of the password"
                ),
            },
        },
    )


def copies() -> list[Manifest]:
    """Secret Manager also knows what Google made up for Redis, for people and tools outside of the cluster."""
    stored = [(entry.key, entry.store_name) for entry in INVENTORY if entry.secret == REDIS and entry.stored]
    return [
        push(
            "A copy for whoever looks in Secret Manager; pods read the Secret itself.",
            REDIS,
            names.DIFY,
            {"secret": {"name": REDIS}},
            stored,
            wave=names.WAVE_TRAFFIC,
            policy=Note("Replace", "follows the instance; an equal value adds no version"),
        )
    ]
