"""Which workloads read which Secrets: computed from their pods, so that a new reference is known by itself."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any, NamedTuple

from dify_gitops import names
from dify_gitops.components import ConfigMap
from dify_gitops.components.every import COMPONENTS
from dify_gitops.components.worker import STANDARD_POOLS, pool_manifests
from dify_gitops.emit import plain

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from dify_gitops.input.model import Environment
    from dify_gitops.k8s.objects import Manifest

_KINDS = ("Deployment", "StatefulSet")  # Jobs read their Secrets each time


class Reader(NamedTuple):
    """A workload and its Secrets, ``{name: whether it may be missing}``; never without any."""

    kind: str
    namespace: str
    name: str
    secrets: dict[str, bool]


def readers(environment: Environment) -> list[Reader]:
    """Those of the base and of the environment's own worker pools, by kind, namespace and name."""
    pools = [
        one
        for name, pool in environment.worker.pools.items()
        if name not in STANDARD_POOLS
        for one in pool_manifests(name, pool)
    ]
    return sorted([*_of_base(), *_of(pools)])


@cache
def _of_base() -> tuple[Reader, ...]:
    return tuple(_of(one for module in COMPONENTS for one in module.component().manifests))


def _of(manifests: Iterable[Manifest]) -> Iterator[Reader]:
    for _, body in manifests:
        if body["kind"] not in _KINDS:
            continue
        secrets: dict[str, bool] = {}
        for name, optional in _references(plain(body["spec"]["template"]["spec"])):
            secrets[name] = secrets.get(name, True) and optional
        if secrets:
            metadata = body["metadata"]
            yield Reader(body["kind"], metadata["namespace"], metadata["name"], dict(sorted(secrets.items())))


def _references(pod: dict[str, Any]) -> Iterator[tuple[str, bool]]:
    """(Secret, whether it may be missing) of environment and volumes."""
    for container in (*pod.get("initContainers", ()), *pod["containers"]):
        entries = [
            *(one.get("valueFrom", {}).get("secretKeyRef") for one in container.get("env", ())),
            *(one.get("secretRef") for one in container.get("envFrom", ())),
        ]
        for entry in filter(None, entries):
            yield entry["name"], entry.get("optional", False)
    for volume in pod.get("volumes", ()):
        for entry in (volume, *volume.get("projected", {}).get("sources", ())):
            if source := entry.get("secret"):
                yield source.get("secretName") or source["name"], source.get("optional", False)


def config(environment: Environment) -> ConfigMap:
    """The list that the script reads."""
    lines = []
    for one in readers(environment):
        secrets = (f"{name}?" if optional else name for name, optional in one.secrets.items())
        lines.append(f"{one.kind} {one.namespace}/{one.name} {' '.join(secrets)}\n")
    return ConfigMap(names.RESTART_LIST, {f"{names.RESTART_LIST}.txt": "".join(lines)})
