"""ssrf-proxy: the way out for HTTP nodes and users' code."""

from __future__ import annotations

from dify_gitops import names
from dify_gitops.catalogue import images, ports
from dify_gitops.components import Component
from dify_gitops.emit import Flow, Note
from dify_gitops.input.model import SsrfProxy
from dify_gitops.k8s import network, pods, workloads
from dify_gitops.k8s.identity import service_account

UID = 13  # user proxy of the image


def component() -> Component:
    """Folder ``base/ssrf-proxy``; squid.conf is the overlay's, because it names the environment's ranges."""
    default = SsrfProxy()
    main = pods.container(
        "squid",
        images.SQUID,
        command=Note(
            Flow(["squid", "-N", "-f", "/etc/squid/dify/squid.conf"]),
            "the image's own script wants root and a writable /etc/squid",
        ),
        ports={"proxy": ports.SSRF_PROXY},
        startup=pods.tcp("proxy", periodSeconds=2, failureThreshold=30),
        readiness=pods.tcp("proxy", periodSeconds=10),
        liveness=pods.tcp("proxy", periodSeconds=20, failureThreshold=6),
        lifecycle=pods.sleep(),
        size=pods.resources(default),
        mounts={"/var/spool/squid": "scratch:spool", "/var/log/squid": "scratch:log", "/run": "scratch:run"},
        read_only={"/etc/squid/dify": "config"},
    )
    template = pods.pod(
        "ssrf-proxy",
        uid=UID,
        owns_volume=True,
        grace=45,
        containers=[main],
        volumes=[pods.config_volume("config", "ssrf-proxy"), pods.scratch("scratch", "512Mi")],
    )
    return Component(
        "ssrf-proxy",
        "Every request that an HTTP node or users' code makes leaves through it: private destinations are refused.",
        [
            service_account("ssrf-proxy"),
            network.workload_policy("ssrf-proxy"),
            workloads.service(
                "A forward proxy for api, workers and sandbox.",
                {"proxy": ports.SSRF_PROXY},
                workload="ssrf-proxy",
                wave=names.WAVE_BACKENDS,
            ),
            workloads.deployment(
                "Stateless, without a cache.",
                template,
                workload="ssrf-proxy",
                replicas=default.replicas,
                wave=names.WAVE_BACKENDS,
            ),
            workloads.disruption_budget("ssrf-proxy"),
        ],
    )
