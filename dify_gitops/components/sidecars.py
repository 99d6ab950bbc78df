"""Native sidecars that stand beside several workloads: the way to PostgreSQL and the way to Redis."""

from __future__ import annotations

from typing import Any

from dify_gitops.catalogue import images, ports, secrets
from dify_gitops.emit import Flow, Note
from dify_gitops.input.model import Amount, Sized
from dify_gitops.k8s import pods

_NO_READINESS = "no readiness probe: a server that is away must not take every pod out of its Service"
REDIS_CA = {
    "name": "redis-ca",
    "secret": {"secretName": secrets.REDIS, "items": [{"key": "ca.crt", "path": "ca.crt"}]},
}
REDIS_CONFIG = pods.config_volume("redis-tunnel", "redis-tunnel")


def _size(cpu: str, memory: str, most_memory: str) -> dict[str, Any]:
    size = Sized(requests=Amount(cpu=cpu, memory=memory), limits=Amount(cpu="500m", memory=most_memory))
    return pods.resources(size, ("16Mi", "128Mi"))


def cloud_sql_proxy() -> dict[str, Any]:
    """PostgreSQL on 127.0.0.1:5432: encrypted and authorised as the pod's Google service account.

    Flags: https://github.com/GoogleCloudPlatform/cloud-sql-proxy. The instance comes from the overlay's ConfigMap.
    """
    health = str(ports.CLOUD_SQL_PROXY_HEALTH)
    return pods.sidecar(
        pods.container(
            "cloud-sql-proxy",
            images.CLOUD_SQL_PROXY,
            args=[
                "--private-ip",
                f"--port={ports.POSTGRES}",
                "--structured-logs",
                "--health-check",
                "--prometheus",
                "--http-address=0.0.0.0",
                f"--http-port={health}",
                "--exit-zero-on-sigterm",
            ],
            ports={"sql-health": ports.CLOUD_SQL_PROXY_HEALTH},
            config=("cloud-sql-proxy",),
            startup=pods.http_get("/startup", "sql-health", periodSeconds=1, timeoutSeconds=5, failureThreshold=60),
            liveness=Note(
                pods.http_get("/liveness", "sql-health", periodSeconds=30, timeoutSeconds=5, failureThreshold=5),
                _NO_READINESS,
            ),
            size=_size("50m", "64Mi", "256Mi"),
        )
    )


def redis_tunnel() -> dict[str, Any]:
    """Plain Redis with AUTH on 127.0.0.1:6379, TLS to Memorystore behind it.

    Memorystore's certificate names the instance by its address only, which makes Go and redis-py refuse it; the
    tunnel verifies the chain against the instance's own CA list instead.
    """
    return pods.sidecar(
        pods.container(
            "redis-tunnel",
            images.HAPROXY,
            args=Flow(["-f", "/etc/redis-tunnel/haproxy.cfg"]),
            ports={"redis-health": ports.REDIS_TUNNEL_HEALTH},
            env=[
                {"name": "REDIS_HOST", "valueFrom": secrets.ref(secrets.REDIS, "host")},
                {"name": "REDIS_PORT", "valueFrom": secrets.ref(secrets.REDIS, "port")},
            ],
            startup=Note(
                pods.http_get("/started", "redis-health", initialDelaySeconds=5, periodSeconds=2, failureThreshold=150),
                "answers once Redis was reached over a verified connection, so the application starts after it",
            ),
            liveness=Note(
                pods.http_get("/ready", "redis-health", periodSeconds=30, failureThreshold=5),
                _NO_READINESS,
            ),
            size=_size("25m", "32Mi", "64Mi"),
            read_only={"/etc/redis-tunnel": "redis-tunnel", "/etc/redis-ca": "redis-ca"},
        )
    )
