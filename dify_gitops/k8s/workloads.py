"""Controllers and what stands beside them: Deployment, Service, disruption budget, autoscaler, priority."""

from __future__ import annotations

from typing import Any

from dify_gitops import names
from dify_gitops.k8s.objects import Manifest, manifest, selector

CPU_TARGET = 70  # percent of the request; above it a replica is added


def deployment(
    why: str,
    template: dict[str, Any],
    *,
    workload: str,
    component: str = "",
    replicas: Any = None,
    single: bool = False,
    wave: str = names.WAVE_APPLICATION,
    namespace: str = names.DIFY,
    **fields: Any,
) -> Manifest:
    """A Deployment; ``replicas`` None leaves the number to a scaler, ``single`` never runs two pods at a time."""
    name = f"{workload}-{component}" if component else workload
    rollout = {"type": "RollingUpdate", "rollingUpdate": {"maxUnavailable": 0, "maxSurge": 1}}
    spec: dict[str, Any] = {
        "replicas": replicas,
        "revisionHistoryLimit": 3,
        **fields,
        "strategy": {"type": "Recreate"} if single else rollout,
        "selector": selector(workload, component),
        "template": template,
    }
    spec = {key: value for key, value in spec.items() if value is not None}
    return manifest(
        why,
        ("apps/v1", "Deployment"),
        name,
        namespace=namespace,
        workload=workload,
        component=component,
        wave=wave,
        spec=spec,
    )


def service(
    why: str,
    ports: dict[str, int],
    *,
    workload: str,
    namespace: str = names.DIFY,
    wave: str = names.WAVE_APPLICATION,
    annotations: dict[str, str] | None = None,
    name: str = "",
    **fields: Any,
) -> Manifest:
    """A Service whose ports have the same names and numbers as the container's."""
    spec: dict[str, Any] = {
        **fields,
        "selector": selector(workload)["matchLabels"],
        "ports": [{"name": port, "port": number, "targetPort": port} for port, number in ports.items()],
    }
    return manifest(
        why,
        ("v1", "Service"),
        name or workload,
        namespace=namespace,
        workload=workload,
        wave=wave,
        annotations=annotations,
        spec=spec,
    )


def disruption_budget(workload: str, *, component: str = "", namespace: str = names.DIFY) -> Manifest:
    """One pod at a time may leave for maintenance, and a broken one always may."""
    return manifest(
        "Node upgrades and drains take one pod at a time.",
        ("policy/v1", "PodDisruptionBudget"),
        f"{workload}-{component}" if component else workload,
        namespace=namespace,
        workload=workload,
        component=component,
        wave=names.WAVE_TRAFFIC,
        spec={
            "maxUnavailable": 1,
            "unhealthyPodEvictionPolicy": "AlwaysAllow",
            "selector": selector(workload, component),
        },
    )


def autoscaler(workload: str, bounds: tuple[int, int]) -> Manifest:
    """Scales a Deployment on CPU between ``bounds``: (least, most) replicas."""
    cpu = {"name": "cpu", "target": {"type": "Utilization", "averageUtilization": CPU_TARGET}}
    return manifest(
        "Owns the number of replicas: the Deployment does not name one.",
        ("autoscaling/v2", "HorizontalPodAutoscaler"),
        workload,
        workload=workload,
        wave=names.WAVE_TRAFFIC,
        spec={
            "scaleTargetRef": {"apiVersion": "apps/v1", "kind": "Deployment", "name": workload},
            "minReplicas": bounds[0],
            "maxReplicas": bounds[1],
            "metrics": [{"type": "Resource", "resource": cpu}],
            "behavior": {"scaleDown": {"stabilizationWindowSeconds": 300}},
        },
    )
