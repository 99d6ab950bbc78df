"""Numbers that bound each other: minimum and maximum, request and limit, connections and their limit."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dify_gitops.input.budget import budget
from dify_gitops.input.checks import Complaint
from dify_gitops.quantity import bytes_of, cpu_millis

if TYPE_CHECKING:
    from collections.abc import Iterator

    from dify_gitops.input.checks import Complaints
    from dify_gitops.input.model import Api, Environment, Nodes, Pool, Sized, Web
    from dify_gitops.input.nodes import Path


def bounds(environment: Environment) -> Complaints:
    """No scaler works with a minimum above its maximum."""
    scaled: list[tuple[Path, Nodes | Web | Api | Pool]] = [
        (("nodes",), environment.nodes),
        (("web",), environment.web),
        (("api",), environment.api),
        *((("worker", "pools", name), pool) for name, pool in environment.worker.pools.items()),
    ]
    for path, it in scaled:
        if it.min > it.max:
            message = f"{it.min} is above max, which is {it.max}"
            yield Complaint((*path, "min"), message, "raise max or lower min", also=((*path, "max"),))


def limits(environment: Environment) -> Complaints:
    """Kubernetes refuses a container that asks for more than it may use."""
    for path, sized in _sized(environment):
        requests, most = sized.requests, sized.limits
        for kind, request, limit, amount in (
            ("cpu", requests.cpu, most.cpu, cpu_millis),
            ("memory", requests.memory, most.memory, bytes_of),
        ):
            if amount(request) > amount(limit):
                message = f"{limit} is below requests.{kind}, which is {request}"
                hint = "raise the limit or lower the request"
                yield Complaint((*path, "limits", kind), message, hint, also=((*path, "requests", kind),))


def _sized(environment: Environment) -> Iterator[tuple[Path, Sized]]:
    yield ("web",), environment.web
    yield ("api",), environment.api
    for name, pool in environment.worker.pools.items():
        yield ("worker", "pools", name), pool
    yield ("beat",), environment.beat
    yield ("sandbox",), environment.sandbox
    yield ("pluginDaemon",), environment.plugin_daemon
    yield ("pluginGateway",), environment.plugin_gateway
    yield ("ssrfProxy",), environment.ssrf_proxy
    yield ("weaviate",), environment.weaviate


def connections(environment: Environment) -> Complaints:
    """PostgreSQL refuses connections above its limit, and Dify answers those requests with an error."""
    sum_ = budget(environment)
    if sum_.total > sum_.limit:
        hint = "raise it, or lower api.max, a pool's max or its concurrency"
        pools = [("worker", "pools", name) for name in (*environment.worker.pools, "*")]
        also = (("api", "max"), *((*pool, key) for pool in pools for key in ("max", "concurrency")))
        yield Complaint(("database", "maxConnections"), f"{sum_.limit} is too low: {sum_}", hint, also)


def ports(environment: Environment) -> Complaints:
    """None would close the only way out; one that is listed twice is probably another one, mistyped."""
    for section, numbers in (
        ("pluginDaemon", environment.plugin_daemon.ports),
        ("ssrfProxy", environment.ssrf_proxy.ports),
    ):
        if not numbers:
            yield Complaint((section, "ports"), "needs at least one port", "remove the key for the default")
        first: dict[int, int] = {}
        for index, port in enumerate(numbers):
            if first.setdefault(port, index) != index:
                yield Complaint((section, "ports", index), f"{port} stands here twice", "remove one")
