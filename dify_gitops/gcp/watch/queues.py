"""Alerts on waiting tasks: one for each pool of workers, from what KEDA measures."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dify_gitops import names
from dify_gitops.gcp.watch.words import Alert, Query, policy
from dify_gitops.input.queues import pool_queues

if TYPE_CHECKING:
    from dify_gitops.gcp import Site
    from dify_gitops.input.model import Pool
    from dify_gitops.k8s.objects import Manifest

METRIC = "keda_scaler_metrics_value"  # https://keda.sh/docs/latest/integrations/prometheus/
_PATIENCE, _SILENCE = 600, 900


def waiting(name: str, pool: Pool) -> Query:
    """Tasks that wait for a pool, against those that it runs at a time at its largest: there scaling ends.

    KEDA says in which namespace a ScaledObject is. Managed Prometheus has a label of that name itself, the scraped
    pod's, and keeps KEDA's as exported_namespace. ``max`` counts a queue once while one operator succeeds another.
    """
    labels = f'cluster="{names.CLUSTER}",exported_namespace="{names.DIFY}",scaledObject="worker-{name}"'
    query = f"sum(max by (metric) ({METRIC}{{{labels}}}))"
    return Query(f"tasks waiting for {name}", query, pool.max * pool.concurrency, _PATIENCE)


def _policy(site: Site, name: str, pool: Pool) -> Manifest:
    signal = waiting(name, pool)
    return policy(
        site,
        f"{pool.max} pods with {pool.concurrency} tasks each: what waits beyond that waits although scaling did all "
        "that it may.",
        Alert(f"queue-{name}", f"tasks wait for the workers {name}", "ERROR", runbook="queue"),
        [signal],
        pool=name,
        limit=signal.limit,
        most=pool.max,
        queues=", ".join(pool_queues(site.environment)[name]),
    )


def _unseen(site: Site) -> Manifest:
    signal = Query("no measurement", f'absent({METRIC}{{cluster="{names.CLUSTER}"}})', 0, _SILENCE)
    return policy(
        site,
        "Without it the alerts on queues were silent while KEDA is down, and then queues grow.",
        Alert("queues-unseen", "nobody measures the queues", "ERROR"),
        [signal],
        keda=names.KEDA,
    )


def policies(site: Site) -> list[Manifest]:
    """One for each pool, one for the measurement."""
    pools = sorted(site.environment.worker.pools.items())
    return [*(_policy(site, name, pool) for name, pool in pools), _unseen(site)]
