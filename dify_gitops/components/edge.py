"""edge: how requests come in, through Google's global HTTPS load balancer."""

from __future__ import annotations

from typing import Any

from dify_gitops import names
from dify_gitops.components import Component
from dify_gitops.emit import Note
from dify_gitops.k8s.objects import Manifest, manifest

# Prefix → Service, from langgenius/dify docker/nginx/conf.d/default.conf.template. Prefixes match whole path elements.
# What is not listed goes to web: so /inner/api, /threads, /db-pool-stat and /health of the API are never public.
ROUTES = (
    ("/console/api", "api"),
    ("/api", "api"),
    ("/v1", "api"),
    ("/files", "api"),
    ("/mcp", "api"),
    ("/triggers", "api"),
    ("/e", "plugin-gateway"),
    ("/explore", "web"),
    ("/", "web"),
)

STREAM = 3600  # seconds; the load balancer's default of 30 would cut every longer answer


def service_annotations(backend: str) -> dict[str, str]:
    """Container-native load balancing, with the BackendConfig of the same name."""
    return {
        "cloud.google.com/neg": '{"ingress": true}',
        "cloud.google.com/backend-config": f'{{"default": "{backend}"}}',
    }


def backend_config(workload: str, path: str, port: int, *, draining: int) -> Manifest:
    """How the load balancer treats a Service; ``draining`` in seconds."""
    return manifest(
        "How the load balancer treats this Service: health, time-outs, Cloud Armor.",
        ("cloud.google.com/v1", "BackendConfig"),
        workload,
        workload=workload,
        wave=names.WAVE_FOUNDATION,
        spec={
            "timeoutSec": Note(STREAM, "bounds a whole streamed answer"),
            "connectionDraining": {"drainingTimeoutSec": draining},
            "healthCheck": {
                "type": "HTTP",
                "requestPath": path,
                "port": port,
                "checkIntervalSec": 10,
                "timeoutSec": 5,
                "healthyThreshold": 1,
                "unhealthyThreshold": 3,
            },
            "logging": {"enable": True, "sampleRate": 1},
            "securityPolicy": {"name": names.SECURITY_POLICY},
        },
    )


def _path(prefix: str, service: str) -> dict[str, Any]:
    backend = {"service": {"name": service, "port": {"name": "http"}}}
    return {"path": prefix, "pathType": "Prefix", "backend": backend}


def component() -> Component:
    """Folder ``base/edge``; the host names are the overlay's."""
    ingress = manifest(
        "The routing table. Nothing else of the cluster is reachable from outside.",
        ("networking.k8s.io/v1", "Ingress"),
        "dify",
        workload="edge",
        wave=names.WAVE_TRAFFIC,
        annotations={
            "kubernetes.io/ingress.global-static-ip-name": names.ADDRESS,
            "networking.gke.io/managed-certificates": names.CERTIFICATE,
            "networking.gke.io/v1beta1.FrontendConfig": "dify",
        },
        spec={"rules": [{"http": {"paths": [_path(prefix, service) for prefix, service in ROUTES]}}]},
    )
    frontend = manifest(
        "Plain HTTP is only redirected; TLS 1.2 at least.",
        ("networking.gke.io/v1beta1", "FrontendConfig"),
        "dify",
        workload="edge",
        wave=names.WAVE_FOUNDATION,
        spec={
            "sslPolicy": names.SSL_POLICY,
            "redirectToHttps": {"enabled": True, "responseCodeName": "MOVED_PERMANENTLY_DEFAULT"},
        },
    )
    return Component(
        "edge",
        "One global HTTPS load balancer for everything: one host, one certificate.",
        [frontend, ingress],
    )
