"""api: the console's, the apps' and the service API; chats run inside of it."""

from __future__ import annotations

from dify_gitops.catalogue import ports, secrets, variables
from dify_gitops.components import Component, ConfigMap, dify, edge
from dify_gitops.emit import Note
from dify_gitops.env_file import env_file
from dify_gitops.input.model import Api
from dify_gitops.k8s import network, pods, workloads

_DISK = ("256Mi", "2Gi")


def component() -> Component:
    """Folder ``base/api``."""
    default = Api()
    health = ("/health", "http")
    main = dify.container(
        "api",
        size=pods.resources(default, _DISK),
        config=("dify-services", "api", "dify-environment"),
        optional_secret=secrets.VARIABLES_SECRET,
        env=pods.secret_env(*secrets.SHARED, *secrets.CLIENTS, *secrets.API),
        ports={"http": ports.API},
        startup=Note(
            pods.http_get(*health, periodSeconds=5, timeoutSeconds=5, failureThreshold=60),
            "importing the application takes up to a minute, more where CPU is short",
        ),
        readiness=pods.http_get(*health, periodSeconds=10, timeoutSeconds=5, failureThreshold=3),
        liveness=Note(
            pods.http_get(*health, periodSeconds=20, timeoutSeconds=10, failureThreshold=6),
            "patient: a busy process answers late, and a restart would cut every stream",
        ),
        lifecycle=pods.sleep(20),
    )
    longest = variables.LONGEST_RUN
    grace = Note(longest + 60, f"streams may run for {longest} s after the preStop sleep")
    template = dify.pod("api", main, grace=grace)
    return Component(
        "api",
        "The API of the console, of published apps and of the service interface.",
        [
            network.workload_policy("api"),
            edge.backend_config("api", "/health", ports.API, draining=variables.LONGEST_RUN),
            workloads.service(
                "Behind the load balancer, and called by workers and the plugin daemon.",
                {"http": ports.API},
                workload="api",
                annotations=edge.service_annotations("api"),
            ),
            workloads.deployment(
                "Stateless: every replica can answer every request.",
                template,
                workload="api",
                minReadySeconds=10,
            ),
            workloads.disruption_budget("api"),
        ],
        (ConfigMap("api", {"api.env": env_file(variables.API)}),),
    )
