"""sandbox: runs the code that users write in code nodes."""

from __future__ import annotations

from dify_gitops import names
from dify_gitops.catalogue import images, ports, secrets, variables
from dify_gitops.components import Component, ConfigMap
from dify_gitops.emit import Flow, Note
from dify_gitops.env_file import env_file
from dify_gitops.input.model import Sandbox
from dify_gitops.k8s import network, pods, workloads
from dify_gitops.k8s.identity import service_account

# It builds a chroot and drops to an unprivileged user for each program: root, a writable root file system and these.
_SECURITY = {
    "allowPrivilegeEscalation": False,
    "readOnlyRootFilesystem": False,
    "runAsUser": 0,
    "capabilities": {
        "drop": Flow(["ALL"]),
        "add": ["CHOWN", "DAC_OVERRIDE", "SETGID", "SETUID", "SYS_CHROOT"],
    },
}


def component() -> Component:
    """Folder ``base/sandbox``."""
    default = Sandbox()
    health = ("/health", "http")
    main = pods.container(
        "sandbox",
        images.SANDBOX,
        ports={"http": ports.SANDBOX},
        config=("sandbox", "sandbox-environment"),
        env=pods.secret_env(("API_KEY", secrets.SANDBOX, "api-key")),
        startup=Note(
            pods.http_get(*health, periodSeconds=5, timeoutSeconds=5, failureThreshold=48),
            "copies libraries into its chroot and installs packages first",
        ),
        readiness=pods.http_get(*health, periodSeconds=10, timeoutSeconds=5, failureThreshold=3),
        liveness=pods.http_get(*health, periodSeconds=20, timeoutSeconds=10, failureThreshold=5),
        lifecycle=pods.sleep(20),
        size=pods.resources(default, ("512Mi", "2Gi")),
        security=_SECURITY,
    )
    template = pods.pod(
        "sandbox",
        uid=None,
        grace=Note(45, "it stops at once: programs end during the preStop sleep"),
        containers=[main],
    )
    return Component(
        "sandbox",
        "Runs users' code, in a namespace of its own: it needs root, and reaches nothing but the SSRF proxy.",
        [
            service_account("sandbox"),
            network.workload_policy("sandbox"),
            workloads.service(
                "Called by api and workers with a key.",
                {"http": ports.SANDBOX},
                workload="sandbox",
                namespace=names.SANDBOX,
                wave=names.WAVE_BACKENDS,
            ),
            workloads.deployment(
                "Stateless; each program runs in a chroot as a user without rights.",
                template,
                workload="sandbox",
                namespace=names.SANDBOX,
                replicas=default.replicas,
                wave=names.WAVE_BACKENDS,
            ),
            workloads.disruption_budget("sandbox", namespace=names.SANDBOX),
        ],
        (ConfigMap("sandbox", {"sandbox.env": env_file(variables.SANDBOX)}, names.SANDBOX),),
    )
