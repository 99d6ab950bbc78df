"""What enters or leaves the cluster: NetworkPolicies by address, and squid's configuration with the same ranges."""

from __future__ import annotations

from ipaddress import IPv4Network
from string import Template
from typing import TYPE_CHECKING, Any

from dify_gitops import names
from dify_gitops.catalogue import ports
from dify_gitops.catalogue.addresses import SPECIAL
from dify_gitops.catalogue.flows import INTERNET, POSTGRES, REDIS
from dify_gitops.k8s import network
from dify_gitops.overlay import redis_endpoint
from dify_gitops.templates import template

if TYPE_CHECKING:
    from collections.abc import Iterable

    from dify_gitops.input.model import Environment
    from dify_gitops.k8s.objects import Manifest

_SPECIAL = [IPv4Network(cidr) for cidr in SPECIAL]

_PROBED = {
    names.DIFY: (
        ports.WEB,
        ports.SSRF_PROXY,
        ports.API,
        ports.PLUGIN_DAEMON,
        ports.WEAVIATE,
        ports.REDIS_TUNNEL_HEALTH,
        ports.CLOUD_SQL_PROXY_HEALTH,
    ),
    names.SANDBOX: (ports.SANDBOX,),
}


def ranges(environment: Environment) -> tuple[str, ...]:
    """Every range of an environment."""
    own = environment.network
    return own.nodes, own.pods, own.services, own.private_services, own.control_plane


def own_ranges(environment: Environment) -> list[str]:
    """The ranges that are not special by themselves: GKE may use public addresses privately."""
    return [cidr for cidr in ranges(environment) if not any(IPv4Network(cidr).subnet_of(one) for one in _SPECIAL)]


def policies(environment: Environment) -> list[Manifest]:
    """NetworkPolicies of one environment."""
    internet = network.block("0.0.0.0/0", (*SPECIAL, *own_ranges(environment)))
    private_services = network.block(environment.network.private_services)

    def out(why: str, name: str, pods: tuple[str, ...], peer: dict[str, Any], *numbers: int) -> Manifest:
        rule = {"to": [peer], "ports": network.tcp_ports(*numbers)}
        return network.policy(why, name, network.workloads(*pods), egress=[rule])

    callers = (names.RESTART, *((names.REDIS_ENDPOINT,) if redis_endpoint.wanted(environment) else ()))
    mail = []
    if smtp := environment.smtp:
        mail = [out("Mail.", "smtp", ("api", "worker"), internet, smtp.port)]
    return [
        out(
            "The Auth Proxy's connections to the instance.",
            "cloud-sql",
            POSTGRES,
            private_services,
            ports.CLOUD_SQL,
        ),
        out("The tunnel's connections to Memorystore.", "redis", REDIS, private_services, ports.MEMORYSTORE),
        out(
            "Google's APIs, files, marketplace. A policy cannot name hosts: «internet» is what is not private.",
            "internet",
            INTERNET,
            internet,
            ports.HTTPS,
        ),
        out(
            "Model providers, tools, the Python package index: what plugins call by themselves.",
            "internet-plugin-daemon",
            ("plugin-daemon",),
            internet,
            *environment.plugin_daemon.ports,
        ),
        out(
            "What HTTP nodes and users' code may reach.",
            "internet-ssrf-proxy",
            ("ssrf-proxy",),
            internet,
            *environment.ssrf_proxy.ports,
        ),
        out(
            "The API server. Dataplane V2 looks at addresses after translation: at the control plane's own.",
            "api-server",
            callers,
            network.block(environment.network.control_plane),
            ports.HTTPS,
        ),
        *mail,
        *(
            network.policy(
                "The kubelet's probes come from the node.",
                "probes",
                {},
                home=home,
                ingress=[{"from": [network.block(environment.network.nodes)], "ports": network.tcp_ports(*probed)}],
            )
            for home, probed in _PROBED.items()
        ),
    ]


def squid_conf(clients: str, cluster: Iterable[str], wanted: Iterable[int]) -> str:
    """Squid's configuration: only ``clients`` (a range) may use it, for ``wanted`` ports, and never into ``cluster``.

    The ranges of the cluster must not overlap: squid ignores the later one of two that do.
    """
    return Template(template("squid.conf")).substitute(
        client_ranges=clients,
        denied_ranges=" ".join(cluster),
        special_v4="\n".join(f"acl to_special_v4 dst {cidr}  # {what}" for cidr, what in SPECIAL.items()),
        ports=" ".join(map(str, wanted)),
        tunnel_ports=" ".join(str(port) for port in wanted if port != ports.HTTP),
    )
