"""What a container is told: environment variables, arguments and files, as far as they are rendered."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, NamedTuple

from dify_gitops.rules.access import get, labels, maps, text, texts

if TYPE_CHECKING:
    from collections.abc import Iterator

    from dify_gitops.rules.cluster import Cluster, Container, Pod


class Setting(NamedTuple):
    """One piece of text that reaches a container: the name of the variable or file, and where it stands."""

    name: str
    value: str
    field: str


def config_data(cluster: Cluster, namespace: str, name: str) -> dict[str, str]:
    """The data of a ConfigMap; empty where there is none."""
    found = cluster.find("ConfigMap", namespace, name)
    return labels(found.data, "data") if found else {}


@lru_cache(maxsize=256)
def variables(cluster: Cluster, pod: Pod, container: Container) -> dict[str, Setting]:
    """Environment variables with a rendered value, by name; not those from Secrets. The last one wins."""
    found: dict[str, Setting] = {}
    for source in maps(container.data, "envFrom"):
        name = text(source, "configMapRef", "name")
        prefix = text(source, "prefix")
        for key, value in config_data(cluster, pod.namespace, name).items():
            field = f"{container.path}.envFrom[{name}].{key}"
            found[prefix + key] = Setting(prefix + key, value, field)
    for entry in maps(container.data, "env"):
        name = text(entry, "name")
        reference = get(entry, "valueFrom", "configMapKeyRef")
        literal = entry.get("value")
        if isinstance(reference, dict):
            data = config_data(cluster, pod.namespace, text(reference, "name"))
            literal = data.get(text(reference, "key"))
        found.pop(name, None)
        if isinstance(literal, str):
            found[name] = Setting(name, literal, f"{container.path}.env[{name}]")
    return found


def value(cluster: Cluster, pod: Pod, container: Container, name: str) -> str:
    """The rendered value of one variable; empty where it has none."""
    found = variables(cluster, pod, container).get(name)
    return found.value if found else ""


def words(container: Container) -> list[str]:
    """Command and arguments, split at blanks as a shell would do inside of one argument."""
    return [word for part in ("command", "args") for item in texts(container.data, part) for word in item.split()]


@lru_cache(maxsize=256)
def settings(cluster: Cluster, pod: Pod, container: Container) -> tuple[Setting, ...]:
    """All text that reaches a container: variables, command, arguments, files of mounted ConfigMaps."""
    return tuple(_settings(cluster, pod, container))


def _settings(cluster: Cluster, pod: Pod, container: Container) -> Iterator[Setting]:
    yield from variables(cluster, pod, container).values()
    for part in ("command", "args"):
        for number, item in enumerate(texts(container.data, part)):
            yield Setting("", item, f"{container.path}.{part}[{number}]")
    mounted = {text(mount, "name") for mount in maps(container.data, "volumeMounts")}
    for volume in maps(pod.spec, "volumes"):
        if text(volume, "name") in mounted:
            for source in (volume, *maps(volume, "projected", "sources")):
                name = text(source, "configMap", "name")
                for key, content in config_data(cluster, pod.namespace, name).items():
                    yield Setting("", content, pod.field(f"spec.volumes[{text(volume, 'name')}].{key}"))
