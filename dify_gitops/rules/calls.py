"""Which Services a pod calls, read from its own environment, arguments and files."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import TYPE_CHECKING, NamedTuple

from dify_gitops.rules.access import get, integer, maps
from dify_gitops.rules.environment import settings, variables

if TYPE_CHECKING:
    from collections.abc import Iterator

    from dify_gitops.rules.cluster import Cluster, Container, Object, Pod
    from dify_gitops.rules.environment import Setting

_SCHEME_PORTS = {"http": 80, "https": 443, "ws": 80, "wss": 443, "redis": 6379, "grpc": 443}
# [scheme://[user@]]host[:port]; it begins after a blank, a quote, an equals sign or a comma.
_ADDRESS = re.compile(
    r"(?:^|(?<=[\s\"'`=,;|(<\[]))"
    r"(?:(?P<scheme>[A-Za-z][\w+.-]*)://(?:[^\s/@\"']*@)?)?"
    r"(?P<host>[a-z0-9](?:[a-z0-9.-]*[a-z0-9])?)\.?"
    r"(?::(?P<port>\d{1,5}))?(?![\w-]|\.\d)"
)
_CLUSTER_NAME = re.compile(r"(?:[a-z0-9-]+\.)?([a-z0-9-]+)\.([a-z0-9-]+)\.svc(?:\.cluster\.local)?")
_COMMENT = re.compile(r"^\s*#.*$", re.MULTILINE)
# Hosts that are not called through the proxy, and an address that is shown to developers of plugins.
_NOT_CALLED = frozenset({"NO_PROXY", "no_proxy", "PLUGIN_REMOTE_INSTALL_HOST"})


class Call(NamedTuple):
    """A Service by the name under which a pod knows it; ``port`` is None where the text names none."""

    namespace: str
    service: str
    port: int | None
    text: str
    field: str


@lru_cache(maxsize=64)
def calls(cluster: Cluster, pod: Pod) -> tuple[Call, ...]:
    """Every Service that the pod is told of; one per Service and port. Comments in files do not count."""
    found: dict[tuple[str, str, int | None], Call] = {}
    for container in pod.containers:
        for setting in settings(cluster, pod, container):
            address = ":" in setting.value or "." in setting.value or setting.name.endswith("_HOST")
            if setting.name in _NOT_CALLED or not address:
                continue
            for call in _in(cluster, pod, container, setting):
                found.setdefault((call.namespace, call.service, call.port), call)
    return tuple(found.values())


def _in(cluster: Cluster, pod: Pod, container: Container, setting: Setting) -> Iterator[Call]:
    for found in _ADDRESS.finditer(_COMMENT.sub("", setting.value)):
        scheme, host = found["scheme"] or "", found["host"]
        port = int(found["port"]) if found["port"] else _SCHEME_PORTS.get(scheme)
        full = _CLUSTER_NAME.fullmatch(host)
        if full:
            service, namespace = full[1], full[2]
        else:
            service, _, namespace = host.partition(".")
            namespace = namespace or pod.namespace
            whole = setting.name.endswith("_HOST") and setting.value == host
            known = cluster.find("Service", namespace, service)
            if known is None or not (scheme or port or whole):
                continue
        if port is None and setting.name.endswith("_HOST"):
            beside = variables(cluster, pod, container).get(setting.name.removesuffix("_HOST") + "_PORT")
            port = int(beside.value) if beside and beside.value.isdecimal() else None
        # Not the text as it stands there: before the host there may be a password.
        yield Call(namespace, service, port, f"{host}:{found['port']}" if found["port"] else host, setting.field)


def service_port(service: Object, wanted: str | int | None) -> dict[str, object] | None:
    """The entry of a Service's ``ports`` with that number or name; its first one where none is named."""
    ports = maps(service.data, "spec", "ports")
    if wanted is None:
        return ports[0] if ports else None
    return next((port for port in ports if wanted in (integer(port, "port"), port.get("name"))), None)


def container_port(service: Object, entry: dict[str, object], pod: Pod) -> int | None:
    """The number behind a Service's port in one pod: ``targetPort`` (number or name), by default ``port``.

    A headless Service translates nothing: callers go to the pod's address with the port that they name.
    """
    headless = get(service.data, "spec", "clusterIP") == "None"
    target = entry.get("port") if headless else entry.get("targetPort", entry.get("port"))
    number = pod.ports.get(target) if isinstance(target, str) else target
    return number if isinstance(number, int) else None
