"""Rules over both halves of an environment: what workloads name in Google Cloud is there, and the other way round."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

from dify_gitops import names
from dify_gitops.catalogue import ports
from dify_gitops.catalogue.google import WORKLOAD_IDENTITY_USER
from dify_gitops.input.words import nearest
from dify_gitops.rules.access import get, labels, maps, text, texts
from dify_gitops.rules.exposure import blocks
from dify_gitops.rules.google.estate import real_name
from dify_gitops.rules.google.iam import grants
from dify_gitops.rules.google.sources import missing, sources, without_source
from dify_gitops.rules.network import EGRESS, contains, network_of, parse_range
from dify_gitops.rules.pods import mounts_token
from dify_gitops.rules.rule import Flaw, meant, rule

if TYPE_CHECKING:
    from collections.abc import Iterator

    from dify_gitops.rules.cluster import Cluster
    from dify_gitops.rules.google.estate import Estate


class Joined(NamedTuple):
    """What ``overlays/<env>`` and ``config-connector/<env>`` render."""

    workloads: Cluster
    estate: Estate


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
        yield from missing(item, field, "global ComputeAddress", item.annotations.get(key, ""), addresses)
    for item in cluster.every("FrontendConfig"):
        known = _names(estate, "ComputeSSLPolicy")
        yield from missing(item, "spec.sslPolicy", "ComputeSSLPolicy", text(item.data, "spec", "sslPolicy"), known)
    for item in cluster.every("BackendConfig"):
        known = _names(estate, "ComputeSecurityPolicy")
        name = text(item.data, "spec", "securityPolicy", "name")
        yield from missing(item, "spec.securityPolicy.name", "ComputeSecurityPolicy", name, known)


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
            yield from missing(item, field, "IAMServiceAccount", email, known)
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
            yield from missing(item, f"data.{key}", kind, data.get(key, ""), known[kind])
        yield from missing(item, f"data.{_INSTANCE}", "SQLInstance", data.get(_INSTANCE, ""), instances)


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


@rule(
    "joined-api-server",
    why="a token without way to the API server is a time-out, a way without token is one more for an intruder",
    remedy="allow network.controlPlane on 443 to pods that mount a token; others: automountServiceAccountToken: false",
)
def joined_api_server(joined: Joined) -> Iterator[Flaw]:
    """Pods get out to the control plane's range exactly where they mount a token, and to none that looks like it."""
    cluster, estate = joined
    planes = [
        plane
        for item in estate.of("ContainerCluster")
        if estate.ours(item)
        and (plane := parse_range(text(item.data, "spec", "privateClusterConfig", "masterIpv4CidrBlock")))
    ]
    network = network_of(cluster)
    for plane in planes:
        for pod in cluster.pods:
            needed = mounts_token(cluster, pod)
            if network.allows(EGRESS, pod, plane, ports.HTTPS) != needed:
                state = "mounts a token but cannot" if needed else "mounts no token but can"
                message = f"{state} reach the API server, {plane} on {ports.HTTPS}"
                yield Flaw(pod.owner, pod.field("spec.automountServiceAccountToken"), message)
    for block in blocks(cluster):
        if planes and block.for_api_server and not any(contains(plane, block.range) for plane in planes):
            message = f"{block.range} is private, and not the control plane, {', '.join(map(str, planes))}"
            yield Flaw(block.policy, block.field, message)


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


JOINED_RULES = (
    joined_edge,
    joined_identity,
    joined_data,
    joined_namespaces,
    joined_sandbox,
    joined_api_server,
    joined_secrets,
)
