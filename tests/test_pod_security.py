"""Who runs as whom, what can be written, which capabilities are left: the table of what each image needs."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from repo import Cluster

RESTRICTED = {
    # workload: (kind, uid, paths that can be written)
    "api": ("Deployment", 1001, {"/tmp"}),
    "worker-interactive": ("Deployment", 1001, {"/tmp"}),
    "worker-batch": ("Deployment", 1001, {"/tmp"}),
    "beat": ("Deployment", 1001, {"/tmp"}),
    "migration": ("Job", 1001, {"/tmp"}),
    "web": ("Deployment", 1001, {"/tmp", "/app/web/.next/cache"}),
    "plugin-daemon": ("Deployment", 1001, {"/tmp", "/app/storage"}),
    "ssrf-proxy": ("Deployment", 13, {"/var/spool/squid", "/run", "/var/log/squid"}),
    "weaviate": ("StatefulSet", 10001, {"/tmp", "/var/lib/weaviate"}),
    "weaviate-backup": ("CronJob", 65532, set()),
    "plugin-gateway": ("Deployment", 101, {"/tmp"}),
}


@pytest.mark.parametrize("name", RESTRICTED)
def test_runs_without_privileges(prod: Cluster, name: str) -> None:
    kind, uid, writable = RESTRICTED[name]
    pod = prod.pod(kind, name)
    security = pod["securityContext"]
    assert (security["runAsNonRoot"], security["runAsUser"], security["runAsGroup"]) == (True, uid, uid)
    assert security["seccompProfile"] == {"type": "RuntimeDefault"}
    for container in (*pod["containers"], *pod.get("initContainers", [])):
        assert container["securityContext"] == {
            "allowPrivilegeEscalation": False,
            "readOnlyRootFilesystem": True,
            "capabilities": {"drop": ["ALL"]},
        }
    (main,) = pod["containers"]
    mounts = main.get("volumeMounts", [])
    assert {mount["mountPath"] for mount in mounts if not mount.get("readOnly")} == writable


def test_the_sandbox_has_what_it_needs_and_no_more(prod: Cluster) -> None:
    pod = prod.pod("Deployment", "sandbox")
    assert prod.get("Deployment", "sandbox")["metadata"]["namespace"] == "dify-sandbox"
    (container,) = pod["containers"]
    assert container["securityContext"] == {
        "allowPrivilegeEscalation": False,
        "readOnlyRootFilesystem": False,
        "runAsUser": 0,
        "capabilities": {"drop": ["ALL"], "add": ["CHOWN", "DAC_OVERRIDE", "SETGID", "SETUID", "SYS_CHROOT"]},
    }
    assert pod["securityContext"] == {"seccompProfile": {"type": "RuntimeDefault"}}


@pytest.mark.parametrize(("name", "level"), [("dify", "restricted"), ("dify-sandbox", "baseline")])
def test_namespaces_enforce_their_level(prod: Cluster, name: str, level: str) -> None:
    labels = prod.get("Namespace", name)["metadata"]["labels"]
    assert labels["pod-security.kubernetes.io/enforce"] == level
    assert labels["pod-security.kubernetes.io/enforce-version"] == "v1.35"


def test_nobody_but_the_sandbox_lives_in_its_namespace(prod: Cluster) -> None:
    inside = {one["metadata"]["name"] for one, _ in prod.pods() if one["metadata"]["namespace"] == "dify-sandbox"}
    assert inside == {"sandbox"}


def test_homes_and_caches_are_redirected_to_what_can_be_written(prod: Cluster) -> None:
    assert prod.environment("Deployment", "api")["HOME"] == "/tmp"
    assert prod.environment("Deployment", "web")["PM2_HOME"].startswith("/tmp/")
    daemon = prod.environment("Deployment", "plugin-daemon")
    assert daemon["HOME"] == "/tmp"
    assert daemon["UV_CACHE_DIR"].startswith("/tmp/")
    assert daemon["PLUGIN_WORKING_PATH"].startswith("/app/storage/")


def test_volumes_belong_to_who_writes_them(prod: Cluster) -> None:
    for kind, name in (
        ("Deployment", "plugin-daemon"),
        ("StatefulSet", "weaviate"),
        ("Deployment", "ssrf-proxy"),
    ):
        security = prod.pod(kind, name)["securityContext"]
        assert security["fsGroup"] == security["runAsUser"]


def test_service_links_are_off_everywhere(prod: Cluster) -> None:
    for _, pod in prod.pods():
        assert pod["enableServiceLinks"] is False


def test_the_debugging_port_is_closed_by_default(prod: Cluster) -> None:
    assert prod.environment("Deployment", "plugin-daemon")["PLUGIN_REMOTE_INSTALLING_ENABLED"] == "false"
