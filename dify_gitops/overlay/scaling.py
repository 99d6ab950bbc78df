"""Scaling: bounds of api and web, and per worker pool one trigger for each queue that this Dify version knows."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from dify_gitops import names
from dify_gitops.catalogue.redis import BROKER_DATABASE
from dify_gitops.emit import Note
from dify_gitops.input.queues import pool_queues
from dify_gitops.k8s.objects import Manifest, manifest
from dify_gitops.k8s.workloads import autoscaler

if TYPE_CHECKING:
    from dify_gitops.input.model import Environment, Pool

_UNVERIFIED = (
    "A queue is a Redis list of its own name. TLS without verification: Memorystore's certificate names its address"
    " only, which KEDA would refuse; the path is private and AUTH is on."
)


def _trigger(queue: str, pool: Pool) -> dict[str, Any]:
    return {
        "type": "redis",
        "metadata": {
            "listName": queue,
            "listLength": str(pool.concurrency),  # one more pod per as many waiting tasks as a pod runs at a time
            "databaseIndex": str(BROKER_DATABASE),
            "enableTLS": "true",
            "unsafeSsl": "true",
        },
        "authenticationRef": {"name": "redis"},
    }


def autoscalers(environment: Environment) -> list[Manifest]:
    """Autoscalers on CPU of one environment."""
    api, web = environment.api, environment.web
    return [autoscaler("api", (api.min, api.max)), autoscaler("web", (web.min, web.max))]


def scaled_objects(environment: Environment) -> list[Manifest]:
    """ScaledObjects of one environment, by pool name."""
    queues = pool_queues(environment)
    return [
        manifest(
            f"Pool {name}: grows with the queues it takes.",
            ("keda.sh/v1alpha1", "ScaledObject"),
            f"worker-{name}",
            workload="worker",
            component=name,
            wave=names.WAVE_TRAFFIC,
            spec={
                "scaleTargetRef": {"name": f"worker-{name}"},
                "pollingInterval": 15,
                "cooldownPeriod": 300,
                "minReplicaCount": pool.min,
                "maxReplicaCount": pool.max,
                "triggers": Note([_trigger(queue, pool) for queue in queues[name]], _UNVERIFIED),
            },
        )
        for name, pool in sorted(environment.worker.pools.items())
    ]
