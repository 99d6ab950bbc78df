"""Rules over Pod Security: what the namespace's admission would refuse, seen before it is applied."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from dify_gitops.rules.access import get, mapping, text, texts
from dify_gitops.rules.cluster import ENFORCE
from dify_gitops.rules.rule import Flaw, rule
from dify_gitops.rules.standards import LEVELS, violations

if TYPE_CHECKING:
    from collections.abc import Iterator

    from dify_gitops.rules.cluster import Cluster

_LATEST = (99, 0)
# Of the sandbox: langgenius/dify-sandbox changes root and user for each run.
_CAPABILITIES = ("CHOWN", "DAC_OVERRIDE", "SETGID", "SETUID", "SYS_CHROOT")


def _version(label: str) -> tuple[int, int]:
    match = re.fullmatch(r"v(\d+)\.(\d+)", label)
    return (int(match[1]), int(match[2])) if match else _LATEST


@rule(
    "pod-security",
    why="the API server refuses the pod, and the Deployment only says so in an event",
    remedy="follow the standard, or move the workload to a namespace with a weaker one",
)
def pod_security(cluster: Cluster) -> Iterator[Flaw]:
    """Every pod obeys the level and version that its namespace enforces."""
    for pod in cluster.pods:
        labels = cluster.namespace_labels(pod.namespace)
        level = labels.get(ENFORCE, "")
        version = _version(labels.get(f"{ENFORCE}-version", ""))
        for field, message in violations(pod, level, version):
            yield Flaw(pod.owner, field, f"{message} (Pod Security {level})")


@rule(
    "pod-security-level",
    why="without level everything is admitted; without version an upgrade of the cluster changes the rules",
    remedy=f"set {ENFORCE} to restricted or baseline, and …-version to the cluster's minor version",
)
def pod_security_level(cluster: Cluster) -> Iterator[Flaw]:
    """Namespaces with pods enforce baseline or restricted, at the version of the cluster."""
    wanted = f"v{cluster.kubernetes}"
    for namespace in cluster.every("Namespace"):
        if not any(pod.namespace == namespace.name for pod in cluster.pods):
            continue
        if namespace.labels.get(ENFORCE) not in LEVELS:
            yield Flaw(namespace, f"metadata.labels[{ENFORCE}]", "is neither restricted nor baseline")
        elif namespace.labels.get(f"{ENFORCE}-version") != wanted:
            yield Flaw(namespace, f"metadata.labels[{ENFORCE}-version]", f"is not {wanted}")


@rule(
    "sandbox-locked",
    why="the sandbox needs root and five capabilities to lock up users' code; more only helps that code out",
    remedy=f"drop ALL, add only {' '.join(_CAPABILITIES)}; no escalation, seccomp RuntimeDefault",
)
def sandbox_locked(cluster: Cluster) -> Iterator[Flaw]:
    """In namespaces below `restricted` containers have exactly the privileges that the sandbox cannot do without."""
    for pod in cluster.pods:
        if cluster.level(pod.namespace) == "restricted":
            continue
        for container in pod.containers:
            path = f"{container.path}.securityContext"
            context = mapping(container.data, "securityContext")
            if "ALL" not in texts(context, "capabilities", "drop"):
                yield Flaw(pod.owner, f"{path}.capabilities.drop", "does not contain ALL")
            for name in texts(context, "capabilities", "add"):
                if name not in _CAPABILITIES:
                    yield Flaw(pod.owner, f"{path}.capabilities.add", f"{name} is not needed")
            if context.get("allowPrivilegeEscalation") is not False:
                yield Flaw(pod.owner, f"{path}.allowPrivilegeEscalation", "is not false")
            seccomp = context.get("seccompProfile") or get(pod.spec, "securityContext", "seccompProfile")
            if text(seccomp, "type") != "RuntimeDefault":
                yield Flaw(pod.owner, f"{path}.seccompProfile.type", "is not RuntimeDefault, nor for the pod")
