"""Rules over Celery's queues: each has exactly one pool of workers, and that pool grows with it."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from dify_gitops.catalogue.redis import BROKER_DATABASE
from dify_gitops.catalogue.releases import POLLED_QUEUES, RELEASES
from dify_gitops.rules.access import mapping, maps, text
from dify_gitops.rules.availability import replicas
from dify_gitops.rules.dify import api_processes
from dify_gitops.rules.environment import variables
from dify_gitops.rules.rule import Flaw, rule

if TYPE_CHECKING:
    from collections.abc import Iterator

    from dify_gitops.rules.cluster import Cluster, Object

# Of a Redis trigger, as text.
_METADATA = (
    ("databaseIndex", str(BROKER_DATABASE), "the broker's database"),
    ("enableTLS", "true", "Memorystore answers nothing else"),
)
_VARIABLES = ("CELERY_WORKER_QUEUES", "CELERY_QUEUES")  # the first one wins


class Pool(NamedTuple):
    """A workload that consumes queues; ``field`` is where they stand."""

    workload: Object
    queues: list[str]
    field: str


def _pools(cluster: Cluster) -> Iterator[Pool]:
    for process in api_processes(cluster):
        if process.mode != "worker":
            continue
        known = variables(cluster, process.pod, process.container)
        setting = next((known[name] for name in _VARIABLES if name in known), None)
        queues = [queue.strip() for queue in setting.value.split(",")] if setting else []
        field = setting.field if setting else f"{process.container.path}.env[{_VARIABLES[-1]}]"
        yield Pool(process.pod.owner, [queue for queue in queues if queue], field)


@rule(
    "queue-consumed-once",
    why="a queue without consumer grows in Redis for ever; with two, the wrong pool does the work",
    remedy="name every queue of the Dify version in exactly one pool",
)
def queue_consumed_once(cluster: Cluster) -> Iterator[Flaw]:
    """Every queue of the environment's Dify version is in one pool, none in two, and no pool is without queues."""
    taken: dict[str, Pool] = {}
    pools = list(_pools(cluster))
    for pool in pools:
        if not pool.queues:
            yield Flaw(pool.workload, pool.field, "is not set: the image's own list lacks queues")
        for queue in pool.queues:
            first = taken.setdefault(queue, pool)
            if first is not pool or pool.queues.count(queue) > 1:
                yield Flaw(pool.workload, pool.field, f"queue {queue} is consumed by {first.workload} already")
    for pool in pools[:1]:
        for queue in RELEASES[cluster.dify].queues:
            if queue not in taken:
                yield Flaw(pool.workload, pool.field, f"queue {queue} of Dify {cluster.dify} has no consumer")


@rule(
    "queue-scaled",
    why="a pool that does not grow with its queue lets it wait; a trigger on another wakes it for nothing",
    remedy=f'one trigger of type redis per queue of the pool, databaseIndex {BROKER_DATABASE}, enableTLS "true"',
)
def queue_scaled(cluster: Cluster) -> Iterator[Flaw]:
    """A pool's ScaledObject has one Redis trigger for each of its queues, in the broker's database."""
    for pool in _pools(cluster):
        scalers = [s for s in replicas(cluster, pool.workload).scalers if s.kind == "ScaledObject"]
        if not scalers:
            yield Flaw(pool.workload, "", "consumes queues, but no ScaledObject scales it")
        for scaler in scalers:
            yield from _triggers(scaler, pool)


def _triggers(scaler: Object, pool: Pool) -> Iterator[Flaw]:
    watched = []
    for number, trigger in enumerate(maps(scaler.data, "spec", "triggers")):
        metadata = mapping(trigger, "metadata")
        if not text(trigger, "type").startswith("redis"):
            continue
        watched.append(text(metadata, "listName"))
        field = f"spec.triggers[{number}].metadata"
        if watched[-1] not in pool.queues:
            yield Flaw(scaler, f"{field}.listName", f"{pool.workload} does not consume queue {watched[-1]}")
        for key, wanted, why in _METADATA:
            if metadata.get(key) != wanted:
                yield Flaw(scaler, f"{field}.{key}", f"is not {wanted}: {why}")
    for queue in pool.queues:
        if watched.count(queue) != 1:
            yield Flaw(scaler, "spec.triggers", f"queue {queue} has {watched.count(queue) or 'no'} triggers")


@rule(
    "poller-awake",
    why="Celery beat fills these queues every minute: a pool that sleeps would be woken every minute",
    remedy="set minReplicaCount to 1 or more",
)
def poller_awake(cluster: Cluster) -> Iterator[Flaw]:
    """Pools with queues that are filled every minute never scale to zero."""
    for pool in _pools(cluster):
        count = replicas(cluster, pool.workload)
        for scaler in count.scalers if count.least < 1 and set(pool.queues) & set(POLLED_QUEUES) else ():
            yield Flaw(scaler, "spec.minReplicaCount", f"{count.least} lets {pool.workload} sleep")
