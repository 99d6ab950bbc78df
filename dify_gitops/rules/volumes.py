"""Rules over volumes: what is mounted exists, what exists is mounted, and what programs write to can be written."""

from __future__ import annotations

from collections import Counter
from itertools import pairwise
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Any

from dify_gitops.rules.access import get, integer, maps, text
from dify_gitops.rules.environment import variables, words
from dify_gitops.rules.rule import Flaw, rule

if TYPE_CHECKING:
    from collections.abc import Iterator

    from dify_gitops.rules.cluster import Cluster, Container, Pod

# Variables whose value is a folder that the program writes to, and options with a file or folder.
_WRITTEN = (
    "HOME", "TMPDIR", "PM2_HOME", "UV_CACHE_DIR", "PERSISTENCE_DATA_PATH", "PLUGIN_STORAGE_LOCAL_ROOT",
    "PLUGIN_WORKING_PATH",
)  # fmt: skip
_OPTIONS = ("--schedule", "-s", "--worker-tmp-dir", "--pidfile")
_READ_ONLY = ("configMap", "secret", "projected", "downwardAPI", "image")


def _templates(pod: Pod) -> list[dict[str, Any]]:
    return maps(pod.owner.data, "spec", "volumeClaimTemplates") if pod.owner.kind == "StatefulSet" else []


def _volumes(pod: Pod) -> dict[str, dict[str, Any]]:
    """Volumes by name, those from claim templates included."""
    claims = {text(claim, "metadata", "name"): claim for claim in _templates(pod)}
    return {**{text(volume, "name"): volume for volume in maps(pod.spec, "volumes")}, **claims}


@rule(
    "volume-mounted",
    why="a mount without volume is refused; a volume without mount means that data goes somewhere else",
    remedy="correct the name, or add or remove the volume or the mount",
)
def volume_mounted(cluster: Cluster) -> Iterator[Flaw]:
    """Every mount has its volume, every volume its mount, and no container has two mounts at one path."""
    for pod in cluster.pods:
        known = _volumes(pod)
        used = set()
        for container in pod.containers:
            for key, path in (("volumeMounts", "mountPath"), ("volumeDevices", "devicePath")):
                mounts = maps(container.data, key)
                used |= {text(mount, "name") for mount in mounts}
                for mount in mounts:
                    if text(mount, "name") not in known:
                        field = f"{container.path}.{key}[{text(mount, path)}].name"
                        yield Flaw(pod.owner, field, f"there is no volume {text(mount, 'name')}")
                for place, count in Counter(text(mount, path) for mount in mounts).items():
                    if count > 1:
                        yield Flaw(pod.owner, f"{container.path}.{key}[{place}]", f"is mounted {count} times")
        for volume in known.keys() - used:
            yield Flaw(pod.owner, pod.field(f"spec.volumes[{volume}]"), "is mounted by no container")


@rule(
    "volume-group",
    why="a new disk belongs to root: without group the program cannot write to it",
    remedy="set fsGroup in the pod's securityContext to the group of the program",
)
def volume_group(cluster: Cluster) -> Iterator[Flaw]:
    """Pods with a disk name the group that may write to it."""
    for pod in cluster.pods:
        disks = [volume for volume in maps(pod.spec, "volumes") if "persistentVolumeClaim" in volume]
        if (disks or _templates(pod)) and integer(pod.spec, "securityContext", "fsGroup") is None:
            yield Flaw(pod.owner, pod.field("spec.securityContext.fsGroup"), "is not set, but the pod has a disk")


@rule(
    "writable-where-written",
    why="on a read-only root file system the program ends with an error, or loses what it should keep",
    remedy="mount an emptyDir or a disk there, or name a folder that is on one",
)
def writable_where_written(cluster: Cluster) -> Iterator[Flaw]:
    """Where the root file system is read-only, folders that programs are told to write to are on a volume."""
    for pod in cluster.pods:
        for container in pod.containers:
            if get(container.data, "securityContext", "readOnlyRootFilesystem") is not True:
                continue
            for field, path in _written(cluster, pod, container):
                if path.startswith("/") and not _writable(pod, container, PurePosixPath(path)):
                    yield Flaw(pod.owner, field, f"{path} cannot be written to")


def _written(cluster: Cluster, pod: Pod, container: Container) -> Iterator[tuple[str, str]]:
    known = variables(cluster, pod, container)
    for name in _WRITTEN:
        if name in known:
            yield known[name].field, known[name].value
    spoken = words(container)
    if "celery" in spoken:
        yield from _options(f"{container.path}.command", spoken)
    if "GUNICORN_CMD_ARGS" in known:
        yield from _options(known["GUNICORN_CMD_ARGS"].field, known["GUNICORN_CMD_ARGS"].value.split())


def _options(field: str, spoken: list[str]) -> Iterator[tuple[str, str]]:
    """Values of options that name a file to write, as two words or with an equals sign."""
    pieces = [piece for word in spoken for piece in (word.split("=", 1) if word.startswith("--") else [word])]
    for option, value in pairwise(pieces):
        if option in _OPTIONS:
            yield field, value


def _writable(pod: Pod, container: Container, path: PurePosixPath) -> bool:
    """Whether the innermost mount over a path is a volume that can be written to."""
    known = _volumes(pod)
    above = [m for m in maps(container.data, "volumeMounts") if path.is_relative_to(text(m, "mountPath") or "//")]
    mount = max(above, key=lambda mount: len(PurePosixPath(text(mount, "mountPath")).parts), default=None)
    if mount is None or mount.get("readOnly") is True:
        return False
    volume = known.get(text(mount, "name"))
    return volume is not None and not any(kind in volume for kind in _READ_ONLY)
