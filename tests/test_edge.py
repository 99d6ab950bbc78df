"""The way in: routes, health checks, time-outs, certificate, and what must never be public."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from repo import Cluster

BACKENDS = {"api": ("/health", 5001), "web": ("/signin", 3000), "plugin-gateway": ("/healthz", 8080)}


def routes(cluster: Cluster) -> dict[str, str]:
    (rule,) = cluster.get("Ingress", "dify")["spec"]["rules"]
    assert rule["host"] == "dify.prod.acme.example"
    paths = rule["http"]["paths"]
    assert all(path["pathType"] == "Prefix" for path in paths)
    return {path["path"]: path["backend"]["service"]["name"] for path in paths}


def backend(cluster: Cluster, request: str) -> str:
    """Where a request goes: the longest prefix of whole path elements, as Kubernetes defines Prefix."""
    elements = [part for part in request.split("/") if part]
    best, target = -1, ""
    for prefix, service in routes(cluster).items():
        parts = [part for part in prefix.split("/") if part]
        if elements[: len(parts)] == parts and len(parts) > best:
            best, target = len(parts), service
    return target


@pytest.mark.parametrize(
    ("path", "service"),
    [
        ("/console/api/setup", "api"),
        ("/api/chat-messages", "api"),
        ("/v1/workflows/run", "api"),
        ("/files/1/file-preview", "api"),
        ("/mcp/server/x/mcp", "api"),
        ("/triggers/webhook/abc", "api"),
        ("/e/hook-id/path", "plugin-gateway"),
        ("/explore/apps", "web"),
        ("/", "web"),
        ("/signin", "web"),
        ("/apiX", "web"),
        ("/inner/api/invoke/llm", "web"),
        ("/threads", "web"),
        ("/db-pool-stat", "web"),
        ("/health", "web"),
        ("/api/../threads", "api"),
    ],
)
def test_requests_go_where_they_belong(prod: Cluster, path: str, service: str) -> None:
    assert backend(prod, path) == service


@pytest.mark.parametrize("name", BACKENDS)
def test_each_backend_has_its_health_check_and_patience(prod: Cluster, name: str) -> None:
    path, port = BACKENDS[name]
    annotations = prod.get("Service", name)["metadata"]["annotations"]
    assert json.loads(annotations["cloud.google.com/neg"]) == {"ingress": True}
    assert json.loads(annotations["cloud.google.com/backend-config"]) == {"default": name}
    spec = prod.get("BackendConfig", name)["spec"]
    assert (spec["healthCheck"]["requestPath"], spec["healthCheck"]["port"]) == (path, port)
    assert spec["timeoutSec"] >= 3600
    assert spec["securityPolicy"] == {"name": "dify"}
    grace = prod.pod("Deployment", name)["terminationGracePeriodSeconds"]
    assert spec["connectionDraining"]["drainingTimeoutSec"] > 0
    if name == "api":
        assert spec["connectionDraining"]["drainingTimeoutSec"] <= grace


def test_only_three_services_are_behind_the_load_balancer(prod: Cluster) -> None:
    exposed = {
        one["metadata"]["name"]
        for one in prod.all("Service")
        if "cloud.google.com/neg" in one["metadata"].get("annotations", {})
    }
    assert exposed == set(BACKENDS) == set(routes(prod).values())
    assert all(one["spec"].get("type", "ClusterIP") == "ClusterIP" for one in prod.all("Service"))


def test_https_with_google_s_certificate_and_our_policy(prod: Cluster) -> None:
    annotations = prod.get("Ingress", "dify")["metadata"]["annotations"]
    assert annotations["kubernetes.io/ingress.global-static-ip-name"] == "dify"
    assert "kubernetes.io/ingress.class" not in annotations, "deprecated; GKE takes the Ingress without it"
    frontend = prod.get("FrontendConfig", annotations["networking.gke.io/v1beta1.FrontendConfig"])["spec"]
    assert frontend["redirectToHttps"] == {"enabled": True, "responseCodeName": "MOVED_PERMANENTLY_DEFAULT"}
    assert frontend["sslPolicy"] == "dify"
    certificate = prod.get("ManagedCertificate", annotations["networking.gke.io/managed-certificates"])["spec"]
    assert certificate["domains"] == ["dify.prod.acme.example"]


def test_idle_connections_outlive_the_load_balancer_s(prod: Cluster) -> None:
    assert "--keep-alive 620" in prod.environment("Deployment", "api")["GUNICORN_CMD_ARGS"]
    assert int(prod.environment("Deployment", "web")["KEEP_ALIVE_TIMEOUT"]) > 600_000
    assert "keepalive_timeout 620s" in prod.config("plugin-gateway")["nginx.conf"]


def test_the_waves_let_backends_come_first_and_traffic_last(prod: Cluster) -> None:
    def wave(kind: str, name: str) -> int:
        notes = prod.get(kind, name)["metadata"].get("annotations", {})
        return int(notes.get("argocd.argoproj.io/sync-wave", "0"))

    assert wave("Namespace", "dify") < wave("StatefulSet", "weaviate") < wave("Job", "migration")
    assert wave("Job", "migration") < wave("Deployment", "api") < wave("Ingress", "dify")
    # They stay Progressing until a pod wants them, or until the address answers: never before what they wait for.
    assert wave("PersistentVolumeClaim", "plugin-daemon") == wave("Deployment", "plugin-daemon")
    workloads = ("Deployment", "StatefulSet", "Job", "PersistentVolumeClaim", "Ingress", "ScaledObject")
    last = max(wave(one["kind"], one["metadata"]["name"]) for one in prod.objects if one["kind"] in workloads)
    assert wave("Ingress", "dify") == wave("ManagedCertificate", "dify") == last
