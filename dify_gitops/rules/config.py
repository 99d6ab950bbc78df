"""Rules over ConfigMaps and Secrets that pods read: they exist and have the keys that are asked for."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from dify_gitops import names
from dify_gitops.catalogue.secrets import INVENTORY, VARIABLES_SECRET
from dify_gitops.input.words import nearest
from dify_gitops.rules.access import get, mapping, maps, text
from dify_gitops.rules.cluster import made_secret
from dify_gitops.rules.rule import Flaw, meant, rule

if TYPE_CHECKING:
    from collections.abc import Iterator

    from dify_gitops.rules.cluster import Cluster, Object, Pod

ANY_KEY = "*"  # of a Secret whose keys only its store knows
_OURS = "dify-"  # how the names of our Secrets begin
_GIVEN_CONFIG = "kube-root-ca.crt"  # Kubernetes writes it into every namespace


class Use(NamedTuple):
    """A ConfigMap or Secret that an object reads; ``key`` is empty where all of it is read.

    Without an ``optional`` one the pod starts.
    """

    source: Object
    field: str
    namespace: str
    name: str
    key: str
    optional: bool = False


class Fields(NamedTuple):
    """How pods refer to one kind: in a volume (and its name there), with all keys, with one key."""

    volume: str
    volume_name: str
    every: str
    one: str


_FIELDS = {
    "ConfigMap": Fields("configMap", "name", "configMapRef", "configMapKeyRef"),
    "Secret": Fields("secret", "secretName", "secretRef", "secretKeyRef"),
}


def _uses(cluster: Cluster, kind: str) -> Iterator[Use]:
    for pod in cluster.pods:
        yield from _in_environment(pod, _FIELDS[kind])
        yield from _in_volumes(pod, _FIELDS[kind])


def _use(pod: Pod, field: str, reference: Any, key: str, name: str = "name") -> Iterator[Use]:
    if isinstance(reference, dict):
        yield Use(pod.owner, field, pod.namespace, text(reference, name), key, reference.get("optional") is True)


def _in_environment(pod: Pod, fields: Fields) -> Iterator[Use]:
    for container in pod.containers:
        for entry in maps(container.data, "env"):
            reference = get(entry, "valueFrom", fields.one)
            field = f"{container.path}.env[{text(entry, 'name')}].valueFrom.{fields.one}"
            yield from _use(pod, field, reference, text(reference, "key"))
        for number, entry in enumerate(maps(container.data, "envFrom")):
            yield from _use(pod, f"{container.path}.envFrom[{number}].{fields.every}", entry.get(fields.every), "")


def _in_volumes(pod: Pod, fields: Fields) -> Iterator[Use]:
    for volume in maps(pod.spec, "volumes"):
        field = pod.field(f"spec.volumes[{text(volume, 'name')}].{fields.volume}")
        plain = volume.get(fields.volume)
        projected = [(source.get(fields.volume), "name") for source in maps(volume, "projected", "sources")]
        for reference, name in ((plain, fields.volume_name), *projected):
            for wanted in [text(item, "key") for item in maps(reference, "items")] or [""]:
                yield from _use(pod, field, reference, wanted, name)
        if plain and not maps(plain, "items"):
            for sub_path in _sub_paths(pod, text(volume, "name")):
                yield from _use(pod, field, plain, sub_path, fields.volume_name)


def _sub_paths(pod: Pod, volume: str) -> list[str]:
    """Single files of a volume that containers mount: a missing one becomes an empty folder."""
    mounts = (mount for container in pod.containers for mount in maps(container.data, "volumeMounts"))
    return [text(m, "subPath") for m in mounts if text(m, "name") == volume and text(m, "subPath")]


@rule(
    "config-exists",
    why="a pod whose ConfigMap or key is missing does not start",
    remedy="correct the name or key, or add it to the ConfigMap",
)
def config_exists(cluster: Cluster) -> Iterator[Flaw]:
    """ConfigMaps that pods read exist, with the keys that are asked for."""
    known = {
        (item.namespace, item.name): {*mapping(item.data, "data"), *mapping(item.data, "binaryData")}
        for item in cluster.every("ConfigMap")
    }
    for use in _uses(cluster, "ConfigMap"):
        if use.name != _GIVEN_CONFIG and not use.optional:
            yield from _missing("ConfigMap", use, known)


def _missing(kind: str, use: Use, known: dict[tuple[str, str], set[str]]) -> Iterator[Flaw]:
    keys = known.get((use.namespace, use.name))
    if keys is None:
        near = nearest(use.name, (name for namespace, name in known if namespace == use.namespace))
        yield Flaw(use.source, use.field, f"there is no {kind} {use.namespace}/{use.name}", meant(near))
    elif use.key and use.key not in keys and ANY_KEY not in keys:
        message = f"{kind} {use.namespace}/{use.name} has no key {use.key}"
        yield Flaw(use.source, use.field, message, meant(nearest(use.key, sorted(keys))))


@rule(
    "secret-exists",
    why="a pod whose Secret or key is missing does not start",
    remedy="correct the name or key, or add an ExternalSecret that makes it",
)
def secret_exists(cluster: Cluster) -> Iterator[Flaw]:
    """Secrets that are read are made here, with their keys.

    Ours are known even where they are optional: a typo in their name would never be noticed.
    """
    known = _secrets(cluster)
    for use in (*_uses(cluster, "Secret"), *_uses_elsewhere(cluster)):
        if not use.optional or use.name.startswith(_OURS):
            yield from _missing("Secret", use, known)


def _uses_elsewhere(cluster: Cluster) -> Iterator[Use]:
    for pod in cluster.pods:
        for entry in maps(pod.spec, "imagePullSecrets"):
            yield Use(pod.owner, pod.field("spec.imagePullSecrets"), pod.namespace, text(entry, "name"), "")
    for item in cluster.every("TriggerAuthentication"):
        for entry in maps(item.data, "spec", "secretTargetRef"):
            field = f"spec.secretTargetRef[{text(entry, 'parameter')}]"
            yield Use(item, field, item.namespace, text(entry, "name"), text(entry, "key"))
    for item in cluster.every("Ingress"):
        for entry in maps(item.data, "spec", "tls"):
            if text(entry, "secretName"):
                yield Use(item, "spec.tls.secretName", item.namespace, text(entry, "secretName"), "")


def _secrets(cluster: Cluster) -> dict[tuple[str, str], set[str]]:
    """Keys of all Secrets by (namespace, name)."""
    found = {(entry.namespace, entry.secret): {entry.key} for entry in INVENTORY if entry.optional}
    found[names.DIFY, VARIABLES_SECRET] = {ANY_KEY}
    return found | produced(cluster)


def produced(cluster: Cluster) -> dict[tuple[str, str], set[str]]:
    """Keys of the Secrets that the objects bring, by (namespace, name). A Secret without values is filled by a Job."""
    found: dict[tuple[str, str], set[str]] = {}
    for item in cluster.every("Secret"):
        found[item.namespace, item.name] = {*mapping(item.data, "data"), *mapping(item.data, "stringData")} or {ANY_KEY}
    for item in cluster.every("ExternalSecret"):
        name = made_secret(item)
        template = mapping(item.data, "spec", "target", "template", "data")
        keys = {text(entry, "secretKey") for entry in maps(item.data, "spec", "data")}
        open_ended = maps(item.data, "spec", "dataFrom") or maps(
            item.data, "spec", "target", "template", "templateFrom"
        )
        found[item.namespace, name] = {ANY_KEY} if open_ended else set(template) or keys
    return found
