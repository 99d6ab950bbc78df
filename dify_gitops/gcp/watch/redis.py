"""Alerts on Memorystore. Metrics: https://cloud.google.com/monitoring/api/metrics_gcp_p_z#gcp-redis."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dify_gitops.gcp.watch.words import Alert, Signal, policy, series

if TYPE_CHECKING:
    from dify_gitops.gcp import Site
    from dify_gitops.k8s.objects import Manifest

_FULL = 0.8
# Up to so many GB, an instance with TLS and Redis 6 takes so many connections:
# https://cloud.google.com/memorystore/docs/redis/about-in-transit-encryption
_CLIENTS = {4: 1000, 10: 2500, 35: 15000, 100: 30000, 300: 65000}
_INSTANCE = ("resource.label.instance_id",)


def _most_clients(site: Site) -> int:
    memory = site.environment.redis.memory
    return next(clients for size, clients in _CLIENTS.items() if memory <= size)


def _series(site: Site, metric: str) -> str:
    environment = site.environment
    path = f"projects/{environment.project}/locations/{environment.region}/instances/{environment.redis.instance}"
    return series(f"redis.googleapis.com/{metric}", "redis_instance", {"instance_id": path})


def memory(site: Site) -> list[Signal]:
    """Redis' own count of its data, and what its machine has in use."""
    return [
        Signal(what, _series(site, f"stats/memory/{metric}"), "ALIGN_MEAN", _FULL, reducer="REDUCE_MAX", by=_INSTANCE)
        for what, metric in (("data", "usage_ratio"), ("machine", "system_memory_usage_ratio"))
    ]


def clients(site: Site) -> Signal:
    """Connections, against what the instance takes."""
    limit = int(_FULL * _most_clients(site))
    metric = _series(site, "clients/connected")
    return Signal("clients", metric, "ALIGN_MAX", limit, reducer="REDUCE_MAX", by=_INSTANCE)


def _refused(site: Site) -> Signal:
    metric = _series(site, "stats/reject_connections_count")
    return Signal("refused clients", metric, "ALIGN_DELTA", seconds=0, reducer="REDUCE_SUM", by=_INSTANCE, period=300)


def policies(site: Site) -> list[Manifest]:
    """Memory, connections."""
    full, most = f"{_FULL:.0%}", _most_clients(site)
    return [
        policy(
            site,
            "maxmemory-policy is noeviction: a full Redis refuses new tasks, so there must be time left to act.",
            Alert("redis-memory", "Redis runs out of memory", "CRITICAL"),
            memory(site),
            share=full,
            memory=site.environment.redis.memory,
        ),
        policy(
            site,
            f"{full} of the {most} connections that an instance of this size takes with TLS; or any that was refused.",
            Alert("redis-connections", "Redis runs out of connections", "ERROR"),
            [clients(site), _refused(site)],
            share=full,
            clients=most,
        ),
    ]
