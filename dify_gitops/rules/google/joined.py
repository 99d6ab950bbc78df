"""Rules over both halves of an environment: what workloads name in Google Cloud is there, and the other way round."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

from dify_gitops import names
from dify_gitops.catalogue.google import WORKLOAD_IDENTITY_USER
from dify_gitops.input.words import nearest
from dify_gitops.rules.access import get, labels, mapping, maps, text, texts
from dify_gitops.rules.google.estate import real_name
from dify_gitops.rules.google.iam import grants
from dify_gitops.rules.rule import Flaw, meant, rule

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from dify_gitops.rules.cluster import Cluster, Object
    from dify_gitops.rules.google.estate import Estate


class Joined(NamedTuple):
    """What ``overlays/<env>`` and ``config-connector/<env>`` render."""

    workloads: Cluster
    estate: Estate


def _missing(item: Object, field: str, kind: str, name: str, known: Iterable[str]) -> Iterator[Flaw]:
    """A flaw where a name stands for nothing in config-connector/."""
    there = set(known)
    if name and name not in there:
        yield Flaw(item, field, f"there is no {kind} {name} in config-connector/", meant(nearest(name, there)))


def _names(estate: Estate, kind: str) -> list[str]:
    return [real_name(item) for item in estate.of(kind)]


@rule(
    "joined-edge",
    why="GKE looks address, TLS policy and Cloud Armor up by name; without them nobody gets in, or everybody",
    remedy="use the name of a resource in config-connector/, or add it there",
)
def joined_edge(joined: Joined) -> Iterator[Flaw]:
    """Static address, SSL policy and security policies that Ingress, FrontendConfig and BackendConfigs name."""
    cluster, estate = joined
    found = estate.of("ComputeAddress")
    addresses = [real_name(item) for item in found if text(item.data, "spec", "location") == "global"]
    key = "kubernetes.io/ingress.global-static-ip-name"
    for item in cluster.every("Ingress"):
        field = f"metadata.annotations[{key}]"
        yield from _missing(item, field, "global ComputeAddress", item.annotations.get(key, ""), addresses)
    for item in cluster.every("FrontendConfig"):
        known = _names(estate, "ComputeSSLPolicy")
        yield from _missing(item, "spec.sslPolicy", "ComputeSSLPolicy", text(item.data, "spec", "sslPolicy"), known)
    for item in cluster.every("BackendConfig"):
        known = _names(estate, "ComputeSecurityPolicy")
        name = text(item.data, "spec", "securityPolicy", "name")
        yield from _missing(item, "spec.securityPolicy.name", "ComputeSecurityPolicy", name, known)


@rule(
    "joined-identity",
    why="a pod without its Google account fails at its first call; an account that no pod uses is a door left open",
    remedy="annotate the ServiceAccount with the account that names it in access.yaml, and the other way round",
)
def joined_identity(joined: Joined) -> Iterator[Flaw]:
    """ServiceAccounts of the workloads and Workload Identity bindings name each other."""
    cluster, estate = joined
    emails = {real_name(item): item for item in estate.of("IAMServiceAccount")}
    bound: dict[str, str] = {}  # namespace/ServiceAccount → name of the account
    for grant in grants(estate):
        found = re.search(r"\[(.+)\]$", grant.member)
        if grant.role == WORKLOAD_IDENTITY_USER and found:
            bound[found[1]] = grant.resource.partition(" ")[2]
    annotated = set()
    for item in cluster.every("ServiceAccount"):
        who = f"{item.namespace}/{item.name}"
        email = item.annotations.get(names.GOOGLE_SERVICE_ACCOUNT, "")
        annotated.add(who)
        field = f"metadata.annotations[{names.GOOGLE_SERVICE_ACCOUNT}]"
        name, _, rest = email.partition("@")
        if email and (name not in emails or rest != names.account_domain(estate.project)):
            known = [estate.email(account) for account in emails.values()]
            yield from _missing(item, field, "IAMServiceAccount", email, known)
        elif email and bound.get(who) != name:
            yield Flaw(item, field, f"no binding in config-connector/ lets {who} act as {name}")
        elif not email and who in bound:
            yield Flaw(item, field, f"is not set, but config-connector/ lets {who} act as {bound[who]}")
    homes = {item.name for item in cluster.every("Namespace")}
    for who, name in bound.items():
        if who.partition("/")[0] in homes and who not in annotated and name in emails:
            yield Flaw(emails[name], "metadata.name", f"{who}, which acts as it, is not in overlays/")


# Variable → kind of the resource that it names.
_NAMES = {
    "GOOGLE_STORAGE_BUCKET_NAME": "StorageBucket",
    "BACKUP_GCS_BUCKET": "StorageBucket",
    "BACKUP_BUCKET": "StorageBucket",
    "PLUGIN_STORAGE_OSS_BUCKET": "StorageBucket",
    "DB_DATABASE": "SQLDatabase",
    "DB_USERNAME": "SQLUser",
}
_INSTANCE = "CSQL_PROXY_INSTANCE_CONNECTION_NAME"


@rule(
    "joined-data",
    why="pods that look for another bucket, instance or database than the one that is made never start",
    remedy="use the name of a resource in config-connector/, or add it there",
)
def joined_data(joined: Joined) -> Iterator[Flaw]:
    """Buckets, databases, users and the instance's connection name, as ConfigMaps give them to the pods."""
    cluster, estate = joined
    known = {kind: _names(estate, kind) for kind in set(_NAMES.values())}
    instances = [
        f"{estate.project}:{text(item.data, 'spec', 'region')}:{real_name(item)}" for item in estate.of("SQLInstance")
    ]
    for item in cluster.every("ConfigMap"):
        data = labels(item.data, "data")
        for key, kind in _NAMES.items():
            yield from _missing(item, f"data.{key}", kind, data.get(key, ""), known[kind])
        yield from _missing(item, f"data.{_INSTANCE}", "SQLInstance", data.get(_INSTANCE, ""), instances)


@rule(
    "joined-namespaces",
    why="a backup plan of a namespace that is not there backs nothing up, and says that all is well",
    remedy="name the namespaces of overlays/, all that hold volumes",
)
def joined_namespaces(joined: Joined) -> Iterator[Flaw]:
    """Backup plans name namespaces that exist, and every one that has volumes."""
    cluster, estate = joined
    homes = [item.name for item in cluster.every("Namespace")]
    with_volumes = {item.namespace for item in cluster.every("PersistentVolumeClaim")}
    with_volumes |= {
        item.namespace for item in cluster.every("StatefulSet") if maps(item.data, "spec", "volumeClaimTemplates")
    }
    plans = estate.of("GKEBackupBackupPlan")
    for plan in plans:
        config = get(plan.data, "spec", "backupConfig")
        field = "spec.backupConfig.selectedNamespaces.namespaces"
        chosen = texts(config, "selectedNamespaces", "namespaces")
        for name in chosen:
            if name not in homes:
                yield Flaw(plan, field, f"there is no namespace {name} in overlays/", meant(nearest(name, homes)))
        missing = sorted(with_volumes - set(chosen))
        if missing and get(config, "allNamespaces") is not True:
            yield Flaw(plan, field, f"lacks {', '.join(missing)}, which has volumes")


@rule(
    "joined-sandbox",
    why="pods for gVisor wait for ever without its nodes; such nodes without pods only cost money",
    remedy="set sandbox.gvisor in the input, which changes both",
)
def joined_sandbox(joined: Joined) -> Iterator[Flaw]:
    """Pods ask for gVisor exactly where a node pool has it."""
    cluster, estate = joined
    pools = [pool for pool in estate.of("ContainerNodePool") if get(pool.data, "spec", "nodeConfig", "sandboxConfig")]
    pods = [pod for pod in cluster.pods if text(pod.spec, "runtimeClassName") == "gvisor"]
    if pods and not pools:
        for pod in pods:
            yield Flaw(pod.owner, pod.field("spec.runtimeClassName"), "no node pool in config-connector/ has gVisor")
    elif pools and not pods:
        for pool in pools:
            yield Flaw(pool, "spec.nodeConfig.sandboxConfig", "no pod in overlays/ asks for gVisor")


def _remote_keys(item: Object) -> Iterator[tuple[str, str]]:
    """(field, name in the store) of everything that an ExternalSecret reads or a PushSecret writes."""
    key = "match.remoteRef.remoteKey" if item.kind == "PushSecret" else "remoteRef.key"
    for number, entry in enumerate(maps(item.data, "spec", "data")):
        yield f"spec.data[{number}].{key}", text(entry, *key.split("."))


def _stores(item: Object) -> Iterator[tuple[str, str, str]]:
    """(field, kind, name) of the stores that an object uses."""
    refs = [("spec.secretStoreRef", mapping(item.data, "spec", "secretStoreRef"))]
    if item.kind == "PushSecret":
        given = maps(item.data, "spec", "secretStoreRefs")
        refs = [(f"spec.secretStoreRefs[{number}]", one) for number, one in enumerate(given)]
    for field, reference in refs:
        yield f"{field}.name", text(reference, "kind") or "SecretStore", text(reference, "name")


class Sources(NamedTuple):
    """Where an environment's secrets come from: names in Secret Manager, RedisInstances, stores of the whole cluster.

    RedisInstances read ``namespace/name``.
    """

    held: list[str]
    instances: list[str]
    wide: list[str]


def sources(clusters: Iterable[Cluster]) -> Sources:
    """What the given folders of one environment hold together."""
    found = Sources([], [], [])
    for item in (item for cluster in clusters for item in cluster.objects):
        if item.kind == "SecretManagerSecret":
            found.held.append(real_name(item))
        elif item.kind == "RedisInstance":
            found.instances.append(f"{item.namespace}/{item.name}")
        elif item.kind == "ClusterSecretStore":
            found.wide.append(item.name)
    return found


@rule(
    "joined-secrets",
    why="a Secret whose source has another name is never made, and no pod that reads it starts",
    remedy="use the name of a SecretManagerSecret, store, generator or RedisInstance that is there, or add it",
)
def joined_secrets(joined: Joined) -> Iterator[Flaw]:
    """What External Secrets reads and writes is in config-connector/, and its stores and generators exist."""
    known = sources(joined)
    for half in joined:
        yield from without_source(half, known)


def without_source(half: Cluster, known: Sources) -> Iterator[Flaw]:
    """Flaws of the ExternalSecrets and PushSecrets of one folder; their stores and generators are in it too."""
    for item in half.every("ExternalSecret", "PushSecret"):
        own = [store.name for store in half.every("SecretStore") if store.namespace == item.namespace]
        from_redis = False
        for field, kind, name in _stores(item):
            from_redis = kind == "ClusterSecretStore" and name == names.REDIS_STORE
            stores = known.wide if kind == "ClusterSecretStore" else own
            if name not in stores:
                yield Flaw(item, field, f"there is no {kind} {name} for {item.namespace}", meant(nearest(name, stores)))
        kind, there = ("RedisInstance", known.instances) if from_redis else ("SecretManagerSecret", known.held)
        for field, name in _remote_keys(item):
            yield from _missing(item, field, kind, name, there)
        generator = text(item.data, "spec", "selector", "generatorRef", "name")
        generators = [one.name for one in half.every("Password") if one.namespace == item.namespace]
        if generator and generator not in generators:
            message = f"there is no Password {item.namespace}/{generator}"
            yield Flaw(item, "spec.selector.generatorRef.name", message, meant(nearest(generator, generators)))


JOINED_RULES = (joined_edge, joined_identity, joined_data, joined_namespaces, joined_sandbox, joined_secrets)
