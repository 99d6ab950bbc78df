"""Rule over squid.conf: the SSRF proxy refuses what is not the public internet, whatever else is changed in it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dify_gitops import names
from dify_gitops.catalogue.addresses import SPECIAL
from dify_gitops.rules.environment import settings
from dify_gitops.rules.network import contains, parse_range
from dify_gitops.rules.rule import Flaw, rule

if TYPE_CHECKING:
    from collections.abc import Iterator

    from dify_gitops.rules.cluster import Cluster

_ALLOW = "allow all"
_DENIED = (
    "deny !clients", "deny manager", "deny !web_ports", "deny CONNECT !tunnel_ports", "deny !CONNECT !plain_http",
    "deny to_internal_names", "deny to_cluster", "deny to_special_v4", "deny to_special_v6",
)  # fmt: skip
_FORBIDDEN = ("cache_peer", "never_direct", "url_rewrite_program")
_REVERSE = {"accel", "vhost", "intercept", "tproxy", "allow-direct"}


@rule(
    "proxy-refuses",
    why="the proxy is the only wall between users' code and the inside: a line less, and it is a door",
    remedy="keep the lines of dify_gitops/templates/squid.conf; http_access allow all comes last",
)
def proxy_refuses(cluster: Cluster) -> Iterator[Flaw]:
    """Squid's access rules end with the only `allow all`, after all denials; its ranges cover all special addresses."""
    for pod in cluster.pods:
        if pod.labels.get(names.NAME) != "ssrf-proxy":
            continue
        for container in pod.containers:
            for setting in settings(cluster, pod, container):
                lines = [line.partition("#")[0].split() for line in setting.value.splitlines()]
                lines = [line for line in lines if line]
                if any(line[0] == "http_access" for line in lines):
                    for message in _flaws(lines):
                        yield Flaw(pod.owner, setting.field, message)


def _flaws(lines: list[list[str]]) -> Iterator[str]:
    yield from _access([" ".join(line[1:]) for line in lines if line[0] == "http_access"])
    denied = [parse_range(word) for word in _ranges(lines, "to_special_v4", "dst")]
    for cidr in SPECIAL:
        special = parse_range(cidr)
        if special and not any(contains(one, special) for one in denied):
            yield f"acl to_special_v4 does not contain {cidr}"
    if not _ranges(lines, "to_cluster", "dst"):
        yield "acl to_cluster names no range"
    for word in _ranges(lines, "clients", "src"):
        if word in ("all", "ipv4", "ipv6") or word.endswith("/0"):
            yield f"acl clients src {word} is everybody"
    for line in lines:
        if line[0] in _FORBIDDEN or (line[0] in ("http_port", "https_port") and _REVERSE & set(line)):
            yield f"{' '.join(line)} makes it more than a forward proxy"


def _access(access: list[str]) -> Iterator[str]:
    for wanted in _DENIED:
        if wanted not in access:
            yield f"lacks http_access {wanted}"
    for line in access[:-1]:
        if line.startswith("allow"):
            yield f"http_access {line} lets requests through before the last line"
    if access[-1] != _ALLOW:
        yield f"http_access ends with {access[-1]}, not with {_ALLOW}"


def _ranges(lines: list[list[str]], name: str, kind: str) -> list[str]:
    return [word for line in lines if line[:3] == ["acl", name, kind] for word in line[3:]]
