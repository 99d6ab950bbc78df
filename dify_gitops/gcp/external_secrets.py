"""external-secrets.yaml: values for the secrets of secrets.yaml, made in the cluster and seen by nobody."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dify_gitops import names
from dify_gitops.catalogue.secrets import INVENTORY, STORED
from dify_gitops.emit import Note
from dify_gitops.gcp import Concern
from dify_gitops.gcp.resource import api_group, api_version
from dify_gitops.k8s.external_secrets import API, GENERATOR_API, external_secret, push, store
from dify_gitops.k8s.objects import Manifest, manifest, sentence

if TYPE_CHECKING:
    from dify_gitops.gcp import Site

# What pods need to know of the instance, as fields of its status: the only ones that can be read through the store.
REDIS_STATUS = {
    "host": "status.host",
    "port": "status.port",
    "password": "status.observedState.authString",
    "certificates": "status.serverCaCerts",
}


def _password(length: int) -> Manifest:
    return manifest(
        f"{length} random letters and digits: nothing that a URL or a connection string would have to escape.",
        (GENERATOR_API, "Password"),
        f"password-{length}",
        namespace=names.INFRA,
        workload="secrets",
        wave=names.WAVE_IAM,
        spec={"length": length, "digits": length // 4, "symbols": 0, "noUpper": False, "allowRepeat": True},
    )


def _born() -> list[Manifest]:
    """One generator for each length, one push for each secret: once, and never over a value that is there."""
    generated = [entry for entry in STORED if entry.length]
    once = Note("IfNotExists", "made once: whoever wants another value adds a version")
    return [
        *(_password(length) for length in sorted({entry.length for entry in generated})),
        *(
            push(
                sentence(entry.purpose),
                entry.store_name,
                names.INFRA,
                {"generatorRef": {"apiVersion": GENERATOR_API, "kind": "Password", "name": f"password-{entry.length}"}},
                [("password", entry.store_name)],
                wave=names.WAVE_INSTANCES,
                policy=once,
            )
            for entry in generated
        ),
    ]


def _users() -> list[Manifest]:
    """The passwords that Config Connector gives to the users of the instance."""
    return [
        external_secret(
            f"{entry.purpose}: Config Connector gives it this password, pods log in with the same.",
            entry.secret,
            names.INFRA,
            [(entry.key, entry.store_name)],
        )
        for entry in INVENTORY
        if entry.namespace == names.INFRA
    ]


def _redis_store(site: Site) -> Manifest:
    """Only one object, only four fields, only for one namespace."""
    instance = site.environment.redis.instance
    fields = [f"^{path}$".replace(".", "\\.") for path in REDIS_STATUS.values()]
    account = {"name": names.REDIS_READER, "namespace": names.EXTERNAL_SECRETS}
    return manifest(
        "What Google made up for Redis: address, password, CAs. Read from the object's status, so nobody copies it.",
        (API, "ClusterSecretStore"),
        names.REDIS_STORE,
        namespace=None,
        workload="secrets",
        wave=names.WAVE_SECRETS,
        spec={
            "conditions": [{"namespaces": [names.DIFY]}],
            "provider": {
                "crd": {
                    "resource": {
                        "group": api_group("redis"),
                        "version": api_version("redis").partition("/")[2],
                        "kind": "RedisInstance",
                    },
                    "server": {
                        "caProvider": {
                            "type": "ConfigMap",
                            "name": "kube-root-ca.crt",
                            "key": "ca.crt",
                            "namespace": names.EXTERNAL_SECRETS,
                        }
                    },
                    "auth": {"serviceAccount": account},
                    "whitelist": {
                        "rules": [{"namespace": f"^{names.INFRA}$", "name": f"^{instance}$", "properties": fields}]
                    },
                }
            },
        },
    )


def concern(site: Site) -> Concern:
    """Store, generators, pushes, and the passwords of the database users."""
    redis = [] if site.environment.redis.endpoint == "job" else [_redis_store(site)]
    return Concern(
        "external-secrets",
        "Values of secrets: born here, kept in Secret Manager, never in Git and never on a screen.",
        [store(names.INFRA, site.environment.project, wave=names.WAVE_IAM), *_born(), *_users(), *redis],
    )
