"""dashboard.yaml: one page that shows what the alerts look at."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from dify_gitops.gcp import Concern, logs
from dify_gitops.gcp.resource import project_ref, resource
from dify_gitops.gcp.watch import cluster, database, edge, queues, redis
from dify_gitops.gcp.watch.words import Query, Signal, aggregation

if TYPE_CHECKING:
    from dify_gitops.gcp import Site

_COLUMNS, _WIDTH, _HEIGHT = 12, 4, 4


def _data(one: Signal | Query) -> dict[str, Any]:
    """What is drawn: the same series as in the alert."""
    query: dict[str, Any]
    if isinstance(one, Query):
        query = {"prometheusQuery": one.query}
    else:
        query = {"timeSeriesFilter": {"filter": one.filter, "aggregation": aggregation(one)}}
    return {"plotType": "LINE", "targetAxis": "Y1", "timeSeriesQuery": query}


def _chart(title: str, *signals: Signal | Query) -> dict[str, Any]:
    """A chart with a line where the alert begins, unless signals have different ones or any would do."""
    chart: dict[str, Any] = {"dataSets": [_data(one) for one in signals]}
    limits = {one.limit for one in signals}
    if len(limits) == 1 and (limit := limits.pop()):
        chart["thresholds"] = [{"label": "alert", "value": limit}]
    return {"title": title, "xyChart": chart}


def _charts(site: Site) -> list[dict[str, Any]]:
    pools = sorted(site.environment.worker.pools.items())
    return [
        _chart("Requests per second, by class of answer", edge.requests()),
        _chart("Share of 5xx", edge.errors()),
        _chart("Latency p95 in ms: all answers, pages", *edge.latency()),
        _chart(f"Tasks that wait: {', '.join(name for name, _ in pools)}", *(queues.waiting(*pool) for pool in pools)),
        _chart("Running containers, by workload", cluster.running()),
        _chart("Restarts in ten minutes", cluster.restarts()),
        _chart("Nodes: CPU and memory, of what pods may have", *cluster.nodes()),
        _chart("Containers: memory, of their limits", cluster.memory()),
        _chart("Volumes: how full", cluster.volumes()),
        _chart("Cloud SQL: CPU and memory", database.cpu(site), database.memory(site)),
        _chart("Cloud SQL: bytes on the disk", database.disk(site)),
        _chart("Cloud SQL: connections", database.connections(site)),
        _chart("Redis: memory", *redis.memory(site)),
        _chart("Redis: clients", redis.clients(site)),
        _chart("Cloud NAT: packets without a port, per second", edge.dropped(site)),
    ]


def _tiles(site: Site) -> list[dict[str, Any]]:
    """Charts, three in a row, and the errors of Dify's containers below them."""
    charts = _charts(site)
    per_row = _COLUMNS // _WIDTH
    tiles = [
        {
            "xPos": number % per_row * _WIDTH,
            "yPos": number // per_row * _HEIGHT,
            "width": _WIDTH,
            "height": _HEIGHT,
            "widget": chart,
        }
        for number, chart in enumerate(charts)
    ]
    errors = {"title": "Errors of Dify", "logsPanel": {"filter": f"{logs.APPLICATION} AND severity>=ERROR"}}
    below = -(-len(charts) // per_row) * _HEIGHT
    return [*tiles, {"xPos": 0, "yPos": below, "width": _COLUMNS, "height": 2 * _HEIGHT, "widget": errors}]


def concern(site: Site) -> Concern:
    """One dashboard."""
    return Concern(
        "dashboard",
        "The dashboard: what the alerts look at, with a line where they begin.",
        [
            resource(
                "From what users meet, over pods and nodes, to what they stand on.",
                "monitoring",
                "MonitoringDashboard",
                "dify",
                site,
                spec={
                    "displayName": f"Dify {site.name}",
                    "projectRef": project_ref(site),
                    "mosaicLayout": {"columns": _COLUMNS, "tiles": _tiles(site)},
                },
            )
        ],
    )
