"""Containers and pods, hardened: every workload is built here, so none can forget a setting."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from dify_gitops import names
from dify_gitops.catalogue import secrets
from dify_gitops.emit import Flow, Note
from dify_gitops.k8s.objects import labels, selector
from dify_gitops.quantity import canonical

if TYPE_CHECKING:
    from dify_gitops.input.model import Sized

# Pod Security Standards, restricted: https://kubernetes.io/docs/concepts/security/pod-security-standards/
LOCKED = {
    "allowPrivilegeEscalation": False,
    "readOnlyRootFilesystem": True,
    "capabilities": {"drop": Flow(["ALL"])},
}
SECONDS_TO_LEAVE = 10  # until every proxy and load balancer has stopped sending requests


def resources(size: Sized, disk: tuple[str, str] = ("64Mi", "1Gi")) -> dict[str, Any]:
    """Requests and limits in Kubernetes' canonical form; ``disk`` is ephemeral storage, request and limit."""
    return {
        part: {"cpu": canonical(amount.cpu), "memory": canonical(amount.memory), "ephemeral-storage": storage}
        for part, amount, storage in (("requests", size.requests, disk[0]), ("limits", size.limits, disk[1]))
    }


def http_get(path: str, port: str, **timing: int) -> dict[str, Any]:
    """A probe by HTTP; ``timing`` are Kubernetes' own field names, in seconds or tries."""
    return {"httpGet": {"path": path, "port": port}, **timing}


def tcp(port: str, **timing: int) -> dict[str, Any]:
    """A probe that only connects."""
    return {"tcpSocket": {"port": port}, **timing}


def sleep(seconds: int = SECONDS_TO_LEAVE) -> dict[str, Any]:
    """A preStop hook that keeps serving while the endpoints are removed."""
    return {"preStop": {"sleep": {"seconds": seconds}}}


def secret_env(*variables: tuple[str, str, str]) -> list[dict[str, Any]]:
    """Environment from Secrets: (variable, secret, key), each key one of the inventory."""
    return [{"name": name, "valueFrom": secrets.ref(secret, key)} for name, secret, key in variables]


def container(
    name: str,
    image: str,
    *,
    size: dict[str, Any],
    command: list[str] | Note | None = None,
    args: list[str] | Note | None = None,
    ports: dict[str, int] | None = None,
    config: tuple[str, ...] = (),
    optional_secret: str = "",
    env: list[Any] | None = None,
    startup: dict[str, Any] | Note | None = None,
    readiness: dict[str, Any] | Note | None = None,
    liveness: dict[str, Any] | Note | None = None,
    lifecycle: Any = None,
    security: dict[str, Any] | None = None,
    mounts: dict[str, str] | None = None,
    read_only: dict[str, str] | None = None,
) -> dict[str, Any]:
    """A container; ``mounts`` maps paths to volume names (``volume:subPath`` too).

    ``config`` names ConfigMaps, ``optional_secret`` a Secret that may be missing, all of whose keys are variables.
    """
    fields: dict[str, Any] = {
        "name": name,
        "image": image,
        "command": command,
        "args": args,
        "ports": [{"name": port, "containerPort": number} for port, number in (ports or {}).items()],
        "envFrom": [
            *({"configMapRef": {"name": source}} for source in config),
            *([{"secretRef": {"name": optional_secret, "optional": True}}] if optional_secret else []),
        ],
        "env": env,
        "startupProbe": startup,
        "readinessProbe": readiness,
        "livenessProbe": liveness,
        "lifecycle": lifecycle,
        "resources": size,
        "securityContext": security or LOCKED,
        "volumeMounts": [
            *(_mount(path, volume) for path, volume in (mounts or {}).items()),
            *(_mount(path, volume) | {"readOnly": True} for path, volume in (read_only or {}).items()),
        ],
    }
    return {key: value for key, value in fields.items() if value}


def _mount(path: str, volume: str) -> dict[str, Any]:
    name, _, sub_path = volume.partition(":")
    return {"name": name, "mountPath": path, **({"subPath": sub_path} if sub_path else {})}


def sidecar(container: dict[str, Any]) -> dict[str, Any]:
    """A native sidecar: starts before the containers, ends after them, and does not keep a Job from ending."""
    return {"name": container["name"], "image": container["image"], "restartPolicy": "Always", **container}


def scratch(name: str, size: str) -> dict[str, Any]:
    """A volume that lives as long as the pod."""
    return {"name": name, "emptyDir": {"sizeLimit": size}}


def config_volume(name: str, config_map: str) -> dict[str, Any]:
    """Files of a ConfigMap."""
    return {"name": name, "configMap": {"name": config_map}}


def spread(workload: str, component: str = "") -> list[dict[str, Any]]:
    """Over zones and hosts, as far as the autoscaler's nodes allow it."""
    return [
        {
            "maxSkew": 1,
            "topologyKey": topology,
            "whenUnsatisfiable": "ScheduleAnyway",
            "labelSelector": selector(workload, component),
        }
        for topology in ("topology.kubernetes.io/zone", "kubernetes.io/hostname")
    ]


def pod(
    workload: str,
    *,
    containers: list[dict[str, Any]],
    uid: int | None,
    grace: Any,
    priority: str = names.PRIORITY_SERVING,
    component: str = "",
    replicated: bool = True,
    sidecars: list[dict[str, Any]] | None = None,
    volumes: list[dict[str, Any]] | None = None,
    annotations: dict[str, str] | None = None,
    owns_volume: bool = False,
    **fields: Any,
) -> dict[str, Any]:
    """A pod template. ``uid`` None is root (only the sandbox); ``grace`` is in seconds; ``fields`` go to the spec."""
    security: dict[str, Any] = {}
    if uid is not None:
        security = {"runAsNonRoot": True, "runAsUser": uid, "runAsGroup": uid}
        if owns_volume:
            security |= {"fsGroup": uid, "fsGroupChangePolicy": "OnRootMismatch"}
    spec: dict[str, Any] = {
        "serviceAccountName": workload,
        "automountServiceAccountToken": False,
        "enableServiceLinks": False,
        "priorityClassName": priority,
        **fields,
        "terminationGracePeriodSeconds": grace,
        "securityContext": {**security, "seccompProfile": {"type": "RuntimeDefault"}},
        "topologySpreadConstraints": spread(workload, component) if replicated else [],
        "initContainers": sidecars,
        "containers": containers,
        "volumes": volumes,
    }
    metadata: dict[str, Any] = {"labels": labels(workload, component)}
    if annotations:
        metadata["annotations"] = annotations
    return {
        "metadata": metadata,
        "spec": {key: value for key, value in spec.items() if value not in (None, [])},
    }
