"""plugin-daemon: runs plugins, among them every model provider."""

from __future__ import annotations

from dify_gitops import names
from dify_gitops.catalogue import images, ports, secrets, variables
from dify_gitops.components import Component, ConfigMap
from dify_gitops.components.sidecars import REDIS_CA, REDIS_CONFIG, cloud_sql_proxy, redis_tunnel
from dify_gitops.emit import Flow, Note
from dify_gitops.env_file import env_file
from dify_gitops.input.model import PluginDaemon
from dify_gitops.k8s import network, pods, workloads
from dify_gitops.k8s.objects import manifest

UID = 1001


def component() -> Component:
    """Folder ``base/plugin-daemon``."""
    default = PluginDaemon()
    health = ("/health/check", "http")
    main = pods.container(
        "plugin-daemon",
        images.PLUGIN_DAEMON,
        command=Note(
            Flow(["/app/main"]),
            "not the image's script, which swallows SIGTERM; plugins exit where the daemon is PID 1, so see"
            " shareProcessNamespace",
        ),
        ports={"http": ports.PLUGIN_DAEMON, "debugging": ports.PLUGIN_DEBUGGING},
        config=("plugin-daemon", "plugin-daemon-environment"),
        env=pods.secret_env(
            ("SERVER_KEY", secrets.PLUGIN, "server-key"),
            ("DIFY_INNER_API_KEY", secrets.PLUGIN, "inner-api-key"),
            ("DB_PASSWORD", secrets.PLUGIN_DATABASE, "password"),
            ("REDIS_PASSWORD", secrets.REDIS, "password"),
        ),
        startup=Note(
            pods.http_get(*health, periodSeconds=5, timeoutSeconds=5, failureThreshold=60),
            "migrates its own schema first",
        ),
        readiness=pods.http_get(*health, periodSeconds=10, timeoutSeconds=5, failureThreshold=3),
        liveness=pods.http_get(*health, periodSeconds=20, timeoutSeconds=10, failureThreshold=6),
        lifecycle=pods.sleep(),
        size=pods.resources(default, ("256Mi", "4Gi")),
        mounts={"/app/storage": "storage", "/tmp": "tmp"},
    )
    template = pods.pod(
        "plugin-daemon",
        uid=UID,
        owns_volume=True,
        grace=90,
        priority=names.PRIORITY_DATA,
        replicated=False,
        shareProcessNamespace=Note(value=True, text="the pause container is PID 1, and reaps what plugins leave"),
        sidecars=[cloud_sql_proxy(), redis_tunnel()],
        containers=[main],
        volumes=[
            {"name": "storage", "persistentVolumeClaim": {"claimName": "plugin-daemon"}},
            pods.scratch("tmp", "3Gi"),
            REDIS_CONFIG,
            REDIS_CA,
        ],
    )
    volume = manifest(
        "Plugin packages and their virtual environments. Never removed by Argo CD.",
        ("v1", "PersistentVolumeClaim"),
        "plugin-daemon",
        workload="plugin-daemon",
        wave=names.WAVE_APPLICATION,  # the wave of its pod: it stays Pending until a pod wants it
        annotations={names.SYNC_OPTIONS: names.KEEP},
        spec={
            "accessModes": Flow(["ReadWriteOnce"]),
            "storageClassName": names.STORAGE_CLASS,
            "resources": {"requests": {"storage": default.volume}},
        },
    )
    return Component(
        "plugin-daemon",
        "Runs plugins: models, tools, triggers. One replica: its local mode is not made for more.",
        [
            network.workload_policy("plugin-daemon"),
            volume,
            workloads.service(
                "Called by api, workers and the plugin gateway. 5003 answers only with remote debugging on.",
                {"http": ports.PLUGIN_DAEMON, "debugging": ports.PLUGIN_DEBUGGING},
                workload="plugin-daemon",
            ),
            workloads.deployment(
                "Recreate: its volume can be attached to one node only.",
                template,
                workload="plugin-daemon",
                replicas=1,
                single=True,
            ),
        ],
        (ConfigMap("plugin-daemon", {"plugin-daemon.env": env_file(variables.PLUGIN_DAEMON)}),),
    )
