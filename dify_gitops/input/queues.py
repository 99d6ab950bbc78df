"""Which worker pool takes which queue. The rules see to it that every queue has exactly one pool."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from dify_gitops.catalogue.releases import RELEASES

if TYPE_CHECKING:
    from dify_gitops.input.model import Environment

REST: Final = "rest"
INTERACTIVE: Final = "interactive"


def pool_queues(environment: Environment) -> dict[str, tuple[str, ...]]:
    """Pool name → its queues, sorted, for the environment's Dify version.

    ``[rest]`` stands for every queue that no other pool takes. Pool ``interactive`` without queues of its own
    takes the release's interactive ones, less what other pools name.
    """
    release = RELEASES[environment.dify]
    pools = environment.worker.pools
    named = {queue for pool in pools.values() for queue in pool.queues if queue != REST}
    taken = {name: tuple(sorted(pool.queues)) for name, pool in pools.items()}
    if INTERACTIVE in pools and not pools[INTERACTIVE].queues:
        taken[INTERACTIVE] = tuple(sorted(set(release.interactive) - named))
        named.update(release.interactive)
    rest = set(release.queues) - named
    return {
        name: tuple(sorted(rest.union(queues) - {REST})) if REST in queues else queues for name, queues in taken.items()
    }
