"""What pods have in common that run a script of ours against the Kubernetes API."""

from __future__ import annotations

from typing import Any

from dify_gitops import names
from dify_gitops.catalogue import images
from dify_gitops.components import ConfigMap
from dify_gitops.emit import Flow, Note
from dify_gitops.input.model import Amount, Sized
from dify_gitops.k8s import pods
from dify_gitops.templates import template

UID = 65532
_SHARED = "api_server.py"
_API_ACCESS = "/var/run/secrets/kubernetes.io/serviceaccount"  # where every client library looks
_TOKEN_LIFETIME = 3600  # seconds; the kubelet replaces it in time
_SIZE = Sized(requests=Amount(cpu="20m", memory="32Mi"), limits=Amount(cpu="200m", memory="96Mi"))


def script(workload: str) -> ConfigMap:
    """The script ``<workload>.py`` and, beside it, the module that it imports."""
    return ConfigMap(f"{workload}-script", {name: template(name) for name in (f"{workload}.py", _SHARED)})


def pod(
    workload: str, env: dict[str, str], *, volumes: dict[str, dict[str, Any]] | None = None, **fields: Any
) -> dict[str, Any]:
    """A pod template that runs the script ``<workload>.py``; ``volumes`` maps paths to further volumes."""
    more = volumes or {}
    main = pods.container(
        workload,
        images.PYTHON,
        command=Flow(["python", f"/scripts/{workload}.py"]),
        env=[{"name": name, "value": value} for name, value in {**env, "API_ACCESS": _API_ACCESS}.items()],
        size=pods.resources(_SIZE, ("16Mi", "64Mi")),
        read_only={
            "/scripts": "scripts",
            _API_ACCESS: "api-access",
            **{path: volume["name"] for path, volume in more.items()},
        },
    )
    return pods.pod(
        workload,
        uid=UID,
        grace=30,
        priority=names.PRIORITY_BATCH,
        replicated=False,
        restartPolicy=Note("Never", "no probes: it runs to its end"),
        containers=[main],
        volumes=[pods.config_volume("scripts", f"{workload}-script"), _api_access(), *more.values()],
        **fields,
    )


def schedule(cron: str, patience: int, job: dict[str, Any]) -> dict[str, Any]:
    """``spec`` of a CronJob that never runs twice at a time; a start that is ``patience`` seconds late is left out."""
    return {
        "schedule": cron,
        "timeZone": "Etc/UTC",
        "concurrencyPolicy": "Forbid",
        "startingDeadlineSeconds": patience,
        "successfulJobsHistoryLimit": 1,
        "failedJobsHistoryLimit": 1,
        "jobTemplate": {"spec": job},
    }


def _api_access() -> dict[str, Any]:
    """Token and CA of the API server, for this pod only: mounting tokens by itself is off everywhere."""
    token = {"serviceAccountToken": {"path": "token", "expirationSeconds": _TOKEN_LIFETIME}}
    ca = {"configMap": {"name": "kube-root-ca.crt", "items": [{"key": "ca.crt", "path": "ca.crt"}]}}
    return {"name": "api-access", "projected": {"sources": [token, ca]}}
