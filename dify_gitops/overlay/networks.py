"""What enters or leaves the cluster: NetworkPolicies by address, and squid's configuration with the same ranges."""

from __future__ import annotations

from ipaddress import IPv4Network
from string import Template
from typing import TYPE_CHECKING, Any

from dify_gitops import names
from dify_gitops.catalogue import ports
from dify_gitops.catalogue.flows import INTERNET, POSTGRES, REDIS
from dify_gitops.k8s import network
from dify_gitops.templates import template

if TYPE_CHECKING:
    from dify_gitops.input.model import Environment
    from dify_gitops.k8s.objects import Manifest

# Not the internet: https://www.iana.org/assignments/iana-ipv4-special-registry. Link-local holds the metadata server.
PRIVATE = (
    "0.0.0.0/8",
    "10.0.0.0/8",
    "100.64.0.0/10",
    "127.0.0.0/8",
    "169.254.0.0/16",
    "172.16.0.0/12",
    "192.0.0.0/24",
    "192.168.0.0/16",
    "198.18.0.0/15",
    "224.0.0.0/4",
    "240.0.0.0/4",
)

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


def own_ranges(environment: Environment) -> list[str]:
    """The environment's ranges that are not private by themselves: GKE may use public addresses privately."""
    ranges = environment.network
    own = (ranges.nodes, ranges.pods, ranges.services, ranges.private_services, ranges.control_plane)
    private = [IPv4Network(cidr) for cidr in PRIVATE]
    return [cidr for cidr in own if not any(IPv4Network(cidr).subnet_of(outer) for outer in private)]


def policies(environment: Environment) -> list[Manifest]:
    """NetworkPolicies of one environment."""
    internet = network.block("0.0.0.0/0", (*PRIVATE, *own_ranges(environment)))
    private_services = network.block(environment.network.private_services)

    def out(why: str, name: str, pods: tuple[str, ...], peer: dict[str, Any], *numbers: int) -> Manifest:
        rule = {"to": [peer], "ports": network.tcp_ports(*numbers)}
        return network.policy(why, name, network.workloads(*pods), egress=[rule])

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


def squid_conf(environment: Environment) -> str:
    """Squid's configuration: clients, refused destinations and ports of this environment."""
    ranges = environment.network
    cluster = (ranges.nodes, ranges.pods, ranges.services, ranges.private_services, ranges.control_plane)
    return Template(template("squid.conf")).substitute(
        client_ranges=ranges.pods,
        denied_ranges=" ".join(cluster),
        extra_ports=" ".join(str(port) for port in environment.ssrf_proxy.ports if port not in (80, 443)),
    )
