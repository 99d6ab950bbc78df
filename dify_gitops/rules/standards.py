"""The Pod Security Standards `baseline` and `restricted` as checks over one pod template.

Source: kubernetes/pod-security-admission, policy/check_*.go, to v0.37; the standard itself is described at
https://kubernetes.io/docs/concepts/security/pod-security-standards/.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any, NamedTuple

from dify_gitops.rules.access import get, mapping, maps, text, texts

if TYPE_CHECKING:
    from dify_gitops.rules.cluster import Container, Pod

_CAPABILITIES = frozenset(
    "AUDIT_WRITE CHOWN DAC_OVERRIDE FOWNER FSETID KILL MKNOD NET_BIND_SERVICE SETFCAP SETGID SETPCAP SETUID "
    "SYS_CHROOT".split()
)
# What is safe, by the version of the standard that first said so.
_SYSCTLS = {
    (1, 0): "kernel.shm_rmid_forced net.ipv4.ip_local_port_range net.ipv4.tcp_syncookies "
    "net.ipv4.ping_group_range net.ipv4.ip_unprivileged_port_start",
    (1, 27): "net.ipv4.ip_local_reserved_ports",
    (1, 29): "net.ipv4.tcp_keepalive_time net.ipv4.tcp_fin_timeout net.ipv4.tcp_keepalive_intvl "
    "net.ipv4.tcp_keepalive_probes",
    (1, 32): "net.ipv4.tcp_rmem net.ipv4.tcp_wmem",
    (1, 37): "net.ipv4.tcp_slow_start_after_idle net.ipv4.tcp_notsent_lowat",
}
_SELINUX = {(1, 0): "container_t container_init_t container_kvm_t", (1, 31): "container_engine_t"}
_VOLUMES = frozenset(
    "configMap csi downwardAPI emptyDir ephemeral image persistentVolumeClaim projected secret".split()
)
_APPARMOR = "container.apparmor.security.beta.kubernetes.io/"
_CONFINED = ("RuntimeDefault", "Localhost")
_HANDLERS = (
    ("startupProbe",), ("readinessProbe",), ("livenessProbe",),
    ("lifecycle", "postStart"), ("lifecycle", "preStop"),
)  # fmt: skip


class Scope(NamedTuple):
    """A securityContext with its place: of the pod (``container`` None) or of a container."""

    path: str
    context: dict[str, Any]
    container: Container | None


class Subject(NamedTuple):
    """A pod, the version of the standard that judges it, and the securityContexts in it, the pod's first."""

    pod: Pod
    version: tuple[int, int]
    scopes: list[Scope]


# What a check finds: the field and what is the matter with it.
Violations = Iterator[tuple[str, str]]
Check = Callable[[Subject], Violations]


def _known(table: dict[tuple[int, int], str], version: tuple[int, int]) -> set[str]:
    return {word for since, words in table.items() if since <= version for word in words.split()}


def _in_user_namespace(subject: Subject) -> bool:
    """From 1.35 on root inside of a user namespace is not root."""
    return subject.version >= (1, 35) and subject.pod.spec.get("hostUsers") is False


def host_namespaces(subject: Subject) -> Violations:
    """The node's network, processes and IPC are out of reach."""
    for key in ("hostNetwork", "hostPID", "hostIPC"):
        if subject.pod.spec.get(key):
            yield subject.pod.field(f"spec.{key}"), "is true"


def privileged(subject: Subject) -> Violations:
    """Neither privileged containers nor Windows host processes."""
    for path, context, _ in subject.scopes:
        if context.get("privileged"):
            yield f"{path}.privileged", "is true"
        if get(context, "windowsOptions", "hostProcess"):
            yield f"{path}.windowsOptions.hostProcess", "is true"


def added_capabilities(subject: Subject) -> Violations:
    """No capability beyond the usual set of a container runtime."""
    for path, context, _ in subject.scopes:
        for name in texts(context, "capabilities", "add"):
            if name not in _CAPABILITIES:
                yield f"{path}.capabilities.add", f"{name} is not allowed"


def host_paths(subject: Subject) -> Violations:
    """No folder of the node."""
    for volume in maps(subject.pod.spec, "volumes"):
        if "hostPath" in volume:
            yield subject.pod.field(f"spec.volumes[{text(volume, 'name')}].hostPath"), "is not allowed"


def host_ports(subject: Subject) -> Violations:
    """No port of the node."""
    for container in subject.pod.containers:
        for port in maps(container.data, "ports"):
            if port.get("hostPort"):
                yield f"{container.path}.ports.hostPort", f"{port['hostPort']} is not allowed"


def probe_hosts(subject: Subject) -> Violations:
    """From 1.34 on: probes and hooks only reach the pod itself."""
    if subject.version < (1, 34):
        return
    for container in subject.pod.containers:
        for handler in _HANDLERS:
            for action in ("httpGet", "tcpSocket"):
                if get(container.data, *handler, action, "host"):
                    yield ".".join((container.path, *handler, action, "host")), "is not allowed"


def apparmor(subject: Subject) -> Violations:
    """AppArmor is not switched off."""
    for path, context, _ in subject.scopes:
        if "appArmorProfile" in context and get(context, "appArmorProfile", "type") not in _CONFINED:
            yield f"{path}.appArmorProfile.type", "is neither RuntimeDefault nor Localhost"
    for key, value in subject.pod.annotations.items():
        if key.startswith(_APPARMOR) and value not in ("", "runtime/default") and not value.startswith("localhost/"):
            yield subject.pod.field(f"metadata.annotations[{key}]"), f"{value} is not allowed"


def selinux(subject: Subject) -> Violations:
    """Only container types of SELinux, no user, no role."""
    for path, context, _ in subject.scopes:
        options = mapping(context, "seLinuxOptions")
        if options.get("type") and options["type"] not in _known(_SELINUX, subject.version):
            yield f"{path}.seLinuxOptions.type", f"{options['type']} is not allowed"
        for key in ("user", "role"):
            if options.get(key):
                yield f"{path}.seLinuxOptions.{key}", "is not allowed"


def proc_mount(subject: Subject) -> Violations:
    """/proc stays masked; a user namespace frees from it only at the level baseline."""
    for path, context, _ in subject.scopes:
        if context.get("procMount") not in (None, "Default"):
            yield f"{path}.procMount", "is not Default"


def proc_mount_outside_user_namespace(subject: Subject) -> Violations:
    """The same, at the level baseline."""
    return iter(()) if _in_user_namespace(subject) else proc_mount(subject)


def seccomp_confined(subject: Subject) -> Violations:
    """Where a seccomp profile is named, it confines."""
    for path, context, _ in subject.scopes:
        if "seccompProfile" in context and get(context, "seccompProfile", "type") not in _CONFINED:
            yield f"{path}.seccompProfile.type", "is neither RuntimeDefault nor Localhost"


def sysctls(subject: Subject) -> Violations:
    """Only sysctls that stay inside of the pod."""
    for entry in maps(subject.pod.spec, "securityContext", "sysctls"):
        if text(entry, "name") not in _known(_SYSCTLS, subject.version):
            yield subject.pod.field("spec.securityContext.sysctls"), f"{text(entry, 'name')} is not allowed"


def volume_types(subject: Subject) -> Violations:
    """Only volumes that Kubernetes itself fills or claims; hostPath is the business of ``host_paths``."""
    for volume in maps(subject.pod.spec, "volumes"):
        for kind in sorted(volume.keys() - _VOLUMES - {"name", "hostPath"}):
            yield (
                subject.pod.field(f"spec.volumes[{text(volume, 'name')}]"),
                f"volume type {kind} is not allowed",
            )


def seccomp_set(subject: Subject) -> Violations:
    """A seccomp profile stands at the pod or at every container."""
    for path, context, container in subject.scopes:
        if container and "seccompProfile" not in context and "seccompProfile" not in subject.scopes[0].context:
            yield f"{path}.seccompProfile.type", "is not set, nor for the pod"


def no_escalation(subject: Subject) -> Violations:
    """Privilege escalation is refused explicitly."""
    for path, context, container in subject.scopes:
        if container and context.get("allowPrivilegeEscalation") is not False:
            yield f"{path}.allowPrivilegeEscalation", "is not false"


def dropped_capabilities(subject: Subject) -> Violations:
    """ALL is dropped; NET_BIND_SERVICE may come back."""
    for path, context, container in subject.scopes:
        if container and "ALL" not in texts(context, "capabilities", "drop"):
            yield f"{path}.capabilities.drop", "does not contain ALL"
        for name in texts(context, "capabilities", "add"):
            if name in _CAPABILITIES - {"NET_BIND_SERVICE"}:
                yield f"{path}.capabilities.add", f"{name} is not allowed"


def not_root(subject: Subject) -> Violations:
    """No container may run as root: by runAsNonRoot, and by its user id where it has one."""
    if _in_user_namespace(subject):
        return
    of_pod = subject.scopes[0].context.get("runAsNonRoot")
    for path, context, container in subject.scopes:
        own = context.get("runAsNonRoot")
        if own is False or (container and own is None and of_pod is not True):
            yield f"{path}.runAsNonRoot", "is not true"
        if context.get("runAsUser") == 0:
            yield f"{path}.runAsUser", "is 0"


BASELINE: tuple[Check, ...] = (
    host_namespaces, privileged, added_capabilities, host_paths, host_ports, probe_hosts, apparmor, selinux,
    proc_mount_outside_user_namespace, seccomp_confined, sysctls,
)  # fmt: skip
RESTRICTED: tuple[Check, ...] = (
    *(check for check in BASELINE if check is not proc_mount_outside_user_namespace),
    proc_mount, volume_types, seccomp_set, no_escalation, dropped_capabilities, not_root,
)  # fmt: skip
LEVELS: dict[str, tuple[Check, ...]] = {"baseline": BASELINE, "restricted": RESTRICTED}


def violations(pod: Pod, level: str, version: tuple[int, int]) -> Violations:
    """What the standard of that level and version refuses in a pod: (field, message)."""
    context = mapping(pod.spec, "securityContext")
    scopes = [Scope(pod.field("spec.securityContext"), context, None)]
    for container in pod.containers:
        own = mapping(container.data, "securityContext")
        scopes.append(Scope(f"{container.path}.securityContext", own, container))
    for check in LEVELS.get(level, ()):
        yield from check(Subject(pod, version, scopes))
