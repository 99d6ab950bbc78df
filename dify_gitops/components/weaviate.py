"""weaviate: the vector store, and the job that backs it up every night."""

from __future__ import annotations

from typing import Any

from dify_gitops import names
from dify_gitops.catalogue import images, ports, secrets, variables
from dify_gitops.components import Component, ConfigMap
from dify_gitops.emit import Flow, Note
from dify_gitops.env_file import env_file
from dify_gitops.input.model import Amount, Sized, Weaviate
from dify_gitops.k8s import network, pods, workloads
from dify_gitops.k8s.objects import Manifest, labels, manifest, selector
from dify_gitops.templates import template

UID = 10001  # any but root: the data volume is given to it
BACKUP_UID = 65532
API_KEY = (secrets.WEAVIATE, "api-key")
_OWN_ADDRESS = {"name": "CLUSTER_ADVERTISE_ADDR", "valueFrom": {"fieldRef": {"fieldPath": "status.podIP"}}}


def _pod(default: Weaviate) -> dict[str, Any]:
    main = pods.container(
        "weaviate",
        images.WEAVIATE,
        ports={"http": ports.WEAVIATE, "grpc": ports.WEAVIATE_GRPC, "metrics": ports.WEAVIATE_METRICS},
        config=("weaviate", "weaviate-environment"),
        env=[
            *pods.secret_env(("AUTHENTICATION_APIKEY_ALLOWED_KEYS", *API_KEY)),
            Note(_OWN_ADDRESS, "found by itself only where pods have private addresses"),
        ],
        startup=Note(
            pods.http_get("/v1/.well-known/live", "http", periodSeconds=10, timeoutSeconds=5, failureThreshold=90),
            "loads its indexes first, up to 15 minutes",
        ),
        readiness=pods.http_get("/v1/.well-known/ready", "http", periodSeconds=10, timeoutSeconds=5),
        liveness=pods.http_get("/v1/.well-known/live", "http", periodSeconds=30, timeoutSeconds=10, failureThreshold=6),
        lifecycle=pods.sleep(),
        size=pods.resources(default, ("128Mi", "1Gi")),
        mounts={"/var/lib/weaviate": "data", "/tmp": "tmp"},
    )
    return pods.pod(
        "weaviate",
        uid=UID,
        owns_volume=True,
        grace=Note(600, "flushes memory to disk before it ends"),
        priority=names.PRIORITY_DATA,
        replicated=False,
        containers=[main],
        volumes=[pods.scratch("tmp", "256Mi")],
    )


def _stateful_set(default: Weaviate) -> Manifest:
    claim = {
        "metadata": {
            "name": "data",
            "labels": labels("weaviate"),
            "annotations": {names.SYNC_OPTIONS: names.KEEP},
        },
        "spec": {
            "accessModes": Flow(["ReadWriteOnce"]),
            "storageClassName": names.STORAGE_CLASS,
            "resources": {"requests": {"storage": default.volume}},
        },
    }
    return manifest(
        "Holds the vectors of every knowledge base. Neither it nor its volume is ever removed by Argo CD.",
        ("apps/v1", "StatefulSet"),
        "weaviate",
        workload="weaviate",
        wave=names.WAVE_BACKENDS,
        annotations={names.SYNC_OPTIONS: names.KEEP},
        spec={
            "serviceName": "weaviate-headless",
            "replicas": 1,
            "revisionHistoryLimit": 3,
            "persistentVolumeClaimRetentionPolicy": {"whenDeleted": "Retain", "whenScaled": "Retain"},
            "selector": selector("weaviate"),
            "template": _pod(default),
            "volumeClaimTemplates": Note([claim], "cannot be edited: docs/operations.md says how to grow it"),
        },
    )


def _backup_job(default: Weaviate) -> Manifest:
    size = Sized(requests=Amount(cpu="50m", memory="64Mi"), limits=Amount(cpu="250m", memory="128Mi"))
    main = pods.container(
        "backup",
        images.PYTHON,
        command=Flow(["python", "/scripts/weaviate-backup.py"]),
        config=("weaviate-backup",),
        env=pods.secret_env(("WEAVIATE_API_KEY", *API_KEY)),
        size=pods.resources(size),
        read_only={"/scripts": "scripts"},
    )
    pod = pods.pod(
        "weaviate-backup",
        uid=BACKUP_UID,
        grace=30,
        priority=names.PRIORITY_BATCH,
        replicated=False,
        restartPolicy=Note("Never", "no probes: it runs to its end"),
        containers=[main],
        volumes=[pods.config_volume("scripts", "weaviate-backup-script")],
    )
    job = {"backoffLimit": 2, "activeDeadlineSeconds": 4 * 3600, "template": pod}
    return manifest(
        "Starts a backup through Weaviate's own interface and fails where it fails.",
        ("batch/v1", "CronJob"),
        "weaviate-backup",
        workload="weaviate-backup",
        wave=names.WAVE_TRAFFIC,
        spec={
            "schedule": default.backup.schedule,
            "timeZone": "Etc/UTC",
            "concurrencyPolicy": "Forbid",
            "startingDeadlineSeconds": 3600,
            "successfulJobsHistoryLimit": 1,
            "failedJobsHistoryLimit": 3,
            "jobTemplate": {"spec": job},
        },
    )


def component() -> Component:
    """Folder ``base/weaviate``."""
    default = Weaviate()
    client_ports = {"http": ports.WEAVIATE, "grpc": ports.WEAVIATE_GRPC}
    return Component(
        "weaviate",
        "The vector store, with its volume and its nightly backup into Cloud Storage.",
        [
            network.workload_policy("weaviate"),
            network.workload_policy("weaviate-backup"),
            workloads.service(
                "Called by api and workers, over HTTP and gRPC.",
                client_ports,
                workload="weaviate",
                wave=names.WAVE_BACKENDS,
            ),
            workloads.service(
                "Gives the pod its stable name.",
                client_ports,
                name="weaviate-headless",
                workload="weaviate",
                wave=names.WAVE_BACKENDS,
                clusterIP="None",
                publishNotReadyAddresses=True,
            ),
            _stateful_set(default),
            _backup_job(default),
        ],
        (
            ConfigMap("weaviate", {"weaviate.env": env_file(variables.WEAVIATE)}),
            ConfigMap("weaviate-backup-script", {"weaviate-backup.py": template("weaviate-backup.py")}),
        ),
    )
