"""restart: brings new values of Secrets to the pods, which read them only when they start."""

from __future__ import annotations

from dify_gitops import names
from dify_gitops.components import Component, scripts
from dify_gitops.k8s import network, pods
from dify_gitops.k8s.identity import service_account
from dify_gitops.k8s.objects import manifest

_LIST = "/workloads"


def component() -> Component:
    """Folder ``base/restart``; which workloads read which Secrets comes from the overlay."""
    template = scripts.pod(
        names.RESTART,
        {
            "WORKLOADS": f"{_LIST}/{names.RESTART_LIST}.txt",
            "HASH_ANNOTATION": names.DATA_HASH,
            "SECRETS_ANNOTATION": names.SECRETS_HASH,
        },
        volumes={_LIST: pods.config_volume("workloads", names.RESTART_LIST)},
    )
    return Component(
        names.RESTART,
        "Restarts workloads whose Secrets have changed.",
        [
            service_account(names.RESTART),
            network.workload_policy(names.RESTART),
            manifest(
                "Compares hashes, never values; what it may do stands in argocd/<env>/generated/rights.yaml.",
                ("batch/v1", "CronJob"),
                names.RESTART,
                workload=names.RESTART,
                wave=names.WAVE_TRAFFIC,
                spec=scripts.schedule(
                    "*/5 * * * *",
                    120,
                    {"backoffLimit": 0, "activeDeadlineSeconds": 240, "template": template},
                ),
            ),
        ],
        (scripts.script(names.RESTART),),
    )
