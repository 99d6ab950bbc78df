"""The words in which alerts and charts are written.

A signal is both: what the dashboard draws, and from where on somebody is called. So neither can drift from the other.
"""

from __future__ import annotations

from functools import cache
from pathlib import Path
from string import Template
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

from dify_gitops import names
from dify_gitops.gcp.resource import ref, resource

if TYPE_CHECKING:
    from collections.abc import Iterable

    from dify_gitops.gcp import Site
    from dify_gitops.k8s.objects import Manifest

_CLOSES = 1800  # seconds without data after which an incident is over; the least that Google takes
_NIGHT = 24 * 3600  # a log entry is never over by itself: by the next night's it is
_AGAIN = 3600


class Signal(NamedTuple):
    """Series of a metric of Google's: how they are put together, and the limit that they break for ``seconds``."""

    what: str
    filter: str
    aligner: str
    limit: float = 0
    seconds: int = 300
    below: bool = False  # the limit is the least that is healthy, not the most
    reducer: str = ""
    by: tuple[str, ...] = ()
    period: int = 60


class Query(NamedTuple):
    """The same in PromQL. ``guard`` is a second comparison that must hold, for the alert only."""

    what: str
    query: str
    limit: float
    seconds: int
    guard: str = ""


class Log(NamedTuple):
    """A log entry that is an alert by itself."""

    what: str
    filter: str


Condition = Signal | Query | Log


class Alert(NamedTuple):
    """Name (``dify-<name>``, and its runbook), what the mail's subject says, and how bad it is."""

    name: str
    title: str
    severity: Literal["CRITICAL", "ERROR", "WARNING"]
    runbook: str = ""  # where several share one


def series(metric: str, monitored: str, labels: dict[str, str], **of_metric: str) -> str:
    """A monitoring filter; ``labels`` are the resource's. A value may be a call such as ``one_of(…)``.

    https://cloud.google.com/monitoring/api/v3/filters
    """
    parts = {"metric.type": metric, "resource.type": monitored}
    parts |= {f"resource.labels.{key}": value for key, value in labels.items()}
    parts |= {f"metric.labels.{key}": value for key, value in of_metric.items()}
    return " AND ".join(f"{key}={value}" if value.endswith(")") else f'{key}="{value}"' for key, value in parts.items())


def one_of(*values: str) -> str:
    """Any of some texts, as a monitoring filter says it."""
    texts = ",".join(f'"{value}"' for value in values)
    return f"one_of({texts})"


def like(pattern: str) -> str:
    """A text that matches a pattern as a whole, as a monitoring filter says it."""
    return f'monitoring.regex.full_match("{pattern}")'


def aggregation(signal: Signal) -> dict[str, Any]:
    """How the series of a signal become what is compared or drawn."""
    made: dict[str, Any] = {"alignmentPeriod": f"{signal.period}s", "perSeriesAligner": signal.aligner}
    if signal.reducer:
        made["crossSeriesReducer"] = signal.reducer
    if signal.by:
        made["groupByFields"] = list(signal.by)
    return made


def _condition(one: Condition) -> dict[str, Any]:
    if isinstance(one, Log):
        return {"displayName": one.what, "conditionMatchedLog": {"filter": one.filter}}
    if isinstance(one, Query):
        comparison = f"{one.query} > {one.limit:g}" + (f" and {one.guard}" if one.guard else "")
        wanted = {"query": comparison, "duration": f"{one.seconds}s", "evaluationInterval": "60s"}
        return {"displayName": one.what, "conditionPrometheusQueryLanguage": wanted}
    return {
        "displayName": one.what,
        "conditionThreshold": {
            "filter": one.filter,
            "aggregations": [aggregation(one)],
            "comparison": "COMPARISON_LT" if one.below else "COMPARISON_GT",
            "thresholdValue": one.limit,
            "duration": f"{one.seconds}s",
        },
    }


@cache
def _page(name: str) -> Template:
    """A page of runbooks/, read once for all environments."""
    return Template((Path(__file__).parent / "runbooks" / f"{name}.md").read_text(encoding="utf-8"))


def _runbook(site: Site, name: str, facts: dict[str, Any]) -> str:
    """What the person reads who was woken up: a page of runbooks/, with the names of this environment in it."""
    environment = site.environment
    where = f"--region {environment.region} --project {environment.project}"
    endpoint = "" if environment.cluster.authorized_networks else " --dns-endpoint"
    known = {
        "environment": site.name,
        "file": f"environments/{site.name}.yaml",
        "project": environment.project,
        "region": environment.region,
        "domain": environment.domain,
        "database": environment.database.instance,
        "redis": environment.redis.instance,
        "cluster": names.CLUSTER,
        "argocd": names.ARGOCD,
        "console": "https://console.cloud.google.com",
        "login": f"gcloud container clusters get-credentials {names.CLUSTER} {where}{endpoint}",
    }
    return _page(name).substitute(known | facts)


def policy(site: Site, why: str, alert: Alert, conditions: Iterable[Condition], **facts: Any) -> Manifest:
    """An alert policy; each of its conditions is enough. ``facts`` are what its runbook says beside what all know."""
    found = list(conditions)
    strategy: dict[str, Any] = {"autoClose": f"{_CLOSES}s"}
    if any(isinstance(one, Log) for one in found):
        strategy = {"autoClose": f"{_NIGHT}s", "notificationRateLimit": {"period": f"{_AGAIN}s"}}
    return resource(
        why,
        "monitoring",
        "MonitoringAlertPolicy",
        f"dify-{alert.name}",
        site,
        spec={
            "displayName": f"Dify {site.name}: {alert.title}",
            "severity": alert.severity,
            "enabled": True,
            "combiner": "OR",
            "conditions": [_condition(one) for one in found],
            "notificationChannels": [ref(names.ALERTS)],
            "alertStrategy": strategy,
            "documentation": {
                "mimeType": "text/markdown",
                "content": _runbook(site, alert.runbook or alert.name, facts),
            },
        },
    )
