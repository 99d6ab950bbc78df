"""worker: one Deployment per pool of queues, all of one image and one identity."""

from __future__ import annotations

from dify_gitops import names
from dify_gitops.catalogue import secrets, variables
from dify_gitops.components import Component, ConfigMap, dify
from dify_gitops.emit import Note
from dify_gitops.env_file import env_file
from dify_gitops.input.model import Pool
from dify_gitops.input.profiles import PROFILES
from dify_gitops.input.queues import INTERACTIVE
from dify_gitops.k8s import network, pods, workloads
from dify_gitops.k8s.objects import Manifest, manifest

# Its ping would cost several hundred MB and seconds of CPU each time; Celery exits when it loses its main loop.
_NO_PROBES = "Celery's ping imports the whole application; queue length is watched instead."
_DISK = ("256Mi", "3Gi")
STANDARD_POOLS = tuple(PROFILES["prod"]["worker"]["pools"])


def pool_manifests(name: str, pool: Pool) -> list[Manifest]:
    """A pool's Deployment and disruption budget; its queues come from the ConfigMap ``worker-<name>``."""
    main = dify.container(
        "worker",
        size=pods.resources(pool, _DISK),
        config=("dify-services", "worker", "dify-environment", f"worker-{name}"),
        optional_secret=secrets.VARIABLES_SECRET,
        env=pods.secret_env(*secrets.SHARED, *secrets.CLIENTS),
    )
    template = dify.pod(
        "worker",
        main,
        component=name,
        tmp="2Gi",
        priority=names.PRIORITY_BATCH if name != INTERACTIVE else names.PRIORITY_SERVING,
        grace=Note(
            variables.LONGEST_RUN + 60,
            f"Celery finishes running tasks; a workflow may take {variables.LONGEST_RUN} s, and a killed task is lost",
        ),
        annotations={names.NO_PROBES: _NO_PROBES},
    )
    return [
        workloads.deployment(
            "KEDA owns the number of replicas, from the length of the queues.",
            template,
            workload="worker",
            component=name,
            minReadySeconds=20,
        ),
        workloads.disruption_budget("worker", component=name),
    ]


def _redis_access() -> Manifest:
    keys = [{"parameter": key, "name": secrets.REDIS, "key": key} for key in ("address", "password")]
    return manifest(
        "How KEDA reads the length of the queues; the address comes with the password, nobody copies it.",
        ("keda.sh/v1alpha1", "TriggerAuthentication"),
        "redis",
        workload="worker",
        wave=names.WAVE_TRAFFIC,
        spec={"secretTargetRef": keys},
    )


def component() -> Component:
    """Folder ``base/worker``: the two pools that every environment has."""
    return Component(
        "worker",
        "Celery workers: indexing, triggered workflows, mail and everything else that is not answered at once.",
        [
            network.workload_policy("worker"),
            *(one for name in STANDARD_POOLS for one in pool_manifests(name, Pool())),
            _redis_access(),
        ],
        (ConfigMap("worker", {"worker.env": env_file(variables.WORKER)}),),
    )
