"""Alerts on what users meet, load balancer, uptime and certificate, and on the way out.

Metrics: https://cloud.google.com/monitoring/api/metrics_gcp_i_o#gcp-loadbalancing and
https://cloud.google.com/nat/docs/monitoring. The load balancer is the Ingress' and has a name of GKE's making; it is
the only one in the project, so nothing else has to tell it apart.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from dify_gitops import names
from dify_gitops.gcp.uptime import reachable
from dify_gitops.gcp.watch.words import Alert, Query, Signal, like, policy, series

if TYPE_CHECKING:
    from dify_gitops.gcp import Site
    from dify_gitops.k8s.objects import Manifest

_ERRORS = 0.05
_TRAFFIC = 0.1  # requests per second
_WHOLE, _PAGE = 60, 3  # seconds
_DAYS = 15
_BALANCER = "https_lb_rule"


def _rate(*labels: str) -> str:
    wanted = ",".join((f'monitored_resource="{_BALANCER}"', *labels))
    return f"sum(rate(loadbalancing_googleapis_com:https_request_count{{{wanted}}}[5m]))"


def requests() -> Signal:
    """Requests per second, by class of the answer; no alert looks at it."""
    found = series("loadbalancing.googleapis.com/https/request_count", _BALANCER, {})
    return Signal("requests", found, "ALIGN_RATE", reducer="REDUCE_SUM", by=("metric.label.response_code_class",))


def errors() -> Query:
    """Share of answers that are 5xx, where there is any traffic to speak of."""
    bad = 'response_code_class="500"'
    return Query("share of 5xx", f"{_rate(bad)} / {_rate()}", _ERRORS, 300, guard=f"{_rate()} > {_TRAFFIC:g}")


def _slow(what: str, seconds: int, **labels: str) -> Signal:
    found = series("loadbalancing.googleapis.com/https/backend_latencies", _BALANCER, labels)
    return Signal(what, found, "ALIGN_DELTA", seconds * 1000, 900, reducer="REDUCE_PERCENTILE_95", period=300)


def latency() -> list[Signal]:
    """p95 until the last byte: Google has no metric for the first one.

    A streamed chat lasts as long as the model writes, often most of a minute, so that all answers together say
    something only above that. Pages never stream, and say it at once; GKE puts namespace and Service into the name of
    a backend.
    """
    return [
        _slow("p95, streams included", _WHOLE),
        _slow("p95 of pages", _PAGE, backend_target_name=like(f".*-{names.DIFY}-web-.*")),
    ]


def _uptime(site: Site, metric: str) -> str:
    target = {"host": site.environment.domain, "project_id": site.environment.project}
    return series(f"monitoring.googleapis.com/uptime_check/{metric}", "uptime_url", target)


def _down(site: Site) -> Signal:
    found, by = _uptime(site, "check_passed"), ("metric.label.check_id",)
    return Signal(
        "checkers without an answer", found, "ALIGN_NEXT_OLDER", 1, 60, reducer="REDUCE_COUNT_FALSE", by=by, period=1200
    )


def _expires(site: Site) -> Signal:
    found, by = _uptime(site, "time_until_ssl_cert_expires"), ("resource.label.host",)
    return Signal(
        "days left", found, "ALIGN_NEXT_OLDER", _DAYS, 600, below=True, reducer="REDUCE_MIN", by=by, period=1200
    )


def _gateway(site: Site, metric: str, **of_metric: str) -> str:
    place = {"gateway_name": names.NAT, "region": site.environment.region}
    return series(f"router.googleapis.com/nat/{metric}", "nat_gateway", place, **of_metric)


def dropped(site: Site) -> Signal:
    """Packets per second for which there was no port."""
    found = _gateway(site, "dropped_sent_packets_count", reason="OUT_OF_RESOURCES")
    return Signal("packets without a port", found, "ALIGN_RATE", 0, 600, reducer="REDUCE_SUM")


def _exhausted(site: Site) -> Signal:
    found = _gateway(site, "nat_allocation_failed")
    return Signal("no address or port to give", found, "ALIGN_COUNT_TRUE", 0, 120, reducer="REDUCE_SUM")


def _from_outside(site: Site) -> list[Manifest]:
    return [
        policy(
            site,
            "From two checkers on: one alone may have a bad way to us.",
            Alert("uptime", "Dify is not reachable", "CRITICAL"),
            [_down(site)],
            certificate=names.CERTIFICATE,
        ),
        policy(
            site,
            "Google renews a month before the end: by now it has failed for two weeks.",
            Alert("certificate", "the certificate expires", "ERROR"),
            [_expires(site)],
            certificate=names.CERTIFICATE,
            days=_DAYS,
        ),
    ]


def policies(site: Site) -> list[Manifest]:
    """Uptime and certificate where checkers may come in; errors, latency, NAT."""
    return [
        *(_from_outside(site) if reachable(site) else []),
        policy(
            site,
            f"From {_TRAFFIC:g} requests a second on: at night one failed request would be a large share.",
            Alert("errors", "answers with 5xx", "CRITICAL"),
            [errors()],
            share=f"{_ERRORS:.0%}",
        ),
        policy(
            site,
            "A streamed chat takes as long as the model writes, which is no fault: a minute for all answers together, "
            "three seconds for pages, which never stream.",
            Alert("latency", "answers are slow", "WARNING"),
            latency(),
            whole=_WHOLE,
            page=_PAGE,
        ),
        policy(
            site,
            "Ten minutes: Cloud NAT loses some packets each time that it gives a node more ports.",
            Alert("nat", "Cloud NAT runs out of ports", "ERROR"),
            [dropped(site), _exhausted(site)],
            nat=names.NAT,
        ),
    ]
