"""Worker pools: every queue of the Dify version has exactly one pool, and no pool is idle."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from dify_gitops.catalogue.releases import POLLED_QUEUES, RELEASES
from dify_gitops.input.checks import Complaint
from dify_gitops.input.queues import INTERACTIVE, REST, pool_queues
from dify_gitops.input.words import nearest

if TYPE_CHECKING:
    from dify_gitops.input.checks import Complaints
    from dify_gitops.input.model import Environment
    from dify_gitops.input.nodes import Path


_MOST_PROPOSALS: Final = 50  # comparing words is slow, and nobody reads more
_ALL: Final = (("dify",), ("worker", "pools", "*", "queues"))


def _path(pool: str, *rest: str | int) -> Path:
    return ("worker", "pools", pool, *rest)


def unknown(environment: Environment) -> Complaints:
    """A queue that Dify never fills would leave its real queue to nobody."""
    known = dict.fromkeys((*RELEASES[environment.dify].queues, REST))
    proposals = 0
    for name, pool in environment.worker.pools.items():
        for index, queue in enumerate(pool.queues):
            if queue not in known:
                proposals += 1
                near = nearest(queue, known) if proposals <= _MOST_PROPOSALS else None
                hint = f"did you mean {near}?" if near else f"known: {', '.join(known)}"
                message = f"Dify {environment.dify} has no queue {queue!r}"
                yield Complaint(_path(name, "queues", index), message, hint, also=(("dify",),))


def twice(environment: Environment) -> Complaints:
    """Two pools on one queue would each see half of its length and scale against each other."""
    owners: dict[str, tuple[str, int]] = {}
    for name, pool in environment.worker.pools.items():
        for index, queue in enumerate(pool.queues):
            owner, first = owners.setdefault(queue, (name, index))
            if owner != name:
                message = f"pool {owner} takes {'the rest' if queue == REST else queue} already"
                yield Complaint(_path(name, "queues", index), message, "one pool for each queue")
            elif first != index:
                yield Complaint(_path(name, "queues", index), f"{queue} stands here twice", "remove one")


def rest_alone(environment: Environment) -> Complaints:
    """``rest`` includes whatever no other pool names, so names beside it say nothing."""
    for name, pool in environment.worker.pools.items():
        if REST in pool.queues and len(set(pool.queues)) > 1:
            hint = f"'queues: [{REST}]', which includes them"
            yield Complaint(_path(name, "queues"), f"{REST} stands beside names of queues", hint)


def left(environment: Environment) -> Complaints:
    """A queue without a pool grows in Redis until its memory is full."""
    taken = {queue for queues in pool_queues(environment).values() for queue in queues}
    lost = [queue for queue in RELEASES[environment.dify].queues if queue not in taken]
    if lost:
        what = f"queue {lost[0]} has" if len(lost) == 1 else f"queues {', '.join(lost)} have"
        hint = f"name them in a pool, or give one pool 'queues: [{REST}]'"
        yield Complaint(("worker", "pools"), f"{what} no pool", hint, also=_ALL)


def idle(environment: Environment) -> Complaints:
    """Workers without a queue would wait for ever; Celery would even take all queues."""
    for name, queues in pool_queues(environment).items():
        if not queues:
            own = environment.worker.pools[name].queues or name == INTERACTIVE
            message = "takes no queue" + (": other pools name them all" if own else "")
            yield Complaint(_path(name, "queues"), message, "name some of this Dify version's queues", also=_ALL)


def polled(environment: Environment) -> Complaints:
    """Beat fills these queues every minute: scaling to zero would only start a pod every minute."""
    for name, queues in pool_queues(environment).items():
        polls = [queue for queue in POLLED_QUEUES if queue in queues]
        if polls and environment.worker.pools[name].min == 0:
            yield Complaint(
                _path(name, "min"), f"must be at least 1: {' and '.join(polls)} fill every minute", also=_ALL
            )
