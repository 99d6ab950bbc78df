"""The Pod Security Standards as our rules judge them: each check, what it refuses, and from which version on."""

from __future__ import annotations

from typing import Any

import pytest

from dify_gitops.rules.cluster import Cluster
from dify_gitops.rules.standards import violations

NOW = (1, 35)

SAFE_CONTAINER = {"allowPrivilegeEscalation": False, "capabilities": {"drop": ["ALL"]}}
SAFE_POD = {"runAsNonRoot": True, "seccompProfile": {"type": "RuntimeDefault"}}


def refused(
    level: str,
    *,
    spec: dict[str, Any] | None = None,
    pod: dict[str, Any] | None = None,
    container: dict[str, Any] | None = None,
    fields: dict[str, Any] | None = None,
    version: tuple[int, int] = NOW,
    init: bool = False,
) -> list[str]:
    """Fields that the standard refuses in a pod that is safe but for what is given."""
    one = {"name": "main", "securityContext": SAFE_CONTAINER | (container or {}), **(fields or {})}
    two = {"name": "other", "securityContext": SAFE_CONTAINER}
    body = {"securityContext": SAFE_POD | (pod or {}), "containers": [two if init else one], **(spec or {})}
    if init:
        body["initContainers"] = [one]
    document = {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "pod"}, "spec": body}
    return [field for field, _ in violations(Cluster([document], "1.35").pods[0], level, version)]


BASELINE_REFUSES: list[tuple[dict[str, Any], str]] = [
    ({"spec": {"hostNetwork": True}}, "spec.hostNetwork"),
    ({"spec": {"hostPID": True}}, "spec.hostPID"),
    ({"spec": {"hostIPC": True}}, "spec.hostIPC"),
    ({"container": {"privileged": True}}, "spec.containers[main].securityContext.privileged"),
    (
        {"container": {"windowsOptions": {"hostProcess": True}}},
        "spec.containers[main].securityContext.windowsOptions.hostProcess",
    ),
    (
        {"container": {"capabilities": {"drop": ["ALL"], "add": ["NET_RAW"]}}},
        "spec.containers[main].securityContext.capabilities.add",
    ),
    ({"spec": {"volumes": [{"name": "v", "hostPath": {"path": "/"}}]}}, "spec.volumes[v].hostPath"),
    ({"fields": {"ports": [{"containerPort": 1, "hostPort": 1}]}}, "spec.containers[main].ports.hostPort"),
    (
        {"fields": {"livenessProbe": {"httpGet": {"host": "10.0.0.1", "port": 80}}}},
        "spec.containers[main].livenessProbe.httpGet.host",
    ),
    (
        {"fields": {"lifecycle": {"preStop": {"tcpSocket": {"host": "10.0.0.1", "port": 80}}}}},
        "spec.containers[main].lifecycle.preStop.tcpSocket.host",
    ),
    ({"pod": {"appArmorProfile": {"type": "Unconfined"}}}, "spec.securityContext.appArmorProfile.type"),
    ({"pod": {"seLinuxOptions": {"type": "spc_t"}}}, "spec.securityContext.seLinuxOptions.type"),
    (
        {"container": {"seLinuxOptions": {"user": "u"}}},
        "spec.containers[main].securityContext.seLinuxOptions.user",
    ),
    ({"container": {"procMount": "Unmasked"}}, "spec.containers[main].securityContext.procMount"),
    (
        {"container": {"seccompProfile": {"type": "Unconfined"}}},
        "spec.containers[main].securityContext.seccompProfile.type",
    ),
    ({"pod": {"sysctls": [{"name": "kernel.msgmax"}]}}, "spec.securityContext.sysctls"),
]
RESTRICTED_REFUSES: list[tuple[dict[str, Any], str]] = [
    *BASELINE_REFUSES,
    ({"spec": {"volumes": [{"name": "v", "nfs": {"server": "s", "path": "/"}}]}}, "spec.volumes[v]"),
    ({"pod": {"seccompProfile": {"type": "Unconfined"}}}, "spec.securityContext.seccompProfile.type"),
    (
        {"container": {"allowPrivilegeEscalation": None}},
        "spec.containers[main].securityContext.allowPrivilegeEscalation",
    ),
    ({"container": {"capabilities": {}}}, "spec.containers[main].securityContext.capabilities.drop"),
    (
        {"container": {"capabilities": {"drop": ["ALL"], "add": ["CHOWN"]}}},
        "spec.containers[main].securityContext.capabilities.add",
    ),
    ({"container": {"runAsNonRoot": False}}, "spec.containers[main].securityContext.runAsNonRoot"),
    ({"pod": {"runAsUser": 0}}, "spec.securityContext.runAsUser"),
]


@pytest.mark.parametrize(("case", "field"), BASELINE_REFUSES)
def test_baseline_refuses(case: dict[str, Any], field: str) -> None:
    assert refused("baseline", **case) == [field]


@pytest.mark.parametrize(("case", "field"), RESTRICTED_REFUSES)
def test_restricted_refuses(case: dict[str, Any], field: str) -> None:
    assert refused("restricted", **case) == [field]


@pytest.mark.parametrize("case", [case for case, _ in RESTRICTED_REFUSES if {"container", "fields"} & case.keys()])
def test_restricted_looks_into_init_containers(case: dict[str, Any]) -> None:
    (field,) = refused("restricted", init=True, **case)
    assert field.startswith("spec.initContainers[main]")


@pytest.mark.parametrize("case", [case for case, _ in RESTRICTED_REFUSES[len(BASELINE_REFUSES) :]])
def test_baseline_admits_what_only_restricted_refuses(case: dict[str, Any]) -> None:
    admitted = refused("baseline", **case)
    assert admitted == (["spec.securityContext.seccompProfile.type"] if "Unconfined" in str(case) else [])


def test_restricted_wants_every_protection_to_be_named() -> None:
    document = {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": "pod"},
        "spec": {"containers": [{"name": "main"}]},
    }
    context = "spec.containers[main].securityContext"
    assert [field for field, _ in violations(Cluster([document], "1.35").pods[0], "restricted", NOW)] == [
        f"{context}.seccompProfile.type",
        f"{context}.allowPrivilegeEscalation",
        f"{context}.capabilities.drop",
        f"{context}.runAsNonRoot",
    ]


ADMITTED: list[dict[str, Any]] = [
    {},
    {"pod": {"appArmorProfile": {"type": "RuntimeDefault"}}},
    {"pod": {"appArmorProfile": {"type": "Localhost", "localhostProfile": "x"}}},
    {"container": {"seLinuxOptions": {"type": "container_t", "level": "s0:c1"}}},
    {"container": {"procMount": "Default"}},
    {"container": {"capabilities": {"drop": ["ALL"], "add": ["NET_BIND_SERVICE"]}}},
    {"pod": {"sysctls": [{"name": "net.ipv4.tcp_syncookies", "value": "1"}]}},
    {"pod": {"runAsUser": 1001}},
    {"fields": {"livenessProbe": {"httpGet": {"port": 80}}, "ports": [{"containerPort": 80}]}},
    {"spec": {"volumes": [{"name": "a"}, {"name": "b", "emptyDir": {}}, {"name": "c", "secret": {}}]}},
]


@pytest.mark.parametrize("case", ADMITTED)
@pytest.mark.parametrize("level", ["baseline", "restricted"])
def test_both_admit(level: str, case: dict[str, Any]) -> None:
    assert refused(level, **case) == []


def test_what_every_container_says_need_not_stand_at_the_pod() -> None:
    own = SAFE_CONTAINER | SAFE_POD
    body = {"containers": [{"name": "main", "securityContext": own}]}
    document = {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "pod"}, "spec": body}
    assert list(violations(Cluster([document], "1.35").pods[0], "restricted", NOW)) == []


def test_the_version_of_the_standard_decides() -> None:
    probe = {"livenessProbe": {"tcpSocket": {"host": "10.0.0.1", "port": 80}}}
    assert refused("baseline", fields=probe, version=(1, 33)) == []
    assert refused("baseline", fields=probe, version=(1, 34)) != []
    memory = {"sysctls": [{"name": "net.ipv4.tcp_rmem"}]}
    assert refused("baseline", pod=memory, version=(1, 31)) != []
    assert refused("baseline", pod=memory, version=(1, 32)) == []
    own_users: dict[str, Any] = {"spec": {"hostUsers": False}, "pod": {"runAsUser": 0, "runAsNonRoot": False}}
    assert refused("restricted", **own_users, version=(1, 34)) != []
    assert refused("restricted", **own_users, version=(1, 35)) == []
    unmasked: dict[str, Any] = {"spec": {"hostUsers": False}, "container": {"procMount": "Unmasked"}}
    assert refused("baseline", **unmasked) == []
    assert refused("restricted", **unmasked) != []


def test_apparmor_may_not_be_switched_off_by_the_old_annotation() -> None:
    key = "container.apparmor.security.beta.kubernetes.io/main"
    for value, fields in (
        ("unconfined", [f"metadata.annotations[{key}]"]),
        ("runtime/default", []),
        ("localhost/x", []),
    ):
        document = {
            "apiVersion": "v1",
            "kind": "Pod",
            "metadata": {"name": "pod", "annotations": {key: value}},
            "spec": {},
        }
        assert [field for field, _ in violations(Cluster([document], "1.35").pods[0], "baseline", NOW)] == fields
