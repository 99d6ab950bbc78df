"""web: the pages of the console and of published apps."""

from __future__ import annotations

from dify_gitops.catalogue import images, ports, variables
from dify_gitops.components import Component, ConfigMap, edge
from dify_gitops.emit import Note
from dify_gitops.env_file import env_file
from dify_gitops.input.model import Web
from dify_gitops.k8s import network, pods, workloads
from dify_gitops.k8s.identity import service_account

UID = 1001  # the image's user is a name, which Kubernetes cannot prove not to be root


def component() -> Component:
    """Folder ``base/web``."""
    default = Web()
    page = ("/signin", "http")
    main = pods.container(
        "web",
        images.WEB,
        ports={"http": ports.WEB},
        config=("web", "web-environment"),
        startup=pods.http_get(*page, periodSeconds=3, timeoutSeconds=5, failureThreshold=40),
        readiness=Note(
            pods.http_get(*page, periodSeconds=10, timeoutSeconds=5, failureThreshold=3),
            "/ only redirects; /signin is rendered without the API",
        ),
        liveness=pods.tcp("http", periodSeconds=20, timeoutSeconds=5, failureThreshold=3),
        lifecycle=pods.sleep(20),
        size=pods.resources(default),
        mounts={"/tmp": "tmp", "/app/web/.next/cache": "cache"},
    )
    template = pods.pod(
        "web",
        uid=UID,
        grace=Note(45, "PID 1 is a shell that does not pass the signal on: requests end during the preStop sleep"),
        containers=[main],
        volumes=[pods.scratch("tmp", "256Mi"), pods.scratch("cache", "512Mi")],
    )
    return Component(
        "web",
        "The pages of the console and of published apps; the browser talks to the API by itself.",
        [
            service_account("web"),
            network.workload_policy("web"),
            edge.backend_config("web", "/signin", ports.WEB, draining=60),
            workloads.service(
                "Behind the load balancer.",
                {"http": ports.WEB},
                workload="web",
                annotations=edge.service_annotations("web"),
            ),
            workloads.deployment("Stateless.", template, workload="web", minReadySeconds=10),
            workloads.disruption_budget("web"),
        ],
        (ConfigMap("web", {"web.env": env_file(variables.WEB)}),),
    )
