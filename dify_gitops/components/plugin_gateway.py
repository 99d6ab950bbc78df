"""plugin-gateway: a small nginx that adds the header without which plugins do not know their public address."""

from __future__ import annotations

from dify_gitops.catalogue import images, ports
from dify_gitops.catalogue.variables import PLUGIN_CALL
from dify_gitops.components import Component, ConfigMap, edge
from dify_gitops.emit import Flow, Note
from dify_gitops.input.model import PluginGateway
from dify_gitops.k8s import network, pods, workloads
from dify_gitops.k8s.identity import service_account
from dify_gitops.templates import template

UID = 101  # user nginx of the unprivileged image

# nginx.conf is the base's, the one line with the domain is the overlay's: together they are one folder.
_SOURCES = ("plugin-gateway", "plugin-gateway-domain")
_CONFIG = {"name": "config", "projected": {"sources": [{"configMap": {"name": name}} for name in _SOURCES]}}


def component() -> Component:
    """Folder ``base/plugin-gateway``."""
    default = PluginGateway()
    health = ("/healthz", "http")
    main = pods.container(
        "nginx",
        images.NGINX,
        command=Flow(["nginx", "-g", "daemon off;", "-c", "/etc/nginx/dify/nginx.conf"]),
        ports={"http": ports.PLUGIN_GATEWAY},
        startup=pods.http_get(*health, periodSeconds=1, failureThreshold=30),
        readiness=pods.http_get(*health, periodSeconds=10),
        liveness=pods.http_get(*health, periodSeconds=20, failureThreshold=6),
        lifecycle=pods.sleep(20),
        size=pods.resources(default),
        mounts={"/tmp": "tmp"},
        read_only={"/etc/nginx/dify": "config"},
    )
    pod = pods.pod(
        "plugin-gateway",
        uid=UID,
        grace=Note(PLUGIN_CALL + 60, f"a plugin may stream for {PLUGIN_CALL} s after the preStop sleep"),
        containers=[main],
        volumes=[_CONFIG, pods.scratch("tmp", "512Mi")],
    )
    return Component(
        "plugin-gateway",
        "Requests to plugin endpoints (/e/) with the header Dify-Hook-Url, which the load balancer cannot compute.",
        [
            service_account("plugin-gateway"),
            network.workload_policy("plugin-gateway"),
            edge.backend_config("plugin-gateway", "/healthz", ports.PLUGIN_GATEWAY, draining=PLUGIN_CALL),
            workloads.service(
                "Behind the load balancer.",
                {"http": ports.PLUGIN_GATEWAY},
                workload="plugin-gateway",
                annotations=edge.service_annotations("plugin-gateway"),
            ),
            workloads.deployment("Stateless.", pod, workload="plugin-gateway", replicas=default.replicas),
            workloads.disruption_budget("plugin-gateway"),
        ],
        (ConfigMap("plugin-gateway", {"nginx.conf": template("plugin-gateway-nginx.conf")}),),
    )
