"""shared: what does not belong to one workload."""

from __future__ import annotations

from dify_gitops import names
from dify_gitops.catalogue import ports, variables
from dify_gitops.catalogue.addresses import METADATA, NODE_LOCAL_DNS
from dify_gitops.catalogue.flows import GOOGLE, POSTGRES, REDIS
from dify_gitops.components import Component, ConfigMap
from dify_gitops.env_file import env_file
from dify_gitops.k8s import network
from dify_gitops.k8s.objects import Manifest, manifest
from dify_gitops.templates import template

# (name, value, who): higher ones may push lower ones off a full node. Far below the system's own classes.
_PRIORITIES = (
    (names.PRIORITY_DATA, 30000, "Holds data or exists once: Weaviate and the plugin daemon."),
    (names.PRIORITY_SERVING, 20000, "People wait for it: api, web, proxies, interactive workers."),
    (names.PRIORITY_BATCH, 10000, "Can wait: indexing, clean-up, backups."),
)

# Collectors of Google Cloud Managed Service for Prometheus, on GKE Standard and Autopilot.
_COLLECTORS = ("gmp-system", "gke-gmp-system")


def _priority(name: str, value: int, who: str) -> Manifest:
    return manifest(
        who,
        ("scheduling.k8s.io/v1", "PriorityClass"),
        name,
        namespace=None,
        workload="dify",
        wave=names.WAVE_FOUNDATION,
        value=value,
        description=who,
    )


def _storage_class() -> Manifest:
    return manifest(
        "Data outlives its claim, and volumes can grow. Bound where the pod runs, so in the pod's zone.",
        ("storage.k8s.io/v1", "StorageClass"),
        names.STORAGE_CLASS,
        namespace=None,
        workload="dify",
        wave=names.WAVE_FOUNDATION,
        provisioner="pd.csi.storage.gke.io",
        parameters={"type": "pd-ssd"},
        reclaimPolicy="Retain",
        allowVolumeExpansion=True,
        volumeBindingMode="WaitForFirstConsumer",
    )


def _policies() -> list[Manifest]:
    dns = [{"protocol": protocol, "port": ports.DNS} for protocol in ("UDP", "TCP")]
    resolvers = [
        network.namespace("kube-system") | {"podSelector": {"matchLabels": {"k8s-app": name}}}
        for name in ("kube-dns", "node-local-dns")
    ] + [network.block(NODE_LOCAL_DNS)]
    collectors = [network.namespace(name) for name in _COLLECTORS]
    both = (names.DIFY, names.SANDBOX)
    return [
        *(
            network.policy(
                "Nothing in, nothing out: every connection below is an exception.",
                "default-deny",
                {},
                home=home,
                ingress=[],
                egress=[],
            )
            for home in both
        ),
        *(
            network.policy(
                "Names: kube-dns, and NodeLocal DNSCache under its link-local address.",
                "dns",
                {},
                home=home,
                egress=[{"to": resolvers, "ports": dns}],
            )
            for home in both
        ),
        network.policy(
            "GKE metadata server (Dataplane V2), only for pods that act as a Google service account.",
            "google-identity",
            network.workloads(*GOOGLE),
            egress=[{"to": [network.block(METADATA)], "ports": network.tcp_ports(*ports.METADATA)}],
        ),
        network.policy(
            "Managed Prometheus reads metrics of Weaviate.",
            "metrics-weaviate",
            network.workloads("weaviate"),
            ingress=[{"from": collectors, "ports": network.tcp_ports(ports.WEAVIATE_METRICS)}],
        ),
        network.policy(
            "Managed Prometheus reads metrics of the Cloud SQL Auth Proxy.",
            "metrics-cloud-sql-proxy",
            network.workloads(*POSTGRES),
            ingress=[{"from": collectors, "ports": network.tcp_ports(ports.CLOUD_SQL_PROXY_HEALTH)}],
        ),
        network.policy(
            "Managed Prometheus reads metrics of the Redis tunnel.",
            "metrics-redis-tunnel",
            network.workloads(*REDIS),
            ingress=[{"from": collectors, "ports": network.tcp_ports(ports.REDIS_TUNNEL_HEALTH)}],
        ),
    ]


def _monitoring(name: str, why: str, selector: dict[str, object], port: str) -> Manifest:
    return manifest(
        why,
        ("monitoring.googleapis.com/v1", "PodMonitoring"),
        name,
        workload=name,
        wave=names.WAVE_TRAFFIC,
        spec={"selector": selector, "endpoints": [{"port": port, "path": "/metrics", "interval": "30s"}]},
    )


def component() -> Component:
    """Folder ``base/shared``."""
    return Component(
        "shared",
        "What does not belong to one workload: classes, the walls between pods, configuration that several read.",
        [
            *(_priority(*priority) for priority in _PRIORITIES),
            _storage_class(),
            *_policies(),
            _monitoring("weaviate", "Vector store: memory, disk, queries.", network.workloads("weaviate"), "metrics"),
            _monitoring(
                "cloud-sql-proxy",
                "Connections to PostgreSQL, per pod.",
                network.workloads(*POSTGRES),
                "sql-health",
            ),
            _monitoring(
                "redis-tunnel",
                "Connections to Redis, per pod, and whether it answers.",
                network.workloads(*REDIS),
                "redis-health",
            ),
        ],
        (
            ConfigMap("dify-common", {"dify-common.env": env_file(variables.COMMON)}),
            ConfigMap("dify-services", {"dify-services.env": env_file(variables.CLIENTS)}),
            ConfigMap("redis-tunnel", {"haproxy.cfg": template("haproxy.cfg")}),
        ),
    )
